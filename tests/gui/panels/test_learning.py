"""Thresholds proposed from decisions: shown with what they are worth, applied when asked."""

import numpy as np
import pytest
from many_verdicts import many_verdicts
from qtpy.compat import isalive

import napari_comparewarp as cw
from napari_comparewarp.gui.panels.learning import LearningPanel
from napari_comparewarp.review.learning import propose_thresholds

#: What the person who decides has in mind.
WANTED = cw.CompareWarpConfig(max_epochs=1)


@pytest.fixture(scope="module")
def stack():
    return many_verdicts()


@pytest.fixture
def inspection(stack):
    return cw.Inspection(stack)


@pytest.fixture
def panel(show_panel):
    return show_panel(LearningPanel())


def decide_as_wanted(session, against=()):
    """Decide on all that the rules decide on, but on some the other way."""
    table = cw.run(session.inspection.stack, WANTED).footprints
    by_rule = np.isin(table["verdict"], ["clipped", "persistent"])
    for row in table[by_rule]:
        clip = (row["verdict"] == "clipped") != (row["id"] in against)
        session.inspection.override(int(row["id"]), "clip" if clip else "keep")
    return [int(number) for number in table["id"][by_rule]]


def propose(panel, qtbot):
    panel.propose.click()
    qtbot.waitUntil(lambda: panel.learned is not None)


def test_too_few_decisions_are_refused_with_how_many_are_missing(panel, qtbot):
    panel.propose.click()
    qtbot.waitUntil(lambda: "decide 3 more to clip and 3 more to keep" in panel.words.text())
    assert not panel.apply.isEnabled()
    assert panel.learned is None


def test_a_proposal_is_the_one_that_scripts_get(panel, session, qtbot):
    decide_as_wanted(session)
    propose(panel, qtbot)
    expected = propose_thresholds(session.inspection)
    assert panel.learned.proposal.config == expected.config != session.config
    assert panel.learned.proposal.proposed.score == 1
    assert f"{100 * expected.held_out.score:.0f} %" in panel.scores.text()
    assert f"{100 * expected.present.score:.0f} %" in panel.scores.text()
    assert "agrees with all your decisions" in panel.disagreements.text()


def test_nothing_changes_until_it_is_applied_and_undo_takes_it_back(panel, session, qtbot):
    decide_as_wanted(session)
    before = session.inspection.config
    propose(panel, qtbot)
    assert not session.busy
    assert session.inspection.config == session.config == before
    with qtbot.waitSignal(session.result_changed):
        panel.apply.click()
    assert session.inspection.config == panel.learned.proposal.config
    assert panel.words.text() == "Applied."
    assert not panel.apply.isEnabled()
    session.undo()
    qtbot.waitUntil(lambda: session.inspection.config == before)


def test_only_ticked_thresholds_change(panel, session, qtbot):
    decide_as_wanted(session)
    for name, box in panel.knobs.items():
        box.setChecked(name == "temporal_threshold")
    propose(panel, qtbot)
    assert set(panel.learned.proposal.changes) == {"temporal_threshold"}
    panel.knobs["temporal_threshold"].setChecked(False)
    panel.propose.click()
    assert "tick at least one" in panel.words.text()


def test_a_link_goes_to_a_footprint_that_the_proposal_gets_wrong(panel, session, qtbot):
    ids = decide_as_wanted(session)
    against = ids[-1]
    decide_as_wanted(session, against=[against])
    propose(panel, qtbot)
    assert f">{against}</a>" in panel.disagreements.text()
    named = [*panel.learned.proposal.missed, *panel.learned.proposal.wrong]
    panel.disagreements.linkActivated.emit(str(named.index(against)))
    assert session.selected_number == against
    assert session.epoch_index == session.inspection.result.footprints["epoch_index"][against - 1]


def test_the_trade_off_is_drawn_along_the_chosen_threshold(panel, session, qtbot):
    decide_as_wanted(session)
    propose(panel, qtbot)
    table = panel.learned.proposal.trade_off
    for name in ("spatial_threshold", "temporal_threshold"):
        panel.knob.setCurrentIndex(panel.knob.findData(name))
        part = table[(table["knob"] == name) & np.isfinite(table["value"])]
        missed, wrong = (curve.getData() for curve in panel.plot.getPlotItem().listDataItems())
        np.testing.assert_array_equal(missed, (part["value"], part["missed_clips"]))
        np.testing.assert_array_equal(wrong, (part["value"], part["wrong_clips"]))


def test_a_proposal_of_earlier_decisions_cannot_be_applied(panel, session, qtbot):
    ids = decide_as_wanted(session)
    propose(panel, qtbot)
    with qtbot.waitSignal(session.result_changed):
        session.decide(session.inspection.key_of(ids[0]), None)
    assert "have changed since" in panel.words.text()
    assert not panel.apply.isEnabled()


def test_a_change_while_it_looks_makes_it_look_again(panel, session, qtbot):
    ids = decide_as_wanted(session)
    panel.propose.click()
    session.decide(session.inspection.key_of(ids[0]), None)
    qtbot.waitUntil(lambda: panel.learned is not None)
    assert panel.learned.result is session.inspection.result
    agreed = panel.learned.proposal.proposed
    assert agreed.n_clip + agreed.n_keep == len(ids) - 1


def test_a_panel_that_goes_while_it_looks_leaves_nothing_behind(session, qtbot):
    decide_as_wanted(session)
    panel = LearningPanel()
    panel.set_session(session)
    panel.propose.click()
    thread = panel.work._pool
    panel.deleteLater()
    qtbot.waitUntil(lambda: not isalive(panel))
    thread.shutdown()


def test_another_stack_forgets_the_proposal(panel, session, qtbot):
    decide_as_wanted(session)
    propose(panel, qtbot)
    panel.set_session(None)
    assert panel.learned is None
    assert not panel.apply.isEnabled()
    assert not panel.isEnabled()

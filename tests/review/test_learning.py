"""From manual decisions come the thresholds behind them, with how well they would do."""

from functools import cache

import numpy as np
import pytest
from many_verdicts import MASKED, PROTECTED, STREAKS, footprint_at, many_verdicts

import napari_comparewarp as cw
from napari_comparewarp.errors import InspectionError
from napari_comparewarp.review.learning import KNOBS, propose_thresholds


@cache
def decided(**rule):
    """Return an inspection in which all footprints were decided as another setting would."""
    truth = cw.run(many_verdicts(), cw.CompareWarpConfig(**rule))
    return with_decisions(
        {
            row["id"]: "clip" if row["verdict"] == "clipped" else "keep"
            for row in truth.footprints
            if row["verdict"] in ("clipped", "persistent")
        }
    )


@cache
def undecided(**knobs):
    return cw.Inspection(many_verdicts(), cw.CompareWarpConfig(**knobs))


def with_decisions(decisions, **knobs):
    """Return an inspection with decisions given by id."""
    plain = undecided(**knobs)
    overrides = {plain.key_of(number): decision for number, decision in decisions.items()}
    return cw.Inspection(plain.stack, plain.config, overrides=overrides)


def agreement(inspection, config):
    """Return how many decisions to clip a run keeps, and to keep it clips."""
    hand = inspection.result.footprints
    run = cw.run(inspection.stack, config).footprints
    clips, decided_clip = run["verdict"] == "clipped", hand["verdict"] == "clipped"
    by_hand = hand["decided_by"] == "hand"
    return (by_hand & decided_clip & ~clips).sum(), (by_hand & ~decided_clip & clips).sum()


@pytest.mark.parametrize(
    "rule",
    [
        {"max_epochs": 3},
        {"max_epochs": 1},
        {"spatial_threshold": 0.3},
        {"spatial_threshold": 0.2, "max_epochs": 3},
        {"max_epochs": None, "temporal_threshold": 0.9},
    ],
    ids=str,
)
def test_decisions_that_follow_a_rule_lead_to_a_setting_that_agrees_with_all(rule):
    inspection = decided(**rule)
    proposal = propose_thresholds(inspection)
    assert (proposal.present.missed_clips + proposal.present.wrong_clips) > 0
    assert (proposal.proposed.missed_clips, proposal.proposed.wrong_clips) == (0, 0)
    assert proposal.proposed.score == 1
    assert agreement(inspection, proposal.config) == (0, 0)
    assert proposal.held_out.score > proposal.present.score
    assert not len(proposal.missed) and not len(proposal.wrong)


def test_of_equally_good_settings_the_nearest_to_the_present_one_is_proposed():
    # In 3 epochs, or in fewer: one more epoch is enough, and nothing else need change.
    assert propose_thresholds(decided(max_epochs=3)).changes == {"max_epochs": (2, 3)}
    changes = propose_thresholds(decided(spatial_threshold=0.3)).changes
    assert list(changes) == ["spatial_threshold"]
    assert 0.3 <= changes["spatial_threshold"][1] < 0.5


def test_where_the_present_setting_agrees_best_nothing_is_proposed():
    proposal = propose_thresholds(decided())
    assert proposal.changes == {}
    assert proposal.config == decided().config
    assert str(proposal).startswith("no setting agrees better than the present one, with ")


def test_only_the_knobs_that_may_change_do():
    proposal = propose_thresholds(decided(max_epochs=3), ["spatial_threshold"])
    assert set(proposal.changes) <= {"spatial_threshold"}
    assert set(proposal.trade_off["knob"]) == {"spatial_threshold"}
    assert proposal.proposed.score < 1


def test_few_decisions_of_one_kind_weigh_as_much_as_many_of_the_other():
    table = undecided().result.footprints
    once = table["id"][table["verdict"] == "clipped"][:2]
    alike = table["id"][(table["epochs_needed"] == 3) & (table["fraction"] == 0)][:4]
    often = table["id"][(table["epochs_needed"] >= 8) & (table["fraction"] == 0)]
    assert len(alike) == 4 and len(often) >= 20
    decisions = dict.fromkeys([*map(int, once), int(alike[0])], "clip")
    decisions |= dict.fromkeys(map(int, [*alike[1:], *often]), "keep")
    proposal = propose_thresholds(with_decisions(decisions))
    # One more of three to clip is worth three of more than twenty to keep.
    assert proposal.changes == {"max_epochs": (2, 3)}
    assert (proposal.proposed.missed_clips, proposal.proposed.wrong_clips) == (0, 3)


def test_disagreements_are_named_and_counted_as_a_run_would_give_them():
    decisions = {}
    inspection = decided(max_epochs=3)
    for row in inspection.result.footprints:
        if row["decided_by"] == "hand":
            decisions[row["id"]] = "clip" if row["verdict"] == "clipped" else "keep"
    turned = next(number for number, decision in decisions.items() if decision == "keep")
    decisions[turned] = "clip"
    inspection = with_decisions(decisions)
    proposal = propose_thresholds(inspection)
    missed, wrong = agreement(inspection, proposal.config)
    assert (proposal.proposed.missed_clips, proposal.proposed.wrong_clips) == (missed, wrong)
    assert (len(proposal.missed), len(proposal.wrong)) == (missed, wrong)
    assert turned in [*proposal.missed, *proposal.wrong]
    assert (proposal.present.missed_clips, proposal.present.wrong_clips) == agreement(
        inspection, inspection.config
    )


def test_the_trade_off_is_what_runs_along_each_threshold_give():
    inspection = decided(max_epochs=3)
    proposal = propose_thresholds(inspection)
    table = proposal.trade_off
    assert set(table["knob"]) == set(KNOBS)
    for knob in KNOBS:
        rows = table[table["knob"] == knob]
        assert rows["proposed"].sum() == 1
        for row in rows[:: max(len(rows) // 4, 1)]:
            value = None if np.isnan(row["value"]) else row["value"]
            expected = agreement(inspection, proposal.config.replace(**{knob: value}))
            assert (row["missed_clips"], row["wrong_clips"]) == expected


def test_decisions_without_a_pattern_do_no_better_held_out_than_chance():
    table = undecided().result.footprints
    ids = table["id"][np.isin(table["verdict"], ["clipped", "persistent"])]
    rng = np.random.default_rng(5)
    decisions = {int(number): str(rng.choice(["clip", "keep"])) for number in ids}
    proposal = propose_thresholds(with_decisions(decisions))
    assert proposal.proposed.score > 0.5
    assert proposal.held_out.score <= proposal.proposed.score
    assert proposal.held_out.score < 0.65


@pytest.mark.parametrize(("n_of_each", "parts"), [((3, 3), 6), ((13, 25), 5)])
def test_each_decision_is_held_out_once_alone_where_they_are_few(n_of_each, parts):
    table = decided(max_epochs=3).result.footprints
    hand = table[table["decided_by"] == "hand"]
    clip, keep = (hand["id"][hand["verdict"] == name] for name in ("clipped", "persistent"))
    decisions = dict.fromkeys(map(int, clip[: n_of_each[0]]), "clip")
    decisions |= dict.fromkeys(map(int, keep[: n_of_each[1]]), "keep")
    proposal = propose_thresholds(with_decisions(decisions))
    assert proposal.folds == parts
    assert (proposal.held_out.n_clip, proposal.held_out.n_keep) == n_of_each


def test_too_few_decisions_are_refused_with_how_many_are_missing():
    with pytest.raises(InspectionError, match=r"0 footprints .* decide 3 more to clip and 3 more"):
        propose_thresholds(with_decisions({}))
    table = undecided().result.footprints
    clipped = table["id"][table["verdict"] == "clipped"]
    some = with_decisions({int(number): "clip" for number in clipped[:4]})
    with pytest.raises(
        InspectionError, match=r"4 footprints .* 0 to keep.* decide 3 more to keep$"
    ):
        propose_thresholds(some)


def test_decisions_out_of_the_thresholds_reach_are_left_out():
    plain = undecided(**STREAKS)
    table = plain.result.footprints
    streak = int(table["id"][table["verdict"] == "streak"][0])
    aside = [footprint_at(plain.result, e, y + 1, x + 1) for e, y, x in (MASKED, PROTECTED)]
    decisions = dict.fromkeys([streak, *aside], "clip")
    with pytest.raises(InspectionError, match=r"\(3 others are out of the thresholds' reach\)"):
        propose_thresholds(with_decisions(decisions, **STREAKS))
    usable = {
        int(row["id"]): "clip" if row["verdict"] == "clipped" else "keep"
        for row in table
        if row["verdict"] in ("clipped", "persistent")
    }
    proposal = propose_thresholds(with_decisions(usable | decisions, **STREAKS))
    assert proposal.left_out == 3
    assert proposal.present.n_clip + proposal.present.n_keep == len(usable)


def test_nothing_is_applied_unasked():
    inspection = decided(max_epochs=3)
    result, config = inspection.result, inspection.config
    proposal = propose_thresholds(inspection)
    assert proposal.config != config
    assert inspection.result is result and inspection.config == config


def test_a_proposal_says_in_words_what_it_gains():
    assert str(propose_thresholds(decided(max_epochs=3))) == (
        "max_epochs 3 would agree with 13 of 13 to clip and 25 of 25 to keep; the present settings "
        "agree with 7 of 13 to clip and 25 of 25 to keep. Held out in 5 folds: 13 of 13 to clip "
        "and 25 of 25 to keep."
    )


def test_a_report_of_progress_may_cancel():
    def stop(stage, done, total):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        propose_thresholds(decided(), progress=stop)


def test_a_knob_that_is_no_threshold_of_the_verdict_is_refused():
    with pytest.raises(InspectionError, match=r"knobs \['chi_threshold'\]: choose from temporal"):
        propose_thresholds(decided(), ["chi_threshold"])

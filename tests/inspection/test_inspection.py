"""A run kept warm equals, to the bit, a run from scratch."""

import threading
from concurrent.futures import CancelledError
from contextlib import contextmanager
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from stacks import PSF_SIGMA, planes, stack

import napari_comparewarp as cw
from napari_comparewarp.algorithm.overrides import FootprintKey
from napari_comparewarp.algorithm.stages import STAGES
from napari_comparewarp.errors import ConfigError, InspectionError


def assert_equal_to_scratch(inspection):
    """Assert that the result is what a run from scratch makes, every bit of it."""
    kept = inspection.result
    fresh = cw.run(inspection.stack, inspection.config, overrides=inspection.overrides)
    for name in ("image", "variance", "mask", "n_image"):
        np.testing.assert_array_equal(getattr(kept.coadd, name), getattr(fresh.coadd, name))
    assert kept.coadd.mask_planes == fresh.coadd.mask_planes
    np.testing.assert_array_equal(kept.template.image, fresh.template.image)
    np.testing.assert_array_equal(kept.epoch_count, fresh.epoch_count)
    np.testing.assert_array_equal(kept.variance_scale, fresh.variance_scale)
    assert kept.messages == fresh.messages
    assert len(kept.footprints) == len(fresh.footprints)
    for name in kept.footprints.colnames:
        np.testing.assert_array_equal(kept.footprints[name], fresh.footprints[name])
    for epoch in range(inspection.stack.n_epochs):
        np.testing.assert_array_equal(kept.labels(epoch), fresh.labels(epoch))
        np.testing.assert_array_equal(kept.clipped(epoch), fresh.clipped(epoch))


def busy_stack(seed=0):
    """Return a stack in which candidates meet every verdict."""
    image, variance, mask = planes(n_epochs=7, shape=(56, 72), seed=seed)
    rng = np.random.default_rng(seed + 1)
    for _ in range(12):
        epoch, y, x = rng.integers(7), rng.integers(4, 50), rng.integers(4, 66)
        image[epoch, y : y + 3, x : x + 4] += rng.choice([-1, 1]) * rng.uniform(12, 60)
    image[:, 12:16, 40:44] += 3000  # a source to protect
    image[5, 12:15, 41:43] += 900
    image[:5, 48:51, 8:12] += np.array([40, -40, 30, 50, -30], np.float32)[:, None, None]
    return cw.WarpStack.from_arrays(image, variance, mask, psf_sigma=PSF_SIGMA)


KNOBS = {
    "chi_threshold": st.sampled_from([2.0, 3.0, 3.5, 5.0, 7.5, 11.0]),
    "min_pixels": st.sampled_from([1, 4, 9]),
    "grow_sigma": st.sampled_from([0.0, 0.4, 1.2]),
    "polarity": st.sampled_from(["both", "positive", "negative"]),
    "isotropic_growth": st.booleans(),
    "prefilter": st.booleans(),
    "prefilter_ratio": st.sampled_from([0.05, 0.9]),
    "prefilter_planes": st.sampled_from([("BAD",), ("NO_DATA", "BAD", "SUSPECT")]),
    "temporal_threshold": st.sampled_from([0.1, 0.4, 0.9]),
    "max_epochs": st.sampled_from([None, 0, 1, 2, 4]),
    "max_epochs_slope": st.sampled_from([0.0, 0.03, 0.4]),
    "spatial_threshold": st.sampled_from([0.0, 0.25, 0.5, 0.9, 1.0]),
    "protect_sources": st.booleans(),
    "protect_threshold": st.sampled_from([50.0, 300.0]),
    "protect_grow_sigma": st.sampled_from([0.5, 2.4]),
    "template_statistic": st.sampled_from(["MEANCLIP", "MEDIAN"]),
    "template_clip_iterations": st.sampled_from([1, 3]),
    "scale_variance": st.booleans(),
    "statistic": st.sampled_from(["MEAN", "MEANCLIP", "MEDIAN"]),
    "online_mean": st.booleans(),
    "bad_planes": st.sampled_from([("NO_DATA", "BAD", "SAT"), ("NO_DATA",)]),
    "interpolate": st.booleans(),
    "filter_streaks": st.booleans(),
}


class Walk(RuleBasedStateMachine):
    """A random walk over all knobs, decisions, undo and redo."""

    @initialize(seed=st.integers(0, 3))
    def begin(self, seed):
        self.inspection = cw.Inspection(busy_stack(seed))

    @rule(data=st.data(), names=st.sets(st.sampled_from(sorted(KNOBS)), min_size=1, max_size=2))
    def turn_knobs(self, data, names):
        self.inspection.set(**{name: data.draw(KNOBS[name], name) for name in sorted(names)})

    @rule(number=st.integers(0, 10**6), decision=st.sampled_from(["clip", "keep", None]))
    def decide(self, number, decision):
        table = self.inspection.result.footprints
        if len(table):
            self.inspection.override(1 + number % len(table), decision)

    @rule(
        data=st.data(),
        steps=st.lists(st.sampled_from(["knob", "decide", "undo", "redo"]), min_size=1),
    )
    def submit_steps_that_overtake_each_other(self, data, steps):
        inspection = self.inspection
        n_footprints = len(inspection.result.footprints)
        with inspection._lock:  # Nothing lands meanwhile.
            for step in steps:
                if step == "knob":
                    name = data.draw(st.sampled_from(sorted(KNOBS)), "name")
                    last = inspection.submit(**{name: data.draw(KNOBS[name], name)})
                elif step == "decide" and n_footprints:
                    footprint = data.draw(st.integers(1, n_footprints), "footprint")
                    last = inspection.submit_override(footprint, "keep")
                elif step == "undo":
                    last = inspection.submit_undo()
                else:
                    last = inspection.submit_redo()
            promised = (inspection.can_undo, inspection.can_redo)
        assert last.result(timeout=60) is inspection.result
        assert (inspection.can_undo, inspection.can_redo) == promised

    @precondition(lambda self: self.inspection.can_undo)
    @rule()
    def undo(self):
        self.inspection.undo()

    @precondition(lambda self: self.inspection.can_redo)
    @rule()
    def redo(self):
        self.inspection.redo()

    def teardown(self):
        if hasattr(self, "inspection"):
            self.inspection.close()

    @invariant()
    def equals_a_run_from_scratch(self):
        if hasattr(self, "inspection"):
            assert_equal_to_scratch(self.inspection)


Walk.TestCase.settings = settings(max_examples=10, stateful_step_count=15, deadline=None)
TestWalk = Walk.TestCase


def test_every_knob_names_a_stage():
    stages = {stage.name for stage in STAGES}
    for name, field in cw.CompareWarpConfig.model_fields.items():
        assert field.json_schema_extra["stage"] in stages, name


@pytest.mark.parametrize(
    ("knobs", "untouched"),
    [
        ({"temporal_threshold": 0.1}, ["counts", "candidates", "detections"]),
        ({"spatial_threshold": 1.0}, ["counts", "candidates", "detections", "protected"]),
        ({"chi_threshold": 4.0}, ["detections", "protected", "template"]),
        ({"grow_sigma": 1.0}, ["detections", "protected", "template"]),
        ({"statistic": "MEDIAN"}, ["verdicts", "direct_masks", "counts"]),
        ({"scale_variance": False}, ["template", "weights", "matched_weights"]),
    ],
)
def test_a_change_computes_only_what_depends_on_it(knobs, untouched):
    inspection = cw.Inspection(busy_stack())
    before = inspection.result.products
    inspection.set(**knobs)
    after = inspection.result.products
    for name in untouched:
        assert getattr(after, name) is getattr(before, name), name
    assert after.coadd is not before.coadd


def test_the_old_result_stays_as_it_was():
    inspection = cw.Inspection(busy_stack())
    old = inspection.result
    image, clipped = old.coadd.image.copy(), old.clipped(1)
    inspection.set(spatial_threshold=1.0, max_epochs=0)
    np.testing.assert_array_equal(old.coadd.image, image)
    np.testing.assert_array_equal(old.clipped(1), clipped)
    assert not inspection.result.clipped(1).any()


def test_signals_come_with_the_new_state_in_place():
    inspection = cw.Inspection(stack())
    seen = []
    inspection.config_changed.connect(lambda config: seen.append(("config", config)))
    inspection.result_changed.connect(
        lambda result: seen.append(("result", result is inspection.result))
    )
    inspection.overrides_changed.connect(lambda overrides: seen.append(("overrides", overrides)))
    inspection.set(chi_threshold=6.0)
    key = inspection.key_of(1)
    inspection.override(1, "keep")
    inspection.set(chi_threshold=6.0)  # no change, no signal
    assert seen == [
        ("config", inspection.config),
        ("result", True),
        ("overrides", {key: "keep"}),
        ("result", True),
    ]


def test_an_override_goes_before_the_rule_and_back():
    inspection = cw.Inspection(stack())
    table = inspection.result.footprints
    trail = int(table["id"][np.argmax(table["area"])])
    assert inspection.result.clipped(1)[32, 40]
    inspection.override(trail, "keep")
    assert not inspection.result.clipped(1)[32, 40]
    row = inspection.result.footprints[trail - 1]
    assert (row["verdict"], row["decided_by"]) == ("persistent", "hand")
    assert row["reason"].startswith("kept manually")
    inspection.override(trail, None)
    assert inspection.result.clipped(1)[32, 40]
    assert inspection.overrides == {}


def test_an_override_survives_a_new_detection_and_says_when_its_footprint_is_gone():
    inspection = cw.Inspection(stack())
    table = inspection.result.footprints
    inspection.override(int(table["id"][np.argmax(table["area"])]), "keep")
    (key,) = inspection.overrides
    inspection.set(chi_threshold=4.0, min_pixels=1)
    assert not inspection.result.clipped(1)[32, 40]
    assert inspection.lost_overrides == ()
    inspection.set(chi_threshold=500.0)
    assert inspection.lost_overrides == (key,)
    assert any("decided manually is gone" in message for message in inspection.result.messages)
    inspection.set(chi_threshold=7.5)
    assert inspection.lost_overrides == ()
    assert not inspection.result.clipped(1)[32, 40]


def test_of_two_decisions_in_one_footprint_the_later_holds():
    inspection = cw.Inspection(stack())
    keys = [FootprintKey(1, 31, 20), FootprintKey(1, 32, 50)]
    inspection.override(keys[0], "keep")
    inspection.override(keys[1], "clip")
    assert inspection.result.clipped(1)[32, 40]
    inspection.override(keys[0], "keep")
    assert not inspection.result.clipped(1)[32, 40]
    assert_equal_to_scratch(inspection)


def test_a_streak_can_be_kept():
    inspection = cw.Inspection(
        stack(shape=(200, 220)), cw.CompareWarpConfig(filter_streaks=True, max_epochs=0)
    )
    table = inspection.result.footprints
    streak = int(table["id"][table["verdict"] == "streak"][0])
    assert inspection.result.clipped(1)[101].any()
    inspection.override(streak, "keep")
    assert not inspection.result.clipped(1)[101].any()
    inspection.undo()
    assert inspection.result.clipped(1)[101].any()


def test_what_is_not_a_footprint_or_a_decision_is_refused():
    inspection = cw.Inspection(stack())
    with pytest.raises(InspectionError, match="there is none"):
        inspection.override(10**6, "clip")
    with pytest.raises(InspectionError, match="'clip', 'keep' or None"):
        inspection.override(1, "maybe")


def test_a_knob_out_of_range_leaves_everything_as_it_was():
    inspection = cw.Inspection(stack())
    result = inspection.result
    with pytest.raises(ConfigError, match="chi_threshold"):
        inspection.set(chi_threshold=-1)
    with pytest.raises(ConfigError, match="chi_threshold"):
        inspection.submit(chi_threshold=-1)
    assert inspection.result is result


def test_undo_and_redo_cover_knobs_and_decisions():
    inspection = cw.Inspection(stack())
    first = inspection.config
    inspection.set(spatial_threshold=0.9)
    inspection.override(1, "keep")
    inspection.undo()
    assert inspection.overrides == {}
    inspection.undo()
    assert inspection.config == first
    inspection.undo()  # nothing left
    inspection.redo()
    inspection.redo()
    inspection.redo()  # nothing left
    assert inspection.config.spatial_threshold == 0.9
    assert list(inspection.overrides.values()) == ["keep"]
    inspection.undo()
    inspection.set(chi_threshold=9.0)
    assert not inspection.can_redo
    assert_equal_to_scratch(inspection)


def test_a_submitted_change_lands_later():
    inspection = cw.Inspection(stack())
    future = inspection.submit(chi_threshold=9.0)
    assert future.result(timeout=60) is inspection.result
    assert inspection.config.chi_threshold == 9.0
    assert inspection.can_undo
    inspection.close()


@contextmanager
def held(inspection):
    """Hold what is submitted meanwhile until the end, so that all but the last is overtaken."""
    working, go_on = threading.Event(), threading.Event()

    def hold(stage, done, total):
        working.set()
        go_on.wait(60)

    inspection.progressed.connect(hold)
    first = inspection.submit(template_statistic="MEDIAN")
    assert working.wait(60)
    yield first
    go_on.set()
    inspection.progressed.disconnect(hold)


def test_an_overtaken_change_never_lands():
    inspection = cw.Inspection(stack())
    with held(inspection) as overtaken:
        latest = inspection.submit(chi_threshold=9.0)
    with pytest.raises(CancelledError):
        overtaken.result(timeout=60)
    latest.result(timeout=60)
    assert inspection.config == cw.CompareWarpConfig(chi_threshold=9.0)
    inspection.close()
    assert_equal_to_scratch(inspection)


def contents(result):
    """Return everything that a result shows, as bytes."""
    coadd, table = result.coadd, result.footprints
    arrays = [coadd.image, coadd.variance, coadd.mask, coadd.n_image, result.epoch_count]
    arrays += [result.template.image, result.template.variance, result.template.mask]
    arrays += [result.weights, result.variance_scale]
    arrays += [result.clipped(epoch) for epoch in range(len(result.weights))]
    return [array.tobytes() for array in arrays] + [str(table[name]) for name in table.colnames]


def cancelling(stage, inspection, monkeypatch):
    """Have work cancelled in a stage as soon as that begins; return the stages that began."""
    begun = []

    def watch(step, name):
        def run(*arguments):
            begun.append(name)
            if name == stage:
                inspection.cancel()
            return step(*arguments)

        return run

    stages = [
        replace(
            each,
            compute=watch(each.compute, each.name),
            update=each.update and watch(each.update, each.name),
        )
        for each in STAGES
    ]
    monkeypatch.setattr("napari_comparewarp.algorithm.stages.STAGES", tuple(stages))
    return begun


NAMES = [stage.name for stage in STAGES]


@pytest.mark.parametrize(
    ("stage", "knobs"),
    [(name, {"bad_planes": ("NO_DATA",)}) for name in NAMES]
    + [(name, {"spatial_threshold": 0.9}) for name in NAMES[NAMES.index("verdicts") :]],
)
def test_work_cancelled_in_any_stage_leaves_the_old_result_valid(stage, knobs, monkeypatch):
    inspection = cw.Inspection(busy_stack())
    # A coadd that can be updated, and one step to take back.
    inspection.set(spatial_threshold=0.1)
    result, shown, config = inspection.result, contents(inspection.result), inspection.config
    sent = []
    for signal in ("config_changed", "overrides_changed", "result_changed", "failed"):
        getattr(inspection, signal).connect(sent.append)
    with monkeypatch.context() as patched:
        begun = cancelling(stage, inspection, patched)
        with pytest.raises(CancelledError):
            inspection.submit(**knobs).result(timeout=60)
        assert stage in begun
    assert inspection.result is result
    assert contents(result) == shown
    assert (inspection.config, inspection.can_redo, sent) == (config, False, [])
    inspection.submit(**knobs).result(timeout=60)
    assert_equal_to_scratch(inspection)
    inspection.undo()
    assert contents(inspection.result) == shown
    inspection.close()


def test_a_decision_during_a_submitted_change_is_not_lost():
    inspection = cw.Inspection(stack())
    with held(inspection):
        inspection.override(1, "keep")  # overtakes what is being computed
    inspection.close()
    assert list(inspection.overrides.values()) == ["keep"]
    assert inspection.config == cw.CompareWarpConfig()
    assert_equal_to_scratch(inspection)


def test_decisions_undo_and_redo_can_be_submitted():
    inspection = cw.Inspection(stack())
    key = inspection.key_of(1)
    inspection.submit_override(1, "keep").result(timeout=60)
    assert inspection.overrides == {key: "keep"}
    inspection.submit_undo().result(timeout=60)
    assert inspection.overrides == {}
    assert (inspection.can_undo, inspection.can_redo) == (False, True)
    assert inspection.submit_redo().result(timeout=60) is inspection.result
    assert inspection.overrides == {key: "keep"}
    assert_equal_to_scratch(inspection)
    inspection.close()


def test_of_decisions_that_overtake_each_other_none_is_lost():
    inspection = cw.Inspection(busy_stack())
    first, second = inspection.key_of(1), inspection.key_of(2)
    with held(inspection) as tuned:
        overtaken = [tuned, inspection.submit_override(1, "keep")]
        latest = inspection.submit_override(2, "clip")
        assert inspection.overrides == {}
    assert latest.result(timeout=60) is inspection.result
    for future in overtaken:
        with pytest.raises(CancelledError):
            future.result(timeout=60)
    assert inspection.config.template_statistic == "MEDIAN"
    assert inspection.overrides == {first: "keep", second: "clip"}
    assert_equal_to_scratch(inspection)
    inspection.undo()
    assert inspection.overrides == {first: "keep"}
    inspection.close()


def test_what_is_being_computed_is_taken_back_first():
    inspection = cw.Inspection(stack())
    inspection.set(chi_threshold=9.0)
    result = inspection.result
    with held(inspection):
        latest = inspection.submit_undo()
    assert latest.result(timeout=60) is result
    assert inspection.config == cw.CompareWarpConfig(chi_threshold=9.0)
    inspection.redo()
    assert inspection.config.template_statistic == "MEDIAN"
    assert_equal_to_scratch(inspection)
    inspection.close()


def test_two_steps_back_that_are_submitted_at_once_are_two():
    inspection = cw.Inspection(stack())
    inspection.set(chi_threshold=9.0)
    inspection.set(spatial_threshold=0.9)
    with held(inspection):
        steps = [inspection.submit_undo() for _ in range(3)]
    steps[-1].result(timeout=60)
    assert inspection.config == cw.CompareWarpConfig()
    assert not inspection.can_undo
    inspection.close()


def test_a_config_that_is_overtaken_is_no_step_for_undo():
    inspection = cw.Inspection(stack())
    with held(inspection):
        latest = inspection.submit(chi_threshold=9.0)
    latest.result(timeout=60)
    inspection.submit(chi_threshold=9.0).result(timeout=60)  # nor is one that changes nothing
    inspection.undo()
    assert inspection.config == cw.CompareWarpConfig()
    assert not inspection.can_undo
    inspection.close()


def test_after_a_failure_or_a_cancel_the_history_is_as_it_was():
    inspection = cw.Inspection(stack())
    with held(inspection):
        inspection.submit_override(1, "keep")
        assert inspection.can_undo
        inspection.cancel()
    assert not inspection.can_undo
    inspection.submit(chi_threshold=9.0).result(timeout=60)
    assert inspection.overrides == {}
    with pytest.raises(InspectionError, match="there is none"):
        inspection.submit_override(10**6, "clip")
    inspection.undo()
    assert not inspection.can_undo
    inspection.close()


def test_a_failure_in_the_background_is_told_and_changes_nothing():
    image, variance, mask = planes()
    mask[...] |= 1 << 5
    inspection = cw.Inspection(cw.WarpStack.from_arrays(image, variance, mask, psf_sigma=PSF_SIGMA))
    told = []
    inspection.failed.connect(told.append)
    result = inspection.result
    future = inspection.submit(bad_planes=("DETECTED",))
    with pytest.raises(ValueError, match="no warp can be stacked"):
        future.result(timeout=60)
    assert told[0].startswith("no warp can be stacked")
    assert inspection.result is result
    assert not inspection.can_undo
    inspection.close()


def test_a_change_that_amends_the_last_one_is_taken_back_with_it():
    inspection = cw.Inspection(stack())
    inspection.set(spatial_threshold=0.3)
    inspection.submit(chi_threshold=5.0).result()
    inspection.submit(chi_threshold=6.0, amend=True)  # overtaken
    inspection.submit(chi_threshold=6.5, amend=True).result()
    inspection.undo()
    assert inspection.config == cw.CompareWarpConfig(spatial_threshold=0.3)
    inspection.redo()
    assert inspection.config.chi_threshold == 6.5


def test_the_first_of_several_amended_changes_is_kept_apart_from_what_was_before_it():
    inspection = cw.Inspection(stack())
    inspection.set(spatial_threshold=0.3)
    inspection.submit(chi_threshold=5.0)  # overtaken
    inspection.submit(chi_threshold=6.5, amend=True).result()
    inspection.undo()
    assert inspection.config == cw.CompareWarpConfig(spatial_threshold=0.3)


def test_a_change_that_amends_back_to_where_it_began_leaves_no_step():
    inspection = cw.Inspection(stack())
    inspection.submit(chi_threshold=5.0).result()
    inspection.submit(chi_threshold=7.5, amend=True).result()
    assert not inspection.can_undo

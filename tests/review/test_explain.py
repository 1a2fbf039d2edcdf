"""Every footprint has one sentence that says what became of it, why, and with which numbers."""

import numpy as np
import pytest
from many_verdicts import (
    ARTIFACT,
    MASKED,
    PROTECTED,
    STREAKS,
    TRAIL,
    VARIABLE,
    footprint_at,
    many_verdicts,
)
from stacks import PSF_SIGMA

import napari_comparewarp as cw
from napari_comparewarp.errors import InspectionError
from napari_comparewarp.review.explain import explain


@pytest.fixture(scope="module")
def inspection():
    return cw.Inspection(many_verdicts())


@pytest.fixture(scope="module")
def result(inspection):
    return inspection.result


def at(result, place):
    """Return the sentence on what lies at an epoch and a pixel."""
    epoch, y, x = place
    return explain(result, footprint_at(result, epoch, y + 1, x + 1))


def with_fraction(fraction, config=None, others=1, area=100, n_epochs=20):
    """Return the sentence on a block of which a fraction appears in one epoch only."""
    image = np.zeros((n_epochs, 30, area + 20), np.float32)
    first = round(fraction * area)
    image[0, 10, 10 : 10 + area] = 100
    image[1 : 1 + others, 10, 10 + first : 10 + area] = 100
    config = cw.CompareWarpConfig(grow_sigma=0, scale_variance=False, **(config or {}))
    result = cw.run(
        cw.WarpStack.from_arrays(image, np.ones_like(image), psf_sigma=PSF_SIGMA), config
    )
    return explain(result, footprint_at(result, 0, 10, 10))


def test_what_is_clipped_is_explained_by_its_fraction_and_the_two_thresholds(result):
    assert at(result, ARTIFACT) == (
        "Clipped: 100 % of its 60 pixels deviate in at most 2 of 8.7 epochs; "
        "more than 50 % is enough."
    )


def test_what_is_kept_is_explained_by_the_epochs_it_appears_in(result):
    assert at(result, VARIABLE) == (
        "Kept: none of its 32 pixels deviate in at most 2 of 9 epochs; more than 50 % would be "
        "needed, and is reached at 9 epochs."
    )
    assert with_fraction(0.3, others=3) == (
        "Kept: only 30 % of its 100 pixels deviate in at most 2 of 20 epochs; more than 50 % would "
        "be needed, and is reached at 4 epochs."
    )


def test_what_is_protected_is_explained_by_the_source_around_it(result):
    assert at(result, PROTECTED) == (
        "Kept: it lies wholly inside a bright source of the template, although 100 % of its 21 "
        "pixels deviate in at most 2 of 9 epochs."
    )


def test_what_is_prefiltered_is_explained_by_its_masked_pixels(result):
    assert at(result, MASKED) == (
        "Dropped before the rules: none of its 60 pixels are free of NO_DATA, BAD, SUSPECT; "
        "more than 5 % must be."
    )


def test_fewer_than_three_epochs_are_said_to_be_too_few():
    image = np.zeros((2, 20, 20), np.float32)
    image[0, 8:12, 8:12] = 100
    result = cw.run(cw.WarpStack.from_arrays(image, np.ones_like(image), psf_sigma=PSF_SIGMA))
    assert explain(result, 1) == (
        "Kept: 2 epochs can be compared here, and the temporal threshold of 0.4 allows an "
        "artifact in 0.8 of them, less than one."
    )


def test_a_maximum_of_no_epochs_is_named_as_what_keeps_everything():
    assert with_fraction(1, {"max_epochs": 0}) == (
        "Kept: 20 epochs can be compared here, and max epochs of 0 with a slope of 0.03 allows an "
        "artifact in 0.6 of them, less than one."
    )


def test_without_max_epochs_the_temporal_threshold_alone_gives_the_maximum():
    assert with_fraction(0.3, {"max_epochs": None}, others=3) == (
        "Clipped: 100 % of its 100 pixels deviate in at most 8 of 20 epochs; more than 50 % is "
        "enough."
    )


def test_fractions_near_the_threshold_are_given_the_digits_that_tell_them_apart():
    assert "50 % of its 100 pixels deviate in at most 2 of 20 epochs; more than 50 % would" in (
        with_fraction(0.5, others=3)
    )
    assert "50.4 % of its 1,000 pixels" in with_fraction(0.504, others=3, area=1000)
    assert with_fraction(0.504, others=3, area=1000).endswith("more than 50.0 % is enough.")


def test_a_threshold_that_nothing_can_exceed_is_said_to_be_so():
    sentence = with_fraction(1, {"spatial_threshold": 1.0})
    assert sentence.endswith("and no number of epochs is enough to exceed the 100 % of the rule.")


def test_a_decision_by_hand_is_told_beside_what_the_rules_would_do(inspection):
    changed = cw.Inspection(many_verdicts())
    places = {"clip": (VARIABLE, PROTECTED, MASKED), "keep": (ARTIFACT,)}
    for decision, footprints in places.items():
        for epoch, y, x in footprints:
            changed.override(footprint_at(changed.result, epoch, y + 1, x + 1), decision)
    result = changed.result
    assert at(result, VARIABLE).startswith("Clipped manually; the rules would keep it: none of its")
    assert at(result, PROTECTED).startswith(
        "Clipped manually; the rules would keep it: it lies wholly inside a bright source"
    )
    assert at(result, MASKED).startswith(
        "Clipped manually; the rules would keep it: none of its 60"
    )
    assert at(result, ARTIFACT).startswith(
        "Kept manually; the rules would clip it: 100 % of its 60"
    )
    epoch, y, x = ARTIFACT
    changed.override(footprint_at(result, epoch, y + 1, x + 1), "clip")
    assert at(changed.result, ARTIFACT).startswith("Clipped manually; the rules agree: 100 %")


def test_streaks_and_what_lies_under_them_are_explained():
    inspection = cw.Inspection(many_verdicts(), cw.CompareWarpConfig(**STREAKS))
    table = inspection.result.footprints
    streaks = table[table["verdict"] == "streak"]
    longest = int(streaks["id"][np.argmax(streaks["area"])])
    area = f"{streaks['area'].max():,}"
    assert explain(inspection.result, longest) == (
        f"Clipped as a streak: it is a straight line of {area} pixels, wings included, and "
        "streaks are clipped whatever the epoch count says."
    )
    under = footprint_at(inspection.result, TRAIL[0], VARIABLE[1] + 1, VARIABLE[2] + 1)
    assert explain(inspection.result, under).endswith(
        "; but all of its 32 pixels are clipped as part of a streak."
    )
    for streak in streaks["id"]:
        inspection.override(int(streak), "keep")
    assert explain(inspection.result, longest) == (
        f"Kept manually: it is a straight line of {area} pixels, wings included, which would be "
        "clipped as a streak."
    )
    assert "streak" not in explain(inspection.result, under)


def test_every_sentence_says_the_verdict_of_the_table(result):
    heads = {
        "clipped": "Clipped: ", "persistent": "Kept: ", "protected": "Kept: it lies wholly inside",
        "prefiltered": "Dropped before the rules: ",
    }  # fmt: skip
    assert set(result.footprints["verdict"]) == set(heads)
    for row in result.footprints:
        sentence = explain(result, row["id"])
        assert sentence.startswith(heads[row["verdict"]])
        assert sentence.endswith(".") and f"{row['area']:,} pixels" in sentence


@pytest.mark.parametrize("number", [0, -1, 10**6])
def test_a_footprint_that_is_not_there_is_named(result, number):
    with pytest.raises(InspectionError, match=f"footprint {number}: there is none"):
        explain(result, number)

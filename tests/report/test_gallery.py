"""The gallery of a report."""

import numpy as np
import pytest
from stacks import PSF_SIGMA, planes

import napari_comparewarp as cw
from napari_comparewarp.algorithm.overrides import FootprintKey
from napari_comparewarp.errors import InspectionError
from napari_comparewarp.report.gallery import choose_footprints, describe_footprint, draw_evidence
from napari_comparewarp.report.pictures import embed_picture
from napari_comparewarp.review.doubtful import knife_edges
from napari_comparewarp.review.evidence import gather_evidence

SHAPE = (90, 100)


@pytest.fixture(scope="module")
def stack():
    """Return a stack with a trail, two spots in single epochs, and a variable."""
    image, variance, mask = planes(n_epochs=8, shape=SHAPE, stars=False)
    image[4, 70:74, 20:24] += 200
    image[5, 60:66, 80:86] += 200
    image[::2, 15:23, 70:78] += 300
    return cw.WarpStack.from_arrays(image, variance, mask, psf_sigma=PSF_SIGMA)


@pytest.fixture(scope="module")
def result(stack):
    return cw.run(stack)


def sections_of(result, **numbers):
    return {section.title: section for section in choose_footprints(result, **numbers)}


def spot_in(result):
    """Return the row of the spot in epoch 5."""
    (row,) = (row for row in result.footprints if row["epoch"] == 5 and row["y0"] > 50)
    return row


def area_of(result, ids):
    return [int(result.footprints["area"][number - 1]) for number in ids]


def test_the_largest_clipped_footprints_come_largest_first(result):
    section = sections_of(result, n_doubtful=0, n_clipped=2)["Largest clipped footprints"]
    clipped = result.footprints[result.footprints["verdict"] == "clipped"]
    assert len(clipped) > 2 and len(section.ids) == 2
    assert area_of(result, section.ids) == sorted(clipped["area"], reverse=True)[:2]
    assert section.note.startswith(f"2 of the {len(clipped)} that are clipped")


def test_of_the_kept_each_place_is_shown_once(result):
    section = sections_of(result, n_doubtful=0)["Largest kept footprints"]
    kept = result.footprints[result.footprints["verdict"] == "persistent"]
    at_the_variable = kept[(kept["y0"] < 19) & (kept["y1"] > 19) & (kept["x0"] < 74)]
    assert len(at_the_variable) >= 4
    shown = [number for number in section.ids if number in at_the_variable["id"]]
    assert area_of(result, shown) == [max(at_the_variable["area"])]


def test_the_doubtful_are_those_that_a_small_change_would_flip_the_closest_first(stack):
    fraction = min(
        row["fraction"] for row in cw.run(stack).footprints if row["verdict"] == "clipped"
    )
    result = cw.run(stack, cw.CompareWarpConfig(spatial_threshold=fraction - 0.01))
    section = choose_footprints(result, n_doubtful=3)[0]
    assert section.doubtful
    np.testing.assert_array_equal(section.ids, knife_edges(result)[:3])
    entry = describe_footprint(result, section.ids[0])
    assert f"spatial threshold {fraction:.4g} or more" in entry.flips


def test_a_footprint_stands_in_one_section_and_the_other_says_so(stack):
    fraction = min(
        row["fraction"] for row in cw.run(stack).footprints if row["verdict"] == "clipped"
    )
    result = cw.run(stack, cw.CompareWarpConfig(spatial_threshold=fraction - 0.01))
    sections = choose_footprints(result)
    ids = [number for section in sections for number in section.ids]
    assert len(ids) == len(set(ids))
    assert "shown above" in sections[1].note


def test_a_stack_without_candidates_has_no_gallery():
    image, variance, mask = planes(trail_epoch=None, stars=False)
    result = cw.run(cw.WarpStack.from_arrays(image, variance, mask, psf_sigma=PSF_SIGMA))
    assert len(result.footprints) == 0
    assert choose_footprints(result) == ()


def test_an_entry_says_where_what_and_why(result):
    row = spot_in(result)
    entry = describe_footprint(result, int(row["id"]))
    assert (entry.epoch, entry.verdict, entry.by_hand) == ("5", "clipped", False)
    assert 60 <= entry.y < 66 and 80 <= entry.x < 86
    assert (entry.area, entry.peak_chi) == (row["area"], row["peak_chi"])
    assert entry.sky == ""
    assert entry.sentence.startswith("Clipped: ") and f"{row['area']} pixels" in entry.sentence


def test_what_a_knob_would_have_to_be_is_what_flips_the_verdict(stack, result):
    row = spot_in(result)
    flips = describe_footprint(result, int(row["id"])).flips
    (chi,) = (text.removeprefix("chi threshold above ") for text in flips if "chi" in text)
    beyond = cw.run(stack, cw.CompareWarpConfig(chi_threshold=float(chi) * 1.01))
    same_place = (beyond.footprints["epoch"] == 5) & (beyond.footprints["verdict"] == "clipped")
    assert not same_place.any()


def test_a_decision_by_hand_is_said(stack):
    key = FootprintKey(5, 63, 83)
    result = cw.run(stack, overrides={key: "keep"})
    (row,) = result.footprints[result.footprints["decided_by"] == "hand"]
    entry = describe_footprint(result, int(row["id"]))
    assert entry.by_hand and entry.verdict == "persistent"
    assert entry.sentence.startswith("Kept manually")


def test_a_footprint_that_does_not_exist_is_refused(result):
    with pytest.raises(InspectionError, match="footprint 999"):
        describe_footprint(result, 999)


def test_the_stamps_show_the_epoch_of_the_footprint_and_both_coadds_on_one_stretch(result):
    row = spot_in(result)
    evidence = gather_evidence(result, int(row["id"]))
    figure = draw_evidence(result, evidence)
    chi, warp, template, before, after = figure.axes[0].images
    np.testing.assert_array_equal(warp.get_array().filled(np.nan), evidence.warp[5])
    np.testing.assert_array_equal(chi.get_array().filled(np.nan), evidence.chi[5])
    np.testing.assert_array_equal(before.get_array().filled(np.nan), evidence.unclipped)
    np.testing.assert_array_equal(after.get_array().filled(np.nan), evidence.coadd)
    stretches = {(image.norm.vmin, image.norm.vmax) for image in (warp, template, before, after)}
    assert len(stretches) == 1
    assert all(image.origin == "lower" for image in figure.axes[0].images)


def test_no_stamp_is_hidden(result):
    row = spot_in(result)
    figure = draw_evidence(result, gather_evidence(result, int(row["id"])))
    embed_picture(figure, photographic=False)
    pixels = np.asarray(figure.canvas.buffer_rgba())[..., :3].astype(float)
    scale = figure.get_size_inches()[0] * figure.dpi
    for place in (0.08, 0.23, 0.38, 0.54, 0.69):
        column = int(place * scale)
        window = pixels[80:180, column - 60 : column + 60]
        assert window.std(axis=(0, 1)).max() > 5


def test_the_curve_has_the_deviation_of_every_epoch_and_fills_the_clipped(result):
    row = spot_in(result)
    evidence = gather_evidence(result, int(row["id"]))
    lines = {line.get_label(): line for line in draw_evidence(result, evidence).axes[1].lines}
    np.testing.assert_array_equal(lines["clipped"].get_xdata(), [6])
    np.testing.assert_allclose(lines["clipped"].get_ydata(), [row["peak_chi"]], rtol=1e-5)
    assert len(lines["not clipped"].get_xdata()) == 7
    np.testing.assert_array_equal(np.ravel(lines["this visit"].get_xdata()), [6])

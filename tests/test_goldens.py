"""The whole method against the outputs of the reference."""

import json

import numpy as np
import pytest
from goldens import FOLDER, load, planes

import napari_comparewarp as cw
from napari_comparewarp.algorithm.products import Inputs, Job
from napari_comparewarp.algorithm.protection import find_protected
from napari_comparewarp.algorithm.stages import STAGES, Stage, run_stages

CASES = sorted(path.name[4:-8] for path in FOLDER.glob("case*_out.npz"))


def holding(key):
    """Return the cases whose output has some array."""
    return [name for name in CASES if key in load(f"case{name}_out")]


def of_config(option):
    """Return the cases that override some option of the reference."""
    return [name for name in CASES if option in str(load(f"case{name}_out")["overrides_json"])]


class Case:
    """One golden case: its stack, its config and what the reference made of it."""

    def __init__(self, name):
        self.golden = golden = load(f"case{name}_out")
        source = {}
        for part in str(golden["input_file"]).split(" + "):
            source |= load(part.removesuffix(".npz"))
        present = source["psfmatched_present"]
        self.n = len(present)
        self.stack = cw.WarpStack.from_arrays(
            *(source[f"direct_{plane}"] for plane in ("image", "variance", "mask")),
            *(source[f"psfmatched_{plane}"][present] for plane in ("image", "variance", "mask")),
            mask_planes=planes(golden),
            psf_sigma=source["psfmatched_psf_sigma"],
            epochs=range(self.n),
            matched_epochs=np.flatnonzero(present),
            origin=tuple(golden["xy0"]),
        )
        overrides = json.loads(str(golden["overrides_json"]))
        text = "".join(f"config.{name} = {value!r}\n" for name, value in overrides.items())
        self.config = cw.CompareWarpConfig.from_lsst(text)
        self.given = cw.run(self.stack, self.config, variance_scale=golden["variance_scale_factor"])
        self.measured = cw.run(self.stack, self.config)

    def alternate(self, plane):
        """Return the reference's mask for the direct warps, ``(epoch, y, x)`` bool."""
        packed = self.golden[f"alt_{plane}"]
        return np.unpackbits(packed, axis=-1)[..., : self.stack.shape[1]].astype(bool)


@pytest.fixture(scope="module", params=CASES)
def case(request):
    return Case(request.param)


def assert_same_groups(labels, golden):
    """Assert that two label images hold the same sets of pixels, whatever their numbers."""
    np.testing.assert_array_equal(labels > 0, golden > 0)
    pairs = np.unique(np.stack([labels.ravel(), golden.ravel().astype(int)]), axis=1)
    assert pairs.shape[1] == len(np.unique(labels)) == len(np.unique(golden))


def of_all(case, function):
    return np.array([function(epoch) for epoch in range(case.n)])


def test_weights(case):
    expected = np.nan_to_num(case.golden["direct_weights"])
    np.testing.assert_allclose(case.given.weights, expected, rtol=1e-14)
    present = case.stack.matched_epochs
    expected = np.nan_to_num(case.golden["psfmatched_weights"][list(present)])
    np.testing.assert_allclose(case.given.matched_weights, expected, rtol=1e-14)


def test_template(case):
    template = case.given.template
    for plane in ("image", "variance"):
        expected = case.golden[f"template_stack_{plane}"]
        np.testing.assert_array_equal(getattr(template, plane), expected)
    np.testing.assert_array_equal(template.mask, case.golden["template_stack_mask"])


@pytest.mark.parametrize("case", holding("warpdiff_image"), indirect=True)
def test_differences(case):
    filled = case.golden["template_image"]
    good = np.isfinite(case.golden["template_stack_image"])
    for epoch in np.flatnonzero(case.given.products.compared):
        image = case.golden["warpdiff_image"][epoch]
        variance = case.golden["warpdiff_variance"][epoch]
        # The reference takes a background away and puts it back, in single
        # precision: a unit in the last place of the larger of warp and background.
        slack = np.spacing(np.maximum(np.abs(filled + image), np.float32(16)))
        chi = case.given.chi(epoch)
        np.testing.assert_array_equal(np.isnan(chi), np.isnan(image))
        error = np.abs(chi * np.sqrt(variance) - image)
        assert (error <= slack + 3e-7 * np.abs(image))[good & np.isfinite(image)].all()


def test_candidates(case):
    for epoch in range(case.n):
        found = case.given.products.candidates[epoch]
        labels = np.zeros(case.stack.shape, int)
        for y, x0, x1, group in zip(
            found.spans.y, found.spans.x0, found.spans.x1, found.group, strict=True
        ):
            labels[y, x0:x1] = group + 1
        assert_same_groups(labels, case.golden["candidate_label"][epoch])
        stays = np.concatenate([[False], found.stays])
        kept = np.where(stays[labels], labels, 0)
        np.testing.assert_array_equal(kept > 0, case.golden["prefiltered_label"][epoch] > 0)


def test_counts(case):
    np.testing.assert_array_equal(case.given.epoch_count, case.golden["epochCountImage"])
    np.testing.assert_array_equal(case.given.n_matched, case.golden["artifact_nImage"])


def test_protected_sources_given_the_reference_template(case):
    if "template_footprint_label" not in case.golden:
        assert case.given.products.protected is None
        return
    config = case.config
    labels = find_protected(
        case.golden["template_image"], case.golden["template_variance"],
        case.stack.psf_sigma.max(), threshold=config.protect_threshold,
        grow_sigma=config.protect_grow_sigma, min_pixels=config.protect_min_pixels,
        isotropic=config.protect_isotropic_growth, kernel_sigma=config.protect_kernel_sigma,
    )  # fmt: skip
    assert_same_groups(labels, case.golden["template_footprint_label"])


def test_everything_after_the_template_given_the_reference_template(case):
    """With the holes filled as the reference fills them, not a pixel differs."""
    filled = case.golden["template_image"], case.golden["template_variance"]
    stages = list(STAGES)
    after = [stage.name for stage in stages].index("template") + 1
    stages.insert(after, Stage("reference template", lambda given, made: {"filled": filled}))
    factors = case.golden["variance_scale_factor"]
    job = Job(case.stack, case.config, variance_scale=factors)
    result = type(case.given)(job, run_stages(Inputs(job), stages=stages))
    for name in ("clipped", "no_data", "edge"):
        masks = of_all(case, getattr(result, name))
        np.testing.assert_array_equal(masks, case.alternate(name.upper()))
    assert_coadd(result.coadd, case.golden)


def assert_coadd(coadd, golden, where=slice(None)):
    np.testing.assert_array_equal(coadd.mask[where], golden["coadd_mask"][where])
    np.testing.assert_array_equal(coadd.n_image[where], golden["coadd_nImage"][where])
    np.testing.assert_array_equal(coadd.image[where], golden["coadd_image"][where])
    np.testing.assert_array_equal(coadd.variance[where], golden["coadd_variance"][where])


def test_masks_of_the_direct_warps(case):
    result = case.given
    np.testing.assert_array_equal(of_all(case, result.no_data), case.alternate("NO_DATA"))
    np.testing.assert_array_equal(of_all(case, result.edge), case.alternate("EDGE"))
    clipped = of_all(case, result.clipped)
    np.testing.assert_array_equal(clipped, case.alternate("CLIPPED"))


@pytest.mark.parametrize("case", of_config("doFilterMorphological"), indirect=True)
def test_streaks_cover_the_reference_with_little_more(case):
    streaks = np.array([s.spans.mask(case.stack.shape) for s in case.given.products.streaks])
    added = case.alternate("CLIPPED") & ~(case.golden["filtered_label"] > 0)
    assert (streaks & added).sum() >= 0.95 * added.sum()
    # What both call a candidate anyway is no one's streak.
    own = streaks & ~(case.golden["filtered_label"] > 0)
    assert own.sum() <= 1.4 * added.sum()


def test_coadd(case):
    assert_coadd(case.given.coadd, case.golden, np.ones(case.stack.shape, bool))


def test_measured_variance_factors(case):
    expected = case.golden["variance_scale_factor"]
    known = np.isfinite(expected)
    np.testing.assert_allclose(case.measured.variance_scale[known], expected[known], rtol=2e-3)
    assert (case.measured.variance_scale[~known] == 1).all()
    failed = case.measured.products.variance_scale_failed
    np.testing.assert_array_equal(failed, case.golden["variance_scale_failed"])


def test_clipping_with_measured_factors(case):
    clipped, expected = of_all(case, case.measured.clipped), case.alternate("CLIPPED")
    assert (clipped == expected).mean() >= 0.999
    assert (clipped & expected).sum() >= 0.999 * expected.sum()


def test_coadd_planes_are_numbered_as_the_reference_numbers_them(case):
    assert case.given.coadd.mask_planes == planes(case.golden)

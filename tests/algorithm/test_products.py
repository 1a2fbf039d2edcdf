"""A job: all that decides on a result."""

from dataclasses import FrozenInstanceError, replace

import numpy as np
import pytest
from stacks import stack

import napari_comparewarp as cw
from napari_comparewarp.algorithm.overrides import FootprintKey
from napari_comparewarp.algorithm.products import Inputs, Job
from napari_comparewarp.errors import StackError
from napari_comparewarp.result.result import run_job


def test_a_job_has_the_defaults_of_a_run():
    job = Job(stack())
    assert job.config == cw.CompareWarpConfig()
    assert job.overrides == {}
    assert job.variance_scale is None and job.bright_objects is None and job.catalogue == ""
    np.testing.assert_array_equal(run_job(job).coadd.image, cw.run(job.stack).coadd.image)


def test_a_job_decides_on_all_that_run_takes():
    warps = stack()
    plain = cw.run(warps)
    key = plain.footprint_set.key(1)
    options = {
        "overrides": {key: "keep"},
        "variance_scale": np.full(warps.n_epochs, 2.0),
        "bright_objects": np.ones(warps.shape, np.bool_),
    }
    config = cw.CompareWarpConfig(mask_bright_objects=True)
    by_run = cw.run(warps, config, **options)
    by_job = run_job(Job(warps, config, **options))
    np.testing.assert_array_equal(by_job.coadd.image, by_run.coadd.image)
    np.testing.assert_array_equal(by_job.coadd.mask, by_run.coadd.mask)
    assert (by_job.variance_scale == 2).all()
    assert not np.array_equal(by_job.coadd.mask, plain.coadd.mask)


def test_a_job_is_changed_by_a_copy_only():
    job = Job(stack(n_epochs=3))
    with pytest.raises(FrozenInstanceError):
        job.config = None
    other = replace(job, config=cw.CompareWarpConfig(chi_threshold=5))
    assert Inputs(other).config.chi_threshold == 5
    assert Inputs(other).stack is job.stack


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"overrides": {FootprintKey(1, -1, 3): "clip"}}, "y -1, x 3, which is no pixel"),
        ({"overrides": {FootprintKey(1, 1, 3): "drop"}}, "decision 'drop'; it is 'clip' or 'keep'"),
        ({"variance_scale": np.array([1.0, np.inf])}, "finite and above 0"),
        ({"variance_scale": np.array([1.0, -2.0])}, "finite and above 0"),
        ({"variance_scale": np.array([0.0, np.nan])}, "finite and above 0"),
        ({"variance_scale": np.ones(3)}, r"shape \(3,\); it must be \(2,\)"),
    ],
)
def test_what_an_inspection_could_not_hold_is_refused(given, message):
    with pytest.raises(StackError, match=message):
        Job(stack(n_epochs=2), **given)

"""PSFs of Gaussians in the archive of an LSST exposure."""

import numpy as np
import pytest
from astropy.io import fits

from napari_comparewarp.algorithm.psf import gaussian_psf
from napari_comparewarp.algorithm.psf_kernels import adaptive_sigma, psf_sigma
from napari_comparewarp.errors import PsfError
from napari_comparewarp.io.archive_psf import archive_psf, archive_psf_class

FWHM = 2.3548200450309493


def archive(name, columns, number=3, catalog=2):
    """Return a file with an index of one object, and its table."""
    index = fits.BinTableHDU.from_columns(
        [
            fits.Column("id", "J", array=[number]),
            fits.Column("cat.archive", "J", array=[catalog]),
            fits.Column("row0", "J", array=[0]),
            fits.Column("name", "64A", array=[name]),
        ]
    )
    index.header["EXTTYPE"] = "ARCHIVE_INDEX"
    table = fits.BinTableHDU.from_columns(
        [fits.Column(key, form, array=np.array([value])) for key, (form, value) in columns.items()]
    )
    table.header["EXTTYPE"], table.header["AR_CATN"] = "ARCHIVE_DATA", catalog
    primary = fits.PrimaryHDU()
    primary.header["HIERARCH ARCHIVE_ID_PSF"] = 3
    return fits.HDUList([primary, index, table])


def double(sigma=7.7 / FWHM, wing=2.5, amplitude=0.1, size=23):
    return archive(
        "DoubleGaussianPsf",
        {
            "dimensions": ("2J", (size, size)), "sigma1": ("D", sigma),
            "sigma2": ("D", wing * sigma), "b": ("D", amplitude),
        },
    )  # fmt: skip


def test_the_width_of_a_double_gaussian_is_that_of_its_adaptive_moments():
    kernel = archive_psf(double())
    assert kernel.shape == (23, 23)
    assert kernel.sum() == pytest.approx(1)
    assert adaptive_sigma(kernel) == pytest.approx(3.70, abs=0.005)
    assert adaptive_sigma(kernel) > 7.7 / FWHM


def test_a_single_gaussian_has_its_own_width():
    columns = {"dimensions": ("2J", (31, 31)), "sigma": ("D", 2.0)}
    assert adaptive_sigma(archive_psf(archive("SingleGaussianPsf", columns))) == pytest.approx(
        2, abs=1e-3
    )


def test_adaptive_moments_of_any_gaussian_are_its_own():
    y, x = np.mgrid[:61, :61] - 30.0
    kernel = np.exp(-0.5 * ((y / 2) ** 2 + ((x - 0.7) / 4) ** 2))
    assert adaptive_sigma(kernel) == pytest.approx(np.sqrt(8), rel=1e-4)
    narrow = gaussian_psf(1.0).basis[0]
    assert adaptive_sigma(narrow) == pytest.approx(psf_sigma(narrow), rel=5e-3)


def test_a_kernel_without_a_peak_has_no_width():
    with pytest.raises(PsfError, match="do not settle"):
        adaptive_sigma(np.where(np.indices((21, 21))[0] < 10, 1.0, -1.01))


def test_a_psf_that_needs_the_pipelines_is_named_and_not_read():
    hdus = archive("CoaddPsf", {"x": ("D", 1.0)})
    assert archive_psf(hdus) is None
    assert archive_psf_class(hdus) == "CoaddPsf"
    assert archive_psf_class(fits.HDUList([fits.PrimaryHDU()])) is None


@pytest.mark.parametrize("damage", ["no table", "no column", "no width"])
def test_a_damaged_archive_is_refused(damage):
    hdus = double(sigma=-1.0 if damage == "no width" else 3.0)
    if damage == "no table":
        del hdus[2]
    if damage == "no column":
        hdus = archive("DoubleGaussianPsf", {"dimensions": ("2J", (5, 5))})
    with pytest.raises(PsfError, match=r"not in the file|lacks a column|cannot be meant"):
        archive_psf(hdus)

"""A real Butler repository with warps laid out as Rubin's pipelines leave them on disk.

Needs ``lsst-daf-butler`` (PyPI), numpy and astropy; nothing else of the Rubin stack.

What is as in the pipelines (sources: drp_tasks dc28b94, afw 714e0ed, obs_base 00893bd,
daf_butler 30.2026.4300):

* ``direct_warp`` covers the patch's outer box grown by ``border`` pixels
  (MakeDirectWarpConfig.border, 256), ``psf_matched_warp`` the patch's outer box alone.
  ``assemble_coadd`` reads the former with ``parameters={"bbox": patch}``.
* HDUs 1 to 3 are image, mask and variance, told by EXTTYPE (and EXTNAME in newer files), tile
  compressed with GZIP_2 without quantization; then ARCHIVE_INDEX and one table a kind of object.
* The place in the tract: LTV1, LTV2 (= -x0, -y0) and the linear WCS "A" (CRPIXnA 1,
  CRVALnA = x0, y0).
  CRPIX of the sky WCS is shifted with it.
* Mask planes by ``MP_`` cards (HIERARCH where the name is long), int32.
* No data: image NaN, variance +inf, NO_DATA set.
* Primary: EXPINFO_V, AR_HDU (1-indexed), ARCHIVE_ID_*, BUNIT nJy, and the provenance cards
  ``HIERARCH LSST BUTLER DATAID VISIT`` and so on.  There is no VISIT card.
* The matched PSF is a DoubleGaussianPsf of the archive: FWHM 7.7 pixels, wing 2.5 times as
  wide, amplitude 0.1.
"""

import sqlite3
import warnings
from contextlib import closing
from pathlib import Path

import numpy as np
from astropy.io import fits
from astropy.wcs import WCS
from lsst.daf.butler import Butler, DatasetRef, DatasetType, FileDataset, FormatterV2
from lsst.sphgeom import ConvexPolygon, LonLat, UnitVector3d

INSTRUMENT, SKYMAP, TRACT, PATCH, BAND, FILTER = "LSSTCam", "lsst_cells_v1", 5063, 14, "i", "i_39"
DAY, RUN = 20250501, "LSSTCam/runs/test/20251101T000000Z"
STACK_FORMATTER = "lsst.obs.base.formatters.fitsExposure.FitsExposureFormatter"
PIXEL_SCALE = 0.2  # arcsec
PLANES = {
    "BAD": 0,
    "SAT": 1,
    "INTRP": 2,
    "CR": 3,
    "EDGE": 4,
    "DETECTED": 5,
    "DETECTED_NEGATIVE": 6,
    "SUSPECT": 7,
    "NO_DATA": 8,
    "VIGNETTED": 9,
    "STREAK": 10,
    "CROSSTALK": 11,
    "ITL_DIP": 12,
    "UNMASKEDNAN": 13,
    "SPIKE": 14,
}
MATCHED_FWHM = 7.7


class WarpFormatter(FormatterV2):
    """Reads planes without afw; only its name is stored in the registry, a reader may ignore it."""

    can_read_from_local_file = True
    default_extension = ".fits"
    supported_extensions = frozenset({".fits", ".fits.fz", ".fits.gz"})

    def read_from_local_file(self, path, component=None, expected_size=-1):
        with fits.open(path) as hdus:
            return {
                name: hdus[number].data.copy()
                for number, name in enumerate(("image", "mask", "variance"), start=1)
            }


def tract_wcs():
    """WCS of the tract: its pixel 0, 0 is at FITS coordinates 1, 1."""
    wcs = WCS(naxis=2)
    wcs.wcs.ctype = ["RA---TAN", "DEC--TAN"]
    wcs.wcs.crval = [150.0, 2.0]
    wcs.wcs.crpix = [15000.0, 15000.0]
    wcs.wcs.cd = np.diag([-PIXEL_SCALE / 3600, PIXEL_SCALE / 3600])
    wcs.wcs.radesys = "ICRS"
    return wcs


def double_gaussian(y, x, fwhm=MATCHED_FWHM, wing=2.5, amplitude=0.1):
    s1 = fwhm / 2.3548200450309493
    r2 = y**2 + x**2
    value = np.exp(-r2 / 2 / s1**2) + amplitude * np.exp(-r2 / 2 / (wing * s1) ** 2)
    return value / (2 * np.pi * s1**2 * (1 + amplitude * wing**2))


def gaussian(y, x, sigma):
    return np.exp(-(y**2 + x**2) / 2 / sigma**2) / (2 * np.pi * sigma**2)


def scene(box, profile, rng):
    """Render the static sky in a box (x0, y0, width, height) of the tract."""
    x0, y0, width, height = box
    image = np.zeros((height, width))
    for cx, cy, flux in stars():
        ix, iy = int(cx) - x0, int(cy) - y0
        a, b, c, d = max(iy - 30, 0), min(iy + 31, height), max(ix - 30, 0), min(ix + 31, width)
        if a < b and c < d:
            yy, xx = np.mgrid[a:b, c:d]
            image[a:b, c:d] += flux * profile(yy + y0 - cy, xx + x0 - cx)
    return image


def stars(seed=7, density=2.0e-4):
    rng = np.random.default_rng(seed)
    n = int(density * (OUTER[2] + 2 * BORDER) * (OUTER[3] + 2 * BORDER))
    x = rng.uniform(OUTER[0] - BORDER, OUTER[0] + OUTER[2] + BORDER, n)
    y = rng.uniform(OUTER[1] - BORDER, OUTER[1] + OUTER[3] + BORDER, n)
    return zip(x, y, 10 ** rng.uniform(3.0, 5.5, n), strict=True)


def exposure_hdus(image, mask, variance, origin, psf, visit, dataset_type, compressed=True):
    """Return one ExposureF as afw writes it."""
    x0, y0 = origin
    wcs = tract_wcs()
    wcs.wcs.crpix -= [x0, y0]
    common = wcs.to_header(relax=True)
    for k in ("MJDREF", "LATPOLE", "LONPOLE", "DATEREF"):
        common.remove(k, ignore_missing=True)
    for i in (1, 2):
        for j in (1, 2):
            common.remove(f"PC{i}_{j}", ignore_missing=True)
            common[f"CD{i}_{j}"] = wcs.wcs.cd[i - 1, j - 1]
        common.remove(f"CDELT{i}", ignore_missing=True)
    common["LTV1"], common["LTV2"], common["INHERIT"] = -float(x0), -float(y0), True
    for axis, start in ((1, x0), (2, y0)):
        common[f"CTYPE{axis}A"], common[f"CRPIX{axis}A"] = "LINEAR", 1.0
        common[f"CRVAL{axis}A"], common[f"CUNIT{axis}A"] = float(start), "PIXEL"
    primary = fits.Header()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # HIERARCH cards
        primary["EXPINFO_V"], primary["AR_HDU"] = 2, 5
        for number, name in enumerate(("SKYWCS", "PHOTOCALIB", "PSF", "FILTER"), start=1):
            primary[f"ARCHIVE_ID_{name}"] = number
        primary["EXPTIME"], primary["BUNIT"] = 30.0, "nJy"
        primary["DATE-AVG"], primary["TIMESYS"] = (
            f"2025-05-02T03:{visit % 60:02d}:00.000000000",
            "TAI",
        )
        primary["LSST BUTLER ID"], primary["LSST BUTLER RUN"] = (
            "00000000-0000-0000-0000-000000000000",
            RUN,
        )
        primary["LSST BUTLER DATASETTYPE"] = dataset_type
        for k, v in {
            "BAND": BAND,
            "INSTRUMENT": INSTRUMENT,
            "SKYMAP": SKYMAP,
            "TRACT": TRACT,
            "PATCH": PATCH,
            "PHYSICAL_FILTER": FILTER,
            "DAY_OBS": DAY,
            "VISIT": visit,
        }.items():
            primary[f"LSST BUTLER DATAID {k}"] = v
    hdus = [fits.PrimaryHDU(header=primary)]
    for name, data in (("IMAGE", image), ("MASK", mask), ("VARIANCE", variance)):
        header = common.copy()
        header["EXTTYPE"] = name
        if name == "MASK":
            for plane, bit in PLANES.items():
                header[f"HIERARCH MP_{plane}" if len(plane) > 5 else f"MP_{plane}"] = bit
        if compressed:
            hdus.append(
                fits.CompImageHDU(
                    data, header, name=name, compression_type="GZIP_2", quantize_level=0.0
                )
            )
        else:
            hdus.append(fits.ImageHDU(data, header, name=name))
    return fits.HDUList(hdus + archive(psf))


def table(columns, rows, exttype, catalog, name, **cards):
    made = [
        fits.Column(c, f, array=np.array([r[i] for r in rows])) for i, (c, f) in enumerate(columns)
    ]
    hdu = fits.BinTableHDU.from_columns(made, name=name)
    hdu.header["EXTTYPE"], hdu.header["AR_CATN"] = exttype, catalog
    for k, v in cards.items():
        hdu.header[k] = v
    hdu.header["HIERARCH AFW_TABLE_VERSION"] = 3
    return hdu


def archive(psf):
    """Return ARCHIVE_INDEX and its catalogues.

    `psf` is (width, height, sigma1, sigma2, b), or None for a CoaddPsf.
    """
    psf_class = (
        ("DoubleGaussianPsf", "lsst.meas.algorithms")
        if psf
        else ("CoaddPsf", "lsst.meas.algorithms")
    )
    index = [
        (1, 1, 1, 0, 1, "SkyWcs", "lsst.afw.geom"),
        (2, 2, 2, 0, 1, "PhotoCalib", ""),
        (3, 3, 3, 0, 1, *psf_class),
        (4, 4, 4, 0, 1, "FilterLabel", "lsst.afw.image"),
    ]
    columns = [
        ("id", "J"),
        ("cat.archive", "J"),
        ("cat.persistable", "J"),
        ("row0", "J"),
        ("nrows", "J"),
        ("name", "64A"),
        ("module", "64A"),
    ]
    out = [table(columns, index, "ARCHIVE_INDEX", 0, "ARCHIVE_INDEX", AR_NCAT=5)]
    text = b"4 wcs_text_of_ast"
    out.append(
        table(
            [("wcs", f"{len(text)}B")],
            [(np.frombuffer(text, np.uint8),)],
            "ARCHIVE_DATA",
            1,
            "SkyWcs",
            AR_NAME="SkyWcs",
        )
    )
    out.append(
        table(
            [("calibrationMean", "D"), ("calibrationErr", "D"), ("field", "J")],
            [(1.0, 0.0, 0)],
            "ARCHIVE_DATA",
            2,
            "PhotoCalib",
            AR_NAME="PhotoCalib",
        )
    )
    if psf:
        width, height, s1, s2, b = psf
        out.append(
            table(
                [("dimensions", "2J"), ("sigma1", "D"), ("sigma2", "D"), ("b", "D")],
                [((width, height), s1, s2, b)],
                "ARCHIVE_DATA",
                3,
                "DoubleGaussianPsf",
                AR_NAME="DoubleGaussianPsf",
            )
        )
    else:  # opaque to anybody without the stack
        out.append(
            table(
                [("averagepos", "2D"), ("warpingkernelname", "16A")],
                [((15000.0, 15000.0), "lanczos3")],
                "ARCHIVE_DATA",
                3,
                "CoaddPsf",
                AR_NAME="CoaddPsf",
            )
        )
    out.append(
        table(
            [("band", "8A"), ("physical", "16A")],
            [(BAND, FILTER)],
            "ARCHIVE_DATA",
            4,
            "FilterLabel",
            AR_NAME="FilterLabel",
        )
    )
    return out


OUTER, BORDER = (12000, 12000, 400, 400), 256


def make_visit(folder, visit, index, rng, names, compressed=True):
    """Write the two warps of one visit; return their paths by dataset type."""
    sigma = 1.5 + 0.12 * index
    x0, y0, width, height = OUTER
    wide = (x0 - BORDER, y0 - BORDER, width + 2 * BORDER, height + 2 * BORDER)
    paths = {}
    for name, box in zip(names, (wide, OUTER), strict=True):
        matched = name == names[1]
        profile = double_gaussian if matched else (lambda y, x: gaussian(y, x, sigma))
        image = scene(box, profile, rng)
        variance = np.full(image.shape, (4.0 if matched else 20.0) ** 2) + np.abs(image) / 50
        image += np.random.default_rng(visit % 10007 + matched).normal(size=image.shape) * np.sqrt(
            variance
        )
        if index == 2:  # a satellite trail, in the coordinates of the tract
            yy, xx = np.mgrid[: image.shape[0], : image.shape[1]]
            distance = np.abs((yy + box[1] - (y0 + 40)) - 0.6 * (xx + box[0] - x0)) / np.hypot(
                1, 0.6
            )
            image += 600 * np.exp(-(distance**2) / 2 / (3.3 if matched else sigma) ** 2)
        mask = np.zeros(image.shape, np.int32)
        image, variance = image.astype("f4"), variance.astype("f4")
        gap = slice(
            max(y0 + 150 + 10 * index - box[1], 0), y0 + 165 + 10 * index - box[1]
        )  # a chip gap, dithered
        image[gap], variance[gap] = np.nan, np.inf
        mask[gap] |= 1 << PLANES["NO_DATA"]
        mask[gap.start - 4 : gap.start] |= 1 << PLANES["EDGE"]
        mask[gap.stop : gap.stop + 4] |= 1 << PLANES["EDGE"]
        s1 = MATCHED_FWHM / 2.3548200450309493
        hdus = exposure_hdus(
            image,
            mask,
            variance,
            box[:2],
            (23, 23, s1, 2.5 * s1, 0.1) if matched else None,
            visit,
            name,
            compressed,
        )
        path = folder / f"{name}_{TRACT}_{PATCH}_{visit}_{SKYMAP}.fits"
        hdus.writeto(path, overwrite=True)
        paths[name] = path
    return paths


def sky_region(box):
    x0, y0, width, height = box
    corners = tract_wcs().pixel_to_world_values(
        [x0, x0 + width, x0 + width, x0], [y0, y0, y0 + height, y0 + height]
    )
    return ConvexPolygon(
        [UnitVector3d(LonLat.fromDegrees(a, b)) for a, b in zip(*corners, strict=True)]
    )


def make_repository(
    root,
    visits=6,
    size=400,
    border=256,
    old_names=False,
    transfer="copy",
    compressed=True,
    stack_formatter=True,
):
    """Make the repository and fill it; return the names of its two dataset types."""
    global OUTER, BORDER
    OUTER, BORDER = (12000, 12000, size, size), border
    names = (
        ("deepCoadd_directWarp", "deepCoadd_psfMatchedWarp")
        if old_names
        else ("direct_warp", "psf_matched_warp")
    )
    root = Path(root).resolve()  # paths to ingest are relative to the repository unless absolute
    Butler.makeRepo(root)
    with Butler.from_config(root, run=RUN, writeable=True) as butler:
        fill(butler, root, names, visits, transfer, compressed)
    if stack_formatter:
        # As in a repository that the pipelines wrote: getURI works, get needs lsst.obs.base.
        with closing(sqlite3.connect(root / "gen3.sqlite3")) as database, database:
            database.execute("UPDATE file_datastore_records SET formatter = ?", (STACK_FORMATTER,))
    return names


def fill(butler, root, names, visits, transfer, compressed):
    """Register the dataset types and their dimensions, and ingest the files."""
    insert = butler.registry.insertDimensionData
    insert(
        "instrument",
        {
            "name": INSTRUMENT,
            "visit_max": 10**13,
            "exposure_max": 10**13,
            "detector_max": 205,
            "class_name": "lsst.obs.lsst.LsstCam",
        },
    )
    insert("physical_filter", {"instrument": INSTRUMENT, "name": FILTER, "band": BAND})
    insert("day_obs", {"instrument": INSTRUMENT, "id": DAY})
    insert(
        "skymap",
        {
            "name": SKYMAP,
            "hash": b"0" * 20,
            "tract_max": 20000,
            "patch_nx_max": 10,
            "patch_ny_max": 10,
        },
    )
    region = sky_region(OUTER)
    insert("tract", {"skymap": SKYMAP, "id": TRACT, "region": region})
    insert(
        "patch",
        {"skymap": SKYMAP, "tract": TRACT, "id": PATCH, "cell_x": 4, "cell_y": 1, "region": region},
    )
    types = {
        n: DatasetType(
            n,
            ("tract", "patch", "skymap", "instrument", "visit"),
            "ExposureF",
            universe=butler.dimensions,
        )
        for n in names
    }
    for dataset_type in types.values():
        butler.registry.registerDatasetType(dataset_type)
    scratch = root.parent / (root.name + "_files")
    scratch.mkdir(exist_ok=True)
    rng, datasets = np.random.default_rng(3), []
    for index in range(visits):
        visit = DAY * 100000 + 123 + index
        insert(
            "visit",
            {
                "instrument": INSTRUMENT,
                "id": visit,
                "name": str(visit),
                "physical_filter": FILTER,
                "day_obs": DAY,
                "exposure_time": 30.0,
                "region": region,
            },
        )
        for name, path in make_visit(scratch, visit, index, rng, names, compressed).items():
            data_id = butler.registry.expandDataId(
                instrument=INSTRUMENT, visit=visit, skymap=SKYMAP, tract=TRACT, patch=PATCH
            )
            # Without a formatter of its own, ExposureF asks for lsst.obs.base: the ingest fails.
            datasets.append(
                FileDataset(
                    path, [DatasetRef(types[name], data_id, run=RUN)], formatter=WarpFormatter
                )
            )
    butler.ingest(*datasets, transfer=transfer)

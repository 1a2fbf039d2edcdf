"""When exposures were taken, and what of it a coadd carries."""

import pytest
from astropy.io import fits
from astropy.time import Time
from fits_files import make_planes, write_lsst

import napari_comparewarp as cw
from napari_comparewarp.algorithm.warps import ExposureTime
from napari_comparewarp.errors import CompareWarpWarning
from napari_comparewarp.io.times import exposure_time, span_cards

DAY = 60370.0
MIDNIGHT = "2024-03-01T00:00:00"


@pytest.mark.parametrize(
    ("cards", "begin", "end", "scale"),
    [
        ({"DATE-OBS": MIDNIGHT, "EXPTIME": 864.0}, DAY, DAY + 0.01, "utc"),
        ({"DATE-OBS": "2024-03-01", "TIME-OBS": "12:00:00"}, DAY + 0.5, DAY + 0.5, "utc"),
        ({"DATE-OBS": "01/03/99"}, 51238.0, 51238.0, "utc"),
        ({"MJD-OBS": DAY, "EXPOSURE": 864}, DAY, DAY + 0.01, "utc"),
        ({"DATE-BEG": MIDNIGHT, "DATE-END": "2024-03-01T12:00:00"}, DAY, DAY + 0.5, "utc"),
        ({"DATE-AVG": "2024-03-01T00:00:00.000000000", "EXPTIME": 864.0, "TIMESYS": "TAI"},
         DAY - 0.005, DAY + 0.005, "tai"),
        ({"DATE-OBS": MIDNIGHT, "DATE-BEG": "2024-03-01T06:00:00"}, DAY + 0.25, DAY + 0.25, "utc"),
        ({"DATE-OBS": "2024-03-01T00:00:00Z"}, DAY, DAY, "utc"),
    ],
)  # fmt: skip
def test_dates_are_read_in_every_usual_form(cards, begin, end, scale):
    time, notes = exposure_time([fits.Header(cards)])
    assert (time.begin, time.end) == pytest.approx((begin, end), abs=1e-9)
    assert time.scale == scale
    assert notes == ()


def test_what_is_no_date_is_said_and_the_next_card_serves():
    time, notes = exposure_time([fits.Header({"DATE-OBS": "last night", "MJD-OBS": DAY})])
    assert time.begin == DAY
    assert notes == ("DATE-OBS = 'last night' is no date: ignored",)
    _, notes = exposure_time([fits.Header({"DATE-OBS": MIDNIGHT, "TIMESYS": "GPS"})])
    assert "taken as UTC" in notes[0]


def test_no_cards_tell_no_time():
    assert exposure_time([fits.Header(), fits.Header({"EXPTIME": 30.0})]) == (None, ())


def test_the_span_goes_from_the_first_begin_to_the_last_end():
    times = [ExposureTime(DAY + n, DAY + n + 0.1, 100.0 * (n + 1), "utc") for n in (2, 0)]
    cards = span_cards(times)
    assert cards["DATE-BEG"] == "2024-03-01T00:00:00.000"
    assert cards["DATE-END"] == "2024-03-03T02:24:00.000"
    assert cards["MJD-AVG"] == pytest.approx(DAY + 0.05 + 2 * 0.75)
    assert cards["EXPTIME"] == 400


def test_times_of_several_scales_are_given_in_utc():
    tai = Time(DAY, format="mjd", scale="utc").tai.mjd
    cards = span_cards([ExposureTime(DAY, DAY, 1.0, "utc"), ExposureTime(tai, tai, 1.0, "tai")])
    assert cards["TIMESYS"] == "UTC"
    assert cards["DATE-BEG"] == cards["DATE-END"] == "2024-03-01T00:00:00.000"


def test_unless_all_are_known_nothing_is_said():
    time = ExposureTime(DAY, DAY, None, "utc")
    assert not span_cards([time, None])
    assert not span_cards([])
    assert "EXPTIME" not in span_cards([time])


def write_nights(folder, n=4, silent=()):
    for night in range(n):
        cards = {} if night in silent else {"DATE-OBS": f"2024-03-0{night + 1}T01:00:00"}
        write_lsst(
            folder / f"v{night}.fits", make_planes(night), visit=night,
            cards={"EXPTIME": 30.0, **cards},
        )  # fmt: skip
    return folder


def test_a_coadd_of_several_nights_carries_their_span(tmp_path):
    cw.run(cw.read_stack(write_nights(tmp_path))).write(tmp_path / "c.fits")
    with fits.open(tmp_path / "c.fits") as hdus:
        assert hdus[0].header["DATE-BEG"] == "2024-03-01T01:00:00.000"
        assert hdus[0].header["DATE-END"] == "2024-03-04T01:00:30.000"
        assert hdus[0].header["EXPTIME"] == 120
        assert not any({"DATE-OBS", "MJD-OBS"} & set(hdu.header) for hdu in hdus)


def test_if_one_file_has_no_date_that_is_said(tmp_path):
    with pytest.warns(CompareWarpWarning, match=r"v2\.fits: no DATE-OBS \(1 of 4 files"):
        stack = cw.read_stack(write_nights(tmp_path, silent=(2,)))
    assert "DATE-BEG" not in cw.run(stack).header()

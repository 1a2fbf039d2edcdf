"""Commands work in any locale and time zone, and in folders of any name."""

import os
import subprocess
import sys

import pytest
from astropy.io import fits
from patches import write_plan, write_warps

#: Blanks, quotes, umlauts and a letter outside the basic plane; more where a name may have it.
AWKWARD = "Nächte 'im Süden' 𝟙 %s {0}" + ("" if os.name == "nt" else ' "drei" \\ [1-2] ? *')

#: All that a night goes through, in one process, and no text in the encoding of the locale.
PROGRAM = r"""
import sys, warnings
from pathlib import Path
from distributed import LocalCluster

warnings.filterwarnings("error", category=EncodingWarning, module=r"napari_comparewarp\b")
from napari_comparewarp.cli import main

night = Path(sys.argv[1])
out = night / "out"
out.mkdir()
with LocalCluster(n_workers=1, threads_per_worker=1, processes=False) as cluster:
    for words in (
        ["run", night, "-o", out / "coadd.fits", "--masks", out / "masks",
         "--footprints", out / "all.ecsv", "--regions", out / "all.reg"],
        ["info", out / "coadd.fits"],
        ["score", out / "coadd.fits", "--truth", night / "truth", "--masks", out / "masks",
         "--json", out / "score.json"],
        ["report", night, "-o", out / "report.html"],
        ["batch", night.parent / "patches.toml", "--scheduler", cluster.scheduler_address],
    ):
        try:
            main([str(word) for word in words])
        except SystemExit as end:
            if end.code:
                raise
"""


PLACES = (
    # No letter but ASCII, and a day ahead of Greenwich.
    {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0", "TZ": "Pacific/Kiritimati"},
    # Streams that lack most letters, and a zone of a quarter of an hour.
    {"LC_ALL": "de_DE.ISO-8859-1", "PYTHONIOENCODING": "latin-1", "TZ": "Asia/Kathmandu"},
)


@pytest.mark.parametrize("place", PLACES, ids=lambda place: place["TZ"])
def test_a_night_goes_through_all_commands_anywhere(tmp_path, place):
    folder = tmp_path / AWKWARD
    folder.mkdir()
    write_warps(folder / "night")
    write_plan(folder, "one")
    done = subprocess.run(
        [sys.executable, "-X", "warn_default_encoding", "-c", PROGRAM, folder / "night"],
        env={**os.environ, **place}, capture_output=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr.decode("latin-1")
    with (
        fits.open(folder / "night" / "out" / "coadd.fits") as single,
        fits.open(folder / "made" / "one.fits") as patch,
    ):
        assert single["IMAGE"].data.tobytes() == patch["IMAGE"].data.tobytes()
    assert "<html" in (folder / "night" / "out" / "report.html").read_text(encoding="utf-8")

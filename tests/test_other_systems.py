"""The program does without what only POSIX has, and keeps to the rules that Windows has for files.

Both are tried where there is /proc: a process is made as narrow as it would be on Windows.
"""

import subprocess
import sys
from pathlib import Path

import pytest
from patches import write_plan, write_warps

pytestmark = pytest.mark.skipif(
    not Path("/proc/self/fdinfo").is_dir(), reason="open files are not listed here"
)

NARROW = r"""
import errno, os, re, signal, sys
from pathlib import Path

# How these get on with their system is their own affair.
import astropy.io.fits, astropy.table, astropy.wcs, distributed, jinja2, matplotlib.pyplot
import numba, pydantic, regions, scipy.ndimage, skimage.measure, tqdm

GONE = {
    os: "O_NONBLOCK O_NOFOLLOW O_DIRECTORY fork killpg setsid mkfifo mknod chown fchmod fchown "
        "getuid geteuid getgid getegid uname sysconf pathconf ST_RDONLY preadv pwritev "
        "pread pwrite sched_getaffinity pidfd_open posix_spawn nice",
    signal: "SIGHUP SIGKILL SIGPIPE SIGXFSZ SIGALRM SIGUSR1 SIGCHLD pthread_kill alarm "
            "pthread_sigmask setitimer",
}
for module, names in GONE.items():
    for name in names.split():
        # Where this system has it.
        vars(module).pop(name, None)
for name in ("fcntl", "resource", "pwd", "grp", "termios"):
    sys.modules[name] = None

sync, PLACE = os.fsync, os.path.realpath(sys.argv[1]) + os.sep
REFUSED = re.compile(r'[<>:"\\|?*\x00-\x1f]|[. ]$|^(con|prn|aux|nul|com\d|lpt\d)(\.|$)', re.I)


def fsync(file):
    number = file if isinstance(file, int) else file.fileno()
    flags = re.search(r"flags:\s*(\d+)", Path(f"/proc/self/fdinfo/{number}").read_text("ascii"))
    if int(flags[1], 8) & os.O_ACCMODE == os.O_RDONLY:
        raise OSError(errno.EBADF, "a file that is synchronized has to be open for writing")
    sync(file)


def in_use(path):
    links = list(Path("/proc/self/fd").iterdir())
    opened = [os.readlink(link) for link in links if link.is_symlink()]
    return path in opened or path in Path("/proc/self/maps").read_text("utf-8", "surrogateescape")


def as_windows(event, arguments):
    if event not in ("open", "os.mkdir", "os.rename", "os.remove", "os.link"):
        return
    # What lies elsewhere is not this program's.
    paths = [os.path.abspath(os.fsdecode(a)) for a in arguments[:2] if isinstance(a, (str, bytes))]
    paths = [path for path in paths if path.startswith(PLACE)]
    for path in paths:
        if any(REFUSED.search(name) for name in path.removeprefix(PLACE).split(os.sep)):
            raise OSError(errno.EINVAL, "no name of a file", path)
    if event in ("os.rename", "os.remove") and any(map(in_use, paths)):
        raise PermissionError(errno.EACCES, "a file that is open cannot be moved", *paths[:1])


os.fsync = fsync
sys.addaudithook(as_windows)
"""

PROGRAM = r"""
folder = Path(sys.argv[1])
night, out = folder / "night", folder / "out"
out.mkdir()
from napari_comparewarp.cli import main

for words in (
    ["run", night, "-o", out / "coadd.fits", "--masks", out / "masks", "--memory", "20kB",
     "--footprints", out / "all.ecsv", "--regions", out / "all.reg",
     "--artifact-masks", out / "rubin", "--debug-products", out / "pictures",
     "--lsst-config", out / "config.py"],
    ["run", night, "-o", out / "coadd.fits", "--masks", out / "masks", "--overwrite"],
    ["info", out / "coadd.fits"],
    ["score", out / "coadd.fits", "--truth", night / "truth", "--json", out / "score.json"],
    ["report", night, "-o", out / "report.html"],
    ["simulate", folder / "another", "--epochs", 3, "--size", 64, 64],
):
    try:
        main([str(word) for word in words])
    except SystemExit as end:
        if end.code:
            raise

# Workers are the affair of distributed.
from napari_comparewarp.batch.cluster import work_on
from napari_comparewarp.batch.plan import read_plan
from napari_comparewarp.io.config_file import read_config_file

(patch,) = read_plan(folder / "patches.toml", read_config_file)
outcome = work_on(patch)
assert outcome.state == "done", outcome
"""


def run_narrow(program, folder):
    return subprocess.run(
        [sys.executable, "-c", NARROW + program, str(folder)], capture_output=True, text=True
    )


def test_the_program_does_without_what_windows_lacks(tmp_path):
    write_warps(tmp_path / "night")
    write_plan(tmp_path, "one")
    done = run_narrow(PROGRAM, tmp_path)
    assert done.returncode == 0, done.stderr
    made = {path.name for path in (tmp_path / "out").iterdir()}
    assert {"coadd.fits", "masks", "all.ecsv", "all.reg", "score.json", "report.html"} <= made
    assert (tmp_path / "made" / "one.fits").is_file()
    assert not list(tmp_path.rglob("*.part"))

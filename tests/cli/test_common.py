"""Errors are one line and an exit code, warnings one line, progress only on a terminal."""

import errno
import io
import logging
import os
import subprocess
import sys
import threading
import warnings
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

import napari_comparewarp.cli
from napari_comparewarp.cli import main
from napari_comparewarp.cli.common import (
    CommandLine,
    debug_option,
    echo,
    format_table,
    progress_bar,
)
from napari_comparewarp.errors import (
    CompareWarpWarning,
    ConfigError,
    OutputError,
    StackError,
    working_on,
)
from napari_comparewarp.simulation import simulate_night, write_night


def run_body(body, *words):
    """Run a command that does nothing but `body`."""

    @click.group(cls=CommandLine)
    def group():
        pass

    @group.command()
    @debug_option
    def work():
        body()

    return CliRunner().invoke(group, ["work", *words])


def fail_with(error, cause=None):
    def body():
        raise error from cause

    return body


@pytest.mark.parametrize(
    ("error", "cause", "code"),
    [
        (ConfigError("no knob"), None, 2),
        (StackError("no warps"), None, 2),
        (OutputError("out.fits exists"), None, 2),
        (OutputError("out.fits: no space"), OSError(errno.ENOSPC, "No space left"), 1),
        (OutputError("out.fits: cut short"), OSError("10 requested and 5 written"), 1),
        (OutputError("out.fits: denied"), PermissionError(errno.EACCES, "denied"), 2),
        (click.UsageError("two names"), None, 2),
        (OSError(errno.ENOSPC, "No space left on device", "out.fits"), None, 1),
        (RuntimeError("broken"), None, 1),
    ],
)
def test_an_error_is_one_line_and_its_exit_code(error, cause, code):
    outcome = run_body(fail_with(error, cause))
    assert outcome.exit_code == code
    (line,) = outcome.stderr.splitlines()
    assert line.startswith("comparewarp: error: ")


def test_an_error_of_many_lines_is_made_one():
    outcome = run_body(fail_with(ConfigError("first\n  second")))
    assert outcome.stderr == "comparewarp: error: first second\n"


def test_a_system_error_names_the_file():
    outcome = run_body(fail_with(OSError(errno.ENOSPC, "No space left on device", "out.fits")))
    assert outcome.stderr == "comparewarp: error: out.fits: No space left on device\n"


def test_only_debug_shows_the_traceback():
    assert "Traceback" not in run_body(fail_with(RuntimeError("broken"))).stderr
    outcome = run_body(fail_with(RuntimeError("broken")), "--debug")
    assert outcome.exit_code == 1
    assert "Traceback" in outcome.stderr and "in body" in outcome.stderr
    assert outcome.stderr.splitlines()[-1].startswith("comparewarp: error: RuntimeError: broken")


def test_an_interrupt_leaves_with_130():
    outcome = run_body(fail_with(KeyboardInterrupt()))
    assert outcome.exit_code == 130
    assert "interrupted" in outcome.stderr and "Traceback" not in outcome.stderr


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (EOFError("Ran out of input"), "EOFError: Ran out of input (--debug shows where)"),
        (SystemExit(0), "SystemExit: 0 (--debug shows where)"),
        (RecursionError("too deep"), "RecursionError: too deep (--debug shows where)"),
        (MemoryError(), "not enough memory (--debug shows where)"),
        (
            MemoryError("Unable to allocate 9 TiB"),
            "not enough memory: Unable to allocate 9 TiB (--debug shows where)",
        ),
        (GeneratorExit(), "GeneratorExit (--debug shows where)"),
        (OSError(9, "Bad file descriptor", 7), "Bad file descriptor"),
    ],
)
def test_an_error_of_another_library_is_a_failure_in_one_line(error, line):
    outcome = run_body(fail_with(error))
    assert outcome.exit_code == 1
    assert outcome.stderr == f"comparewarp: error: {line}\n"


def test_an_error_of_another_library_names_the_file_that_was_worked_on():
    def body():
        with working_on("warps/7.fits"):
            raise RuntimeError("broken")

    assert run_body(body).stderr == (
        "comparewarp: error: warps/7.fits: RuntimeError: broken (--debug shows where)\n"
    )


@pytest.mark.parametrize("path", ["7.fits", "warps/" + 40 * "long/" + "7.fits"])
def test_an_error_of_another_library_takes_no_more_than_300_letters(path):
    def body():
        with working_on(path):
            raise RuntimeError("broken " * 1000)

    line = run_body(body).stderr
    assert len(line) <= 300
    assert "7.fits" in line and line.endswith("(--debug shows where)\n")


HOSTILE = "a\x1b[2Jb\x07c\x9bd\u202ee\x7f"
ESCAPED = "a\\x1b[2Jb\\x07c\\x9bd\\u202ee\\x7f"


@pytest.mark.parametrize("error", [StackError, RuntimeError, click.UsageError])
def test_no_error_steers_the_terminal(error):
    line = run_body(fail_with(error(f"{HOSTILE}\nsecond"))).stderr
    assert ESCAPED in line
    assert line.rstrip("\n").isprintable()


def test_neither_a_warning_nor_a_table_steers_the_terminal():
    def body():
        warnings.warn(f"{HOSTILE}\nsecond", CompareWarpWarning, stacklevel=1)
        echo(format_table(("visit", "note"), [(HOSTILE, "two\nlines")]))
        echo(f"{HOSTILE}  aligned")

    outcome = run_body(body)
    assert outcome.stderr == f"warning: {ESCAPED} second\n"
    assert outcome.stdout.splitlines()[1:] == [f"{ESCAPED}  two lines", f"{ESCAPED}  aligned"]


def test_other_scripts_are_printed_as_they_are():
    assert run_body(lambda: echo("σ 星 é  Ω")).stdout == "σ 星 é  Ω\n"


@pytest.mark.filterwarnings("default")
def test_a_warning_of_another_library_is_one_line_too():
    def body():
        warnings.warn("the date\nis odd", RuntimeWarning, stacklevel=1)

    assert run_body(body).stderr == "warning: RuntimeWarning: the date is odd\n"


def test_what_libraries_log_is_shown_with_debug_alone(capfd):
    def body():
        logging.getLogger("a library").error("noise")

    assert run_body(body).stderr == ""
    assert "noise" not in capfd.readouterr().err


def test_what_fails_in_threads_and_destructors_of_others_is_not_printed(capfd):
    class Broken:
        def __del__(self):
            raise RuntimeError("noise")

    def fail():
        raise RuntimeError("noise")

    def body():
        Broken()
        thread = threading.Thread(target=fail)
        thread.start()
        thread.join()

    outcome = run_body(body)
    assert outcome.exit_code == 0
    assert "noise" not in outcome.output + capfd.readouterr().err


def test_only_one_place_prints():
    folder = Path(napari_comparewarp.cli.__file__).parent
    assert [path.name for path in folder.glob("*.py") if "click.echo(" in path.read_text()] == [
        "common.py"
    ]


NOWHERE = """
from numba.core.caching import CacheImpl
CacheImpl._locator_classes = []
from napari_comparewarp.cli import main
main(["info", {folder!r} + "/direct"])
"""


def test_without_a_home_one_line_says_what_that_costs(tmp_path):
    write_night(simulate_night(2, (64, 64)), tmp_path / "night")
    code = NOWHERE.format(folder=str(tmp_path / "night"))
    (tmp_path / "file").touch()
    nowhere = str(tmp_path / "file" / "nowhere")
    home = {"HOME": nowhere, "USERPROFILE": nowhere, "MPLCONFIGDIR": nowhere}
    environment = {key: os.environ[key] for key in os.environ if not key.startswith("XDG_")}
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False,
        env=environment | home,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    (line,) = done.stderr.splitlines()
    assert "NUMBA_CACHE_DIR" in line


def test_a_warning_of_this_project_is_one_line():
    def body():
        warnings.warn("visit 7 has no\nmatched warp", CompareWarpWarning, stacklevel=1)
        click.echo("done")

    outcome = run_body(body)
    assert outcome.exit_code == 0 and outcome.stdout == "done\n"
    assert outcome.stderr == "warning: visit 7 has no matched warp\n"


def test_a_warning_is_given_every_time():
    def body():
        for _ in range(2):
            warnings.warn("again", CompareWarpWarning, stacklevel=1)

    assert run_body(body).stderr == "warning: again\n" * 2


@pytest.mark.parametrize("words", [["--nonsense"], ["runn"], ["run"], []])
def test_wrong_words_are_one_line_that_points_to_the_help(words):
    outcome = CliRunner().invoke(main, words)
    assert outcome.exit_code == 2
    (line,) = outcome.stderr.splitlines()
    assert line.startswith("comparewarp: error: ") and "--help" in line


def test_the_version_is_the_packages():
    outcome = CliRunner().invoke(main, ["--version"])
    assert outcome.exit_code == 0 and outcome.stdout.startswith("comparewarp, version 0.")


def test_help_loads_nothing_heavy():
    code = (
        "import sys\n"
        "from napari_comparewarp.cli import main\n"
        "try: main(['run', '--help'])\n"
        "finally: print('heavy:', {'numpy', 'astropy', 'numba', 'pydantic', 'scipy'}"
        " & set(sys.modules))\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "--psf-sigma" in done.stdout and "heavy: set()" in done.stdout


class Terminal(io.StringIO):
    def isatty(self):
        return True


def test_progress_names_the_stage_on_a_terminal(monkeypatch):
    monkeypatch.setattr(sys, "stderr", Terminal())
    with progress_bar(quiet=False) as progress:
        progress("template", 0, 4)
        progress("template", 4, 4)
        progress("coadd", 1, 2)
        progress("coadd", 2, 2)
    assert "template" in sys.stderr.getvalue()


def test_progress_is_silent_elsewhere_and_when_told_to(monkeypatch):
    monkeypatch.setattr(sys, "stderr", Terminal())
    with progress_bar(quiet=True) as progress:
        assert progress is None
    assert sys.stderr.getvalue() == ""
    monkeypatch.setattr(sys, "stderr", io.StringIO())
    with progress_bar(quiet=False) as progress:
        assert progress is None


def test_a_table_has_its_numbers_flush_right():
    table = format_table(("visit", "pixels"), [("a", "5"), ("bcd", "120"), ("e", "-")])
    assert table.splitlines() == [
        "visit  pixels",
        "a           5",
        "bcd       120",
        "e           -",
    ]

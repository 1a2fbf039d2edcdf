"""Errors are one line and an exit code, warnings one line, progress only on a terminal."""

import errno
import io
import subprocess
import sys
import warnings

import click
import pytest
from click.testing import CliRunner

from napari_comparewarp.cli import main
from napari_comparewarp.cli.common import CommandLine, debug_option, format_table, progress_bar
from napari_comparewarp.errors import CompareWarpWarning, ConfigError, OutputError, StackError


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

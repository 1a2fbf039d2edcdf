"""What all commands share: how errors, warnings, progress and tables look."""

import errno
import logging
import signal
import sys
import threading
import traceback
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any, TextIO

import click

from ..errors import CompareWarpError, CompareWarpWarning, one_line, plain_text, shortened
from .signals import Stopped, stop_no_more, stopping
from .streams import drop_unwritten, fill_missing_streams

__all__ = [
    "CommandLine",
    "debug_option",
    "echo",
    "format_table",
    "overwrite_option",
    "progress_bar",
    "quiet_option",
]

FAILED = 1
WRONG_INPUT = 2
#: As of other programs that a signal ends, 13 of them.
NOBODY_READS = 128 + 13

#: What is wrong with a path that was given, not with the disk beneath it.
_WRONG_PATH = (
    FileExistsError,
    FileNotFoundError,
    IsADirectoryError,
    NotADirectoryError,
    PermissionError,
)
_WRONG_NAME = (errno.ENAMETOOLONG, errno.ELOOP)

#: Letters of the line of an error, and of a warning, at most.
_LONGEST, _LONGEST_WARNING = 300, 700

_DEBUG = f"{__name__}.debug"


def _remember_debug(context: click.Context, _: click.Parameter, value: bool) -> None:
    # The dictionary is shared by a command and its group.
    context.meta[_DEBUG] = value or context.meta.get(_DEBUG, False)


debug_option = click.option(
    "--debug",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_remember_debug,
    help="Show where an error comes from.",
)
overwrite_option = click.option("--overwrite", is_flag=True, help="Replace files that exist.")
quiet_option = click.option("--quiet", is_flag=True, help="No progress bar and no summary.")


class CommandLine(click.Group):
    """A group of commands whose errors are one line and an exit code."""

    _alone = False

    def make_context(self, *args: Any, **extra: Any) -> click.Context:
        """Understand the words of the command line."""
        with self._kept_from_click():
            return super().make_context(*args, **extra)

    def invoke(self, ctx: click.Context) -> Any:
        """Run a command; with ``--debug``, show where its error comes from."""
        with self._kept_from_click():
            try:
                return super().invoke(ctx)
            except (click.exceptions.Exit, click.Abort):
                raise
            except (Exception, SystemExit):
                if ctx.meta.get(_DEBUG):
                    traceback.print_exc()
                raise

    @contextmanager
    def _kept_from_click(self) -> Iterator[None]:
        """Hide what click would take for an interrupt, or end the process at, in its own way."""
        try:
            yield
        except (EOFError, KeyboardInterrupt, OSError, SystemExit) as error:
            if self._alone and not isinstance(error, CompareWarpError):
                raise _KeptError(error) from error
            raise

    def main(
        self,
        args: Sequence[str] | None = None,
        prog_name: str | None = "comparewarp",
        complete_var: str | None = None,
        standalone_mode: bool = True,
        **extra: Any,
    ) -> Any:
        """Run the command line and, if it stands alone, leave with its exit code."""
        if not standalone_mode:
            return super().main(args, prog_name, complete_var, standalone_mode=False, **extra)
        fill_missing_streams()
        self._alone = True
        try:
            is_debugged = "--debug" in (sys.argv if args is None else args)
            with _quiet_others(is_debugged), stopping(), _warnings_as_lines():
                code = super().main(args, prog_name, complete_var, standalone_mode=False, **extra)
                sys.stdout.flush()
        except BaseException as error:
            code = _end(error.error if isinstance(error, _KeptError) else error)
        finally:
            self._alone = False
        if args is None:  # the process is this command's own
            stop_no_more()
        for stream in (sys.stdout, sys.stderr):
            drop_unwritten(stream)
        sys.exit(code if isinstance(code, int) else 0)


class _KeptError(Exception):
    """An error on its way past click."""

    def __init__(self, error: BaseException) -> None:
        self.error = error
        super().__init__()


def _end(error: BaseException) -> int:
    """Say why the command has failed, and return its exit code."""
    drop_unwritten(sys.stdout)
    if isinstance(error, BrokenPipeError):
        # Whoever reads has enough: no matter for a message.
        return NOBODY_READS
    if isinstance(error, (click.Abort, KeyboardInterrupt)):
        _remove_unfinished()
        stopped = error if isinstance(error, Stopped) else Stopped(signal.SIGINT)
        _report(f"{stopped}; nothing half written is left")
        return stopped.exit_code
    _report(_in_one_line(error))
    return _exit_code(error)


def _remove_unfinished() -> None:
    """Remove the files that a signal met in the very moment in which they were made."""
    if atomic := sys.modules.get("napari_comparewarp.io.atomic"):
        atomic.remove_unfinished()


def _exit_code(error: BaseException) -> int:
    """Return 2 if other words or files would help, and 1 if the work itself failed."""
    if isinstance(error, click.ClickException):
        return WRONG_INPUT
    if isinstance(error, OSError) and error.errno in _WRONG_NAME:
        return WRONG_INPUT
    if not isinstance(error, CompareWarpError):
        return FAILED
    # A full or failing disk shows in the error beneath; not always with a number.
    cause = error.__cause__
    if isinstance(error, OSError) and isinstance(cause, OSError):
        is_path = isinstance(cause, _WRONG_PATH) or cause.errno in _WRONG_NAME
        return WRONG_INPUT if is_path else FAILED
    return WRONG_INPUT


def _in_one_line(error: BaseException) -> str:
    """Return what an error says, without line breaks, and what helps further."""
    if isinstance(error, click.ClickException):
        message = plain_text(error.format_message())
        if isinstance(error, click.UsageError) and error.ctx is not None:
            message = f"{message.rstrip('.')} (see {error.ctx.command_path} --help)"
        return message
    message = one_line(error, named=True)
    is_clear = isinstance(error, CompareWarpError) or (
        isinstance(error, OSError) and error.strerror
    )
    return message if is_clear else f"{message} (--debug shows where)"


def _report(message: str) -> None:
    # Where standard error is full or gone, the exit code is all that is left.
    with suppress(OSError, ValueError):
        click.echo(shortened(f"comparewarp: error: {message}", _LONGEST), err=True)


def echo(text: str = "", **options: Any) -> None:
    """Print lines of text; a letter that would steer the terminal is printed as an escape.

    Parameters
    ----------
    text : str
    **options
        As `click.echo` takes them.
    """
    try:
        click.echo("\n".join(map(_plain_line, text.split("\n"))), **options)
    except OSError as error:
        raise OSError(error.errno, error.strerror, "standard output") from error


def _plain_line(line: str) -> str:
    # Blanks align columns.
    return line if line.isprintable() else "".join(plain_text(c) or " " for c in line)


@contextmanager
def _quiet_others(is_debugged: bool) -> Iterator[None]:
    """Keep what libraries log, and what they fail at in threads of their own, to ``--debug``."""
    if is_debugged:
        yield
        return
    quiet = logging.NullHandler()
    logging.getLogger().addHandler(quiet)
    hooks = sys.unraisablehook, threading.excepthook
    sys.unraisablehook = lambda _: None
    threading.excepthook = lambda _: None
    try:
        yield
    finally:
        sys.unraisablehook, threading.excepthook = hooks
        logging.getLogger().removeHandler(quiet)


@contextmanager
def _warnings_as_lines() -> Iterator[None]:
    """Print a warning as one line each; those that are not of this project with their kind."""
    with warnings.catch_warnings():
        warnings.simplefilter("always", CompareWarpWarning)

        def show(
            message: Warning | str,
            category: type[Warning],
            filename: str,
            lineno: int,
            file: TextIO | None = None,
            line: str | None = None,
        ) -> None:
            from tqdm import tqdm

            text = plain_text(str(message))
            if not issubclass(category, CompareWarpWarning):
                text = f"{category.__name__}: {shortened(text, 250)}"
            # Nowhere to print it is no reason to stop.
            with suppress(OSError, ValueError):
                # Steps aside from a progress bar, if one is there.
                tqdm.write(shortened(f"warning: {text}", _LONGEST_WARNING), file=sys.stderr)

        warnings.showwarning = show
        yield


@contextmanager
def progress_bar(quiet: bool) -> Iterator[Callable[[str, int, int], None] | None]:
    """Show progress on standard error, if that is a terminal.

    Parameters
    ----------
    quiet : bool
        Show nothing.

    Yields
    ------
    callable or None
        To be called as ``progress(stage, done, total)``.
    """
    if quiet or not sys.stderr.isatty():
        yield None
        return
    from tqdm import tqdm

    layout = "{desc} |{bar}| {n_fmt}/{total_fmt}  {elapsed}"
    with tqdm(leave=False, file=sys.stderr, bar_format=layout) as bar:
        current = ""

        def show(stage: str, done: int, total: int) -> None:
            nonlocal current
            if stage != current:
                current = stage
                bar.set_description(plain_text(stage), refresh=False)
                bar.reset(total)
            bar.update(done - bar.n)

        yield show


def format_table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return rows as aligned columns under a header; numbers are flush right.

    Parameters
    ----------
    header : sequence of str
        Name of each column.
    rows : sequence of sequence of str
        Cells.
    """
    columns = []
    lines = ([plain_text(cell) for cell in line] for line in (header, *rows))
    for name, *cells in zip(*lines, strict=True):
        width = max(len(cell) for cell in (name, *cells))
        adjust = str.rjust if all(_is_number(cell) for cell in cells) else str.ljust
        columns.append([adjust(cell, width) for cell in (name, *cells)])
    return "\n".join("  ".join(line).rstrip() for line in zip(*columns, strict=True))


def _is_number(cell: str) -> bool:
    """Whether a cell holds a number, or a dash for one that is missing."""
    return cell.lstrip("-").replace(".", "", 1).isdigit() or cell == "-"

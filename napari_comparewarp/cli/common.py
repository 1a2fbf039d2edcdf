"""What all commands share: how errors, warnings, progress and tables look."""

import io
import sys
import traceback
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, TextIO

import click

__all__ = [
    "CommandLine",
    "debug_option",
    "format_table",
    "overwrite_option",
    "progress_bar",
    "quiet_option",
]

FAILED = 1
WRONG_INPUT = 2
INTERRUPTED = 130

#: What is wrong with a path that was given, not with the disk beneath it.
_WRONG_PATH = (
    FileExistsError,
    FileNotFoundError,
    IsADirectoryError,
    NotADirectoryError,
    PermissionError,
)

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

    def invoke(self, ctx: click.Context) -> Any:
        """Run a command; with ``--debug``, show where its error comes from."""
        try:
            return super().invoke(ctx)
        except (click.exceptions.Exit, click.Abort):
            raise
        except Exception:
            if ctx.meta.get(_DEBUG):
                traceback.print_exc()
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
        for stream in (sys.stdout, sys.stderr):
            # The name of a file may hold bytes that no encoding has.
            if isinstance(stream, io.TextIOWrapper):
                stream.reconfigure(errors="backslashreplace")
        try:
            with _warnings_as_lines():
                code = super().main(args, prog_name, complete_var, standalone_mode=False, **extra)
        except (click.Abort, KeyboardInterrupt):
            code = INTERRUPTED
            _report("interrupted; nothing half written is left")
        except Exception as error:
            code = _exit_code(error)
            _report(_in_one_line(error))
        sys.exit(code if isinstance(code, int) else 0)


def _exit_code(error: Exception) -> int:
    """Return 2 if other words or files would help, and 1 if the work itself failed."""
    from ..errors import CompareWarpError

    if isinstance(error, click.ClickException):
        return WRONG_INPUT
    if not isinstance(error, CompareWarpError):
        return FAILED
    # A full or failing disk shows in the error beneath; not always with a number.
    cause = error.__cause__
    if isinstance(error, OSError) and isinstance(cause, OSError):
        return WRONG_INPUT if isinstance(cause, _WRONG_PATH) else FAILED
    return WRONG_INPUT


def _in_one_line(error: Exception) -> str:
    """Return what an error says, without line breaks, and what helps further."""
    from ..errors import CompareWarpError, one_line

    if isinstance(error, click.ClickException):
        message = " ".join(error.format_message().split())
        if isinstance(error, click.UsageError) and error.ctx is not None:
            message = f"{message.rstrip('.')} (see {error.ctx.command_path} --help)"
        return message
    message = one_line(error, named=True)
    is_clear = isinstance(error, CompareWarpError) or (
        isinstance(error, OSError) and error.strerror
    )
    return message if is_clear else f"{message} (--debug shows where)"


def _report(message: str) -> None:
    click.echo(f"comparewarp: error: {message}", err=True)


@contextmanager
def _warnings_as_lines() -> Iterator[None]:
    """Print this project's warnings as one line each, and leave others as they are."""
    from ..errors import CompareWarpWarning

    with warnings.catch_warnings():
        warnings.simplefilter("always", CompareWarpWarning)
        show_others = warnings.showwarning

        def show(
            message: Warning | str,
            category: type[Warning],
            filename: str,
            lineno: int,
            file: TextIO | None = None,
            line: str | None = None,
        ) -> None:
            if issubclass(category, CompareWarpWarning):
                from tqdm import tqdm

                # Steps aside from a progress bar, if one is there.
                tqdm.write(f"warning: {' '.join(str(message).split())}", file=sys.stderr)
            else:
                show_others(message, category, filename, lineno, file, line)

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
                bar.set_description(stage, refresh=False)
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
    for name, *cells in zip(header, *rows, strict=True):
        width = max(len(cell) for cell in (name, *cells))
        adjust = str.rjust if all(_is_number(cell) for cell in cells) else str.ljust
        columns.append([adjust(cell, width) for cell in (name, *cells)])
    return "\n".join("  ".join(line).rstrip() for line in zip(*columns, strict=True))


def _is_number(cell: str) -> bool:
    """Whether a cell holds a number, or a dash for one that is missing."""
    return cell.lstrip("-").replace(".", "", 1).isdigit() or cell == "-"

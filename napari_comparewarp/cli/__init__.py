"""The `comparewarp` command: one file a command, nothing heavy before it runs."""

import click

from .._version import __version__
from .batch import batch
from .common import CommandLine, debug_option
from .config import config
from .info import info
from .init import init
from .report import report
from .run import run
from .score import score
from .simulate import simulate
from .view import view

__all__ = ["main"]


@click.group(cls=CommandLine, no_args_is_help=False)
@click.version_option(__version__, prog_name="comparewarp")
@debug_option
def main() -> None:
    """Find artifacts in warps of one patch of sky, and coadd without them.

    Exit codes: 0 done; 1 failed while working; 2 the command line or the inputs
    are wrong; 129, 130 and 143 ended by SIGHUP, SIGINT and SIGTERM.
    """


for _command in (run, view, report, batch, simulate, score, info, init, config):
    main.add_command(_command)

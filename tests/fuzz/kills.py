"""Kills of writers at random moments: what is there afterwards is old and whole, or new and whole.

python tests/fuzz/kills.py 200 --seed 1
"""

import argparse
import random
import re
import shutil
import signal
import sys
import tempfile
from pathlib import Path

from fits_files import write_stack

from . import writers
from .runner import Runner

#: What a kill may leave beside whole files, until the next run in that folder.
_HIDDEN = "."

#: Commands that a signal ends in good order, and what they write.
COMMANDS = {
    "run": ["run", "warps", "-o", "out.fits", "--masks", "masks", "--regions", "r.reg"],
    "run spooled": ["run", "warps", "-o", "out.fits", "--memory", "100kB"],
    "report": ["report", "warps", "-o", "page.html"],
    "simulate": ["simulate", "night", "--epochs", "3", "--size", "200", "200"],
    "init": ["init", "warps", "-o", "stack.toml"],
}

#: Exit code after SIGTERM.
TERMINATED = 128 + signal.SIGTERM


class Kills:
    """Writers, each in a folder of its own where something whole lies already.

    Parameters
    ----------
    runner : Runner
    number : int
        Seed of the moments.
    """

    def __init__(self, runner, number):
        self._runner = runner
        self._random = random.Random(number)
        self._folder = tempfile.TemporaryDirectory(prefix="fk")
        self._seconds = {}
        self._whole = {}

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._folder.cleanup()

    def _place(self, name):
        folder = Path(self._folder.name) / name.replace(" ", "_")
        if not folder.exists():
            folder.mkdir()
            write_stack(folder / writers.STACK, (1, 2, 3, 4))
        return folder

    def kill_writer(self, name):
        """Kill a writer while it writes; return what is wrong then, and after the next run."""
        folder = self._place(name)
        if name not in self._seconds:
            self._whole[name] = []
            for times in (1, 2):
                self._must_write(name, folder, times)
                self._whole[name].append(_files(folder))
            outcome = self._runner.run(folder, [name, "2"], "writer")
            self._seconds[name] = outcome.seconds
        delay = self._random.uniform(0, self._seconds[name])
        outcome = self._runner.run(folder, [name, "0"], "writer", kill=(delay, signal.SIGKILL))
        if outcome.code != -signal.SIGKILL:
            return [f"{name}: ended by itself with {outcome.code}: {outcome.stderr[-500:]}"]
        after = _files(folder)
        wrong = []
        # Two nights have files of different names.
        if not any(whole <= after for whole in self._whole[name]):
            wrong = [f"{name}: {p.name} is gone" for p in sorted(self._whole[name][0] - after)]
        wrong += [f"{name}: {message}" for path in sorted(after) for message in _broken(path)]
        self._must_write(name, folder, 1)
        hidden = _hidden(folder)
        wrong += [f"{name}: the next run left {_in_words(path)} of the killed" for path in hidden]
        _remove(hidden)
        return wrong

    def _must_write(self, name, folder, times):
        outcome = self._runner.run(folder, [name, str(times)], "writer", seconds=120)
        assert outcome.code == 0, (name, outcome)

    def terminate_command(self, name):
        """End a command by SIGTERM; return what is wrong with that."""
        folder = self._place(name)
        words = [*COMMANDS[name], "--overwrite"]
        if name not in self._seconds:
            outcome = self._runner.run(folder, words, seconds=120)
            assert outcome.code == 0, (name, outcome)
            self._seconds[name] = outcome.seconds
        before = _files(folder)
        delay = self._random.uniform(0.02, self._seconds[name])
        outcome = self._runner.run(folder, words, kill=(delay, signal.SIGTERM))
        where = f"{name}, ended by SIGTERM"
        # Between the end of the command and that of the child nothing handles a signal.
        if outcome.code == 0 or (outcome.code == -signal.SIGTERM and "\nwrote " in outcome.stdout):
            wrong = []
        elif outcome.code != TERMINATED:
            wrong = [f"{where}: exit code {outcome.code}: {outcome.stderr[-500:]}"]
        elif len(outcome.stderr.splitlines()) != 1:
            wrong = [f"{where}: not one line: {outcome.stderr[-500:]}"]
        else:
            wrong = []
        after = _files(folder)
        wrong += [f"{where}: {path.name} is gone" for path in sorted(before - after)]
        wrong += [f"{where}: {message}" for path in sorted(after) for message in _broken(path)]
        hidden = [*_hidden(folder), *self._runner.temporary.iterdir()]
        wrong += [f"{where}: {_in_words(path)} is left" for path in hidden]
        _remove(hidden)
        return wrong


def _files(folder):
    """Return the files that a user sees."""
    paths = set(folder.rglob("*"))
    return {p for p in paths if p.is_file() and not _is_hidden(p, folder)}


def _hidden(folder):
    return sorted(
        path
        for path in folder.rglob("*")
        if path.name.startswith(_HIDDEN) or path.suffix == ".part"
    )


def _in_words(path):
    """Return the name of a file without what is drawn at random."""
    return re.sub(r"\.[0-9a-f]{8}\.|-\w{8}$", ".….", path.name)


def _remove(paths):
    """Remove what was said to be left, so that it is said once."""
    for path in paths:
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)


def _is_hidden(path, folder):
    return any(part.startswith(_HIDDEN) for part in path.relative_to(folder).parts)


def _broken(path):
    """Return what is wrong with a file that is not whole."""
    try:
        writers.is_whole(path)
    except Exception as error:
        return [f"{path.name} is not whole: {type(error).__name__}: {error}"]
    return []


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("count", type=int, nargs="?", default=200)
    parser.add_argument("--seed", type=int, default=1)
    words = parser.parse_args()
    kinds = [("kill_writer", name) for name in writers.names()]
    kinds += [("terminate_command", name) for name in COMMANDS]
    said = set()
    runner = Runner()
    with Kills(runner, words.seed) as kills:
        for number in range(words.count):
            what, name = kinds[number % len(kinds)]
            for message in getattr(kills, what)(name):
                said.add(message)
                print(message, flush=True)
    runner.close()
    print(f"{words.count} kills, {len(said)} complaints")
    return 1 if said else 0


if __name__ == "__main__":
    sys.exit(main())

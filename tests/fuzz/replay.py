"""Run one recipe again: ``PYTHONPATH=tests python -m fuzz.replay .fuzz/NAME.json [FOLDER]``.

With a folder, the files are left there to look at.
"""

import json
import shutil
import sys
from pathlib import Path

from .recipes import made
from .runner import Runner
from .trial import tried


def main(case, folder=None):
    content = json.loads(Path(case).read_text())
    recipe = content.get("recipe", content)
    with made(recipe) as mutant:
        print("comparewarp", *mutant.words)
        if folder is not None:
            shutil.copytree(mutant.folder, folder)
    outcome, found = tried(recipe, Runner())
    print(f"exit code {outcome.code}, {outcome.seconds:.1f} s, {outcome.memory / 1e6:.0f} MB")
    print(outcome.stderr, end="")
    for failure in found:
        print(f"WRONG: {failure.kind}: {failure.detail}")


if __name__ == "__main__":
    main(*sys.argv[1:])

"""What once broke, or could: refused in one line, or read and written whole."""

import json
import re
from pathlib import Path

import pytest
from fuzz.layouts import LAYOUTS
from fuzz.trial import tried

CORPUS = Path(__file__).parent / "corpus"

#: Cases that one test runs: as many as make the tests of a file about equally long.
PIECE = 20


def cases():
    """Return the cases of all files, in pieces."""
    for path in sorted(CORPUS.glob("*.jsonl")):
        lines = path.read_text("utf-8").splitlines()
        for start in range(0, len(lines), PIECE):
            piece = [json.loads(line) for line in lines[start : start + PIECE]]
            yield pytest.param(piece, id=f"{path.stem}-{start}")


def wrong_with(case, runner):
    """Return what is wrong with a case, a line each."""
    recipe = case["recipe"]
    if recipe.get("layout", "lsst") not in LAYOUTS:  # it needs what is not installed
        return
    outcome, found = tried(recipe, runner)
    for failure in found:
        yield f"{failure.kind}: {failure.detail[-400:]}"
    if "code" in case and outcome.code != case["code"]:
        yield f"exit code {outcome.code} and not {case['code']}: {outcome.stderr[-400:]!r}"
    if "says" in case and not re.search(case["says"], outcome.stderr):
        yield f"nothing of {case['says']!r}: {outcome.stderr[-400:]!r}"


@pytest.mark.parametrize("piece", list(cases()))
def test_what_once_broke_does_not_break_again(piece, runner):
    wrong = [
        f"{case['about']}: {message}\n    {json.dumps(case['recipe'])[:300]}"
        for case in piece
        for message in wrong_with(case, runner)
    ]
    assert not wrong, "\n".join(wrong)

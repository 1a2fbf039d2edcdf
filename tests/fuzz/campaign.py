"""`make fuzz`: many mutants, and what was wrong with them, each kind once.

    PYTHONPATH=tests python -m fuzz.campaign 10000 --seed 1 --jobs 2

Hypothesis draws the mutants. Of each kind of failure, the smallest recipe is kept,
without the edits that it does not need.
"""

import argparse
import collections
import hashlib
import json
import sys
import time
from concurrent.futures import ProcessPoolExecutor, as_completed
from pathlib import Path

from hypothesis import HealthCheck, Phase, given, seed, settings

from .recipes import as_text, fits_recipes, text_recipes, word_recipes
from .runner import Runner
from .texts import SLOW
from .trial import signatures, tried

#: Mutants that one process tries before it says what it found.
PIECE = 100

#: What is mutated, and its share; those that start a cluster take seconds each.
SHARES = {"fits": 0.6, "text": 0.27, "words": 0.125, "slow": 0.005}

_STRATEGIES = {
    "fits": fits_recipes,
    "text": text_recipes,
    "words": word_recipes,
    "slow": lambda: text_recipes(SLOW),
}

_runner = None


def runner():
    """Return the warm process of this one, for all its pieces."""
    global _runner
    _runner = _runner or Runner()
    return _runner


def try_some(what, count, number):
    """Try some mutants.

    Returns
    -------
    counts : Counter
        By how they ended, and by signature.
    failed : dict of str to dict
        By signature: the smallest recipe, and what was seen.
    """
    counts, failed = collections.Counter(), {}

    @seed(number)
    @settings(
        max_examples=count, database=None, deadline=None, phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    @given(_STRATEGIES[what]())
    def test(recipe):
        outcome, found = tried(recipe, runner())
        counts["failed" if found else f"exit code {outcome.code}"] += 1
        for name in set(signatures(recipe, found, runner())):
            counts[name] += 1
            if name not in failed or len(as_text(recipe)) < len(as_text(failed[name]["recipe"])):
                failed[name] = {
                    "recipe": recipe, "code": outcome.code, "stderr": outcome.stderr[-3000:],
                }  # fmt: skip

    test()
    return counts, failed


def smaller(recipe, name):
    """Return a recipe that fails the same way without the edits that it does not need."""
    for number in reversed(range(len(recipe.get("edits", ())))):
        if len(recipe["edits"]) == 1:
            break
        edits = [edit for index, edit in enumerate(recipe["edits"]) if index != number]
        shorter = recipe | {"edits": edits}
        _, found = tried(shorter, runner())
        if name in signatures(shorter, found, runner()):
            recipe = shorter
    return recipe


def pieces(count, number, only):
    """Return what is to be tried, piece by piece: what, how many, with which seed."""
    for what, share in SHARES.items():
        if only and what not in only:
            continue
        left = round(count * (1 / len(only) if only else share))
        while left > 0:
            number += 1
            yield what, min(left, PIECE), number
            left -= PIECE


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("count", type=int, nargs="?", default=1000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--only", action="append", choices=list(SHARES), default=[])
    parser.add_argument("--found", type=Path, default=Path(".fuzz"), help="where failures are kept")
    words = parser.parse_args()
    began, counts, failed = time.monotonic(), collections.Counter(), {}
    todo = list(pieces(words.count, 1000 * words.seed, words.only))
    with ProcessPoolExecutor(words.jobs) as pool:
        futures = [pool.submit(try_some, *piece) for piece in todo]
        for number, future in enumerate(as_completed(futures), 1):
            counted, found = future.result()
            counts += counted
            for name, case in found.items():
                if name not in failed:
                    failed[name] = case
                    print(f"\r{name}\n    {keep(words.found, name, case)}", flush=True)
            print(f"\r{number} of {len(todo)} pieces", end="", file=sys.stderr, flush=True)
        small = {name: pool.submit(smaller, case["recipe"], name) for name, case in failed.items()}
        for name, future in small.items():
            failed[name]["recipe"] = future.result()
    print(file=sys.stderr)
    tell(counts, failed, words.found, time.monotonic() - began)
    return 1 if failed else 0


def keep(folder, name, case):
    """Write what is known of a kind of failure to a file; return its path."""
    folder.mkdir(parents=True, exist_ok=True)
    place = folder / f"{hashlib.sha256(name.encode()).hexdigest()[:10]}.json"
    place.write_text(json.dumps({"signature": name, **case}, indent=1) + "\n")
    return place


def tell(counts, failed, folder, seconds):
    """Print what there was, and keep a recipe of each kind of failure."""
    total = sum(n for name, n in counts.items() if name not in failed)
    for name, count in counts.most_common():
        if name not in failed:
            print(f"{count:6}  {name}")
            continue
        print(f"{count:6}  {name}\n        {keep(folder, name, failed[name])}")
    print(f"{total} mutants in {seconds:.0f} s, {len(failed)} kinds of failure")


if __name__ == "__main__":
    sys.exit(main())

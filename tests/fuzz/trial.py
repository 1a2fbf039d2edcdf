"""One mutant, tried: made, run in a child, and judged."""

from . import oracle
from .oracle import Failure
from .recipes import made


def tried(recipe, runner):
    """Return the outcome of a recipe and what is wrong with it."""
    with made(recipe) as mutant:
        before = oracle.snapshot(mutant.folder)
        outcome = runner.run(mutant.folder, mutant.words, mutant.action)
        is_batch = mutant.words[:1] == ["batch"]
        found = oracle.failures(outcome, mutant.words)
        if not outcome.hung and outcome.code >= 0:
            after = oracle.snapshot(mutant.folder)
            found += oracle.left_over(before, after, runner.temporary, outcome.code, is_batch)
        if mutant.is_signed and outcome.code == 0:
            found.append(Failure("damage under DATASUM not seen", outcome.stderr))
    return outcome, found


def signatures(recipe, found, runner):
    """Return a signature for each failure; the mutant is run again to see where it is from."""
    trace = ""
    if any(failure.kind not in ("hang", "crash", "too long") for failure in found):
        with made(recipe) as mutant:
            if mutant.action == "command" and mutant.words:
                trace = runner.run(mutant.folder, [*mutant.words, "--debug"]).stderr
    return [oracle.signature(failure, trace) for failure in found]

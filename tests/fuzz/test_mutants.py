"""Mutants of every layout and every text format, always the same ones: `make fuzz` tries others.

No crash, no hang, no foreign error, nothing lost: see `oracle`. A mutant that fails is made
as small as hypothesis can; put what it prints into `corpus`.
"""

import pytest
from fuzz.layouts import LAYOUTS
from fuzz.recipes import as_text, fits_recipes, text_recipes, word_recipes
from fuzz.texts import SEEDS, SLOW
from fuzz.trial import tried
from hypothesis import HealthCheck, given, settings

#: Mutants of each group; each takes about a fifth of a second.
COUNT = 8

#: Layouts and formats, in groups whose tests take about equally long.
GROUPS = 5

_formats = [name for name in SEEDS if name not in SLOW]
STRATEGIES = {
    **{f"layouts {n}": fits_recipes(tuple(LAYOUTS)[n::GROUPS]) for n in range(GROUPS)},
    **{f"formats {n}": text_recipes(tuple(_formats[n::3])) for n in range(3)},
    "words": word_recipes(),
}


@pytest.mark.parametrize("what", STRATEGIES)
def test_a_mutant_is_read_and_written_whole_or_refused_in_one_line(what, runner):
    @settings(
        max_examples=COUNT, derandomize=True, database=None, deadline=None,
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    @given(STRATEGIES[what])
    def check(recipe):
        _, found = tried(recipe, runner)
        wrong = "\n".join(f"{failure.kind}: {failure.detail[-2000:]}" for failure in found)
        assert not found, f"{as_text(recipe)}\n{wrong}"

    check()

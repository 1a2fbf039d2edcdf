"""Words of the command line that are wrong, or nearly right."""

from hypothesis import strategies as st

from .hostile import NUMBERS, TEXTS

_text = st.one_of(st.sampled_from(TEXTS), st.text(max_size=8))
_value = st.one_of(
    st.sampled_from(NUMBERS),
    _text,
    st.sampled_from(["{}", "{'SAT': 0.1}", "{'SAT': 'x'}", "{1: 2}", "['BAD']", "BAD,SAT", ",",
                     "none", "true", "(" * 3000, "[" * 100, "-" * 3000 + "1", "9" * 5000, "1e999",
                     "b'x'", "{'SAT': 1e400}", "['A B']", "A'B,C", "ABCDEFGHIJ" * 9, "1" * 60,
                     "0.1+0j", "...", "{'a': {}}", "'\\x1b[2J'", "BAD," * 200]),
)  # fmt: skip


@st.composite
def _settings(draw):
    from napari_comparewarp.config.knobs import CompareWarpConfig

    names = [*CompareWarpConfig.model_fields, "detect.thresholdValue", "config.maxNumEpochs", ""]
    name = draw(st.one_of(st.sampled_from(names), st.sampled_from(names), _text))
    return ["--set", f"{name}={draw(_value)}"]


@st.composite
def _assumed(draw):
    from napari_comparewarp.io.assumptions import Assumptions

    name = draw(st.one_of(st.sampled_from([*Assumptions.model_fields]), _text))
    return ["--assume", f"{name}={draw(_value)}"]


def _option(name):
    return st.tuples(st.just(name), _value).map(list)


_of_run = st.one_of(
    _settings(), _settings(), _assumed(), _assumed(),
    *map(_option, ["--psf-sigma", "--memory", "--preset", "--dialect", "--config", "--where",
                   "--collections", "--bright-objects", "--set", "--assume", "--regions",
                   "--footprints", "--masks", "--lsst-config"]),
)  # fmt: skip


#: Names of files and folders that are there, or are not.
_place = st.one_of(
    st.sampled_from(["warps", "warps/direct_0.fits", "none.json", "warps/", "."]), _text, _value
)

#: Commands, with options of any kind that take a value.
_of_commands = {
    ("info",): ["--dialect", "--assume"],
    ("init",): ["--dialect", "--assume", "-o"],
    ("report",): ["-o", "--psf-sigma", "--config", "--preset", "--set", "--assume", "--truth"],
    ("batch",): ["--workers", "--scheduler"],
    ("score",): ["--truth", "--masks", "--json"],
    ("config", "convert"): ["--to"],
    ("config", "show"): ["--preset", "--config"],
    ("config", "diff"): ["--to"],
    ("simulate",): ["--seed", "--epochs", "--size"],
    ("view",): ["--config", "--preset", "--set", "--memory", "--bright-objects"],
}


@st.composite
def _any_command(draw):
    """Draw a command with places and options, most of which it has not or cannot take."""
    command = draw(st.sampled_from(sorted(_of_commands)))
    places = draw(st.lists(_place, max_size=2))
    options = draw(st.lists(st.sampled_from(_of_commands[command]), max_size=2))
    rest = [word for option in options for word in (option, draw(_value))]
    if command == ("view",) or command == ("simulate",):  # a window, or a night of any size
        rest.append("--no-such-option")
    return [*command, *places, *rest]


def _joined(options):
    return [word for option in options for word in option]


def _is_harmless(words):
    """Whether no word is an absolute place, one above the folder of the test, or hidden."""
    return not any(
        word.startswith(("/", "~", ".")) or "\0" in word or "=/" in word for word in words
    )


def _is_soon_done(sizes):
    """Whether a night of this size is small, or beyond all measure, or no size."""
    try:
        area = int(sizes[0]) * int(sizes[1])
    except ValueError:
        return True
    return not 200_000 < area < 10**12


#: Words that can be given to a program, without a place outside of the folder.
words = st.one_of(
    st.lists(_of_run, min_size=1, max_size=3).map(
        lambda options: ["run", "warps", "-o", "out.fits", *_joined(options)]
    ),
    st.lists(st.one_of(_assumed(), _option("--dialect")), min_size=1, max_size=2).map(
        lambda options: ["info", "warps", *_joined(options)]
    ),
    st.lists(st.one_of(_assumed(), _option("--dialect")), min_size=1, max_size=2).map(
        lambda options: ["init", "warps", *_joined(options)]
    ),
    _text.map(lambda name: ["run", "warps", "-o", f"{name}.fits"]),
    st.tuples(_value, _value).filter(_is_soon_done).map(
        lambda pair: ["simulate", "night", "--epochs", "2", "--size", *pair]
    ),
    _value.map(lambda seed: ["simulate", "night", "--epochs", "1", "--size", "32", "32",
                             "--seed", seed]),
    _value.map(lambda name: ["config", "diff", name, "dmtn-080"]),
    st.lists(_text, max_size=4),
    _any_command(),
    _any_command(),
).filter(_is_harmless)  # fmt: skip

"""What must be true of every mutant, and how what is not is told from each other."""

import re
from dataclasses import dataclass

from .actions import WRONG_OUTPUT

#: Letters that a line of an error, or of a warning, may have beside a name that was given.
LONGEST, LONGEST_WARNING = 300, 700

#: What is longer is no path, and has to be cut where it is shown.
LONGEST_PATH = 400

#: Bytes of resident memory above which a mutant of a few kB takes too much.
MOST_MEMORY = 1_500_000_000

#: Whole sentences of this program begin so.
_ERROR, _WARNING = "comparewarp: error: ", "warning: "

#: What a batch says of a patch.
_OF_PATCH = re.compile(r"\S+: (failed|note): ")

#: Words of Python and of libraries, which say nothing to an astronomer.
_FOREIGN = re.compile(
    r"""Traceback|\b[A-Z]\w*(Error|Exception|Warning)\b|NoneType|--debug|errors?\.pydantic|pydantic
    |\[type=|object\ (has\ no|is\ not)|'(str|int|float|bool|list|dict|tuple|bytes)'\ (object|and)
    |not\ supported\ between|unsupported\ operand
    |index\ \S+\ is\ out\ of\ bounds|index\ out\ of\ range|cannot\ be\ interpreted|unhashable
    |positional\ argument|unexpected\ keyword|broadcast|codec\ can't|not\ subscriptable
    |not\ iterable|must\ be\ real\ number|wcslib|ERROR\ \d+\ in|astropy\.|numpy\.|docs\.
    |too\ many\ values|not\ enough\ values|expected\ at\ (least|most)|buffer\ (is|size)
    |Python\ (int|integer)|C\ (long|ssize_t)|recursion|digits\)\ for\ integer|sys\.
    |embedded\ null|surrogates\ not""",
    re.VERBOSE,
)

_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f\x80-\x9f\u2028\u2029\u202a-\u202e]")


@dataclass(frozen=True)
class Failure:
    """One thing that must not be.

    Attributes
    ----------
    kind : str
        In a word or two.
    detail : str
        What was seen.
    """

    kind: str
    detail: str


def failures(outcome, words=()):
    """Return what is wrong with the end of a child, as a user sees it.

    Parameters
    ----------
    outcome : Outcome
    words : sequence of str
        Of its command line: a path among them may be in a line, whole.
    """
    is_batch = words[:1] == ["batch"]
    spare = max([len(word) for word in words if len(word) < LONGEST_PATH], default=0)
    if outcome.hung:
        return [Failure("hang", outcome.stderr)]
    if outcome.code < 0:
        return [Failure("crash", f"signal {-outcome.code}\n{outcome.stderr}")]
    found = []
    if outcome.code == WRONG_OUTPUT:
        found.append(Failure("wrong output", outcome.stderr))
    elif outcome.code not in ((0, 1, 2) if is_batch else (0, 2)):
        found.append(Failure(f"exit code {outcome.code}", outcome.stderr))
    else:
        found += _of_lines(outcome, is_batch, spare)
    if outcome.memory > MOST_MEMORY:
        found.append(Failure("memory", f"{outcome.memory / 1e9:.1f} GB"))
    if outcome.left_running:
        found.append(Failure("processes left", outcome.stderr))
    if _CONTROL.search(outcome.stdout):
        found.append(Failure("control characters", outcome.stdout))
    return found


def _of_lines(outcome, is_batch, spare):
    lines = outcome.stderr.removesuffix("\n").split("\n") if outcome.stderr else []
    errors = [line for line in lines if line.startswith(_ERROR)]
    if outcome.code == 2 and len(errors) != 1 and outcome.stderr:
        yield Failure("not one error line", outcome.stderr)
    if outcome.code == 0 and errors:
        yield Failure("an error and exit code 0", outcome.stderr)
    for line in lines:
        is_of_patch = is_batch and _OF_PATCH.match(line)
        if not (line.startswith((_ERROR, _WARNING)) or is_of_patch):
            yield Failure("a foreign line", outcome.stderr)
        elif _FOREIGN.search(line):
            yield Failure("a foreign error", line)
        elif _CONTROL.search(line):
            yield Failure("control characters", line)
        elif len(line) > spare + (LONGEST if line.startswith(_ERROR) else LONGEST_WARNING):
            yield Failure("too long", line)


def snapshot(folder):
    """Return the content of all files in a folder."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() or path.is_symlink()
    }


def left_over(before, after, temporary, code, is_batch=False):
    """Return what is wrong with what a child has left on the disk."""
    changed = [name for name, content in before.items() if after.get(name) != content]
    if changed and not is_batch:
        yield Failure("an input changed", ", ".join(changed))
    new = sorted(set(after) - set(before))
    if code not in (0, WRONG_OUTPUT) and new and not is_batch:
        yield Failure("output of a failed run", ", ".join(new))
    hidden = [name for name in new if name.endswith(".part") or "/." in f"/{name}"]
    if hidden:
        yield Failure("a temporary file left", ", ".join(hidden))
    rest = sorted(path.name for path in temporary.iterdir())
    if rest:
        yield Failure("TMPDIR not empty", ", ".join(rest))


#: What differs from mutant to mutant: paths, numbers, what is quoted.
_PASSING = re.compile(r"'[^']*'|\"[^\"]*\"|\S*/\S*|[-+]?\d[\w.+-]*|\b(nan|inf|NaN)\b|[^\x20-\x7e]+")

_FRAME = re.compile(
    r'File "[^"]*?((?:napari_comparewarp|site-packages)/[^"]*)", line (\d+),? in (\S+)'
)


def signature(failure, trace=""):
    """Return what failures of one kind have in common: where they are from, or what they say."""
    first = re.split(r"\n(?:The above exception|During handling)", trace or failure.detail)[0]
    frames = _FRAME.findall(first)
    own = [f"{path}:{line} {name}" for path, line, name in frames if path.startswith("napari_c")]
    if own and failure.kind in ("hang", "crash"):
        return f"{failure.kind}: {own[0]}"  # faulthandler has the innermost first
    text = _PASSING.sub("…", failure.detail.strip().split("\n")[-1][:1000])[:120]
    if own and failure.kind != "too long":
        return f"{failure.kind}: {own[-1]}: {_error_of(trace) or text}"
    return f"{failure.kind}: {text}"


def _error_of(trace):
    """Return the kinds of error in a traceback, the first one first."""
    kinds = re.findall(
        r"^([A-Za-z_.]*(?:Error|Exception|Warning|Interrupt))\b", trace, re.MULTILINE
    )
    return " > ".join(kind.rpartition(".")[2] for kind in kinds)

"""Damage to text files: other values, other tokens, lines moved, bytes that are no text."""

import json
import re

from hypothesis import strategies as st

from .hostile import CONTROL, NUMBERS, TEXTS, literals

#: Numbers, texts in quotes, words and marks, as most languages have them.
_TOKEN = re.compile(r'"(?:[^"\\\n]|\\.)*"|\'(?:[^\'\\\n]|\\.)*\'|[-+]?[\w.]+|[^\w\s]')

#: Numbers, words for values and texts in quotes.
_LITERAL = re.compile(
    r'"(?:[^"\\\n]|\\.)*"|(?<![\w#.])(?:[-+]?\d[\w.+-]*|true|false|null|NaN)(?!\w)'
)

#: Letters of a text: edits after each other multiply.
LONGEST = 3_000_000

_place = st.integers(0, 2**16)
_part = st.floats(0, 1, width=32)

_value = literals(
    '"', "null", "true", "false", "[]", "{}", "[[]]", "[null]", '{"a": 1}', '["a", "b"]', "''",
    "[1, 2]", "{x = 1}", "2020-01-01", "1979-05-27T07:32:00Z", "1e400", "-1e400", "[NaN]", "None",
    "(1, 2)", "f()", "__import__('os').system('false')", "a.b.c", "1 + 1", "-", "*", "",
)  # fmt: skip

#: Anything that JSON can hold, and numbers in all their spellings.
_anything = st.recursive(
    st.one_of(
        st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=8),
        st.sampled_from(TEXTS),
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=4,
).map(json.dumps)  # fmt: skip
_spelt = st.from_regex(
    r"[-+]?[0-9_]{0,20}[.,]?[0-9]{0,20}([eEdD][-+]?[0-9]{1,4})?[jLf%]?", fullmatch=True
)

_depth = st.sampled_from([20, 200, 2000, 100_000])

edits = st.lists(
    st.one_of(
        st.tuples(st.just("value"), _place, _value),
        st.tuples(st.just("value"), _place, _value),
        st.tuples(st.just("value"), _place, _spelt),
        st.tuples(st.just("node"), _place, _anything),
        st.tuples(st.just("key"), _place, st.one_of(st.sampled_from(TEXTS), st.text(max_size=8))),
        st.tuples(st.just("splice"), _part, _part, st.integers(1, 400)),
        st.tuples(st.just("token"), _place, st.sampled_from([*NUMBERS, *TEXTS, *"()[]{}=:,'\"-"])),
        st.tuples(st.just("token drop"), _place),
        st.tuples(st.just("token swap"), _place, _place),
        st.tuples(st.just("line drop"), _place),
        st.tuples(st.just("line copy"), _place, _place),
        st.tuples(st.just("line swap"), _place, _place),
        st.tuples(st.just("insert"), _part, st.sampled_from([*CONTROL, *TEXTS])),
        st.tuples(st.just("bytes"), _part, st.binary(min_size=1, max_size=4).map(bytes.hex)),
        st.tuples(st.just("cut"), _part),
        st.tuples(st.just("encode"), st.sampled_from(["utf-16", "utf-8-sig", "latin-1", "utf-32"])),
        st.tuples(st.just("nest"), _place, _depth, st.sampled_from(["[", '{"a":', "(", "-", "x."])),
        st.tuples(st.just("digits"), _place, st.sampled_from([30, 400, 5000, 100_000])),
        st.tuples(st.just("repeat"), _place, st.sampled_from([2, 300])),
    ),
    min_size=1,
    max_size=3,
)

_CLOSING = {"[": "]", '{"a":': "}", "(": ")", "-": "", "x.": ""}


def edited(text, edits):
    """Return the bytes of a text with the damage of some edits."""
    encoding = "utf-8"
    after = []
    for name, *where in edits:
        if name == "encode":
            encoding = where[0]
        elif name == "bytes":
            after.append(where)
        else:
            text = _EDITS[name](text, *where)[:LONGEST]
    content = text.encode(encoding, "backslashreplace")
    for part, damage in after:
        place = int(part * len(content))
        content = content[:place] + bytes.fromhex(damage) + content[place:]
    return content


def _values(text):
    """Return where the values are; a text before a colon or an equals sign is a name."""
    return [
        one
        for one in _LITERAL.finditer(text)
        if not (
            one[0].startswith('"') and text[one.end() : one.end() + 2].lstrip(" ")[:1] in (":", "=")
        )
    ]


def _tokens(text):
    return list(_TOKEN.finditer(text))


def _replaced(find, text, place, change):
    found = find(text)
    if not found:
        return text
    one = found[place % len(found)]
    return text[: one.start()] + change(one[0]) + text[one.end() :]


def _token_swap(text, place, other):
    found = _tokens(text)
    if len(found) < 2:
        return text
    first, second = sorted((found[place % len(found)], found[other % len(found)]),
                           key=lambda one: one.start())  # fmt: skip
    if first.start() == second.start():
        return text
    return (
        text[: first.start()] + second[0] + text[first.end() : second.start()]
        + first[0] + text[second.end() :]
    )  # fmt: skip


def _on_lines(change):
    def act(text, *where):
        lines = text.split("\n")
        change(lines, *(place % len(lines) for place in where))
        return "\n".join(lines)

    return act


def _line_swap(lines, one, other):
    lines[one], lines[other] = lines[other], lines[one]


def _replace(text, old, new):
    assert old in text, f"the seed has no {old!r} any more"
    return text.replace(old, new, 1)


def _nodes(content, found):
    """Collect where a value or a name stands in the values of a JSON text."""
    items = list(content.items() if isinstance(content, dict) else enumerate(content))
    for key, value in items:
        found.append((content, key))
        if isinstance(value, (dict, list)):
            _nodes(value, found)
    return found


def _json(text, place, change):
    """Change one place of a JSON text, whose values are as deep as they are; others stay."""
    try:
        content = json.loads(text)
        found = _nodes(content, []) if isinstance(content, (dict, list)) else []
        if found:
            change(*found[place % len(found)])
        return json.dumps(content, indent=1)
    except (ValueError, RecursionError):
        return text


def _node(text, place, new):
    return _json(text, place, lambda where, key: where.__setitem__(key, json.loads(new)))


def _key(text, place, name):
    def change(where, key):
        if isinstance(where, dict):
            where[name] = where.pop(key)

    return _json(text, place, change)


def _splice(text, part, other, count):
    start, target = int(part * len(text)), int(other * len(text))
    return text[:target] + text[start : start + count] + text[target:]


def _insert(text, part, more):
    place = int(part * len(text))
    return text[:place] + more + text[place:]


_EDITS = {
    "value": lambda text, place, new: _replaced(_values, text, place, lambda _: new),
    "token": lambda text, place, new: _replaced(_tokens, text, place, lambda _: new),
    "token drop": lambda text, place: _replaced(_tokens, text, place, lambda _: ""),
    "token swap": _token_swap,
    "line drop": _on_lines(lambda lines, one: lines.pop(one)),
    "line copy": _on_lines(lambda lines, one, other: lines.insert(other, lines[one])),
    "line swap": _on_lines(_line_swap),
    "insert": _insert,
    "node": _node,
    "key": _key,
    "splice": _splice,
    # For the corpus: it is not drawn, and says what it changes.
    "replace": _replace,
    "cut": lambda text, part: text[: int(part * len(text))],
    "nest": lambda text, place, depth, opening: _replaced(
        _values, text, place, lambda old: opening * depth + old + _CLOSING[opening] * depth
    ),
    "digits": lambda text, place, count: _replaced(_values, text, place, lambda _: "7" * count),
    "repeat": lambda text, place, count: _replaced(_tokens, text, place, lambda old: old * count),
}

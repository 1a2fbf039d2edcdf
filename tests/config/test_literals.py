"""Python text is parsed, never executed, and parsing it comes to an end."""

import time

import pytest

from napari_comparewarp.config.literals import parse_literal, parse_statements, quoted

MANY = 100_000


@pytest.mark.parametrize(
    "text",
    [
        "(" * MANY, "a = " + "-" * MANY + "1", "a = 1" + " + 1" * MANY, "a" + ".b" * MANY + " = 1",
        "a = " + "9" * 5000, "a = 1\0", "a = '\ud800'", "a[" * 300, "a = (", "  a = 1\nb = 2",
        "a = 1\n" * 20_001, "a = 1" + " if 1 else 1" * 20_000, "a" + "[1]" * MANY + " = 1",
        "not " * MANY + "a", "{1:" * 5000, "f'{" * 5000, "lambda: " * 5000, " " * (9 << 20),
    ],
)  # fmt: skip
def test_what_is_no_python_or_too_much_is_refused_in_one_line(text):
    start = time.monotonic()
    with pytest.raises(ValueError) as error:
        parse_statements(text)
    assert time.monotonic() - start < 5
    assert "\n" not in str(error.value)
    assert len(str(error.value)) < 200


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("5", 5), ("-0x10", -16), ("'a'", "a"), ("[1, 2.5]", [1, 2.5]),
        ("{'SAT': 0.1}", {"SAT": 0.1}),
        ("None", None), ("True", True), ("float('inf')", float("inf")), ("(1, 'b')", (1, "b")),
    ],
)  # fmt: skip
def test_literals_have_their_value(text, value):
    assert parse_literal(text) == value


@pytest.mark.parametrize(
    "text",
    [
        "'a' * 10**9", "10 ** 10 ** 10", "1 << 10**9", "a", "f()", "[x for x in 'abc']", "{[1]: 2}",
        "1; 2", "", "a = 5", "__import__('os')", "0x" + "f" * 6000, "'\\ud800'", "'\\0'",
        "f'{1}'", "(yield)", "float('1')", "--" * 40 + "x",
    ],
)  # fmt: skip
def test_nothing_but_a_literal_has_a_value_and_nothing_is_computed(text):
    start = time.monotonic()
    with pytest.raises(ValueError):
        parse_literal(text)
    assert time.monotonic() - start < 2


def test_a_backslash_before_a_letter_gives_no_warning():
    assert parse_literal(r"'\d'") == r"\d"


@pytest.mark.parametrize("text", ["a" + ".b" * 400, "0x" + "f" * 6000, "-" * 90 + "1"])
def test_any_expression_can_be_quoted(text):
    (statement,) = parse_statements(text)
    assert len(quoted(statement)) < 80

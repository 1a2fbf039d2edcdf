"""Numbers and texts that programs trip over."""

from hypothesis import strategies as st

#: As they stand in a file.
NUMBERS = [
    "0", "-1", "1", "2", "0.5", "-0.0", "1e-6", "1e-300", "5e-324", "1e308", "1e309", "-1e308",
    "NaN", "nan", "inf", "-inf", "Infinity", "127", "128", "255", "256", "32768", "65536",
    "2147483647", "2147483648", "-2147483648", "-2147483649", "4294967295", "4294967296",
    "9223372036854775807", "9223372036854775808", "18446744073709551616", "1" + "0" * 40,
    "0x10", "1_000", "1.5", "1e9", "1e6", "100000", "3.0",
]  # fmt: skip

#: Without marks around them.
TEXTS = [
    "", " ", "x", "none", "true", "False", "direct", "../..", "/", "/dev/null", "~", "*", "a b",
    "µJy", "é", "漢字", "A" * 70, "A" * 300, "A" * 5000, "}", "{", "]", "#", "%s", "%n%n", "{0}",
    "a}b", "a'b", 'a"b', "\\", "\\u0000", "a\\nb", "CON", "nul", "-o", "--overwrite", "=",
    "2020-01-01", "2020-13-45T99:99:99", "NO_DATA", "1e5", "éÁ", "\u202eabc", "\ufeff",
]  # fmt: skip

#: Letters that no text file should have, or that end things.
CONTROL = ["\0", "\x01", "\x1b[2J", "\x7f", "\x85", "\u2028", "\r", "\t", "\n", "\x0c"]


def literals(quote, *words):
    """Return a strategy of values as they stand in a file: numbers, words, texts in quotes."""
    return st.one_of(
        st.sampled_from([*NUMBERS, *words]),
        st.sampled_from(TEXTS).map(lambda text: f"{quote}{text}{quote}"),
        st.integers().map(str),
        st.floats().map(repr),
        st.text(max_size=12).map(lambda text: f"{quote}{printable(text)}{quote}"),
    )


def printable(text):
    """Return a text that UTF-8 holds: what it does not is kept as its name."""
    return text.encode("utf-8", "backslashreplace").decode("utf-8")

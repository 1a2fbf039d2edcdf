"""Text from others ends in values or in one line, whatever it holds, in bounded time."""

import os
import re
import threading
import time
from pathlib import Path

import pytest

from napari_comparewarp.config import text_file
from napari_comparewarp.config.text_file import (
    parse_json,
    parse_toml,
    place_in_words,
    read_json,
    read_text,
    read_toml,
    shown,
    worded,
)
from napari_comparewarp.errors import ConfigError, StackError

MANY = 100_000


def refusal(parse, text):
    """Return why a text is refused, which has to be one short line, and soon."""
    start = time.monotonic()
    with pytest.raises(ValueError) as error:
        parse(text)
    assert time.monotonic() - start < 5
    message = str(error.value)
    assert "\n" not in message
    assert len(message) < 250
    assert message.isprintable()
    return message


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[" * MANY, "deeper than 64"),
        ('{"a":' * MANY, "deeper than 64"),
        ("[" * 70 + "]" * 70, "deeper than 64"),
        ("9" * 5000, "too many digits"),
        (f'{{"a": {"9" * 4000}}}', "a = 9.*; a whole number has at most 64 bits"),
        ('{"a": [1, NaN]}', r"a\[1\] = nan; a number has to be finite"),
        ('{"a": -Infinity}', "a = -inf; a number has to be finite"),
        ('{"a": 1e999}', "a = inf; a number has to be finite"),
        ('{"a": 1, "b": 2, "a": 1}', "the key 'a' stands twice"),
        (f"{{{','.join(f'''{chr(34)}{n % 50_000}{chr(34)}:0''' for n in range(MANY))}}}", "twice"),
        ('{"a": "\\ud800"}', r"a = '\\ud800'; a text cannot hold half a character"),
        ('{"\\udfff": 1}', "half a character"),
        ('{"a": ["x\\u0000y"]}', r"a\[0\] = 'x\\x00y'; a text cannot hold a character 0"),
        ("", "Expecting value"),
        ("NaN", "value = nan"),
        ('{"a": 1} 2', "Extra data"),
    ],
)
def test_json_that_no_field_could_use_is_refused(text, said):
    assert re.search(said, refusal(parse_json, text))


def test_what_is_right_in_json_comes_back_as_it_is():
    text = '{"a": [1, -2.5, true, null, "\\ud83d\\ude00 é"], "b": {"c": 18446744073709551615}}'
    assert parse_json(text) == {"a": [1, -2.5, True, None, "😀 é"], "b": {"c": 2**64 - 1}}
    # The name of a file on an old disk, whose bytes are no UTF-8.
    assert parse_json('["caf\\udce9.fits"]') == [os.fsdecode(b"caf\xe9.fits")]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a = " + "[" * MANY, "deeper than 64"),
        ("a" + ".a" * MANY + " = 1", "deeper than 64"),
        (f"[{'a . ' * MANY}a]", "deeper than 64"),
        ("".join(f'"{n}".' for n in range(MANY)) + "a = 1", "deeper than 64"),
        (f"x = {{ {'a.' * MANY}a = 1 }}", "deeper than 64"),
        ("a = " + "9" * 5000, "more than 1000 letters"),
        ("a = 0x" + "f" * 5000, "more than 1000 letters"),
        ("a = 0x" + "f" * 20, "at most 64 bits"),
        ("a = 1\na = 2", "overwrite"),
        ('a = "x\\u0000"', "a character 0"),
        ("a = 2024-02-30", "nvalid"),
        ("a", "after a key"),
    ],
)
def test_toml_that_no_field_could_use_is_refused(text, said):
    assert said in refusal(parse_toml, text)


def test_dots_and_brackets_in_texts_and_comments_of_toml_are_no_depth():
    text = f"# {'a.' * 500}\na = \"{'b.' * 500}\"\nc = '''{'[' * 500}'''\nd = inf # {'[' * 99}\n"
    content = parse_toml(text)
    assert (len(content["a"]), len(content["c"]), content["d"]) == (1000, 500, float("inf"))


@pytest.mark.parametrize(
    "data",
    [
        b"caf\xe9", b"\xff\xfea\0", "a = 1".encode("utf-16"), "a = 1".encode("utf-16-le"),
        b"a\0b", b"\xed\xa0\x80",
    ],
)  # fmt: skip
def test_what_is_no_utf8_is_refused_with_the_class_that_is_asked_for(tmp_path, data):
    path = tmp_path / "a.txt"
    path.write_bytes(data)
    with pytest.raises(StackError, match=r"a\.txt: no text in UTF-8"):
        read_text(path, StackError)


def test_marks_and_ends_of_lines_are_no_part_of_a_text(tmp_path):
    path = tmp_path / "a.txt"
    path.write_bytes(b"\xef\xbb\xbfone\r\ntwo\rthree\n")
    assert read_text(path) == "one\ntwo\nthree\n"


def test_no_more_is_read_than_a_text_may_have(tmp_path, monkeypatch):
    monkeypatch.setattr(text_file, "LARGEST_TEXT", 1 << 20)
    path = tmp_path / "a.txt"
    path.write_bytes(b" " * (1 << 20))
    assert len(read_text(path)) == 1 << 20
    path.write_bytes(b" " * ((1 << 20) + 1))
    with pytest.raises(ConfigError, match=r"a\.txt: more than the 1 MiB"):
        read_text(path)


@pytest.mark.skipif(not Path("/dev/zero").exists(), reason="no devices here")
def test_a_device_without_an_end_is_refused(monkeypatch):
    monkeypatch.setattr(text_file, "LARGEST_TEXT", 1 << 20)
    with pytest.raises(ConfigError, match="/dev/zero: more than the 1 MiB"):
        read_text(Path("/dev/zero"))


def test_a_text_may_be_too_long_for_its_format(monkeypatch):
    monkeypatch.setattr(text_file, "_LARGEST_JSON", 1 << 20)
    monkeypatch.setattr(text_file, "_LARGEST_TOML", 1 << 20)
    text = " " * ((1 << 20) + 1)
    assert "the 1 MiB that may be read as JSON" in refusal(parse_json, text)
    assert "the 1 MiB that may be read as TOML" in refusal(parse_toml, text)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes with a name here")
def test_a_pipe_that_nobody_writes_to_is_empty_and_one_that_is_written_to_is_read(tmp_path):
    path = tmp_path / "pipe"
    os.mkfifo(path)
    assert read_text(path) == ""
    # Held open, so that there is a writer when it is opened for reading.
    reader = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    writer = os.open(path, os.O_WRONLY)

    def write():
        os.write(writer, b"a = 1\n")
        os.close(writer)

    thread = threading.Thread(target=write)
    thread.start()
    assert read_toml(path) == {"a": 1}
    thread.join()
    os.close(reader)


@pytest.mark.parametrize("name", ["a\0b", "x" * 300, "y/" * 5000, "\ud800", "", "..", "."])
def test_a_name_that_no_file_has_is_refused_in_one_line(tmp_path, name):
    for read in (read_text, read_json, read_toml):
        with pytest.raises(ConfigError) as error:
            read(tmp_path / name)
        assert "\n" not in str(error.value)


def test_a_file_is_named_with_what_it_is_not(tmp_path):
    (tmp_path / "a").write_text("[")
    with pytest.raises(StackError, match=r"/a: not readable as JSON: "):
        read_json(tmp_path / "a", StackError)
    with pytest.raises(ConfigError, match=r"/a: not readable as TOML: "):
        read_toml(tmp_path / "a")


def test_values_are_shown_short_and_in_printable_letters():
    assert shown(-1) == "-1"
    assert shown("a\n\x1b[31m") == r"'a\n\x1b[31m'"
    assert len(shown("x" * MANY)) < 70
    assert len(shown([["x"] * 50] * 50)) < 500
    assert len(shown(10**4000)) < 70
    assert "digits" in shown(16**5000)
    assert (worded("psf_sigma"), worded("a\nb")) == ("psf_sigma", r"'a\nb'")
    assert place_in_words(("inputs", 3, "psf_sigma")) == "inputs[3].psf_sigma"
    assert place_in_words(("a", "b\n", 0, 1)) == r"a.'b\n'[0][1]"

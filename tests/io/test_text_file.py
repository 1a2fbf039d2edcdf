"""Text that people and spreadsheets have written."""

import os

import pytest
from fits_files import make_planes, write_lsst

import napari_comparewarp as cw
from napari_comparewarp.config.text_file import read_text
from napari_comparewarp.errors import ConfigError, StackError
from napari_comparewarp.io.text_file import printable, read_table

ECSV = "# %ECSV 1.0\n# ---\n# datatype:\n# - {name: a, datatype: int64}\n"

MARKS = ["utf-8", "utf-8-sig"]


@pytest.mark.parametrize("encoding", MARKS)
@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_marks_and_ends_of_lines_are_no_part_of_a_table(tmp_path, encoding, newline):
    path = tmp_path / "a.csv"
    path.write_bytes(newline.join(["path,visit", "é.fits,7", ""]).encode(encoding))
    table = read_table(path)
    assert table.colnames == ["path", "visit"]
    assert table["path"].tolist() == ["é.fits"]


@pytest.mark.parametrize("encoding", MARKS)
def test_every_text_that_is_read_may_have_a_mark(tmp_path, encoding):
    for visit in (1, 2, 3):
        write_lsst(tmp_path / f"w{visit}.fits", make_planes(visit))
    manifest = tmp_path / "m.csv"
    manifest.write_text("path\nw1.fits\nw2.fits\nw3.fits\n", encoding=encoding)
    stack = cw.read_stack(manifest)
    inspection = cw.Inspection(stack)
    inspection.save(tmp_path / "i.json")
    text = (tmp_path / "i.json").read_text()
    (tmp_path / "i.json").write_text(text, encoding=encoding)
    assert cw.Inspection.load(tmp_path / "i.json").stack.n_epochs == 3


@pytest.mark.parametrize("error", [StackError, ConfigError])
def test_what_cannot_be_read_is_refused_with_the_right_class(tmp_path, error):
    with pytest.raises(error, match=r"none\.txt: No such file"):
        read_text(tmp_path / "none.txt", error)
    (tmp_path / "latin.txt").write_bytes(b"caf\xe9")
    with pytest.raises(error, match=r"latin\.txt: no text in UTF-8"):
        read_text(tmp_path / "latin.txt", error)


def test_names_that_are_no_utf8_become_ones_that_can_be_written():
    assert printable(os.fsdecode(b"N\xe9buleuse")) == "Nébuleuse"
    assert printable("Nébuleuse") == "Nébuleuse"


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("a.csv", "path,visit,path\na,1,b\n", "the column 'path' stands twice"),
        ("a.csv", " path , path\na,1\n", "the column 'path' stands twice"),
        ("a.csv", 'path,visit\n"a.fits,1\nb.fits,2\n', "a quote in it is not closed"),
        ("a.csv", "path\n\0\n", "a byte 0"),
        ("a.csv", "p" * 200_000 + "\n1\n", "not a readable table"),
        ("a.ecsv", "path\na\n", "not a readable table"),
        ("a.ecsv", ECSV + "# - {name: a, datatype: int64}\na a\n1 2\n", "'a' stands twice"),
        ("a.ecsv", ECSV + "# meta: " + "[" * 100_000 + "\na\n1\n", "not a readable table"),
        ("a.ecsv", ECSV + "# meta: " + "9" * 5000 + "\na\n1\n", "not a readable table"),
        ("a.ecsv", ECSV + "# meta: !!python/object/apply:os.getcwd []\na\n1\n", "not a readable"),
        ("a.ecsv", ECSV + "a\nx\n", "not a readable table"),
    ],
)
def test_tables_that_could_be_read_wrongly_are_refused(tmp_path, name, text, message):
    (tmp_path / name).write_text(text)
    with pytest.raises(StackError, match=rf"{name}: .*{message}") as error:
        read_table(tmp_path / name)
    assert "\n" not in str(error.value)


def test_a_number_of_more_than_64_bits_is_a_text_and_nothing_is_printed_of_it(tmp_path, capfd):
    (tmp_path / "a.csv").write_text(f"path,visit\na.fits,{'1' * 25}\nb.fits,2\n")
    assert read_table(tmp_path / "a.csv")["visit"].tolist() == ["1" * 25, "2"]
    assert capfd.readouterr() == ("", "")

"""Text and tables are the same bytes whatever the system's encoding and line ends."""

import ast
import os
import subprocess
import sys
from pathlib import Path

from astropy.table import Table

import napari_comparewarp
from napari_comparewarp.config.text_file import read_text
from napari_comparewarp.io.plain_files import write_table, write_text
from napari_comparewarp.io.text_file import read_table

PROGRAM = r"""
import sys
from pathlib import Path
from astropy.table import Table
from napari_comparewarp.io.plain_files import write_table, write_text

folder = Path(sys.argv[1])
write_text(folder / "text", "\u00b5Jy\n")
write_table(folder / "table.ecsv", Table({"visit": ["N\u00e4chte \U0001d7d9"]}))
"""


def test_text_and_tables_come_back_as_they_were(tmp_path):
    write_text(tmp_path / "text", "µJy\nγ\n")
    assert (tmp_path / "text").read_bytes() == "µJy\nγ\n".encode()
    assert read_text(tmp_path / "text") == "µJy\nγ\n"
    table = Table({"visit": ["Nächte 𝟙", "b"], "n": [1, 2]})
    write_table(tmp_path / "table.ecsv", table)
    assert b"\r" not in (tmp_path / "table.ecsv").read_bytes()
    again = read_table(tmp_path / "table.ecsv")
    assert again["visit"].tolist() == table["visit"].tolist()


def test_the_encoding_of_the_locale_is_not_asked(tmp_path):
    ascii_only = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    subprocess.run(
        [sys.executable, "-c", PROGRAM, tmp_path], env={**os.environ, **ascii_only}, check=True
    )
    assert (tmp_path / "text").read_bytes() == "µJy\n".encode()
    assert read_table(tmp_path / "table.ecsv")["visit"].tolist() == ["Nächte 𝟙"]


def test_ends_of_lines_are_chosen_wherever_text_is_written():
    package = Path(napari_comparewarp.__file__).parent
    calls = [
        (path.name, node)
        for path in package.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and getattr(node.func, "attr", "") == "write_text"
    ]
    assert calls
    assert not [
        f"{name}:{node.lineno}"
        for name, node in calls
        if "newline" not in {keyword.arg for keyword in node.keywords}
    ]

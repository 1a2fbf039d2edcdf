"""The documentation tells the truth: its commands, knobs, modules and examples are there."""

import importlib.util
import re
import shlex
import shutil
from pathlib import Path

import click
import numpy as np
import pytest

import napari_comparewarp
from napari_comparewarp import CompareWarpConfig
from napari_comparewarp.cli import main
from napari_comparewarp.cli.knobs import choose_config

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def code_blocks(page, language):
    return [text for kind, text in BLOCK.findall(page.read_text()) if kind == language]


def shell_lines(command):
    """Yield the page and the words of each line of the documentation that begins so."""
    for page in PAGES:
        for block in code_blocks(page, "shell"):
            for line in block.replace("\\\n", " ").splitlines():
                words = shlex.split(line, comments=True)
                if words[:1] == [command]:
                    yield page, words[1:]


def load(name):
    """Import a script of the documentation's folder."""
    spec = importlib.util.spec_from_file_location(name, ROOT / "docs" / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_every_make_target_that_is_named_exists():
    makefile = (ROOT / "Makefile").read_text()
    targets = {words[0] for _, words in shell_lines("make")}
    assert {"demo", "test"} <= targets
    missing = {name for name in targets if not re.search(rf"^{name}:", makefile, re.MULTILINE)}
    assert not missing


def test_the_newcomers_two_commands_stand_at_the_top_of_the_readme():
    first = code_blocks(ROOT / "README.md", "shell")[0]
    assert [line.split()[:2] for line in first.splitlines()] == [["make", "demo"], ["make", "test"]]
    assert (ROOT / "README.md").read_text().index(first) < 100


def test_every_command_line_that_is_shown_is_understood():
    shown = list(shell_lines("comparewarp"))
    assert len(shown) > 10
    for page, words in shown:
        command, context = main, click.Context(main)
        while isinstance(command, click.Group) and not words[0].startswith("-"):
            name, *words = words
            command = command.get_command(context, name)
            assert command is not None, f"{page.name}: no command {name}"
        if "--help" not in words:
            command.make_context("comparewarp", words)


def test_every_setting_that_is_shown_is_a_knob_within_its_range():
    settings = [
        words[place + 1]
        for _, words in shell_lines("comparewarp")
        for place, word in enumerate(words)
        if word == "--set"
    ]
    assert settings
    choose_config(None, None, tuple(settings))


def test_the_table_of_knobs_has_each_of_them_once():
    rows = re.findall(r"^\| `(\w+)`", load("tables").knob_table(), re.MULTILINE)
    assert sorted(rows) == sorted(CompareWarpConfig.model_fields)


def test_the_method_explains_every_knob():
    text = (ROOT / "docs" / "method.md").read_text()
    missing = [name for name in CompareWarpConfig.model_fields if f"`{name}`" not in text]
    assert not missing


def test_every_module_behind_the_command_line_has_its_place_in_the_reference():
    pages = (ROOT / "docs" / "api").glob("*.md")
    listed = re.findall(
        r"automodule:: napari_comparewarp\.([\w.]+)", "".join(page.read_text() for page in pages)
    )
    package = ROOT / "napari_comparewarp"
    rooms = ("algorithm", "io", "report", "batch")
    modules = {
        ".".join(path.relative_to(package).with_suffix("").parts)
        for room in rooms
        for path in (package / room).rglob("[!_]*.py")
    }
    assert modules == {name for name in listed if name.partition(".")[0] in rooms}


def test_the_page_on_files_explains_every_column_of_the_footprint_table():
    image = np.zeros((3, 8, 8), np.float32)
    stack = napari_comparewarp.WarpStack.from_arrays(image, image + 1, psf_sigma=1.0)
    columns = napari_comparewarp.run(stack).footprints.colnames
    section = (ROOT / "docs" / "files.md").read_text().partition("### Footprint table")[2]
    assert not [name for name in columns if f"`{name}`" not in section.partition("###")[0]]


def test_every_public_name_is_in_the_reference():
    text = (ROOT / "docs" / "api" / "index.md").read_text()
    listed = re.findall(r"auto(?:function|class):: (\w+)$", text, re.MULTILINE)
    # The layers need napari, so that a star import leaves them out.
    assert sorted(listed) == sorted([*napari_comparewarp.__all__, "inspection_to_layers"])


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_to_files_that_are_there(page):
    links = re.findall(r"\]\((?!https?:)([^)#\s]+)", page.read_text())
    missing = [link for link in links if not (page.parent / link).exists()]
    # Figures of the pages are drawn when these are built.
    assert not [link for link in missing if not link.startswith("generated/")]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_python_that_is_shown_runs(page, tmp_path, monkeypatch):
    shutil.copytree(ROOT / "sample_data", tmp_path / "sample_data")
    monkeypatch.chdir(tmp_path)
    names = {}
    for block in code_blocks(page, "python"):
        exec(compile(block, str(page), "exec"), names)

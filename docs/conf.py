"""Configuration of Sphinx; tables and figures are generated from the code at every build."""

import sys
from pathlib import Path

import napari_comparewarp

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE))

import figures  # noqa: E402
import tables  # noqa: E402

project = "napari-comparewarp"
author = "The napari-comparewarp developers"
version = release = napari_comparewarp.__version__

extensions = [
    "myst_parser",
    "numpydoc",
    "sphinx.ext.autodoc",
    "sphinx.ext.mathjax",
    "sphinx_click",
]
exclude_patterns = ["_build", "generated/*.md", "performance_table.md"]
html_theme = "pydata_sphinx_theme"
html_title = "napari-comparewarp"
html_theme_options = {"show_prev_next": True, "navigation_with_keys": True}
html_show_sourcelink = False

myst_enable_extensions = ["dollarmath", "colon_fence", "deflist"]
myst_heading_anchors = 3

# Single backticks of a docstring are names: of a parameter as often as of a function.
default_role = "code"
nitpick_ignore_regex = [
    ("py:class", r"(collections|numpy|npt|np|typing)\..*"),
    ("py:class", r"Q[A-Z]\w+"),
    ("py:class", r"pydantic\..*"),
]
# Docstrings give shapes, units and ranges; bare types would only repeat half of that.
autodoc_typehints = "none"
autodoc_member_order = "bysource"
numpydoc_show_class_members = False


def generate_pages(app):
    """Write the generated tables and figures to the folder that pages include them from."""
    folder = HERE / "generated"
    folder.mkdir(exist_ok=True)
    (folder / "knobs.md").write_text(tables.knob_table(), encoding="utf-8")
    (folder / "stages.md").write_text(tables.stage_table(), encoding="utf-8")
    (folder / "dialects.md").write_text(tables.dialect_table(), encoding="utf-8")
    (folder / "assumptions.md").write_text(tables.assumption_table(), encoding="utf-8")
    (folder / "presets.md").write_text(tables.preset_table(), encoding="utf-8")
    figures.draw_effective_maximum(folder / "effective_maximum.svg")
    figures.draw_verdict_plane(folder / "verdict_plane.svg")


def setup(app):
    """Generate tables and figures before any page is read."""
    app.connect("builder-inited", generate_pages)

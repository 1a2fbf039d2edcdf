"""Imports run one way through the package, and the headless rooms know no window."""

import ast
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "napari_comparewarp"

#: From the ground up: a room imports its own and those before it.
FLOORS = (
    "errors", "config", "algorithm", "io", "result", "inspection", "review", "report", "outputs",
    ("gui", "batch", "cli"),
)  # fmt: skip

FLOOR_OF = {
    room: floor
    for floor, rooms in enumerate(FLOORS)
    for room in ((rooms,) if isinstance(rooms, str) else rooms)
}

WINDOWS = {"napari", "qtpy", "magicgui", "superqt", "pyqtgraph", "vispy"}


def name_of(path):
    parts = path.relative_to(PACKAGE.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = {name_of(path): path for path in sorted(PACKAGE.rglob("*.py"))}


def imports_of(name):
    """Return the names that a module imports, wherever in it: for types and in functions too."""
    path = MODULES[name]
    package = name.split(".") if path.name == "__init__.py" else name.split(".")[:-1]
    found = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            above = package[: len(package) - node.level + 1] if node.level else []
            base = ".".join([*above, *filter(None, [node.module])])
            found |= {base, *(f"{base}.{alias.name}" for alias in node.names)}
    return found


IMPORTS = {name: imports_of(name) for name in MODULES}

#: Faces load lazily what they name: they are no way through the package.
ARROWS = {
    name: {
        other for other in IMPORTS[name]
        if other in MODULES and other != name and MODULES[other].name != "__init__.py"
    }
    for name, path in MODULES.items()
    if path.name != "__init__.py"
}  # fmt: skip


def floor_of(name):
    parts = name.split(".")
    return FLOOR_OF.get(parts[1]) if len(parts) > 1 else None


def test_no_import_runs_up():
    up = [
        f"{name} imports {other}"
        for name, others in ARROWS.items()
        for other in others
        if None not in (floor_of(name), floor_of(other)) and floor_of(name) < floor_of(other)
    ]
    assert not up


def test_no_import_runs_in_a_circle():
    left = {name: set(others) for name, others in ARROWS.items()}
    # What imports nothing that is left can be in no circle.
    while free := {name for name, others in left.items() if not others & left.keys()}:
        left = {name: others for name, others in left.items() if name not in free}
    assert not left


@pytest.mark.parametrize("room", ["algorithm", "io", "result", "inspection", "review", "report"])
def test_rooms_without_a_window_import_none(room):
    for name, imported in IMPORTS.items():
        if name.split(".")[1:2] == [room]:
            assert not WINDOWS & {other.partition(".")[0] for other in imported}, name


def test_the_algorithm_knows_no_files_and_no_command_line():
    for name, imported in IMPORTS.items():
        if name.split(".")[1:2] == ["algorithm"]:
            assert not any(other.startswith("astropy.io") for other in imported), name
            assert not {"click", "argparse", "sys"} & imported, name


def test_the_window_has_at_its_top_only_what_holds_it_together():
    top = {path.stem for path in (PACKAGE / "gui").glob("*.py")}
    assert top == {"__init__", "dock", "keys", "preferences", "session"}


def test_each_module_of_the_algorithm_has_tests_of_its_own():
    tests = Path(__file__).parent / "algorithm"
    missing = [
        str(path.relative_to(PACKAGE))
        for path in (PACKAGE / "algorithm").rglob("[!_]*.py")
        if not (
            tests / path.relative_to(PACKAGE / "algorithm").parent / f"test_{path.stem}.py"
        ).exists()
    ]
    assert not missing

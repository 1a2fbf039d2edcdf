"""What a child does: the command line, a reader of the window, an inspection."""

import os
import sys
import traceback
import warnings
from pathlib import Path

#: Exit code of a child that did its work, and whose output does not come back as it was written.
WRONG_OUTPUT = 90


def run(action, words):
    """Do what is asked for, and return the exit code that a user would see."""
    try:
        return ACTIONS[action](words)
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else 1
    except BaseException:
        traceback.print_exc()
        return 91


def prepare(action, words):
    """Make what takes long before the fork."""
    if action == "writer":
        from . import writers

        writers.prepare(words[0])


def begun():
    """Tell the warm process that the work begins now."""
    if "FUZZ_BEGUN" in os.environ:
        os.write(int(os.environ["FUZZ_BEGUN"]), b"!")


def writer(words):
    """Write over and over, until the child is killed."""
    from . import writers

    begun()
    return writers.write_over_and_over(words)


def command_line(words):
    """Run `comparewarp` with these words; what it wrote has to come back the same."""
    from napari_comparewarp.cli import main
    from napari_comparewarp.outputs import Outputs

    written = []
    write = Outputs.write

    def write_and_remember(self, source, *more, **options):
        written.append((self.paths, source.result))
        return write(self, source, *more, **options)

    Outputs.write = write_and_remember
    begun()
    try:
        main(words)
    except SystemExit as end:
        code = end.code or 0
    finally:
        Outputs.write = write
    if code == 0:
        from . import read_back

        for paths, result in written:
            for complaint in read_back.complaints(paths, result):
                print(complaint, file=sys.stderr)
                code = WRONG_OUTPUT
    return code


def reader(words):
    """Open paths as napari does without a window, and say errors as the command line does."""
    from napari_comparewarp.errors import CompareWarpWarning
    from napari_comparewarp.gui.plugin.readers import get_reader

    def look():
        read = get_reader(words[0] if len(words) == 1 else words)
        if read is None:
            return 2
        for layer in read(words[0] if len(words) == 1 else words):
            layer[0].shape if hasattr(layer[0], "shape") else layer[0]
        return 0

    return _in_one_line(look, CompareWarpWarning)


def inspection(words):
    """Load an inspection, decide, save it beside itself and load that."""
    from napari_comparewarp.errors import CompareWarpWarning
    from napari_comparewarp.inspection.inspection import Inspection

    def inspect():
        loaded = Inspection.load(words[0])
        ids = list(loaded.result.footprints["id"])
        if ids:
            loaded.override(ids[0], "keep")
        loaded.save(Path(words[1]), overwrite=False)
        again = Inspection.load(words[1])
        same = again.config == loaded.config and again.overrides == loaded.overrides
        loaded.close()
        again.close()
        return 0 if same else WRONG_OUTPUT

    return _in_one_line(inspect, CompareWarpWarning)


def _in_one_line(act, own_warning):
    from napari_comparewarp.errors import CompareWarpError

    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", own_warning)
        try:
            code = act()
        except CompareWarpError as error:
            print(f"comparewarp: error: {error}", file=sys.stderr)
            code = 2
    for warning in caught:
        mine = issubclass(warning.category, own_warning)
        print(f"{'warning' if mine else 'foreign warning'}: {warning.message}", file=sys.stderr)
    return code


ACTIONS = {"command": command_line, "reader": reader, "inspection": inspection,
           "writer": writer}  # fmt: skip


def warm_up(folder):
    """Compile the kernels and import what commands import when they run."""
    from fits_files import write_stack

    write_stack(folder / "warps", compressed=True)
    stack, out = str(folder / "warps"), str(folder / "out.fits")
    more = ["--footprints", str(folder / "t.ecsv"), "--regions", str(folder / "r.reg")]
    steps = [
        ["run", stack, "-o", out, *more, "--set", "filter_streaks=true"],
        ["info", stack],
        ["report", stack, "-o", str(folder / "a.html")],
    ]
    for words in steps:
        if command_line(words) != 0:
            raise RuntimeError(f"the warm-up {words[0]} failed")
    # Not run here: threads of OpenMP, which napari's kernels start, survive no fork.
    try:
        import napari.layers  # noqa: F401

        import napari_comparewarp.gui.layers.layer_set  # noqa: F401
        import napari_comparewarp.gui.plugin.readers  # noqa: F401
    except ImportError:  # without the window there is no reader to try
        ACTIONS["reader"] = command_line

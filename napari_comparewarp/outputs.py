"""What can be made of a result, and where it goes: checked before the work, written after it.

`PRODUCTS` is the one list. The options of the command line, the export section
of the window and the products of a batch are made from it: another product is
a writer, and an entry there.
"""

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .algorithm.parallel import Progress
    from .inspection.inspection import Inspection
    from .result.result import CompareWarpResult

__all__ = ["PRODUCTS", "Outputs", "Product", "Source"]

#: Bytes of a footprint in each kind of file, measured on simulated nights.
_ROW = {".ecsv": 250, ".fits": 250, ".reg": 500}

#: What compression leaves of a mask, measured there too.
_MASK_RATIO = 0.04

#: All pictures, bytes, whatever the size of a large patch: they are scaled down.
_PICTURES = 6_000_000

#: A report with its pictures and stamps, bytes.
_REPORT = 3_000_000

#: An inspection without decisions and inputs, and each of these, bytes.
_INSPECTION, _INSPECTION_ENTRY = 2_000, 220


@dataclass(frozen=True)
class Source:
    """What products are made of.

    Attributes
    ----------
    result : CompareWarpResult
    inspection : Inspection or None
        Where the result is from, if it is from one.
    """

    result: "CompareWarpResult"
    inspection: "Inspection | None" = None


#: Writes a product to a path, and may replace what is there. It may return what the
#: products after it are to be made of.
Writer = Callable[[Source, Path, bool], Source | None]


@dataclass(frozen=True)
class Product:
    """One thing that can be written.

    Attributes
    ----------
    title : str
        What it is, for a form.
    endings : tuple of str
        What its file may be called, the usual first; empty for a folder.
    write : callable
        Called with a `Source`, the path, and whether it may replace what is
        there.
    size : callable
        Called with the result and the path; about how many bytes it takes. A
        compressed coadd: at most.
    options : tuple of str
        Of `comparewarp run`; empty where there is none.
    help : str
        What the option does.
    required : bool
        Whether that option must be given.
    suffix : str
        What its name adds to that of the coadd.
    chosen : bool
        Whether the window proposes to write it.
    in_batch : str or None
        What a batch adds to the name of a patch to name it; None: a batch does
        not make it.
    pattern : str
        Of a folder, the files that are part of the product.
    part : callable or None
        Of a folder with a file for each epoch, the path of one.
    besides : tuple of str
        Names of further files in such a folder.
    """

    title: str
    endings: tuple[str, ...]
    write: Writer
    size: Callable[["CompareWarpResult", Path], int]
    options: tuple[str, ...] = ()
    help: str = ""
    required: bool = False
    suffix: str = ""
    chosen: bool = False
    in_batch: str | None = None
    pattern: str = "*"
    part: Callable[[Path, Any], Path] | None = field(default=None)
    besides: tuple[str, ...] = ()

    @property
    def is_folder(self) -> bool:
        """Whether it is a folder of files."""
        return not self.endings

    def files(self, path: Path, epochs: Sequence[Any]) -> list[Path]:
        """Return the files that it consists of, or would replace.

        Parameters
        ----------
        path : Path
            Where it is.
        epochs : sequence
            Ids of the epochs.
        """
        if not self.is_folder:
            return [path]
        if self.part is not None:
            parts = [self.part(path, epoch) for epoch in epochs]
            return [*parts, *(path / name for name in self.besides)]
        return sorted(path.iterdir()) if path.is_dir() else []


# The writers are imported where they are used: what one needs is not loaded for the others,
# and the command line reads this list before it knows what it is asked for.


def _save_inspection(source: Source, path: Path, overwrite: bool) -> Source:
    """Save an inspection, and return the result that belongs to what was saved."""
    inspection = source.inspection
    assert inspection is not None
    result = inspection.result
    inspection.save(path, overwrite)
    # A change may land meanwhile; the other products must not belong to other settings.
    while inspection.result is not result or inspection.config != result.config:
        result = inspection.result
        inspection.save(path, overwrite=True)
    return Source(result, inspection)


def _size_of_inspection(result: "CompareWarpResult", path: Path) -> int:
    return _INSPECTION + _INSPECTION_ENTRY * len(result.stack.inputs)


def _write_coadd(source: Source, path: Path, overwrite: bool) -> None:
    source.result.write(path, overwrite)


def _size_of_coadd(result: "CompareWarpResult", path: Path) -> int:
    stack = result.stack
    pixels = stack.shape[0] * stack.shape[1]
    # IMAGE, MASK and VARIANCE are words of four bytes, NIMAGE of two.
    return 14 * pixels + (8 * -(-stack.n_epochs // 64) * pixels if result.config.input_map else 0)


def _write_masks(source: Source, path: Path, overwrite: bool) -> None:
    from .result.files import write_masks

    write_masks(source.result, path, overwrite)


def _mask_of(folder: Path, epoch: Any) -> Path:
    from .io.write import mask_path

    return mask_path(folder, epoch)


def _write_artifact_masks(source: Source, path: Path, overwrite: bool) -> None:
    from .result.artifact_masks import write_artifact_masks

    write_artifact_masks(source.result, path, overwrite)


def _artifact_mask_of(folder: Path, epoch: Any) -> Path:
    from .result.artifact_masks import artifact_mask_path

    return artifact_mask_path(folder, epoch)


def _size_of_masks(result: "CompareWarpResult", path: Path) -> int:
    stack = result.stack
    return int(4 * stack.shape[0] * stack.shape[1] * stack.n_epochs * _MASK_RATIO)


def _write_footprints(source: Source, path: Path, overwrite: bool) -> None:
    from .result.files import write_footprints

    write_footprints(source.result, path, overwrite)


def _write_regions(source: Source, path: Path, overwrite: bool) -> None:
    from .result.files import write_regions

    write_regions(source.result, path, overwrite)


def _size_of_rows(result: "CompareWarpResult", path: Path) -> int:
    # Counted without the table, which takes longer than all else here.
    return _ROW[path.suffix.lower()] * len(result.footprint_set)


def _write_lsst_config(source: Source, path: Path, overwrite: bool) -> None:
    from .result.files import write_lsst_config

    write_lsst_config(source.result, path, overwrite)


def _size_of_lsst_config(result: "CompareWarpResult", path: Path) -> int:
    return len(result.config.to_lsst())


def _write_pictures(source: Source, path: Path, overwrite: bool) -> None:
    from .report.pictures import write_debug_products

    write_debug_products(source.result, path, overwrite)


def _size_of_pictures(result: "CompareWarpResult", path: Path) -> int:
    return _PICTURES + 2 * result.stack.shape[0] * result.stack.shape[1]


def _write_report(source: Source, path: Path, overwrite: bool) -> None:
    from .report.page import write_report

    inspection, result = source.inspection, source.result
    # Only an inspection remembers what a sheet of sensitivities needs.
    is_present = inspection is not None and inspection.result is result
    write_report(inspection if is_present and inspection else result, path, overwrite)


def _size_of_report(result: "CompareWarpResult", path: Path) -> int:
    return _REPORT


#: By name, in the order in which they are written.
PRODUCTS: Mapping[str, Product] = {
    "inspection": Product(
        "settings and decisions", (".json",), _save_inspection, _size_of_inspection,
        suffix="_inspection", chosen=True,
    ),
    "coadd": Product(
        "coadd", (".fits", ".fits.fz", ".fits.gz", ".fit"), _write_coadd, _size_of_coadd,
        options=("-o", "--output"), help="The coadd, FITS.", required=True, chosen=True,
        in_batch=".fits",
    ),
    "masks": Product(
        "masks of the warps", (), _write_masks, _size_of_masks,
        options=("--masks",), help="Write the masks of the direct warps.", suffix="_masks",
        in_batch="_masks", pattern="clipped_*.fits.fz", part=_mask_of,
    ),
    "artifact_masks": Product(
        "artifact masks for cell coadds", (), _write_artifact_masks, _size_of_masks,
        options=("--artifact-masks",),
        help="Write one mask a visit, as Rubin's cell coadds take them.",
        suffix="_artifact_masks", pattern="compare_warp_artifact_mask_*.fits",
        part=_artifact_mask_of, besides=("cells.ecsv",),
    ),
    "footprints": Product(
        "footprint table", (".ecsv", ".fits"), _write_footprints, _size_of_rows,
        options=("--footprints",), help="Write the candidates, .ecsv or .fits.",
        suffix="_footprints", chosen=True, in_batch=".ecsv",
    ),
    "regions": Product(
        "DS9 regions", (".reg",), _write_regions, _size_of_rows,
        options=("--regions",), help="Write DS9 regions, .reg.", suffix="_footprints",
        chosen=True, in_batch=".reg",
    ),
    "lsst_config": Product(
        "LSST config override", (".py",), _write_lsst_config, _size_of_lsst_config,
        options=("--lsst-config",), help="Write the settings as an LSST override file, .py.",
        suffix="_lsst_config",
    ),
    "debug_products": Product(
        "pictures of each step", (), _write_pictures, _size_of_pictures,
        options=("--debug-products",), help="Write a picture of each step.", suffix="_pictures",
    ),
    "report": Product("report", (".html",), _write_report, _size_of_report, suffix="_report"),
}  # fmt: skip


class Outputs:
    """Where the products of a run go.

    Parameters
    ----------
    paths : mapping of str to Path or None
        By the names of `PRODUCTS`; what is None is not written.
    """

    def __init__(self, paths: Mapping[str, Path | None]) -> None:
        self.paths: dict[str, Path] = {
            name: path for name in PRODUCTS if (path := paths.get(name)) is not None
        }

    def check(self, inputs: Iterable[Path], overwrite: bool, names: str = "options") -> None:
        """Refuse outputs that cannot be written, or would cost something that is there.

        Parameters
        ----------
        inputs : iterable of Path
            Files and folders that must be left alone.
        overwrite : bool
            Existing files may be replaced.
        names : {"options", "titles"}
            What the user calls the products.

        Raises
        ------
        OutputError
            For the first output that is at fault.
        """
        from .errors import OutputError
        from .io.atomic import check_output, real_place

        kept = {real_place(path) for path in inputs}
        taken: dict[Path, str] = {}
        for name, path in self.paths.items():
            product, place = PRODUCTS[name], real_place(path)
            called = product.title if names == "titles" else "".join(product.options[:1])
            if place in kept:
                raise OutputError(f"{path}: {called} is one of the inputs; give another name")
            if place in taken:
                raise OutputError(f"{path}: both {taken[place]} and {called}; give two names")
            taken[place] = called
            if product.is_folder:
                _check_folder(product, called, path, overwrite)
                continue
            if not path.name.lower().endswith(product.endings):
                raise OutputError(f"{path}: {called} takes {', '.join(product.endings)}")
            check_output(path, overwrite)

    def existing(self, epochs: Sequence[Any]) -> list[Path]:
        """Return the files that are there and that writing would replace.

        Parameters
        ----------
        epochs : sequence
            Ids of the epochs.
        """
        files = [
            file for name, path in self.paths.items() for file in PRODUCTS[name].files(path, epochs)
        ]
        return [file for file in files if os.path.lexists(file)]

    def expected_bytes(self, result: "CompareWarpResult") -> dict[str, int]:
        """Return about how large each product will be, in bytes; a compressed coadd, at most.

        Parameters
        ----------
        result : CompareWarpResult
        """
        return {name: PRODUCTS[name].size(result, path) for name, path in self.paths.items()}

    def write(
        self, source: Source, overwrite: bool, progress: "Progress | None" = None
    ) -> list[Path]:
        """Write the products, each whole or not at all, and return where they are.

        Parameters
        ----------
        source : Source
            With an inspection, if its settings and decisions are wanted.
        overwrite : bool
            Existing files may be replaced.
        progress : callable, optional
            Called as ``progress(title, done, total)`` before each product; what
            it raises stops the work.

        Raises
        ------
        OutputError
            If one cannot be written.
        """
        for done, (name, path) in enumerate(self.paths.items()):
            product = PRODUCTS[name]
            if progress is not None:
                progress(product.title, done, len(self.paths))
            source = product.write(source, path, overwrite) or source
        return list(self.paths.values())


def _check_folder(product: Product, called: str, folder: Path, overwrite: bool) -> None:
    """Refuse a folder that cannot be made, or whose files would be replaced."""
    from .errors import OutputError
    from .io.atomic import check_folder

    check_folder(folder, hint=f"{called} takes a folder")
    there = next(folder.glob(product.pattern), None)
    if there is not None and not overwrite:
        raise OutputError(f"{there} exists; say --overwrite to replace it")

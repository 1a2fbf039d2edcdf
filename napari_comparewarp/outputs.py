"""What can be made of a result, and where it goes: checked before the work, written after it."""

import os
import pkgutil
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .algorithm.parallel import Progress
    from .algorithm.warps import EpochId
    from .inspection.inspection import Inspection
    from .result.result import CompareWarpResult

__all__ = ["OPTIONS", "PRODUCTS", "Outputs", "Product", "write_lsst_config"]

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
class Product:
    """One thing that can be written.

    Attributes
    ----------
    title : str
        What it is, for a form.
    option : str
        Of `comparewarp run`; empty where there is none.
    endings : tuple of str
        What its file may be called, the usual first; empty for a folder.
    writer : str
        Where the function is that writes it, called with what it is made of,
        the path, and whether it may replace what is there.
    """

    title: str
    option: str
    endings: tuple[str, ...]
    writer: str


#: By name, in the order in which they are written.
PRODUCTS: Mapping[str, Product] = {
    "inspection": Product(
        "settings and decisions", "", (".json",), "inspection.inspection:Inspection.save"
    ),
    "coadd": Product(
        "coadd", "-o", (".fits", ".fits.fz", ".fits.gz", ".fit"), "io.write:write_coadd"
    ),
    "masks": Product("masks of the warps", "--masks", (), "io.write:write_masks"),
    "footprints": Product(
        "footprint table", "--footprints", (".ecsv", ".fits"), "io.write:write_footprints"
    ),
    "regions": Product("DS9 regions", "--regions", (".reg",), "io.regions_file:write_regions"),
    "lsst_config": Product(
        "LSST config override", "--lsst-config", (".py",), "outputs:write_lsst_config"
    ),
    "debug_products": Product(
        "pictures of each step", "--debug-products", (), "report.pictures:write_debug_products"
    ),
    "report": Product("report", "", (".html",), "report.page:write_report"),
}  # fmt: skip

#: How the command line calls the products.
OPTIONS: Mapping[str, str] = {name: product.option for name, product in PRODUCTS.items()}


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

    def check(
        self, inputs: Iterable[Path], overwrite: bool, names: Mapping[str, str] = OPTIONS
    ) -> None:
        """Refuse outputs that cannot be written, or would cost something that is there.

        Parameters
        ----------
        inputs : iterable of Path
            Files and folders that must be left alone.
        overwrite : bool
            Existing files may be replaced.
        names : mapping of str to str
            What the user calls the products.

        Raises
        ------
        OutputError
            For the first output that is at fault.
        """
        from .errors import OutputError
        from .io.atomic import check_output

        kept = {path.resolve() for path in inputs}
        taken: dict[Path, str] = {}
        for name, path in self.paths.items():
            called, place = names[name], path.resolve()
            if place in kept:
                raise OutputError(f"{path}: {called} is one of the inputs; give another name")
            if place in taken:
                raise OutputError(f"{path}: both {taken[place]} and {called}; give two names")
            taken[place] = called
            endings = PRODUCTS[name].endings
            if not endings:
                _check_folder(name, called, path, overwrite)
                continue
            if not path.name.lower().endswith(endings):
                raise OutputError(f"{path}: {called} takes {', '.join(endings)}")
            check_output(path, overwrite)

    def existing(self, epochs: Sequence["EpochId"]) -> list[Path]:
        """Return the files that are there and that writing would replace.

        Parameters
        ----------
        epochs : sequence
            Ids of the epochs whose masks are written.
        """
        from .io.write import mask_path

        there = []
        for name, path in self.paths.items():
            if name == "masks":
                there += [file for e in epochs if os.path.lexists(file := mask_path(path, e))]
            elif not PRODUCTS[name].endings and path.is_dir():
                there += sorted(path.iterdir())
            elif PRODUCTS[name].endings and os.path.lexists(path):
                there.append(path)
        return there

    def expected_bytes(self, result: "CompareWarpResult") -> dict[str, int]:
        """Return about how large each product will be, in bytes; a compressed coadd, at most.

        Parameters
        ----------
        result : CompareWarpResult
        """
        stack, config = result.stack, result.config
        pixels = stack.shape[0] * stack.shape[1]
        # IMAGE, MASK and VARIANCE are words of four bytes, NIMAGE of two.
        coadd = 14 * pixels + (8 * -(-stack.n_epochs // 64) * pixels if config.input_map else 0)
        made = result.products
        # Counted without the table, which takes longer than all else here.
        rows = sum(
            len(found) + len(streaks.groups)
            for found, streaks in zip(made.candidates, made.streaks, strict=True)
        )
        sizes = {
            "inspection": _INSPECTION + _INSPECTION_ENTRY * len(stack.inputs),
            "coadd": coadd,
            "masks": int(4 * pixels * stack.n_epochs * _MASK_RATIO),
            "lsst_config": len(config.to_lsst()),
            "debug_products": _PICTURES + 2 * pixels,
            "report": _REPORT,
        }
        for name in ("footprints", "regions"):
            if name in self.paths:
                sizes[name] = _ROW[self.paths[name].suffix.lower()] * rows
        return {name: sizes[name] for name in self.paths}

    def write(
        self,
        result: "CompareWarpResult",
        overwrite: bool,
        progress: "Progress | None" = None,
        inspection: "Inspection | None" = None,
    ) -> list[Path]:
        """Write the products, each whole or not at all, and return where they are.

        Parameters
        ----------
        result : CompareWarpResult
        overwrite : bool
            Existing files may be replaced.
        progress : callable, optional
            Called as ``progress(title, done, total)`` before each product; what
            it raises stops the work.
        inspection : Inspection, optional
            Where the result is from, if its settings and decisions are wanted.

        Raises
        ------
        OutputError
            If one cannot be written.
        """
        for done, (name, path) in enumerate(self.paths.items()):
            product = PRODUCTS[name]
            if progress is not None:
                progress(product.title, done, len(self.paths))
            if name == "inspection":
                assert inspection is not None
                result = _save(inspection, path, overwrite)
                continue
            source: CompareWarpResult | Inspection = result
            if name == "report" and inspection is not None and inspection.result is result:
                # Only an inspection remembers what a sheet of sensitivities needs.
                source = inspection
            write = pkgutil.resolve_name(f"{__package__}.{product.writer}")
            write(source, path, overwrite)
        return list(self.paths.values())


def _save(inspection: "Inspection", path: Path, overwrite: bool) -> "CompareWarpResult":
    """Save an inspection, and return the result that belongs to what was saved."""
    result = inspection.result
    inspection.save(path, overwrite)
    # A change may land meanwhile; the other products must not belong to other settings.
    while inspection.result is not result or inspection.config != result.config:
        result = inspection.result
        inspection.save(path, overwrite=True)
    return result


def write_lsst_config(result: "CompareWarpResult", path: Path, overwrite: bool = False) -> None:
    """Write the settings of a run as an override file of the LSST pipelines.

    Parameters
    ----------
    result : CompareWarpResult
    path : Path
        Ends in ``.py``.
    overwrite : bool

    Raises
    ------
    OutputError
    """
    from .errors import OutputError
    from .io.atomic import replacing

    if path.suffix.lower() != ".py":
        raise OutputError(f"{path}: an LSST config override is written as .py")
    with replacing(path, overwrite) as temporary:
        temporary.write_text(result.config.to_lsst())


def _check_folder(name: str, called: str, folder: Path, overwrite: bool) -> None:
    """Refuse a folder that cannot be made, or whose files would be replaced."""
    from .errors import OutputError
    from .io.write import mask_path

    if folder.exists() and not folder.is_dir():
        raise OutputError(f"{folder} is a file; {called} takes a folder")
    if not folder.resolve().parent.is_dir():
        raise OutputError(f"{folder}: there is no folder {folder.parent}")
    files = mask_path(folder, "*").name if name == "masks" else "*"
    there = next(folder.glob(files), None)
    if there is not None and not overwrite:
        raise OutputError(f"{there} exists; say --overwrite to replace it")

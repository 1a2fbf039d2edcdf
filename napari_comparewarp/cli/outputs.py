"""What a run writes: checked before the work, written after it."""

from collections.abc import Iterable
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..result import CompareWarpResult

__all__ = ["Outputs"]

_ENDINGS = {
    "-o": (".fits", ".fit", ".fits.fz", ".fits.gz"),
    "--footprints": (".ecsv", ".fits"),
    "--regions": (".reg",),
}


@dataclass(frozen=True)
class Outputs:
    """Where the products of a run go; what is None is not written.

    Attributes
    ----------
    coadd, footprints, regions : Path or None
        Files.
    masks, debug_products : Path or None
        Folders.
    """

    coadd: Path
    masks: Path | None = None
    footprints: Path | None = None
    regions: Path | None = None
    debug_products: Path | None = None

    def check(self, inputs: Iterable[Path], overwrite: bool) -> None:
        """Refuse outputs that cannot be written, or would cost something that is there.

        Parameters
        ----------
        inputs : iterable of Path
            Files and folders that must be left alone.
        overwrite : bool
            Existing files may be replaced.

        Raises
        ------
        OutputError
            For the first output that is at fault.
        """
        from ..io.atomic import OutputError, check_output

        kept = {path.resolve() for path in inputs}
        options: dict[Path, str] = {}
        for option, path in self._given():
            place = path.resolve()
            if place in kept:
                raise OutputError(f"{path}: {option} is one of the inputs; give another name")
            if place in options:
                raise OutputError(f"{path}: both {options[place]} and {option}; give two names")
            options[place] = option
            if option not in _ENDINGS:
                _check_folder(option, path, overwrite)
                continue
            if not path.name.lower().endswith(_ENDINGS[option]):
                raise OutputError(f"{path}: {option} takes {', '.join(_ENDINGS[option])}")
            check_output(path, overwrite)

    def write(self, result: "CompareWarpResult", overwrite: bool) -> list[Path]:
        """Write the products, each whole or not at all, and return where they are.

        Raises
        ------
        OutputError
            If one cannot be written.
        """
        from ..io.regions_file import write_regions
        from ..io.write import write_coadd, write_footprints, write_masks

        write_coadd(result, self.coadd, overwrite)
        if self.masks is not None:
            write_masks(result, self.masks, overwrite)
        if self.footprints is not None:
            write_footprints(result, self.footprints, overwrite)
        if self.regions is not None:
            write_regions(result, self.regions, overwrite)
        if self.debug_products is not None:
            from ..report.pictures import write_debug_products

            write_debug_products(result, self.debug_products, overwrite)
        return [path for _, path in self._given()]

    def _given(self) -> list[tuple[str, Path]]:
        """Return the option and the path of each output that is wanted."""
        return [
            (f"--{field.name.replace('_', '-')}".replace("--coadd", "-o"), path)
            for field in fields(self)
            if (path := getattr(self, field.name)) is not None
        ]


def _check_folder(option: str, folder: Path, overwrite: bool) -> None:
    """Refuse a folder that cannot be made, or whose files would be replaced."""
    from ..io.atomic import OutputError
    from ..io.write import mask_path

    if folder.exists() and not folder.is_dir():
        raise OutputError(f"{folder} is a file; {option} takes a folder")
    if not folder.resolve().parent.is_dir():
        raise OutputError(f"{folder}: there is no folder {folder.parent}")
    files = mask_path(folder, "*").name if option == "--masks" else "*"
    there = next(folder.glob(files), None)
    if there is not None and not overwrite:
        raise OutputError(f"{there} exists; say --overwrite to replace it")

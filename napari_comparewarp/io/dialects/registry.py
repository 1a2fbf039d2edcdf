"""All dialects that are read, and which of them a file is in."""

from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path

from ...errors import StackError
from ..open_fits import OpenFiles, image_shape
from ..place import is_file
from ..source import PlaneKey, PlanePlace
from .companions import is_companion
from .dialect import Dialect, Layout, Missing, Plane, Role
from .lsst import Lsst
from .table import load_table
from .table_dialect import SPREADS, TableDialect

__all__ = [
    "DIALECTS",
    "DIALECT_FILE",
    "NotAnExposure",
    "dialect_named",
    "has_variance_name",
    "layout_of_places",
    "recognise",
]

_FOLDER = Path(__file__).parent


def _table(name: str) -> TableDialect:
    return TableDialect(load_table(_FOLDER / f"{name}.toml"))


#: Dialects that a mark in the file tells: each is asked, and at most one may say yes.
DIALECTS: tuple[Dialect, ...] = (
    Lsst(load_table(_FOLDER / "lsst.toml")),
    _table("hst"),
    _table("jwst"),
    _table("gemini"),
    _table("noirlab_cp"),
    _table("des"),
    _table("ztf"),
    _table("panstarrs"),
    _table("banzai"),
    _table("ccddata"),
)

#: A dialect of one's own, beside the files that are in it.
DIALECT_FILE = "dialect.toml"

#: What is read by the names of its planes alone.
NAMED = _table("named")

#: Names of HDUs that tell a file with the planes of an exposure.
_VARIANCE_NAMES = frozenset(
    name
    for key in ("variance", "error", "inverse_variance", "weight")
    for name in getattr(NAMED.table.planes, key)
)


class NotAnExposure(StackError):  # noqa: N818
    """A FITS file that holds no image with its variance."""


def dialect_named(name: str) -> Dialect:
    """Return a dialect by its name, or one that a TOML file describes.

    Raises
    ------
    StackError
        If there is none.
    """
    for dialect in (*DIALECTS, NAMED):
        if dialect.name == name:
            return dialect
    if name.lower().endswith(".toml"):
        return _own(name, _stamp(Path(name)))
    known = ", ".join(dialect.name for dialect in (*DIALECTS, NAMED))
    raise StackError(f"dialect {name!r}: it is a TOML file, or one of {known}")


def _stamp(path: Path) -> tuple[int, ...]:
    """Return what changes where a file does."""
    try:
        status = path.stat()
    except OSError:
        return ()
    return status.st_mtime_ns, status.st_size, status.st_ino


@lru_cache(maxsize=16)
def _own(name: str, stamp: tuple[int, ...]) -> Dialect:
    """Return the dialect in a file as it is now; all exposures of a stack have the same."""
    return TableDialect(load_table(Path(name)))


def recognise(
    path: Path, files: OpenFiles, wanted: str | None = None
) -> tuple[Dialect, tuple[Layout, ...]]:
    """Return the dialect that a file is in, and where the planes of its exposures lie.

    Parameters
    ----------
    path : Path
        The file with the image.
    files : OpenFiles
        Gives its HDUs, and those of files beside it.
    wanted : str, optional
        The dialect that the user names.

    Raises
    ------
    NotAnExposure
        If the file holds no image.
    StackError
        If it has no variance, fits several dialects, or cannot be meant.
    """
    if is_companion(path):
        raise NotAnExposure(f"{path}: by its name a plane of the image beside it, no exposure")
    missing = set()
    found: dict[Dialect, tuple[Layout, ...]] = {}
    dialects = DIALECTS if wanted is None else (dialect_named(wanted),)
    beside = path.parent / DIALECT_FILE
    if wanted is None and is_file(beside):
        # One's own table lies beside the data for no other reason: it rules.
        own = dialect_named(str(beside))
        answer = own.recognise(path, files)
        if not isinstance(answer, Missing):
            return own, answer if isinstance(answer, tuple) else (answer,)
    for dialect in dialects:
        if wanted is not None and isinstance(dialect, TableDialect):
            answer = dialect.layouts(path, files)
        else:
            answer = dialect.recognise(path, files)
        if isinstance(answer, Missing):
            missing.add(answer)
        else:
            found[dialect] = answer if isinstance(answer, tuple) else (answer,)
    if len(found) > 1:
        names = " and ".join(dialect.name for dialect in found)
        raise StackError(
            f"{path}: it fits the dialects {names}; say which with --dialect "
            f"{next(iter(found)).name}"
        )
    if found:
        return next(iter(found.items()))
    belongs = wanted is None and any(
        isinstance(dialect, TableDialect) and dialect.table.files and dialect.matches(path, files)
        for dialect in DIALECTS
    )
    if wanted is None and not belongs:
        answer = NAMED.layouts(path, files)
        if not isinstance(answer, Missing):
            return NAMED, answer if isinstance(answer, tuple) else (answer,)
        missing.add(answer)
    seen = ", ".join(
        hdu.name or f"HDU {n}" for n, hdu in enumerate(files[path]) if image_shape(hdu)
    )
    if Missing.VARIANCE in missing:
        raise StackError(f"{path}: an image without its variance (images: {seen or 'none'})")
    raise NotAnExposure(
        f"{path}: no image that is known (images: {seen or 'none'}), so it is no exposure"
    )


def layout_of_places(
    path: Path, files: OpenFiles, places: Mapping[PlaneKey, PlanePlace], wanted: str | None
) -> tuple[Dialect, Layout]:
    """Return the layout that a manifest gives plane by plane, and the dialect of its flags.

    Parameters
    ----------
    path : Path
        The file with the image, unless `places` names another.
    files : OpenFiles
    places : mapping of str to PlanePlace
    wanted : str or None
        The dialect that the user names.

    Raises
    ------
    StackError
        If a file has no such HDU.
    """
    dialect = NAMED if wanted is None else dialect_named(wanted)
    planes: dict[str, Plane] = {}
    for key, place in places.items():
        hdus = files[place.path]
        try:
            number = place.hdu if isinstance(place.hdu, int) else hdus.index_of(place.hdu)
            hdu = hdus[number]
        except (KeyError, IndexError) as error:
            raise StackError(f"{place.path}: no HDU {place.hdu!r}, as the manifest says") from error
        role: Role = key if key in ("image", "mask") else "variance"
        name = hdu.name or f"{place.hdu}"
        planes[key] = Plane(place.path, number, name, role)
    if "image" not in planes:
        images = [n for n, hdu in enumerate(files[path]) if image_shape(hdu)]
        if len(images) != 1:
            raise StackError(f"{path}: {len(images)} images; the manifest has to say which")
        planes["image"] = Plane(path, images[0], "IMAGE", "image")
    spread = next((key for key in SPREADS if key in planes), None)
    return dialect, Layout(
        planes=tuple(planes.values()),
        image=planes["image"],
        variance=planes[spread] if spread else None,
        mask=planes.get("mask"),
        weight=planes.get("weight") if spread not in (None, "weight") else None,
        spread=SPREADS[spread] if spread else "none",
    )


def has_variance_name(name: str) -> bool:
    """Tell whether an HDU of this name holds the variance in any dialect."""
    return name.upper() in _VARIANCE_NAMES

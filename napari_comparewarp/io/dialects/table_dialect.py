"""Dialects that are tables, put to work."""

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from astropy.io import fits

from ...errors import StackError
from ..flags import UNNAMED, Flags, flags_in_comments, flags_in_header
from ..headers import number_in_header
from ..open_fits import NO_NAME, OpenFiles, image_shape
from ..place import is_there
from ..psf import PSF_HDUS
from .companions import companions_of, is_companion
from .dialect import Dialect, Layout, Missing, Plane, Role, Spread
from .table import DialectTable, Recognise, card_matches

__all__ = ["SPREADS", "TableDialect"]

#: What a plane is by the key of a table, in the order of preference for the variance.
SPREADS: Mapping[str, Spread] = {
    "variance": "variance",
    "error": "error",
    "inverse_variance": "inverse variance",
    "weight": "relative weight",
}

#: What CCDData says of its uncertainty.
_UTYPES: Mapping[str, Spread] = {
    "STDDEVUNCERTAINTY": "error",
    "VARIANCEUNCERTAINTY": "variance",
    "INVERSEVARIANCE": "inverse variance",
}

#: A zero point that follows from the exposure time.
_OF_EXPTIME = "25 + 2.5 lg EXPTIME"

#: Cards that are the flux of a unit, and those that are the units of a flux of magnitude 0.
_FLUX_CARDS = ("PHOTFLAM", "FLXSCALE")
_UNIT_CARDS = ("FLUXMAG0",)


@dataclass(frozen=True)
class _Found:
    """An image HDU and what a table takes it for."""

    path: Path
    number: int
    name: str
    version: int
    key: str
    is_named: bool = True


class TableDialect(Dialect):
    """A dialect that a table describes.

    Parameters
    ----------
    table : DialectTable
    """

    def __init__(self, table: DialectTable) -> None:
        self.table = table
        self.name = table.name  # type: ignore[misc]
        self.title = table.title  # type: ignore[misc]
        self.sky = table.sky  # type: ignore[misc]
        self.visit_cards = table.visits  # type: ignore[misc]

    def recognise(self, path: Path, files: OpenFiles) -> Layout | tuple[Layout, ...] | Missing:
        """Find the planes by the marks and names of the table."""
        if not self.matches(path, files):
            return Missing.IMAGE
        return self.layouts(path, files)

    def matches(self, path: Path, files: OpenFiles) -> bool:
        """Tell whether a file bears the marks of the dialect."""
        hdus = files[path]
        return not self.table.recognise or any(
            _bears(marks, path, hdus) for marks in self.table.recognise
        )

    def layouts(self, path: Path, files: OpenFiles) -> Layout | tuple[Layout, ...] | Missing:
        """Find the planes by their names, in a file that may have no marks."""
        split = self._split_files(path, files)
        if split is None:
            return Missing.IMAGE
        found = self._in_file(path, files[path], "image" if len(split) > 1 else "")
        for key, other in split.items():
            if key != "image":
                found += self._in_file(other, files[other], key)
        images = self._images(found)
        if not images:
            return Missing.IMAGE
        if len(images) == 1 and len(split) == 1:
            found += self._beside(path, files, found)
        notes = self._missing(split)
        layouts = [self._layout(image, found, images, files, notes) for image in images]
        return layouts[0] if len(layouts) == 1 else tuple(layouts)

    # --- the files of one exposure ---------------------------------------------------------

    def _split_files(self, path: Path, files: OpenFiles) -> dict[str, Path] | None:
        """Return the files of an exposure by what they hold; None if this holds no image."""
        names = self.table.files
        if names is None:
            return {"image": path}
        headers = [hdu.header for hdu in files[path]]
        if any(card_matches(headers, card, value) for card, value in names.no_image.items()):
            return None
        others = {key: getattr(names, key) for key in ("mask", *SPREADS) if getattr(names, key)}
        image = next((part for part in names.image if part in path.name), None)
        if image is None:
            return None if any(part in path.name for part in others.values()) else {"image": path}
        split = {"image": path}
        for key, part in others.items():
            other = _existing(path.with_name(path.name.replace(image, part)))
            if other is not None and other != path:
                split[key] = other
        return split

    def _missing(self, split: Mapping[str, Path]) -> tuple[str, ...]:
        """Say which file of an exposure is not there, and what follows."""
        names = self.table.files
        if names is None or not any(part in split["image"].name for part in names.image):
            return ()
        notes = []
        if names.mask and "mask" not in split:
            notes.append(f"no file {names.mask.strip('_.')} beside it: no pixel is flagged")
        wanted = [getattr(names, key) for key in SPREADS if getattr(names, key)]
        if wanted and not any(key in split for key in SPREADS):
            notes.append(f"no file {wanted[0].strip('_.')} beside it: its variance is not known")
        return tuple(notes)

    def _in_file(self, path: Path, hdus: fits.HDUList, key: str) -> list[_Found]:
        """Return the images of a file with what the table takes them for."""
        found = []
        images = {number: hdu for number, hdu in enumerate(hdus) if image_shape(hdu)}
        for number, hdu in images.items():
            name = _name(hdu)
            kind = key if key and self._takes_any(key) else self._key(name, key, images)
            if kind:
                named = name or kind.upper()
                found.append(_Found(path, number, named, hdu.ver or 1, kind, bool(name)))
        if not key and not any(item.key == "image" for item in found):
            found += self._without_name(path, images, found)
        return found

    def _takes_any(self, key: str) -> bool:
        return "*" in getattr(self.table.planes, key)

    def _key(self, name: str, key: str, images: Mapping[int, Any]) -> str:
        """Return what the table takes an HDU of a name for, empty if for nothing."""
        if not name:
            return ""
        for kind in ("image", "mask", *SPREADS) if not key else (key,):
            if name in getattr(self.table.planes, kind):
                return kind
        if key or len(images) > 1:
            return ""
        # The one image of a file may have any name but that of another plane.
        (only,) = images.values()
        is_plain = self._may_be_plain and only is not None and len(image_shape(only)) == 2
        return "image" if self._takes_any("image") or is_plain else ""

    @property
    def _may_be_plain(self) -> bool:
        """Whether it knows files by nothing but their planes, so that one may be alone."""
        return not self.table.recognise and self.name == "named"

    def _without_name(
        self, path: Path, images: Mapping[int, Any], found: Sequence[_Found]
    ) -> list[_Found]:
        """Return the image that needs no name: the primary, or the only one without."""
        unnamed = [number for number, hdu in images.items() if not _name(hdu)]
        if self._takes_any("image") and not found:
            unnamed = list(images)
        elif 0 in unnamed and found:
            unnamed = [0]
        elif not found and len(unnamed) < len(images):
            return []
        return [_Found(path, number, "IMAGE", 1, "image", False) for number in unnamed]

    def _beside(self, path: Path, files: OpenFiles, found: Sequence[_Found]) -> list[_Found]:
        """Return planes in files beside an image that has none of its own."""
        if any(item.key in SPREADS for item in found):
            return []
        beside = []
        for key, other in companions_of(path).items():
            images = [n for n, hdu in enumerate(files[other]) if image_shape(hdu)]
            if len(images) != 1 or (key == "mask" and any(i.key == "mask" for i in found)):
                continue
            name = _name(files[other][images[0]])
            told = self._key(name, "", {0: None, 1: None})
            key = told if told and told != "image" else key
            beside.append(_Found(other, images[0], name or key.upper(), 1, key))
        return beside

    # --- the planes of one exposure --------------------------------------------------------

    def _layout(
        self, image: _Found, found: Sequence[_Found], images: Sequence[_Found], files: OpenFiles,
        notes: tuple[str, ...],
    ) -> Layout:  # fmt: skip
        """Return the planes that go with one image."""
        is_one = len(images) == 1
        own = [
            item for item in found
            if item is image or ((is_one or _together(image, item)) and item.key != "image")
            or (item.key == "image" and is_one)
        ]  # fmt: skip
        _refuse_doubles(own)
        mask = self._first(own, "mask")
        spreads = [item for key in SPREADS if (item := self._first(own, key))]
        planes = {item: _plane(item) for item in own}
        # In files, the plane of most meaning comes first; others must agree in shape.
        variance = spreads[0] if spreads else None
        weight = next((item for item in spreads[1:] if item.key == "weight"), None)
        spread: Spread = "none" if variance is None else SPREADS[variance.key]
        if variance is not None:
            utype = str(files[variance.path][variance.number].header.get("UTYPE", ""))
            spread = _UTYPES.get(utype.strip().upper().replace("_", ""), spread)
        return Layout(
            planes=tuple(planes.values()),
            image=planes[image],
            variance=None if variance is None else planes[variance],
            mask=None if mask is None else planes[mask],
            weight=None if weight is None else _plane(weight),
            spread=spread,
            detector="" if is_one else _detector(image, images),
            ignored=self._ignored(found, files),
            notes=notes + _companion_notes(image, own),
        )

    def _images(self, found: Sequence[_Found]) -> list[_Found]:
        """Return the images: one, or one a detector."""
        images = [item for item in found if item.key == "image"]
        if self._takes_any("image") or not any(item.is_named for item in images):
            return images
        _refuse_doubles(images)
        by_version: dict[int, list[_Found]] = {}
        for item in images:
            by_version.setdefault(item.version, []).append(item)
        first = [self._first(items, "image") for items in by_version.values()]
        return [item for item in first if item is not None]

    def _first(self, own: Sequence[_Found], key: str) -> _Found | None:
        """Return the plane of a kind whose name the table lists first."""
        names = getattr(self.table.planes, key)
        kind = [item for item in own if item.key == key]
        return min(
            kind, key=lambda item: names.index(item.name) if item.name in names else len(names),
            default=None,
        )  # fmt: skip

    @staticmethod
    def _ignored(found: Sequence[_Found], files: OpenFiles) -> tuple[str, ...]:
        """Return the names of images that are none of the planes."""
        taken = {(item.path, item.number) for item in found}
        return tuple(
            _name(hdu) or f"HDU {number}"
            for path in dict.fromkeys(item.path for item in found)
            for number, hdu in enumerate(files[path])
            if hdu.is_image
            and hdu.header["NAXIS"]
            and (path, number) not in taken
            and _name(hdu) not in PSF_HDUS
        )

    # --- what they mean --------------------------------------------------------------------

    def unit(self, headers: Sequence[fits.Header]) -> str | None:
        """Return the unit of the table, or BUNIT."""
        for entry in self.table.units:
            if all(card_matches(headers, card, wanted) for card, wanted in entry.when.items()):
                return entry.unit
        return super().unit(headers)

    def zero_point(self, headers: Sequence[fits.Header]) -> tuple[str, float] | None:
        """Return the flux of one unit by the cards of the table."""
        for card in self.table.zero_points:
            if card == _OF_EXPTIME:
                seconds = number_in_header(headers, "EXPTIME")
                if seconds:
                    return card, 10 ** (-0.4 * (25 + 2.5 * math.log10(seconds)))
                continue
            value = number_in_header(headers, card)
            is_flux = card in (*_FLUX_CARDS, *_UNIT_CARDS)
            if value is None or (value <= 0 and is_flux):
                continue
            lowest, highest = (1e-40, 1e40) if is_flux else (-100, 100)
            if not lowest <= value <= highest:
                raise ValueError(
                    f"{card} = {value:g}; the zero point is from {lowest:g} to {highest:g}"
                )
            if card in _FLUX_CARDS:
                return card, value
            return card, 1 / value if card in _UNIT_CARDS else 10 ** (-0.4 * value)
        return None

    def flags(self, header: fits.Header, headers: Sequence[fits.Header]) -> Flags:
        """Return the flags by the cards of the mask, else by the table."""
        flags = flags_in_header(header, self.table.flag_names)
        if not flags.is_named and self.table.flags_in_comments:
            flags = flags_in_comments(header, self.table.flag_names)
        if flags.is_named:
            return flags
        for entry in self.table.flags:
            if all(
                card_matches([header, *headers], card, wanted)
                for card, wanted in entry.when.items()
            ):
                is_code = entry.kind == "codes"
                names = {
                    number if is_code else number.bit_length() - 1: tuple(planes.split())
                    for number, planes in entry.planes.items()
                }
                what = "codes" if is_code else "bits"
                return Flags(names, is_code, source=f"the {what} of {self.name}")
        return UNNAMED

    def assumptions(self, layout: Layout, flags: Flags) -> Iterator[str]:
        """Say what is assumed of every file of this kind."""
        yield from layout.notes


def _bears(marks: Recognise, path: Path, hdus: fits.HDUList) -> bool:
    """Tell whether a file has all of some marks."""
    if marks.name is not None and re.search(marks.name, path.name) is None:
        return False
    headers = [hdu.header for hdu in hdus]
    if not all(card_matches(headers, card, wanted) for card, wanted in marks.cards.items()):
        return False
    return not marks.hdus or {_name(hdu) for hdu in hdus}.issuperset(marks.hdus)


def _name(hdu: Any) -> str:
    """Return the name of an HDU in capitals, empty if it has none."""
    # EXTTYPE is what LSST files had before they had EXTNAME, and rules over it.
    name = str(hdu.header.get("EXTTYPE", "")).strip().upper()
    if name:
        return name
    # What has no name in the file is called PRIMARY by astropy if it is the first.
    is_own = "EXTNAME" in hdu.header and hdu.name not in NO_NAME
    return hdu.name.strip().upper() if is_own else ""


def _existing(path: Path) -> Path | None:
    """Return a file, which may be compressed otherwise than its name says."""
    stem = re.sub(r"\.(gz|fz)$", "", path.name, flags=re.IGNORECASE)
    for name in (path.name, stem, f"{stem}.fz", f"{stem}.gz"):
        if is_there(path.with_name(name)):
            return path.with_name(name)
    return None


def _plane(item: _Found) -> Plane:
    role: Role = item.key if item.key in ("image", "mask") else "variance"  # type: ignore[assignment]
    return Plane(item.path, item.number, item.name, role)


def _together(image: _Found, other: _Found) -> bool:
    """Tell whether two planes are of one detector: by name across files, else by EXTVER."""
    if image.path != other.path:
        return image.name == other.name
    return image.version == other.version


def _detector(image: _Found, images: Sequence[_Found]) -> str:
    """Return what tells an image from the others of its file."""
    if len({item.name for item in images}) == len(images):
        return image.name
    if len({item.version for item in images}) == len(images):
        return str(image.version)
    return f"HDU {image.number}"


def _refuse_doubles(own: Sequence[_Found]) -> None:
    """Refuse two planes of one name, of which either could be meant."""
    seen: dict[tuple[Path, str, int], _Found] = {}
    for item in own:
        first = seen.setdefault((item.path, item.name, item.version), item)
        if first is not item:
            raise StackError(
                f"{item.path}: HDUs {first.number} and {item.number} are both named {item.name}; "
                "a warp has one"
            )


def _ending(path: Path, beside: Path) -> str:
    """Return what the name of a file has after what it shares with another."""
    shared = 0
    while path.name[shared : shared + 1] == beside.name[shared : shared + 1] != ".":
        shared += 1
    return beside.name[shared:]


def _companion_notes(image: _Found, own: Sequence[_Found]) -> tuple[str, ...]:
    """Say which planes are taken from a file beside the image, known by its name."""
    return tuple(
        f"a file beside it, …{_ending(image.path, item.path)}, is taken for its "
        f"{item.key.replace('_', ' ')} by its name"
        for item in own
        if item.path != image.path and is_companion(item.path)
    )

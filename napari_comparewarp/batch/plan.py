"""What a batch is to do: a TOML file with a table for each patch."""

import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, create_model

from ..config.fields import PathText
from ..config.knobs import CompareWarpConfig
from ..config.text_file import read_toml, shown
from ..errors import ConfigError, StackError
from ..io.assumptions import Assumptions
from ..io.butler import PREFIX, ButlerQuery, butler_query
from ..io.source import PsfSigma
from ..io.sources import StackSource, find_sources
from ..io.spool import parse_memory
from ..outputs import PRODUCTS

__all__ = ["Patch", "PlanError", "read_plan"]

#: Products of a batch that a plan may leave out.
OPTIONAL_PRODUCTS = tuple(
    name for name, product in PRODUCTS.items()
    if product.in_batch is not None and not product.required
)  # fmt: skip

#: Bytes of the stem of file names: their endings, and those of temporary files, are added.
_LONGEST_NAME = 180

#: Reads a file of settings.
ConfigReader = Callable[[Path], CompareWarpConfig]


class PlanError(ConfigError):
    """A plan that cannot be carried out; the message is one line."""


def _file_stem(name: str) -> str:
    if not name or name.startswith(".") or not name.isprintable() or set(name) & set("/\\"):
        raise ValueError("a name is the stem of file names, without a path or a leading dot")
    if len(os.fsencode(name)) > _LONGEST_NAME:
        raise ValueError(f"a name is the stem of file names, of at most {_LONGEST_NAME} bytes")
    return name


def _assumed(assume: dict[str, Any]) -> dict[str, Any]:
    return Assumptions.of(assume).told()


def _memory_size(memory: str | int) -> str | int:
    parse_memory(memory)
    return memory


class _Options(BaseModel):
    """What may stand in ``[defaults]``, and in a patch for itself."""

    model_config = ConfigDict(extra="forbid", strict=True)

    preset: str | None = None
    config: PathText | None = None
    knobs: dict[str, Any] = {}
    psf_sigma: PsfSigma | None = None
    memory: Annotated[str | int, AfterValidator(_memory_size)] | None = None
    assume: Annotated[dict[str, Any], AfterValidator(_assumed)] = {}
    where: str | None = None
    collections: str | None = None
    dataset_types: str | None = None


#: With a switch for each product that a plan may leave out.
_Settings = create_model(
    "_Settings", __base__=_Options,
    **dict.fromkeys(OPTIONAL_PRODUCTS, (bool | None, None)),  # type: ignore[call-overload]
)  # fmt: skip


class _PatchEntry(_Settings):  # type: ignore[misc,valid-type]
    """One ``[[patch]]`` of the file."""

    name: Annotated[str, AfterValidator(_file_stem)]
    stack: PathText | Annotated[list[PathText], Field(min_length=1)]
    output: PathText


class _PlanFile(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)

    defaults: _Settings = _Settings()  # type: ignore[valid-type]
    patch: list[_PatchEntry] = Field(min_length=1)


class Patch(BaseModel):
    """One patch to coadd.

    Attributes
    ----------
    name : str
        Stem of the files that are written.
    stack : tuple of Path
        A folder, FITS files, or a manifest; absolute, as a worker may stand
        in another folder.
    query : ButlerQuery or None
        Warps of a Butler repository instead.
    output : Path
        Folder that the products go to, absolute.
    config : CompareWarpConfig
    psf_sigma : float or None
        Gaussian sigma of the matched PSF, pixels, > 0, for files that do not
        say.
    memory : str, int or None
        Memory that the work on the patch may take, bytes or text such as
        ``"2GB"``.
    assume : dict
        What files do not say, see `napari_comparewarp.io.assumptions`.
    left_out : tuple of str
        Products of a batch that are not written.
    """

    model_config = ConfigDict(frozen=True)

    name: str
    stack: tuple[Path, ...]
    query: ButlerQuery | None = None
    output: Path
    config: CompareWarpConfig
    psf_sigma: float | None = None
    memory: str | int | None = None
    assume: dict[str, Any] = {}
    left_out: tuple[str, ...] = ()

    @property
    def source(self) -> "StackSource":
        """What `read_stack` takes."""
        if self.query is not None:
            return self.query
        return self.stack[0] if len(self.stack) == 1 else self.stack

    @property
    def receipt_path(self) -> Path:
        """Where it is noted that the patch is done, and from what."""
        return self.output / f"{self.name}.done.json"

    @property
    def products(self) -> dict[str, Path]:
        """Return the files and folders that are written, by what they are."""
        return {
            name: self.output / f"{self.name}{product.in_batch}"
            for name, product in PRODUCTS.items()
            if product.in_batch is not None and name not in self.left_out
        }

    def input_files(self) -> list[Path]:
        """List what the coadd is made from: the files of the stack, and its manifest.

        Files of a folder that will turn out to be no warps are among them.

        Raises
        ------
        StackError
            As `find_sources` does.
        """
        found = [source.path for source in find_sources(self.source)]
        return sorted({*found, *(path for path in self.stack if path.is_file())})


def read_plan(path: str | Path, read_config: ConfigReader) -> list[Patch]:
    """Read a plan and check it as a whole.

    Parameters
    ----------
    path : path
        A TOML file: ``[[patch]]`` tables with ``name``, ``stack`` and
        ``output``, and in them or in ``[defaults]`` ``preset`` or ``config``
        (a file), ``knobs``, ``psf_sigma``, ``memory``, ``masks``,
        ``footprints`` and ``regions``. Paths are relative to the file.
    read_config : callable
        Reads the files that ``config`` names.

    Returns
    -------
    list of Patch

    Raises
    ------
    PlanError
        If the file cannot be read, holds what is not known, names files that
        are not there, or has a patch write what is another's or an input.
    """
    path = Path(path)
    content = read_toml(path, PlanError)
    try:
        plan = _PlanFile.model_validate(content)
    except ValidationError as error:
        raise PlanError(f"{path}: {_in_words(error, content)}") from error
    patches = []
    for entry in plan.patch:
        try:
            patches.append(_patch(path.parent.resolve(), plan.defaults, entry, read_config))
        except (ConfigError, StackError) as error:
            raise PlanError(f"{path}: patch {entry.name!r}: {error}") from error
    _check_places(path, patches)
    return patches


def _patch(
    folder: Path, defaults: _Options, entry: _PatchEntry, read_config: ConfigReader
) -> Patch:
    """Return a patch with the defaults where it says nothing itself."""
    places = [entry.stack] if isinstance(entry.stack, str) else entry.stack
    words = ("where", "collections", "dataset_types")
    queries = [getattr(entry, word) or getattr(defaults, word) for word in words]
    is_query = len(places) == 1 and places[0].startswith(PREFIX)
    if not is_query and any(getattr(entry, word) for word in words):
        raise StackError(f"where, collections and dataset_types go with one stack {PREFIX}REPO")
    names = {"psf_sigma", "memory", *OPTIONAL_PRODUCTS}
    assume = defaults.assume | entry.assume
    chosen = defaults.model_dump(include=names, exclude_none=True)
    chosen |= entry.model_dump(include=names, exclude_none=True)
    left_out = tuple(name for name in OPTIONAL_PRODUCTS if not chosen.pop(name, True))
    patch = Patch(
        name=entry.name,
        stack=() if is_query else tuple(folder / place for place in places),
        query=butler_query(places[0], *queries) if is_query else None,
        output=folder / entry.output,
        config=_config(folder, defaults, entry, read_config),
        left_out=left_out,
        assume=assume,
        **chosen,
    )
    for file in patch.input_files():
        if not file.is_file():
            raise StackError(f"{file}: no such file")
    return patch


def _config(
    folder: Path, defaults: _Options, entry: _PatchEntry, read_config: ConfigReader
) -> CompareWarpConfig:
    """Return the config of a patch: what it starts from, and the knobs set on top."""
    for settings in (defaults, entry):
        if settings.preset is not None and settings.config is not None:
            raise ConfigError("preset and config exclude each other; give one of them")
    base = defaults if entry.preset is None and entry.config is None else entry
    if base.config is not None:
        config = read_config(folder / base.config)
    elif base.preset is not None:
        config = CompareWarpConfig.preset(base.preset)
    else:
        config = CompareWarpConfig()
    # TOML has no word for nothing.
    knobs = {k: None if v == "none" else v for k, v in (defaults.knobs | entry.knobs).items()}
    return config.replace(**knobs)


def _check_places(path: Path, patches: Sequence[Patch]) -> None:
    """Refuse patches that would write to each other's files, or to what is read."""
    read_files, read_folders = set(), set()
    for patch in patches:
        for source in find_sources(patch.source):
            folder = source.path.parent.resolve()
            read_files |= {folder / source.path.name, source.path.resolve()}
            if not source.named:
                read_folders.add(folder)
    writers: dict[Path, str] = {}
    for patch in patches:
        where = f"{path}: patch {patch.name!r}"
        output = patch.output.resolve()
        if output in read_folders:
            raise PlanError(f"{where}: {output} is a folder that warps are read from")
        for product in (*patch.products.values(), patch.receipt_path):
            place = output / product.name
            if place in read_files or place in read_folders:
                raise PlanError(f"{where}: it would write to {place}, which is read")
            if place in writers:
                raise PlanError(
                    f"{where}: it would write to {place}, as patch {writers[place]!r} does"
                )
            writers[place] = patch.name


def _in_words(error: ValidationError, content: dict[str, Any]) -> str:
    """Say in one line what is wrong first with the content of a plan."""
    first = error.errors()[0]
    table, *inner = first["loc"]
    model: type[BaseModel] = _PlanFile
    where, key = "", table
    if table == "defaults" and inner:
        model, where, key = _Settings, "[defaults]: ", inner[0]
    elif table == "patch" and len(inner) > 1:
        number, key = int(inner[0]), inner[1]
        entry = content["patch"][number]
        model, where = _PatchEntry, f"patch {_name_of(entry, number)}: "
    if first["type"] == "extra_forbidden":
        return f"{where}no key {shown(key)}; there are {', '.join(model.model_fields)}"
    if first["type"] == "missing":
        return f"{where}{key} is missing" if where else "no [[patch]] in it"
    message = first["msg"].removeprefix("Value error, ")
    return f"{where}{key} = {shown(first['input'])}: {message[0].lower()}{message[1:]}"


def _name_of(entry: Any, number: int) -> str:
    """Return the name of a patch, or its number where it has none."""
    name = entry.get("name") if isinstance(entry, dict) else None
    return shown(f"number {number + 1}" if name is None else name)

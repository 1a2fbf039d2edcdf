"""Warps of a Rubin Butler repository: which files they are, without the pipelines.

The Butler finds the files, our own reader reads them: its own `get` needs the
LSST stack.
"""

import atexit
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..errors import StackError, one_line
from .source import Source

__all__ = ["PREFIX", "ButlerQuery", "butler_query", "find_in_butler"]

#: What the name of a repository begins with, where a folder may be given.
PREFIX = "butler:"

#: Names of the direct and the PSF-matched warps, those of today first.
_DATASET_TYPES = (
    ("direct_warp", "psf_matched_warp"),
    ("deepCoadd_directWarp", "deepCoadd_psfMatchedWarp"),
)

#: What an answer may have but one of.
_ONE_EACH = ("skymap", "tract", "patch", "band")

#: Of a longer list, a message names so many.
_MOST_NAMED = 6

#: Local copies of files of remote repositories, kept until the program ends.
_COPIES = ExitStack()
atexit.register(_COPIES.close)


@dataclass(frozen=True)
class ButlerQuery:
    """Which warps of which repository.

    Attributes
    ----------
    repository : str
        Its path, URI, or the name that an index gives it.
    where : str
        The Butler's expression, such as ``skymap='lsst_cells_v1' AND tract=5063
        AND patch=14 AND band='i'``.
    collections : tuple of str
        Where to look, in this order; by default the repository's own, else all
        its runs with such warps, the newest first.
    dataset_types : tuple of str
        Names of the direct and the matched warps; by default those of the pipelines.
    """

    repository: str
    where: str = ""
    collections: tuple[str, ...] = ()
    dataset_types: tuple[str, ...] = ()


def butler_query(
    source: Any, where: str | None = None, collections: str | Iterable[str] | None = None,
    dataset_types: str | Iterable[str] | None = None,
) -> Any:  # fmt: skip
    """Return the query that a source and its options mean, or the source itself.

    Parameters
    ----------
    source : object
        Text that begins with ``butler:``, or anything else that names a stack.
    where, collections, dataset_types
        See `ButlerQuery`; lists may be texts with commas.

    Raises
    ------
    StackError
        If there are options but no repository, or not two dataset types.
    """
    is_butler = isinstance(source, str | Path) and str(source).startswith(PREFIX)
    if not is_butler:
        if where or collections or dataset_types:
            raise StackError(
                f"where, collections and dataset_types are for {PREFIX}REPOSITORY, not for {source}"
            )
        return source
    types = _listed(dataset_types)
    if len(types) not in (0, 2):
        raise StackError(
            f"dataset_types = {','.join(types)}; give that of the direct and of the matched warps"
        )
    repository = str(source).removeprefix(PREFIX)
    return ButlerQuery(repository, where or "", _listed(collections), types)


def _listed(text: str | Iterable[str] | None) -> tuple[str, ...]:
    parts = text.split(",") if isinstance(text, str) else (text or ())
    return tuple(part.strip() for part in parts if part.strip())


def find_in_butler(query: ButlerQuery) -> list[Source]:
    """List the files of the warps that a query finds.

    Parameters
    ----------
    query : ButlerQuery

    Returns
    -------
    list of Source
        In the order of the visits, direct warps first.

    Raises
    ------
    StackError
        If lsst-daf-butler is not installed, or the repository, the query or the
        answer is not what makes one stack.
    """
    try:
        from lsst.daf.butler import Butler
    except ImportError as error:
        raise StackError(
            f"{PREFIX}{query.repository}: a Butler repository needs lsst-daf-butler ({error}): "
            "pip install 'napari-comparewarp[butler]'"
        ) from error
    with _in_one_line(query):
        butler = Butler.from_config(query.repository, writeable=False)
    # Its connection to the database would stay open until the program ends.
    with butler:
        return _find(butler, query)


def _find(butler: Any, query: ButlerQuery) -> list[Source]:
    """List the files of the warps that a query finds in an open repository."""
    known = {kind.name: kind for kind in _types_of(butler, query)}
    types = query.dataset_types or next(
        (pair for pair in _DATASET_TYPES if all(name in known for name in pair)), ()
    )
    missing = [name for name in types if name not in known]
    if missing or not types:
        wanted = ", ".join(missing) or " or ".join(pair[0] for pair in _DATASET_TYPES)
        raise StackError(
            f"{PREFIX}{query.repository}: no dataset type {wanted}; it has "
            f"{', '.join(sorted(known)) or 'none'}: say which with --dataset-types DIRECT,MATCHED"
        )
    direct, matched = types
    collections = _collections(butler, query, types)
    found = {}
    for name in types:
        with _in_one_line(query):
            found[name] = butler.query_datasets(
                name, collections=collections, where=query.where, limit=None, explain=False
            )
    if not found[direct]:
        raise StackError(
            f"{PREFIX}{query.repository}: no {direct} where {query.where or 'nothing is asked'}, "
            f"in {', '.join(collections[:_MOST_NAMED])}"
        )
    _refuse_several(query, [ref for refs in found.values() for ref in refs])
    sources = []
    for name, kind in ((direct, "direct"), (matched, "matched")):
        refs = sorted(found[name], key=lambda ref: ref.dataId["visit"])
        with _in_one_line(query):
            uris = butler.get_many_uris(refs) if refs else {}
        for ref in refs:
            path = _local(query, uris[ref].primaryURI)
            sources.append(Source(path, named=True, visit=ref.dataId["visit"], kind=kind))  # type: ignore[arg-type]
    return sources


@contextmanager
def _in_one_line(query: ButlerQuery) -> Iterator[None]:
    """Pass the Butler's own messages through, with the repository."""
    try:
        yield
    except Exception as error:  # it has classes of its own, and those of its databases
        raise StackError(f"{PREFIX}{query.repository}: {one_line(error, named=True)}") from error


def _types_of(butler: Any, query: ButlerQuery) -> list[Any]:
    """Return the dataset types that tell a visit on a patch."""
    with _in_one_line(query):
        kinds = butler.registry.queryDatasetTypes()
    wanted = {"visit", "tract", "patch"}
    return [kind for kind in kinds if wanted <= set(kind.dimensions.names)]


def _collections(butler: Any, query: ButlerQuery, types: Sequence[str]) -> tuple[str, ...]:
    """Return the collections to search, in their order."""
    if query.collections:
        return query.collections
    with _in_one_line(query):
        if butler.collections.defaults:
            return tuple(butler.collections.defaults)
        infos = butler.collections.query_info("*", include_summary=True)
    runs = [
        info.name
        for info in infos
        if info.type.name == "RUN" and set(types) & set(info.dataset_types or ())
    ]
    # Their names end in the time of their making.
    return tuple(sorted(runs, key=lambda name: name.rpartition("/")[2], reverse=True))


def _refuse_several(query: ButlerQuery, refs: Sequence[Any]) -> None:
    """Refuse warps of several patches or bands."""
    for dimension in _ONE_EACH:
        values = sorted(
            {ref.dataId[dimension] for ref in refs if dimension in ref.dimensions.names}
        )
        if len(values) > 1:
            named = ", ".join(map(str, values[:_MOST_NAMED]))
            more = f" and {len(values) - _MOST_NAMED} more" if len(values) > _MOST_NAMED else ""
            raise StackError(
                f"{PREFIX}{query.repository}: warps of {dimension} {named}{more}; one is needed: "
                f"add AND {dimension}={values[0]!r} to where, or run them as patches of a batch"
            )


def _local(query: ButlerQuery, uri: Any) -> Path:
    """Return a file of a repository as one of this machine."""
    with _in_one_line(query):
        if uri.isLocal:
            return Path(uri.ospath)
        return Path(_COPIES.enter_context(uri.as_local()).ospath)

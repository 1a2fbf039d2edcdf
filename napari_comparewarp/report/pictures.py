"""Pictures of each step of a run, and the epoch count image: the debug products."""

import io
from base64 import b64encode
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
from astropy.io import fits
from astropy.visualization import AsinhStretch, ImageNormalize, ZScaleInterval
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import BoundaryNorm, ListedColormap, Normalize
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties, findfont, get_font

from ..colours import COUNT_COLOURS, COUNT_LIMIT, VERDICT_COLOURS
from ..io.atomic import check_output, check_output_folder, replacing
from ..io.sky import sky_of
from ..io.write import grid_header, grid_tables, write_hdus

if TYPE_CHECKING:
    from ..algorithm.coadd import Coadd
    from ..result.result import CompareWarpResult

__all__ = [
    "draw_clipped", "draw_coadds", "draw_difference", "draw_differences", "draw_epoch_count",
    "draw_removed", "draw_template", "embed_picture", "plain", "sky_stretch", "stretch_between",
    "write_debug_products",
]  # fmt: skip

#: One inch of a single picture's side in pixels of the screen.
DPI = 110

#: Sigma at which the colours of a difference end.
CHI_LIMIT = 10.0

#: Noise is kept well above this; the text of labels as well.
JPEG_QUALITY = 85

#: Letters of an id in the title of a picture.
_LONGEST_ID = 40

#: A picture shows no more pixels than this along an axis.
MAX_PIXELS = 1100


def write_debug_products(
    result: "CompareWarpResult", folder: Path, overwrite: bool = False
) -> list[Path]:
    """Write the epoch count image as FITS, and a picture of each step.

    Parameters
    ----------
    result : CompareWarpResult
    folder : Path
        Made if need be.
    overwrite : bool

    Returns
    -------
    list of Path
        ``epoch_count.fits``, ``template.png``, ``difference.png`` (the epoch
        with the largest clipped area), ``differences.png`` (all epochs),
        ``epoch_count.png``, ``clipped.png``, ``coadd.png`` (with and without
        clipping, on one scale).

    Raises
    ------
    OutputError
        If one of them exists, before any is written.
    """
    folder = Path(folder)
    check_output_folder(folder)
    pictures: dict[str, Callable[[CompareWarpResult], Figure]] = {
        "template.png": draw_template,
        "difference.png": draw_difference,
        "differences.png": draw_differences,
        "epoch_count.png": draw_epoch_count,
        "clipped.png": draw_clipped,
        "coadd.png": draw_coadds,
    }
    paths = [folder / "epoch_count.fits", *(folder / name for name in pictures)]
    for path in paths:
        check_output(path, overwrite)
    count = fits.ImageHDU(
        result.epoch_count.astype(np.int16),
        grid_header(result.coadd.wcs, result.coadd.origin),
        name="EPOCHCOUNT",
    )
    primary = fits.PrimaryHDU(header=result.header())
    write_hdus([primary, count, *grid_tables(result.coadd.wcs)], paths[0], overwrite)
    for path, draw in zip(paths[1:], pictures.values(), strict=True):
        with replacing(path, overwrite) as temporary:
            figure = draw(result)
            FigureCanvasAgg(figure).print_png(temporary)
    return paths


def draw_template(result: "CompareWarpResult") -> Figure:
    """Draw the model of the static sky."""
    figure, axes = _figure(result, 1)
    stretch = sky_stretch(result.template.image)
    _show_sky(figure, axes[0], result, result.template.image, stretch)
    axes[0].set_title(f"template of {int((result.matched_weights > 0).sum())} matched warps")
    return figure


def draw_difference(result: "CompareWarpResult") -> Figure:
    """Draw the warp difference of the epoch with the largest clipped area."""
    index = int(np.argmax(result.clipped_fraction))
    figure, axes = _figure(result, 1)
    picture = _show_chi(axes[0], result.chi(index))
    figure.colorbar(picture, ax=axes[0], shrink=0.8, label="warp − template, sigma", extend="both")
    axes[0].set_title(_title_of_epoch(result, index))
    return figure


def draw_differences(result: "CompareWarpResult") -> Figure:
    """Draw the warp differences of all epochs on one sheet."""
    n = result.stack.n_epochs
    columns = int(np.ceil(np.sqrt(n * 1.4)))
    rows = -(-n // columns)
    height, width = result.stack.shape
    side = 2.6
    figure = Figure(
        figsize=(columns * side + 1.2, rows * (side * height / width + 0.35)),
        dpi=DPI,
        layout="constrained",
    )
    grid = figure.subplots(rows, columns, squeeze=False)
    for axis in grid.flat[n:]:
        axis.set_axis_off()
    for index, axis in enumerate(grid.flat[:n]):
        axis.set_xticks([])
        axis.set_yticks([])
        picture = _show_chi(axis, result.chi(index), MAX_PIXELS // columns * 2)
        axis.set_title(_title_of_epoch(result, index), fontsize=7)
    label = "warp − template, sigma (grey: no data)"
    figure.colorbar(picture, ax=grid, shrink=0.6, pad=0.01, label=label, extend="both")
    return figure


def draw_epoch_count(result: "CompareWarpResult") -> Figure:
    """Draw in how many epochs each pixel deviates."""
    figure, axes = _figure(result, 1)
    colours = ListedColormap(COUNT_COLOURS)
    bounds = np.arange(-0.5, COUNT_LIMIT + 1)
    count = np.minimum(result.epoch_count, COUNT_LIMIT)
    picture = _show(axes[0], count, cmap=colours, norm=BoundaryNorm(bounds, colours.N))
    bar = figure.colorbar(picture, ax=axes[0], shrink=0.8, ticks=range(COUNT_LIMIT + 1))
    bar.ax.set_yticklabels([*map(str, range(COUNT_LIMIT)), f"{COUNT_LIMIT} or more"])
    bar.set_label("epochs in which the pixel deviates")
    axes[0].set_title(f"epoch count, of {int(result.n_matched.max())} epochs at most")
    return figure


def draw_clipped(result: "CompareWarpResult", unclipped: "Coadd | None" = None) -> Figure:
    """Draw the outlines of all footprints over the coadd without clipping.

    Parameters
    ----------
    result : CompareWarpResult
    unclipped : Coadd, optional
        That coadd, where it has been made already.
    """
    figure, axes = _figure(result, 1)
    image = (unclipped or result.unclipped()).image
    _show_sky(figure, axes[0], result, image, sky_stretch(image))
    verdicts = result.footprints["verdict"]
    step = _step(result.stack.shape, MAX_PIXELS)
    for verdict, colour in VERDICT_COLOURS.items():
        ids = np.array(result.footprints["id"][verdicts == verdict])
        if not len(ids):
            continue
        where = np.zeros(result.stack.shape, np.bool_)
        for index in np.unique(result.footprints["epoch_index"][verdicts == verdict]):
            where |= np.isin(result.labels(int(index)), ids)
        axes[0].contour(
            _binned(where, step, np.max), levels=[0.5], colors=[colour], linewidths=0.8,
            extent=_extent(result.stack.shape),
        )  # fmt: skip
        axes[0].plot([], [], color=colour, label=f"{verdict} ({len(ids)})")
    axes[0].set_title("footprints of all epochs over the coadd without clipping")
    if len(verdicts):
        axes[0].legend(loc="upper right", fontsize=8, framealpha=0.8)
    return figure


def draw_coadds(result: "CompareWarpResult", unclipped: "Coadd | None" = None) -> Figure:
    """Draw the coadd beside the one in which nothing is clipped, on one scale.

    Parameters
    ----------
    result : CompareWarpResult
    unclipped : Coadd, optional
        The latter, where it has been made already.
    """
    figure, axes = _figure(result, 2)
    stretch = sky_stretch(result.coadd.image)
    _show_sky(None, axes[0], result, (unclipped or result.unclipped()).image, stretch)
    axes[0].set_title("without clipping")
    picture = _show_sky(None, axes[1], result, result.coadd.image, stretch)
    axes[1].set_title("with clipping")
    if hasattr(axes[1], "coords"):
        axes[1].coords[1].set_axislabel("")
    figure.colorbar(picture, ax=axes, shrink=0.8, pad=0.02, label=_unit_label(result))
    return figure


def draw_removed(result: "CompareWarpResult", unclipped: "Coadd | None" = None) -> Figure:
    """Draw what clipping took out of the coadd, in sigma of the coadd.

    Parameters
    ----------
    result : CompareWarpResult
    unclipped : Coadd, optional
        The coadd without clipping, where it has been made already.
    """
    figure, axes = _figure(result, 1)
    coadd = result.coadd
    with np.errstate(invalid="ignore", divide="ignore"):
        removed = (unclipped or result.unclipped()).image - coadd.image
        removed /= np.sqrt(coadd.variance)
    picture = _show_chi(axes[0], removed)
    label = "without − with clipping, sigma of the coadd (grey: no data)"
    figure.colorbar(picture, ax=axes[0], shrink=0.8, label=label, extend="both")
    axes[0].set_title("what clipping removed")
    return figure


def embed_picture(figure: Figure, photographic: bool) -> str:
    """Return a picture as a ``data:`` address that a page can hold.

    Parameters
    ----------
    figure : Figure
    photographic : bool
        JPEG, for pictures of the sky, whose noise no lossless format makes
        small; otherwise PNG, for drawings.
    """
    buffer = io.BytesIO()
    canvas = FigureCanvasAgg(figure)
    if photographic:
        canvas.print_jpg(buffer, pil_kwargs={"quality": JPEG_QUALITY, "optimize": True})
    else:
        canvas.print_png(buffer)
    kind = "jpeg" if photographic else "png"
    return f"data:image/{kind};base64,{b64encode(buffer.getvalue()).decode('ascii')}"


def sky_stretch(image: npt.NDArray[np.float32]) -> ImageNormalize:
    """Return an asinh stretch between the zscale limits of an image."""
    finite = image[np.isfinite(image)]
    if not finite.size:
        return ImageNormalize(vmin=0, vmax=1, stretch=AsinhStretch())
    return stretch_between(*ZScaleInterval().get_limits(finite))


def stretch_between(low: float, high: float) -> ImageNormalize:
    """Return the asinh stretch that goes with zscale limits."""
    # The sky's noise stays in the lower part of the scale, stars do not burn out at once.
    return ImageNormalize(vmin=low, vmax=low + 4 * (high - low), stretch=AsinhStretch(0.2))


#: Names of the two axes of the sky, by the type of the first.
_AXES = {
    "RA": ("right ascension", "declination"),
    "GLON": ("galactic longitude", "galactic latitude"),
    "ELON": ("ecliptic longitude", "ecliptic latitude"),
}


def _figure(result: "CompareWarpResult", n: int) -> tuple[Figure, list[Any]]:
    """Return a figure with `n` axes beside each other, in sky coordinates where there are any."""
    height, width = result.stack.shape
    side = 7.0
    figure = Figure(
        figsize=(n * (side + 0.5) + 1.2, side * height / width + 1.1), dpi=DPI, layout="constrained"
    )
    wcs = result.coadd.wcs if sky_of(result.coadd.wcs, 0, 0) is not None else None
    keywords = {} if wcs is None else {"projection": wcs}
    axes = [figure.add_subplot(1, n, number + 1, **keywords) for number in range(n)]
    for axis in axes:
        if wcs is None:
            axis.set_xlabel("x, pixels")
            axis.set_ylabel("y, pixels")
        else:
            longitude, latitude = _AXES.get(wcs.wcs.lngtyp.strip(), ("longitude", "latitude"))
            axis.coords[wcs.wcs.lng].set_axislabel(longitude)
            axis.coords[wcs.wcs.lat].set_axislabel(latitude)
            axis.coords[1].set_ticklabel(rotation="vertical", va="center")
    return figure, axes


def _show(axis: Any, image: npt.NDArray, limit: int = MAX_PIXELS, **style: Any) -> Any:
    """Show an image with y up, in array coordinates, with no more pixels than can be seen."""
    step = _step(image.shape, limit)
    shown = _binned(image, step, np.max if image.dtype.kind in "iub" else np.nanmean)
    return axis.imshow(
        shown, origin="lower", interpolation="nearest", extent=_extent(image.shape), **style
    )


def _show_sky(
    figure: Figure | None, axis: Any, result: "CompareWarpResult", image: npt.NDArray,
    stretch: ImageNormalize,
) -> Any:  # fmt: skip
    axis.set_facecolor("#802020")
    picture = _show(axis, image, cmap="gray", norm=stretch)
    if figure is not None:
        figure.colorbar(picture, ax=axis, shrink=0.8, label=_unit_label(result))
    return picture


def _show_chi(axis: Any, chi: npt.NDArray[np.float32], limit: int = MAX_PIXELS) -> Any:
    axis.set_facecolor("#808080")
    return _show(axis, chi, limit, cmap="RdBu_r", norm=Normalize(-CHI_LIMIT, CHI_LIMIT))


def plain(text: str, most: int | None = None) -> str:
    r"""Return the text of a file as a picture can show it.

    It is not taken for mathematics, letters that the font lacks are escaped as
    ``\u65e5``, and what has more than `most` letters is cut.
    """
    letters = get_font(findfont(FontProperties())).get_charmap()
    shown = "".join(
        letter if ord(letter) in letters else letter.encode("unicode_escape").decode("ascii")
        for letter in text
    )
    if most is not None and len(shown) > most:
        shown = f"{shown[: most - 1]}…"
    return shown.replace("$", r"\$")


def _unit_label(result: "CompareWarpResult") -> str:
    unit = f"{plain(result.coadd.unit)} per pixel" if result.coadd.unit else "value per pixel"
    return f"{unit} (dark red: no data)"


def _title_of_epoch(result: "CompareWarpResult", index: int) -> str:
    epoch = plain(str(result.stack.epochs[index]), _LONGEST_ID)
    return f"epoch {epoch}: {100 * result.clipped_fraction[index]:.2f} % clipped"


def _step(shape: tuple[int, ...], limit: int) -> int:
    return max(1, -(-max(shape) // limit))


def _extent(shape: tuple[int, ...]) -> tuple[float, float, float, float]:
    return (-0.5, shape[1] - 0.5, -0.5, shape[0] - 0.5)


def _binned(image: npt.NDArray, step: int, combine: Callable[..., Any]) -> npt.NDArray:
    """Return an image in blocks of `step` pixels; the last rows and columns may be left over."""
    if step == 1:
        return image
    rows, columns = (size // step for size in image.shape)
    blocks = image[: rows * step, : columns * step].reshape(rows, step, columns, step)
    with np.errstate(invalid="ignore"):
        if combine is np.nanmean:
            good = np.isfinite(blocks)
            total = np.where(good, blocks, 0).sum(axis=(1, 3))
            return np.where(good.any(axis=(1, 3)), total / good.sum(axis=(1, 3)), np.nan)
        binned: npt.NDArray = combine(blocks, axis=(1, 3))
    return binned

"""What the pictures share: where they are drawn, their colours, and the file they end in."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any
from weakref import WeakSet

from chainrule.errors import InvalidSetting, InvalidShape, optional_package
from chainrule.files import write_atomically

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.cm import ScalarMappable
    from matplotlib.figure import Figure
    from matplotlib.legend import Legend

# Colours that readers with any kind of colour vision tell apart (Okabe and Ito, 2008).
BLUE, VERMILION = "#0072B2", "#D55E00"
CLASS_COLOURS = [VERMILION, BLUE, "#009E73", "#E69F00", "#CC79A7", "#56B4E9", "#F0E442"]
GREY, DARK = "#7F7F7F", "#333333"

_DOTS_PER_INCH = 150
_made_here: WeakSet[Figure] = WeakSet()


def matplotlib_module(name: str) -> ModuleType:
    """Import a part of matplotlib, as ``"pyplot"``, or say how to install it."""
    return optional_package(f"matplotlib.{name}", "Drawing a picture")


def open_axes(axes: Axes | None, width: float = 6.4, height: float = 4.2) -> Axes:
    """Return the axes given, checked, or those of a new figure.

    Parameters
    ----------
    axes : matplotlib Axes or None
    width, height : float
        Size of a new figure in inches.

    Raises
    ------
    MissingPackage
        Without matplotlib.
    InvalidSetting
        When ``axes`` is something else.
    """
    if axes is not None:
        return _check_axes(axes)
    layout = matplotlib_module("layout_engine").ConstrainedLayoutEngine(w_pad=0.1, h_pad=0.1)
    figure, new = matplotlib_module("pyplot").subplots(figsize=(width, height), layout=layout)
    _made_here.add(figure)
    return new


def save(axes: Axes, path: str | Path) -> Path:
    """Write the picture to a file, in one go: a reader never sees half of it.

    The same picture gives the same file, byte for byte. A figure that a function of this module
    made is closed; one of your own stays open.

    Parameters
    ----------
    axes : matplotlib Axes
        As the functions of this module return them; the whole figure is written.
    path : str or path-like
        Its suffix decides the format: ``.png`` (150 dots per inch) or ``.svg``. The folder must
        exist; a file of that name is replaced.

    Returns
    -------
    pathlib.Path
        The file.

    Raises
    ------
    InvalidSetting
        For another suffix, a place that cannot be written to, or axes that are none.
    """
    target = Path(path)
    kind = target.suffix.lower().removeprefix(".")
    if kind not in {"png", "svg"}:
        raise InvalidSetting(
            f"Received {str(path)!r} to save a picture in; expected a name that ends in .png or "
            f'.svg, such as "{target.stem or "picture"}.png".'
        )
    figure: Any = _check_axes(axes).figure.figure  # of a subfigure, the figure it is part of
    drawn = io.BytesIO()
    # Without the date and with fixed identifiers an SVG depends on nothing but the picture.
    same_every_time = {"svg.hashsalt": "chainrule"}
    with optional_package("matplotlib", "Drawing a picture").rc_context(same_every_time):
        metadata = {"Date": None} if kind == "svg" else None
        figure.savefig(drawn, format=kind, dpi=_DOTS_PER_INCH, metadata=metadata)
    write_atomically(target, drawn.getvalue())
    if figure in _made_here:
        matplotlib_module("pyplot").close(figure)
    return target


def shorten(text: object, at_most: int) -> str:
    """Cut a text that would push the picture itself aside."""
    written = str(text)
    return written if len(written) <= at_most else written[: at_most - 1].rstrip() + "…"


def check_labels(labels: Sequence[object] | None, count: int, what: str) -> list[str]:
    """Return the labels as text, 1 ... count without them.

    Raises
    ------
    InvalidShape
        When there are more or fewer than ``count``.
    """
    if labels is None:
        return [str(number) for number in range(1, count + 1)]
    listed = [str(label) for label in labels]
    if len(listed) != count:
        raise InvalidShape(
            f"labels holds {len(listed)} names; expected {count}: one for each {what}."
        )
    return listed


def legend_below(axes: Axes, *, inches: float, columns: int, **options: Any) -> Legend:
    """Put the legend that many inches under the axes, where it can hide nothing."""
    shift = matplotlib_module("transforms").ScaledTranslation(
        0, -inches, axes.figure.dpi_scale_trans
    )
    return axes.legend(
        loc="upper center",
        bbox_to_anchor=(0.5, 0),
        bbox_transform=axes.transAxes + shift,
        ncols=columns,
        frameon=False,
        borderaxespad=0,
        **options,
    )


def colour_scale(axes: Axes, mappable: ScalarMappable, label: str, **options: Any) -> None:
    """Put the scale of the colours beside the axes, as high as they are."""
    width = 0.18 / size_in_inches(axes)[0]
    beside = axes.inset_axes((1 + width / 2, 0, width, 1))
    axes.figure.colorbar(mappable, cax=beside, label=label, **options)


def size_in_inches(axes: Axes) -> tuple[float, float]:
    """Width and height of the axes as they stand now."""
    box = axes.get_window_extent().transformed(axes.figure.dpi_scale_trans.inverted())
    return box.width, box.height


def plain_frame(axes: Axes, grid: str) -> None:
    """Leave the two axis lines and a faint grid along ``grid``: "x", "y" or "both"."""
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(axis=grid, alpha=0.25, linewidth=0.8)  # type: ignore[arg-type]
    axes.set_axisbelow(True)


def _check_axes(axes: Axes) -> Axes:
    if not isinstance(axes, matplotlib_module("axes").Axes):
        raise InvalidSetting(
            f"Received {type(axes).__name__} as axes; expected one matplotlib Axes, such as the "
            "second thing matplotlib.pyplot.subplots() returns."
        )
    return axes

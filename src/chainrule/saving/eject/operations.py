"""The operations of ``chainrule.explain.operations`` as code for NumPy.

Each function gets the place of the layer, the arguments as code, and gives code back.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, TypeAlias

from chainrule.explain.expression import Call, Expression, Name, Product, Quotient, Sum, names
from chainrule.layers.feature_normalization import GroupNorm
from chainrule.saving.eject import windows
from chainrule.saving.eject.activations import axes_text
from chainrule.saving.eject.code import Printer
from chainrule.saving.eject.repeats import all_parts, replaced

if TYPE_CHECKING:
    from chainrule.saving.eject.layers import Ejected

Operation: TypeAlias = Callable[["Ejected", str], str]


def code(place: Ejected, call: Call, printer: Printer) -> str | None:
    """Code of an operation; None where the name is none."""
    arguments = [printer.text(argument) for argument in call.arguments]
    if call.function in windows.OPERATIONS:
        return windows.OPERATIONS[call.function](place, arguments[0])
    operation = _OPERATIONS.get(call.function)
    return None if operation is None else operation(place, arguments[0])


def back(place: Ejected, into: str) -> None:
    """Append ∂loss/∂x."""
    d_x = place.equations["d_x"]
    if place.image != place.x.code:
        windows.back(place, into, d_x)
    else:
        place.source.back(into, place.printer, _in_steps(place, d_x))


def _in_steps(place: Ejected, d_x: Expression) -> Expression:
    """Give the parts of a long equation, as those of normalization, lines of their own."""
    source, product = place.source, Product((Name((), "scale"), Name((), "d_z")))
    if place.layer.name != "batch_norm" and product in all_parts(d_x):
        source.back(f"d_x_hat_{place.suffix}", place.printer, product)
        d_x = replaced(d_x, product, Name((), "d_x_hat"))
    match d_x:
        case Quotient(Sum() as corrected, _) | Product((*_, Sum() as corrected)):
            if "n" in {name.field for name in names(corrected)}:
                source.backward.append(f"n = {channel_count(place)}  # numbers in a channel")
            source.back("corrected", place.printer, corrected)
            return replaced(d_x, corrected, Name((), "corrected"))
    return d_x


def channel_count(place: Ejected) -> str:
    """How many numbers a channel has in the batch."""
    channels = place.x.shape[-1]
    return f"{place.x.code}.size / {channels}" if channels > 1 else f"{place.x.code}.size"


def local(place: Ejected, name: str) -> str | None:
    """Code of a name that stands for a count, or for a step of a long equation."""
    if name == "d_x_hat":
        return f"d_x_hat_{place.suffix}"
    if name == "positions":
        return str(math.prod(place.x.shape[:-1]))
    return name if name in ("n", "corrected") else None


def _axes(place: Ejected) -> str:
    """All axes of the layer's outputs but the channels, with the batch."""
    return axes_text(range(len(place.output_shape)))


def _positions(place: Ejected) -> str:
    return axes_text(range(1, len(place.x.shape)))


def _group_mean(place: Ejected, x: str) -> str:
    if isinstance(place.layer, GroupNorm):
        return f"{place.source.use('group_mean')}({x}, {place.layer.groups})"
    return f"{place.source.use('average')}({x})"


def _everywhere(place: Ejected, d_z: str) -> str:
    axes = ", np.newaxis" * (len(place.x.shape) - 1)
    return f"np.broadcast_to({d_z}[:{axes}], {place.x.code}.shape)"


def _back_to_position(place: Ejected, d_z: str) -> str:
    return f"{place.source.use('back_to_position')}({d_z}, {place.x.code})"


def _padded(place: Ejected, x: str) -> str:
    (top, bottom), (left, right) = place.layer.border.sides(place.x.shape[:2])
    return f"np.pad({x}, ((0, 0), {(top, bottom)}, {(left, right)}, (0, 0)))"


def _cropped(place: Ejected, d_y: str) -> str:
    (top, _), (left, _) = place.layer.border.sides(place.x.shape[:2])
    height, width, _ = place.x.shape
    return f"{d_y}[:, {top}:{top + height}, {left}:{left + width}]"


def _block_sum(place: Ejected, d_y: str) -> str:
    (height, width, channels), (vertical, horizontal) = place.x.shape, place.layer.factors
    blocks = f"(-1, {height}, {vertical}, {width}, {horizontal}, {channels})"
    return f"np.sum({d_y}.reshape{blocks}, axis=(2, 4))"


def _enlarged(place: Ejected, x: str) -> str:
    vertical, horizontal = place.layer.factors
    return f"{x}.repeat({vertical}, axis=1).repeat({horizontal}, axis=2)"


def _reshaped(place: Ejected, x: str) -> str:
    shape = ", ".join(map(str, place.output_shape))
    return f"{x}.reshape(-1, {shape})"


_OPERATIONS: dict[str, Operation] = {
    "batch_sum": lambda place, x: f"np.sum({x}, axis=0)",
    "channel_sum": lambda place, x: f"np.sum({x}, axis={_axes(place)})",
    "channel_mean": lambda place, x: f"np.mean({x}, axis={_axes(place)})",
    "channel_average": lambda place, x: f"{place.source.use('average')}({x})",
    "position_mean": lambda place, x: f"np.mean({x}, axis={_positions(place)})",
    "position_largest": lambda place, x: f"np.max({x}, axis={_positions(place)})",
    "everywhere": _everywhere,
    "back_to_position": _back_to_position,
    "group": lambda place, x: x,
    "group_mean": _group_mean,
    "reshaped": _reshaped,
    "reshaped_back": lambda place, d: f"{d}.reshape({place.x.code}.shape)",
    "padded": _padded,
    "cropped": _cropped,
    "enlarged": _enlarged,
    "block_sum": _block_sum,
}

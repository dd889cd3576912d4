"""The operations of ``chainrule.explain.operations`` as code for NumPy.

Each function gets the place of the layer, the arguments as code, and gives code back.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeAlias

from chainrule.explain.expression import Call, Expression, Name, Product, Quotient, Sum, names
from chainrule.layers.feature_normalization import GroupNorm
from chainrule.layers.transposed import ConvTranspose2D
from chainrule.saving.eject.activations import axes_text
from chainrule.saving.eject.code import Printer, call_lines
from chainrule.saving.eject.source import refuse
from chainrule.saving.eject.stable import all_parts, replaced

if TYPE_CHECKING:
    from chainrule.saving.eject.layers import Ejected

Operation: TypeAlias = Callable[["Ejected", str], str]

_ZERO_PADDING = (0, 0), (0, 0)


def code(place: Ejected, call: Call, printer: Printer) -> str | None:
    """Code of an operation; None where the name is none."""
    arguments = [printer.text(argument) for argument in call.arguments]
    if call.function in _CONVOLUTIONS:
        return _CONVOLUTIONS[call.function](place, *arguments)
    operation = _OPERATIONS.get(call.function)
    return None if operation is None else operation(place, arguments[0])


def prepare(place: Ejected) -> None:
    """Append what comes before the equations: images with their border, sequences as images."""
    layer: Any = place.layer
    if getattr(layer, "windows", None) is None:
        return
    source = place.source
    if getattr(layer, "groups", 1) > 1:
        kernel = f"{_attribute(place, 'weights')}{_as_kernel(place)}"
        spread = source.use("spread_groups")
        source.forward.append(f"self.kernel_{place.suffix} = {spread}({kernel}, {layer.groups})")
    if isinstance(layer, ConvTranspose2D):
        source.forward += call_lines(f"painted = {_painted(place)}", 2)
        return
    is_sequence, sides = len(place.x.shape) == 2, _sides(place)
    if "window_mean" in _calls(place) and sides != _ZERO_PADDING:
        _prepare_pixels(place)
    if not is_sequence and sides == _ZERO_PADDING:
        return
    place.image = f"self.image_{place.suffix}"
    seen = f"{place.x.code}[:, np.newaxis]" if is_sequence else place.x.code
    if sides != _ZERO_PADDING:
        fill = ", constant_values=-np.inf" if "largest" in _calls(place) else ""
        seen = f"np.pad({seen}, ((0, 0), {sides[0]}, {sides[1]}, (0, 0)){fill})"
    line = f"{place.image} = {seen}"
    source.forward += call_lines(line, 2) if line.endswith(")") else [line]


def prepare_back(place: Ejected) -> None:
    """Append what comes before the gradients, where these are not simply those of a kernel."""
    layer: Any = place.layer
    if isinstance(layer, ConvTranspose2D):
        place.error = place.d_output
        sides = _output_sides(place)
        if sides != _ZERO_PADDING:
            place.error = f"d_painted_{place.suffix}"
            padding = f"((0, 0), {sides[0]}, {sides[1]}, (0, 0))"
            place.source.back_line(f"{place.error} = np.pad({place.d_output}, {padding})")
    if "d_kernel" in _calls(place) and _is_wrapped(place):
        place.source.back_line(f"whole = {_whole_kernel(place)}")


def back(place: Ejected, into: str) -> None:
    """Append ∂loss/∂x; the border is taken off again."""
    source, d_x = place.source, place.equations["d_x"]
    if place.image == place.x.code:
        source.back(into, place.printer, _in_steps(place, d_x))
        return
    if not isinstance(d_x, Call):
        raise refuse(place.layer, place.path, "its d_x is no operation on windows.")
    d_image = f"d_image_{place.suffix}"
    source.back(d_image, place.printer, d_x)
    (top, _), (left, _) = _sides(place)
    height, width, _ = _image_shape(place)
    rows = "0" if len(place.x.shape) == 2 else f"{top}:{top + height}"
    source.backward.append(f"{into} = {d_image}[:, {rows}, {left}:{left + width}]")


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


def _calls(place: Ejected) -> set[str]:
    return {e.function for e in place.equations.values() if isinstance(e, Call)}


def _axes(place: Ejected) -> str:
    """All axes of the layer's outputs but the channels, with the batch."""
    return axes_text(range(len(place.output_shape)))


def _positions(place: Ejected) -> str:
    return axes_text(range(1, len(place.x.shape)))


def _image_shape(place: Ejected) -> tuple[int, int, int]:
    """(height, width, channels) of a sample; a sequence is an image of height 1."""
    height, width, channels = (1, *place.x.shape)[-3:]
    return height, width, channels


def _sides(place: Ejected) -> Any:
    layer: Any = place.layer
    return layer.windows.sides(_image_shape(place)[:2])


def _steps(place: Ejected) -> str:
    """Arguments for stride and dilation, where they are not 1."""
    windows = place.layer.windows  # type: ignore[attr-defined]  # layers with these operations have windows
    stride = f", stride={windows.stride}" if windows.stride != (1, 1) else ""
    return stride + (f", dilation={windows.dilation}" if windows.dilation != (1, 1) else "")


# --- convolution --------------------------------------------------------------------------------


def _attribute(place: Ejected, name: str) -> str:
    return f"self.{place.source.attribute(place.layer, name)}"


def _as_kernel(place: Ejected) -> str:
    """Index that makes a sequence's weights those of images."""
    return "[np.newaxis]" if len(place.x.shape) == 2 else ""


def _kernel(place: Ejected) -> str:
    """The weights as an image's kernel for all channels at once."""
    layer: Any = place.layer
    if layer.groups > 1:
        return f"self.kernel_{place.suffix}"
    return f"{_attribute(place, 'weights')}{_as_kernel(place)}"


def _is_wrapped(place: Ejected) -> bool:
    """Whether the gradient of the kernel is more than that of the weights."""
    layer: Any = place.layer
    return bool(layer.groups > 1 or len(place.x.shape) == 2)


def _correlate(place: Ejected, x: str, weights: str) -> str:
    """Of a convolution x with its kernel; of a transposed one its error: the way back."""
    seen = place.error if isinstance(place.layer, ConvTranspose2D) else place.image
    found = f"{place.source.use('correlate')}({seen}, {_kernel(place)}{_steps(place)})"
    return _as_given(place, found)


def _whole_kernel(place: Ejected) -> str:
    if isinstance(place.layer, ConvTranspose2D):
        images = f"{place.error}, {place.x.code}"
    else:
        images = f"{place.image}, {_as_image(place, place.d_output)}"
    return f"{place.source.use('d_kernel')}({images}, {_kernel(place)}{_steps(place)})"


def _d_kernel(place: Ejected, x: str, d_z: str) -> str:
    layer: Any = place.layer
    if not _is_wrapped(place):
        return _whole_kernel(place)
    found = "whole"
    if layer.groups > 1:
        found = f"{place.source.use('gather_groups')}(whole, {layer.groups})"
    return f"{found}[0]" if len(place.x.shape) == 2 else found


def _d_image(place: Ejected, d_z: str, weights: str) -> str:
    if isinstance(place.layer, ConvTranspose2D):
        (height, width, _), sides = place.output_shape, _output_sides(place)
        (top, _), (left, _) = sides
        crop = f"[:, {top}:{top + height}, {left}:{left + width}]"
        return "painted" + crop * (sides != _ZERO_PADDING)
    return (
        f"{place.source.use('d_image')}({_as_image(place, d_z)}, {_kernel(place)}, "
        f"{place.image}.shape{_steps(place)})"
    )


def _painted(place: Ejected) -> str:
    """What a transposed convolution paints, before its border is cut off."""
    layer: Any = place.layer
    height, width = layer.windows.padded_size(place.output_shape[:2])
    shape = f"(len({place.x.code}), {height}, {width}, {layer.filters})"
    d_image = place.source.use("d_image")
    return f"{d_image}({place.x.code}, {_kernel(place)}, {shape}{_steps(place)})"


def _output_sides(place: Ejected) -> Any:
    layer: Any = place.layer
    return layer.windows.sides(place.output_shape[:2])


def _as_image(place: Ejected, array: str) -> str:
    """An array of the layer's outputs as images; of sequences they have height 1."""
    return f"{array}[:, np.newaxis]" if len(place.x.shape) == 2 else array


def _as_given(place: Ejected, image: str) -> str:
    return f"{image}[:, 0]" if len(place.x.shape) == 2 else image


# --- pooling ------------------------------------------------------------------------------------


def _window(place: Ejected) -> str:
    windows = place.layer.windows  # type: ignore[attr-defined]  # as above
    return f"{windows.size}{_steps(place)}"


def _largest(place: Ejected, x: str) -> str:
    return _as_given(place, f"{place.source.use('max_pool')}({place.image}, {_window(place)})")


def _back_to_largest(place: Ejected, d_z: str) -> str:
    z = _as_image(place, place.output.code)
    return (
        f"{place.source.use('max_pool_back')}({_as_image(place, d_z)}, {z}, {place.image}, "
        f"{_window(place)})"
    )


def _window_mean(place: Ejected, x: str) -> str:
    sums = f"{place.source.use('window_sum')}({place.image}, {_window(place)})"
    return _as_given(place, sums) + f" / {_pixels(place)}"


def _back_to_all(place: Ejected, d_z: str) -> str:
    share = _as_image(place, f"({d_z} / {_pixels(place)})")
    return f"{place.source.use('window_sum_back')}({share}, {place.image}.shape, {_window(place)})"


def _pixels(place: Ejected) -> str:
    """How many pixels each window averages over: those of its places that lie on the image."""
    windows = place.layer.windows  # type: ignore[attr-defined]  # as above
    if _sides(place) == _ZERO_PADDING:
        return str(math.prod(windows.size))
    return f"self.pixels_{place.suffix}"


def _prepare_pixels(place: Ejected) -> None:
    (height, width, _), sides = _image_shape(place), _sides(place)
    pixels, sums = f"self.pixels_{place.suffix}", place.source.use("window_sum")
    padding = f"((0, 0), {sides[0]}, {sides[1]}, (0, 0))"
    place.source.forward += [
        f"ones = np.pad(np.ones((1, {height}, {width}, 1)), {padding})",
        f"{pixels} = " + _as_given(place, f"{sums}(ones, {_window(place)})"),
    ]


# --- everything else ----------------------------------------------------------------------------


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
    (top, bottom), (left, right) = place.layer.border.sides(place.x.shape[:2])  # type: ignore[attr-defined]
    return f"np.pad({x}, ((0, 0), {(top, bottom)}, {(left, right)}, (0, 0)))"


def _cropped(place: Ejected, d_y: str) -> str:
    (top, _), (left, _) = place.layer.border.sides(place.x.shape[:2])  # type: ignore[attr-defined]
    height, width, _ = place.x.shape
    return f"{d_y}[:, {top}:{top + height}, {left}:{left + width}]"


def _block_sum(place: Ejected, d_y: str) -> str:
    (height, width, channels), (vertical, horizontal) = place.x.shape, place.layer.factors  # type: ignore[attr-defined]
    blocks = f"(-1, {height}, {vertical}, {width}, {horizontal}, {channels})"
    return f"np.sum({d_y}.reshape{blocks}, axis=(2, 4))"


def _enlarged(place: Ejected, x: str) -> str:
    vertical, horizontal = place.layer.factors  # type: ignore[attr-defined]
    return f"{x}.repeat({vertical}, axis=1).repeat({horizontal}, axis=2)"


def _reshaped(place: Ejected, x: str) -> str:
    shape = ", ".join(map(str, place.output_shape))
    return f"{x}.reshape(-1, {shape})"


_CONVOLUTIONS: dict[str, Callable[..., str]] = {
    "correlate": _correlate,
    "d_kernel": _d_kernel,
    "d_image": _d_image,
}

_OPERATIONS: dict[str, Operation] = {
    "batch_sum": lambda place, x: f"np.sum({x}, axis=0)",
    "channel_sum": lambda place, x: f"np.sum({x}, axis={_axes(place)})",
    "channel_mean": lambda place, x: f"np.mean({x}, axis={_axes(place)})",
    "channel_average": lambda place, x: f"{place.source.use('average')}({x})",
    "position_mean": lambda place, x: f"np.mean({x}, axis={_positions(place)})",
    "position_largest": lambda place, x: f"np.max({x}, axis={_positions(place)})",
    "everywhere": _everywhere,
    "back_to_position": lambda place, d: (
        f"{place.source.use('back_to_position')}({d}, {place.x.code})"
    ),
    "group": lambda place, x: x,
    "group_mean": _group_mean,
    "reshaped": _reshaped,
    "reshaped_back": lambda place, d: f"{d}.reshape({place.x.code}.shape)",
    "padded": _padded,
    "cropped": _cropped,
    "enlarged": _enlarged,
    "block_sum": _block_sum,
    "largest": _largest,
    "back_to_largest": _back_to_largest,
    "window_mean": _window_mean,
    "back_to_all": _back_to_all,
}

"""Layers whose windows slide over images or sequences: convolution and pooling.

Windows see x with its border of padding, and a sequence as an image of height 1: that is what
``place.image`` names. As in ``operations``, each function gives code.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from chainrule.explain.expression import Call, Expression
from chainrule.layers.transposed import ConvTranspose2D
from chainrule.saving.eject.layout import call_lines
from chainrule.saving.eject.source import refuse

if TYPE_CHECKING:
    from collections.abc import Callable

    from chainrule.saving.eject.layers import Ejected

_ZERO_PADDING = (0, 0), (0, 0)


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


def back(place: Ejected, into: str, d_x: Expression) -> None:
    """Append ∂loss/∂x where windows saw x with a border: it is taken off again."""
    if not isinstance(d_x, Call):
        raise refuse(place.layer, place.path, "its d_x is no operation on windows.")
    d_image = f"d_image_{place.suffix}"
    place.source.back(d_image, place.printer, d_x)
    (top, _), (left, _) = _sides(place)
    height, width, _ = _image_shape(place)
    rows = "0" if len(place.x.shape) == 2 else f"{top}:{top + height}"
    line = f"{into} = {d_image}[:, {rows}, {left}:{left + width}]"
    place.source.backward.append(line)


def _calls(place: Ejected) -> set[str]:
    return {e.function for e in place.equations.values() if isinstance(e, Call)}


def _image_shape(place: Ejected) -> tuple[int, int, int]:
    """(height, width, channels) of a sample; a sequence is an image of height 1."""
    height, width, channels = (1, *place.x.shape)[-3:]
    return height, width, channels


def _sides(place: Ejected) -> Any:
    layer: Any = place.layer
    return layer.windows.sides(_image_shape(place)[:2])


def _steps(place: Ejected) -> str:
    """Arguments for stride and dilation, where they are not 1."""
    windows = place.layer.windows
    stride = f", stride={windows.stride}" if windows.stride != (1, 1) else ""
    return stride + (f", dilation={windows.dilation}" if windows.dilation != (1, 1) else "")


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


def _correlate(place: Ejected, x: str) -> str:
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


def _d_kernel(place: Ejected, x: str) -> str:
    layer: Any = place.layer
    if not _is_wrapped(place):
        return _whole_kernel(place)
    found = "whole"
    if layer.groups > 1:
        found = f"{place.source.use('gather_groups')}(whole, {layer.groups})"
    return f"{found}[0]" if len(place.x.shape) == 2 else found


def _d_image(place: Ejected, d_z: str) -> str:
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


def _window(place: Ejected) -> str:
    windows = place.layer.windows
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
    windows = place.layer.windows
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


OPERATIONS: dict[str, Callable[[Ejected, str], str]] = {
    "correlate": _correlate,
    "d_kernel": _d_kernel,
    "d_image": _d_image,
    "largest": _largest,
    "back_to_largest": _back_to_largest,
    "window_mean": _window_mean,
    "back_to_all": _back_to_all,
}

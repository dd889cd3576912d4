"""What one number is made of where windows slide over images: convolution and pooling.

``chainrule.layers.correlation`` computes these sums for all numbers at once and says why they are
what they are. Here each is written out for one number. A sequence passes as an image of height 1.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, TypeAlias

from chainrule.explain.expression import (
    Call,
    Expression,
    Index,
    Name,
    Number,
    Quotient,
    add,
    multiply,
)
from chainrule.layers.windows import Pair, Windows

At: TypeAlias = Callable[[Expression, Index], Expression]
Arguments: TypeAlias = Sequence[Expression]


class Sliding:
    """Which pixels lie under which window.

    Parameters
    ----------
    windows : Windows
    image : tuple of int
        (height, width), without padding.
    output : tuple of int
        (out_height, out_width).
    """

    def __init__(self, windows: Windows, image: Pair, output: Pair) -> None:
        self.windows = windows
        self.image = image
        self.output = output
        (top, _), (left, _) = windows.sides(image)
        self.before = top, left

    def pixels(self, p: int, q: int) -> Iterator[tuple[int, int, int, int]]:
        """Place (i, j) in the window at (p, q), and the pixel (m, n) that lies there."""
        for i in range(self.windows.size[0]):
            for j in range(self.windows.size[1]):
                m, n = self._pixel(p, i, 0), self._pixel(q, j, 1)
                if 0 <= m < self.image[0] and 0 <= n < self.image[1]:
                    yield i, j, m, n

    def places_of(self, i: int, j: int) -> Iterator[tuple[int, int, int, int]]:
        """Windows (p, q), each with the pixel (m, n) that lies at (i, j) in it."""
        for p in range(self.output[0]):
            for q in range(self.output[1]):
                m, n = self._pixel(p, i, 0), self._pixel(q, j, 1)
                if 0 <= m < self.image[0] and 0 <= n < self.image[1]:
                    yield p, q, m, n

    def covering(self, m: int, n: int) -> Iterator[tuple[int, int, int, int]]:
        """Place (i, j) at which the pixel (m, n) lies in the window at (p, q), for each of them."""
        for i in range(self.windows.size[0]):
            for j in range(self.windows.size[1]):
                p, q = self._window(m, i, 0), self._window(n, j, 1)
                if p is not None and q is not None:
                    yield i, j, p, q

    def _pixel(self, window: int, inside: int, axis: int) -> int:
        windows = self.windows
        return window * windows.stride[axis] + inside * windows.dilation[axis] - self.before[axis]

    def _window(self, pixel: int, inside: int, axis: int) -> int | None:
        distance = pixel + self.before[axis] - inside * self.windows.dilation[axis]
        window, rest = divmod(distance, self.windows.stride[axis])
        return window if not rest and 0 <= window < self.output[axis] else None


def _sliding(place: Any, image: str, output: str) -> Sliding:
    return Sliding(place.layer.windows, _size(place, image), _size(place, output))


def _size(place: Any, field: str) -> Pair:
    height, width = _image(place.shape(field))[1:3]
    return height, width


def _image(index: Index) -> Index:
    """(batch, length, channels) -> (batch, 1, length, channels), for shapes; images as they are."""
    return (index[0], 1, *index[1:]) if len(index) == 3 else index


def _place(index: Index) -> Index:
    """(sample, position, channel) -> (sample, 0, position, channel); of images as it is."""
    return (index[0], 0, *index[1:]) if len(index) == 3 else index


def _lower(index: Index, like: Index) -> Index:
    """Take the axis of height 1 out again where the arrays have none."""
    return index if len(like) == 4 else (index[0], *index[2:])


# --- convolution ----------------------------------------------------------------------------------


def correlate(place: Any, at: At, arguments: Arguments, index: Index) -> Expression:
    """Weigh the pixels under a window: Σ image · kernel."""
    image, kernel = arguments
    b, p, q, f = _place(index)
    name = _field(image)
    sliding = _sliding(place, name, _other(place, name))
    return add(
        multiply(
            at(image, _lower((b, m, n, c), index)),
            at(kernel, _weight((i, j, inside, f), index)),
        )
        for i, j, m, n in sliding.pixels(p, q)
        for inside, c in _channels_of(place, f)
    )


def d_kernel(place: Any, at: At, arguments: Arguments, index: Index) -> Expression:
    """Add up, over batch and places, what a weight was multiplied with times the error there."""
    image, error = arguments
    i, j, inside, f = index if len(index) == 4 else (0, *index)
    c = dict(_channels_of(place, f))[inside]
    sliding = _sliding(place, _field(image), _field(error))
    shape = place.shape(_field(image))
    met = list(sliding.places_of(i, j))
    return add(
        multiply(
            at(image, _lower((b, m, n, c), shape)),
            at(error, _lower((b, p, q, f), shape)),
        )
        for b in range(shape[0])
        for p, q, m, n in met
    )


def d_image(place: Any, at: At, arguments: Arguments, index: Index) -> Expression:
    """Add up the errors of all windows that a pixel lay under, each times the weight it met."""
    error, kernel = arguments
    b, m, n, c = _place(index)
    name = _field(error)
    sliding = _sliding(place, _other(place, name), name)
    return add(
        multiply(
            at(error, _lower((b, p, q, f), index)),
            at(kernel, _weight((i, j, inside, f), index)),
        )
        for i, j, p, q in sliding.covering(m, n)
        for inside, f in _filters_of(place, c)
    )


def _field(argument: Expression) -> str:
    if not isinstance(argument, Name):
        raise TypeError(f"{argument!r} is no array: convolutions are of arrays themselves.")
    return argument.field


def _other(place: Any, field: str) -> str:
    """Return the input's name for the output's, and the other way round."""
    return "z" if field == place.input else place.input


def _weight(index: Index, like: Index) -> Index:
    return index if len(like) == 4 else index[1:]


def _parts(place: Any) -> tuple[int, int]:
    """Channels and filters in one group, of the convolution that the weights belong to."""
    *_, channels, filters = place.shape("weights")
    return channels, filters // place.layer.groups


def _channels_of(place: Any, f: int) -> list[tuple[int, int]]:
    """Channels that filter f sees: index in the kernel, and in the image."""
    channels, filters = _parts(place)
    first = f // filters * channels
    return [(inside, first + inside) for inside in range(channels)]


def _filters_of(place: Any, c: int) -> list[tuple[int, int]]:
    """Filters that see channel c, each with the channel's index in the kernel."""
    channels, filters = _parts(place)
    group, inside = divmod(c, channels)
    return [(inside, group * filters + f) for f in range(filters)]


# --- pooling --------------------------------------------------------------------------------------


def largest(place: Any, at: At, arguments: Arguments, index: Index) -> Expression:
    """Return the largest number under a window."""
    b, p, q, c = _place(index)
    under = _pooling(place).pixels(p, q)
    return Call("Max", tuple(at(arguments[0], _lower((b, m, n, c), index)) for _, _, m, n in under))


def back_to_largest(place: Any, at: At, arguments: Arguments, index: Index) -> Expression:
    """Add up the errors of those windows that chose this pixel."""
    b, m, n, c = _place(index)
    chosen, width = place.array("chosen"), place.layer.windows.size[1]
    return add(
        at(arguments[0], _lower((b, p, q, c), index))
        for i, j, p, q in _pooling(place).covering(m, n)
        if chosen[_lower((b, p, q, c), index)] == i * width + j
    )


def window_mean(place: Any, at: At, arguments: Arguments, index: Index) -> Expression:
    """Average the pixels under a window; padding does not count."""
    b, p, q, c = _place(index)
    under = [
        at(arguments[0], _lower((b, m, n, c), index)) for _, _, m, n in _pooling(place).pixels(p, q)
    ]
    return Quotient(add(under), Number(float(len(under))))


def back_to_all(place: Any, at: At, arguments: Arguments, index: Index) -> Expression:
    """Add up this pixel's equal share of the errors of all windows that it lay under."""
    b, m, n, c = _place(index)
    pooling = _pooling(place)
    return add(
        Quotient(
            at(arguments[0], _lower((b, p, q, c), index)),
            Number(float(len(list(pooling.pixels(p, q))))),
        )
        for _, _, p, q in pooling.covering(m, n)
    )


def _pooling(place: Any) -> Sliding:
    return _sliding(place, place.input, place.output)

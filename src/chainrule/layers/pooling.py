"""Pooling: one number for each window of an image, its largest or its average.

A window slides over each channel by itself, so pooling has no weights. It makes images smaller
and the network a little blind to where exactly something stands. Layers on sequences see them as
images of height 1.
"""

from __future__ import annotations

import numpy as np

from chainrule import checks
from chainrule.errors import InvalidSetting
from chainrule.layer import Array, Layer, Shape, Trace
from chainrule.layers.window_pooling import average, back_to_all, back_to_largest, largest
from chainrule.layers.windows import (
    LengthPadding,
    Padding,
    Pair,
    Windows,
    check_length_padding,
    check_padding,
    check_pair,
    image_shape,
    sequence_shape,
)


class ImagePooling(Layer, register=False):
    """Base of the layers that pool images: settings and shapes.

    Attributes
    ----------
    windows : Windows
        How the window slides, made from the settings.
    """

    def __init__(
        self,
        window: int | Pair = 2,
        stride: int | Pair | None = None,
        padding: Padding = "valid",
    ) -> None:
        self.window = check_pair("window", window)
        self.stride = None if stride is None else check_pair("stride", stride)
        self.padding = check_padding(padding)
        self.windows = Windows.of_image(self.window, self.stride or self.window, self.padding)
        _check_no_window_on_padding_alone(self)

    def output_shape(self, input_shape: Shape) -> Shape:
        """(height, width, channels) -> (out_height, out_width, channels)."""
        height, width, channels = image_shape(input_shape, self)
        return *self.windows.output_size((height, width), self), channels


class SequencePooling(Layer, register=False):
    """Base of the layers that pool sequences: settings and shapes.

    Attributes
    ----------
    windows : Windows
        How the window slides over the sequence as an image of height 1.
    """

    def __init__(
        self, window: int = 2, stride: int | None = None, padding: LengthPadding = "valid"
    ) -> None:
        self.window = checks.whole_number("window", window)
        self.stride = None if stride is None else checks.whole_number("stride", stride)
        self.padding = check_length_padding(padding)
        self.windows = Windows.of_length(self.window, self.stride or self.window, self.padding)
        _check_no_window_on_padding_alone(self)

    def output_shape(self, input_shape: Shape) -> Shape:
        """(length, channels) -> (out_length, channels)."""
        length, channels = sequence_shape(input_shape, self)
        return self.windows.output_size((1, length), self)[1], channels


class MaxPool2D(ImagePooling):
    """Keep the largest number of each window, in each channel of an image.

    z[p, q] = max x[p · stride + i, q · stride + j] over the places (i, j) in the window. Places in
    the padding take no part.

    Parameters
    ----------
    window : int or (height, width), default 2
        Size of the window.
    stride : int or (vertical, horizontal), optional
        Steps from one window to the next; without it the window's size, so that none overlap.
    padding : "valid", "same", int, (vertical, horizontal) or ((top, bottom), (left, right))
        Pixels around the image; less than the window, so that each has a pixel to choose.

    Notes
    -----
    A small change of the largest number changes z by as much; a small change of any other does
    nothing. So the whole of ∂L/∂z goes back to where the largest number came from::

        ∂L/∂x[m, n] = Σ ∂L/∂z[p, q] over all windows that chose (m, n)

    ``trace.chosen`` (batch, out_height, out_width, channels) holds the places that were chosen:
    i · width + j for the place (i, j) of a window. Where several numbers are the largest, the
    first one of them in this order is chosen and gets everything. There z has a corner, so on
    the flat parts of an image finite differences say something else.

    Examples
    --------
    >>> import numpy as np
    >>> from chainrule import Trace
    >>> x = np.array([[1.0, 5.0, 2.0, 2.0], [3.0, 4.0, 2.0, 2.0]]).reshape(1, 2, 4, 1)
    >>> trace = Trace()
    >>> MaxPool2D().feedforward(x, trace).ravel().tolist()
    [5.0, 2.0]
    >>> trace.chosen.ravel().tolist()
    [1, 0]
    """

    def equations(self, training: bool) -> dict[str, str]:
        return {"z": "largest(x)", "d_x": "back_to_largest(d_z)"}

    def feedforward(self, x: Array, trace: Trace) -> Array:
        """X (batch, height, width, channels) -> z (batch, out_height, out_width, channels)."""
        trace.x = x
        output = self.windows.output_size(x.shape[1:3], self)
        z, trace.chosen = largest(x, self.windows, output)
        return z

    def backprop(self, d_z: Array, trace: Trace) -> Array | None:
        """d_z (batch, out_height, out_width, channels) -> d_x (batch, height, width, channels)."""
        if not trace.needs_d_x:
            return None
        return back_to_largest(d_z, trace.chosen, self.windows, trace.x.shape[1:3])


class MaxPool1D(SequencePooling):
    """Keep the largest number of each window, in each channel of a sequence.

    Like ``MaxPool2D`` on an image of height 1; there stands the equation of the way back.
    ``trace.chosen`` (batch, out_length, channels) holds the place in the window, from 0.

    Parameters
    ----------
    window : int, default 2
    stride : int, optional
        Steps from one window to the next; without it the window's size, so that none overlap.
    padding : "valid", "same", int or (before, after)
        Steps around the sequence; less than the window, so that each has a number to choose.
    """

    def equations(self, training: bool) -> dict[str, str]:
        return {"z": "largest(x)", "d_x": "back_to_largest(d_z)"}

    def feedforward(self, x: Array, trace: Trace) -> Array:
        """X (batch, length, channels) -> z (batch, out_length, channels)."""
        trace.x = x
        output = self.windows.output_size((1, x.shape[1]), self)
        z, chosen = largest(x[:, np.newaxis], self.windows, output)
        trace.chosen = chosen[:, 0]
        return z[:, 0]

    def backprop(self, d_z: Array, trace: Trace) -> Array | None:
        """d_z (batch, out_length, channels) -> d_x (batch, length, channels)."""
        if not trace.needs_d_x:
            return None
        d_z, chosen = d_z[:, np.newaxis], trace.chosen[:, np.newaxis]
        return back_to_largest(d_z, chosen, self.windows, (1, trace.x.shape[1]))[:, 0]


class AveragePool2D(ImagePooling):
    """Take the average of each window, in each channel of an image.

    z[p, q] = Σ x[p · stride + i, q · stride + j] / n over the n places (i, j) of the window that
    lie on the image. Places in the padding are not counted.

    Parameters
    ----------
    window : int or (height, width), default 2
        Size of the window.
    stride : int or (vertical, horizontal), optional
        Steps from one window to the next; without it the window's size, so that none overlap.
    padding : "valid", "same", int, (vertical, horizontal) or ((top, bottom), (left, right))
        Pixels around the image; less than the window, so that each has a pixel to average.

    Notes
    -----
    Every pixel of a window has the same share in its average, 1/n, and takes back as much::

        ∂L/∂x[m, n] = Σ ∂L/∂z[p, q] / n over all windows that cover (m, n)

    ``trace.share`` (1, out_height, out_width, 1) holds 1/n of each window.
    """

    def equations(self, training: bool) -> dict[str, str]:
        return {"z": "window_mean(x)", "d_x": "back_to_all(d_z)"}

    def feedforward(self, x: Array, trace: Trace) -> Array:
        """X (batch, height, width, channels) -> z (batch, out_height, out_width, channels)."""
        trace.x = x
        output = self.windows.output_size(x.shape[1:3], self)
        z, trace.share = average(x, self.windows, output)
        return z

    def backprop(self, d_z: Array, trace: Trace) -> Array | None:
        """d_z (batch, out_height, out_width, channels) -> d_x (batch, height, width, channels)."""
        if not trace.needs_d_x:
            return None
        return back_to_all(d_z, trace.share, self.windows, trace.x.shape[1:3])


class AveragePool1D(SequencePooling):
    """Take the average of each window, in each channel of a sequence.

    Like ``AveragePool2D`` on an image of height 1; there stands the equation of the way back.
    ``trace.share`` (1, out_length, 1) holds one over how many numbers each average is of.

    Parameters
    ----------
    window : int, default 2
    stride : int, optional
        Steps from one window to the next; without it the window's size, so that none overlap.
    padding : "valid", "same", int or (before, after)
        Steps around the sequence; less than the window, so that each has a number to average.
    """

    def equations(self, training: bool) -> dict[str, str]:
        return {"z": "window_mean(x)", "d_x": "back_to_all(d_z)"}

    def feedforward(self, x: Array, trace: Trace) -> Array:
        """X (batch, length, channels) -> z (batch, out_length, channels)."""
        trace.x = x
        output = self.windows.output_size((1, x.shape[1]), self)
        z, share = average(x[:, np.newaxis], self.windows, output)
        trace.share = share[:, 0]
        return z[:, 0]

    def backprop(self, d_z: Array, trace: Trace) -> Array | None:
        """d_z (batch, out_length, channels) -> d_x (batch, length, channels)."""
        if not trace.needs_d_x:
            return None
        d_z, share = d_z[:, np.newaxis], trace.share[:, np.newaxis]
        return back_to_all(d_z, share, self.windows, (1, trace.x.shape[1]))[:, 0]


def _check_no_window_on_padding_alone(layer: ImagePooling | SequencePooling) -> None:
    """Refuse padding as wide as the window: a window on nothing has no maximum and no average."""
    windows = layer.windows
    if isinstance(windows.padding, str):
        return
    if any(max(sides) >= size for sides, size in zip(windows.padding, windows.size, strict=True)):
        raise InvalidSetting(
            f"{layer!r} would have windows on padding alone; expected less padding on each side "
            "than the window is wide there. Use a larger window or less padding."
        )

"""Dropout: in training some numbers are left out at random, so that no unit relies on another."""

from __future__ import annotations

import numpy as np

from chainrule import checks
from chainrule.errors import InvalidShape
from chainrule.layer import Array, Layer, Shape, Trace


class Dropout(Layer):
    """Zero each number with probability p while training, and scale up the rest: y = m · x.

    Parameters
    ----------
    rate : float, default 0.5
        p, the part that is left out, from 0 up to but not including 1.

    Notes
    -----
    The mask m is drawn anew in each pass, 0 with probability p and 1 / (1 - p) otherwise. So the
    expected value of y is x, and nothing needs scaling when the network is used: outside training
    the layer passes x on as it is. ("Inverted" dropout, after Srivastava et al., 2014.)

    The backward pass IS the same mask: what was left out had no influence on the loss, and what
    was scaled up had that much more::

        ∂L/∂x = ∂L/∂y · m

    The mask stands in the trace. It follows from the network's seed, the step and the position of
    the layer, so that any step can be replayed.

    Examples
    --------
    >>> import chainrule as cr
    >>> from chainrule.layers import Dropout
    >>> Dropout(0.25)
    Dropout(rate=0.25)
    """

    def __init__(self, rate: float = 0.5) -> None:
        self.rate = checks.number("rate", rate, at_least=0, below=1)

    def equations(self, training: bool) -> dict[str, str]:
        """The same mask both ways, in training; nothing at all outside of it."""
        return {"y": "x * mask", "d_x": "d_y * mask"} if training else {"y": "x", "d_x": "d_y"}

    def feedforward(self, x: Array, trace: Trace) -> Array:
        """X (batch, ...) -> y (batch, ...)."""
        if not trace.training:
            return x
        # float32 draws whatever x is, so that both dtypes leave the same numbers out.
        draws = trace.random("dropout").random(self.mask_shape(x.shape), dtype=np.float32)
        trace.mask = (draws >= self.rate) * x.dtype.type(1 / (1 - self.rate))
        return x * trace.mask

    def backprop(self, d_y: Array, trace: Trace) -> Array:
        """d_y (batch, ...) -> d_x (batch, ...)."""
        return d_y * trace.mask if trace.training else d_y

    def mask_shape(self, shape: Shape) -> Shape:
        """Shape of the mask for a batch of this shape: every number is left out by itself."""
        return shape


class SpatialDropout(Dropout):
    """Zero whole channels of each image with probability p while training: y = m · x.

    Parameters
    ----------
    rate : float, default 0.5
        p, the part of the channels that is left out, from 0 up to but not including 1.

    Notes
    -----
    The mask is that of ``Dropout`` with one number for each image and channel, (batch, 1, 1,
    channels). Neighbouring pixels of a feature map say nearly the same, so leaving out single
    pixels hides little; leaving out the whole map does (Tompson et al., 2015).

    Examples
    --------
    >>> from chainrule.layers import SpatialDropout
    >>> SpatialDropout().mask_shape((32, 28, 28, 6))
    (32, 1, 1, 6)
    """

    def output_shape(self, input_shape: Shape) -> Shape:
        """(..., channels) -> the same, with at least one axis before the channels."""
        if len(input_shape) < 2:
            raise InvalidShape(
                f"{self!r} received samples of shape {input_shape}; expected (height, width, "
                "channels) or (length, channels): it leaves out whole channels. For rows of "
                "numbers use Dropout."
            )
        return input_shape

    def mask_shape(self, shape: Shape) -> Shape:
        """(batch, ..., channels) -> (batch, 1, ..., channels): one number for a whole channel."""
        return (shape[0], *(1 for _ in shape[1:-1]), shape[-1])

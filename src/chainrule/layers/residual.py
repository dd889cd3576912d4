"""Residual: layers that need only learn what to add to their inputs."""

from __future__ import annotations

from typing import Any

import numpy as np

from chainrule.activation import Activation
from chainrule.errors import InvalidSetting, InvalidShape
from chainrule.initializers import Initializer
from chainrule.layer import Array, Layer, Parameter, Shape, Trace


class Residual(Layer):
    """A way around some layers: y = f(F(x) + x), where F is what the layers compute.

    Parameters
    ----------
    *layers : Layer
        F, in the order the data pass through.
    projection : None, "auto" or Layer, default None
        What stands on the way around. None: nothing, so F must keep the shape of x. "auto": where
        F changes it, a matrix W takes the channels of x to those of F(x). A layer of your own:
        that one, always.
    activation : str or Activation, default "identity"
        f, after the sum.

    Attributes
    ----------
    projection_weights : ndarray (input channels, output channels)
        W, where ``projection="auto"`` and the shapes differ.

    Notes
    -----
    With W the way around is x W for rows of numbers. For images it is x W at every pixel, and
    where F makes the image smaller by a stride, at every second, third, ... pixel: a convolution
    with a 1 x 1 kernel and that stride (He et al., 2016, equations 1 and 2).

    The backward pass goes both ways at once. x has reached the sum twice, through F and beside
    it, so its derivative is the sum of what comes back on either way::

        δ      = ∂L/∂y · f'(z)             where z = F(x) + x
        ∂L/∂x  = δ ∂F/∂x + δ               or, with a matrix, δ ∂F/∂x + δ Wᵀ
        ∂L/∂W  = xᵀ δ                      summed over the batch and its pixels

    The second term reaches x whatever F is: a deep stack of such blocks can be trained where the
    layers alone could not.

    ``trace.inner(0)`` is the trace of the first layer of F, and so on; a projection of your own
    has the one after the last.

    Examples
    --------
    >>> import chainrule as cr
    >>> from chainrule.layers import Residual
    >>> Residual(cr.Dense(8, "tanh"), cr.Dense(8), activation="relu")
    Residual(Dense(8, activation='tanh'), Dense(8), activation='relu')
    """

    projection_weights = Parameter(penalized=True)
    activation: Activation

    def __init__(
        self,
        *layers: Layer,
        projection: str | Layer | None = None,
        activation: str | Activation = "identity",
    ) -> None:
        if not layers:
            raise InvalidSetting(
                "Residual received no layers; expected at least one: Residual(Dense(8), Dense(8))."
            )
        for number, layer in enumerate(layers, start=1):
            _check_layer(f"Layer {number} in Residual", layer)
        if projection is not None and projection != "auto":
            _check_layer("projection", projection, 'None, "auto" or ')
        self.layers = layers
        self.projection = projection
        self.activation = Activation.get(activation)

    def inner_layers(self, input_shape: Shape) -> list[tuple[Layer, Shape]]:
        """Return the layers of F and, after them, the projection where it is a layer."""
        inner, shape = [], input_shape
        for layer in self.layers:
            inner.append((layer, shape))
            shape = layer.output_shape(shape)
        if isinstance(self.projection, Layer):
            inner.append((self.projection, input_shape))
        return inner

    def output_shape(self, input_shape: Shape) -> Shape:
        """Shape of F(x), once the way around is known to give the same."""
        shape = self._shape_of_f(input_shape)
        around, advice = self._shape_around(input_shape, shape)
        if around != shape:
            raise InvalidShape(
                f"{self!r} received samples of shape {input_shape}; its layers make {shape} of "
                f"them and the way around {around}. Expected the same shape, to add them. {advice}"
            )
        return shape

    def parameter_shapes(self, input_shape: Shape) -> dict[str, Shape]:
        """W (input channels, output channels), where a matrix is needed."""
        shape = self._shape_of_f(input_shape)
        if self.projection != "auto" or shape == input_shape:
            return {}
        return {"projection_weights": (input_shape[-1], shape[-1])}

    def initial_value(self, name: str, shape: Shape, random: np.random.Generator) -> Array:
        """Draw W as for a layer without activation."""
        return Initializer.get("glorot_uniform").values(shape, random)

    def equations(self, training: bool) -> dict[str, str]:
        """The sum of both ways: ``f`` is F(x), ``d_x_of_f`` what comes back through F."""
        if isinstance(self.projection, Layer):
            return {"z": "f + around", "d_x": "d_x_of_f + d_x_around"}
        if "projection_weights" not in vars(self):
            return {"z": "f + x", "d_x": "d_x_of_f + d_z"}
        return {
            "rows": "pixels(x)",
            "z": "f + placed(rows @ projection_weights)",
            "d_projection_weights": "rows.T @ as_rows(d_z)",
            "d_x": "d_x_of_f + spread(as_rows(d_z) @ projection_weights.T)",
        }

    def feedforward(self, x: Array, trace: Trace) -> Array:
        """X (batch, ...) -> y (batch, ...)."""
        trace.x = x
        f = x
        for index, layer in enumerate(self.layers):
            f = layer.feedforward(f, trace.inner(index))
        return self.activation.feedforward(f + self._around(x, f.shape, trace), trace)

    def backprop(self, d_y: Array, trace: Trace) -> Array:
        """d_y (batch, ...) -> d_x (batch, ...)."""
        trace.d_z = d_z = self.activation.backprop(d_y, trace)
        d_f = d_z
        for index in range(len(self.layers) - 1, -1, -1):
            d_f = _backprop(self.layers[index], d_f, trace.inner(index))
        return d_f + self._back_around(d_z, trace)

    def update_statistics(self, trace: Trace) -> None:
        """Let the layers inside count the pass."""
        for index, layer in enumerate(self.layers):
            layer.update_statistics(trace.inner(index))
        if isinstance(self.projection, Layer):
            self.projection.update_statistics(trace.inner(len(self.layers)))

    def _shape_of_f(self, shape: Shape) -> Shape:
        for layer in self.layers:
            shape = layer.output_shape(shape)
        return shape

    def _shape_around(self, input_shape: Shape, shape: Shape) -> tuple[Shape, str]:
        """Shape that the way around gives, and what to do if it is not that of F(x)."""
        if isinstance(self.projection, Layer):
            around = self.projection.output_shape(input_shape)
            return around, "Give the projection the outputs, or the filters and stride, that fit."
        if strides_between(input_shape, shape) is None:
            advice = 'No matrix does it: give the layers padding="same", or a projection layer.'
            return input_shape, advice
        if self.projection is None:
            return input_shape, 'projection="auto" brings them together.'
        return shape, ""

    def _around(self, x: Array, shape: Shape, trace: Trace) -> Array:
        """Take x past the layers, into the shape of F(x)."""
        if isinstance(self.projection, Layer):
            return self.projection.feedforward(x, trace.inner(len(self.layers)))
        if x.shape == shape:
            return x
        pixels = x[_pixels(x.shape[1:], shape[1:])]
        trace.rows = rows = pixels.reshape(-1, pixels.shape[-1])
        return np.dot(rows, self.projection_weights).reshape(shape)

    def _back_around(self, d_z: Array, trace: Trace) -> Array:
        """Take the derivative of the sum past the layers, back to x."""
        if isinstance(self.projection, Layer):
            return _backprop(self.projection, d_z, trace.inner(len(self.layers)))
        x = trace.x
        if x.shape == d_z.shape:
            return d_z
        d_rows = d_z.reshape(-1, d_z.shape[-1])
        trace.d_projection_weights = np.dot(
            trace.rows.T, d_rows, out=trace.room("d_projection_weights")
        )
        d_pixels = np.dot(d_rows, self.projection_weights.T)
        d_x = np.zeros_like(x)
        d_x[_pixels(x.shape[1:], d_z.shape[1:])] = d_pixels.reshape(*d_z.shape[:-1], x.shape[-1])
        return d_x


def strides_between(input_shape: Shape, output_shape: Shape) -> tuple[int, ...] | None:
    """Strides that take every axis but the channels from one shape to the other, if there are any.

    Every s-th of n pixels are ceil(n / s). If any s gives m of them, then ceil(n / m) does.
    """
    sizes = list(zip(input_shape[:-1], output_shape[:-1], strict=False))
    strides = tuple(-(-n // m) for n, m in sizes)
    fits = all(-(-n // s) == m for (n, m), s in zip(sizes, strides, strict=True))
    return strides if fits and len(input_shape) == len(output_shape) else None


def _pixels(input_shape: Shape, output_shape: Shape) -> tuple[slice, ...]:
    """Index of the pixels that the way around takes from each sample of a batch."""
    strides = strides_between(input_shape, output_shape) or ()
    return (slice(None), *(slice(None, None, stride) for stride in strides))


def _backprop(layer: Layer, d_output: Array, trace: Trace) -> Array:
    """Run backprop of a layer inside, which always has someone to tell d_x to."""
    return layer.backprop(d_output, trace)  # type: ignore[return-value]  # needs_d_x is True


def _check_layer(name: str, value: Any, instead: str = "") -> None:
    if not isinstance(value, Layer):
        what = f"the class {value.__name__}" if isinstance(value, type) else repr(value)
        raise InvalidSetting(
            f"{name} is {what}; expected {instead}a layer object such as Dense(8) or ReLU()."
        )

"""The dense (fully connected) layer: every input reaches every unit."""

from __future__ import annotations

import numpy as np

from chainrule import checks
from chainrule.activation import Activation
from chainrule.errors import InvalidShape
from chainrule.initializers import Initializer
from chainrule.layer import Array, Layer, Parameter, Shape, Trace


class Dense(Layer):
    """Weighted sum plus bias, then an activation: z = x W + b, a = f(z).

    Parameters
    ----------
    outputs : int
        Number of units, each with one weight for every input.
    activation : str or Activation, default "identity"
        f in the equation: a name as ``"relu"``, or an object as ``LeakyReLU(slope=0.1)``.
    use_bias : bool, default True
        Whether there is a b to add.
    weights_initializer : str or Initializer, default "auto"
        What the weights start from; "auto" is what suits the activation.
    bias_initializer : str or Initializer, default "zeros"
        What the bias starts from.

    Attributes
    ----------
    weights : ndarray (inputs, outputs)
        W. Column j holds the weights of unit j.
    bias : ndarray (outputs,)
        b, where ``use_bias``.

    Notes
    -----
    With δ = ∂L/∂z, the chain rule gives (Rumelhart, Hinton and Williams, 1986)::

        δ     = ∂L/∂a · f'(z)        each unit by itself
        ∂L/∂W = xᵀ δ                 input times error, summed over the batch
        ∂L/∂b = Σ δ                  summed over the batch
        ∂L/∂x = δ Wᵀ                 each input's share of every unit's error

    The code says ``np.dot(x, W)`` for x W, because on small arrays ``@`` takes half as long again.
    ``out=trace.room(...)`` only names the place where the engine wants the result.

    Examples
    --------
    >>> import chainrule as cr
    >>> cr.Dense(4, activation="sigmoid")
    Dense(4, activation='sigmoid')
    """

    weights = Parameter(penalized=True)
    bias = Parameter()
    activation: Activation

    def __init__(
        self,
        outputs: int,
        activation: str | Activation = "identity",
        *,
        use_bias: bool = True,
        weights_initializer: str | Initializer = "auto",
        bias_initializer: str | Initializer = "zeros",
    ) -> None:
        self.outputs = checks.whole_number("outputs", outputs, at_least=1)
        self.activation = Activation.get(activation)
        self.use_bias = checks.flag("use_bias", use_bias)
        self.weights_initializer: str | Initializer = "auto"
        if not isinstance(weights_initializer, str) or weights_initializer != "auto":
            self.weights_initializer = Initializer.get(weights_initializer)
        self.bias_initializer = Initializer.get(bias_initializer)

    def output_shape(self, input_shape: Shape) -> Shape:
        """(inputs,) -> (outputs,)."""
        if len(input_shape) != 1:
            raise InvalidShape(
                f"{self!r} received samples of shape {input_shape}; expected (inputs,): one row "
                "of numbers each. Put a Flatten() layer before it."
            )
        return (self.outputs,)

    def parameter_shapes(self, input_shape: Shape) -> dict[str, Shape]:
        """W (inputs, outputs) and, where there is one, b (outputs,)."""
        shapes: dict[str, Shape] = {"weights": (input_shape[0], self.outputs)}
        if self.use_bias:
            shapes["bias"] = (self.outputs,)
        return shapes

    def initial_value(self, name: str, shape: Shape, random: np.random.Generator) -> Array:
        """Draw from the initializer of that parameter."""
        initializer = self.weights_initializer if name == "weights" else self.bias_initializer
        if initializer == "auto":
            initializer = self.activation.initializer
        return Initializer.get(initializer).values(shape, random)

    def equations(self, training: bool) -> dict[str, str]:
        """The weighted sum z = x W + b, and what the chain rule makes of it."""
        found = {"z": "x @ weights" + " + bias" * self.use_bias, "d_weights": "x.T @ d_z"}
        if self.use_bias:
            found["d_bias"] = "channel_sum(d_z)"
        return {**found, "d_x": "d_z @ weights.T"}

    def feedforward(self, x: Array, trace: Trace) -> Array:
        """X (batch, inputs) -> a (batch, outputs)."""
        trace.x = x
        z = np.dot(x, self.weights)
        if self.use_bias:
            z += self.bias
        return self.activation.feedforward(z, trace)

    def backprop(self, d_a: Array, trace: Trace) -> Array | None:
        """d_a (batch, outputs) -> d_x (batch, inputs)."""
        trace.d_z = d_z = self.activation.backprop(d_a, trace)
        trace.d_weights = np.dot(trace.x.T, d_z, out=trace.room("d_weights"))
        if self.use_bias:
            trace.d_bias = d_z.sum(axis=0, out=trace.room("d_bias"))
        if not trace.needs_d_x:
            return None
        return np.dot(d_z, self.weights.T)

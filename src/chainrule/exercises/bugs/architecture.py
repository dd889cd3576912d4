"""The networks of the bug hunts: sizes, activation, and what stands at their end."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from chainrule.activation import Activation
from chainrule.activations import Softmax
from chainrule.layer import Array, Trace
from chainrule.layers.dense import Dense
from chainrule.losses import BinaryCrossEntropy, CategoricalCrossEntropy, SumOfSquares

HIDDEN = ("sigmoid", "tanh", "relu")
HEADS = ("squares", "linear", "logistic", "softmax")

_TOLD = {  # last activation, and the loss
    "squares": ("sigmoid", "the sum of the squared errors"),
    "linear": ("no activation", "the squared errors, summed and divided by the number of samples"),
    "logistic": ("sigmoid", "the binary cross-entropy, summed"),
    "softmax": ("softmax", "the cross-entropy, summed and divided by the number of samples"),
}


@dataclass(frozen=True)
class Architecture:
    """A network of dense layers with biases.

    Attributes
    ----------
    sizes : tuple of int
        Inputs, hidden units of each layer, outputs.
    hidden : str
        Activation of the hidden layers.
    head : str
        "squares": sigmoid, sum of squares. "linear": squares averaged over the samples.
        "logistic": sigmoid, binary cross-entropy, summed. "softmax": cross-entropy, averaged.
    seed, learning_rate
        What the file itself trains with.
    """

    sizes: tuple[int, ...]
    hidden: str
    head: str
    seed: int
    learning_rate: float

    def parameters(self, random: np.random.Generator) -> list[Array]:
        """Random W, b of each layer, (inputs, outputs) and (outputs,)."""
        drawn: list[Array] = []
        for inputs, outputs in zip(self.sizes, self.sizes[1:], strict=False):
            drawn.append(random.normal(size=(inputs, outputs)) / np.sqrt(inputs))
            drawn.append(0.5 * random.normal(size=outputs))
        return drawn

    def targets(self, samples: int, random: np.random.Generator) -> Array:
        """Random actual values of the kind that the head wants."""
        outputs = self.sizes[-1]
        if self.head == "softmax":
            return np.eye(outputs)[random.integers(outputs, size=samples)]
        if self.head == "linear":
            return random.normal(size=(samples, outputs))
        return random.integers(2, size=(samples, outputs)).astype(float)

    def truth(self, parameters: list[Array], x: Array, y: Array) -> tuple[Array, float]:
        """Predictions and loss, by chainrule's own layers and losses."""
        a = x
        last = len(self.sizes) - 2
        for number in range(last + 1):
            head = "identity" if self.head in ("linear", "softmax") else "sigmoid"
            name = head if number == last else self.hidden
            layer = Dense(self.sizes[number + 1], Activation.get(name))
            layer.bind("weights", parameters[2 * number])
            layer.bind("bias", parameters[2 * number + 1])
            a = layer.feedforward(a, Trace())
        if self.head == "softmax":
            a = Softmax().value(a)
            return a, CategoricalCrossEntropy().value(a, y)
        if self.head == "logistic":
            return a, BinaryCrossEntropy().value(a, y) * y.size
        squares = SumOfSquares().value(a, y)
        return a, squares / len(y) if self.head == "linear" else squares

    @property
    def told(self) -> str:
        """The network in a few words."""
        last, losses = _TOLD[self.head]
        inner = " and ".join(str(size) for size in self.sizes[1:-1])
        layers = "hidden layers" if len(self.sizes) > 3 else "one hidden layer"
        ends = f"{self.sizes[-1]} output{'s' if self.sizes[-1] > 1 else ''}"
        return (
            f"{self.sizes[0]} inputs, {layers} of {inner} units ({self.hidden}), {ends} ({last}).\n"
            f"The loss: {losses}."
        )

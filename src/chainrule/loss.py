"""What a loss is: one number that says how far predictions ŷ are from actual values y."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np

from chainrule.activation import Activation
from chainrule.errors import InvalidData, InvalidSetting, InvalidShape
from chainrule.layer import Array, Shape
from chainrule.registry import Registered
from chainrule.targets import check_targets, numeric_array, one_hot


class Loss(Registered, family="loss"):
    """Base of the losses: each defines its ``terms`` and their gradient; this adds them up.

    A loss compares every output of every sample: ``terms(y_hat, y)`` has the shape of ``y_hat``.
    The reduction to one number, the sample weights, and with them the scale of the gradient stand
    here and nowhere else. To write your own::

        class FourthPower(chainrule.Loss):
            formula = "(y_hat - y)**4"
            gradient_formula = "4 * (y_hat - y)**3"

            def terms(self, y_hat, y):
                return (y_hat - y) ** 4

            def terms_gradient(self, y_hat, y):
                return 4 * (y_hat - y) ** 3

    Attributes
    ----------
    formula, gradient_formula : str
        One term, and its derivative with respect to the output, in SymPy's notation: in ``y_hat``
        and ``y``; losses on logits in ``z`` and ``y``; losses that mix the outputs of a sample in
        ``y_hat[j]``, ``y[j]``, j = 1 ... K, with the derivative with respect to ``y_hat[k]``.
    latex : str
        The formula as LaTeX where SymPy's own rendering would be ugly.
    reduction : str
        "sum": over everything. "mean": over samples and outputs. "mean of samples": the sum over
        a sample's outputs, averaged over samples.
    targets : str
        Kind of actual values: "numbers", "probabilities", "classes", "signs" or "counts".
    outputs : str
        What the network must give: "numbers", "probabilities", "logarithms of probabilities",
        "positive" or "logits".
    last_activation : Activation or None
        What turns the outputs into predictions, where there is such an activation.
    """

    formula: ClassVar[str] = ""
    gradient_formula: ClassVar[str] = ""
    latex: ClassVar[str] = ""
    reduction: ClassVar[str] = "mean"
    targets: ClassVar[str] = "numbers"
    outputs: ClassVar[str] = "numbers"
    last_activation: ClassVar[Activation | None] = None

    def terms(self, y_hat: Array, y: Array) -> Array:
        """Distance of each output from its actual value: (batch, ...) -> (batch, ...)."""
        raise NotImplementedError(f"{type(self).__name__} defines no terms")

    def terms_gradient(self, y_hat: Array, y: Array) -> Array:
        """Derivative of each sample's terms with respect to its outputs, same shape."""
        raise NotImplementedError(f"{type(self).__name__} defines no terms_gradient")

    def value(self, y_hat: Array, y: Array, sample_weight: Array | None = None) -> float:
        """Reduce all terms to the loss, one number.

        Parameters
        ----------
        y_hat, y : ndarray (batch, ...)
            Outputs and actual values, of the same shape.
        sample_weight : ndarray (batch,), optional
            A sample of weight 2 counts as two samples would.
        """
        return float(self.scaled(self.terms(y_hat, y), sample_weight).sum())

    def gradient(self, y_hat: Array, y: Array, sample_weight: Array | None = None) -> Array:
        """∂loss/∂output, of the shape of ``y_hat``: where backprop starts."""
        return self.scaled(self.terms_gradient(y_hat, y), sample_weight)

    def prediction(self, output: Array) -> Array:
        """Turn the network's outputs into predictions: losses on logits give probabilities."""
        return output if self.last_activation is None else self.last_activation.value(output)

    def check_targets(self, y: Any, output_shape: Shape, dtype: np.dtype[Any]) -> Array:
        """Check the actual values and bring them into shape; see ``chainrule.targets``."""
        return check_targets(self.targets, y, output_shape, dtype)

    def encode(self, y: Array, classes: int, dtype: np.dtype[Any]) -> Array:
        """Turn checked class labels into one-hot rows; pass everything else through."""
        return one_hot(y, classes, dtype) if y.dtype.kind == "i" else y

    def seen(self, y: Array) -> Array:
        """Actual values as the formula sees them: smoothed, in losses that smooth them."""
        return y

    def check_activation(self, activation: Activation | None) -> None:
        """Refuse a last activation whose outputs this loss cannot take."""
        if activation is None:
            return
        low, high = activation.outputs_within
        named = f"loss={self.name!r} and a last layer with activation={activation.name!r}"
        if self.outputs == "logits" and activation.name in {"softmax", "log_softmax", "sigmoid"}:
            raise InvalidSetting(
                f"Received {named}; this loss applies {activation.name.split('_')[-1]} itself and "
                "expects logits, any number. Drop the last activation."
            )
        if self.outputs == "probabilities" and (low < 0 or high > 1):
            raise InvalidSetting(
                f"Received {named}; this loss expects probabilities from 0 to 1. Use "
                "activation='sigmoid' (or 'softmax') there, or, better, no activation and "
                f"loss='{'softmax' if self.targets == 'classes' else 'sigmoid'}_cross_entropy'."
            )
        if self.outputs == "logarithms of probabilities" and high > 0:
            raise InvalidSetting(
                f"Received {named}; this loss expects logarithms of probabilities. Use "
                "activation='log_softmax' there, or no activation and loss='softmax_cross_entropy'."
            )
        if self.outputs == "positive" and low < 0:
            raise InvalidSetting(
                f"Received {named}; this loss expects positive outputs. Use activation='softplus'."
            )

    def scaled(self, terms: Array, sample_weight: Array | None) -> Array:
        """Multiply each term by its weight in the loss: what the reduction makes of it."""
        if self.reduction == "sum":
            return terms if sample_weight is None else terms * _column(sample_weight, terms)
        outputs = terms.size // len(terms) if self.reduction == "mean" else 1
        if sample_weight is None:
            return terms / (len(terms) * outputs)
        total = sample_weight.sum() * outputs
        column = _column(sample_weight, terms)
        return terms * (column / total if total else column)  # all 0: a batch that counts nothing


def _column(sample_weight: Array, terms: Array) -> Array:
    """(batch,) -> (batch, 1, ...), to multiply every term of a sample by its weight."""
    return sample_weight.reshape(-1, *[1] * (terms.ndim - 1))


def check_sample_weight(sample_weight: Any, batch: int, dtype: np.dtype[Any]) -> Array:
    """Check one weight of zero or more for each sample, not all of them zero."""
    weights = numeric_array("sample_weight", sample_weight, dtype)
    if weights.shape != (batch,):
        raise InvalidShape(
            f"sample_weight has shape {weights.shape}; expected ({batch},): one for each sample."
        )
    if (weights < 0).any():
        raise InvalidData(
            f"sample_weight holds {weights[weights < 0][0]:g}; expected weights of 0 or more."
        )
    if not weights.any():
        raise InvalidData("All sample weights are 0, so nothing is left to learn from.")
    with np.errstate(over="ignore"):
        total = weights.sum()
    if not np.isfinite(total):
        raise InvalidData(
            f"The numbers in sample_weight are too large to add up in {dtype}; expected weights "
            "around 1. Divide them all by the largest."
        )
    return weights

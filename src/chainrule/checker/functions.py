"""The activations that learners write, with the ways their derivatives go wrong."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from chainrule.layer import Array

Function = Callable[[Array], Array]


@dataclass(frozen=True)
class Known:
    """An activation as the checker knows it.

    Attributes
    ----------
    name : str
    value : callable
        a = f(z).
    slope : callable
        f'(z).
    slope_by_output : callable or None
        f' as a function of a, where people write it so: a(1 - a).
    by_output_text, slope_text : str
        Both as Python, in ``a`` and ``z``.
    """

    name: str
    value: Function
    slope: Function
    slope_by_output: Function | None
    by_output_text: str
    slope_text: str


def sigmoid(z: Array) -> Array:
    """1 / (1 + e^-z)."""
    with np.errstate(over="ignore"):
        return 1 / (1 + np.exp(-z))


def softmax(z: Array) -> Array:
    """Each row's e^z over its sum."""
    e = np.exp(z - z.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)


def _leaky(slope: float) -> Known:
    return Known(
        f"leaky_relu({slope:g})",
        lambda z: np.where(z > 0, z, slope * z),
        lambda z: np.where(z > 0, 1.0, slope),
        lambda a: np.where(a > 0, 1.0, slope),
        f"np.where(a > 0, 1, {slope:g})",
        f"np.where(z > 0, 1, {slope:g})",
    )


def _softplus_slope(z: Array) -> Array:
    return sigmoid(z)


KNOWN = {
    known.name: known
    for known in (
        Known(
            "sigmoid",
            sigmoid,
            lambda z: sigmoid(z) * (1 - sigmoid(z)),
            lambda a: a * (1 - a),
            "a * (1 - a)",
            "sigmoid(z) * (1 - sigmoid(z))",
        ),
        Known(
            "tanh",
            np.tanh,
            lambda z: 1 - np.tanh(z) ** 2,
            lambda a: 1 - a**2,
            "(1 - a ** 2)",
            "(1 - np.tanh(z) ** 2)",
        ),
        Known(
            "relu",
            lambda z: np.maximum(z, 0),
            lambda z: (z > 0).astype(float),
            lambda a: (a > 0).astype(float),
            "(a > 0)",
            "(z > 0)",
        ),
        _leaky(0.01),
        _leaky(0.1),
        _leaky(0.2),
        _leaky(0.001),
        _leaky(0.05),
        Known(
            "identity", lambda z: z, lambda z: np.ones_like(z), lambda a: np.ones_like(a), "1", "1"
        ),
        Known(
            "softmax",
            softmax,
            lambda z: softmax(z) * (1 - softmax(z)),
            lambda a: a * (1 - a),
            "a * (1 - a)",
            "",
        ),
        Known(
            "softplus",
            lambda z: np.log1p(np.exp(-np.abs(z))) + np.maximum(z, 0),
            _softplus_slope,
            None,
            "",
            "1 / (1 + np.exp(-z))",
        ),
        Known(
            "elu",
            lambda z: np.where(z > 0, z, np.expm1(np.minimum(z, 0))),
            lambda z: np.where(z > 0, 1.0, np.exp(np.minimum(z, 0))),
            lambda a: np.where(a > 0, 1.0, a + 1),
            "np.where(a > 0, 1, a + 1)",
            "np.where(z > 0, 1, np.exp(z))",
        ),
        Known(
            "silu",
            lambda z: z * sigmoid(z),
            lambda z: sigmoid(z) * (1 + z * (1 - sigmoid(z))),
            None,
            "",
            "sigmoid(z) * (1 + z * (1 - sigmoid(z)))",
        ),
    )
}

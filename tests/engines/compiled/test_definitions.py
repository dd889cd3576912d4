"""Activations compiled from their definitions, as somebody writes them in a file or a notebook."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from contracts.examples import random_for
from contracts.training import train_alike
from engines.compiled.test_parity import assert_same_numbers
from scipy import special

import chainrule as cr
from chainrule.engines.compiled.definitions import definition_of_activation
from chainrule.engines.compiled.plan import NoTwin
from chainrule.layer import Array, Trace

FLOAT64 = np.dtype(np.float64)
STEEPNESS = 0.7


class Own(cr.Activation, register=False):
    """Base of those below."""

    name = "own"

    def derivative(self, z: Array, a: Array) -> Array:
        return np.ones_like(z)


def bent(z: Array, slope: float = 0.25) -> Array:
    return np.where(z > 0, z, slope * z)


class Sine(Own, register=False):
    def __init__(self, pace: float = 2.0) -> None:
        self.pace = pace

    def value(self, z: Array) -> Array:
        return np.sin(self.pace * z)

    def derivative(self, z: Array, a: Array) -> Array:
        return self.pace * np.cos(self.pace * z)


class ManyNames(Own, register=False):
    """Settings, other methods, functions and numbers of the module, whole numbers, powers."""

    power = 3

    def __init__(self) -> None:
        self.inner = Sine(0.5)

    @np.errstate(over="ignore")
    def value(self, z: Array) -> Array:
        return self._cube(z) / 100 + bent(z) + bent(z, 2) + self.inner.value(z) * STEEPNESS

    def _cube(self, z: Array) -> Array:
        return (z - 1) ** self.power

    def derivative(self, z: Array, a: Array) -> Array:
        slopes = np.where(z > 0, 1, 0.25) + np.where(z > 0, 1, 2)
        return self.power * (z - 1) ** 2 / 100 + slopes + self.inner.derivative(z, a) * STEEPNESS


class ManyFunctions(Own, register=False):
    def value(self, z: Array) -> Array:
        near = np.clip(z, -2, 2).astype(z.dtype) + (z > 1).astype(float) * np.maximum(z, 0).copy()
        step = np.heaviside(z, 0.5) + np.full_like(z, 2) + np.zeros_like(z) + z.dtype.type(1)
        smooth = np.logaddexp(z, 0) + np.expm1(np.minimum(z, 0)) + np.tanh(z) + special.erf(z)
        return (
            near + step + smooth + special.expit(z) + np.sqrt(np.abs(z)) + math.pi + np.log1p(z * z)
        )

    def derivative(self, z: Array, a: Array) -> Array:
        return np.sign(z) * np.exp(-np.square(z)) + a / (1 + np.abs(a)) - z % 2


class Series(Own, register=False):
    def value(self, z: Array) -> Array:
        total = 0
        for power in range(4):
            total = total + z**power / (power + 1)
        return total


def _if_positive(z: float) -> float:
    if z > 1:
        return z
    return z / 2 if z > 0 else 0.0


_each = np.vectorize(_if_positive, otypes=[float])


class NumberByNumber(Own, register=False):
    def value(self, z: Array) -> Array:
        return _each(z)


def doubled(method: Callable[..., Array]) -> Callable[..., Array]:
    @functools.wraps(method)
    def wrapper(self: Any, z: Array) -> Array:
        return 2 * method(self, z)

    return wrapper


class Decorated(Own, register=False):
    @doubled
    def value(self, z: Array) -> Array:
        return z * z


class Inherited(cr.SiLU, register=False):
    """Changes one of the two methods of an activation that has kernels of its own."""

    def value(self, z: Array) -> Array:
        return z * 0.5


OWN = [
    Sine(), Sine(0.3), ManyNames(), ManyFunctions(), Series(), NumberByNumber(), Decorated(),
    Inherited(),
]  # fmt: skip
SHIPPED = [
    cr.ELU(0.7), cr.GELU(), cr.GELUTanh(), cr.Mish(), cr.SELU(), cr.Sigmoid(), cr.Softplus(),
]  # fmt: skip
GOOD = [
    *((activation, dtype) for activation in OWN for dtype in ("float32", "float64")),
    *((activation, "float32") for activation in SHIPPED),
]


@pytest.mark.parametrize(("activation", "dtype"), GOOD, ids=repr)
def test_compiles_from_its_definition(activation: cr.Activation, dtype: str) -> None:
    definition_of_activation(activation, np.dtype(dtype))
    net = cr.NeuralNetwork(activation, inputs=(2, 3), dtype=dtype)
    random = random_for(repr(activation))
    x = random.normal(size=(6, 2, 3)).astype(dtype)
    assert_same_numbers(net, x, random.normal(size=x.shape).astype(dtype))


def test_trains_as_the_reference() -> None:
    random = random_for("train")
    x, y = random.normal(size=(25, 6)), random.normal(size=(25, 2))
    train_alike([cr.Dense(9, Sine()), ManyNames(), cr.Dense(2)], x, y)


class MeanTaken(Own, register=False):
    def value(self, z: Array) -> Array:
        return z - np.mean(z)


class AxisTaken(Own, register=False):
    def value(self, z: Array) -> Array:
        return z - z.max(axis=-1, keepdims=True)


class Masked(Own, register=False):
    def value(self, z: Array) -> Array:
        a = z.copy()
        a[z < 0] = 0
        return a


class Noisy(Own, register=False):
    def value(self, z: Array) -> Array:
        return z + np.random.normal()  # noqa: NPY002


class Counting(Own, register=False):
    calls = 0

    def value(self, z: Array) -> Array:
        self.calls += 1
        return z


class Table(Own, register=False):
    def __init__(self) -> None:
        self.knots = np.arange(3.0)

    def value(self, z: Array) -> Array:
        return z + self.knots[1]


class OwnWay(Own, register=False):
    def value(self, z: Array) -> Array:
        return z

    def backprop(self, d_a: Array, trace: Trace) -> Array:
        return -d_a


class Unfinished(Own, register=False):
    """Defines no value."""


REFUSED = [
    (MeanTaken(), "uses mean, which looks at more than one number"),
    (AxisTaken(), "'max'"),
    (Masked(), "setitem"),
    (Noisy(), "its value gives other numbers|numba cannot compile"),
    (Counting(), "numba cannot compile"),
    (Table(), "knots, which is no single number"),
    (OwnWay(), "has a backprop of its own"),
    (cr.PReLU(), "has a backprop of its own"),
    (cr.Softmax(), "has a backprop of its own"),
    (Unfinished(), "numba cannot compile"),
]


@pytest.mark.parametrize(("activation", "reason"), REFUSED, ids=repr)
def test_what_means_something_else_for_single_numbers(
    activation: cr.Activation, reason: str
) -> None:
    with pytest.raises(NoTwin, match=f"^{type(activation).__name__}.*({reason})"):
        definition_of_activation(activation, FLOAT64)


def test_compiled_once() -> None:
    """The same definition with the same settings; anything it reads may make it another one."""

    class Scaled(Own, register=False):
        def __init__(self, factor: float) -> None:
            self.factor = factor

        def value(self, z: Array) -> Array:
            return self.factor * z * STEEPNESS

    first = definition_of_activation(Scaled(2.0), FLOAT64)
    assert definition_of_activation(Scaled(2.0), FLOAT64) is first
    assert definition_of_activation(Scaled(3.0), FLOAT64) is not first
    assert definition_of_activation(Scaled(2.0), np.dtype(np.float32)) is not first
    assert definition_of_activation(Scaled(2.0), FLOAT64) is first


def test_a_changed_global_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    activation = ManyNames()
    before = definition_of_activation(activation, FLOAT64)
    monkeypatch.setitem(globals(), "STEEPNESS", 0.9)
    assert definition_of_activation(activation, FLOAT64) is not before
    net = cr.NeuralNetwork(activation, inputs=4, dtype="float64")
    x = random_for("changed").normal(size=(5, 4))
    assert_same_numbers(net, x, np.zeros_like(x))

"""Activations and losses compiled from the very methods that the reference engine runs.

So whoever writes one of their own, in a file or in a notebook, writes it once, with NumPy, and it
is as fast as those that come with chainrule. Before it is used, what came out is compared with the
method itself on some numbers. Where anything stands in the way, ``NoTwin`` says what, and the
engine calls the method instead.
"""

from __future__ import annotations

import ctypes
import weakref
from collections.abc import Callable
from typing import Any

import numpy as np
from numba import njit

from chainrule.activation import Activation
from chainrule.engines.compiled.activation import ActivationTwin
from chainrule.engines.compiled.elementwise import loss_kernel, slope_kernel, value_kernel
from chainrule.engines.compiled.exponential import PART_OF_LOOP
from chainrule.engines.compiled.kernel import (
    CONTEXT_LENGTH,
    PARTIALS,
    PARTIALS_LENGTH,
    Kernel,
)
from chainrule.engines.compiled.plan import NoTwin
from chainrule.engines.compiled.reading import Reading
from chainrule.layer import Array
from chainrule.loss import Loss

_TOLERANCE = {np.dtype(np.float32): 1e-5, np.dtype(np.float64): 1e-12}
_Known = weakref.WeakKeyDictionary[type, list[tuple[Reading, list[Kernel]]]]
_known: _Known = weakref.WeakKeyDictionary()


class DefinitionTwin(ActivationTwin):
    """Twin of any activation that works on each number by itself, made from its definition."""

    needs_z = True

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.value, self.slope = definition_of_activation(self.layer, self.plan.dtype)


def definition_of_activation(activation: Activation, dtype: np.dtype[Any]) -> list[Kernel]:
    """Compile ``value`` and ``derivative`` of an activation.

    Raises
    ------
    NoTwin
        When that does not work.
    """
    _refuse_overridden(
        activation, Activation,
        "feedforward", "backprop", "output_shape", "parameter_shapes", "update_statistics",
    )  # fmt: skip

    def build(reading: Reading) -> list[Kernel]:
        value, derivative = reading.method("value"), reading.method("derivative")

        @njit(**PART_OF_LOOP)
        def of_z(z, s, t):
            return value(z)

        @njit(**PART_OF_LOOP)
        def of_z_and_a(z, a, s, t):
            return derivative(z, a)

        return [value_kernel(of_z, keep=False), slope_kernel(of_z_and_a, keep=False)]

    def check(kernels: list[Kernel]) -> None:
        z = _some_numbers(dtype)
        with np.errstate(all="ignore"):
            a = activation.value(z.copy()).astype(dtype)
            slope = np.asarray(activation.derivative(z.copy(), a.copy()), dtype)
        size = z.size
        arena = np.stack([z, a, np.ones_like(z), z, z]).reshape(5, size)
        _run(kernels[0], arena, 0, 3 * size, size)
        _run(kernels[1], arena, 2 * size, 0, size, 4 * size, size)
        _compare("value", arena[3], a)
        _compare("derivative", arena[4], slope)

    return _compiled(activation, dtype, build, check)


def definition_of_loss(loss: Loss, dtype: np.dtype[Any]) -> Kernel:
    """Compile ``terms`` and ``terms_gradient`` of a loss into one kernel.

    Raises
    ------
    NoTwin
        When that does not work.
    """
    _refuse_overridden(loss, Loss, "value", "gradient")

    def build(reading: Reading) -> list[Kernel]:
        terms, terms_gradient = reading.method("terms"), reading.method("terms_gradient")

        @njit(**PART_OF_LOOP)
        def term(y_hat, y, s, t):
            return terms(y_hat, y)

        @njit(**PART_OF_LOOP)
        def slope(y_hat, y, s, t):
            return terms_gradient(y_hat, y)

        return [loss_kernel(term, slope, keep=False)]

    def check(kernels: list[Kernel]) -> None:
        y_hat, y = _some_numbers(dtype), _some_numbers(dtype)[::-1]
        if loss.outputs != "numbers":
            y_hat = np.abs(y_hat) / 32 + dtype.type(0.01)
        if loss.targets != "numbers":
            y = (y > 0).astype(dtype)
        with np.errstate(all="ignore"):
            terms = np.asarray(loss.terms(y_hat.copy(), y.copy()), dtype)
            slopes = np.asarray(loss.terms_gradient(y_hat.copy(), y.copy()), dtype)
        size = y.size
        arena = np.stack([y_hat, y, np.ones_like(y), y]).reshape(4, size)
        places = (0, size, 2 * size, 3 * size, 1)
        found = np.array([_run(kernels[0], arena, *places, first=i) for i in range(size)], dtype)
        _compare("terms", found, terms)
        _compare("terms_gradient", arena[3], slopes)

    return _compiled(loss, dtype, build, check)[0]


def _compiled(
    owner: Activation | Loss,
    dtype: np.dtype[Any],
    build: Callable[[Reading], list[Kernel]],
    check: Callable[[list[Kernel]], None],
) -> list[Kernel]:
    """Compile an object's methods, unless they were compiled before and nothing has changed."""
    known = _known.setdefault(type(owner), [])
    for reading, kernels in known:
        if reading.dtype == dtype and reading.holds_for(owner):
            return kernels
    reading = Reading(owner, dtype)
    try:
        kernels = build(reading)
        for kernel in kernels:
            kernel.address(dtype)
        check(kernels)
    except Exception as error:  # numba's, of many kinds, or the method's own
        reason = str(error) if isinstance(error, NoTwin) else reading.refused
        reason = reason or f"numba cannot compile it ({_first_line(error)})"
        raise NoTwin(f"{type(owner).__name__}: {reason}") from error
    known.append((reading, kernels))
    return kernels


def _refuse_overridden(owner: Any, base: type, *names: str) -> None:
    for name in names:
        if getattr(type(owner), name) is not getattr(base, name):
            raise NoTwin(f"{type(owner).__name__} has a {name} of its own")


def _some_numbers(dtype: np.dtype[Any]) -> Array:
    """Numbers to try a function on: (9, 9), so that one which mixes an axis gives itself away."""
    numbers = np.random.default_rng(0).normal(0, 3, 81)
    numbers[:9] = -20, -3, -1, -0.5, 0, 0.5, 1, 3, 20
    return numbers.astype(dtype).reshape(9, 9)


def _run(kernel: Kernel, arena: Array, *settings: int, first: int = 0, rows: int = 1) -> float:
    """Call a kernel on an arena by itself; returns what it has added to the loss."""
    op, context = np.zeros(8, np.int64), np.zeros(CONTEXT_LENGTH, np.int64)
    op[: len(settings)] = settings
    total = np.zeros(1)
    context[PARTIALS], context[PARTIALS_LENGTH] = total.ctypes.data, 1
    pointer, whole = ctypes.c_void_p, ctypes.c_int64
    call = ctypes.CFUNCTYPE(None, *[pointer] * 5, whole, whole)(kernel.address(arena.dtype))
    call(op.ctypes.data, context.ctypes.data, arena.ctypes.data, None, None, first, rows)
    return float(total[0])


def _compare(name: str, found: Array, expected: Array) -> None:
    tolerance = _TOLERANCE[found.dtype]
    if not np.allclose(found, expected.reshape(-1), tolerance, tolerance, equal_nan=True):
        raise NoTwin(f"its {name} gives other numbers when it is compiled")


def _first_line(error: Exception) -> str:
    lines = [line.strip() for line in str(error).splitlines()]
    found = [line for line in lines if line and not line.startswith(("Failed in", "During"))]
    return f"{type(error).__name__}: {found[0][:100] if found else 'no reason given'}"

"""Compiled twins of ``activations.py``: a = f(z) and ∂L/∂z = ∂L/∂a · f'(z), number by number.

Those that networks use most have kernels of their own here, in which ``exponential`` takes several
numbers at once. Every other activation, also a user's own, is compiled from the very ``value`` and
``derivative`` that the reference engine runs (``definitions.py``).
"""

from __future__ import annotations

from typing import Any, ClassVar

from chainrule.activation import Activation
from chainrule.activations import Identity, ReLU, Sigmoid, Tanh
from chainrule.engines.compiled.exponential import exponential, exponential_minus_one
from chainrule.engines.compiled.kernel import Kernel, flat, kernel
from chainrule.engines.compiled.plan import Buffer, NoTwin, Plan, Twin
from chainrule.layer import Shape


class ActivationTwin(Twin):
    """Base of the twins of activations.

    Attributes
    ----------
    value, slope : Kernel
        Settings of ``value``: where z stands, where a goes, numbers for each sample, and the
        activation's own settings. Of ``slope``: ∂L/∂a, z, a, where ∂L/∂z goes, and the same.
    needs_z : bool
        Whether the derivative is computed from z. Without that a may take its place.
    """

    value: Kernel
    slope: Kernel
    needs_z: ClassVar[bool] = False

    def own_settings(self) -> tuple[Any, ...]:
        """What the kernels need to know of the activation's settings."""
        return ()

    def feedforward(self, x: Buffer) -> Buffer:
        """Plan a = f(x), with x left as it is if anybody else will read it."""
        if x.spare:
            return self.feedforward_in_place(x.kept())
        return self._plan_value(x, self.plan.buffer(x.shape))

    def feedforward_in_place(self, z: Buffer) -> Buffer:
        """Plan a = f(z) for a z that nobody else will read."""
        keep = self.needs_z or self.plan.traced
        return self._plan_value(z, self.plan.buffer(z.shape) if keep else z)

    def _plan_value(self, z: Buffer, a: Buffer) -> Buffer:
        self.plan.rows(self.value, z, a, z.size, *self.own_settings())
        self.fields = {"z": z, "a": a}
        return a

    def backprop(self, d_output: Buffer, needs_d_x: bool) -> Buffer:
        z, a = self.fields["z"], self.fields["a"]
        d_z = self.plan.buffer(z.shape) if self.plan.traced else d_output
        self.plan.rows(self.slope, d_output, z, a, d_z, z.size, *self.own_settings())
        return d_z


def activation_twin(
    activation: Activation, path: tuple[int, ...], shape: Shape, plan: Plan
) -> ActivationTwin:
    """Return the twin of an activation that works at ``path`` on samples of ``shape``.

    Raises
    ------
    NoTwin
        When it cannot be compiled.
    """
    kind = Twin._known.get(type(activation))
    if kind is None:
        raise NoTwin(f"{type(activation).__name__} has no compiled form")
    return kind(activation, path, shape, plan)  # type: ignore[return-value]  # as registered


class IdentityTwin(ActivationTwin, of=Identity):
    """Plans nothing: a is z."""

    def _plan_value(self, z: Buffer, a: Buffer) -> Buffer:
        self.fields = {"z": z, "a": z}
        return z

    def backprop(self, d_output: Buffer, needs_d_x: bool) -> Buffer:
        return d_output


@kernel
def relu_value(op, context, arena, parameters, gradients, first, rows):
    """A = max(z, 0)."""
    size = op[2]
    z = flat(arena, op[0] + first * size, rows * size)
    a = flat(arena, op[1] + first * size, rows * size)
    for i in range(rows * size):
        a[i] = 0 if z[i] < 0 else z[i]  # NaN stays


@kernel
def relu_slope(op, context, arena, parameters, gradients, first, rows):
    """d_z = d_a where a > 0."""
    size = op[4]
    d_a = flat(arena, op[0] + first * size, rows * size)
    a = flat(arena, op[2] + first * size, rows * size)
    d_z = flat(arena, op[3] + first * size, rows * size)
    for i in range(rows * size):
        d_z[i] = d_a[i] if a[i] > 0 else 0


class ReLUTwin(ActivationTwin, of=ReLU):
    """Plans a = max(z, 0)."""

    value, slope = relu_value, relu_slope


@kernel
def sigmoid_value(op, context, arena, parameters, gradients, first, rows):
    """A = 1 / (1 + e^-z)."""
    size = op[2]
    z = flat(arena, op[0] + first * size, rows * size)
    a = flat(arena, op[1] + first * size, rows * size)
    one = z.dtype.type(1)
    for i in range(rows * size):
        a[i] = one / (one + exponential(-z[i]))


@kernel
def sigmoid_slope(op, context, arena, parameters, gradients, first, rows):
    """d_z = d_a a (1 - a)."""
    size = op[4]
    d_a = flat(arena, op[0] + first * size, rows * size)
    a = flat(arena, op[2] + first * size, rows * size)
    d_z = flat(arena, op[3] + first * size, rows * size)
    one = a.dtype.type(1)
    for i in range(rows * size):
        d_z[i] = d_a[i] * (a[i] * (one - a[i]))


class SigmoidTwin(ActivationTwin, of=Sigmoid):
    """Plans a = 1 / (1 + e^-z)."""

    value, slope = sigmoid_value, sigmoid_slope


@kernel
def tanh_value(op, context, arena, parameters, gradients, first, rows):
    """A = tanh z = ±(1 - e^-2|z|) / (1 + e^-2|z|)."""
    size = op[2]
    z = flat(arena, op[0] + first * size, rows * size)
    a = flat(arena, op[1] + first * size, rows * size)
    two = z.dtype.type(2)
    for i in range(rows * size):
        e_minus_one = exponential_minus_one(-two * abs(z[i]))
        distance = -e_minus_one / (two + e_minus_one)
        a[i] = distance if z[i] >= 0 else -distance


@kernel
def tanh_slope(op, context, arena, parameters, gradients, first, rows):
    """d_z = d_a (1 - a²)."""
    size = op[4]
    d_a = flat(arena, op[0] + first * size, rows * size)
    a = flat(arena, op[2] + first * size, rows * size)
    d_z = flat(arena, op[3] + first * size, rows * size)
    one = a.dtype.type(1)
    for i in range(rows * size):
        d_z[i] = d_a[i] * (one - a[i] * a[i])


class TanhTwin(ActivationTwin, of=Tanh):
    """Plans a = tanh z."""

    value, slope = tanh_value, tanh_slope

"""Compiled twins of ``activations.py``: a = f(z) and ∂L/∂z = ∂L/∂a · f'(z), number by number.

Those that networks use most stand here, so that their machine code can be kept on disk. Every other
activation, also a user's own, is compiled from the very ``value`` and ``derivative`` that the
reference engine runs (``definitions.py``).
"""

from __future__ import annotations

import math

from chainrule.activation import Activation
from chainrule.activations import GELU, GELUTanh, Identity, Sigmoid, SiLU, Softplus, Tanh
from chainrule.engines.compiled import rectifiers, vector_activations
from chainrule.engines.compiled.activation import ActivationTwin
from chainrule.engines.compiled.definitions import DefinitionTwin
from chainrule.engines.compiled.elementary import (
    ONE,
    hyperbolic_tangent,
    like,
    probability_below,
    scalar,
    sigmoid,
    softplus,
)
from chainrule.engines.compiled.elementwise import slope_kernel, value_kernel
from chainrule.engines.compiled.exponential import exponential, exponential_minus_one, within
from chainrule.engines.compiled.plan import Buffer, Plan
from chainrule.engines.compiled.twin import Twin
from chainrule.layer import Shape

__all__ = ["activation_twin", "rectifiers", "vector_activations"]


def activation_twin(
    activation: Activation, path: tuple[int, ...], shape: Shape, plan: Plan
) -> ActivationTwin:
    """Return the twin of an activation that works at ``path`` on samples of ``shape``.

    Raises
    ------
    NoTwin
        When it cannot be compiled.
    """
    kind = Twin._known.get(type(activation), DefinitionTwin)
    return kind(activation, path, shape, plan)  # type: ignore[return-value]  # as registered


class IdentityTwin(ActivationTwin, of=Identity):
    """Plans nothing: a is z."""

    def _plan_value(self, z: Buffer, a: Buffer) -> Buffer:
        self.fields = {"z": z, "a": z}
        return z

    def backprop(self, d_output: Buffer, needs_d_x: bool) -> Buffer:
        return d_output


@scalar
def sigmoid_value(z, s, t):
    """A = 1 / (1 + e^-z)."""
    return sigmoid(z)


@scalar
def sigmoid_slope(z, a, s, t):
    """A (1 - a)."""
    return a * (ONE - a)


class SigmoidTwin(ActivationTwin, of=Sigmoid):
    """Plans a = 1 / (1 + e^-z)."""

    value, slope = value_kernel(sigmoid_value), slope_kernel(sigmoid_slope)


@scalar
def tanh_value(z, s, t):
    """A = tanh z."""
    return hyperbolic_tangent(z)


@scalar
def tanh_slope(z, a, s, t):
    """1 - a²."""
    return ONE - a * a


class TanhTwin(ActivationTwin, of=Tanh):
    """Plans a = tanh z."""

    value, slope = value_kernel(tanh_value), slope_kernel(tanh_slope)


@scalar
def silu(z, s, t):
    """A = z σ(z)."""
    return z * sigmoid(z)


@scalar
def silu_slope(z, a, s, t):
    """Σ(z) (1 + z (1 - σ(z)))."""
    p = sigmoid(z)
    return p * (ONE + z * (ONE - p))


class SiLUTwin(ActivationTwin, of=SiLU):
    """Plans a = z σ(z)."""

    value, slope = value_kernel(silu), slope_kernel(silu_slope)
    needs_z = True


@scalar
def softplus_value(z, s, t):
    """A = log(1 + e^z)."""
    return softplus(z)


@scalar
def softplus_slope(z, a, s, t):
    """Σ(z), which is 1 - e^-a."""
    return -exponential_minus_one(-a)


class SoftplusTwin(ActivationTwin, of=Softplus):
    """Plans a = log(1 + e^z)."""

    value, slope = value_kernel(softplus_value), slope_kernel(softplus_slope)


@scalar
def gelu(z, s, t):
    """A = z Φ(z)."""
    return z * probability_below(z)


@scalar
def gelu_slope(z, a, s, t):
    """Φ(z) + z φ(z)."""
    density = exponential(-z * z * like(z, 0.5)) * like(z, 1 / math.sqrt(2 * math.pi))
    return probability_below(z) + z * density


class GELUTwin(ActivationTwin, of=GELU):
    """Plans a = z Φ(z)."""

    value, slope = value_kernel(gelu), slope_kernel(gelu_slope)
    needs_z = True


@scalar
def gelu_tanh_inner(z):
    """2 √(2/π) (z + 0.044715 z³): (1 + tanh u) / 2 is σ(2 u)."""
    return like(z, 2 * math.sqrt(2 / math.pi)) * (z + like(z, 0.044715) * z * z * z)


@scalar
def gelu_tanh(z, s, t):
    """A = z (1 + tanh(√(2/π) (z + 0.044715 z³))) / 2."""
    return z * sigmoid(gelu_tanh_inner(within(z, like(z, -20.0), like(z, 20.0))))


@scalar
def gelu_tanh_slope(z, a, s, t):
    """σ + z σ (1 - σ) times the slope of what stands in σ."""
    z = within(z, like(z, -20.0), like(z, 20.0))
    p = sigmoid(gelu_tanh_inner(z))
    inner = like(z, 2 * math.sqrt(2 / math.pi)) * (ONE + like(z, 3 * 0.044715) * z * z)
    return p + z * p * (ONE - p) * inner


class GELUTanhTwin(ActivationTwin, of=GELUTanh):
    """Plans GELU by its tanh approximation."""

    value, slope = value_kernel(gelu_tanh), slope_kernel(gelu_tanh_slope)
    needs_z = True

"""The activations: value, derivative and formula of each, in one place.

Each is written the way its formula reads, and made safe for every finite input. Where ``exp``
overflows, infinity is the right intermediate value (1 / (1 + ∞) = 0), so those functions only
silence the warning.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable

import numpy as np

from chainrule import checks
from chainrule.activation import Activation, VectorActivation
from chainrule.layer import Array, Parameter, Shape, Trace

overflow_is_fine = np.errstate(over="ignore")


class Identity(Activation):
    """a = z: no activation, for the last layer of a regression."""

    formula = "z"
    derivative_formula = "1"

    def equations(self, training: bool) -> dict[str, str]:
        return {"a": "z", "d_z": "d_a"}

    def value(self, z: Array) -> Array:
        return z

    def derivative(self, z: Array, a: Array) -> Array:
        return np.ones_like(z)

    def backprop(self, d_a: Array, trace: Trace) -> Array:
        """d_a -> d_z: a factor of one."""
        return d_a


class Sigmoid(Activation):
    """a = 1 / (1 + e^-z): squeezes any number into (0, 1)."""

    formula = "1 / (1 + exp(-z))"
    derivative_formula = "a * (1 - a)"
    outputs_within = (0.0, 1.0)

    @overflow_is_fine
    def value(self, z: Array) -> Array:
        return np.reciprocal(1 + np.exp(-z))

    def derivative(self, z: Array, a: Array) -> Array:
        return a * (1 - a)


class Tanh(Activation):
    """a = tanh z: a sigmoid stretched to (-1, 1), so that its outputs centre on zero."""

    formula = "tanh(z)"
    derivative_formula = "1 - a**2"
    outputs_within = (-1.0, 1.0)

    def value(self, z: Array) -> Array:
        return np.tanh(z)

    def derivative(self, z: Array, a: Array) -> Array:
        return 1 - a * a


class ReLU(Activation):
    """a = max(z, 0), the rectified linear unit (Nair and Hinton, 2010)."""

    name = "relu"
    formula = "Piecewise((z, z > 0), (0, True))"
    derivative_formula = "Piecewise((1, z > 0), (0, True))"
    latex = r"\max(z, 0)"
    initializer = "he_average"
    outputs_within = (0.0, float("inf"))

    def value(self, z: Array) -> Array:
        return np.maximum(z, 0)

    def derivative(self, z: Array, a: Array) -> Array:
        return z > 0


class LeakyReLU(Activation):
    """ReLU with a small slope for z < 0, so that no unit dies (Maas, Hannun and Ng, 2013).

    Parameters
    ----------
    slope : float, default 0.01
        Slope for negative z.
    """

    name = "leaky_relu"
    formula = "Piecewise((z, z > 0), (slope * z, True))"
    derivative_formula = "Piecewise((1, z > 0), (slope, True))"
    initializer = "he_average"

    def __init__(self, slope: float = 0.01) -> None:
        self.slope = checks.number("slope", slope, at_least=0)

    @overflow_is_fine  # only where the slope is above 1
    def value(self, z: Array) -> Array:
        return np.where(z > 0, z, z * self.slope)

    def derivative(self, z: Array, a: Array) -> Array:
        return np.where(z > 0, z.dtype.type(1), z.dtype.type(self.slope))


class PReLU(Activation):
    """Leaky ReLU that learns its slope, one for each unit or channel (He et al., 2015).

    Parameters
    ----------
    initial_slope : float, default 0.25
        Slope for negative z before training.
    """

    name = "prelu"
    formula = "Piecewise((z, z > 0), (slope * z, True))"
    derivative_formula = "Piecewise((1, z > 0), (slope, True))"
    initializer = "he_average"

    slope = Parameter()

    def __init__(self, initial_slope: float = 0.25) -> None:
        self.initial_slope = checks.number("initial_slope", initial_slope)

    def parameter_shapes(self, input_shape: Shape) -> dict[str, Shape]:
        return {"slope": input_shape[-1:]}

    def initial_value(self, name: str, shape: Shape, random: np.random.Generator) -> Array:
        return np.full(shape, self.initial_slope)

    def value(self, z: Array) -> Array:
        return np.where(z > 0, z, z * self.slope)

    def derivative(self, z: Array, a: Array) -> Array:
        return np.where(z > 0, z.dtype.type(1), self.slope)

    def equations(self, training: bool) -> dict[str, str]:
        """As leaky ReLU's, and the slope's own."""
        used = "Piecewise((0, z > 0), (z, True))"  # ∂a/∂slope
        return {**super().equations(training), "d_slope": f"channel_sum(d_a * {used})"}

    def backprop(self, d_a: Array, trace: Trace) -> Array:
        """∂L/∂slope sums d_a · z over every z < 0 that used the slope; d_z as for leaky ReLU."""
        used = np.where(trace.z > 0, 0, d_a * trace.z)
        trace.d_slope = used.sum(axis=tuple(range(used.ndim - 1)))
        return super().backprop(d_a, trace)


class ELU(Activation):
    """Exponential linear unit: smooth, and down to -alpha (Clevert, Unterthiner, Hochreiter, 2015).

    Parameters
    ----------
    alpha : float, default 1
        The value that very negative z approach, with the sign turned.
    """

    name = "elu"
    formula = "Piecewise((z, z > 0), (alpha * (exp(z) - 1), True))"
    derivative_formula = "Piecewise((1, z > 0), (a + alpha, True))"
    initializer = "he_average"

    def __init__(self, alpha: float = 1.0) -> None:
        self.alpha = checks.number("alpha", alpha, at_least=0)

    def value(self, z: Array) -> Array:
        return np.where(z > 0, z, self.alpha * np.expm1(np.minimum(z, 0)))

    def derivative(self, z: Array, a: Array) -> Array:
        return np.where(z > 0, z.dtype.type(1), a + self.alpha)


class SELU(Activation):
    """ELU scaled so that layers keep mean 0 and variance 1 (Klambauer et al., 2017)."""

    name = "selu"
    formula = "Piecewise((scale * z, z > 0), (scale * alpha * (exp(z) - 1), True))"
    derivative_formula = "Piecewise((scale, z > 0), (a + scale * alpha, True))"
    initializer = "lecun_normal"

    alpha = 1.6732632423543772
    scale = 1.0507009873554805

    @overflow_is_fine  # the scale is above 1: the largest floats of all become infinite
    def value(self, z: Array) -> Array:
        return self.scale * np.where(z > 0, z, self.alpha * np.expm1(np.minimum(z, 0)))

    def derivative(self, z: Array, a: Array) -> Array:
        return np.where(z > 0, z.dtype.type(self.scale), a + self.scale * self.alpha)


class GELU(Activation):
    """z times the chance that a standard normal number is below z (Hendrycks and Gimpel, 2016)."""

    name = "gelu"
    formula = "z * (1 + erf(z / sqrt(2))) / 2"
    derivative_formula = "(1 + erf(z / sqrt(2))) / 2 + z * exp(-z**2 / 2) / sqrt(2 * pi)"
    initializer = "he_average"

    def value(self, z: Array) -> Array:
        return z * _normal_probability_below(z)

    @overflow_is_fine
    def derivative(self, z: Array, a: Array) -> Array:
        density = np.exp(-z * z / 2) / math.sqrt(2 * math.pi)
        return _normal_probability_below(z) + z * density


class GELUTanh(Activation):
    """GELU with the tanh approximation of its paper: no ``erf``, and off by less than 0.0005."""

    name = "gelu_tanh"
    formula = "z * (1 + tanh(sqrt(2 / pi) * (z + 0.044715 * z**3))) / 2"
    derivative_formula = (
        "(1 + tanh(sqrt(2 / pi) * (z + 0.044715 * z**3))) / 2"
        " + z * (1 - tanh(sqrt(2 / pi) * (z + 0.044715 * z**3))**2) / 2"
        " * sqrt(2 / pi) * (1 + 3 * 0.044715 * z**2)"
    )
    initializer = "he_average"

    def value(self, z: Array) -> Array:
        return z * ((1 + self._tanh(np.clip(z, -20, 20))) / 2)

    def derivative(self, z: Array, a: Array) -> Array:
        z = np.clip(z, -20, 20)  # beyond, tanh is 1 to the last digit, and z**3 would overflow
        tanh = self._tanh(z)
        slope = math.sqrt(2 / math.pi) * (1 + 3 * 0.044715 * z * z)
        return (1 + tanh) / 2 + z * (1 - tanh * tanh) / 2 * slope

    def _tanh(self, z: Array) -> Array:
        return np.tanh(math.sqrt(2 / math.pi) * (z + 0.044715 * z * z * z))


class SiLU(Activation):
    """z times its sigmoid, also called swish (Elfwing, Uchibe and Doya, 2018)."""

    name = "silu"
    formula = "z / (1 + exp(-z))"
    derivative_formula = "1 / (1 + exp(-z)) * (1 + z * (1 - 1 / (1 + exp(-z))))"
    initializer = "he_average"

    def value(self, z: Array) -> Array:
        return z * _sigmoid(z)

    def derivative(self, z: Array, a: Array) -> Array:
        sigmoid = _sigmoid(z)
        return sigmoid * (1 + z * (1 - sigmoid))


class Mish(Activation):
    """a = z tanh(softplus z): smooth like SiLU, a little steeper (Misra, 2019)."""

    formula = "z * tanh(log(1 + exp(z)))"
    derivative_formula = (
        "tanh(log(1 + exp(z))) + z * (1 - tanh(log(1 + exp(z)))**2) / (1 + exp(-z))"
    )
    initializer = "he_average"

    def value(self, z: Array) -> Array:
        return z * np.tanh(_softplus(z))

    def derivative(self, z: Array, a: Array) -> Array:
        tanh = np.tanh(_softplus(z))
        return tanh + z * ((1 - tanh * tanh) * _sigmoid(z))


class Softplus(Activation):
    """a = log(1 + e^z): ReLU without the corner (Dugas et al., 2001). Its slope is the sigmoid."""

    formula = "log(1 + exp(z))"
    derivative_formula = "1 / (1 + exp(-z))"
    initializer = "he_average"
    outputs_within = (0.0, float("inf"))

    def value(self, z: Array) -> Array:
        return _softplus(z)

    def derivative(self, z: Array, a: Array) -> Array:
        return _sigmoid(z)


class Softsign(Activation):
    """a = z / (1 + |z|): a tanh that saturates slowly (Bergstra et al., 2009)."""

    formula = "z / (1 + Abs(z))"
    derivative_formula = "1 / (1 + Abs(z))**2"
    outputs_within = (-1.0, 1.0)

    def value(self, z: Array) -> Array:
        return z / (1 + np.abs(z))

    def derivative(self, z: Array, a: Array) -> Array:
        return (1 / (1 + np.abs(z))) ** 2


class HardSigmoid(Activation):
    """Three straight lines in place of the sigmoid: 0, then z/6 + 1/2, then 1."""

    formula = "Piecewise((0, z <= -3), (1, z >= 3), (z / 6 + Rational(1, 2), True))"
    derivative_formula = "Piecewise((0, z <= -3), (0, z >= 3), (Rational(1, 6), True))"
    latex = r"\min(\max(z/6 + 1/2,\ 0),\ 1)"
    outputs_within = (0.0, 1.0)

    def value(self, z: Array) -> Array:
        return np.clip(z / 6 + 0.5, 0, 1)

    def derivative(self, z: Array, a: Array) -> Array:
        return np.where(np.abs(z) < 3, z.dtype.type(1 / 6), z.dtype.type(0))


class HardTanh(Activation):
    """Three straight lines in place of the tanh: -1, then z, then 1."""

    formula = "Piecewise((-1, z <= -1), (1, z >= 1), (z, True))"
    derivative_formula = "Piecewise((0, z <= -1), (0, z >= 1), (1, True))"
    latex = r"\min(\max(z,\ -1),\ 1)"
    outputs_within = (-1.0, 1.0)

    def value(self, z: Array) -> Array:
        return np.clip(z, -1, 1)

    def derivative(self, z: Array, a: Array) -> Array:
        return np.abs(z) < 1


class Softmax(VectorActivation):
    """Turns K numbers into K probabilities that sum to one.

    a_i = e^z_i / Σ_j e^z_j. Every output depends on every input, so backprop is a product with
    the Jacobian ∂a_i/∂z_k = a_i (δ_ik - a_k), multiplied out by hand: d_z = a · (d_a - Σ d_a a)
    (Bridle, 1990).
    """

    formula = "exp(z[i]) / Sum(exp(z[j]), (j, 1, K))"
    derivative_formula = "a[i] * (KroneckerDelta(i, k) - a[k])"
    outputs_within = (0.0, 1.0)

    @overflow_is_fine
    def value(self, z: Array) -> Array:
        # The largest z is taken off first: the result is the same and no exponential overflows.
        exponentials = np.exp(z - z.max(axis=-1, keepdims=True))
        return exponentials / exponentials.sum(axis=-1, keepdims=True)

    def equations(self, training: bool) -> dict[str, str]:
        return {"a": "exp(z) / total(exp(z))", "d_z": "a * (d_a - total(d_a * a))"}

    def backprop(self, d_a: Array, trace: Trace) -> Array:
        """d_a (batch, ..., classes) -> d_z (batch, ..., classes)."""
        a = trace.a
        return a * (d_a - (d_a * a).sum(axis=-1, keepdims=True))


class LogSoftmax(VectorActivation):
    """Logarithm of softmax, computed without ever forming a probability too small to hold.

    a_i = z_i - log Σ_j e^z_j, and d_z = d_a - softmax(z) Σ d_a.
    """

    formula = "z[i] - log(Sum(exp(z[j]), (j, 1, K)))"
    derivative_formula = "KroneckerDelta(i, k) - exp(a[k])"
    outputs_within = (float("-inf"), 0.0)

    @overflow_is_fine
    def value(self, z: Array) -> Array:
        shifted = z - z.max(axis=-1, keepdims=True)
        logarithm = shifted - np.log(np.exp(shifted).sum(axis=-1, keepdims=True))
        # Two numbers may lie further apart than the largest float: keep the result finite.
        return np.maximum(logarithm, np.finfo(z.dtype).min)

    def equations(self, training: bool) -> dict[str, str]:
        return {"a": "z - log(total(exp(z)))", "d_z": "d_a - exp(a) * total(d_a)"}

    def backprop(self, d_a: Array, trace: Trace) -> Array:
        """d_a (batch, ..., classes) -> d_z (batch, ..., classes)."""
        return d_a - np.exp(trace.a) * d_a.sum(axis=-1, keepdims=True)


_sigmoid = Sigmoid().value


def _softplus(z: Array) -> Array:
    return np.logaddexp(z, z.dtype.type(0))


def _normal_probability_below(z: Array) -> Array:
    """Φ(z) = (1 + erf(z / √2)) / 2, by ``erfc`` so that nothing cancels for negative z."""
    return _error_function_complement()(z * -math.sqrt(0.5)).astype(z.dtype, copy=False) / 2


@functools.cache
def _error_function_complement() -> Callable[[Array], Array]:
    """SciPy's where it is installed; else Python's own, one number at a time: NumPy has none."""
    try:
        from scipy.special import erfc
    except ImportError:
        return np.vectorize(math.erfc, otypes=[float])
    return erfc

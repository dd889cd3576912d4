"""What weights start from.

If all weights of a layer start equal, all its units stay equal: each gets the same gradient.
So they start random, and the spread decides whether signals grow, fade or keep their size from
layer to layer. ``fan_in`` is the number of inputs that one unit sums, ``fan_out`` the number of
units that one input feeds.
"""

from __future__ import annotations

import math

import numpy as np

from chainrule import checks
from chainrule.errors import InvalidSetting
from chainrule.layer import Array, Shape
from chainrule.registry import Registered


class Initializer(Registered, family="initializer"):
    """Draws the starting values of one parameter.

    To write your own, define ``values(shape, random)`` and return an array of that shape.
    """

    def values(self, shape: Shape, random: np.random.Generator) -> Array:
        """Draw starting values of ``shape``, whose last two axes are (inputs, outputs)."""
        raise NotImplementedError(f"{type(self).__name__} defines no values")


class Zeros(Initializer):
    """All zero: right for biases; for weights it keeps all units of a layer the same."""

    def values(self, shape: Shape, random: np.random.Generator) -> Array:
        return np.zeros(shape)


class Constant(Initializer):
    """All the same number.

    Parameters
    ----------
    value : float, default 0
    """

    def __init__(self, value: float = 0.0) -> None:
        self.value = checks.number("value", value)

    def values(self, shape: Shape, random: np.random.Generator) -> Array:
        return np.full(shape, self.value)


class Uniform(Initializer):
    """Evenly spread over [low, high).

    Parameters
    ----------
    low, high : float, default -0.05 and 0.05
    """

    def __init__(self, low: float = -0.05, high: float = 0.05) -> None:
        self.low = checks.number("low", low)
        self.high = checks.number("high", high)
        if not 0 < self.high - self.low < math.inf:
            raise InvalidSetting(
                f"Uniform needs low < high, a finite way apart; received {low!r} and {high!r}."
            )

    def values(self, shape: Shape, random: np.random.Generator) -> Array:
        return random.uniform(self.low, self.high, shape)


class Normal(Initializer):
    """Normally distributed.

    Parameters
    ----------
    mean : float, default 0
    standard_deviation : float, default 0.05
    """

    def __init__(self, mean: float = 0.0, standard_deviation: float = 0.05) -> None:
        self.mean = checks.number("mean", mean)
        self.standard_deviation = checks.number("standard_deviation", standard_deviation, above=0)

    def values(self, shape: Shape, random: np.random.Generator) -> Array:
        return random.normal(self.mean, self.standard_deviation, shape)


class ScaledInitializer(Initializer, register=False):
    """Base of the initializers that choose a variance from fan_in and fan_out."""

    distribution: str

    def variance(self, fan_in: int, fan_out: int) -> float:
        """Variance that one weight gets."""
        raise NotImplementedError(f"{type(self).__name__} defines no variance")

    def values(self, shape: Shape, random: np.random.Generator) -> Array:
        variance = self.variance(*fans(shape))
        if self.distribution == "uniform":
            limit = math.sqrt(3 * variance)  # a uniform distribution over ±limit has this variance
            return random.uniform(-limit, limit, shape)
        return random.normal(0, math.sqrt(variance), shape)


class GlorotUniform(ScaledInitializer):
    """Variance 2 / (fan_in + fan_out): for sigmoid and tanh (Glorot and Bengio, 2010)."""

    distribution = "uniform"

    def variance(self, fan_in: int, fan_out: int) -> float:
        return 2 / (fan_in + fan_out)


class GlorotNormal(GlorotUniform):
    """Glorot's variance from a normal distribution (Glorot and Bengio, 2010)."""

    distribution = "normal"


class HeUniform(ScaledInitializer):
    """Variance 2 / fan_in: for ReLU, which silences half of its inputs (He et al., 2015)."""

    distribution = "uniform"

    def variance(self, fan_in: int, fan_out: int) -> float:
        return 2 / fan_in


class HeNormal(HeUniform):
    """He's variance from a normal distribution (He et al., 2015)."""

    distribution = "normal"


class HeAverage(ScaledInitializer):
    """Variance 4 / (fan_in + fan_out): He's factor for ReLU on Glorot's average.

    He et al. (2015) derive 2 / fan_in from the signals that go forward and 2 / fan_out from the
    gradients that come back, and find either one enough. This takes the mean of both fans, as
    Glorot and Bengio do. Where a few inputs reach many units, as in most tables, 2 / fan_in starts
    much larger, and such networks overfit sooner (docs/results.md).
    """

    distribution = "uniform"

    def variance(self, fan_in: int, fan_out: int) -> float:
        return 4 / (fan_in + fan_out)


class LeCunUniform(ScaledInitializer):
    """Variance 1 / fan_in: for SELU and linear layers (LeCun et al., 1998)."""

    name = "lecun_uniform"
    distribution = "uniform"

    def variance(self, fan_in: int, fan_out: int) -> float:
        return 1 / fan_in


class LeCunNormal(LeCunUniform):
    """LeCun's variance from a normal distribution (LeCun et al., 1998)."""

    name = "lecun_normal"
    distribution = "normal"


class Orthogonal(Initializer):
    """Columns (or rows) at right angles: a layer that turns without stretching (Saxe et al., 2013).

    Parameters
    ----------
    gain : float, default 1
        Length of each column.
    """

    def __init__(self, gain: float = 1.0) -> None:
        self.gain = checks.number("gain", gain, above=0)

    def values(self, shape: Shape, random: np.random.Generator) -> Array:
        rows, columns = math.prod(shape[:-1]), shape[-1]
        tall = random.normal(size=(max(rows, columns), min(rows, columns)))
        orthogonal, triangle = np.linalg.qr(tall)
        orthogonal *= np.sign(
            np.diag(triangle)
        )  # else QR's own choice of signs would not be random
        flat = orthogonal if rows >= columns else orthogonal.T
        return self.gain * flat.reshape(shape)


def fans(shape: Shape) -> tuple[int, int]:
    """fan_in and fan_out of weights (..., inputs, outputs); a kernel's positions count in both."""
    if len(shape) < 2:
        return max(math.prod(shape), 1), max(math.prod(shape), 1)
    positions = math.prod(shape[:-2])
    return positions * shape[-2], positions * shape[-1]

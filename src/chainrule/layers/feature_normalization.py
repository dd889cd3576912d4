"""Layer, group and RMS normalization: each sample by itself, so that no batch is needed."""

from __future__ import annotations

import math

import numpy as np

from chainrule import checks
from chainrule.errors import InvalidShape
from chainrule.layer import Array, Index, Layer, Parameter, Shape, Trace
from chainrule.layers.batch_normalization import deviation
from chainrule.layers.channels import channel_sum, channelwise, check_channels


class FeatureNorm(Layer, register=False):
    """Base of the layers that divide the numbers of a sample by a deviation of their own.

    A subclass says in ``average`` which numbers go together.

    Notes
    -----
    Let the n numbers of a group have the mean μ, the variance v = Σ (x - μ)² / n, the deviation
    σ = √(v + ε), and let x̂ = (x - μ) / σ and z = γ x̂ + β. Every x moves the mean (∂μ/∂x = 1/n)
    and the deviation (∂σ/∂x = x̂/n) of its group, and so every x̂ in it::

        ∂x̂ⱼ/∂xᵢ = ([i = j] - 1/n - x̂ᵢ x̂ⱼ / n) / σ

    With δ = ∂L/∂z and d_x̂ = ∂L/∂x̂, summing over j makes the two corrections averages::

        ∂L/∂β = Σ δ        for each channel, over batch and positions
        ∂L/∂γ = Σ δ x̂
        d_x̂   = γ δ        each channel has its γ
        ∂L/∂x = (d_x̂ - average(d_x̂) - x̂ · average(d_x̂ · x̂)) / σ

    What the corrections take out of d_x̂ is what the layer would undo anyway: moving the whole
    group, which the mean takes off again, and stretching it, which the deviation divides out.
    """

    scale = Parameter()
    shift = Parameter()

    def __init__(self, epsilon: float = 1e-5) -> None:
        self.epsilon = checks.number("epsilon", epsilon, above=0)

    def average(self, *factors: Array) -> Array:
        """Average the product of the factors over each group of numbers that go together.

        Each factor is (batch, positions, channels); the result has 1 in place of axes it is
        constant along, so that it fits beside them.
        """
        raise NotImplementedError(f"{type(self).__name__} defines no average")

    def parameter_shapes(self, input_shape: Shape) -> dict[str, Shape]:
        """γ and β, (channels,) each."""
        return {"scale": input_shape[-1:], "shift": input_shape[-1:]}

    def initial_value(self, name: str, shape: Shape, random: np.random.Generator) -> Array:
        """Start at x̂ itself: γ = 1, β = 0."""
        return np.ones(shape) if name == "scale" else np.zeros(shape)

    def together(self, index: Index, shape: Shape) -> list[Index]:
        """Indices (batch, position, channel) of the numbers averaged with the one at ``index``.

        ``shape`` is (batch, positions, channels).
        """
        raise NotImplementedError(f"{type(self).__name__} defines no together")

    def equations(self, training: bool) -> dict[str, str]:
        """Both passes; ``group_mean`` averages over the numbers that go together."""
        d_x_hat = "scale * d_z"
        return {
            "mean": "group_mean(x)",
            "variance": "group_mean((x - group(mean))**2)",
            "deviation": "sqrt(variance + epsilon)",
            "x_hat": "(x - group(mean)) / group(deviation)",
            "z": "scale * x_hat + shift",
            "d_shift": "channel_sum(d_z)",
            "d_scale": "channel_sum(d_z * x_hat)",
            "d_x": f"({d_x_hat} - group_mean({d_x_hat}) - x_hat * group_mean({d_x_hat} * x_hat))"
            " / group(deviation)",
        }

    def feedforward(self, x: Array, trace: Trace) -> Array:
        """X (batch, ..., channels) -> z (batch, ..., channels)."""
        trace.x = x
        numbers = x.reshape(len(x), -1, x.shape[-1])
        trace.mean = self.average(numbers)
        centred = numbers - trace.mean
        trace.variance = self.average(centred, centred)
        trace.deviation = deviation(trace.variance, self.epsilon)
        centred /= trace.deviation
        trace.x_hat = centred.reshape(x.shape)
        z = channelwise(np.multiply, trace.x_hat, self.scale)
        return channelwise(np.add, z, self.shift, out=z)

    def backprop(self, d_z: Array, trace: Trace) -> Array | None:
        """d_z (batch, ..., channels) -> d_x (batch, ..., channels)."""
        trace.d_shift = channel_sum(d_z, out=trace.room("d_shift"))
        trace.d_scale = channel_sum(d_z, trace.x_hat, out=trace.room("d_scale"))
        if not trace.needs_d_x:
            return None
        x_hat = trace.x_hat.reshape(len(d_z), -1, d_z.shape[-1])
        d_x_hat = channelwise(np.multiply, d_z, self.scale).reshape(x_hat.shape)
        d_x = x_hat * -self.average(d_x_hat, x_hat)
        d_x += d_x_hat
        d_x -= self.average(d_x_hat)
        d_x /= trace.deviation
        return d_x.reshape(d_z.shape)


class LayerNorm(FeatureNorm):
    """Standardize the units of each sample, whatever the other samples are: z = γ x̂ + β.

    x̂ = (x - μ) / √(v + ε), with mean μ and variance v over the last axis: over all units of a
    layer, as Ba, Kiros and Hinton (2016) have it, at each position by itself where there are
    positions, as in sequences. Training and prediction do the same. To take a whole image together
    use ``GroupNorm(groups=1)``.

    Parameters
    ----------
    epsilon : float, default 1e-5
        ε, so that equal numbers are not divided by zero.

    Attributes
    ----------
    scale, shift : ndarray (channels,)
        γ and β, learned; they start at 1 and 0.

    Notes
    -----
    ``FeatureNorm`` derives the way back.
    """

    def output_shape(self, input_shape: Shape) -> Shape:
        """(..., channels) -> (..., channels)."""
        if not input_shape or input_shape[-1] < 2:
            raise InvalidShape(
                f"{self!r} received samples of shape {input_shape}; expected (..., channels) with "
                "at least two channels: a single number less its own mean is always zero."
            )
        return input_shape

    def average(self, *factors: Array) -> Array:
        """Average over the channels: -> (batch, positions, 1)."""
        return _over_channels(*factors)

    def together(self, index: Index, shape: Shape) -> list[Index]:
        return [(index[0], index[1], channel) for channel in range(shape[2])]


class GroupNorm(FeatureNorm):
    """Standardize each sample in groups of channels, over all positions: z = γ x̂ + β.

    x̂ = (x - μ) / √(v + ε), with mean μ and variance v over all positions of a sample and those
    channels / groups channels, next to each other, that make one group (Wu and He, 2018). Training
    and prediction do the same. One group takes the whole sample together; as many groups as
    channels is instance normalization.

    Parameters
    ----------
    groups : int
        Number of groups; divides the number of channels.
    epsilon : float, default 1e-5
        ε, so that equal numbers are not divided by zero.

    Attributes
    ----------
    scale, shift : ndarray (channels,)
        γ and β, learned; they start at 1 and 0.

    Notes
    -----
    ``FeatureNorm`` derives the way back.
    """

    def __init__(self, groups: int, epsilon: float = 1e-5) -> None:
        super().__init__(epsilon)
        self.groups = checks.whole_number("groups", groups)

    def output_shape(self, input_shape: Shape) -> Shape:
        """(..., channels) -> (..., channels)."""
        if not input_shape or input_shape[-1] % self.groups:
            raise InvalidShape(
                f"{self!r} received samples of shape {input_shape}; expected (..., channels) with "
                f"a number of channels that {self.groups} divides. {_fitting_groups(input_shape)}"
            )
        if math.prod(input_shape) == self.groups:
            raise InvalidShape(
                f"{self!r} received samples of shape {input_shape}: each group is one number, and "
                "a single number less its own mean is always zero. Use fewer groups."
            )
        return input_shape

    def average(self, *factors: Array) -> Array:
        """Average over the positions and a group's channels: -> (batch, 1, channels)."""
        batch, positions, channels = factors[0].shape
        over_positions = np.einsum("bpc->bc" if len(factors) == 1 else "bpc,bpc->bc", *factors)
        width = channels // self.groups
        averages = over_positions.reshape(batch, self.groups, width).sum(axis=2)
        averages /= positions * width
        return np.repeat(averages, width, axis=1)[:, np.newaxis]

    def together(self, index: Index, shape: Shape) -> list[Index]:
        width = shape[2] // self.groups
        first = index[2] // width * width
        channels = range(first, first + width)
        return [(index[0], place, channel) for place in range(shape[1]) for channel in channels]


class RMSNorm(Layer):
    """Divide the units of each sample by their root mean square: z = γ x̂.

    x̂ = x / σ with σ = √(Σ x² / n + ε), over the n channels of the last axis, at each position by
    itself (Zhang and Sennrich, 2019). It is layer normalization that leaves the mean where it is:
    cheaper, and often as good.

    Parameters
    ----------
    epsilon : float, default 1e-5
        ε, so that zeros are not divided by zero.

    Attributes
    ----------
    scale : ndarray (channels,)
        γ, learned; it starts at 1.

    Notes
    -----
    As in ``FeatureNorm``, but nothing depends on a mean, so one of the corrections is left::

        ∂L/∂γ = Σ δ x̂
        ∂L/∂x = (d_x̂ - x̂ · average(d_x̂ · x̂)) / σ   with d_x̂ = γ δ
    """

    scale = Parameter()

    def __init__(self, epsilon: float = 1e-5) -> None:
        self.epsilon = checks.number("epsilon", epsilon, above=0)

    def output_shape(self, input_shape: Shape) -> Shape:
        """(..., channels) -> (..., channels)."""
        return check_channels(self, input_shape)

    def parameter_shapes(self, input_shape: Shape) -> dict[str, Shape]:
        """γ (channels,)."""
        return {"scale": input_shape[-1:]}

    def initial_value(self, name: str, shape: Shape, random: np.random.Generator) -> Array:
        """Start at x̂ itself."""
        return np.ones(shape)

    def equations(self, training: bool) -> dict[str, str]:
        """Both passes; ``channel_average`` averages over the channels of one position."""
        return {
            "mean_square": "channel_average(x**2)",
            "deviation": "sqrt(mean_square + epsilon)",
            "x_hat": "x / deviation",
            "z": "scale * x_hat",
            "d_scale": "channel_sum(d_z * x_hat)",
            "d_x": "(scale * d_z - x_hat * channel_average(scale * d_z * x_hat)) / deviation",
        }

    def feedforward(self, x: Array, trace: Trace) -> Array:
        """X (batch, ..., channels) -> z (batch, ..., channels)."""
        trace.x = x
        trace.mean_square = _over_channels(x, x)
        trace.deviation = deviation(trace.mean_square, self.epsilon)
        trace.x_hat = x / trace.deviation
        return channelwise(np.multiply, trace.x_hat, self.scale)

    def backprop(self, d_z: Array, trace: Trace) -> Array | None:
        """d_z (batch, ..., channels) -> d_x (batch, ..., channels)."""
        trace.d_scale = channel_sum(d_z, trace.x_hat, out=trace.room("d_scale"))
        if not trace.needs_d_x:
            return None
        d_x_hat = channelwise(np.multiply, d_z, self.scale)
        d_x = trace.x_hat * -_over_channels(d_x_hat, trace.x_hat)
        d_x += d_x_hat
        d_x /= trace.deviation
        return d_x


def _over_channels(*factors: Array) -> Array:
    """Average the product of one or two factors (batch, ..., channels) over the channels."""
    sums = np.einsum("...c->..." if len(factors) == 1 else "...c,...c->...", *factors)
    return sums[..., np.newaxis] / factors[0].shape[-1]


def _fitting_groups(input_shape: Shape) -> str:
    """Say which numbers of groups there could be."""
    if not input_shape:
        return "These samples are single numbers."
    channels = input_shape[-1]
    listed = ", ".join(str(n) for n in range(1, channels + 1) if channels % n == 0)
    return f"{channels} channels can go in groups of these numbers: {listed}."

"""Batch normalization: each channel gets mean 0 and variance 1 over the batch."""

from __future__ import annotations

import numpy as np

from chainrule import checks
from chainrule.errors import InvalidData
from chainrule.layer import Array, Layer, Parameter, Shape, Trace
from chainrule.layers.channels import channel_sum, channelwise, check_channels


class BatchNorm(Layer):
    """Standardize each channel over the batch and all positions, then let training rescale it.

    z = γ x̂ + β with x̂ = (x - μ) / σ and σ = √(v + ε), all of it for each channel by itself
    (Ioffe and Szegedy, 2015). In training μ and v are mean and variance of the channel in this
    very batch. In prediction they are the running averages of what training saw, so that no
    prediction depends on what else is in the batch.

    Parameters
    ----------
    momentum : float, default 0.9
        Share of a running average that stays in each step; 1 - momentum of the batch comes in.
        (What PyTorch calls momentum is that other share, 0.1.)
    epsilon : float, default 1e-5
        ε, so that a channel of equal numbers is not divided by zero.

    Attributes
    ----------
    scale, shift : ndarray (channels,)
        γ and β, learned; they start at 1 and 0.
    running_mean, running_variance : ndarray (channels,)
        Counted, not learned: they change in ``update_statistics`` alone.

    Notes
    -----
    The batch's variance is the biased one, Σ (x - μ)² / n over the n numbers of the channel. What
    goes into the running variance is n / (n - 1) times that, the unbiased estimate for data yet
    unseen. Both are as in the paper and in PyTorch. Sample weights do not count here.

    The way back: with δ = ∂L/∂z, ::

        ∂L/∂β = Σ δ        over the n numbers of the channel
        ∂L/∂γ = Σ δ x̂
        ∂L/∂x̂ = γ δ

    Every x has a hand in every x̂ of its channel, because it moves the mean (∂μ/∂x = 1/n) and the
    deviation (∂σ/∂x = x̂/n). So ∂x̂ⱼ/∂xᵢ = ([i = j] - 1/n - x̂ᵢ x̂ⱼ/n) / σ, and summing over j ::

        ∂L/∂x = γ/σ · (δ - Σ δ / n - x̂ · Σ δ x̂ / n)

    The two corrections take out of δ what the layer would undo anyway: pushing all numbers the
    same way, which the mean takes off again, and stretching them, which the deviation divides out.
    The sums are ∂L/∂β and ∂L/∂γ. In prediction μ and σ are constants, and only γ/σ · δ is left.

    Examples
    --------
    >>> import chainrule as cr
    >>> from chainrule.layers import BatchNorm
    >>> net = cr.NeuralNetwork(cr.Dense(8), BatchNorm(), cr.ReLU(), cr.Dense(1), inputs=3)
    >>> net.layers[1].running_variance.tolist()
    [1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0]
    """

    scale = Parameter()
    shift = Parameter()
    running_mean = Parameter(trainable=False)
    running_variance = Parameter(trainable=False)

    def __init__(self, momentum: float = 0.9, epsilon: float = 1e-5) -> None:
        self.momentum = checks.number("momentum", momentum, at_least=0, below=1)
        self.epsilon = checks.number("epsilon", epsilon, above=0)

    def output_shape(self, input_shape: Shape) -> Shape:
        """(..., channels) -> (..., channels)."""
        return check_channels(self, input_shape)

    def parameter_shapes(self, input_shape: Shape) -> dict[str, Shape]:
        """γ, β and the two running averages, (channels,) each."""
        names = ("scale", "shift", "running_mean", "running_variance")
        return dict.fromkeys(names, input_shape[-1:])

    def initial_value(self, name: str, shape: Shape, random: np.random.Generator) -> Array:
        """Start at mean 0 and deviation 1, which leave x as it is."""
        return np.ones(shape) if name in ("scale", "running_variance") else np.zeros(shape)

    def equations(self, training: bool) -> dict[str, str]:
        """Training takes the batch's own mean and variance, prediction the running ones."""
        found = {
            "mean": "channel_mean(x)" if training else "running_mean",
            "variance": "channel_mean((x - mean)**2)" if training else "running_variance",
            "deviation": "sqrt(variance + epsilon)",
            "x_hat": "(x - mean) / deviation",
            "z": "scale * x_hat + shift",
            "d_shift": "channel_sum(d_z)",
            "d_scale": "channel_sum(d_z * x_hat)",
        }
        corrected = "d_z - d_shift / n - x_hat * d_scale / n" if training else "d_z"
        return {**found, "d_x": f"scale / deviation * ({corrected})"}

    def feedforward(self, x: Array, trace: Trace) -> Array:
        """X (batch, ..., channels) -> z (batch, ..., channels).

        Raises
        ------
        InvalidData
            In training, when a channel has one number only: its variance says nothing.
        """
        trace.x = x
        if trace.training:
            count = self._count(x)
            trace.mean = channel_sum(x) / count
            centred = channelwise(np.subtract, x, trace.mean)
            trace.variance = channel_sum(centred, centred) / count
        else:
            trace.mean, trace.variance = self.running_mean.copy(), self.running_variance.copy()
            centred = channelwise(np.subtract, x, trace.mean)
        trace.deviation = deviation(trace.variance, self.epsilon)
        trace.x_hat = channelwise(np.divide, centred, trace.deviation, out=centred)
        z = channelwise(np.multiply, trace.x_hat, self.scale)
        return channelwise(np.add, z, self.shift, out=z)

    def backprop(self, d_z: Array, trace: Trace) -> Array | None:
        """d_z (batch, ..., channels) -> d_x (batch, ..., channels)."""
        trace.d_shift = channel_sum(d_z, out=trace.room("d_shift"))
        trace.d_scale = channel_sum(d_z, trace.x_hat, out=trace.room("d_scale"))
        if not trace.needs_d_x:
            return None
        factor = self.scale / trace.deviation
        if not trace.training:
            return channelwise(np.multiply, d_z, factor)
        count = self._count(d_z)
        d_x = channelwise(np.multiply, trace.x_hat, trace.d_scale / -count)
        d_x += d_z
        channelwise(np.subtract, d_x, trace.d_shift / count, out=d_x)
        return channelwise(np.multiply, d_x, factor, out=d_x)

    def update_statistics(self, trace: Trace) -> None:
        """Average mean and variance of the pass in; one with training False adds nothing."""
        if not trace.training:
            return
        count, old, new = self._count(trace.x), self.momentum, 1 - self.momentum
        unbiased = trace.variance * (count / (count - 1))
        self.running_mean = old * self.running_mean + new * trace.mean
        self.running_variance = old * self.running_variance + new * unbiased

    def _count(self, x: Array) -> int:
        """How many numbers a channel has in this batch: batch times positions."""
        count = x.size // x.shape[-1]
        if count < 2:
            raise InvalidData(
                f"{self!r} received a training batch of shape {x.shape}: one number per channel, "
                "which has no variance. Expected at least two. Choose a batch_size that leaves no "
                "single sample for the last batch, or use LayerNorm, which needs no batch."
            )
        return count


def deviation(variance: Array, epsilon: float) -> Array:
    """σ = √(v + ε), and NaN where squares have overflowed to v = ∞.

    An infinite σ would turn its numbers into zeros that nobody notices; NaN is found by the
    training loop, which stops and restores the last finite parameters.
    """
    return np.sqrt(np.where(np.isinf(variance), np.nan, variance) + epsilon)

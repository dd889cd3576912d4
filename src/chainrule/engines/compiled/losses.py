"""Compiled twins of ``losses.py``: the value of the loss, and ∂L/∂ŷ where the way back begins.

Every term of the loss has the weight of its sample, which ``samples.py`` has put beside them.
The sum of the terms is kept in float64, for each shard by itself. A loss of someone's own is
compiled from its ``terms`` and ``terms_gradient`` (``definitions.py``).
"""

from __future__ import annotations

import numpy as np

from chainrule.engines.compiled import cross_entropies as cross
from chainrule.engines.compiled.definitions import definition_of_loss
from chainrule.engines.compiled.elementary import (
    ONE,
    TWO,
    ZERO,
    hyperbolic_tangent,
    like,
    logarithm_of_one_plus,
    scalar,
    smallest_step,
)
from chainrule.engines.compiled.elementwise import add_to_loss, loss_kernel
from chainrule.engines.compiled.exponential import exponential, within
from chainrule.engines.compiled.kernel import Kernel
from chainrule.engines.compiled.plan import Buffer, Plan
from chainrule.loss import Loss
from chainrule.losses import (
    BinaryCrossEntropy,
    CategoricalCrossEntropy,
    HalfSquaredError,
    Hinge,
    Huber,
    KLDivergence,
    LogCosh,
    MeanAbsoluteError,
    MeanSquaredError,
    MultilabelCrossEntropy,
    NegativeLogLikelihood,
    Poisson,
    PoissonDeviance,
    SigmoidCrossEntropy,
    SmoothedLoss,
    SoftmaxCrossEntropy,
    SumOfSquares,
)

__all__ = ["add_to_loss", "plan_loss"]


@scalar
def squares(y_hat, y, s, t):
    """(ŷ - y)²."""
    return (y_hat - y) * (y_hat - y)


@scalar
def squares_slope(y_hat, y, s, t):
    """2 (ŷ - y)."""
    return TWO * (y_hat - y)


@scalar
def half_squares(y_hat, y, s, t):
    """½ (ŷ - y)²."""
    return (y_hat - y) * (y_hat - y) / TWO


@scalar
def half_squares_slope(y_hat, y, s, t):
    """ŷ - y."""
    return y_hat - y


@scalar
def distance(y_hat, y, s, t):
    """|ŷ - y|."""
    return abs(y_hat - y)


@scalar
def distance_slope(y_hat, y, s, t):
    """The sign of ŷ - y."""
    return np.sign(y_hat - y)


@scalar
def huber(y_hat, y, delta, t):
    """½ (ŷ - y)², from delta on delta (|ŷ - y| - ½ delta)."""
    far = abs(y_hat - y)
    near = delta if far > delta else far
    return near * (far - near / TWO)


@scalar
def huber_slope(y_hat, y, delta, t):
    """ŷ - y, within ±delta."""
    return within(y_hat - y, -delta, delta)


@scalar
def log_cosh(y_hat, y, s, t):
    """Log cosh(ŷ - y) = |ŷ - y| + log(1 + e^-2|ŷ - y|) - log 2."""
    far = abs(y_hat - y)
    return far + logarithm_of_one_plus(exponential(-(far + far))) - like(far, np.log(2.0))


@scalar
def log_cosh_slope(y_hat, y, s, t):
    """tanh(ŷ - y)."""
    return hyperbolic_tangent(y_hat - y)


@scalar
def above_zero(count):
    """Keep an expected count off 0."""
    return smallest_step(count) if count < smallest_step(count) else count


@scalar
def poisson(y_hat, y, s, t):
    """ŷ - y log ŷ."""
    return y_hat - y * np.log(above_zero(y_hat))


@scalar
def poisson_slope(y_hat, y, s, t):
    """1 - y / ŷ."""
    return ONE - y / above_zero(y_hat)


@scalar
def poisson_deviance(z, y, s, t):
    """e^z - y z, and y log y - y; 0 log 0 counts as 0."""
    return exponential(z) - y * z + (y * np.log(y if y > ZERO else ONE) - y)


@scalar
def poisson_deviance_slope(z, y, s, t):
    """e^z - y."""
    return exponential(z) - y


@scalar
def hinge(y_hat, y, s, t):
    """max(0, 1 - y ŷ)."""
    missing = ONE - y * y_hat
    return ZERO if missing < ZERO else missing


@scalar
def hinge_slope(y_hat, y, s, t):
    """-y where y ŷ < 1."""
    return -y if y * y_hat < ONE else ZERO


_SQUARES = loss_kernel(squares, squares_slope)
_SIGMOID_BINARY = loss_kernel(cross.sigmoid_binary, cross.sigmoid_binary_slope)

_KERNELS: dict[type[Loss], Kernel] = {
    SumOfSquares: _SQUARES,
    MeanSquaredError: _SQUARES,
    HalfSquaredError: loss_kernel(half_squares, half_squares_slope),
    MeanAbsoluteError: loss_kernel(distance, distance_slope),
    Huber: loss_kernel(huber, huber_slope),
    LogCosh: loss_kernel(log_cosh, log_cosh_slope),
    BinaryCrossEntropy: loss_kernel(cross.binary, cross.binary_slope),
    SigmoidCrossEntropy: _SIGMOID_BINARY,
    MultilabelCrossEntropy: _SIGMOID_BINARY,
    CategoricalCrossEntropy: loss_kernel(cross.categorical, cross.categorical_slope),
    SoftmaxCrossEntropy: cross.softmax_cross_entropy,
    NegativeLogLikelihood: loss_kernel(cross.likelihood, cross.likelihood_slope),
    KLDivergence: loss_kernel(cross.divergence, cross.divergence_slope),
    Poisson: loss_kernel(poisson, poisson_slope),
    PoissonDeviance: loss_kernel(poisson_deviance, poisson_deviance_slope),
    Hinge: loss_kernel(hinge, hinge_slope),
}


def plan_loss(loss: Loss, y_hat: Buffer, y: Buffer, weight: Buffer, plan: Plan) -> Buffer:
    """Plan the loss; returns where ∂loss/∂ŷ will stand.

    Raises
    ------
    NoTwin
        When the loss cannot be compiled.
    """
    found = _KERNELS.get(type(loss)) or definition_of_loss(loss, plan.dtype)
    d_y_hat = plan.buffer(y_hat.shape)
    settings = _settings(loss, y_hat)
    plan.rows(found, y_hat, y, weight, d_y_hat, y_hat.size, *settings, (1, *y_hat.shape)[-1])
    return d_y_hat


def _settings(loss: Loss, y_hat: Buffer) -> tuple[float, float]:
    """The two numbers that a loss's kernel takes."""
    if isinstance(loss, SmoothedLoss):
        classes = y_hat.shape[-1] if loss.targets == "classes" else 2
        return 1 - loss.label_smoothing, loss.label_smoothing / classes
    return (loss.delta, 0.0) if isinstance(loss, Huber) else (0.0, 0.0)

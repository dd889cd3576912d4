"""The losses: value, gradient and formula of each, in one place.

Here stand single terms: one output beside one actual value. ``chainrule.loss`` adds them up, with
sample weights, and says what each attribute means.
"""

from __future__ import annotations

import math

import numpy as np

from chainrule import checks
from chainrule.activations import LogSoftmax, Sigmoid, Softmax, Softplus, overflow_is_fine
from chainrule.layer import Array
from chainrule.loss import Loss

_sigmoid = Sigmoid().value
_softplus = Softplus().value
_softmax = Softmax().value
_log_softmax = LogSoftmax().value


class SumOfSquares(Loss):
    """Σ (ŷ - y)², the textbook's loss; its gradient is 2 (ŷ - y), summed and never averaged."""

    formula = "(y_hat - y)**2"
    gradient_formula = "2 * (y_hat - y)"
    reduction = "sum"

    def terms(self, y_hat: Array, y: Array) -> Array:
        return (y_hat - y) ** 2

    def terms_gradient(self, y_hat: Array, y: Array) -> Array:
        return 2 * (y_hat - y)


class MeanSquaredError(SumOfSquares):
    """The sum of squares divided by the number of terms, so that it does not grow with the data."""

    reduction = "mean"


class HalfSquaredError(Loss):
    """½ Σ (ŷ - y)² of a sample, averaged over samples: its gradient is just ŷ - y.

    Outputs are summed, so each of several learns as fast as it would by itself.
    """

    formula = "(y_hat - y)**2 / 2"
    gradient_formula = "y_hat - y"
    reduction = "mean of samples"

    def terms(self, y_hat: Array, y: Array) -> Array:
        return (y_hat - y) ** 2 / 2

    def terms_gradient(self, y_hat: Array, y: Array) -> Array:
        return y_hat - y


class MeanAbsoluteError(Loss):
    """Mean of |ŷ - y|: an outlier counts by its distance, not by the square of it."""

    formula = "Abs(y_hat - y)"
    gradient_formula = "sign(y_hat - y)"

    def terms(self, y_hat: Array, y: Array) -> Array:
        return np.abs(y_hat - y)

    def terms_gradient(self, y_hat: Array, y: Array) -> Array:
        return np.sign(y_hat - y)


class Huber(Loss):
    """A parabola near the actual value and straight lines outside (Huber, 1964).

    Parameters
    ----------
    delta : float, default 1
        Distance at which the parabola goes over into the lines.
    """

    formula = (
        "Piecewise(((y_hat - y)**2 / 2, Abs(y_hat - y) <= delta),"
        " (delta * (Abs(y_hat - y) - delta / 2), True))"
    )
    gradient_formula = (
        "Piecewise((y_hat - y, Abs(y_hat - y) <= delta), (delta * sign(y_hat - y), True))"
    )

    def __init__(self, delta: float = 1.0) -> None:
        self.delta = checks.number("delta", delta, above=0)

    def terms(self, y_hat: Array, y: Array) -> Array:
        distance = np.abs(y_hat - y)
        near = np.minimum(distance, self.delta)  # ½ near² inside, δ (distance - ½ δ) outside
        return near * (distance - near / 2)

    def terms_gradient(self, y_hat: Array, y: Array) -> Array:
        return np.clip(y_hat - y, -self.delta, self.delta)


class LogCosh(Loss):
    """Mean of log cosh(ŷ - y): Huber's shape without a seam. The gradient is tanh(ŷ - y)."""

    formula = "log(cosh(y_hat - y))"
    gradient_formula = "tanh(y_hat - y)"

    def terms(self, y_hat: Array, y: Array) -> Array:
        # cosh overflows early: log cosh e = |e| + log(1 + exp(-2 |e|)) - log 2 is the same number.
        distance = np.abs(y_hat - y)
        return distance + np.log1p(np.exp(-distance) ** 2) - math.log(2)

    def terms_gradient(self, y_hat: Array, y: Array) -> Array:
        return np.tanh(y_hat - y)


class SmoothedLoss(Loss, register=False):
    """Base of the cross-entropies: targets that are certain can be made a little less so.

    Parameters
    ----------
    label_smoothing : float, default 0
        Part ε of each target's certainty that goes to all classes alike (Szegedy et al., 2016):
        with K classes, 1 becomes 1 - ε + ε/K, and 0 becomes ε/K.
    """

    def __init__(self, label_smoothing: float = 0.0) -> None:
        self.label_smoothing = checks.number(
            "label_smoothing", label_smoothing, at_least=0, below=1
        )

    def seen(self, y: Array) -> Array:
        return self.smoothed(y)

    def smoothed(self, y: Array) -> Array:
        """Targets with that part of the certainty spread; a yes/no target has two classes."""
        if not self.label_smoothing:
            return y
        classes = y.shape[-1] if self.targets == "classes" else 2
        return y * (1 - self.label_smoothing) + self.label_smoothing / classes


class BinaryCrossEntropy(SmoothedLoss):
    """Surprise -log p at what happened, for yes/no targets and outputs that are probabilities.

    Probabilities of exactly 0 or 1 are moved inside by the smallest step the dtype knows.
    ``SigmoidCrossEntropy`` on logits does the same without that loss of precision.

    Parameters
    ----------
    label_smoothing : float, default 0
        Part ε of the certainty to take away: targets become ε/2 and 1 - ε/2.
    """

    formula = "-y * log(y_hat) - (1 - y) * log(1 - y_hat)"
    gradient_formula = "(y_hat - y) / (y_hat * (1 - y_hat))"
    targets = "probabilities"
    outputs = "probabilities"

    def terms(self, y_hat: Array, y: Array) -> Array:
        y = self.smoothed(y)
        p = _inside(y_hat)
        return -y * np.log(p) - (1 - y) * np.log1p(-p)

    def terms_gradient(self, y_hat: Array, y: Array) -> Array:
        y = self.smoothed(y)
        p = _inside(y_hat)
        return (p - y) / (p * (1 - p))


class SigmoidCrossEntropy(SmoothedLoss):
    """Binary cross-entropy on logits: sigmoid and logarithm in one, stable for every z.

    The gradient is σ(z) - y: the σ' of the activation and the 1/p of the logarithm cancel.

    Parameters
    ----------
    label_smoothing : float, default 0
        Part ε of the certainty to take away: targets become ε/2 and 1 - ε/2.
    """

    formula = "log(1 + exp(z)) - y * z"
    gradient_formula = "1 / (1 + exp(-z)) - y"
    targets = "probabilities"
    outputs = "logits"
    last_activation = Sigmoid()

    def terms(self, y_hat: Array, y: Array) -> Array:
        y = self.smoothed(y)
        # softplus(z) - y z, split so that two large numbers never have to cancel.
        return y * _softplus(-y_hat) + (1 - y) * _softplus(y_hat)

    def terms_gradient(self, y_hat: Array, y: Array) -> Array:
        y = self.smoothed(y)
        return _sigmoid(y_hat) - y


class MultilabelCrossEntropy(SigmoidCrossEntropy):
    """Sigmoid cross-entropy summed over the labels of a sample, where it may have several.

    Each label learns as fast as it would alone; ``SigmoidCrossEntropy`` takes their mean.

    Parameters
    ----------
    label_smoothing : float, default 0
        Part ε of the certainty to take away: targets become ε/2 and 1 - ε/2.
    """

    reduction = "mean of samples"


class CategoricalCrossEntropy(SmoothedLoss):
    """-Σ y log ŷ over the classes, averaged over samples, for outputs that are probabilities.

    ``SoftmaxCrossEntropy`` on logits is the more precise form.

    Parameters
    ----------
    label_smoothing : float, default 0
        Part ε of the certainty to spread over all K classes.
    """

    formula = "-Sum(y[j] * log(y_hat[j]), (j, 1, K))"
    gradient_formula = "-y[k] / y_hat[k]"
    reduction = "mean of samples"
    targets = "classes"
    outputs = "probabilities"

    def terms(self, y_hat: Array, y: Array) -> Array:
        y = self.smoothed(y)
        return -y * np.log(_inside(y_hat))

    def terms_gradient(self, y_hat: Array, y: Array) -> Array:
        y = self.smoothed(y)
        return -y / _inside(y_hat)


class SoftmaxCrossEntropy(SmoothedLoss):
    """Categorical cross-entropy on logits: softmax and logarithm in one, stable for every z.

    L = -Σ_j y_j log softmax(z)_j. Softmax's Jacobian and the logarithm's 1/p cancel, and what is
    left is the simplest gradient there is: softmax(z) - y (Bridle, 1990).

    Parameters
    ----------
    label_smoothing : float, default 0
        Part ε of the certainty to spread over all K classes.
    """

    formula = "-Sum(y[j] * (z[j] - log(Sum(exp(z[l]), (l, 1, K)))), (j, 1, K))"
    gradient_formula = "exp(z[k]) / Sum(exp(z[l]), (l, 1, K)) - y[k]"
    reduction = "mean of samples"
    targets = "classes"
    outputs = "logits"
    last_activation = Softmax()

    def terms(self, y_hat: Array, y: Array) -> Array:
        y = self.smoothed(y)
        return -y * _log_softmax(y_hat)

    def terms_gradient(self, y_hat: Array, y: Array) -> Array:
        y = self.smoothed(y)
        return _softmax(y_hat) - y


class LossOnLogarithms(Loss, register=False):
    """Base of losses for networks that give the logarithm of what they predict."""

    @overflow_is_fine
    def prediction(self, output: Array) -> Array:
        """Logarithms -> what they are the logarithms of."""
        return np.exp(output)


class NegativeLogLikelihood(LossOnLogarithms):
    """-Σ y log p for a network that ends in log-softmax and so gives log p itself."""

    formula = "-Sum(y[j] * y_hat[j], (j, 1, K))"
    gradient_formula = "-y[k]"
    reduction = "mean of samples"
    targets = "classes"
    outputs = "logarithms of probabilities"

    def terms(self, y_hat: Array, y: Array) -> Array:
        return -y * y_hat

    def terms_gradient(self, y_hat: Array, y: Array) -> Array:
        return -y


class KLDivergence(Loss):
    """Σ y log(y / ŷ): the surprise beyond what y itself holds (Kullback and Leibler, 1951)."""

    name = "kl_divergence"
    formula = "Sum(y[j] * log(y[j] / y_hat[j]), (j, 1, K))"
    gradient_formula = "-y[k] / y_hat[k]"
    reduction = "mean of samples"
    targets = "classes"
    outputs = "probabilities"

    def terms(self, y_hat: Array, y: Array) -> Array:
        certain = np.where(y > 0, y, 1)  # 0 log 0 counts as 0
        return y * (np.log(certain) - np.log(_inside(y_hat)))

    def terms_gradient(self, y_hat: Array, y: Array) -> Array:
        return -y / _inside(y_hat)


class Poisson(Loss):
    """ŷ - y log ŷ: for counts, with ŷ the expected count."""

    formula = "y_hat - y * log(y_hat)"
    gradient_formula = "1 - y / y_hat"
    targets = "counts"
    outputs = "positive"

    def terms(self, y_hat: Array, y: Array) -> Array:
        return y_hat - y * np.log(_above_zero(y_hat))

    def terms_gradient(self, y_hat: Array, y: Array) -> Array:
        return 1 - y / _above_zero(y_hat)


class PoissonDeviance(LossOnLogarithms):
    """Half the Poisson deviance, y log(y / c) - y + c, of a network that gives z = log c.

    c is the expected count. It cannot become negative, and the exponential and the 1/c of the
    logarithm cancel: the gradient is e^z - y (Nelder and Wedderburn, "Generalized linear models",
    1972). The minimum is 0, at z = log y.
    """

    formula = "exp(y_hat) - y * y_hat + y * log(Piecewise((y, y > 0), (1, True))) - y"
    gradient_formula = "exp(y_hat) - y"
    reduction = "mean of samples"
    targets = "counts"

    @overflow_is_fine
    def terms(self, y_hat: Array, y: Array) -> Array:
        least = y * np.log(np.where(y > 0, y, 1)) - y  # 0 log 0 counts as 0
        return np.exp(y_hat) - y * y_hat + least

    @overflow_is_fine
    def terms_gradient(self, y_hat: Array, y: Array) -> Array:
        return np.exp(y_hat) - y


class Hinge(Loss):
    """max(0, 1 - y ŷ) for y = ±1: nothing to gain beyond the margin (Cortes and Vapnik, 1995)."""

    formula = "Piecewise((1 - y * y_hat, y * y_hat < 1), (0, True))"
    gradient_formula = "Piecewise((-y, y * y_hat < 1), (0, True))"
    latex = r"\max(0,\ 1 - y \hat{y})"
    targets = "signs"

    def terms(self, y_hat: Array, y: Array) -> Array:
        return np.maximum(0, 1 - y * y_hat)

    def terms_gradient(self, y_hat: Array, y: Array) -> Array:
        return np.where(y * y_hat < 1, -y, 0)


def _inside(probability: Array) -> Array:
    """Keep probabilities off 0 and 1 by the dtype's smallest step, where log would be infinite."""
    step = np.finfo(probability.dtype).eps
    return np.clip(probability, step, 1 - step)


def _above_zero(count: Array) -> Array:
    return np.maximum(count, np.finfo(count.dtype).eps)

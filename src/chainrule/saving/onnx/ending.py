"""How a graph ends decides the loss: those on logits apply softmax or sigmoid themselves.

Those on logarithms apply the exponential: of probabilities, or of counts.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from chainrule.activation import Activation
from chainrule.activations import LogSoftmax
from chainrule.errors import InvalidSetting, UnreadableFile
from chainrule.loss import Loss
from chainrule.losses import (
    LossOnLogarithms,
    MeanSquaredError,
    NegativeLogLikelihood,
    PoissonDeviance,
    SigmoidCrossEntropy,
    SoftmaxCrossEntropy,
)
from chainrule.saving.onnx.chain import Step


def with_loss(
    steps: list[Step], loss: Loss | None, *, exponentials: bool
) -> tuple[list[Step], Loss]:
    """Choose the loss; one on logits takes the last activation away.

    Raises
    ------
    UnreadableFile
        When the graph ends in an exponential that the loss asked for does not apply.
    """
    if exponentials and not isinstance(loss, LossOnLogarithms | None):
        raise UnreadableFile(
            f"it ends with e to the power of its outputs, which the loss {loss.name!r} does not "
            "do; expected one on logarithms, as 'negative_log_likelihood' or 'poisson_deviance'."
        )
    if loss is not None:
        return _without_last(steps, loss), loss
    if exponentials:
        of_probabilities = isinstance(_last_activation(steps), LogSoftmax)
        return steps, NegativeLogLikelihood() if of_probabilities else PoissonDeviance()
    for candidate in (SoftmaxCrossEntropy(), SigmoidCrossEntropy()):
        left = _without_last(steps, candidate)
        if left is not steps and _takes(candidate, _last_activation(left)):
            return left, candidate
    return steps, MeanSquaredError()


def _without_last(steps: list[Step], loss: Loss) -> list[Step]:
    """Take the last activation away, if the loss applies it itself."""
    last = _last_activation(steps)
    if last is None or type(last) is not type(loss.last_activation):
        return steps
    *before, step = steps
    if issubclass(step.kind, Activation):
        return before
    settings = {name: value for name, value in step.settings.items() if name != "activation"}
    return [*before, replace(step, settings=settings)]


def _takes(loss: Loss, activation: Activation | None) -> bool:
    try:
        loss.check_activation(activation)
    except InvalidSetting:
        return False
    return True


def _last_activation(steps: Sequence[Step]) -> Activation | None:
    if not steps:
        return None
    layer = steps[-1].layer()
    return layer if isinstance(layer, Activation) else layer.activation

"""How a graph ends decides the loss: those on logits apply softmax or sigmoid themselves."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from chainrule.activation import Activation
from chainrule.errors import InvalidSetting
from chainrule.loss import Loss
from chainrule.losses import (
    MeanSquaredError,
    NegativeLogLikelihood,
    SigmoidCrossEntropy,
    SoftmaxCrossEntropy,
)
from chainrule.saving.onnx.chain import Step


def with_loss(
    steps: list[Step], loss: Loss | None, *, exponentials: bool
) -> tuple[list[Step], Loss]:
    """Choose the loss; one on logits takes the last activation away."""
    if loss is not None:
        return _without_last(steps, loss), loss
    if exponentials:
        return steps, NegativeLogLikelihood()
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

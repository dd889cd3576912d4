"""A last activation that does not fit the loss or its targets."""

from __future__ import annotations

import numpy as np

from chainrule.activation import Activation, VectorActivation
from chainrule.diagnosis.evidence import Evidence
from chainrule.diagnosis.symptom import Finding, Symptom

# Part of the targets that may lie out of reach: an outlier or two, cut off on purpose.
MOST_OUT_OF_REACH = 0.01
# Rounding is no misfit: sums of probabilities, and targets at the very end of the range.
TOLERANCE = 0.01
# Part of outputs that may be exactly zero where their logarithm is taken.
MOST_ZERO = 0.01

FAR_BELOW = 100.0  # a z at which the softplus is small, but not zero

_REMEDY = {
    "logits": "Drop the last activation: this loss applies its own, and takes any number.",
    "probabilities": "Use activation='sigmoid' in the last layer.",
    "logarithms of probabilities": "Use activation='log_softmax' in the last layer.",
    "positive": "Use activation='softplus' in the last layer.",
    "numbers": "Use no activation in the last layer, so that it can give any number.",
}


class UnfittingOutputs(Symptom):
    """Outputs that cannot become what the loss compares them with."""

    title = "Last activation does not fit"
    why = "What the last layer cannot give, no training can make it give."

    def look(self, evidence: Evidence) -> Finding | None:
        loss = evidence.network.loss
        last = evidence.twin.layers[-1]
        activation = last if isinstance(last, Activation) else last.activation
        told = (
            _same_whatever_the_weights(evidence, activation)
            or _not_distributed(evidence, activation)
            or _narrow_logits(evidence, activation)
            or _out_of_reach(evidence, activation)
            or _exactly_zero(evidence, activation)
            or _not_what_the_loss_takes(evidence)
        )
        if told is None:
            return None
        remedy = _REMEDY.get(loss.outputs, _REMEDY["numbers"])
        if loss.outputs == "probabilities" and loss.targets == "classes":
            remedy = "Use activation='softmax' in the last layer."
        return self.finding([f"layer {len(evidence.twin.layers)}"], told, remedy)


def _same_whatever_the_weights(evidence: Evidence, activation: Activation | None) -> str | None:
    """Softmax over a single number is 1."""
    if isinstance(activation, VectorActivation) and evidence.twin.output_shape[-1] == 1:
        return (
            f"activation={activation.name!r} compares outputs with each other, and there is one: "
            f"it gives {evidence.trace.output.flat[0]:g} whatever the weights are."
        )
    return None


def _not_distributed(evidence: Evidence, activation: Activation | None) -> str | None:
    """Probabilities of classes sum to 1; and where they must, so must the targets."""
    loss, output = evidence.network.loss, evidence.trace.output
    if loss.targets == "classes" and loss.outputs != "logits":
        given = np.exp(output) if loss.outputs != "probabilities" else output
        totals = given.sum(axis=-1)
        if (np.abs(totals - 1) > TOLERANCE).mean() > MOST_OUT_OF_REACH:
            return (
                f"The outputs of a sample sum to {totals.min():.3g} ... {totals.max():.3g}; "
                f"loss={loss.name!r} expects probabilities of classes, which sum to 1."
            )
    if activation is not None and activation.name == "softmax" and loss.targets != "classes":
        totals = evidence.some.y.sum(axis=-1)
        if (np.abs(totals - 1) > TOLERANCE).mean() > MOST_OUT_OF_REACH:
            return (
                f"softmax gives outputs that sum to 1, and the targets of a sample sum to "
                f"{totals.min():.3g} ... {totals.max():.3g}."
            )
    return None


def _narrow_logits(evidence: Evidence, activation: Activation | None) -> str | None:
    """Logits that cannot be any number: a ReLU before softmax, a tanh before the sigmoid."""
    loss = evidence.network.loss
    if loss.outputs != "logits" or activation is None:
        return None
    low, high = activation.outputs_within
    if np.isinf(low) and np.isinf(high):
        return None
    return (
        f"activation={activation.name!r} gives {low:g} ... {high:g}; loss={loss.name!r} expects "
        "logits, any number from far below zero to far above."
    )


def _out_of_reach(evidence: Evidence, activation: Activation | None) -> str | None:
    """Targets outside of what the activation can give."""
    loss = evidence.network.loss
    if activation is None or loss.targets not in {"numbers", "counts", "signs"}:
        return None
    low, high = activation.outputs_within
    y = evidence.samples.y
    room = TOLERANCE * (high - low if np.isfinite(high - low) else 1.0)
    outside = (y < low - room) | (y > high + room)
    if outside.mean() <= MOST_OUT_OF_REACH:
        return None
    return (
        f"activation={activation.name!r} gives {low:g} ... {high:g}; the targets go from "
        f"{y.min():.4g} to {y.max():.4g}, {outside.mean():.0%} of them out of reach."
    )


def _exactly_zero(evidence: Evidence, activation: Activation | None) -> str | None:
    """A ReLU where the logarithm of the output is taken."""
    loss = evidence.network.loss
    if loss.outputs != "positive" or activation is None:
        return None
    if activation.value(np.full((1, evidence.twin.output_shape[-1]), -FAR_BELOW)).any():
        return None
    return (
        f"activation={activation.name!r} gives exactly 0 for all z below some point, without a "
        f"slope to leave it by; loss={loss.name!r} expects positive outputs."
    )


def _not_what_the_loss_takes(evidence: Evidence) -> str | None:
    """Outputs, as they are now, that the loss has to cut off."""
    loss, output = evidence.network.loss, evidence.trace.output
    if loss.outputs == "probabilities":
        wrong = (output < 0) | (output > 1)
        expected = "probabilities from 0 to 1"
    elif loss.outputs == "logarithms of probabilities":
        wrong, expected = output > 0, "logarithms of probabilities, 0 at most"
    elif loss.outputs == "positive":
        wrong, expected = output <= 0, "positive outputs, whose logarithm it takes"
    else:
        return None
    if wrong.mean() <= MOST_ZERO:
        return None
    return (
        f"{wrong.mean():.0%} of the outputs are {output[wrong].min():.3g} ... "
        f"{output[wrong].max():.3g}; loss={loss.name!r} expects {expected}."
    )

"""Learning the training samples by heart."""

from __future__ import annotations

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from chainrule.diagnosis.evidence import Evidence
from chainrule.diagnosis.symptom import Finding, Symptom
from chainrule.layer import Array
from chainrule.training.history import History

# All on the scale on which 1 is the loss of a constant guess and 0 that of perfection.
LARGEST_RISE = 0.3  # of the validation loss above its lowest point
LARGEST_GAP = 0.5  # between the validation loss and that of the training
LEARNED = 0.5  # what the training must have come to, before a gap means anything
FEWEST_EPOCHS = 10
_SMOOTHED_OVER = 5  # epochs, so that no single one decides


class Overfitting(Symptom):
    """The loss of the training falls, and that of the validation samples rises or stays behind."""

    why = (
        "What is learned by heart does not carry over to new samples: from the turning point on "
        "training makes predictions worse."
    )

    def look(self, evidence: Evidence) -> Finding | None:
        curve = evidence.curve
        if curve is None or curve.validation is None or len(curve.validation) < FEWEST_EPOCHS:
            return None
        validation, training = _smoothed(curve.validation), _smoothed(curve.epochs)
        lowest = int(validation.argmin())
        now = lowest if curve.was_stopped_early else len(validation) - 1
        rise, gap = validation[now] - validation[lowest], validation[now] - training[now]
        if training[now] > LEARNED or not (rise > LARGEST_RISE or gap > LARGEST_GAP) or gap < 0:
            return None
        return self.finding(
            ["loss curve"],
            _told(curve.history, lowest, now, rises=rise > LARGEST_RISE),
            "Stop at the turning point: callbacks=[EarlyStopping()]."
            if rise > LARGEST_RISE
            else "Learn from more samples, or hold the weights back: AdamW(weight_decay=...) or "
            "Dropout.",
            rise=rise,
            gap=gap,
        )


def _told(history: History, lowest: int, now: int, *, rises: bool) -> str:
    losses, validation = history["loss"], history["validation_loss"]
    if rises:
        return (
            f"The validation loss was {validation[lowest]:.4g} in epoch {lowest + 1} and is "
            f"{validation[now]:.4g} in epoch {now + 1}, while that of the training fell from "
            f"{losses[lowest]:.4g} to {losses[now]:.4g}."
        )
    return (
        f"In epoch {now + 1} the loss is {losses[now]:.4g} on the training samples and "
        f"{validation[now]:.4g} on those for validation."
    )


def _smoothed(losses: Array) -> Array:
    """Median of each epoch and the four before it (fewer at the beginning)."""
    before = np.full(_SMOOTHED_OVER - 1, np.nan)
    windows = sliding_window_view(np.concatenate([before, losses]), _SMOOTHED_OVER)
    return np.nanmedian(windows, axis=1)

"""When numbers stop being finite: where it began, and what to tell."""

from __future__ import annotations

import math

import numpy as np

from chainrule.engines.reference import NetworkTrace
from chainrule.errors import LossNotFinite
from chainrule.layer import Array
from chainrule.training.history import History
from chainrule.training.state import TrainingState


def length(vector: Array) -> float:
    """Length of a gradient, √Σ g²; in float64 where the squares are too large for float32."""
    found = math.sqrt(np.vdot(vector, vector))
    return found if found < math.inf else float(np.linalg.norm(vector.astype(np.float64)))


def first_non_finite(trace: NetworkTrace) -> tuple[str, str]:
    """Layer and name of the first tensor of the pass that holds NaN or infinity."""
    for layer, name, value in trace.tensors():
        if isinstance(value, np.ndarray) and not np.isfinite(value).all():
            return layer, name
    return "loss", "loss"


def loss_not_finite(
    trace: NetworkTrace, loss: float, rate: float, state: TrainingState, history: History
) -> LossNotFinite:
    """Make the error that ends a training: its step, its place, and what to try.

    Parameters
    ----------
    trace : NetworkTrace
        The pass in which it showed.
    loss, rate : float
        Its loss, and the learning rate of the step.
    state : TrainingState
    history : History
    """
    layer, tensor = first_non_finite(trace)
    where = "the loss itself" if tensor == "loss" else f"{tensor!r} of {layer}"
    return LossNotFinite(
        f"Training stopped at step {state.step + 1} (epoch {state.epoch}): the loss is {loss:.4g}, "
        f"and the first number that is not finite stands in {where}. The last finite parameters "
        f"are back in place. Try a smaller learning rate (it was {rate:g}), clip_norm=1.0 in the "
        "optimizer, or inputs scaled to about -1 ... 1.",
        step=state.step,
        layer=layer,
        tensor=tensor,
        history=history,
    )

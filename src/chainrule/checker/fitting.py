"""One parameter's update as -c times a gradient: the right one, or the simplest wrong one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from chainrule.checker.explanation import Fit
from chainrule.checker.forward import Pass
from chainrule.checker.memory import Memory
from chainrule.checker.scales import scale_of
from chainrule.checker.slips import Delta, Slip, bias_gradients, weight_gradients
from chainrule.layer import Array


@dataclass(frozen=True, eq=False)
class Update:
    """How far a step moved the parameters, and what besides a gradient may be part of that.

    Attributes
    ----------
    done : Pass
        The forward pass that it was computed from.
    weight_changes, bias_changes : list of ndarray
        By layer; None for a layer without a bias.
    memory : Memory or None
        Momentum or penalties that may be part of it.
    earlier : tuple of ndarray
        The sum of the gradients of all earlier steps, by layer, where they may still be in it.
    seen : callable or None
        Where the update may be anything (Adam, ...): how many times a gradient was computed, None
        if it was not.
    """

    done: Pass
    weight_changes: list[Array]
    bias_changes: list[Array | None]
    memory: Memory | None
    seen: Callable[[Array], float | None] | None
    earlier: tuple[Array, ...] = ()


def fit_weights(
    update: Update, number: int, candidate: Delta, deltas: tuple[Delta, ...]
) -> Fit | None:
    """Fit the change of one layer's weights; None where no gradient of this δ is that change.

    ``number`` is the layer, ``candidate`` its δ, ``deltas`` those of the layers after it.
    """
    change = update.weight_changes[number]
    size = float(np.abs(update.done.weights[number]).max())
    fitting = []
    for gradient, slips in weight_gradients(update.done, number, candidate, list(deltas)):
        if gradient.shape != change.shape or (slips and candidate.slips):
            continue
        scale, pull, momentum = scale_of(change, gradient, size), 0.0, 0.0
        if update.seen is not None:
            scale = _scale_seen(update.seen, change, gradient)
        elif update.memory is not None:
            weights = update.done.weights[number]
            parts = update.memory.fit(number, change, gradient, weights)
            scale = None if parts is None else parts.scale
            if parts is not None and not (np.isnan(parts.scale) and (slips or candidate.slips)):
                pull, momentum = parts.pull, parts.momentum
            else:
                scale = None
        if scale is None or (scale == 0 and slips):
            continue
        fit = Fit(number, "weights", scale, gradient, slips, pull, momentum)
        if not slips:
            return fit
        fitting.append(fit)
    if fitting:
        return fitting[0]
    if update.earlier and update.memory is None:
        piled = _fit_piled_up(update, number, candidate)
        if piled is not None:
            return piled
    if not candidate.slips and not change.any():
        never = Slip("weights_never_updated", number)
        return Fit(number, "weights", 0.0, change, (never,))
    return None


def _fit_piled_up(update: Update, number: int, candidate: Delta) -> Fit | None:
    """Fit a change that has the gradients of earlier steps in it, in this layer at least."""
    right = update.done.h[number].T @ candidate.delta
    wrong = right + update.earlier[number]
    change = update.weight_changes[number]
    scale = scale_of(change, wrong, float(np.abs(update.done.weights[number]).max()))
    if not scale:
        return None
    slip = Slip("gradients_not_reset", number, wrong, right, "weights")
    return Fit(number, "weights", scale, right, (slip,))


def fit_bias(update: Update, number: int, candidate: Delta, later: tuple[Delta, ...]) -> Fit | None:
    """Fit the change of one layer's bias; None where there is none, or it waits for momentum."""
    change = update.bias_changes[number]
    if change is None or update.memory is not None:  # with momentum, once it is known
        return None
    if update.seen is not None:
        return _fit_bias_seen(update, number, candidate, later, change)
    return fit_bias_change(update, number, candidate, later, change)


def fit_bias_change(
    update: Update, number: int, candidate: Delta, later: tuple[Delta, ...], change: Array
) -> Fit:
    """Fit a change of a bias, or what momentum and penalties leave of it; at worst as a slip."""
    bias = update.done.biases[number]
    assert bias is not None  # noqa: S101 - its change is known
    size = float(np.abs(bias).max())
    if not change.any() and not np.abs(candidate.delta.sum(axis=0)).max() <= 1e-14:
        return Fit(number, "bias", 0.0, change, (Slip("bias_never_updated", number),))
    # Sums that cancel, as all deltas of a softmax together do, leave nothing but rounding.
    nothing = 1e-9 * float(np.abs(update.weight_changes[number]).max())
    for gradient, slips in bias_gradients(update.done, number, candidate, later):
        if change.size == 1 and gradient.size > 1:
            gradient = gradient.sum().reshape(1, 1)
        scale = scale_of(change, gradient.reshape(change.shape), size)
        cancels = float(np.abs(gradient).max()) <= 1e-9 * float(np.abs(candidate.delta).max())
        if slips and cancels and float(np.abs(change).max()) <= nothing:
            scale = 0.0
        if scale is not None:
            return Fit(number, "bias", scale, gradient, slips)
    return Fit(number, "bias", 0.0, change, (Slip("bias_unexplained", number),))


def _scale_seen(
    seen: Callable[[Array], float | None], change: Array, gradient: Array
) -> float | None:
    """How many times a gradient was computed: below zero where the step goes up along it."""
    if gradient.size < 3 or not change.any() or not np.isfinite(gradient).all():
        return None
    factor = seen(gradient)
    if factor is None:
        return None
    return abs(factor) if float((change * gradient).sum()) < 0 else -abs(factor)


def _fit_bias_seen(
    update: Update, number: int, candidate: Delta, later: tuple[Delta, ...], change: Array
) -> Fit | None:
    """A bias gradient that was computed; of one number alone nothing can be said."""
    assert update.seen is not None  # noqa: S101 - asked before
    if not change.any():
        return Fit(number, "bias", 0.0, change, (Slip("bias_never_updated", number),))
    for gradient, slips in bias_gradients(update.done, number, candidate, later):
        if gradient.shape != change.shape:
            continue
        scale = _scale_seen(update.seen, change, gradient)
        if scale is not None:
            return Fit(number, "bias", scale, gradient, slips)
    return None

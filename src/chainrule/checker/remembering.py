"""Momentum and penalties in a step: one of each for all layers, then what they leave open."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from chainrule.checker.explanation import Explanation, Fit, price, slips_in
from chainrule.checker.fitting import Update, fit_bias_change
from chainrule.checker.memory import Memory, Parts, in_common, slips_of
from chainrule.checker.scales import scale_of
from chainrule.checker.slips import Delta


def with_memory(update: Update, memory: Memory, found: Explanation) -> Explanation | None:
    """Bring the layers' momentum and pull together; then explain what was left open with them."""
    weights = sorted((fit for fit in found.fits if fit.kind == "weights"), key=lambda f: f.layer)
    parts = [Parts(fit.scale, fit.momentum, fit.pull) for fit in weights]
    common = in_common(parts)
    if common is None:
        return None
    fits: list[Fit] = []
    for fit in weights:
        whole = fit if np.isfinite(fit.scale) else _with_known(update, memory, fit, common)
        if whole is None:
            return None
        fits.append(whole)
        if not memory.is_piled_up:  # then the weights say enough
            bias = _fit_bias_with(update, memory, found.deltas[fit.layer :], fit.layer, common)
            fits += [bias] if bias else []
    parts = [Parts(f.scale, f.momentum, f.pull) for f in fits if f.kind == "weights"]
    slips, extra = slips_of(memory, parts, common)
    return replace(
        found,
        slips=(*slips_in(found.deltas[0], tuple(fits)), *slips),
        fits=tuple(fits),
        extra=extra,
    )


def _with_known(update: Update, memory: Memory, fit: Fit, common: Parts) -> Fit | None:
    """Explain weights of few numbers with the momentum and the pull of the other layers."""
    number, change = fit.layer, update.weight_changes[fit.layer]
    weights = update.done.weights[number]
    pulled = memory.pulled(number, weights)
    rest = memory.rest(change, memory.weights_before(number), pulled, common)
    scale = scale_of(rest, fit.gradient, float(np.abs(weights).max()))
    if not fit.gradient.any() and float(np.abs(rest).max()) <= 1e-6 * float(np.abs(change).max()):
        scale = 0.0  # a sample of zeros moves nothing by itself
    elif not scale:
        return None
    return replace(fit, scale=scale, momentum=common.momentum, pull=common.pull)


def _fit_bias_with(
    update: Update, memory: Memory, deltas: tuple[Delta, ...], number: int, common: Parts
) -> Fit | None:
    candidate, later = deltas[0], deltas[1:]
    change, bias = update.bias_changes[number], update.done.biases[number]
    if change is None or bias is None:
        return None
    pull = common.pull if memory.kind == "decay everywhere" else 0.0
    rest = memory.rest(change, memory.bias_before(number), bias, replace(common, pull=pull))
    # Some keep momentum and penalty to the weights; what piles up does so in biases too.
    before = memory.bias_before(number)
    others = [
        memory.rest(change, before, bias, Parts(0.0, momentum, pull))
        for momentum in (1.0, -common.momentum)
    ]
    ways = [
        fit_bias_change(update, number, candidate, later, way) for way in (rest, change, *others)
    ]
    # One number fits in every way; the way with the weights' own rate is meant.
    return min(
        ways,
        key=lambda fit: (
            sum(price(slip) for slip in fit.slips),
            abs(fit.scale - common.scale) > 1e-5 * abs(common.scale),
        ),
    )

"""Finds the step that reproduces a learner's numbers: the right one, or the simplest wrong one.

The learner's update of W must be -c times a gradient, c being whatever learning rate and scale they
chose. From the last layer to the first, every candidate of ``slips`` is tried, until the numbers
agree to rounding. Nothing is guessed: what reproduces no number explains nothing.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace

import numpy as np

from chainrule.checker.forward import Network, Pass
from chainrule.checker.memory import Memory, Parts, in_common, slips_of
from chainrule.checker.slips import (
    Delta,
    Slip,
    bias_gradients,
    deltas_before,
    last_deltas,
    weight_gradients,
)
from chainrule.checker.steps import Step
from chainrule.layer import Array

TOLERANCE = 1e-7
_FARTHEST = 1e6
_TELLING = 3  # numbers that a gradient must have to be told by its proportions


@dataclass(frozen=True, eq=False)
class Fit:
    """One parameter's update as -scale times a gradient."""

    layer: int
    kind: str  # "weights" or "bias"
    scale: float
    gradient: Array
    slips: tuple[Slip, ...]
    pull: float = 0.0
    momentum: float = 0.0


@dataclass(frozen=True, eq=False)
class Explanation:
    """A step that gives the learner's numbers.

    Attributes
    ----------
    slips : tuple of Slip
        The mistakes in it, none where it is right.
    loss : str
        Whose gradient it is.
    scale : float
        Learning rate times the scale of the loss.
    deltas : tuple of Delta
        The first layer's first.
    fits : tuple of Fit
    extra : str
        "momentum" or "regularisation", where those are part of the update.
    """

    slips: tuple[Slip, ...]
    loss: str
    scale: float
    deltas: tuple[Delta, ...]
    fits: tuple[Fit, ...]
    extra: str = ""

    @property
    def cost(self) -> int:
        """How many different mistakes it takes; one without a name is worth several."""
        different = {(slip.cause, slip.layer, slip.detail): slip for slip in self.slips}
        return sum(_price(slip) for slip in different.values())


def _price(slip: Slip) -> int:
    return {"bias_unexplained": 3, "unexplained": 9}.get(slip.cause, 1)


@dataclass
class _Search:
    network: Network
    step: Step
    done: Pass
    weight_changes: list[Array]
    bias_changes: list[Array | None]
    memory: Memory | None
    seen: Callable[[Array], float | None] | None
    every: bool = False
    found: list[Explanation] = field(default_factory=list)
    unexplained: list[Explanation] = field(default_factory=list)


def scale_of(change: Array, gradient: Array, size: float) -> float | None:
    """Return c where change = -c gradient but for rounding, else None.

    ``size`` is how large the parameter's numbers are: the change is known to that rounding only.
    """
    length = float((gradient * gradient).sum())
    largest = float(np.abs(change).max(initial=0))
    floor = 1e-15 * size * 8
    if length == 0 or not np.isfinite(length):
        return 0.0 if largest <= floor and length == 0 else None
    scale = -float((change * gradient).sum()) / length
    off = float(np.abs(change + scale * gradient).max(initial=0))
    return scale if off <= TOLERANCE * largest + floor and largest > floor else None


def explain(
    network: Network,
    step: Step,
    done: Pass,
    y: Array,
    *,
    memory: Memory | None = None,
    seen: Callable[[Array], float | None] | None = None,
) -> Explanation | None:
    """Return the simplest step that gives the learner's numbers, or None.

    With ``memory`` momentum and penalties may be part of the update too. With ``seen`` the update
    itself may be anything (Adam, ...): a gradient counts if it was computed, ``seen``
    telling how many times it, and if the step does not go against it.
    """
    search = _Search(network, step, done, step.weight_changes(), step.bias_changes(), memory, seen)
    last = len(network.layers) - 1
    _descend(search, last, last_deltas(network.layers[last], done, y), (), ())
    if memory is not None:
        search.found = [
            whole for found in search.found if (whole := _with_memory(search, memory, found))
        ]
    if not search.found:
        return search.unexplained[0] if search.unexplained else None
    finished = [
        whole
        for found in search.found
        if (whole := _with_scales(found, done.rows(), done.output.shape[1]))
    ]
    return min(finished, key=lambda found: found.cost, default=None)


def explain_every_way(
    network: Network, step: Step, done: Pass, y: Array, memory: Memory | None = None
) -> list[Explanation]:
    """Return a step for every candidate of the last δ that gives the learner's numbers."""
    search = _Search(
        network, step, done, step.weight_changes(), step.bias_changes(), memory, None, every=True
    )
    last = len(network.layers) - 1
    _descend(search, last, last_deltas(network.layers[last], done, y), (), ())
    found: list[Explanation | None] = [*search.found]
    if memory is not None:
        found = [_with_memory(search, memory, one) for one in search.found]
    whole = [_with_scales(one, done.rows(), done.output.shape[1]) for one in found if one]
    return [one for one in whole if one is not None]


def _descend(
    search: _Search,
    number: int,
    candidates: Iterable[Delta],
    deltas: tuple[Delta, ...],
    fits: tuple[Fit, ...],
) -> None:
    """Try the candidates for δ of one layer; with those that fit, go on to the layer before."""
    fewest = 99
    for candidate in sorted(candidates, key=lambda delta: len(delta.slips)):
        cost = len(candidate.slips)
        every = search.every and not deltas
        if (cost > fewest and not every) or not np.isfinite(candidate.delta).all():
            continue
        fit = _fit_weights(search, number, candidate, deltas)
        if fit is None:
            _note_unexplained(search, number, candidate, deltas, fits)
            continue
        cost += len(fit.slips)
        fewest = min(fewest, cost)
        here = (*fits, fit)
        bias = _fit_bias(search, number, candidate, deltas)
        if bias is not None:
            here = (*here, bias)
        chain = (candidate, *deltas)
        if number == 0:
            slips = _gather(candidate, here)
            search.found.append(Explanation(slips, _loss(chain), fit.scale, chain, here))
        else:
            _descend(
                search,
                number - 1,
                deltas_before(
                    search.network.layers, search.done, number - 1, candidate, search.step.weights
                ),
                chain,
                here,
            )


def _note_unexplained(
    search: _Search,
    number: int,
    candidate: Delta,
    deltas: tuple[Delta, ...],
    fits: tuple[Fit, ...],
) -> None:
    """Keep what is known where all later layers are right and this one is nothing known.

    Their numbers show that the step is a plain one, so these cannot be right.
    """
    change = search.weight_changes[number]
    is_plain = search.memory is None and search.seen is None and not search.every
    later = [fit for fit in fits if fit.kind == "weights" and fit.gradient.size > _TELLING]
    if not is_plain or candidate.slips or not later or change.size <= _TELLING:
        return
    if any(fit.slips or fit.scale <= 0 for fit in fits) or _is_clipped(change):
        return
    slip = Slip("unexplained", number, detail="weights")
    fit = Fit(number, "weights", 0.0, change, (slip,))
    chain = (candidate, *deltas)
    missing = tuple(replace(candidate, slips=()) for _ in range(number))
    search.unexplained.append(
        Explanation((slip,), _loss(chain), later[0].scale, (*missing, *chain), (*fits, fit))
    )


def _is_clipped(change: Array) -> bool:
    sizes = np.abs(change).reshape(-1)
    return int((sizes >= sizes.max() * (1 - 1e-9)).sum()) > 1


def _with_memory(search: _Search, memory: Memory, found: Explanation) -> Explanation | None:
    """Bring the layers' momentum and pull together; then explain what was left open with them."""
    weights = sorted((fit for fit in found.fits if fit.kind == "weights"), key=lambda f: f.layer)
    parts = [Parts(fit.scale, fit.momentum, fit.pull) for fit in weights]
    common = in_common(parts)
    if common is None:
        return None
    fits: list[Fit] = []
    for fit in weights:
        whole = fit if np.isfinite(fit.scale) else _with_known(search, memory, fit, common)
        if whole is None:
            return None
        fits.append(whole)
        if memory.kind != "piled up":  # then the weights say enough
            bias = _fit_bias_with(search, memory, found.deltas[fit.layer :], fit.layer, common)
            fits += [bias] if bias else []
    parts = [Parts(f.scale, f.momentum, f.pull) for f in fits if f.kind == "weights"]
    slips, extra = slips_of(memory, parts, common)
    return replace(
        found, slips=(*_gather(found.deltas[0], tuple(fits)), *slips), fits=tuple(fits), extra=extra
    )


def _with_known(search: _Search, memory: Memory, fit: Fit, common: Parts) -> Fit | None:
    """Explain weights of few numbers with the momentum and the pull of the other layers."""
    number, change = fit.layer, search.weight_changes[fit.layer]
    weights = search.done.weights[number]
    rest = memory.rest(change, memory.weights_before(number), weights, common)
    scale = scale_of(rest, fit.gradient, float(np.abs(weights).max()))
    if not fit.gradient.any() and float(np.abs(rest).max()) <= 1e-6 * float(np.abs(change).max()):
        scale = 0.0  # a sample of zeros moves nothing by itself
    elif not scale:
        return None
    return replace(fit, scale=scale, momentum=common.momentum, pull=common.pull)


def _fit_bias_with(
    search: _Search, memory: Memory, deltas: tuple[Delta, ...], number: int, common: Parts
) -> Fit | None:
    candidate, later = deltas[0], deltas[1:]
    change, bias = search.bias_changes[number], search.done.biases[number]
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
        _fit_bias_change(search, number, candidate, later, way) for way in (rest, change, *others)
    ]
    # One number fits in every way; the way with the weights' own rate is meant.
    return min(
        ways,
        key=lambda fit: (
            sum(_price(slip) for slip in fit.slips),
            abs(fit.scale - common.scale) > 1e-5 * abs(common.scale),
        ),
    )


def _loss(deltas: tuple[Delta, ...]) -> str:
    return deltas[-1].loss


def _gather(first: Delta, fits: tuple[Fit, ...]) -> tuple[Slip, ...]:
    gathered: list[Slip] = list(first.slips)
    for fit in fits:
        gathered += fit.slips
    return tuple(gathered)


def _fit_weights(
    search: _Search, number: int, candidate: Delta, deltas: tuple[Delta, ...]
) -> Fit | None:
    change = search.weight_changes[number]
    size = float(np.abs(search.done.weights[number]).max())
    fitting = []
    for gradient, slips in weight_gradients(search.done, number, candidate, list(deltas)):
        if gradient.shape != change.shape or (slips and candidate.slips):
            continue
        scale, pull, momentum = scale_of(change, gradient, size), 0.0, 0.0
        if search.seen is not None:
            scale = _scale_seen(search.seen, change, gradient)
        elif search.memory is not None:
            weights = search.done.weights[number]
            parts = search.memory.fit(number, change, gradient, weights)
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
    if not candidate.slips and not change.any():
        never = Slip("weights_never_updated", number)
        return Fit(number, "weights", 0.0, change, (never,))
    return None


def _fit_bias(
    search: _Search, number: int, candidate: Delta, later: tuple[Delta, ...]
) -> Fit | None:
    change = search.bias_changes[number]
    if change is None or search.memory is not None:  # with momentum, once it is known
        return None
    if search.seen is not None:
        return _fit_bias_seen(search, number, candidate, later, change)
    return _fit_bias_change(search, number, candidate, later, change)


def _fit_bias_change(
    search: _Search, number: int, candidate: Delta, later: tuple[Delta, ...], change: Array
) -> Fit:
    bias = search.done.biases[number]
    assert bias is not None  # noqa: S101 - its change is known
    size = float(np.abs(bias).max())
    if not change.any() and not np.abs(candidate.delta.sum(axis=0)).max() <= 1e-14:
        return Fit(number, "bias", 0.0, change, (Slip("bias_never_updated", number),))
    # Sums that cancel, as all deltas of a softmax together do, leave nothing but rounding.
    nothing = 1e-9 * float(np.abs(search.weight_changes[number]).max())
    for gradient, slips in bias_gradients(search.done, number, candidate, later):
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
    search: _Search, number: int, candidate: Delta, later: tuple[Delta, ...], change: Array
) -> Fit | None:
    """A bias gradient that was computed; of one number alone nothing can be said."""
    assert search.seen is not None  # noqa: S101 - asked before
    if not change.any():
        return Fit(number, "bias", 0.0, change, (Slip("bias_never_updated", number),))
    for gradient, slips in bias_gradients(search.done, number, candidate, later):
        if gradient.shape != change.shape:
            continue
        scale = _scale_seen(search.seen, change, gradient)
        if scale is not None:
            return Fit(number, "bias", scale, gradient, slips)
    return None


def _with_scales(found: Explanation, rows: int, outputs: int) -> Explanation | None:
    """Compare the scales of all parameters; those that differ are mistakes of factor or sign."""
    moving = [fit for fit in found.fits if fit.scale]
    if not moving:
        return found
    sizes = [abs(fit.scale) for fit in moving]
    if max(sizes) > _FARTHEST * min(sizes):  # rounding, taken for a gradient
        return None
    weights = [fit.scale for fit in moving if fit.kind == "weights"] or [moving[0].scale]
    reference = _commonest([abs(scale) for scale in weights])
    slips = list(found.slips)
    if all(fit.scale < 0 for fit in moving):
        slips.append(Slip("sign_turned", len(found.deltas) - 1, detail="all"))
        moving = [replace(fit, scale=-fit.scale) for fit in moving]
    for fit in moving:
        if fit.scale < 0:
            slips.append(Slip("sign_turned", fit.layer, detail=fit.kind))
        if abs(abs(fit.scale) / reference - 1) > 1e-5:
            ratio = abs(fit.scale) / reference
            slips.append(
                Slip(
                    "factor_mismatch",
                    fit.layer,
                    wrong=fit.gradient,
                    right=np.array(ratio),
                    detail=f"{fit.kind} {_as_factor(ratio, rows, outputs)}",
                )
            )
    return replace(found, slips=tuple(slips), scale=reference)


def _commonest(scales: list[float]) -> float:
    counted = Counter(float(f"{scale:.5g}") for scale in scales)
    most = counted.most_common(1)[0][0]
    # The last layer speaks where all differ.
    return next(scale for scale in scales if float(f"{scale:.5g}") == most)


def _as_factor(ratio: float, rows: int, outputs: int) -> str:
    for value, text in (
        (rows, "n"),
        (1 / rows, "1/n"),
        (2, "2"),
        (0.5, "1/2"),
        (2 * rows, "2n"),
        (2 / rows, "2/n"),
        (0.5 / rows, "1/(2n)"),
        (rows / 2, "n/2"),
        (outputs, "k"),
        (1 / outputs, "1/k"),
        (4, "4"),
        (0.25, "1/4"),
    ):
        if value != 1 and abs(ratio / value - 1) < 1e-5:
            return text
    return f"{ratio:.3g}"

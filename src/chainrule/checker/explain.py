"""Finds the step that reproduces a learner's numbers: the right one, or the simplest wrong one.

The learner's update of W must be -c times a gradient, c being whatever learning rate and scale they
chose. From the last layer to the first, every candidate of ``slips`` is tried, until the numbers
agree to rounding. Nothing is guessed: what reproduces no number explains nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace

import numpy as np

from chainrule.checker.explanation import Explanation, Fit, Piled, slips_in
from chainrule.checker.fitting import Update, fit_bias, fit_weights
from chainrule.checker.forward import Network, Pass
from chainrule.checker.functions import KNOWN
from chainrule.checker.memory import Memory
from chainrule.checker.remembering import with_memory
from chainrule.checker.scales import with_scales
from chainrule.checker.slips import Delta, Slip, deltas_before, last_deltas
from chainrule.checker.steps import Step
from chainrule.layer import Array

_TELLING = 3  # numbers that a gradient must have to be told by its proportions


@dataclass
class _Search:
    network: Network
    step: Step
    update: Update
    every: bool = False
    piled: Piled | None = None
    found: list[Explanation] = field(default_factory=list)
    unexplained: list[Explanation] = field(default_factory=list)


def explain(
    network: Network,
    step: Step,
    done: Pass,
    y: Array,
    *,
    memory: Memory | None = None,
    seen: Callable[[Array], float | None] | None = None,
    piled: Piled | None = None,
) -> Explanation | None:
    """Return the simplest step that gives the learner's numbers, or None.

    With ``memory`` momentum and penalties may be part of the update too. With ``seen`` the update
    itself may be anything (Adam, ...): a gradient counts if it was computed, ``seen``
    telling how many times it, and if the step does not go against it. With ``piled``, what earlier
    steps have left may be in this one's δ and gradients.
    """
    earlier = piled.gradients if piled else ()
    update = Update(done, step.weight_changes(), step.bias_changes(), memory, seen, earlier)
    search = _Search(network, step, update, piled=piled)
    last = len(network.layers) - 1
    _descend(search, last, last_deltas(network.layers[last], done, y), (), ())
    if memory is not None:
        search.found = [
            whole for found in search.found if (whole := with_memory(update, memory, found))
        ]
    if not search.found:
        return search.unexplained[0] if search.unexplained else None
    finished = [
        whole
        for found in search.found
        if (whole := with_scales(found, done.rows(), done.output.shape[1]))
    ]
    return min(finished, key=lambda found: found.cost, default=None)


def explain_every_way(
    network: Network, step: Step, done: Pass, y: Array, memory: Memory | None = None
) -> list[Explanation]:
    """Return a step for every candidate of the last δ that gives the learner's numbers."""
    update = Update(done, step.weight_changes(), step.bias_changes(), memory, None)
    search = _Search(network, step, update, every=True)
    last = len(network.layers) - 1
    _descend(search, last, last_deltas(network.layers[last], done, y), (), ())
    found: list[Explanation | None] = [*search.found]
    if memory is not None:
        found = [with_memory(update, memory, one) for one in search.found]
    whole = [with_scales(one, done.rows(), done.output.shape[1]) for one in found if one]
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
    if search.piled:
        before = search.piled.deltas[number].delta
        candidates = _piled_up(search, number, list(candidates), deltas, before)
    for candidate in sorted(candidates, key=lambda delta: len(delta.slips)):
        cost = len(candidate.slips)
        every = search.every and not deltas
        if (cost > fewest and not every) or not np.isfinite(candidate.delta).all():
            continue
        fit = fit_weights(search.update, number, candidate, deltas)
        if fit is None:
            _note_unexplained(search, number, candidate, deltas, fits)
            continue
        cost += len(fit.slips)
        fewest = min(fewest, cost)
        here = (*fits, fit)
        bias = fit_bias(search.update, number, candidate, deltas)
        if bias is not None:
            here = (*here, bias)
        chain = (candidate, *deltas)
        if number == 0:
            slips = slips_in(candidate, here)
            search.found.append(Explanation(slips, _loss(chain), fit.scale, chain, here))
        else:
            _descend(
                search,
                number - 1,
                deltas_before(
                    search.network.layers,
                    search.update.done,
                    number - 1,
                    chain,
                    search.step.weights,
                ),
                chain,
                here,
            )


def _piled_up(
    search: _Search, number: int, candidates: list[Delta], later: tuple[Delta, ...], before: Array
) -> Iterator[Delta]:
    """Candidates for δ, then right ones to which the δ of the step before was added."""
    yield from candidates
    known = later[0].slips if later else ()
    slope = KNOWN[search.network.layers[number].activation].slope(search.update.done.z[number])
    for right in candidates:
        if right.slips != known or right.delta.shape != before.shape:
            continue
        for delta in (right.delta + before, (right.error + before) * slope):
            slip = Slip("gradients_not_reset", number, delta, right.delta, "delta")
            yield replace(right, delta=delta, slips=(*known, slip))


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
    change = search.update.weight_changes[number]
    is_plain = search.update.memory is None and search.update.seen is None and not search.every
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


def _loss(deltas: tuple[Delta, ...]) -> str:
    return deltas[-1].loss

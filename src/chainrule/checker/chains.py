"""Chains of layers: what was computed from an input, product by product.

Nothing is known by name. A variable W is the weights of the first layer if some x times W (plus
some b, or not) was computed; a known activation of that product was computed too; and so on from
layer to layer, as far as it goes.
"""

from __future__ import annotations

import ast
import time
from collections.abc import Collection
from dataclasses import dataclass, field, replace

import numpy as np

from chainrule.checker.comparing import same
from chainrule.checker.evidence import Evidence
from chainrule.checker.expressions import last_name
from chainrule.checker.forward import WINDOW, FoundLayer
from chainrule.checker.functions import KNOWN
from chainrule.checker.paths import Path
from chainrule.layer import Array

_DEEPEST = 6
_PRODUCTS = 3000  # to try from one input


class Budget:
    """How much may still be tried: of programs whose numbers are all alike it would be endless.

    Parameters
    ----------
    products : int
    seconds : float
        Of processor time.
    """

    def __init__(self, products: int, seconds: float) -> None:
        self.products = products
        self.until = time.thread_time() + seconds

    def spend(self) -> None:
        """Try one more product."""
        self.products -= 1
        if time.thread_time() > self.until:
            self.products = 0

    @property
    def is_spent(self) -> bool:
        """Whether it is time to give up."""
        return self.products <= 0


@dataclass
class Moment:
    """A time in the record, and what might be parameters then."""

    evidence: Evidence
    event: int
    weights: dict[Path, Array]
    biases: dict[Path, Array]
    budget: Budget
    left: int = _PRODUCTS
    known: dict[bytes, list[tuple[frozenset[str], Array]]] = field(default_factory=dict)

    @property
    def is_spent(self) -> bool:
        """Whether enough products were tried, from this input or from all."""
        return self.left <= 0 or self.budget.is_spent

    @property
    def end(self) -> int:
        return self.event + WINDOW

    def activations(self, z: Array) -> list[tuple[frozenset[str], Array]]:
        """Which known activations of z were computed, and what they gave."""
        key = z.tobytes()
        if key not in self.known:
            self.known[key] = _activations(self.evidence, z, self.event)
        return self.known[key]


def moment_at(
    evidence: Evidence, event: int, weights: set[Path], biases: set[Path], budget: Budget
) -> Moment:
    """Gather what might be weights and biases at the time of an event."""
    arrays = evidence.arrays(event)
    return Moment(
        evidence,
        event,
        {
            path: array
            for path, array in arrays.items()
            if path in weights and array.size > 1 and array.ndim < 3 and array.any()
        },
        {
            path: array
            for path, array in arrays.items()
            if array.ndim < 3 and (path in weights or (path in biases and array.any()))
        },
        budget,
    )


def longest_chain(
    moment: Moment, h: Array, used: tuple[Path, ...], turned: bool = False
) -> tuple[FoundLayer, ...]:
    """Return the longest chain of layers that starts with h."""
    best: tuple[FoundLayer, ...] = ()
    if len(used) >= 2 * _DEEPEST or moment.is_spent:
        return best
    # Weights that serve two layers are a mistake, and looked for last.
    onward = _layers_from(moment, h, used) or _layers_from(
        moment, h, used, again=True, used_turned=turned
    )
    for layer, z, a in onward:
        taken = (*used, layer.weights, *([layer.bias] if layer.bias else []))
        rest = longest_chain(moment, a, taken, layer.turned)
        if not rest and layer.activations != {"identity"}:
            onwards = longest_chain(moment, z, taken, layer.turned)
            rest = (replace(onwards[0], reads="z"), *onwards[1:]) if onwards else ()
        if score((layer, *rest)) > score(best):
            best = (layer, *rest)
    return best


def score(
    layers: tuple[FoundLayer, ...], changing: Collection[Path] = ()
) -> tuple[int, int, int, int]:
    """How much a chain explains: layers, those that are updated, known activations, biases."""
    changes = sum(layer.weights in changing for layer in layers)
    known = sum("identity" not in layer.activations for layer in layers)
    biases = sum(layer.bias is not None for layer in layers)
    return len(layers), changes, known, biases


def _layers_from(
    moment: Moment,
    h: Array,
    used: tuple[Path, ...],
    *,
    again: bool = False,
    used_turned: bool = False,
) -> list[tuple[FoundLayer, Array, Array]]:
    found: list[tuple[FoundLayer, Array, Array]] = []
    inputs = h.shape[1]
    seen: set[bytes] = set()
    for path, array in moment.weights.items():
        if array is h or array is h.base or _is_among(path, used) != again:
            continue
        if again and path not in moment.evidence.aliased:
            continue
        for turned in (False, True):
            if again and turned != used_turned:
                continue
            for weights in _as_weights(array, inputs, turned):
                if weights.tobytes() in seen:
                    continue
                seen.add(weights.tobytes())
                moment.left -= 1
                moment.budget.spend()
                if moment.is_spent:
                    return found
                rest = weights.shape[0] - inputs
                for row in ("first", "last") if rest else ("",):
                    factors = with_ones(h, row)
                    if moment.evidence.number_by_number and not _adds_up(factors, weights):
                        continue
                    z = factors @ weights
                    found += _with_bias(moment, z, path, turned, row)
    return found


def _is_among(path: Path, used: tuple[Path, ...]) -> bool:
    """Whether a variable serves already, itself or as a part: layer[0].w of layer[*].w."""
    return any(
        len(path) == len(other)
        and all(a == b or "*" in (a, b) for a, b in zip(path, other, strict=True))
        for other in used
    )


def _adds_up(h: Array, weights: Array) -> bool:
    """Whether any z is a sum of several products; a single product may be seen by chance."""
    terms = (h != 0).astype(int) @ (weights != 0).astype(int)
    return h.shape[1] == 1 or bool((terms > 1).any())


def _as_weights(array: Array, inputs: int, turned: bool) -> list[Array]:
    if array.ndim == 1:  # one output (or one input): the same either way
        if turned:
            return [array[None, :]] if inputs == 1 else []
        return [array[:, None]] if array.size in (inputs, inputs + 1) else []
    weights = array.T if turned else array
    return [weights] if weights.shape[0] in (inputs, inputs + 1) else []


def with_ones(h: Array, row: str) -> Array:
    """Add the column of ones that a bias within the weights is multiplied by."""
    ones = np.ones((len(h), 1))
    if row == "first":
        return np.hstack([ones, h])
    return np.hstack([h, ones]) if row == "last" else h


def _with_bias(
    moment: Moment, z: Array, path: Path, turned: bool, row: str
) -> list[tuple[FoundLayer, Array, Array]]:
    evidence, event, end = moment.evidence, moment.event, moment.end
    candidates: list[tuple[Path | None, Array, bool]] = []
    # Where whole arrays are multiplied, the product itself is seen, before a bias is added.
    product_seen = evidence.has(z, event, end)
    if not row and (product_seen or evidence.number_by_number):
        candidates += _moved_by_a_bias(moment, z, path)
    if any(not same(moved, z) for _, moved, _ in candidates):
        candidates = [choice for choice in candidates if not same(choice[1], z)]
    else:
        candidates += [(bias, z, False) for bias in _nothing_added(moment, z, path)]
    if not candidates and product_seen:
        candidates.append((None, z, False))
    return [
        (FoundLayer(path, turned, bias, row, activations, subtracts=subtracts), moved, a)
        for bias, moved, subtracts in candidates
        for activations, a in moment.activations(moved)
    ]


def _moved_by_a_bias(moment: Moment, z: Array, path: Path) -> list[tuple[Path, Array, bool]]:
    """Biases with which z + b was computed, or thresholds with which z - b was."""
    found: list[tuple[Path, Array, bool]] = []
    tried: set[bytes] = set()
    for other, bias in moment.biases.items():
        fits = bias.size in (z.shape[1], 1) and other != path and bias.ndim <= 2
        if bias.tobytes() in tried or not fits:
            continue
        tried.add(bias.tobytes())
        if bias.size == 1 and z.shape[1] > 1 and bias.ndim == 0:
            continue
        for subtracts in (False, True):
            moved = z - bias.reshape(1, -1) if subtracts else z + bias.reshape(1, -1)
            if not moved.any() or same(moved, moved - z):  # zeros are everywhere, and so is b
                continue
            seen = moment.evidence.has(moved, moment.event, moment.end)
            if seen and not (same(moved, z) and (bias.any() or subtracts)):
                found.append((other, moved, subtracts))
                break
    return found


def _nothing_added(moment: Moment, z: Array, weights: Path) -> list[Path]:
    """Biases that are (almost) zero and so leave no trace but their name: z + b."""
    for sighting in moment.evidence.find(z, moment.event, moment.end):
        node = sighting.place.node
        if not isinstance(node, ast.BinOp) or not isinstance(node.op, ast.Add):
            continue
        for side, value in moment.evidence.operands(sighting):
            called = last_name(side)
            for path, bias in moment.biases.items():
                if path == weights or bias.size not in (z.shape[1], 1):
                    continue
                if str(path[-1]).lstrip(".") == called and np.array_equal(bias, value):
                    return [path]
    return []


def _activations(evidence: Evidence, z: Array, event: int) -> list[tuple[frozenset[str], Array]]:
    """Which known activations of z were computed; a wrong derivative may compute one, too."""
    end = event + WINDOW
    values = {
        name: known.value(z) for name, known in KNOWN.items() if name != "softmax" or z.shape[1] > 1
    }
    agree = {"identity"}
    found: dict[frozenset[str], Array] = {}
    for name, a in values.items():
        if name == "identity":
            continue
        if same(a, z) or not a.any():  # of zeros nothing can be told: they are everywhere
            agree.add(name)
        elif evidence.has(a, event, end):
            alike = frozenset(other for other, value in values.items() if same(value, a))
            found.setdefault(alike | {name}, a)

    # A pass computes its activation before a derivative computes another function of the same z.
    def first_seen(item: tuple[frozenset[str], Array]) -> int:
        return min((seen.event for seen in evidence.find(item[1], event, end)), default=end)

    return sorted(found.items(), key=first_seen) or [(frozenset(agree), z)]

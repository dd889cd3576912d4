"""Finds the network in a record: which arrays are weights and biases, what each layer computes.

Nothing is known by name. A variable W is the weights of the first layer if some x times W (plus
some b, or not) was computed; a known activation of that product was computed too; and so on from
layer to layer, as far as it goes.
"""

from __future__ import annotations

import ast
import itertools
import time
from collections.abc import Collection
from dataclasses import dataclass, field, replace

import numpy as np

from chainrule.checker.comparing import same
from chainrule.checker.evidence import Evidence
from chainrule.checker.expressions import last_name
from chainrule.checker.functions import KNOWN
from chainrule.checker.paths import Path
from chainrule.layer import Array

_WINDOW = 6000  # events from a layer's input to its output
_DEEPEST = 6
_TRIES = 2000  # inputs to try before there is said to be no network
_ENOUGH = 60  # inputs to try after one was found
_PLACES = 8
_PASSES_TO_COUNT = 6
_PRODUCTS = 3000  # products to try from one input
_PRODUCTS_IN_ALL = 10_000
_SECONDS = 2.0  # of processor time; programs whose numbers are all alike would take minutes


@dataclass(frozen=True)
class FoundLayer:
    """One layer of a learner's network, in the notation z = h W + b, a = f(z).

    Attributes
    ----------
    weights : tuple
        The path of W.
    turned : bool
        Whether the learner keeps W as (outputs, inputs).
    bias : tuple or None
        The path of b.
    bias_row : str
        Where b stands within W: "first" or "last", or "" where it does not.
    activations : frozenset of str
        The known activations that computed what was seen; more than one where they agree.
    reads : str
        What of the layer before it takes: its "a", or, by mistake, its "z".
    subtracts : bool
        Whether the learner keeps thresholds, -b, and subtracts them.
    """

    weights: Path
    turned: bool
    bias: Path | None
    bias_row: str
    activations: frozenset[str]
    reads: str = "a"
    subtracts: bool = False

    @property
    def activation(self) -> str:
        """The activation; of several that agree, the likeliest."""
        for name in ("sigmoid", "tanh", "relu", "softmax"):
            if name in self.activations:
                return name
        return min(self.activations)


@dataclass(frozen=True)
class Network:
    """The layers, and the place at which the inputs of the first one are read."""

    layers: tuple[FoundLayer, ...]
    columns: bool  # samples stand in columns
    place: int


@dataclass
class Pass:
    """One forward pass with the learner's own numbers.

    ``h[l]`` (batch, inputs) is what layer l reads, ``weights[l]`` (inputs, outputs), ``z[l]`` and
    ``a[l]`` (batch, outputs).
    """

    event: int
    h: list[Array] = field(default_factory=list)
    weights: list[Array] = field(default_factory=list)
    biases: list[Array | None] = field(default_factory=list)
    z: list[Array] = field(default_factory=list)
    a: list[Array] = field(default_factory=list)

    @property
    def output(self) -> Array:
        """ŷ (batch, outputs)."""
        return self.a[-1]

    def rows(self) -> int:
        """Samples in the batch."""
        return len(self.h[0])


@dataclass
class _Moment:
    """A time in the record, and what might be parameters then."""

    evidence: Evidence
    event: int
    weights: dict[Path, Array]
    biases: dict[Path, Array]
    left: int = _PRODUCTS  # tries before this is given up
    known: dict[bytes, list[tuple[frozenset[str], Array]]] = field(default_factory=dict)

    @property
    def end(self) -> int:
        return self.event + _WINDOW

    def activations(self, z: Array) -> list[tuple[frozenset[str], Array]]:
        """Which known activations of z were computed, and what they gave."""
        key = z.tobytes()
        if key not in self.known:
            self.known[key] = _activations(self.evidence, z, self.event)
        return self.known[key]


def find_network(evidence: Evidence) -> Network | None:
    """Find the network, or None.

    Parameters are looked for among variables that are computed from their old values, and inputs
    among what stays as it is; only if nothing is found, among everything.
    """
    updated = evidence.updated()
    constant = evidence.constant()
    found = _find(evidence, updated, updated | constant, data_only=True)
    if found is None:
        found = _find(evidence, updated, updated | constant, data_only=False)
        found = found if found and len(found.layers) > 1 else None
    if found is not None and len(found.layers) > 1:
        return _at_its_busiest(evidence, found)
    # One layer may be the rest of a network whose other weights cannot move.
    whole = _find(evidence, updated | constant, updated | constant, data_only=True)
    found = whole if found is None or (whole and len(whole.layers) > 1) else found
    # One product without an activation may be anything.
    is_network = found is not None and (
        len(found.layers) > 1 or found.layers[0].activation != "identity"
    )
    return _at_its_busiest(evidence, found) if found and is_network else None


def _at_its_busiest(evidence: Evidence, network: Network) -> Network:
    """Of all places that read these inputs, take the one that most forward passes start from.

    A script may compute one pass before its loop, in lines of its own.
    """
    first = next(value for place, value in evidence.events if place == network.place)
    reads = dict.fromkeys(place for place, value in evidence.events if value == first)
    places = list(reads)[:_PLACES]
    if network.layers[0].bias_row:  # a loop may read the inputs with their ones beside them
        rows = evidence.values[first].T if network.columns else evidence.values[first]
        whole = _with_ones(np.atleast_2d(rows), network.layers[0].bias_row)
        found = dict.fromkeys(sighting.place.number for sighting in evidence.find(whole))
        places += list(found)[:_PLACES]
    choices = [network, *(replace(network, place=place) for place in places)]
    return max(choices, key=lambda choice: len(passes(evidence, choice, _PASSES_TO_COUNT)))


def _find(
    evidence: Evidence, weights: set[Path], biases: set[Path], *, data_only: bool
) -> Network | None:
    best: Network | None = None
    changing = evidence.updated()
    tried: set[tuple[int, int]] = set()
    since, left, begun = 0, _PRODUCTS_IN_ALL, time.thread_time()
    for event, (_, value) in enumerate(evidence.events):
        x = evidence.values[value]
        if x.ndim not in (1, 2) or x.size < 2 or np.count_nonzero(x) < 2:
            continue
        if data_only and not evidence.is_data(x):
            continue
        moment = _moment(evidence, event, weights, biases)
        key = (value, hash(tuple(map(id, moment.weights.values()))))
        if not moment.weights or key in tried:
            continue
        tried.add(key)
        since += 1
        moment.left = min(moment.left, left)
        left -= moment.left
        for rows, columns in _as_rows(x):
            layers = _chain(moment, rows, ())
            if not changing.intersection(layer.weights for layer in layers):
                continue
            if best is None or _score(layers, changing) > _score(best.layers, changing):
                place, turned = _last_place(moment, x, layers, rows)
                best, since = Network(layers, columns if turned is None else turned, place), 0
        left += max(moment.left, 0)
        spent = left <= 0 or time.thread_time() - begun > _SECONDS
        if spent or since > (_ENOUGH if best else _TRIES):
            break
    return best if best is None else _settle(evidence, best, weights, biases)


def _moment(evidence: Evidence, event: int, weights: set[Path], biases: set[Path]) -> _Moment:
    arrays = evidence.arrays(event)
    return _Moment(
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
    )


def _as_rows(x: Array) -> list[tuple[Array, bool]]:
    """Read an input as (batch, inputs), whichever way it lies."""
    if x.ndim == 1:
        return [(x[None, :], False)]
    return [(x, False), (x.T, True)]


def _chain(
    moment: _Moment, h: Array, used: tuple[Path, ...], turned: bool = False
) -> tuple[FoundLayer, ...]:
    """Return the longest chain of layers that starts with h."""
    best: tuple[FoundLayer, ...] = ()
    if len(used) >= 2 * _DEEPEST:
        return best
    # Weights that serve two layers are a mistake, and looked for last.
    onward = _layers_from(moment, h, used) or _layers_from(
        moment, h, used, again=True, used_turned=turned
    )
    for layer, z, a in onward:
        taken = (*used, layer.weights, *([layer.bias] if layer.bias else []))
        rest = _chain(moment, a, taken, layer.turned)
        if not rest and layer.activations != {"identity"}:
            onwards = _chain(moment, z, taken, layer.turned)
            rest = (replace(onwards[0], reads="z"), *onwards[1:]) if onwards else ()
        if _score((layer, *rest)) > _score(best):
            best = (layer, *rest)
    return best


def _score(
    layers: tuple[FoundLayer, ...], changing: Collection[Path] = ()
) -> tuple[int, int, int, int]:
    changes = sum(layer.weights in changing for layer in layers)
    known = sum("identity" not in layer.activations for layer in layers)
    biases = sum(layer.bias is not None for layer in layers)
    return len(layers), changes, known, biases


def _layers_from(
    moment: _Moment,
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
                if moment.left < 0:
                    return found
                rest = weights.shape[0] - inputs
                for row in ("first", "last") if rest else ("",):
                    factors = _with_ones(h, row)
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


def _with_ones(h: Array, row: str) -> Array:
    ones = np.ones((len(h), 1))
    if row == "first":
        return np.hstack([ones, h])
    return np.hstack([h, ones]) if row == "last" else h


def _with_bias(
    moment: _Moment, z: Array, path: Path, turned: bool, row: str
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


def _moved_by_a_bias(moment: _Moment, z: Array, path: Path) -> list[tuple[Path, Array, bool]]:
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


def _nothing_added(moment: _Moment, z: Array, weights: Path) -> list[Path]:
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
    end = event + _WINDOW
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


def _last_place(
    moment: _Moment, x: Array, layers: tuple[FoundLayer, ...], rows: Array
) -> tuple[int, bool | None]:
    """The place that reads x last before the first z, and whether samples are columns there."""
    evidence, event = moment.evidence, moment.event
    z = _with_ones(rows, layers[0].bias_row) @ canonical(layers[0], moment.weights)
    sightings = evidence.find(z, event, event + _WINDOW)
    end = sightings[0].event if sightings else event + 1
    reads = [s for s in evidence.find(x, event, end) if s.place.kind != "Call"]
    if not reads:
        return evidence.events[event][0], None
    value = evidence.value(reads[-1].event)
    turned = value.ndim == 2 and not (value.shape == rows.shape and same(value, rows))
    return reads[-1].place.number, turned


def canonical(layer: FoundLayer, arrays: dict[Path, Array]) -> Array:
    """Return a layer's W as (inputs, outputs)."""
    array = arrays[layer.weights]
    if array.ndim == 1:
        return array[None, :] if layer.turned else array[:, None]
    return array.T if layer.turned else array


def split(layer: FoundLayer, arrays: dict[Path, Array]) -> tuple[Array, Array | None]:
    """Return a layer's W (inputs, outputs) and b (1, outputs), also where b is a row of W."""
    weights = canonical(layer, arrays)
    if layer.bias_row == "first":
        return weights[1:], weights[:1]
    if layer.bias_row == "last":
        return weights[:-1], weights[-1:]
    if layer.bias is None:
        return weights, None
    bias = arrays[layer.bias].reshape(1, -1)
    return weights, -bias if layer.subtracts else bias


def _without_ones(layer: FoundLayer, arrays: dict[Path, Array], rows: Array) -> Array:
    """Inputs without the column of ones that a bias within W is multiplied by."""
    if not layer.bias_row or layer.weights not in arrays:
        return rows
    at = 0 if layer.bias_row == "first" else -1
    has_ones = rows.shape[1] == canonical(layer, arrays).shape[0] and (rows[:, at] == 1).all()
    return np.delete(rows, at, axis=1) if has_ones else rows


def forward(network: Network, arrays: dict[Path, Array], x: Array, event: int) -> Pass | None:
    """Compute the learner's forward pass from its own parameters; None where they do not fit."""
    done = Pass(event)
    rows = x[None, :] if x.ndim == 1 else (x.T if network.columns else x)
    rows = _without_ones(network.layers[0], arrays, rows)
    previous = {"a": rows, "z": rows}
    for layer in network.layers:
        if layer.weights not in arrays or (layer.bias is not None and layer.bias not in arrays):
            return None
        h = previous[layer.reads]
        weights, bias = split(layer, arrays)
        if h.shape[1] != weights.shape[0]:
            return None
        if bias is not None and bias.size not in (1, weights.shape[1]):
            return None
        z = h @ weights if bias is None else h @ weights + bias
        a = KNOWN[layer.activation].value(z)
        previous = {"a": a, "z": z}
        done.h.append(h)
        done.weights.append(weights)
        done.biases.append(bias)
        done.z.append(z)
        done.a.append(a)
    return done


def passes(evidence: Evidence, network: Network, at_most: int = 200) -> list[Pass]:
    """All forward passes of the record, as far as they were really computed so."""
    found = []
    for event, (place, value) in enumerate(evidence.events):
        if place != network.place:
            continue
        x = evidence.values[value]
        if x.ndim not in (1, 2):
            continue
        done = forward(network, evidence.arrays(event), x, event)
        if done is None:
            continue
        end = event + _WINDOW
        if all(evidence.has(z, event, end) for z in (*done.z, done.output)):
            found.append(done)
            if len(found) == at_most:
                break
    return found


def _settle(evidence: Evidence, network: Network, weights: set[Path], biases: set[Path]) -> Network:
    """Look again at later passes, where biases are no longer zero and weights no longer alike."""
    reads = [
        at
        for at, (place, value) in enumerate(evidence.events)
        if place == network.place and evidence.is_data(evidence.values[value])
    ]
    best, left = network, _PRODUCTS
    for event in itertools.islice(reads, 1, 12):
        x = evidence.value(event)
        if x.ndim not in (1, 2) or np.count_nonzero(x) < 2:
            continue
        rows = x[None, :] if x.ndim == 1 else (x.T if network.columns else x)
        moment = _moment(evidence, event, weights, biases)
        moment.left = left
        layers = _chain(moment, rows, ())
        left = max(moment.left, 0)
        if len(layers) < len(best.layers) or _repeats(layers) > _repeats(best.layers):
            continue
        if [layer.weights for layer in layers] == [layer.weights for layer in best.layers]:
            layers = tuple(
                replace(new, activations=_of_both(old.activations, new.activations))
                for new, old in zip(layers, best.layers, strict=True)
            )
        best = Network(layers, network.columns, network.place)
    last = best.layers[-1]
    if "identity" in last.activations:  # others agree with it only as long as z stays positive
        last = replace(last, activations=frozenset({"identity"}))
    return replace(best, layers=(*best.layers[:-1], last))


def _of_both(old: frozenset[str], new: frozenset[str]) -> frozenset[str]:
    """What two passes say of an activation; one that only predicts may stop at the logits."""
    if "identity" in new and "identity" not in old:
        return old
    return (new & old) or new


def _repeats(layers: tuple[FoundLayer, ...]) -> int:
    return len(layers) - len({layer.weights for layer in layers})

"""Finds the networks in a record: inputs that are read, and the chain of layers they go through.

Several readings of one record are possible, in programs that compute number by number most of all:
a sum of gradients may look like weights. So several are given, likeliest first; which is the right
one shows when its training steps are explained.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from chainrule.checker.chains import Budget, Moment, longest_chain, moment_at, score, with_ones
from chainrule.checker.comparing import same
from chainrule.checker.evidence import Evidence
from chainrule.checker.forward import (
    WINDOW,
    FoundLayer,
    Network,
    canonical,
    parameter_paths,
    passes,
)
from chainrule.checker.paths import Path, with_starred
from chainrule.checker.recorder import GONE
from chainrule.layer import Array

_TRIES = 2000  # inputs to try before there is said to be no network
_ENOUGH = 60  # inputs to try after one was found
_PLACES = 8
_PASSES_TO_COUNT = 6
_PRODUCTS, _PRODUCTS_TO_SETTLE = 10_000, 3_000
_SECONDS = 2.0  # of processor time, for each search


def networks(evidence: Evidence) -> Iterator[Network]:
    """Find the networks that the record may be of, likeliest first.

    Parameters are looked for among variables that are computed from their old values, and inputs
    among what stays as it is; only if nothing is found, among everything.
    """
    given: list[Network] = []
    for found in _ways_to_look(evidence):
        if found is None or not _is_network(found):
            continue
        network = _at_its_busiest(evidence, found)
        if all(_differ(network, other) for other in given):
            given.append(network)
            yield network


def another_network(evidence: Evidence, network: Network) -> Network | None:
    """Find a network with other parameters, of two layers at least: a lesson may have two."""
    taken = _everywhere(evidence, parameter_paths(network))
    lasting = evidence.often_updated() - taken
    constant = evidence.constant() - taken
    found = _find(evidence, lasting, lasting | constant, data_only=True)
    return _at_its_busiest(evidence, found) if found and len(found.layers) > 1 else None


def _everywhere(evidence: Evidence, names: set[Path]) -> set[Path]:
    """Add every variable that ever had a value of these, as copies and parts of them have."""
    members = {member for name in names for member in evidence.members(name)}
    paths = evidence.record.paths
    own = {number for number, path in enumerate(paths) if _stands_for_any(members, path)}
    values = {
        value
        for _, path, value, _ in evidence.record.changes
        if path in own and value != GONE and evidence.values[value].any()
    }
    copies = {paths[path] for _, path, value, _ in evidence.record.changes if value in values}
    return names | with_starred(copies)


def _stands_for_any(names: set[Path], path: Path) -> bool:
    return any(
        len(name) == len(path) and all(a in ("*", b) for a, b in zip(name, path, strict=True))
        for name in names
    )


def find_network(evidence: Evidence) -> Network | None:
    """Find the likeliest network, or None."""
    return next(networks(evidence), None)


def _ways_to_look(evidence: Evidence) -> Iterator[Network | None]:
    updated, constant = evidence.updated(), evidence.constant()
    lasting = evidence.lasting()
    if lasting != updated:  # sums of gradients begin anew each time; weights go on
        found = _find(evidence, lasting, updated | constant, data_only=True)
        if found is not None and len(found.layers) > 1:
            yield found
    found = _find(evidence, updated, updated | constant, data_only=True)
    if found is None:
        found = _find(evidence, updated, updated | constant, data_only=False)
        found = found if found and len(found.layers) > 1 else None
    if found is None or len(found.layers) == 1:
        # One layer may be the rest of a network whose other weights cannot move.
        whole = _find(evidence, updated | constant, updated | constant, data_only=True)
        if whole is not None and (found is None or len(whole.layers) > 1):
            yield whole
    yield found


def _is_network(found: Network) -> bool:
    """One product without an activation may be anything."""
    return len(found.layers) > 1 or found.layers[0].activation != "identity"


def shortened(network: Network) -> Iterator[Network]:
    """Leave out a network's last layers, which may be there by chance."""
    for length in range(len(network.layers) - 1, 1, -1):
        yield replace(network, layers=network.layers[:length])


def _differ(one: Network, other: Network) -> bool:
    return one.layers != other.layers or one.columns != other.columns


def _at_its_busiest(evidence: Evidence, network: Network) -> Network:
    """Of all places that read these inputs, take the one that most forward passes start from.

    A script may compute one pass before its loop, in lines of its own.
    """
    first = next(value for place, value in evidence.events if place == network.place)
    reads = dict.fromkeys(place for place, value in evidence.events if value == first)
    places = list(reads)[:_PLACES]
    if network.layers[0].bias_row:  # a loop may read the inputs with their ones beside them
        rows = evidence.values[first].T if network.columns else evidence.values[first]
        whole = with_ones(np.atleast_2d(rows), network.layers[0].bias_row)
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
    since, budget = 0, Budget(_PRODUCTS, _SECONDS)
    for event, (_, value) in enumerate(evidence.events):
        x = evidence.values[value]
        if x.ndim not in (1, 2) or x.size < 2 or np.count_nonzero(x) < 2:
            continue
        if data_only and not evidence.is_data(x):
            continue
        moment = moment_at(evidence, event, weights, biases, budget)
        key = (value, hash(tuple(map(id, moment.weights.values()))))
        if not moment.weights or key in tried:
            continue
        tried.add(key)
        since += 1
        for rows, columns in _as_rows(x):
            layers = longest_chain(moment, rows, ())
            if not changing.intersection(layer.weights for layer in layers):
                continue
            if best is None or score(layers, changing) > score(best.layers, changing):
                place, turned = _last_place(moment, x, layers, rows)
                best, since = Network(layers, columns if turned is None else turned, place), 0
        if budget.is_spent or since > (_ENOUGH if best else _TRIES):
            break
    return best if best is None else _settle(evidence, best, weights, biases)


def _as_rows(x: Array) -> list[tuple[Array, bool]]:
    """Read an input as (batch, inputs), whichever way it lies."""
    if x.ndim == 1:
        return [(x[None, :], False)]
    return [(x, False), (x.T, True)]


def _last_place(
    moment: Moment, x: Array, layers: tuple[FoundLayer, ...], rows: Array
) -> tuple[int, bool | None]:
    """The place that reads x last before the first z, and whether samples are columns there."""
    evidence, event = moment.evidence, moment.event
    z = with_ones(rows, layers[0].bias_row) @ canonical(layers[0], moment.weights)
    sightings = evidence.find(z, event, event + WINDOW)
    end = sightings[0].event if sightings else event + 1
    reads = [s for s in evidence.find(x, event, end) if s.place.kind != "Call"]
    if not reads:
        return evidence.events[event][0], None
    value = evidence.value(reads[-1].event)
    turned = value.ndim == 2 and not (value.shape == rows.shape and same(value, rows))
    return reads[-1].place.number, turned


def _settle(evidence: Evidence, network: Network, weights: set[Path], biases: set[Path]) -> Network:
    """Look again at later passes, where biases are no longer zero and weights no longer alike."""
    reads = [
        at
        for at, (place, value) in enumerate(evidence.events)
        if place == network.place and evidence.is_data(evidence.values[value])
    ]
    best, budget = network, Budget(_PRODUCTS_TO_SETTLE, _SECONDS)
    for event in itertools.islice(reads, 1, 12):
        x = evidence.value(event)
        if x.ndim not in (1, 2) or np.count_nonzero(x) < 2:
            continue
        rows = x[None, :] if x.ndim == 1 else (x.T if network.columns else x)
        moment = moment_at(evidence, event, weights, biases, budget)
        layers = longest_chain(moment, rows, ())
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

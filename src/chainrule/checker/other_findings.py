"""Mistakes that stand outside of backprop: starting values, shapes, numbers too large."""

from __future__ import annotations

import ast
from dataclasses import dataclass, field

import numpy as np

from chainrule.checker.evidence import Evidence
from chainrule.checker.forward import Network, Pass
from chainrule.checker.functions import KNOWN
from chainrule.checker.instrument import Place
from chainrule.checker.paths import Path
from chainrule.checker.process import Record
from chainrule.checker.recorder import GONE
from chainrule.layer import Array

_TINY = 1e-4
_ALL_TINY = 2e-3
_FLAT = 1e-4
_RUNS_AWAY = 1e6
_OVERFLOWS = 700


@dataclass(frozen=True)
class Structural:
    """A mistake found without explaining a step."""

    cause: str
    layer: int
    line: int | None
    right_line: str | None = None
    words: dict[str, str] = field(default_factory=dict)


def before_the_network(record: Record, places: list[Place]) -> Structural | None:
    """What shows without knowing the network."""
    return _broadcast(record, places)


def before_judging(evidence: Evidence, network: Network, passes: list[Pass]) -> Structural | None:
    """What makes the steps not worth looking at."""
    if not passes:
        return None
    first = passes[0]
    for number, layer in enumerate(network.layers):
        if layer.reads == "z":
            line = line_of(evidence, first.z[number], first.event)
            return Structural("forward_through_z", number, line)
    return _other_shape(evidence, network, first) or _shared_weights(evidence, network, first)


def after_judging(
    evidence: Evidence,
    network: Network,
    passes: list[Pass],
    rate_line: int | None,
) -> Structural | None:
    """What keeps a network from learning though its steps are right."""
    if not passes:
        return None
    return _runs_away(evidence, network, passes, rate_line) or _frozen_bias(
        evidence, network, passes
    )


def line_of(evidence: Evidence, value: Array, begin: int = 0) -> int | None:
    """The line in which a value first showed up; of helper functions, where they are called."""
    found = evidence.find(value, begin)
    made = [s for s in found if s.place.kind in ("BinOp", "Call", "ListComp")] or found
    if not made:
        return None
    chosen = made[0]
    for later in made[1:]:
        if later.event - chosen.event > 2 or later.place.kind != "Call":
            break
        chosen = later
    return chosen.place.line


def _first_line(evidence: Evidence, path: Path, weights: Array | None) -> int | None:
    """The line that gave a parameter its first value."""
    line = None if weights is None else line_of(evidence, weights)
    if line is not None:
        return line
    for _, known, value, place in evidence.record.changes:
        if _is(path, evidence.record.paths[known]) and value >= 0 and place >= 0:
            return evidence.places[place].line
    return None


def _shared_weights(evidence: Evidence, network: Network, first: Pass) -> Structural | None:
    """Two parameters, or two parts of one, that are the same numbers in memory."""
    paths = [layer.weights for layer in network.layers]
    for number, path in enumerate(paths):
        if path in paths[:number]:
            line = _aliasing_line(evidence, path)
            if line is None:
                line = _first_line(evidence, path, first.weights[number])
            return Structural("aliased_weights", number, line)
    biases = [layer.bias for layer in network.layers]
    for number, bias in enumerate(biases):
        if bias is not None and bias in biases[:number] and bias in evidence.aliased:
            line = _aliasing_line(evidence, bias) or _first_line(evidence, bias, None)
            return Structural("aliased_weights", number, line)
    return _shared_memory(evidence, network)


def _shared_memory(evidence: Evidence, network: Network) -> Structural | None:
    """Look for parameters in one memory that are updated in place."""
    known = evidence.record.paths
    layer_of = {
        path: number
        for number, layer in enumerate(network.layers)
        for path in (layer.weights, layer.bias)
        if path is not None
    }
    for pair in evidence.record.shared:
        one, other = known[pair[0]], known[pair[1]]
        for path, number in layer_of.items():
            rest = path[len(other) :]
            parts = _starts(path, one) and _starts(path, other) and one != other
            second = any(_is(path, other) and _is(twin, one) for twin in layer_of if twin != path)
            if (parts and _differ_by_number(one, other)) or second:
                if not _in_place(evidence, path):
                    continue
                line = _first_line(evidence, path if rest or second else (*one,), None)
                return Structural("aliased_weights", number, line)
    return None


def _is(path: Path, known: Path) -> bool:
    """Whether a known path is (one of) those that a path with "*" stands for."""
    return len(path) == len(known) and _starts(path, known)


def _starts(path: Path, known: Path) -> bool:
    return len(known) <= len(path) and all(
        part in (theirs, "*") for part, theirs in zip(path, known, strict=False)
    )


def _differ_by_number(one: Path, other: Path) -> bool:
    """Whether two paths are entries of one list."""
    differing = [(a, b) for a, b in zip(one, other, strict=True) if a != b]
    return len(differing) == 1 and all(isinstance(part, int) for part in differing[0])


def _in_place(evidence: Evidence, path: Path) -> bool:
    """Whether a parameter's memory is written into; a new array each time shares nothing."""
    for _, known, value, place in evidence.record.changes:
        if value >= 0 and place >= 0 and _starts(evidence.record.paths[known], path):
            node = evidence.places[place].node
            target = node.targets[0] if isinstance(node, ast.Assign) else None
            if isinstance(node, ast.AugAssign) or isinstance(target, ast.Subscript):
                return True
    return False


def _aliasing_line(evidence: Evidence, path: Path) -> int | None:
    """The statement after which a sibling of a variable no longer had an array of its own."""
    for _, known, value, place in evidence.record.changes:
        other = evidence.record.paths[known]
        if value == GONE and other != path and other[:-1] == path[:-1] and place >= 0:
            return evidence.places[place].line
    return None


def _other_shape(evidence: Evidence, network: Network, first: Pass) -> Structural | None:
    """A parameter that an update has given another shape, by broadcasting.

    Before the first pass a list may grow, neuron by neuron.
    """
    kinds = [
        (number, path, cause)
        for number, layer in enumerate(network.layers)
        for path, cause in (
            (layer.weights, "elementwise_for_matrix"),
            (layer.bias, "bias_gradient_not_summed"),
        )
    ]
    shapes: dict[int, tuple[int, ...]] = {}
    for at, known, value, place in evidence.record.changes:
        if value < 0:
            shapes.pop(known, None)
            continue
        shape = evidence.values[value].shape
        if at < first.event:
            shapes[known] = shape
        before = shapes.setdefault(known, shape)
        if before != shape and len(before) and evidence.values[value].size > 1:
            for number, path, cause in kinds:
                if path == evidence.record.paths[known] and len(shape) >= len(before):
                    line = evidence.places[place].line
                    is_bias = cause == "bias_gradient_not_summed"
                    record = evidence.record
                    if is_bias and sums_of_rows(record, evidence.places, line, before, at):
                        return Structural("bias_gradient_axis", number, line)
                    return Structural(cause, number, line)
    return None


def sums_of_rows(
    record: Record, places: list[Place], line: int, shape: tuple[int, ...], end: int
) -> bool:
    """Whether what meets a bias in a line is one number for each sample, not for each neuron."""
    is_there = False
    for number, value in reversed(record.events[:end]):
        if places[number].statement != line:
            if is_there:
                break
            continue
        is_there = True
        other = record.values[value].shape
        if other != shape and record.values[value].size > 1 and other.count(1) == len(other) - 1:
            return True
    return False


def _overflow(evidence: Evidence, network: Network) -> Structural | None:
    for line, message in evidence.record.warnings:
        if "overflow encountered in exp" in message:
            return Structural("exp_overflow", len(network.layers) - 1, line)
    return None


def useless_start(
    evidence: Evidence, network: Network, passes: list[Pass], explained: Pass | None
) -> Structural | None:
    """Starting values that keep a network from learning, whatever its steps are.

    ``explained`` is the first pass that is known to belong to the training.
    """
    if not passes:
        return None
    first = passes[0]
    explained = explained or first
    last = len(network.layers) - 1
    sizes = [float(np.abs(weights).max()) for weights in first.weights]
    for number, weights in enumerate(first.weights):
        if number == last or weights.size < 2:
            continue
        later = explained.weights[number]
        alike = bool((later == later[:, :1]).all()) and later.shape[1] > 1
        if not weights.any() and (alike or not later.any()):
            line = _first_line(evidence, network.layers[number].weights, weights)
            return Structural("zero_initialisation", number, line)
        if weights.any() and alike and bool((weights == weights[:, :1]).all()):
            line = _first_line(evidence, network.layers[number].weights, weights)
            return Structural("constant_initialisation", number, line)
    for number, size in enumerate(sizes):
        if last and 0 < size < (_ALL_TINY if max(sizes) < _ALL_TINY else _TINY):
            line = _first_line(evidence, network.layers[number].weights, first.weights[number])
            words = {"number": f"at most {size:.1g}"}
            return Structural("tiny_initialisation", number, line, words=words)
    if float(np.abs(np.concatenate([z.reshape(-1) for z in first.z])).max()) > _OVERFLOWS:
        found = _overflow(evidence, network)
        if found is not None:
            return found
    for number, layer in enumerate(network.layers):
        if layer.activation not in ("sigmoid", "tanh"):
            continue
        slope = KNOWN[layer.activation].slope(first.z[number])
        moving = np.any(first.h[number] != 0, axis=1)
        if number < last and moving.any() and float((slope[moving] < _FLAT).mean()) > 0.8:
            line = _first_line(evidence, network.layers[number].weights, first.weights[number])
            words = {"number": f"up to {float(np.abs(first.z[number]).max()):.3g}"}
            return Structural("saturating", number, line, words=words)
    return None


def _runs_away(
    evidence: Evidence, network: Network, passes: list[Pass], rate_line: int | None
) -> Structural | None:
    """Parameters that explode; or sums that only training has made too large for exp."""
    start = max(float(np.abs(weights).max()) for weights in passes[0].weights)
    with np.errstate(all="ignore"):
        later = [max(float(np.abs(weights).max()) for weights in one.weights) for one in passes]
    largest = max(later)
    overflows = _overflow(evidence, network) is not None
    if not np.isfinite(largest) or largest > _RUNS_AWAY * max(start, 1e-3) or overflows:
        words = {"number": f"the largest weight goes from {start:.2g} to {largest:.2g}"}
        return Structural("diverging", len(network.layers) - 1, rate_line, words=words)
    return None


def _frozen_bias(evidence: Evidence, network: Network, passes: list[Pass]) -> Structural | None:
    """Zeros that are added to a weighted sum in every pass: a bias that nobody updates."""
    for number, layer in enumerate(network.layers):
        if layer.bias is not None or layer.bias_row or len(passes) < 3:
            continue
        outputs = passes[-1].z[number].shape[1]
        for sighting in evidence.find(passes[-1].z[number], passes[-1].event):
            node = sighting.place.node
            if not isinstance(node, ast.BinOp) or not isinstance(node.op, ast.Add):
                continue
            if any(
                value.size == outputs and not value.any()
                for _, value in evidence.operands(sighting)
            ):
                return Structural("bias_never_updated", number, sighting.place.line)
    return None


def _broadcast(record: Record, places: list[Place]) -> Structural | None:
    """An operation between (n,) and (n, 1)."""
    by_node = {id(place.node): place.number for place in places}
    latest: dict[int, int] = {}
    for place_number, value in record.events:
        latest[place_number] = value
        place = places[place_number]
        node = place.node
        shape = record.values[value].shape
        if not isinstance(node, ast.BinOp) or len(shape) != 2 or shape[0] != shape[1]:
            continue
        if shape[0] < 2 or not isinstance(node.op, ast.Sub | ast.Add | ast.Mult | ast.Div):
            continue
        operands = [latest.get(by_node.get(id(side), -1)) for side in (node.left, node.right)]
        if None in operands or "None" in place.text or "newaxis" in place.text:
            continue
        shapes = [record.values[operand].shape for operand in operands if operand is not None]
        if sorted(shapes, key=len) == [(shape[0],), (shape[0], 1)]:
            return Structural("broadcast_n_n1", 0, place.line)
    return None

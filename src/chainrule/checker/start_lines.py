"""Where a parameter got its starting value: in the expression that made it, not where it was used.

It may have come from a function of the learner's, it may be a part of one long array of all
parameters, or a row of it may be all that one neuron keeps.
"""

from __future__ import annotations

import ast

import numpy as np

from chainrule.checker.evidence import Evidence, Sighting
from chainrule.checker.forward import FoundLayer, Pass
from chainrule.checker.instrument import Place
from chainrule.checker.lines import stands_for
from chainrule.checker.paths import Path
from chainrule.layer import Array

_NEAR = 4  # events between a value's computation and its coming out of a function
_MADE = ("Call", "BinOp", "ListComp")


def where_it_started(evidence: Evidence, layer: FoundLayer, first: Pass, number: int) -> int | None:
    """The line that made the first value of a layer's weights; None where it is not seen."""
    weights, bias = first.weights[number], first.biases[number]
    ways = [weights]
    if layer.bias_row and bias is not None:  # one matrix holds both
        ways = [np.concatenate([bias, weights]), np.concatenate([weights, bias])]
    longer = _longer_array(evidence, ways, first.event)
    if longer is not None:
        made = [s for s in evidence.find(longer, 0, first.event) if s.place.kind in _MADE]
        return made[0].place.line if made else None
    path = layer.weights
    # The object that the whole network is kept in has another name while it is being made.
    inner = max(len(path) - 1, 1)
    for length in (inner, len(path), *range(inner - 1, 0, -1)):
        found = _first_change(evidence, path[-length:], ways)
        if found is not None:
            return _innermost(evidence, *found)
    return None


def _first_change(
    evidence: Evidence, ending: Path, ways: list[Array]
) -> tuple[int, int, int] | None:
    """When a variable whose path ends so first had some numbers; their value, and the statement."""
    if not isinstance(ending[0], str) or ending[0] == "*":
        return None  # the place in a list says nothing without the list
    for at, known, value, place in evidence.record.changes:
        other = evidence.record.paths[known]
        if value < 0 or place < 0 or not stands_for(ending, other[-len(ending) :]):
            continue
        if any(_is_start(evidence.values[value], way) for way in ways):
            return at, value, place
    return None


def _is_start(array: Array, weights: Array) -> bool:
    """Whether an array holds a parameter's numbers, or those of one neuron."""
    numbers = np.sort(array, None)
    if array.size == weights.size:
        return np.allclose(numbers, np.sort(weights, None))
    if array.ndim != 1 or array.size not in weights.shape:
        return False
    rows = weights if array.size == weights.shape[1] else weights.T
    return any(np.allclose(numbers, np.sort(row)) for row in rows)


def _longer_array(evidence: Evidence, ways: list[Array], before: int) -> Array | None:
    """One long array that a parameter is cut out of, as W1 = theta[:6].reshape(2, 3) is."""
    ways = [way for way in ways if any(map(_is_cut_out, evidence.find(way, 0, before)))]
    flat = [one for way in ways for one in (way.reshape(-1), way.T.reshape(-1))]
    for number, value in evidence.events[:before]:
        array = evidence.values[value]
        if array.ndim != 1 or evidence.places[number].kind not in _MADE:
            continue
        if any(array.size > one.size and _holds(array, one) for one in flat):
            return array
    return None


def _is_cut_out(sighting: Sighting) -> bool:
    """Whether an expression is a reshaped part of something."""
    node = sighting.place.node
    return (
        isinstance(node, ast.Call)
        and "reshape" in ast.unparse(node.func)
        and any(isinstance(inner, ast.Slice) for inner in ast.walk(node))
    )


def _holds(array: Array, part: Array) -> bool:
    """Whether a part stands in an array, all of it together."""
    starts = np.flatnonzero(array[: array.size - part.size + 1] == part[0])
    return any(np.array_equal(array[at : at + part.size], part) for at in starts[:500].tolist())


def _innermost(evidence: Evidence, at: int, value: int, place: int) -> int:
    """The line in which an array was made: one of several of a statement, or in a function."""
    statement = evidence.places[place]
    seen = [s for s in evidence.find(evidence.values[value]) if s.place.kind in _MADE]
    within = [s for s in seen if statement.line <= s.place.line <= statement.end_line]
    if not within and (_calls_a_class(evidence, statement) or not seen):
        return statement.line
    within = within or seen
    chosen = next((s for s in reversed(within) if s.event < at), within[0])
    # What a function gives back was made in it just before.
    for earlier in reversed([s for s in seen if s.event < chosen.event]):
        if chosen.event - earlier.event > _NEAR:
            break
        chosen = earlier
    return chosen.place.line


def _calls_a_class(evidence: Evidence, statement: Place) -> bool:
    """Whether a statement makes an object of a class, which may serve other purposes too."""
    value = getattr(statement.node, "value", None)
    if not isinstance(value, ast.Call):
        return False
    made = f"{ast.unparse(value.func)}.__init__"
    return any(place.scope == made for place in evidence.places)

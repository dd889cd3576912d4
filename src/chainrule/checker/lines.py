"""In which line of the learner's file a mistake stands.

The wrong step that was found computes a wrong quantity; the line is where that number first showed
up in the learner's run. Where it shows up nowhere by itself (all in one expression), the next
quantity computed from it does.
"""

from __future__ import annotations

import ast
from dataclasses import dataclass

import numpy as np

from chainrule.checker.evidence import Evidence, Sighting
from chainrule.checker.instrument import Place
from chainrule.checker.judge import Judged
from chainrule.checker.slips import Slip
from chainrule.layer import Array

_MISSING = ("output_derivative_missing", "hidden_derivative_missing")


@dataclass(frozen=True)
class Spot:
    """A line, and the expression in it that is wrong."""

    line: int
    place: Place | None


def find_spot(evidence: Evidence, judged: Judged, slip: Slip) -> Spot | None:
    """Find where a mistake was computed."""
    if slip.cause in ("sign_turned", "bias_never_updated", "momentum_sign"):
        return update_of(evidence, judged, slip)
    if slip.cause in _MISSING:
        return _missing(evidence, judged, slip)
    for quantity in _quantities(judged, slip):
        found = _computed(_sightings(evidence, judged, quantity))
        if found is not None:
            return Spot(found.place.line, found.place)
    return update_of(evidence, judged, slip)


def _quantities(judged: Judged, slip: Slip) -> list[Array]:
    quantities = [slip.wrong, *slip.follows]
    quantities.append(judged.explanation.deltas[slip.layer].delta)
    quantities += [
        fit.gradient
        for fit in judged.explanation.fits
        if fit.layer == slip.layer and fit.kind == "weights"
    ]
    return [quantity for quantity in quantities if quantity is not None]


def _sightings(evidence: Evidence, judged: Judged, quantity: Array) -> list[Sighting]:
    """Where a quantity was seen in the step, of several samples the last one's."""
    begin, end = judged.parts[-1].event, judged.step.end
    wanted = quantity
    if len(judged.parts) > 1 and len(quantity) == judged.batch.rows():
        wanted = quantity[-judged.parts[-1].rows() :]
    scaled = wanted.size > 2 and float(np.ptp(np.abs(wanted))) > 0
    found = evidence.find(wanted, begin, end, scaled=scaled)
    if not scaled:
        for factor in (-1.0, 2.0, -2.0, 0.5, -0.5, 1 / judged.batch.rows(), -1 / judged.batch.rows()):
            found += [
                Sighting(s.event, s.place, factor) for s in evidence.find(factor * wanted, begin, end)
            ]
    return sorted(found, key=lambda sighting: sighting.event)


def _computed(sightings: list[Sighting]) -> Sighting | None:
    """The first sighting where the value was made; of nested calls the outermost."""
    made = [s for s in sightings if s.place.kind in ("BinOp", "Call", "UnaryOp", "ListComp")]
    if not made:
        return None
    chosen = made[0]
    for later in made[1:]:
        if later.event - chosen.event > 2 or later.place.scope == chosen.place.scope:
            break
        chosen = later
    return chosen


def _missing(evidence: Evidence, judged: Judged, slip: Slip) -> Spot | None:
    """A factor that is missing is missing where the unfinished product was taken for finished."""
    deltas = judged.explanation.deltas[slip.layer]
    gradient = next(
        fit.gradient
        for fit in judged.explanation.fits
        if fit.layer == slip.layer and fit.kind == "weights"
    )
    found = _computed(_sightings(evidence, judged, gradient))
    end = found.event if found else judged.step.end
    wrong = deltas.delta if slip.detail == "" else deltas.error
    sightings = [s for s in _sightings(evidence, judged, wrong) if s.event < end]
    assigned = [s for s in sightings if _is_assigned(evidence, s.place)]
    if assigned:
        return Spot(assigned[-1].place.statement, assigned[-1].place)
    if found:
        return Spot(found.place.line, found.place)
    made = _computed(sightings)
    return Spot(made.place.line, made.place) if made else update_of(evidence, judged, slip)


def _is_assigned(evidence: Evidence, place: Place) -> bool:
    """Whether an expression is the whole right side of an assignment."""
    for statement in evidence.places:
        if statement.kind in ("Assign", "AugAssign", "AnnAssign"):
            node = statement.node
            assert isinstance(node, ast.Assign | ast.AugAssign | ast.AnnAssign)  # noqa: S101
            if node.value is place.node:
                return True
    return False


def update_of(evidence: Evidence, judged: Judged, slip: Slip) -> Spot | None:
    """The statement that changed the layer's parameter."""
    layer = judged.network.layers[slip.layer]
    path = layer.bias if slip.detail.startswith("bias") and layer.bias else layer.weights
    for at, number, _, place in evidence.record.changes:
        known = evidence.record.paths[number]
        starred = len(known) == len(path) and all(
            theirs in (ours, "*") for ours, theirs in zip(known, path, strict=True)
        )
        if starred and judged.parts[-1].event < at <= judged.step.end and place >= 0:
            return Spot(evidence.places[place].line, evidence.places[place])
    return None

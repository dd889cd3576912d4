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
from chainrule.checker.explanation import Fit
from chainrule.checker.forward_lines import where_z_is_handed_on
from chainrule.checker.instrument import Place
from chainrule.checker.judged import Judged
from chainrule.checker.paths import Path
from chainrule.checker.piled_lines import where_it_piles_up
from chainrule.checker.slips import Slip
from chainrule.layer import Array

_MISSING = ("output_derivative_missing", "hidden_derivative_missing")
_COMPUTING = ("BinOp", "Call", "UnaryOp", "ListComp", "IfExp")


@dataclass(frozen=True)
class Spot:
    """A line, and the expression in it that is wrong."""

    line: int
    place: Place | None
    is_gradient: bool = False  # whether the expression is a whole gradient, not a delta


def find_spot(evidence: Evidence, judged: Judged, slip: Slip) -> Spot | None:
    """Find where a mistake was computed."""
    if slip.cause == "sign_turned" and slip.detail == "all":
        return _error_line(evidence, judged) or update_of(evidence, judged, slip)
    if slip.cause in ("sign_turned", "factor_mismatch"):
        return _where_it_parts(evidence, judged, slip)
    if slip.cause == "gradients_not_reset":
        place = where_it_piles_up(evidence, judged, slip)
        return Spot(place.line, place) if place else update_of(evidence, judged, slip)
    if slip.cause in ("momentum_sign", "regularisation_sign"):
        return _beside_the_gradient(evidence, judged, slip) or update_of(evidence, judged, slip)
    if slip.cause in ("bias_never_updated", "weights_never_updated"):
        whole = Slip(slip.cause, slip.layer, detail="weights")
        return _not_kept(evidence, judged, slip) or update_of(evidence, judged, whole)
    if slip.cause == "forward_through_z":
        line = where_z_is_handed_on(evidence, judged.parts[-1], slip.layer)
        return Spot(line, None) if line else None
    if slip.cause == "early_update":
        later = Slip(slip.cause, slip.layer + 1, detail="weights")
        return update_of(evidence, judged, later)
    if slip.cause in _MISSING and slip.detail in ("", "weights only"):
        return _missing(evidence, judged, slip)
    for quantity in _quantities(judged, slip):
        sightings = _sightings(evidence, judged, quantity)
        found = _computed(sightings)
        in_place = _in_place(evidence, sightings[0]) if sightings else None
        if in_place is not None:
            return in_place
        if found is not None:
            return _in_function(evidence, judged, slip, found)
    return update_of(evidence, judged, slip)


def _in_place(evidence: Evidence, first: Sighting) -> Spot | None:
    """The statement that gave an array a value within it, as d[z <= 0] = 0 does."""
    if first.place.kind not in ("Name", "Attribute", "Subscript"):
        return None
    value = evidence.events[first.event][1]
    for at, _, known, place in evidence.record.changes:
        if known == value and 0 <= at <= first.event and place >= 0:
            node = evidence.places[place].node
            targets = node.targets if isinstance(node, ast.Assign) else []
            if any(isinstance(target, ast.Subscript) for target in targets):
                return Spot(evidence.places[place].line, None)
    return None


def _not_kept(evidence: Evidence, judged: Judged, slip: Slip) -> Spot | None:
    """Where a bias's next value was computed, but not put into the bias."""
    bias = judged.batch.biases[slip.layer]
    if bias is None or not slip.cause.startswith("bias"):
        return None
    gradient = judged.explanation.deltas[slip.layer].delta.sum(axis=0, keepdims=True)
    if gradient.size != bias.size:
        return None
    begin, end = judged.parts[-1].event, judged.step.end
    moved = bias - judged.explanation.scale * gradient.reshape(bias.shape)
    made = [s for s in evidence.find(moved, begin, end) if s.place.kind == "BinOp"]
    return Spot(made[0].place.line, made[0].place) if made else None


def _in_function(evidence: Evidence, judged: Judged, slip: Slip, found: Sighting) -> Spot:
    """Where all layers have one mistake through one function, the function has it."""
    same_cause = [s for s in judged.explanation.slips if s.cause == slip.cause]
    layers = {s.layer for s in same_cause}
    if len(layers) == len(judged.network.layers) > 1 and found.place.kind == "Call":
        value = evidence.events[found.event][1]
        for event in range(found.event - 1, max(found.event - 4, -1), -1):
            place = evidence.place(event)
            if evidence.events[event][1] == value and place.scope != found.place.scope:
                return Spot(place.line, place)
    return Spot(found.place.line, found.place)


def _quantities(judged: Judged, slip: Slip) -> list[Array]:
    quantities = [slip.wrong, *slip.follows]
    if not slip.detail.startswith("bias"):
        quantities.append(judged.explanation.deltas[slip.layer].delta)
    kind = "bias" if slip.cause.startswith("bias") else "weights"
    quantities += [fit.gradient for fit in _fits(judged, slip.layer, kind)]
    return [quantity for quantity in quantities if quantity is not None]


def _fits(judged: Judged, layer: int, kind: str) -> list[Fit]:
    return [fit for fit in judged.explanation.fits if fit.layer == layer and fit.kind == kind]


def _sightings(evidence: Evidence, judged: Judged, quantity: Array) -> list[Sighting]:
    """Where a quantity was seen in the step, of several samples the last one's."""
    begin, end = judged.parts[-1].event, judged.step.end
    wanted = quantity
    if len(judged.parts) > 1 and len(quantity) == judged.batch.rows():
        wanted = quantity[-judged.parts[-1].rows() :]
    if wanted.size > 2 and float(np.ptp(np.abs(wanted))) > 1e-12 and not evidence.number_by_number:
        return evidence.find(wanted, begin, end, scaled=True)
    rows = judged.batch.rows()
    scale = judged.explanation.scale
    found: dict[int, Sighting] = {}
    for factor in (1.0, -1.0, 2.0, -2.0, 0.5, -0.5, 1 / rows, -1 / rows, 2 / rows, -2 / rows):
        for lr in (1.0, scale):
            for s in evidence.find(factor * lr * wanted, begin, end):
                found.setdefault(s.event, Sighting(s.event, s.place, factor * lr))
    one_for_all = wanted.size > 1 and float(np.ptp(wanted)) == 0
    if one_for_all or (1 < wanted.size <= 64 and evidence.number_by_number):
        for s in _sightings(evidence, judged, wanted.reshape(-1)[:1]):
            found.setdefault(s.event, s)
    return sorted(found.values(), key=lambda sighting: sighting.event)


def _computed(sightings: list[Sighting]) -> Sighting | None:
    """The first sighting where the value was made; of nested calls the outermost."""
    made = [s for s in sightings if s.place.kind in _COMPUTING]
    if not made:
        return None
    chosen = made[0]
    for later in made[1:]:
        if later.event - chosen.event > 2 or later.place.scope == chosen.place.scope:
            break
        chosen = later
    return chosen


def _error_line(evidence: Evidence, judged: Judged) -> Spot | None:
    """The line that takes the difference of output and target."""
    error = judged.explanation.deltas[-1].error
    found = [s for s in _sightings(evidence, judged, error) if s.place.kind in _COMPUTING]
    differences = [s for s in found if _is_difference(s.place)]
    chosen = differences[-1] if differences else None
    # The same difference may be taken for the loss; the gradient is what is wrong.
    used = [s for s in differences if not _is_squared(evidence, s)]
    chosen = used[0] if used else chosen
    return Spot(chosen.place.line, chosen.place) if chosen else None


def _is_difference(place: Place) -> bool:
    return isinstance(place.node, ast.BinOp) and isinstance(place.node.op, ast.Sub | ast.Add)


def _is_squared(evidence: Evidence, sighting: Sighting) -> bool:
    """Whether the next value computed in the same statement is the square."""
    value = evidence.value(sighting.event)
    for event in range(sighting.event + 1, min(sighting.event + 4, len(evidence.events))):
        other = evidence.value(event)
        if other.shape == value.shape and value.any() and np.allclose(other, value**2, rtol=1e-9):
            return evidence.place(event).statement == sighting.place.statement
    return False


def _where_it_parts(evidence: Evidence, judged: Judged, slip: Slip) -> Spot | None:
    """The first quantity of a layer whose factor differs from what it is in the other layers."""
    kind = "bias" if slip.detail.startswith("bias") else "weights"
    mine = _fits(judged, slip.layer, kind)[0]
    others = [
        fit
        for fit in judged.explanation.fits
        if fit is not mine and fit.scale and abs(fit.scale) > 0 and not _same_as(fit, mine)
    ]
    reference = others[0] if others else None
    ratio = mine.scale / (reference.scale if reference else judged.explanation.scale)
    expected = _final(evidence, judged, reference) if reference else None
    delta = judged.explanation.deltas[slip.layer].delta
    theirs = judged.explanation.deltas[reference.layer].delta if reference else delta
    if kind == "weights":
        one, other = _first(evidence, judged, delta), _first(evidence, judged, theirs)
        if one and other and _near(one.factor / other.factor, ratio):
            return Spot(one.place.line, one.place)
    first = _final(evidence, judged, mine)
    if first and expected and _near(first.factor / expected.factor, ratio):
        return Spot(first.place.line, first.place)
    return update_of(evidence, judged, slip)


def _same_as(fit: Fit, mine: Fit) -> bool:
    return fit.layer == mine.layer and fit.kind == mine.kind


def _near(a: float, b: float) -> bool:
    return abs(a - b) <= 1e-5 * abs(b)


def _first(evidence: Evidence, judged: Judged, quantity: Array) -> Sighting | None:
    return _computed(_sightings(evidence, judged, quantity))


def _final(evidence: Evidence, judged: Judged, fit: Fit) -> Sighting | None:
    """The last computation of a gradient before the learning rate is multiplied in."""
    made = [s for s in _sightings(evidence, judged, fit.gradient) if s.place.kind in _COMPUTING]
    before = [s for s in made if not _near(abs(s.factor), abs(fit.scale))]
    return (before or made)[-1] if made else None


def _beside_the_gradient(evidence: Evidence, judged: Judged, slip: Slip) -> Spot | None:
    """The first statement that puts the penalty or the momentum to a gradient."""
    found: list[Sighting] = []
    begin, end = judged.parts[-1].event, judged.step.end
    terms = judged.batch.weights if slip.cause == "regularisation_sign" else slip.follows
    for term in terms:
        found += evidence.find(term, begin, end, scaled=True)
    scaled = [s for s in found if abs(abs(s.factor) - 1) > 1e-9 and s.place.kind == "BinOp"]
    if not scaled:
        return None
    first = min(scaled, key=lambda s: s.event)
    return Spot(first.place.line, first.place)


def _missing(evidence: Evidence, judged: Judged, slip: Slip) -> Spot | None:
    """A factor that is missing is missing where the unfinished product was taken for finished."""
    deltas = judged.explanation.deltas[slip.layer]
    fits = _fits(judged, slip.layer, "weights")
    found = _computed(_sightings(evidence, judged, fits[0].gradient)) if fits else None
    end = found.event if found else judged.step.end
    wrong = deltas.delta if slip.detail == "" else deltas.error
    sightings = [s for s in _sightings(evidence, judged, wrong) if s.event <= end]
    targets = {s.event: _assigned_to(s.place) for s in sightings}
    named = [
        s
        for s in sightings
        if isinstance(targets[s.event], ast.Name | ast.Attribute)
        or (isinstance(s.place.parent, ast.Return) and _only_passes(sightings, s))
    ]
    named = [s for s in named if not _is_passed_on(sightings, s)] or named
    assigned = named or [s for s in sightings if targets[s.event] is not None]
    if assigned:
        return Spot(assigned[-1].place.statement, assigned[-1].place)
    if found:
        return Spot(found.place.line, found.place, is_gradient=True)
    made = _computed(sightings)
    return Spot(made.place.line, made.place) if made else update_of(evidence, judged, slip)


def _only_passes(sightings: list[Sighting], returned: Sighting) -> bool:
    """Whether a function returns what it was given, without having computed it."""
    return returned.place.kind in ("Name", "IfExp") and not any(
        s.place.scope == returned.place.scope and s.place.kind in _COMPUTING[:-1] for s in sightings
    )


def _is_passed_on(sightings: list[Sighting], assigned: Sighting) -> bool:
    """Whether a call gives back what its function only passed through."""
    return assigned.place.kind == "Call" and any(
        isinstance(s.place.parent, ast.Return)
        and _only_passes(sightings, s)
        and 0 < assigned.event - s.event < 4
        for s in sightings
    )


def _assigned_to(place: Place) -> ast.expr | None:
    """What an expression is assigned to, if it is the whole right side of an assignment."""
    parent = place.parent
    if isinstance(parent, ast.Assign) and parent.value is place.node:
        return parent.targets[0]
    if isinstance(parent, ast.AnnAssign) and parent.value is place.node:
        return parent.target
    return None


def update_of(evidence: Evidence, judged: Judged, slip: Slip) -> Spot | None:
    """The statement that changed the layer's parameter."""
    layer = judged.network.layers[slip.layer]
    is_bias = slip.detail.startswith("bias") and layer.bias is not None
    path = layer.bias if is_bias else layer.weights
    after = judged.step.biases[slip.layer] if is_bias else judged.step.weights[slip.layer]
    begin, end = judged.parts[-1].event, judged.step.end
    if after is not None and after.size > 1:
        made = [s for s in evidence.find(after, begin, end) if s.place.kind == "BinOp"]
        if made:
            return Spot(made[0].place.line, made[0].place)
    assert path is not None  # noqa: S101 - of weights and of a bias that is there
    for at, number, _, place in evidence.record.changes:
        if stands_for(path, evidence.record.paths[number]) and begin < at <= end and place >= 0:
            return Spot(evidence.places[place].line, evidence.places[place])
    return None


def stands_for(path: Path, known: Path) -> bool:
    """Whether a path, with "*" for any place in a list, means a variable."""
    return len(known) == len(path) and all(
        ours in (theirs, "*") for ours, theirs in zip(path, known, strict=True)
    )

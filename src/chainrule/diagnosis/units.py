"""Units that have stopped answering: dead, or saturated."""

from __future__ import annotations

import math

import numpy as np

from chainrule.diagnosis.evidence import Evidence
from chainrule.diagnosis.places import Units
from chainrule.diagnosis.symptom import Finding, Symptom
from chainrule.layer import Array

# Part of a layer's units that may be dead. A few die in most trainings and nobody misses them.
MOST_DEAD = 0.75
# A slope below this is none: 1,000 steps of learning rate 0.001 would move such a unit by 1e-6.
NO_SLOPE = 1e-6

# An activation is saturated within this part of its range from a bound. For the sigmoid and tanh
# the slope is there below a twentieth of its largest (Glorot and Bengio, 2010, section 3).
SATURATED_WITHIN = 0.01
MOST_SATURATED = 0.8
# Trained units decide, and a decision is a saturated unit; and a network that has learned can spare
# its dead ones. So much of what a constant guess leaves must be left to learn.
LEFT_BY_SATURATED = 0.2
LEFT_BY_DEAD = 0.35


class DeadUnits(Symptom):
    """ReLU and its kin: units whose slope is zero for every sample."""

    name = "dead_relus"
    title = "Dead ReLUs"
    why = (
        "A unit whose slope is zero for every sample gets no gradient, so nothing brings it back "
        "(Maas, Hannun and Ng, 2013)."
    )

    def look(self, evidence: Evidence) -> Finding | None:
        if evidence.unexplained < LEFT_BY_DEAD:
            return None
        found: dict[str, tuple[int, int]] = {}
        for units in evidence.units:
            if math.isinf(units.activation.outputs_within[1]):
                dead = (_steepest(units) < NO_SLOPE).reshape(-1)
                if dead.mean() > MOST_DEAD:
                    found[units.place.label] = int(dead.sum()), len(dead)
        if not found:
            return None
        place, (dead_units, all_units) = next(iter(found.items()))
        return self.finding(
            found,
            f"{dead_units} of {all_units} units in {place} are zero for all "
            f"{len(evidence.some)} samples.",
            "Begin anew (net.restart()) with a tenth of the learning rate."
            if evidence.has_trained
            else "Use activation='leaky_relu', whose slope is never zero.",
            dead=dead_units / all_units,
        )


class SaturatedUnits(Symptom):
    """Sigmoid, tanh and their kin: hidden units at the flat ends of the curve."""

    why = (
        "At its flat ends an activation passes hardly any gradient on, so the layers before it "
        "stop learning (Glorot and Bengio, 2010)."
    )

    def look(self, evidence: Evidence) -> Finding | None:
        if evidence.unexplained < LEFT_BY_SATURATED:
            return None
        last = len(evidence.twin.layers) - 1  # where a certain yes or no is what is wanted
        shares = {
            units.place.label: share
            for units in evidence.units
            if units.place.path[0] < last
            and _has_two_ends(units)
            and (share := _saturated(units)) > MOST_SATURATED
        }
        if not shares:
            return None
        place, share = next(iter(shares.items()))
        return self.finding(
            shares,
            f"{share:.0%} of the activations in {place} lie within "
            f"{SATURATED_WITHIN:.0%} of the ends of their range.",
            "Begin anew with smaller starting weights (weights_initializer='auto') and inputs "
            "of about 1.",
            saturated=share,
        )


def _steepest(units: Units) -> Array:
    """Largest slope of each unit over the samples and all places of an image."""
    slopes = np.abs(units.activation.derivative(units.z, units.a))
    return slopes.max(axis=tuple(range(slopes.ndim - 1)))


def _has_two_ends(units: Units) -> bool:
    low, high = units.activation.outputs_within
    return math.isfinite(high - low)


def _saturated(units: Units) -> float:
    """Part of the activations that lie at an end of their range."""
    low, high = units.activation.outputs_within
    margin = SATURATED_WITHIN * (high - low)
    return float(((units.a < low + margin) | (units.a > high - margin)).mean())

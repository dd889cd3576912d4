"""Units that are copies of each other."""

from __future__ import annotations

import numpy as np

from chainrule.diagnosis.evidence import Evidence
from chainrule.diagnosis.symptom import Finding, Symptom
from chainrule.layer import Array
from chainrule.parameters import label

# Part of a layer's units that have a double. Random starting weights give none.
MOST_DOUBLES = 0.5
# How far doubles may have come apart, relative to their weights, by rounding alone.
TOLERANCE = 1e-4


class IdenticalUnits(Symptom):
    """Units with the same weights that also get the same gradient: they stay the same for ever."""

    why = (
        "Units that begin equal get equal gradients and stay equal, so that a whole layer computes "
        "what a single unit could (Rumelhart, Hinton and Williams, 1986)."
    )

    def look(self, evidence: Evidence) -> Finding | None:
        found: dict[str, tuple[int, int]] = {}
        for (path, units), (values, gradients) in _incoming(evidence).items():
            if units > 1:
                same = doubles(values) & doubles(gradients)
                if same.mean() > MOST_DOUBLES:
                    found[label(path, "").rstrip()] = int(same.sum()), units
        if not found:
            return None
        place, (count, units) = next(iter(found.items()))
        return self.finding(
            found,
            f"{count} of {units} units in {place} have the same weights and the same gradients "
            "as another one.",
            "Draw the starting weights at random: weights_initializer='auto', the default, does.",
            doubles=count / units,
        )


def _incoming(evidence: Evidence) -> dict[tuple[tuple[int, ...], int], tuple[Array, Array]]:
    """Weights and bias of each layer, and their gradients, a column for each unit."""
    columns: dict[tuple[tuple[int, ...], int], list[tuple[Array, Array]]] = {}
    for one in evidence.weights:
        columns.setdefault((one.slot.path, one.slot.shape[-1]), []).append(
            (one.values, one.gradient)
        )
    for slot in evidence.twin.parameter_vector.slots:
        key = (slot.path, slot.shape[-1] if slot.shape else 0)
        if key in columns and len(slot.shape) == 1 and slot.name == "bias":
            gradient = evidence.trace.at(slot.path).d_bias
            columns[key].append((slot.view(evidence.twin.parameters), gradient))
    return {
        key: (
            np.vstack([values.reshape(-1, key[1]) for values, _ in pieces]),
            np.vstack([gradient.reshape(-1, key[1]) for _, gradient in pieces]),
        )
        for key, pieces in columns.items()
    }


def doubles(columns: Array) -> Array:
    """Say of each column (rows, columns) whether another one is equal to it, up to rounding.

    Sorted by a random projection, equal columns are neighbours.
    """
    columns = columns.astype(np.float64)
    sizes = np.abs(columns).max(axis=0)
    projection = np.random.default_rng(0).normal(size=len(columns)) @ columns
    order = np.argsort(projection, kind="stable")
    apart = np.abs(np.diff(columns[:, order], axis=1)).max(axis=0)
    near = apart <= TOLERANCE * np.maximum(sizes[order][1:], sizes[order][:-1])
    found = np.zeros(len(sizes), bool)
    found[order[1:]] |= near
    found[order[:-1]] |= near
    return found

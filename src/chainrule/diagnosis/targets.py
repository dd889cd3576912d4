"""Targets that a loss takes, and that no network learns well from."""

from __future__ import annotations

import numpy as np

from chainrule.diagnosis.evidence import Evidence
from chainrule.diagnosis.symptom import Finding, Symptom
from chainrule.layer import Array

# A fresh network's outputs are about 1 in size: its weights are drawn for that (Glorot and Bengio,
# 2010). A bias goes about one learning rate a step, so 100 takes 100,000 steps of 0.001.
LARGEST = 100.0
SMALLEST = 0.01
# How far the mean may lie from zero, in deviations: beyond, nearly all of the loss is the mean.
LARGEST_OFFSET = 100.0
# Squared errors of one output then outweigh those of another ten thousand to one.
LARGEST_DISPARITY = 100.0
# Pictures as targets may well have corners that are always black; a few outputs may not.
MOST_OUTPUTS = 32
FEWEST_SAMPLES = 4


class UnscaledTargets(Symptom):
    """Numbers to predict that are far from the size of a fresh network's outputs."""

    why = (
        "The outputs begin near zero and the gradients are as large as the errors: the network "
        "spends its training on reaching the size of the targets, or jumps about."
    )

    def look(self, evidence: Evidence) -> Finding | None:
        y = _numbers(evidence)
        if y is None:
            return None
        sizes, deviations = np.sqrt((y**2).mean(axis=0)), y.std(axis=0)
        varied = deviations > 0
        offsets = np.abs(y.mean(axis=0))[varied] / deviations[varied]
        largest, offset = float(sizes.max()), float(offsets.max(initial=0.0))
        disparity = float(deviations.max() / deviations[varied].min()) if varied.any() else 1.0
        numbers = {"largest": largest, "offset": offset, "disparity": disparity}
        if largest > LARGEST or 0 < largest < SMALLEST:
            told = f"The targets are about {largest:.3g} in size (root mean square)."
        elif offset > LARGEST_OFFSET and largest > 1:
            told = f"The mean of the targets lies {offset:.3g} deviations from zero."
        elif disparity > LARGEST_DISPARITY and y.shape[1] <= MOST_OUTPUTS:
            told = (
                f"One output's targets vary {disparity:.3g} times as much as another's, so that "
                "the loss hardly counts the smaller ones."
            )
        else:
            return None
        counts = evidence.network.loss.targets == "counts"
        return self.finding(
            ["targets"],
            told,
            "Count in larger units, as thousands."
            if counts
            else "Standardise the targets for training: subtract their mean, divide by their "
            "deviation; undo both in what predict returns.",
            **numbers,
        )


class ConstantTargets(Symptom):
    """Targets that are the same for every sample, so that there is nothing to learn."""

    why = (
        "A bias alone gives a constant: the inputs are not needed, and nothing is learned of them."
    )

    def look(self, evidence: Evidence) -> Finding | None:
        y = evidence.samples.y
        if len(y) < FEWEST_SAMPLES:
            return None
        if y.dtype.kind == "i":
            if (y != y.flat[0]).any():
                return None
            return self.finding(
                ["targets"],
                f"All {len(y):,} samples are of class {int(y.flat[0])}.",
                "Check how the labels were made and whether the rows were cut before shuffling.",
                constant=1,
            )
        columns = y.reshape(len(y), -1)
        constant = np.flatnonzero((columns == columns[0]).all(axis=0))
        is_class = evidence.network.loss.targets == "classes"  # a class may well not occur
        if not len(constant) or (
            len(constant) < columns.shape[1] and (is_class or columns.shape[1] > MOST_OUTPUTS)
        ):
            return None
        return self.finding(
            [f"target column {number}" for number in constant],
            f"{len(constant)} of {columns.shape[1]} target columns hold the same number in all "
            f"{len(y):,} samples: {columns[0, constant[0]]:g} in column {constant[0]}.",
            "Check how the targets were made; drop columns that never change, and their outputs.",
            constant=len(constant),
        )


def _numbers(evidence: Evidence) -> Array | None:
    """Targets as (samples, outputs), where they are numbers of any size."""
    y = evidence.samples.y
    if evidence.network.loss.targets not in {"numbers", "counts"} or len(y) < FEWEST_SAMPLES:
        return None
    return y.reshape(len(y), -1).astype(np.float64)

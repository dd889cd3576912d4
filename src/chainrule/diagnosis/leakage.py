"""Labels that have found their way into the inputs."""

from __future__ import annotations

import numpy as np

from chainrule.diagnosis.evidence import Evidence
from chainrule.diagnosis.symptom import Finding, Symptom
from chainrule.layer import Array
from chainrule.optimizers import LBFGS

# Of the variance of the targets that one column explains by itself. Measurements do not reach it;
# copies, sums, other units and logarithms of the target do.
LARGEST_SHARE = 0.998
# Fewer rows agree by chance too easily.
FEWEST_ROWS = 20
FEWEST_OF_A_CLASS = 5
# "At once": steps in which no network learns anything real to the last bit.
AT_ONCE, NOTHING_LEFT = 20, 1e-5
SOMETHING_LEFT = 0.1  # at the first step: else it has been trained before
_IN_A_ROW = 5  # steps, as one alone may be luck with its batch
_MOST_RANKED = 1 << 18  # numbers


class LabelLeakage(Symptom):
    """A column that gives the target away, or a loss of zero within the first few steps."""

    why = (
        "The network learns to copy the answer, and has learned nothing for data in which the "
        "answer is not known."
    )

    def look(self, evidence: Evidence) -> Finding | None:
        x, y = evidence.table
        if len(x) >= FEWEST_ROWS and x.shape[1] > 1:
            is_class = evidence.network.loss.targets not in {"numbers", "counts"}
            shares = _shares(x, y, is_class=is_class)
            telling = np.flatnonzero(shares > LARGEST_SHARE)
            # Where most columns tell, as in copies of a picture, the target is meant to be x.
            if 0 < len(telling) <= max(1, x.shape[1] // 2):
                best = int(shares.argmax())
                name = evidence.column(best)
                return self.finding(
                    [evidence.column(int(number)) for number in telling],
                    f"By itself {name} explains {shares[best]:.2%} of the target.",
                    f"Drop {name}, unless it is known wherever the network will be used.",
                    share=shares[best],
                )
        return self._zero_at_once(evidence)

    def _zero_at_once(self, evidence: Evidence) -> Finding | None:
        curve = evidence.curve
        if curve is None or len(evidence.samples) < FEWEST_ROWS or not evidence.scale.is_known:
            return None
        # In the first epoch every batch is new: a loss of zero there is not learned by heart.
        first = curve.steps[:AT_ONCE]
        if len(first) < AT_ONCE or curve.history.settings["batches_per_epoch"] < AT_ONCE:
            return None
        if isinstance(evidence.network.optimizer, LBFGS):
            return None
        left = float(first[-_IN_A_ROW:].max())
        if not (first[0] > SOMETHING_LEFT and left < NOTHING_LEFT):
            return None
        return self.finding(
            ["loss curve"],
            f"After {AT_ONCE} steps the loss stood at {max(left, 0):.2g} of what a constant "
            "guess gives.",
            "Look among the inputs for the target in another form, and leave it out.",
            left=left,
        )


def _shares(x: Array, y: Array, *, is_class: bool) -> Array:
    """How much of the target's variance each column explains: (columns,) from 0 to 1."""
    x = x.astype(np.float64)
    if is_class:
        return _shares_of_classes(x, y)
    y = y.reshape(len(y), -1).astype(np.float64)
    shares = _squared_correlations(x, y)
    rows = max(_MOST_RANKED // x.shape[1], FEWEST_ROWS)
    return np.maximum(shares, _squared_correlations(_ranks(x[:rows]), _ranks(y[:rows])))


def _squared_correlations(x: Array, y: Array) -> Array:
    """Largest squared correlation of each column of x with a column of y."""
    x, y = _centred(x), _centred(y)
    lengths = np.outer((x**2).sum(axis=0), (y**2).sum(axis=0))
    products = (x.T @ y) ** 2
    return np.divide(products, lengths, out=np.zeros_like(products), where=lengths > 0).max(axis=1)


def _centred(columns: Array) -> Array:
    """Take the mean off each column; of a constant one rounding must leave nothing."""
    return np.where((columns == columns[0]).all(axis=0), 0, columns - columns.mean(axis=0))


def _ranks(columns: Array) -> Array:
    """Rank of each number in its column; zero in columns of few different numbers: mostly ties."""
    different = (np.diff(np.sort(columns, axis=0), axis=0) > 0).sum(axis=0)
    ranks = columns.argsort(axis=0, kind="stable").argsort(axis=0, kind="stable")
    return ranks * (different > len(columns) // 4).astype(np.float64)


def _shares_of_classes(x: Array, y: Array) -> Array:
    """Largest share that a column explains of "is it this class?", or of all classes at once."""
    labels = _labels(y)
    if labels is None:
        return np.zeros(x.shape[1])
    counts = np.bincount(labels)
    members = (labels[:, np.newaxis] == np.arange(len(counts))).astype(np.float64)
    frequent = (counts >= FEWEST_OF_A_CLASS) & (len(labels) - counts >= FEWEST_OF_A_CLASS)
    if not frequent.any():
        return np.zeros(x.shape[1])
    shares = _squared_correlations(x, members[:, frequent])
    if (counts[counts > 0] >= FEWEST_OF_A_CLASS).all():
        x = _centred(x)
        totals = (x**2).sum(axis=0)
        between = ((members.T @ x) ** 2 / np.maximum(counts, 1)[:, np.newaxis]).sum(axis=0)
        ratios = np.divide(between, totals, out=np.zeros_like(totals), where=totals > 0)
        shares = np.maximum(shares, ratios)
    return shares


def _labels(y: Array) -> Array | None:
    """Class numbers of labels, one-hot rows, yes/no columns and signs; None for other targets."""
    if y.dtype.kind == "i":
        return y if y.ndim == 1 else None
    if y.ndim != 2:
        return None
    if y.shape[1] == 1:
        return (y[:, 0] > y.mean()).astype(np.int64) if len(np.unique(y)) == 2 else None
    return y.argmax(axis=1)

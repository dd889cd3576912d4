"""The proof, before anything is timed, that all sides do the same job."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from benchmarks.work import Evidence


class Disagreement(Exception):
    """Two sides of a work do not compute or learn the same: their times mean nothing."""


def compare(
    evidence: Sequence[tuple[str, Evidence]], tolerance: float, score_tolerance: float
) -> str:
    """Compare the evidence of all sides with that of the first that has any.

    Parameters
    ----------
    evidence : sequence of (name, Evidence)
    tolerance : float
        Largest relative difference allowed between two numbers.
    score_tolerance : float
        Largest difference allowed between two scores.

    Returns
    -------
    str
        How closely they agree, in one sentence.

    Raises
    ------
    Disagreement
        Naming the side and the first number that differs.
    """
    (first, reference), *others = evidence
    largest, compared = 0.0, 0
    for name, other in others:
        if reference.numbers is not None and other.numbers is not None:
            difference = _relative_difference(first, reference.numbers, name, other.numbers)
            position = int(difference.argmax())
            if not difference[position] <= tolerance:  # also where it is NaN
                raise Disagreement(
                    f"{name} and {first} do not do the same: number {position} is "
                    f"{other.numbers[position]!r} and {reference.numbers[position]!r}, a relative "
                    f"difference of {difference[position]:.1e}; at most {tolerance:.0e} is allowed."
                )
            largest, compared = max(largest, float(difference[position])), compared + 1
    _compare_scores(evidence, score_tolerance)
    return _sentence(evidence, compared, largest, tolerance, score_tolerance)


def _compare_scores(evidence: Sequence[tuple[str, Evidence]], tolerance: float) -> None:
    scores = [(name, one.score) for name, one in evidence if one.score is not None]
    if not scores:
        return
    first, wanted = scores[0]
    for name, score in scores[1:]:
        if not abs(score - wanted) <= tolerance:  # also where it is NaN
            raise Disagreement(
                f"{name} and {first} do not learn the same: they reach {score:.4f} and "
                f"{wanted:.4f}; a difference of {tolerance:g} is allowed."
            )


def _relative_difference(
    first: str, reference: Sequence[float], name: str, other: Sequence[float]
) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    if len(reference) != len(other):
        raise Disagreement(
            f"{name} shows {len(other)} numbers and {first} {len(reference)}; expected as many."
        )
    wanted, found = np.array(reference, np.float64), np.array(other, np.float64)
    smallest = np.finfo(np.float64).tiny  # equal zeros do not differ
    return np.abs(found - wanted) / np.maximum(np.abs(wanted), smallest)


def _sentence(
    evidence: Sequence[tuple[str, Evidence]],
    compared: int,
    largest: float,
    tolerance: float,
    score_tolerance: float,
) -> str:
    reference = evidence[0][1]
    parts = []
    if compared and reference.numbers is not None:
        parts.append(
            f"{len(reference.numbers):,} numbers of {compared + 1} sides equal to {largest:.1e} "
            f"({tolerance:.0e} allowed)"
        )
    scores = [one.score for _, one in evidence if one.score is not None]
    if len(scores) > 1:
        parts.append(
            f"scores of {len(scores)} sides from {min(scores):.4f} to {max(scores):.4f} "
            f"({score_tolerance:g} allowed)"
        )
    return "; ".join(parts) or "nothing to compare"

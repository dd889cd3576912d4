"""Measured derivatives are those that a δ predicts, but for one factor."""

from __future__ import annotations

import numpy as np

from chainrule.checker.derivatives import _proportional


def test_proportional_is_up_to_one_positive_factor() -> None:
    predicted = np.array([1.0, -2.0, 0.5])
    assert _proportional(3 * predicted, predicted)
    assert not _proportional(-3 * predicted, predicted)  # the other sign is another loss
    assert not _proportional(predicted**2, predicted)
    assert not _proportional(0 * predicted, predicted)
    assert _proportional(0 * predicted, 0 * predicted)  # at the minimum nothing moves
    assert not _proportional(predicted, 0 * predicted)

from __future__ import annotations

import numpy as np
import pytest

import chainrule as cr
from chainrule.errors import InvalidSetting


def test_the_four_rows() -> None:
    X, y = cr.data.truth_table()
    assert X.tolist() == [[0, 0, 1], [0, 1, 1], [1, 0, 1], [1, 1, 1]]
    assert y.tolist() == [0, 1, 1, 0]
    assert X.dtype == y.dtype == np.float64
    assert np.array_equal(y, np.logical_xor(X[:, 0], X[:, 1]))


def test_reference_weights_are_those_of_the_textbook_loop() -> None:
    """The first sixteen numbers of NumPy's old generator from seed 0, row by row."""
    first, second = cr.data.reference_weights(0)
    assert first[0] == pytest.approx([0.5488135, 0.71518937, 0.60276338, 0.54488318], abs=1e-8)
    assert first[2] == pytest.approx([0.96366276, 0.38344152, 0.79172504, 0.52889492], abs=1e-8)
    assert second.ravel() == pytest.approx(
        [0.56804456, 0.92559664, 0.07103606, 0.0871293], abs=1e-8
    )


def test_the_hidden_layer_may_have_another_size() -> None:
    first, second = cr.data.reference_weights(0, hidden=6)
    assert (first.shape, second.shape) == ((3, 6), (6, 1))


@pytest.mark.parametrize(("seed", "hidden"), [(-1, 4), (2**32, 4), (0, 0), (0.5, 4)])
def test_wrong_settings(seed: int, hidden: int) -> None:
    with pytest.raises(InvalidSetting):
        cr.data.reference_weights(seed, hidden)


def test_it_is_a_function_however_often_it_is_asked_for() -> None:
    """A file of the same name would take its place as soon as it is loaded."""
    for _ in range(2):
        assert callable(cr.data.truth_table)
    assert all(callable(getattr(cr.data, name)) for name in cr.data.__all__)

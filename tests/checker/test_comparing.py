"""Arrays that are the same but for rounding, layout or a factor."""

from __future__ import annotations

import numpy as np
import pytest

from chainrule.checker.comparing import Pool, same


def test_same_is_up_to_rounding() -> None:
    a = np.array([1.0, 1e-12])
    assert same(a, a + 1e-10)
    assert not same(a, a + 1e-6)


def test_a_pool_finds_any_layout_and_any_factor() -> None:
    pool = Pool(
        [np.array([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]), np.array([-2.0, -4.0]), np.array(7.0)]
    )
    turned = np.array([[1.0, 4.0], [2.0, 5.0], [3.0, 6.0]])
    assert pool.like(turned, scaled=False) == [0]
    assert pool.like(np.array([1.0, 2.0]), scaled=False) == []
    assert pool.like(np.array([1.0, 2.0]), scaled=True) == [1]
    assert pool.factor(1, np.array([1.0, 2.0])) == pytest.approx(-2.0)
    assert pool.has_size(6)
    assert not pool.has_size(3)


def test_numbers_one_by_one_are_there_unless_they_are_everywhere() -> None:
    pool = Pool([np.array(0.25), np.array(0.75), np.array(1.0)])
    assert pool.has_numbers(np.array([[0.25, 1.0]]))
    assert not pool.has_numbers(np.array([[0.25, 3.0]]))
    assert not pool.has_numbers(np.array([[1.0]]))  # a 1 tells nothing

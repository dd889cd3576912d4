"""Keyed randomness: the same key gives the same numbers, another key others."""

from __future__ import annotations

import random
from itertools import combinations
from typing import Any

import numpy as np

from chainrule.randomness import generator

KEYS: list[tuple[Any, ...]] = [
    (0, "weights"),
    (1, "weights"),
    (0, "shuffle"),
    (0, "shuffle", 0),
    (0, "shuffle", 1),
    (0, "shuffle", 1, 0),
    (0, "shuffle", 0, 1),
    (2**40, "shuffle", 1),
]


def test_the_same_key_gives_the_same_numbers_whatever_happened_in_between() -> None:
    first = generator(3, "shuffle", 7).permutation(100)
    np.random.default_rng(0).random(10)
    generator(3, "shuffle", 8).random(10)
    np.testing.assert_array_equal(generator(3, "shuffle", 7).permutation(100), first)


def test_different_keys_give_unrelated_numbers() -> None:
    streams = [generator(*key).normal(size=5000) for key in KEYS]
    for one, other in combinations(streams, 2):
        assert not np.isin(one, other).any()
        assert abs(np.corrcoef(one, other)[0, 1]) < 0.07  # five standard errors


def test_a_key_means_the_same_bits_on_every_machine() -> None:
    """Runs are resumed and compared across machines and releases: these may never change."""
    raw = generator(0, "weights").bit_generator.random_raw(2).tolist()
    assert raw == [17219554848808651860, 836760051261039793]


def test_the_global_states_are_left_alone() -> None:
    before = random.getstate(), repr(np.random.get_state())  # noqa: NPY002 - to see it unmoved
    generator(0, "weights").random(100)
    assert (random.getstate(), repr(np.random.get_state())) == before  # noqa: NPY002 - as above

"""Which samples each iteration looks at: all of them once an epoch, in an order that is keyed."""

from __future__ import annotations

from itertools import chain

import numpy as np
import pytest

from chainrule.samples import Samples
from chainrule.training.batches import Batches


def samples(count: int = 10, *, weighted: bool = True) -> Samples:
    """Rows that carry their own number everywhere."""
    rows = np.arange(count, dtype=np.float32)
    return Samples(rows.reshape(-1, 1), rows.astype(np.int64), rows + 0.5 if weighted else None)


def epoch(batches: Batches, number: int = 0) -> list[list[int]]:
    """Rows of each batch, copied out at once, because the next one overwrites them."""
    return [batch.y.tolist() for batch in batches.epoch(number)]


@pytest.mark.parametrize("shuffle", [True, False])
@pytest.mark.parametrize("batch_size", [1, 3, 5, 9, 10, 99])
def test_an_epoch_has_every_sample_once(batch_size: int, shuffle: bool) -> None:
    batches = Batches(samples(), batch_size, seed=0, shuffle=shuffle)
    seen = epoch(batches)
    assert len(seen) == batches.per_epoch == -(-10 // batch_size)
    assert [len(batch) for batch in seen[:-1]] == [batch_size] * (len(seen) - 1)
    assert sorted(chain.from_iterable(seen)) == list(range(10))
    assert batches.batch_size == min(batch_size, 10)


@pytest.mark.parametrize("weighted", [True, False])
@pytest.mark.parametrize("shuffle", [True, False])
def test_the_rows_stay_together(weighted: bool, shuffle: bool) -> None:
    for batch in Batches(samples(weighted=weighted), 4, seed=0, shuffle=shuffle).epoch(0):
        assert batch.x.ravel().tolist() == batch.y.tolist()
        assert (batch.weight is not None) == weighted
        if batch.weight is not None:
            assert (batch.weight - 0.5).tolist() == batch.y.tolist()


def test_the_order_belongs_to_the_seed_and_the_epoch() -> None:
    first, same, other = (Batches(samples(), 3, seed=seed, shuffle=True) for seed in (1, 1, 2))
    late = epoch(same, 7)  # whatever was asked for before
    orders = [epoch(first, number) for number in range(8)]
    assert orders[7] == late
    assert len({str(order) for order in orders}) == 8
    assert epoch(other, 0) != orders[0]


def test_without_shuffling_they_come_as_they_stand() -> None:
    batches = Batches(samples(), 4, seed=0, shuffle=False)
    assert epoch(batches) == epoch(batches, 5) == [[0, 1, 2, 3], [4, 5, 6, 7], [8, 9]]


def test_one_batch_of_all_samples_is_the_samples_as_they_are() -> None:
    whole = samples()
    for shuffle in (True, False):
        assert [*Batches(whole, 10, seed=0, shuffle=shuffle).epoch(0)] == [whole]


def test_one_buffer_takes_every_batch() -> None:
    batches = Batches(samples(), 3, seed=0, shuffle=True)
    arrays = [batch.x for number in range(3) for batch in batches.epoch(number)]
    assert all(np.shares_memory(array, arrays[0]) for array in arrays)
    whole = batches.samples
    assert not np.shares_memory(arrays[0], whole.x)
    assert whole.y.tolist() == list(range(10))  # shuffling leaves the samples alone

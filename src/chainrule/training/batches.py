"""Which samples each iteration looks at."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np

from chainrule.layer import Array
from chainrule.randomness import generator
from chainrule.samples import Samples
from chainrule.stored import StoredInputs

if TYPE_CHECKING:
    from chainrule.data.augmentation import Augmentation


class Batches:
    """Cuts the samples into batches, in a new order each epoch.

    Parameters
    ----------
    samples : Samples
    batch_size : int
        The last batch of an epoch has what is left. When all samples fit in one batch they are
        passed as they are: their order would only change how sums are rounded.
    seed : int
        With the epoch, this decides the order.
    shuffle : bool
    augment : sequence of Augmentation, optional
        What changes each batch, one after another.
    encode : callable, optional
        Turns class labels into one-hot rows, for an augmentation that mixes them.
    order_of : callable, optional
        Gives the order in each epoch, in place of the one from the seed; see ``Plan.order``.
    penalties_for : float, optional
        Weight of a batch that the network's penalties are stated for; see ``Plan``.

    Attributes
    ----------
    count : int
        Number of samples.
    per_epoch : int
        Number of batches in an epoch.
    """

    def __init__(
        self,
        samples: Samples,
        batch_size: int,
        *,
        seed: int,
        shuffle: bool,
        augment: Sequence[Augmentation] = (),
        encode: Callable[[Array], Array] = lambda y: y,
        order_of: Callable[[int], Array] | None = None,
        penalties_for: float | None = None,
    ) -> None:
        self.samples = samples
        self.count = len(samples)
        self.batch_size = min(batch_size, self.count)
        self.per_epoch = -(-self.count // self.batch_size)
        self.seed = seed
        self.shuffle = shuffle
        self.augment = augment
        self.encode = encode
        self.order_of = order_of
        self.penalties_for = penalties_for
        # One buffer of each kind takes every batch; a fresh copy each time would cost a third more.
        self._buffers = samples.row_range(0, 0)
        if self.batch_size < self.count and shuffle:
            first = samples.rows(np.zeros(self.batch_size, dtype=np.intp))
            self._buffers = first.row_range(0, self.batch_size)

    def epoch(self, number: int, first: int = 0) -> Iterator[Samples]:
        """The batches of an epoch from the ``first`` on; each is overwritten by the next."""
        for index, batch in enumerate(self._cut(number, first), start=first):
            yield self._augmented(batch, number, index) if self.augment else batch

    def order(self, number: int) -> Array | None:
        """Order of the samples in epoch ``number``, (samples,); None: as they stand."""
        if not self.shuffle or self.batch_size == self.count:
            return None
        if self.order_of is not None:
            return self.order_of(number)
        return generator(self.seed, "shuffle", number).permutation(self.count)

    def penalty_scale(self, batch: Samples) -> float:
        """What the penalties of the network are multiplied with in this batch."""
        if self.penalties_for is None:
            return 1.0
        weight = len(batch) if batch.weight is None else float(batch.weight.sum())
        return self.penalties_for / weight if weight else 1.0  # a batch that counts nothing

    def _augmented(self, batch: Samples, epoch: int, index: int) -> Samples:
        x, y = batch.x[:], batch.y
        for place, augmentation in enumerate(self.augment):
            if augmentation.mixes:
                y = self.encode(y)
            random = generator(self.seed, "augment", epoch, index, place)
            x, y = augmentation.apply(x, y, random)
        return Samples(x, y, batch.weight)

    def _cut(self, number: int, first: int) -> Iterator[Samples]:
        count = self.count
        if self.batch_size == count:
            yield self.samples
            return
        order = self.order(number)
        for start in range(first * self.batch_size, count, self.batch_size):
            stop = min(start + self.batch_size, count)
            if order is None:
                yield self.samples.row_range(start, stop)
            else:
                yield self._gather(order[start:stop])

    def _gather(self, rows: Array) -> Samples:
        batch = self._buffers.row_range(0, len(rows))
        x = self.samples.x
        batch.x = x[rows] if isinstance(x, StoredInputs) else _take(x, rows, batch.x[:])
        _take(self.samples.y, rows, batch.y)
        if self.samples.weight is not None and batch.weight is not None:
            _take(self.samples.weight, rows, batch.weight)
        return batch


def _take(source: Array, rows: Array, into: Array) -> Array:
    # mode="clip" skips a second pass over the indices, which are known to be inside.
    return np.take(source, rows, axis=0, out=into, mode="clip")

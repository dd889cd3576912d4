"""Gradient descent by the compiled engine, many steps at a time.

The compiled engine makes a piece of the training in one call. Between pieces Python keeps the
books, looks for Ctrl-C and moves the progress bar. Where a callback wants to see every step, a
piece is one step. How the steps are cut into pieces has no influence on the numbers.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from chainrule.layer import Array
from chainrule.samples import Samples
from chainrule.schedules import ConstantRate
from chainrule.stored import StoredInputs

if TYPE_CHECKING:
    from chainrule.engines.compiled.training import CompiledTraining

_SECONDS = 0.2  # that a piece should take: so long Ctrl-C may have to wait
_FIRST_SECONDS = 0.005  # that the first piece should take, from which the pace is learned
_STEP, _MULTIPLICATION = 5e-7, 2e-11  # seconds, at most
_NUMBERS_AT_ONCE = 1 << 20  # of inputs that may stand in memory for a piece


class CompiledDescent:
    """Runs the epochs of one training by the compiled engine.

    Parameters
    ----------
    loop : TrainingLoop
        Whose books it keeps.
    compiled : CompiledTraining
    """

    def __init__(self, loop: Any, compiled: CompiledTraining) -> None:
        self.loop = loop
        self.compiled = compiled
        self.batches = loop.batches
        self.dtype = loop.network.dtype
        self.state = loop.state
        self.history = loop.history
        self.steps_at_once = 1 if loop.after_step else self._first_steps()
        self.storage_before, self.before_last = loop.storage.copy(), loop.storage.copy()
        self.vectors_before = {
            name: vector.copy() for name, vector in self.state.optimizer.vectors.items()
        }
        self.constant = type(loop.schedule) is ConstantRate
        self.may_skip_epochs = (
            self.constant
            and self.batches.per_epoch == 1
            and not (loop.after_step or loop.after_epoch or self.batches.augment)
            and loop.validation is None
            and not loop.plan.metrics
        )

    def run(self) -> None:
        """Train until the epochs are done, a callback stops it, or Ctrl-C."""
        left = self.loop.plan.epochs
        with self.compiled.workers() as self.workers:
            while left and not self.history.stopped_because:
                if self.may_skip_epochs:
                    left -= self._epochs_of_one_step(left)
                else:
                    self._epoch()
                    left -= 1
                if self.loop.interrupt.requested:
                    self.history.stop("interrupted by Ctrl-C")
            if not self.history.stopped_because:
                self.history.stop(f"all {self.loop.plan.epochs} epochs done")
            self._check_last_update()

    def _epoch(self) -> None:
        epoch, steps, loss = self.state.epoch, self.batches.per_epoch, 0.0
        self.state.epoch += 1
        done = 0
        for samples, order in self._sources(epoch):
            self.compiled.take(samples)
            stop = done + -(-len(samples) // self.batches.batch_size)
            first = done
            while done < stop:
                count = min(self.steps_at_once, stop - done)
                rates = self._rates(epoch, done, count)
                loss += self._piece(samples, order, done - first, rates)
                done += count
                for after_step in self.loop.after_step:
                    after_step(self.loop.network, self.history)
                if self.loop.interrupt.requested:
                    self.history.stop("interrupted by Ctrl-C")
                if self.history.stopped_because and done < steps:
                    return  # in the middle of an epoch: it gets no row
        self.loop.end_epoch(loss, steps)

    def _epochs_of_one_step(self, left: int) -> int:
        """Make several epochs whose only batch is all samples; returns how many."""
        samples, order = next(self._sources(0))
        self.compiled.take(samples)
        count = min(self.steps_at_once, left)
        before = self.history.iterations
        self._piece(samples, order, 0, self._rates(self.state.epoch, 0, count))
        made = self.history.iterations - before
        self.history.record_epochs_of_one_step(made)
        self.state.epoch += made
        return made

    def _rates(self, epoch: int, done: int, count: int) -> Array:
        """Learning rate of each of the next steps."""
        schedule, state, steps = self.loop.schedule, self.state.schedule, self.batches.per_epoch
        if self.constant:
            return np.full(count, schedule.rate(epoch, state), np.float64)
        return np.array(
            [schedule.rate(epoch + number / steps, state) for number in range(done, done + count)]
        )

    def _piece(self, samples: Samples, order: Array | None, first: int, rates: Array) -> float:
        """Make the steps of these rates; returns their part of the epoch's loss."""
        began = time.perf_counter()
        self._remember()
        # The last step is made by itself: what the parameters were before it is what to go back
        # to, should the next piece find that its update was one too many.
        losses, norms, made = np.empty((len(rates), 2)), np.empty(len(rates)), 0
        for stop in (len(rates) - 1, len(rates)):
            if stop == made:
                continue
            np.copyto(self.before_last, self.loop.storage)
            step = self.state.step + made
            count, losses[made:stop], norms[made:stop] = self.compiled.steps(
                self.workers, first + made, rates[made:stop], order, step
            )
            if count < stop - made:
                self._go_back()
                return self._replay(samples, order, first, rates)
            made = stop
        self.loop.last_finite, self.before_last = self.before_last, self.loop.last_finite
        self._learn_pace((time.perf_counter() - began) / made)
        self.state.step += made
        totals = losses.sum(axis=1)
        self.history.record_steps(totals, rates, norms)
        self.loop.bar.step(float(totals[-1]), made)
        if self.loop.sums:
            return float(losses[:, 0].sum() + losses[:, 1].sum() / self.batches.per_epoch)
        rows = [self._rows(len(samples), first + number) for number in range(made)]
        return float(totals @ np.array(rows)) / self.batches.count

    def _first_steps(self) -> int:
        work = self.compiled.program.plan.work * self.batches.batch_size
        return max(1, int(_FIRST_SECONDS / (_STEP + work * _MULTIPLICATION)))

    def _learn_pace(self, seconds_per_step: float) -> None:
        if not self.loop.after_step:
            fitting = int(_SECONDS / max(seconds_per_step, 1e-9))
            self.steps_at_once = min(max(fitting, 1), 8 * self.steps_at_once)

    def _rows(self, count: int, step: int) -> int:
        """Samples in a batch: the last one has what is left."""
        size = self.batches.batch_size
        return min(size, count - step % -(-count // size) * size)

    # --- where samples come from ------------------------------------------------------------

    def _sources(self, epoch: int) -> Iterator[tuple[Samples, Array | None]]:
        """Arrays of samples and their order: all at once, or as many as memory should hold."""
        samples, batches = self.batches.samples, self.batches
        if batches.augment:
            for batch in batches.epoch(epoch):
                yield ready(batch, self.dtype), None
        elif not isinstance(samples.x, StoredInputs):
            yield ready(samples, self.dtype), batches.order(epoch)
        elif batches.batch_size == batches.count:
            yield ready(samples.row_range(0, batches.count), self.dtype), None
        else:
            order = batches.order(epoch)
            size = batches.batch_size * max(1, self._most_rows() // batches.batch_size)
            for start in range(0, batches.count, size):
                stop = min(start + size, batches.count)
                rows = np.arange(start, stop) if order is None else order[start:stop]
                yield ready(samples.rows(rows).row_range(0, stop - start), self.dtype), None

    def _most_rows(self) -> int:
        numbers = int(np.prod(self.batches.samples.x.shape[1:]))
        return max(1, _NUMBERS_AT_ONCE // numbers)

    # --- when numbers stop being finite -----------------------------------------------------

    def _remember(self) -> None:
        """Keep everything that the next piece changes."""
        optimizer = self.state.optimizer
        self.step_before = optimizer.step
        np.copyto(self.storage_before, self.loop.storage)
        for name, vector in optimizer.vectors.items():
            np.copyto(self.vectors_before[name], vector)

    def _go_back(self) -> None:
        """Undo the piece that was begun."""
        optimizer = self.state.optimizer
        optimizer.step = self.step_before
        self.loop.storage[...] = self.storage_before
        for name, vector in self.vectors_before.items():
            optimizer.vectors[name][...] = vector

    def _replay(self, samples: Samples, order: Array | None, first: int, rates: Array) -> float:
        """Make the steps of a failed piece again by the reference engine.

        It says where the first number stood that was not finite, and puts the last finite
        parameters back. Should its sums, rounded otherwise, stay finite, training goes on.
        """
        loss, size = 0.0, self.batches.batch_size
        for number, rate in enumerate(rates, start=first):
            start = number % -(-len(samples) // size) * size
            rows = slice(start, start + size) if order is None else order[start : start + size]
            weight = None if samples.weight is None else samples.weight[rows]
            loss += self.loop.step(Samples(samples.x[rows], samples.y[rows], weight), rate)
        return loss

    def _check_last_update(self) -> None:
        """No further step would notice what the last update did, so look once more."""
        if self.history.iterations and not self.compiled.is_finite(self.workers):
            some = self.loop.samples.row_range(0, self.batches.batch_size)
            self.loop.stop_where_not_finite(some)


def ready(samples: Samples, dtype: np.dtype[Any]) -> Samples:
    """The same samples the way compiled code reads them: contiguous, labels as int64."""
    y, weight = samples.y, samples.weight
    return Samples(
        np.ascontiguousarray(samples.x[:], dtype),
        np.ascontiguousarray(y, np.int64 if y.dtype.kind == "i" else dtype),
        None if weight is None else np.ascontiguousarray(weight, dtype),
    )

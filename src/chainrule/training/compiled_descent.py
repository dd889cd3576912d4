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
from chainrule.schedules import ConstantRate, Schedule
from chainrule.stored import StoredInputs

if TYPE_CHECKING:
    from chainrule.engines.compiled.training import CompiledTraining

_SECONDS = 0.2  # that a piece should take: so long Ctrl-C may have to wait
_FIRST_SECONDS = 0.005  # that the first piece should take, from which the pace is learned
_STEP, _MULTIPLICATION = 5e-7, 2e-11  # seconds, at most
_MOST_STEPS = 8192  # in a piece: snapshots for going back stand between two
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
        self.may_skip_epochs = (
            type(loop.schedule).observe is Schedule.observe
            and self.batches.per_epoch == 1
            and not (loop.after_step or loop.after_epoch or self.batches.augment)
            and loop.validation is None
            and not loop.plan.metrics
            and not loop.keepers
        )

    def run(self) -> None:
        """Train until the epochs are done, a callback stops it, or Ctrl-C."""
        left = self.loop.epochs_left
        with self.compiled.workers() as self.workers:
            while left and not self.history.stopped_because:
                if self.may_skip_epochs:
                    left -= self._epochs_of_one_step(left)
                else:
                    self._epoch()
                    left -= 1
                self.loop.heed_interrupt()
            if not self.history.stopped_because:
                self.history.stop(f"all {self.loop.plan.epochs} epochs done")
            if self.loop.plan.steps is None:
                self._check_last_update()

    def _epoch(self) -> None:
        loop, history, steps = self.loop, self.history, self.batches.per_epoch
        epoch, first = loop.begin_epoch()
        for start, samples, order in self._sources(epoch, first):
            self._take(samples)
            stop = start + -(-len(samples) // self.batches.batch_size)
            while (done := loop.batches_done) < stop:
                count = min(self._most_steps(), stop - done)
                self._piece(samples, order, done - start, self._rates(epoch, done, count))
                loop.batches_done += count
                if loop.after_step:
                    loop.call("after_step", loop.after_step)
                    self._follow()
                loop.heed_interrupt()
                if loop.batches_done < steps:
                    if self.state.step >= loop.next_look:
                        loop.look()
                    if history.stopped_because:
                        return  # in the middle of an epoch: it gets no row
        loop.end_epoch()
        self._follow()

    def _epochs_of_one_step(self, left: int) -> int:
        """Make several epochs whose only batch is all samples; returns how many."""
        loop, epoch = self.loop, self.state.epoch
        _, samples, order = next(self._sources(0, 0))
        self._take(samples)
        count = min(self._most_steps(), left)
        self._piece(samples, order, 0, self._rates(epoch, 0, count))
        if count < left and self.state.step >= loop.next_look:
            loop.look()
        return count

    def _take(self, samples: Samples) -> None:
        self.taken = samples
        self.compiled.take(samples)

    def _follow(self) -> None:
        """Go on with a new program where a callback has changed what the old one was made for."""
        if self.loop.compiled is not self.compiled:
            self.compiled = self.loop.compiled
            self.compiled.take(self.taken)

    def _most_steps(self) -> int:
        """How many steps may be made at once."""
        return int(min(self.steps_at_once, self.loop.must_look_at - self.state.step))

    def _rates(self, epoch: int, done: int, count: int) -> Array:
        """Learning rate of each of the next steps."""
        schedule, state, steps = self.loop.schedule, self.state.schedule, self.batches.per_epoch
        if type(schedule) is ConstantRate:
            return np.full(count, schedule.rate(epoch, state), np.float64)
        times = [epoch + number / steps for number in range(done, done + count)]
        return np.array([schedule.rate(time, state) for time in times])

    def _piece(self, samples: Samples, order: Array | None, first: int, rates: Array) -> None:
        """Make the steps of these rates, and add up their part of the epoch's loss."""
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
                self._make_by_reference(samples, order, first, rates)
                return
            made = stop
        self.loop.last_finite, self.before_last = self.before_last, self.loop.last_finite
        self._learn_pace((time.perf_counter() - began) / made)
        self.state.step += made
        totals = losses.sum(axis=1)
        self.history.record_steps(totals, rates, norms)
        self.loop.bar.step(float(totals[-1]), made)
        if self.may_skip_epochs:
            self.history.record_epochs_of_one_step(made)
            self.state.epoch += made
        else:
            self._add_up(losses, len(samples), first)

    def _add_up(self, losses: Array, count: int, first: int) -> None:
        """Add the losses of these steps to the epoch's, one by one: pieces must not show in it."""
        loop, per_epoch = self.loop, self.batches.per_epoch
        if loop.sums:
            parts, penalties = losses[:, 0] + losses[:, 1] / per_epoch, losses[:, 1] / per_epoch
        else:
            size = self.batches.batch_size
            start = (first + np.arange(len(losses))) % -(-count // size) * size
            share = np.minimum(size, count - start) / self.batches.count
            parts, penalties = losses.sum(axis=1) * share, losses[:, 1] * share
        loop.epoch_loss = float(np.cumsum(np.append(loop.epoch_loss, parts))[-1])
        loop.epoch_penalty += float(penalties.sum())

    def _first_steps(self) -> int:
        work = self.compiled.program.plan.work * self.batches.batch_size
        fitting = int(_FIRST_SECONDS / (_STEP + work * _MULTIPLICATION))
        return min(max(1, fitting), _MOST_STEPS)

    def _learn_pace(self, seconds_per_step: float) -> None:
        if not self.loop.after_step:
            fitting = int(_SECONDS / max(seconds_per_step, 1e-9))
            self.steps_at_once = min(max(fitting, 1), 8 * self.steps_at_once, _MOST_STEPS)

    # --- where samples come from ------------------------------------------------------------

    def _sources(self, epoch: int, first: int) -> Iterator[tuple[int, Samples, Array | None]]:
        """Arrays of samples: all at once, or as many as memory should hold.

        Each with the number of its first batch and with the order of its rows. What lies before
        batch ``first`` is left out.
        """
        samples, batches = self.batches.samples, self.batches
        if batches.augment:
            for number, batch in enumerate(batches.epoch(epoch, first), start=first):
                yield number, ready(batch, self.dtype), None
        elif not isinstance(samples.x, StoredInputs):
            yield 0, ready(samples, self.dtype), batches.order(epoch)
        elif batches.batch_size == batches.count:
            yield 0, ready(samples.row_range(0, batches.count), self.dtype), None
        else:
            order = batches.order(epoch)
            at_once = max(1, self._most_rows() // batches.batch_size)  # batches
            for number in range(first - first % at_once, batches.per_epoch, at_once):
                start = number * batches.batch_size
                stop = min(start + at_once * batches.batch_size, batches.count)
                rows = np.arange(start, stop) if order is None else order[start:stop]
                taken = samples.rows(rows).row_range(0, stop - start)
                yield number, ready(taken, self.dtype), None

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

    def _make_by_reference(
        self, samples: Samples, order: Array | None, first: int, rates: Array
    ) -> None:
        """Make the steps of a failed piece again by the reference engine.

        It says where the first number stood that was not finite, and puts the last finite
        parameters back. Should its sums, rounded otherwise, stay finite, training goes on. The
        snapshots from before and after say that these steps were the reference engine's.
        """
        loop, size = self.loop, self.batches.batch_size
        loop.change_engine("reference")
        begins = not (loop.batches_done or self.may_skip_epochs)
        self.state.epoch -= begins  # in the snapshot the epoch has not begun yet
        if self.state.step >= loop.next_look:
            loop.look()
        self.state.epoch += begins
        for number, rate in enumerate(rates.tolist(), start=first):
            start = number % -(-len(samples) // size) * size
            rows = slice(start, start + size) if order is None else order[start : start + size]
            weight = None if samples.weight is None else samples.weight[rows]
            self.state.epoch += self.may_skip_epochs
            loop.epoch_loss += loop.step(Samples(samples.x[rows], samples.y[rows], weight), rate)
            if self.may_skip_epochs:
                self.history.record_epochs_of_one_step(1)
        loop.change_engine("compiled")

    def _check_last_update(self) -> None:
        """No further step would notice what the last update did, so look once more."""
        made = self.history.iterations > self.loop.iterations_before
        if made and not self.compiled.is_finite(self.workers):
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

"""A plan made ready to run: its table of kernels, its memory, and how work is shared."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import Any

import numpy as np

from chainrule.engines.compiled import kernel as place
from chainrule.engines.compiled import loop
from chainrule.engines.compiled.loop import run_steps
from chainrule.engines.compiled.plan import Buffer, Plan
from chainrule.engines.compiled.randomness import seed_words
from chainrule.engines.compiled.workers import Workers
from chainrule.layer import Array

_WORTH_A_SHARD = 1_500_000  # multiplications below which a part of a batch is not worth a thread
_WORTH_THREADS = 600_000  # multiplications in a step below which one thread does it all
MOST_SHARDS = 8
_CACHE = 1_000_000  # bytes of intermediate numbers that stay in the cache of one core
_MOST_ROWS = 256
_LINE = 64  # bytes of a line of the cache


@dataclass
class Moment:
    """Where a run stands when Python is called to do its part.

    Attributes
    ----------
    program : Program
    rows : int
        Samples in this batch.
    seed : int
    rate : float
    """

    program: Program
    rows: int
    seed: int
    rate: float

    @property
    def step(self) -> int:
        """Number of the step since training began."""
        return int(self.program.contexts[0, place.STEP])

    def values(self, buffer: Buffer) -> Array:
        """What stands in a buffer, (rows, *shape); a view."""
        return self.program.values(buffer, self.rows)


class Program:
    """A plan with its memory.

    How the batch is cut depends on the network and the size of the batch alone, never on the number
    of threads: so the results have the same bits on any number of them.

    Parameters
    ----------
    plan : Plan
        Complete.
    batch : int
        Samples in a full batch.
    threads : int
        How many may take part.
    shards_at_most : int
    """

    def __init__(self, plan: Plan, batch: int, threads: int, *, shards_at_most: int = MOST_SHARDS):
        self.plan = plan
        self.batch = batch
        dtype = plan.dtype
        worthy = max(1, -(-_WORTH_A_SHARD // max(plan.work, 1)))
        shards = min(max(batch // worthy, 1), shards_at_most)
        self.shard_rows = -(-batch // shards)
        self.block = self._block()
        self.shards = -(-batch // self.shard_rows)
        self.threads = threads if plan.work * batch > _WORTH_THREADS else 1
        capacity = batch if plan.wide else self.block
        self.ops, self.phases = plan.table(capacity)
        self.arena = _zeros(1 if plan.wide else self.threads, plan.size * capacity, dtype)
        self.scratch = _zeros(self.threads, plan.scratch, dtype)
        self.shard_room = _zeros(self.threads, plan.shard_room, dtype)
        self.partials = np.zeros((self.shards, plan.partials))
        self.barrier = np.zeros(8, np.int64)
        self.job = np.zeros(loop.JOB_LENGTH, np.int64)
        self.job[loop.SHARD_ROWS] = self.shard_rows
        self.job[loop.BLOCK] = self.block
        self.job[loop.WIDE] = plan.wide
        self.job[loop.LAST_PHASE] = len(self.phases)
        self.contexts = np.zeros((self.threads, place.CONTEXT_LENGTH), np.int64)
        for thread, context in enumerate(self.contexts):
            context[place.PARTIALS] = self.partials.ctypes.data
            context[place.PARTIALS_LENGTH] = plan.partials
            context[place.SCRATCH] = self.scratch[thread].ctypes.data
            context[place.SHARD_ROOM] = self.shard_room[thread].ctypes.data
        self.shard_gradients = self.gradients = np.zeros(1, dtype)

    def _block(self) -> int:
        """Samples that go through the layers together: as many as stay in the cache."""
        fitting = _CACHE // max(self.plan.size * self.plan.dtype.itemsize, 1)
        most = min(max(fitting, 1), _MOST_ROWS, self.shard_rows)
        return -(-self.shard_rows // -(-self.shard_rows // most))  # blocks of equal size

    @property
    def bytes(self) -> int:
        """Memory it works in."""
        held = (
            self.arena, self.scratch, self.shard_room, self.partials, self.shard_gradients,
            self.gradients,
        )  # fmt: skip
        return sum(array.nbytes for array in held)

    def set(self, name: int, value: int) -> None:
        """Set one value in the contexts of all threads."""
        self.contexts[:, name] = value

    def set_seed(self, seed: int) -> None:
        """Say what the random numbers of all steps follow from."""
        self.seed_words = seed_words(seed)
        self.set(place.SEED, self.seed_words.ctypes.data)

    def values(self, buffer: Buffer, rows: int) -> Array:
        """Look at what stands in a buffer of a wide plan, (rows, *shape)."""
        start = buffer.start * self.batch
        return self.arena[0, start : start + rows * buffer.size].reshape(rows, *buffer.shape)

    def run(
        self,
        workers: Workers,
        storage: Array,
        rates: Array,
        losses: Array,
        norms: Array,
        seed: int = 0,
    ) -> int:
        """Make the job's steps; returns how many could be made."""
        if all(phase.python is None for phase in self.plan.phases):
            return self._run_phases(workers, storage, rates, losses, norms)
        job = self.job
        first = job[loop.FIRST_STEP]
        job[loop.STEPS] = 1
        for number, rate in enumerate(rates):
            job[loop.FIRST_STEP] = first + number
            moment = Moment(self, self.rows_of_step(first + number), seed, float(rate))
            results = (rates[number:], losses[number:], norms[number:])
            if not self._make_step(workers, storage, moment, *results):
                return number
        return len(rates)

    def _make_step(self, workers: Workers, storage: Array, moment: Moment, *results: Array) -> bool:
        """Make one step that Python takes part in; returns whether its numbers were finite."""
        counters = self.contexts[:, [place.STEP, place.UPDATE]].copy()
        last = int(self.job[loop.LAST_PHASE])
        phase = 0
        while phase < last:
            function = self.plan.phases[phase].python
            stop = phase + 1
            if function is not None:
                function(moment)
            else:
                while stop < last and self.plan.phases[stop].python is None:
                    stop += 1
                self.job[loop.FIRST_PHASE], self.job[loop.LAST_PHASE] = phase, stop
                made = self._run_phases(workers, storage, *results)
                self.contexts[:, [place.STEP, place.UPDATE]] = counters
                self.job[loop.FIRST_PHASE], self.job[loop.LAST_PHASE] = 0, last
                if not made:
                    return False
            phase = stop
        self.contexts[:, [place.STEP, place.UPDATE]] += 1
        return True

    def rows_of_step(self, step: int) -> int:
        """Samples in a step's batch: the last one of an epoch has what is left."""
        size, count = int(self.job[loop.BATCH_SIZE]), int(self.job[loop.COUNT])
        return min(size, count - step % -(-count // size) * size)

    def _run_phases(
        self, workers: Workers, storage: Array, rates: Array, losses: Array, norms: Array
    ) -> int:
        self.barrier[:] = 0
        call = functools.partial(self._run_thread, storage, rates, losses, norms)
        return int(workers.run(call, min(self.threads, workers.threads)))

    def _run_thread(
        self, storage: Array, rates: Array, losses: Array, norms: Array, thread: int, threads: int
    ) -> Any:
        return run_steps(
            thread,
            threads,
            self.barrier,
            self.job,
            self.ops,
            self.phases,
            self.contexts[thread],
            self.arena[thread if len(self.arena) > 1 else 0],
            storage,
            self.shard_gradients,
            self.gradients,
            rates,
            losses,
            norms,
        )


def _zeros(rows: int, columns: int, dtype: np.dtype[Any]) -> Array:
    """Zeros of which each row begins on a line of the cache, as vector instructions like it."""
    whole = -(-max(columns, 1) * dtype.itemsize // _LINE) * _LINE
    room = np.zeros(rows * whole + _LINE, np.uint8)
    start = -room.ctypes.data % _LINE
    return room[start : start + rows * whole].view(dtype).reshape(rows, -1)[:, : max(columns, 1)]

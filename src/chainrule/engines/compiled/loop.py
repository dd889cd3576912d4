"""The loop over the steps of a training, in compiled code: feedforward, loss, backprop, update.

``run_steps`` is what every thread runs. It knows nothing of layers: it takes the plan's phases in
their order and calls the kernels. Between phases the threads meet at a barrier, so they share
nothing but what a phase before has finished.

Who does which piece of work has no influence on the numbers. Blocks and shards are cut by the plan,
sums over shards are taken in the order of the shards. So the bits are the same on any number of
threads.
"""

from __future__ import annotations

import os
from typing import Any

import numpy as np
from numba import njit, types

from chainrule.engines.compiled.kernel import (
    ADDRESS,
    BATCH,
    BEGINS,
    CAN_CACHE,
    ENDS,
    FIRST_SETTING,
    LOSS_SCALE,
    NORMS,
    OP_LENGTH,
    ORDER,
    PART,
    PARTIALS,
    PARTIALS_LENGTH,
    PENALTY_SCALE,
    RATE,
    SAMPLE,
    SHARD,
    SHARDS,
    SHRINK,
    START,
    STEP,
    TICKS,
    TOTAL,
    UPDATE,
    WEIGHT,
    bits,
    helper,
    number,
)
from chainrule.engines.compiled.native import (
    atomic_add,
    atomic_read,
    call_kernel,
    float64_at,
    int64_at,
    pointer_like,
    pointer_to,
    shift,
    ticks,
)

# What a job says: places in an array of int64.
STEPS = 0  # how many steps to make
BATCH_SIZE = 1
COUNT = 2  # samples in an epoch
FIRST_STEP = 3  # place in the epoch of the first of these steps
SHARD_ROWS = 4  # samples of a shard in a full batch
BLOCK = 5  # samples that go through the layers together
WIDE = 6  # 1 where buffers hold the whole batch
FIRST_PHASE, LAST_PHASE = 7, 8  # which phases to go through
MEAN_OF = 10  # 0: the loss sums; else the outputs that each sample's terms are averaged over
CLIP_NORM = 11  # as bits, 0 for none
PARTS_OF_NORM = 12  # how many partial sums make the gradient's length
GRADIENTS_OF_SHARDS = 13  # 1 where shards sum up gradients of their own
PENALTIES_FOR = 14  # as bits, weight of a batch that penalties are stated for; 0: for any
JOB_LENGTH = 16

_ROWS, _PARTS, _CHECK, _CLIP = 0, 1, 2, 3  # kinds of phases, as in plan.py

_SPINS = 2000  # looks at the barrier before giving the core to someone else

if os.name == "posix":
    _yield_to_others = types.ExternalFunction("sched_yield", types.int32())
else:  # pragma: no cover

    @helper
    def _yield_to_others() -> int:
        return 0


@helper
def _meet(barrier: Any, threads: int, meeting: int) -> int:
    """Wait until all threads have come to this meeting; returns the number of the next one."""
    if threads > 1:
        atomic_add(barrier, 1)
        spins = 0
        while atomic_read(barrier) < threads * (meeting + 1):
            spins += 1
            if spins > _SPINS:
                _yield_to_others()
    return meeting + 1


@njit(nogil=True, cache=CAN_CACHE, error_model="numpy", boundscheck=False)
def run_steps(
    thread: int,
    threads: int,
    barrier_array: Any,
    job: Any,
    ops_array: Any,
    phases: Any,
    context_array: Any,
    arena_array: Any,
    parameters_array: Any,
    shard_gradients_array: Any,
    gradients_array: Any,
    rates: Any,
    losses: Any,
    norms: Any,
) -> int:
    """Make the steps of a job, as one of several threads that all make them together.

    Returns
    -------
    int
        How many steps were made; fewer than asked for where a loss or a gradient was not finite.
    """
    barrier, ops, context = (
        pointer_to(barrier_array),
        pointer_to(ops_array),
        pointer_to(context_array),
    )
    arena, parameters = pointer_to(arena_array), pointer_to(parameters_array)
    shard_gradients, gradients = pointer_to(shard_gradients_array), pointer_to(gradients_array)
    parameter_count = len(gradients_array)
    per_epoch = -(-job[COUNT] // job[BATCH_SIZE])
    partials = float64_at(context[PARTIALS])
    meeting = 0
    for step in range(job[STEPS]):
        # Only the last step is timed, so that looking at the clock costs nothing.
        timed = thread == 0 and step + 1 == job[STEPS]
        start = (job[FIRST_STEP] + step) % per_epoch * job[BATCH_SIZE]
        batch = min(job[BATCH_SIZE], job[COUNT] - start)
        shards = -(-batch // job[SHARD_ROWS])
        context[START], context[BATCH], context[SHARDS] = start, batch, shards
        context[RATE] = bits(rates[step])
        context[SHRINK] = bits(1.0)
        weight = _weight(job, context, arena, start, batch)
        context[LOSS_SCALE] = bits(1.0 / (weight * job[MEAN_OF]) if job[MEAN_OF] != 0 else 1.0)
        shared = job[PENALTIES_FOR] != 0
        context[PENALTY_SCALE] = bits(number(job[PENALTIES_FOR]) / weight if shared else 1.0)
        if timed:
            for index in range(phases[job[FIRST_PHASE], 1], phases[job[LAST_PHASE] - 1, 2]):
                ops[index * OP_LENGTH + TICKS] = 0
        for phase in range(job[FIRST_PHASE], job[LAST_PHASE]):
            kind, first_op, last_op = phases[phase, 0], phases[phase, 1], phases[phase, 2]
            if kind == _ROWS:
                for shard in range(thread, shards, threads):
                    context[SHARD] = shard
                    if phase == 0:
                        for i in range(context[PARTIALS_LENGTH]):
                            partials[shard * context[PARTIALS_LENGTH] + i] = 0.0
                    into = gradients
                    if job[GRADIENTS_OF_SHARDS] != 0:
                        into = shift(shard_gradients, shard * parameter_count)
                        if phase == 0:
                            for i in range(parameter_count):
                                into[i] = 0
                    end = min((shard + 1) * job[SHARD_ROWS], batch)
                    for sample in range(shard * job[SHARD_ROWS], end, job[BLOCK]):
                        rows = min(job[BLOCK], end - sample)
                        context[SAMPLE] = sample
                        context[BEGINS] = sample == shard * job[SHARD_ROWS]
                        context[ENDS] = sample + rows == end
                        first = sample if job[WIDE] != 0 else 0
                        for index in range(first_op, last_op):
                            op = shift(ops, index * OP_LENGTH)
                            before = ticks() if timed else 0
                            call_kernel(
                                op[ADDRESS], shift(op, FIRST_SETTING), context, arena,
                                parameters, into, first, rows,
                            )  # fmt: skip
                            if timed:
                                op[TICKS] += ticks() - before
            elif kind == _PARTS:
                for index in range(first_op, last_op):
                    op = shift(ops, index * OP_LENGTH)
                    before = ticks() if timed else 0
                    # A thread takes neighbours: what it has just computed is in its own cache when
                    # the next phase goes through the same vector.
                    count = -(-op[TOTAL] // op[PART])
                    for piece in range(thread * count // threads, (thread + 1) * count // threads):
                        part = piece * op[PART]
                        call_kernel(
                            op[ADDRESS], shift(op, FIRST_SETTING), context, arena, parameters,
                            gradients, part, min(op[PART], op[TOTAL] - part),
                        )  # fmt: skip
                    if timed:
                        op[TICKS] += ticks() - before
            elif kind == _CHECK:
                # Every thread comes to the same result, so that none has to tell the others.
                loss, square, penalty = 0.0, 0.0, 0.0
                for shard in range(shards):
                    loss += partials[shard * context[PARTIALS_LENGTH]]
                sums = float64_at(context[NORMS])
                for part in range(job[PARTS_OF_NORM]):
                    square += sums[2 * part]
                    penalty += sums[2 * part + 1]
                norm = np.sqrt(square)
                if not (np.isfinite(loss + penalty) and np.isfinite(norm)):
                    return step
                context[SHRINK] = bits(_shrink(job, norm))
                if thread == 0:
                    losses[step, 0], losses[step, 1] = loss, penalty
                    norms[step] = norm
            elif kind == _CLIP:
                # The numbers of the gradient were cut off, so its length is another one now.
                sums = float64_at(context[NORMS])
                square = 0.0
                for part in range(job[PARTS_OF_NORM]):
                    square += sums[2 * part]
                context[SHRINK] = bits(_shrink(job, np.sqrt(square)))
            if phase + 1 < job[LAST_PHASE]:
                meeting = _meet(barrier, threads, meeting)
        context[UPDATE] += 1
        context[STEP] += 1
        meeting = _meet(barrier, threads, meeting)
    return job[STEPS]


@helper
def _shrink(job: Any, norm: float) -> float:
    """What a gradient of that length is multiplied with, so that it is no longer than allowed."""
    limit = number(job[CLIP_NORM])
    return limit / norm if limit > 0 and norm > limit else 1.0


@helper
def _weight(job: Any, context: Any, arena: Any, start: int, batch: int) -> float:
    """What the samples of a batch weigh together, where anything is divided by that."""
    if context[WEIGHT] == 0 or (job[MEAN_OF] == 0 and job[PENALTIES_FOR] == 0):
        return float(batch)
    weights = pointer_like(context[WEIGHT], arena)
    order = int64_at(context[ORDER])
    total = 0.0
    for place in range(start, start + batch):
        total += weights[order[place] if context[ORDER] != 0 else place]
    if total == 0:  # a batch that counts nothing; its penalties are those of a full one
        return number(job[PENALTIES_FOR]) if job[PENALTIES_FOR] != 0 else 1.0
    return total

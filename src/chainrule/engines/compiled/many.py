"""Many tiny networks: one call trains a whole lot of them, without Python in between."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
from numba import njit

from chainrule.engines.compiled import loop
from chainrule.engines.compiled.kernel import CAN_CACHE, ORDER, STEP, UPDATE
from chainrule.engines.compiled.loop import run_steps
from chainrule.engines.compiled.native import pointer_like, pointer_to
from chainrule.engines.compiled.training import CompiledTraining
from chainrule.layer import Array
from chainrule.samples import Samples


@njit(nogil=True, cache=CAN_CACHE, error_model="numpy", boundscheck=False)
def train_networks(
    thread: int,
    threads: int,
    barrier: Any,
    job: Any,
    ops: Any,
    phases: Any,
    context: Any,
    arena: Any,
    gradients: Any,
    remembered: Any,
    beginnings: Any,
    parameters: Any,
    learning_rates: Any,
    losses: Any,
    made: Any,
) -> None:
    """Train every ``threads``-th network from number ``thread`` on, each from its own start."""
    steps = losses.shape[1]
    rates, norms = np.empty(steps), np.empty(steps)
    parts = np.empty((steps, 2))
    for number in range(thread, len(parameters), threads):
        for which in range(len(remembered)):
            vector = pointer_like(remembered[which], pointer_to(gradients))
            for i in range(len(gradients)):
                vector[i] = beginnings[which]
        context[STEP], context[UPDATE] = 0, 1
        rates[:] = learning_rates[number]
        made[number] = run_steps(
            0, 1, barrier, job, ops, phases, context, arena, parameters[number],
            gradients, gradients, rates, parts, norms,
        )  # fmt: skip
        for step in range(made[number]):
            losses[number, step] = parts[step, 0] + parts[step, 1]


class ManyTinyTrainings:
    """Trains tiny networks of one shape on all their samples at once, on several threads.

    Parameters
    ----------
    trainings : sequence of CompiledTraining
        One for each thread; all of the same network.
    samples : Samples
        Contiguous arrays.
    """

    def __init__(self, trainings: Sequence[CompiledTraining], samples: Samples) -> None:
        self.trainings = trainings
        self._remembered = []
        for training in trainings:
            training.take(samples)
            training.program.set(ORDER, 0)
            vectors = training.state.vectors
            addresses = [vector.ctypes.data for vector in vectors.values()]
            starts = [training.state.starts[name] for name in vectors]
            self._remembered.append((np.array(addresses, np.int64), np.array(starts, np.float64)))

    def train(
        self, pool: ThreadPoolExecutor, parameters: Array, learning_rates: Array, losses: Array
    ) -> Array:
        """Make as many steps with each network as ``losses`` has room for.

        Parameters
        ----------
        pool : ThreadPoolExecutor
        parameters : ndarray (networks, count)
            The starts; afterwards what training has made of them.
        learning_rates : ndarray (networks,)
        losses : ndarray (networks, steps)
            Takes the loss of each step.

        Returns
        -------
        ndarray of int64 (networks,)
            Steps made: fewer where numbers stopped being finite.
        """
        made = np.zeros(len(parameters), np.int64)
        running = [
            pool.submit(self._train, thread, parameters, learning_rates, losses, made)
            for thread in range(len(self.trainings))
        ]
        for future in running:
            future.result()
        return made

    def _train(
        self, thread: int, parameters: Array, rates: Array, losses: Array, made: Array
    ) -> None:
        program = self.trainings[thread].program
        program.job[loop.STEPS] = losses.shape[1]
        program.job[loop.FIRST_STEP] = 0
        program.job[loop.LAST_PHASE] = len(program.phases)
        train_networks(
            thread,
            len(self.trainings),
            program.barrier,
            program.job,
            program.ops,
            program.phases,
            program.contexts[0],
            program.arena[0],
            program.gradients,
            *self._remembered[thread],
            parameters,
            rates,
            losses,
            made,
        )

"""Prediction by the compiled engine: the way forward alone, for any number of samples."""

from __future__ import annotations

import threading

import numpy as np

from chainrule.engines.compiled import kernel as place
from chainrule.engines.compiled import loop
from chainrule.engines.compiled.kernel import OUTPUT, SAMPLE, START, kernel
from chainrule.engines.compiled.native import copy_numbers, pointer_like, shift
from chainrule.engines.compiled.plan import Plan, Twin
from chainrule.engines.compiled.program import Program
from chainrule.engines.compiled.python_layer import python_positions, twin_or_python
from chainrule.engines.compiled.report import Report, report_of
from chainrule.engines.compiled.samples import take_inputs
from chainrule.engines.compiled.workers import Workers, available_threads
from chainrule.layer import Array, Layer, Shape
from chainrule.parameters import ParameterVector

__all__ = ["CompiledPrediction", "available_threads"]

_ROWS_OF_WIDE = 1024
_RATES, _LOSSES = np.zeros(1 << 12), np.zeros((1, 2))  # which prediction has not
_ALONE = Workers(1)
_PIECES = 64  # a call's samples are cut into at most so many, for the threads to share


@kernel
def give_outputs(op, context, arena, parameters, gradients, first, rows):
    """Copy the outputs of the block's samples to where the caller wants them."""
    at, size = op[0], op[1]
    into = pointer_like(context[OUTPUT], arena)
    start = context[START] + context[SAMPLE]
    copy_numbers(shift(arena, at + first * size), shift(into, start * size), rows * size)


class CompiledPrediction:
    """One network's way forward, compiled.

    Parameters
    ----------
    layers : sequence of Layer
    shapes : list of tuple of int
        Before the first layer and after each.
    parameters : ParameterVector
    threads : int
    """

    def __init__(
        self,
        layers: tuple[Layer, ...],
        shapes: list[Shape],
        parameters: ParameterVector,
        threads: int,
    ) -> None:
        self.layers = layers
        self.parameters = parameters
        self.output_shape = shapes[-1]
        self.shapes = shapes
        plan = self._planned(wide=False)
        if plan.needs_wide:
            plan = self._planned(wide=True)
        self.program = Program(plan, _ROWS_OF_WIDE, threads)
        self.block = self.program.block
        self.program.partials = np.zeros((_PIECES, plan.partials))
        self.program.set(place.PARTIALS, self.program.partials.ctypes.data)
        self._lock = threading.Lock()  # the buffers serve one call at a time

    def _planned(self, *, wide: bool) -> Plan:
        plan = Plan(self.parameters, training=False, wide=wide)
        x = output = plan.buffer(self.shapes[0])
        plan.rows(take_inputs, x, x.size)
        self.twins: list[Twin] = []
        for position, layer in enumerate(self.layers):
            plan.owner = position
            self.twins.append(twin_or_python(layer, (position,), self.shapes[position], plan))
            output = self.twins[-1].feedforward(output)
        plan.owner = len(self.layers)
        plan.rows(give_outputs, output, output.size)
        return plan

    def outputs(self, x: Array) -> Array:
        """Compute ŷ for samples (batch, *input shape), contiguous and of the network's dtype."""
        found = np.empty((len(x), *self.output_shape), x.dtype)
        program, job = self.program, self.program.job
        blocks = -(-len(x) // self.block)
        with self._lock:
            job[loop.SHARD_ROWS] = -(-blocks // _PIECES) * self.block
            job[loop.COUNT] = len(x)
            job[loop.BATCH_SIZE] = min(len(x), _ROWS_OF_WIDE) if program.plan.wide else len(x)
            job[loop.STEPS] = -(-len(x) // job[loop.BATCH_SIZE])
            program.set(place.X, x.ctypes.data)
            program.set(place.OUTPUT, found.ctypes.data)
            if blocks == 1:
                self._run(_ALONE)  # too little for threads, and for those of BLAS
            else:
                with Workers(program.threads) as workers:
                    self._run(workers)
        return found

    def _run(self, workers: Workers) -> None:
        rates = _RATES[: self.program.job[loop.STEPS]]
        self.program.run(workers, self.parameters.storage, rates, _LOSSES, rates)

    def report(self) -> Report:
        """Tell what ran on what, and how long it took in the last call."""
        return report_of(self.program, self.layers, python_positions(self.twins))

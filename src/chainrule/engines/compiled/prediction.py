"""Prediction by the compiled engine: the way forward alone, for any number of samples."""

from __future__ import annotations

import threading
from typing import Any

import numpy as np
from numba import njit

from chainrule.activation import Activation
from chainrule.engines.compiled import kernel as place
from chainrule.engines.compiled import loop
from chainrule.engines.compiled.activations import activation_twin
from chainrule.engines.compiled.elementwise import add_to_loss
from chainrule.engines.compiled.kernel import (
    CAN_CACHE,
    OUTPUT,
    PARTIALS,
    SAMPLE,
    START,
    X,
    flat,
    kernel,
)
from chainrule.engines.compiled.loop import BATCH_SIZE, COUNT, SHARD_ROWS, STEPS, run_steps
from chainrule.engines.compiled.native import copy_numbers, float64_at, pointer_like, shift
from chainrule.engines.compiled.plan import Plan
from chainrule.engines.compiled.program import Program
from chainrule.engines.compiled.python_layer import python_positions, twin_or_python
from chainrule.engines.compiled.report import Report, report_of
from chainrule.engines.compiled.samples import take_inputs
from chainrule.engines.compiled.twin import Twin
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
    """Copy the outputs of the block's samples to where the caller wants them.

    In passing it finds out whether the inputs and the outputs are finite: x · 0 is 0 for numbers
    and NaN for what is none. What is added to the shard's first sum is 0 or NaN.
    """
    at, size, x_at, x_size = op[0], op[1], op[2], op[3]
    into = pointer_like(context[OUTPUT], arena)
    start = context[START] + context[SAMPLE]
    outputs = flat(arena, at + first * size, rows * size)
    inputs = flat(arena, x_at + first * x_size, rows * x_size)
    zero = outputs.dtype.type(0)
    nothing = zero
    for i in range(rows * x_size):
        nothing += inputs[i] * zero
    for i in range(rows * size):
        nothing += outputs[i] * zero
    add_to_loss(context, nothing)
    copy_numbers(shift(arena, at + first * size), shift(into, start * size), rows * size)


@njit(cache=CAN_CACHE, error_model="numpy", boundscheck=False)
def predict_alone(
    x: Any,
    outputs: Any,
    barrier: Any,
    job: Any,
    ops: Any,
    phases: Any,
    context: Any,
    arena: Any,
    rates: Any,
    losses: Any,
    storage: Any,
    nothing: Any,
) -> float:
    """Predict a few samples on the calling thread; returns 0, or NaN where something is not finite.

    The same as a run of the program, with less to hand over from Python: for one row that takes
    longer than the mathematics.
    """
    rows = x.shape[0]
    job[SHARD_ROWS] = job[COUNT] = job[BATCH_SIZE] = rows
    job[STEPS] = 1
    context[X], context[OUTPUT] = x.ctypes.data, outputs.ctypes.data
    run_steps(
        0, 1, barrier, job, ops, phases, context, arena, storage, nothing, nothing,
        rates, losses, rates,
    )  # fmt: skip
    return float64_at(context[PARTIALS])[0]


class CompiledPrediction:
    """One network's way forward, compiled.

    Parameters
    ----------
    layers : sequence of Layer
    shapes : list of tuple of int
        Before the first layer and after each.
    parameters : ParameterVector
    threads : int
    last_activation : Activation, optional
        What turns the network's outputs into predictions.
    """

    def __init__(
        self,
        layers: tuple[Layer, ...],
        shapes: list[Shape],
        parameters: ParameterVector,
        threads: int,
        last_activation: Activation | None = None,
    ) -> None:
        self.layers = layers
        self.last_activation = last_activation
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
        self._dtype = plan.dtype
        program = self.program
        self._alone = (
            program.barrier, program.job, program.ops, program.phases, program.contexts[0],
            program.arena[0], _RATES, _LOSSES,
        )  # fmt: skip
        self._has_python = any(phase.python is not None for phase in plan.phases)

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
        if self.last_activation is not None:
            last = activation_twin(self.last_activation, (len(self.layers),), output.shape, plan)
            output = last.feedforward(output)
        plan.rows(give_outputs, output, output.size, x, x.size)
        return plan

    def predict_quickly(self, x: Any) -> Array | None:
        """Predict a few samples without delay; None where they need a closer look first.

        Parameters
        ----------
        x : object
            What a person passed to ``predict``.
        """
        if (
            type(x) is not np.ndarray
            or x.dtype is not self._dtype
            or x.shape[1:] != self.shapes[0]
            or not 0 < len(x) <= self.block
            or not x.flags.c_contiguous
            or self._has_python
        ):
            return None
        found = np.empty((len(x), *self.output_shape), self._dtype)
        with self._lock:
            nothing = predict_alone(
                x, found, *self._alone, self.parameters.storage, self.program.gradients
            )
        return found if nothing == 0 else None

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

"""Training by the compiled engine: the whole step as one program."""

from __future__ import annotations

import numpy as np

from chainrule.engines.compiled import gradients as between
from chainrule.engines.compiled import kernel as place
from chainrule.engines.compiled import loop
from chainrule.engines.compiled.kernel import as_setting
from chainrule.engines.compiled.losses import plan_loss
from chainrule.engines.compiled.optimizers import plan_update
from chainrule.engines.compiled.plan import CHECK, CLIP, PARTS, Buffer, NoTwin, Plan
from chainrule.engines.compiled.program import MOST_SHARDS, Program
from chainrule.engines.compiled.python_layer import (
    plan_python_loss,
    plan_python_update,
    python_positions,
    twin_or_python,
)
from chainrule.engines.compiled.report import Report, report_of
from chainrule.engines.compiled.samples import take_inputs, take_targets
from chainrule.engines.compiled.splitting import is_split
from chainrule.engines.compiled.tiny import is_tiny, plan_tiny
from chainrule.engines.compiled.twin import Twin
from chainrule.engines.compiled.workers import Workers, available_threads
from chainrule.layer import Array, Layer, Shape
from chainrule.layers.dense import Dense
from chainrule.loss import Loss
from chainrule.optimizer import Optimizer, OptimizerState
from chainrule.optimizers import LBFGS
from chainrule.parameters import ParameterVector
from chainrule.samples import Samples

__all__ = ["CompiledTraining", "available_threads"]

_MOST_WIDE = 4_000_000  # numbers of a batch's buffers that may stand in memory together
_ROWS_OF_DENSE = 64  # samples of a shard where layers are dense, with at least two shards
_FEWEST_SHARDS = 2
_ONE_RATE = np.zeros(1)
_ROWS_TO_LOOK_AT = 128


class CompiledTraining:
    """One network's training, compiled for one size of batch.

    Parameters
    ----------
    layers : sequence of Layer
    shapes : list of tuple of int
        Before the first layer and after each.
    parameters : ParameterVector
    loss : Loss
    optimizer : Optimizer
    state : OptimizerState
    l1, l2 : float
    batch : int
        Samples in a full batch.
    threads : int
    seed : int, default 0
        The network's, for random masks.
    penalties_for : float, optional
        Weight of a batch that ``l1`` and ``l2`` are stated for; without it they are for any batch.
    traced : bool, default False
        Whether every value is kept, ∂loss/∂x too; see ``tracing.py``.
    """

    def __init__(
        self,
        layers: tuple[Layer, ...],
        shapes: list[Shape],
        parameters: ParameterVector,
        loss: Loss,
        optimizer: Optimizer,
        state: OptimizerState,
        *,
        l1: float,
        l2: float,
        batch: int,
        threads: int,
        seed: int = 0,
        penalties_for: float | None = None,
        traced: bool = False,
    ) -> None:
        self.layers = layers
        self.parameters = parameters
        self.optimizer = optimizer
        self.state = state
        self.loss = loss
        count = len(parameters.values)
        dense = all(isinstance(slot.owner, Dense) for slot in parameters.slots)
        self.gradients = np.zeros(count, parameters.storage.dtype)
        self.shard_gradients = self.gradients

        self.tiny = not traced and is_tiny(layers, shapes, loss, batch)
        self.twins: list[Twin] = []

        def planned(wide: bool) -> Plan:
            plan = Plan(parameters, training=True, wide=wide, traced=traced, batch=batch)
            self._plan_passes(plan, layers, shapes)
            self._plan_between(plan, l1, l2, optimizer.clip_value)
            if isinstance(optimizer, LBFGS):
                return plan  # which makes no steps here: SciPy does, from what is measured
            try:
                plan_update(optimizer, state, parameters.penalized, plan)
            except NoTwin:
                plan_python_update(optimizer, state, parameters.penalized, plan)
            return plan

        plan = planned(dense or traced)
        if plan.wide and not plan.needs_wide and not traced and plan.size * batch > _MOST_WIDE:
            plan = planned(False)
        if plan.needs_wide and not plan.wide:
            plan = planned(True)
        # A dense layer's product wants many rows at once; images come one by one anyway.
        most = max(_FEWEST_SHARDS, batch // _ROWS_OF_DENSE) if dense else MOST_SHARDS
        self.program = program = Program(
            plan, batch, threads, shards_at_most=min(most, MOST_SHARDS)
        )
        if plan.summed:
            self.shard_gradients = np.zeros((program.shards, count), self.gradients.dtype)
        for op in program.ops:
            if op[place.ADDRESS] == between.add_shards.address(plan.dtype):
                op[place.FIRST_SETTING + 1] = self.shard_gradients.ctypes.data
        self.norms_of_parts = np.zeros(2 * -(-count // between.PART))
        program.gradients = self.gradients
        program.shard_gradients = self.shard_gradients.reshape(-1)
        program.set(place.NORMS, self.norms_of_parts.ctypes.data)
        self.seed = seed
        job = program.job
        job[loop.BATCH_SIZE] = batch
        job[loop.CLIP_NORM] = as_setting(optimizer.clip_norm or 0.0)
        job[loop.PENALTIES_FOR] = as_setting(float(penalties_for or 0.0))
        job[loop.PARTS_OF_NORM] = len(self.norms_of_parts) // 2
        job[loop.GRADIENTS_OF_SHARDS] = bool(plan.summed)
        job[loop.MEAN_OF] = {"sum": 0, "mean": plan_outputs(shapes), "mean of samples": 1}[
            loss.reduction
        ]

    @property
    def seed(self) -> int:
        """The network's seed, for random masks."""
        return self._seed

    @seed.setter
    def seed(self, seed: int) -> None:
        self._seed = seed
        self.program.set_seed(seed)

    def _plan_passes(self, plan: Plan, layers: tuple[Layer, ...], shapes: list[Shape]) -> None:
        if self.tiny:
            plan_tiny(layers, shapes, self.loss, plan)
            return
        x, y, weight = plan.buffer(shapes[0]), plan.buffer(shapes[-1]), plan.buffer(())
        plan.rows(take_targets, y, weight, y.size, (1, *y.shape)[-1])
        plan.samples = x
        if not (type(layers[0]) is Dense and is_split(plan, x.size, layers[0].outputs)):
            plan.rows(take_inputs, x, x.size)
        self.twins = []
        output = x
        for position, layer in enumerate(layers):
            plan.owner = position
            self.twins.append(twin_or_python(layer, (position,), shapes[position], plan))
            output = self.twins[-1].feedforward(output)
        plan.owner = len(layers)
        d: Buffer | None
        try:
            d = plan_loss(self.loss, output, y, weight, plan)
        except NoTwin:
            d = plan_python_loss(self.loss, output, y, weight, plan)
        self.output, self.d_output = output, d
        for position in range(len(layers) - 1, -1, -1):
            plan.owner = position
            if d is None:  # a layer that passes nothing on ends the way back
                break
            d = self.twins[position].backprop(d, position > 0 or plan.traced)
        self.d_x = d

    def _plan_between(self, plan: Plan, l1: float, l2: float, clip_value: float | None) -> None:
        """Plan what stands between the way back and the update."""
        plan.owner = len(plan.parameters.slots)
        count = len(plan.parameters.values)
        for start, stop in _ranges(plan):
            plan.parts(between.add_shards, stop - start, between.PART, start, 0, count)
        if plan.deferred:
            if plan.phases[-1].kind != PARTS:
                plan.barrier(PARTS)
            plan.phases[-1].ops += plan.deferred
        plan.barrier(PARTS)
        penalized = plan.parameters.penalized.ctypes.data
        plan.parts(
            between.measure_gradient, count, between.PART, penalized, between.PART,
            float(l1), float(l2),
        )  # fmt: skip
        plan.barrier(CHECK)
        self.last_before_update = len(plan.phases)
        if plan.accepted:
            plan.barrier(PARTS)
            plan.phases[-1].ops += plan.accepted
        for function in plan.python_afterwards:
            plan.python(function)
        if clip_value is not None:
            plan.barrier(PARTS)
            plan.parts(between.clip_values, count, between.PART, between.PART, clip_value)
            plan.barrier(CLIP)

    def workers(self) -> Workers:
        """Threads for the time of a training."""
        return Workers(self.program.threads, use_blas=not self.tiny)

    def report(self) -> Report:
        """Tell what ran on what, and how long it took in the last step."""
        return report_of(self.program, self.layers, python_positions(self.twins))

    def take(self, samples: Samples) -> None:
        """Name the samples to train on: contiguous arrays, class labels as int64."""
        self._samples = samples  # which must stay where they are in memory
        x, y, weight = samples.x[:], samples.y, samples.weight
        program = self.program
        program.set(place.X, x.ctypes.data)
        program.set(place.Y, y.ctypes.data)
        program.set(place.LABELS, y.dtype.kind == "i")
        program.set(place.WEIGHT, 0 if weight is None else weight.ctypes.data)
        program.job[loop.COUNT] = len(x)

    def steps(
        self,
        workers: Workers,
        first: int,
        rates: Array,
        order: Array | None,
        step: int,
    ) -> tuple[int, Array, Array]:
        """Make one step for each of the rates.

        Parameters
        ----------
        workers : Workers
        first : int
            Place in the epoch of the first step.
        rates : ndarray (steps,)
        order : ndarray of int64 (samples,) or None
        step : int
            Number of the first step since training began.

        Returns
        -------
        made : int
            Steps made: fewer than asked for where numbers stopped being finite.
        losses : ndarray (steps, 2)
            Loss of the data, and penalty.
        norms : ndarray (steps,)
        """
        program = self.program
        program.set(place.STEP, step)
        program.set(place.UPDATE, self.state.step + 1)
        program.set(place.ORDER, 0 if order is None else order.ctypes.data)
        program.job[loop.FIRST_STEP] = first
        program.job[loop.LAST_PHASE] = len(program.phases)
        made, losses, norms = self._run(workers, rates)
        self.state.step += made
        return made, losses, norms

    def measure(self, workers: Workers) -> float | None:
        """Compute the loss of a full batch, and leave its gradient in ``gradients``; no update.

        Returns
        -------
        float or None
            None where a number is not finite.
        """
        program = self.program
        program.set(place.STEP, 0)
        program.set(place.ORDER, 0)
        program.job[loop.FIRST_STEP] = 0
        program.job[loop.LAST_PHASE] = self.last_before_update
        made, losses, _ = self._run(workers, _ONE_RATE)
        return float(losses.sum()) if made else None

    def is_finite(self, workers: Workers) -> bool:
        """Whether loss and gradient of the first samples are finite; changes nothing."""
        program = self.program
        count = program.job[loop.COUNT]
        program.job[loop.COUNT] = min(count, _ROWS_TO_LOOK_AT)
        program.set(place.STEP, 0)
        program.set(place.ORDER, 0)
        program.job[loop.FIRST_STEP] = 0
        program.job[loop.LAST_PHASE] = self.last_before_update
        made, _, _ = self._run(workers, _ONE_RATE)
        program.job[loop.COUNT] = count
        return made == 1

    def _run(self, workers: Workers, rates: Array) -> tuple[int, Array, Array]:
        losses, norms = np.empty((len(rates), 2)), np.empty(len(rates))
        self.program.job[loop.STEPS] = len(rates)
        made = self.program.run(workers, self.parameters.storage, rates, losses, norms, self.seed)
        return made, losses, norms


def plan_outputs(shapes: list[Shape]) -> int:
    """Numbers in one output."""
    return int(np.prod(shapes[-1], dtype=int))


def _ranges(plan: Plan) -> list[tuple[int, int]]:
    """Pieces of the gradient vector that are sums over shards, neighbours joined."""
    found: list[tuple[int, int]] = []
    for index in sorted(plan.summed):
        slot = plan.parameters.slots[index]
        if found and found[-1][1] == slot.start:
            found[-1] = (found[-1][0], slot.stop)
        else:
            found.append((slot.start, slot.stop))
    return found

"""Reference code inside a compiled run: layers, losses and optimizers without a compiled form.

For them the compiled steps make a stop: when every sample of the batch has come so far, Python
calls the layer as the reference engine would, and the rest goes on in machine code.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from chainrule.engines.compiled import kernel as place
from chainrule.engines.compiled.plan import Buffer, NoTwin, Plan
from chainrule.engines.compiled.program import Moment
from chainrule.engines.compiled.twin import Twin
from chainrule.engines.compiled.twins import twin_of
from chainrule.layer import Array, Layer, Pass, Shape, Trace
from chainrule.loss import Loss
from chainrule.optimizer import Optimizer, OptimizerState


class PythonTwin(Twin):
    """Plans calls of a layer's own feedforward and backprop."""

    def feedforward(self, x: Buffer) -> Buffer:
        self.x, self.output = x, self.plan.buffer(self.output_shape)
        self.plan.python(self._feedforward)
        return self.output

    def _feedforward(self, moment: Moment) -> None:
        shared = Pass(self.plan.training, moment.seed, moment.step)
        self.trace = Trace(shared, self.path)
        # The layer may keep its inputs, and their buffer serves others too: so it gets a copy.
        moment.values(self.output)[...] = self.layer.feedforward(
            moment.values(self.x).copy(), self.trace
        )

    def backprop(self, d_output: Buffer, needs_d_x: bool) -> Buffer | None:
        self.d_output, self.d_x = d_output, self.plan.buffer(self.input_shape)
        self.needs_d_x = needs_d_x
        parameters = self.plan.parameters
        self.gradients = [
            (use.path, parameters.slots[use.slot], self.plan.writes_gradient(slot.start))
            for use in parameters.uses
            if use.path[: len(self.path)] == self.path
            for slot in [parameters.slots[use.slot]]
        ]
        self.plan.python(self._backprop)
        if type(self.layer).update_statistics is not Layer.update_statistics:
            self.plan.python_accepted(self._update_statistics)
        return self.d_x if needs_d_x else None

    def _backprop(self, moment: Moment) -> None:
        self.trace.needs_d_x = self.needs_d_x
        d_x = self.layer.backprop(moment.values(self.d_output).copy(), self.trace)
        if self.needs_d_x:
            moment.values(self.d_x)[...] = d_x
        for path, slot, writes in self.gradients:
            trace = self.trace
            for index in path[len(self.path) :]:
                trace = trace.inner(index)
            gradient, into = getattr(trace, f"d_{slot.name}"), slot.view(moment.program.gradients)
            if writes:
                into[...] = gradient
            else:
                into += gradient

    def _update_statistics(self, moment: Moment) -> None:
        self.layer.update_statistics(self.trace)


def twin_or_python(layer: Layer, path: tuple[int, ...], input_shape: Shape, plan: Plan) -> Twin:
    """Return the twin of a layer; where it has none, one that calls the layer itself."""
    try:
        return twin_of(layer, path, input_shape, plan)
    except NoTwin:
        return PythonTwin(layer, path, input_shape, plan)


def python_positions(twins: Sequence[Twin]) -> set[int]:
    """Positions of the layers that run by their reference code, or have one inside that does."""
    return {
        number
        for number, twin in enumerate(twins)
        if isinstance(twin, PythonTwin) or python_positions(list(twin.inner.values()))
    }


def plan_python_loss(loss: Loss, y_hat: Buffer, y: Buffer, weight: Buffer, plan: Plan) -> Buffer:
    """Plan a call of a loss's own ``terms`` and ``terms_gradient``."""
    d_y_hat = plan.buffer(y_hat.shape)

    def measure(moment: Moment) -> None:
        predicted, actual = moment.values(y_hat), moment.values(y)
        scale = moment.values(weight).reshape(-1, *[1] * len(y_hat.shape))
        moment.program.partials[0, 0] = (loss.terms(predicted, actual) * scale).sum()
        moment.values(d_y_hat)[...] = loss.terms_gradient(predicted, actual) * scale

    plan.python(measure)
    return d_y_hat


def plan_python_update(
    optimizer: Optimizer, state: OptimizerState, penalized: Array, plan: Plan
) -> None:
    """Plan a call of an optimizer's own ``step``."""

    def update(moment: Moment) -> None:
        gradients = moment.program.gradients
        shrink = moment.program.contexts[0, place.SHRINK].view(np.float64)
        if shrink != 1:
            gradients *= shrink
        before = state.step  # which the run counts by itself
        optimizer.step(plan.parameters.values, gradients, state, moment.rate, penalized)
        state.step = before

    plan.python(update)

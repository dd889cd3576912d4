"""How each parameter changes in the step: the optimizer's rule, one number at a time."""

from __future__ import annotations

import copy
import math
from typing import TYPE_CHECKING, Any

import numpy as np

from chainrule.explain.expression import (
    ONE,
    Call,
    Expression,
    Name,
    Negative,
    Number,
    multiply,
    rebuilt,
)
from chainrule.explain.expression import add as plus
from chainrule.explain.reading import read

if TYPE_CHECKING:
    from chainrule.explain.step import Step
    from chainrule.training.state import TrainingState

_WHOLE: tuple[int, ...] = ()


class Update:
    """The update that follows backprop, made on copies.

    For each parameter there are new arrays beside it: ``new_weights``, ``decayed_weights`` where
    weight decay applies, ``clipped_d_weights`` where the gradient is clipped, and what the
    optimizer remembers, as ``velocity_of_weights``.

    Parameters
    ----------
    step : Step
        Its backward pass is done.
    state : TrainingState
        Where training stands; it is copied.
    """

    def __init__(self, step: Step, state: TrainingState) -> None:
        self.step = step
        self.optimizer = step.network.optimizer
        self.equations = {name: read(text) for name, text in self.optimizer.equations().items()}
        if not self.equations:
            return
        rate = self.optimizer.schedule.rate(state.epoch, state.schedule)
        settings = {"rate": rate, "step": state.optimizer.step + 1, **self.optimizer.settings()}
        for name, value in settings.items():
            if isinstance(value, int | float):
                step.settings[name] = float(value)
        self._run(copy.deepcopy(state.optimizer), rate)

    def _run(self, state: Any, rate: float) -> None:
        step, vector = self.step, self.step.network.parameter_vector
        before = {name: values.copy() for name, values in state.vectors.items()}
        parameters, gradients = vector.values.copy(), np.empty_like(vector.values)
        for slot in vector.slots:
            slot.view(gradients)[...] = step.arrays[slot.path, f"d_{slot.name}"]
        norm = math.sqrt(np.vdot(gradients, gradients))
        self.optimizer.clip(gradients, norm)
        self.clips = self._clip_factor(norm)
        if self.optimizer.weight_decay:
            shrunk = 1 - rate * self.optimizer.weight_decay * vector.penalized
            decayed = parameters * shrunk.astype(parameters.dtype)
        self.optimizer.step(parameters, gradients, state, rate, vector.penalized)
        for slot in vector.slots:
            named = {f"new_{slot.name}": parameters}
            if self.clips:
                named[f"clipped_d_{slot.name}"] = gradients
            if self._decays(slot):
                named[f"decayed_{slot.name}"] = decayed
            for remembered, values in before.items():
                named[f"{remembered}_of_{slot.name}"] = values
                named[f"new_{remembered}_of_{slot.name}"] = state.vectors[remembered]
            for name, values in named.items():
                step.arrays[slot.path, name] = slot.view(values)

    def _clip_factor(self, norm: float) -> bool:
        """Note by how much the whole gradient is shortened; whether there is any clipping."""
        value, longest = self.optimizer.clip_value, self.optimizer.clip_norm
        if value is not None:
            vector = self.step.network.parameter_vector
            cut = [
                np.clip(self.step.arrays[slot.path, f"d_{slot.name}"], -value, value).ravel()
                for slot in vector.slots
            ]
            norm = math.sqrt(sum(float(np.vdot(part, part)) for part in cut))
        shorter = longest is not None and norm > longest
        self.step.settings["clip_factor"] = (longest or 1.0) / norm if shorter else 1.0
        return value is not None or shorter

    @np.errstate(over="ignore", invalid="ignore", divide="ignore")  # the result tells
    def loss_afterwards(self) -> float | None:
        """Loss of the same samples, in the same pass, with the new parameters."""
        if not self.equations:
            return None
        step = self.step
        network = step.network.copy()
        for slot in network.parameter_vector.slots:
            slot.view(network.parameters)[...] = step.arrays[slot.path, f"new_{slot.name}"]
        trace = network.new_trace(training=step.shared.training)
        trace.shared.step = step.shared.step
        network.feedforward(step.samples.x[:], trace)
        return float(network.measure(step.samples.y, trace, step.samples.weight))

    def _decays(self, slot: Any) -> bool:
        return bool(self.optimizer.weight_decay and slot.owner.declared(slot.name).penalized)

    def equation_of(self, name: Name) -> Expression | None:
        """Expression of a number that the update computes; None for others."""
        if not self.equations or name.index is None:
            return None
        for slot in self.step.network.parameter_vector.slots:
            if slot.path == name.path:
                found = self._equation(slot, name)
                if found is not None:
                    return found
        return None

    def _equation(self, slot: Any, name: Name) -> Expression | None:
        here = slot.name
        if name.field == f"decayed_{here}" and self._decays(slot):
            shrink = plus(
                [ONE, Negative(multiply(self._whole("rate"), self._whole("weight_decay")))]
            )
            return multiply(Name(slot.path, here, name.index), shrink)
        if name.field == f"clipped_d_{here}" and self.clips:
            return self._clipped(Name(slot.path, f"d_{here}", name.index))
        rule = "new_parameter" if name.field == f"new_{here}" else None
        if name.field.endswith(f"_of_{here}"):
            rule = name.field.removesuffix(f"_of_{here}")
        if rule not in self.equations:
            return None
        return self._at(self.equations[rule], slot, name)

    def _clipped(self, gradient: Expression) -> Expression:
        if self.optimizer.clip_value is not None:
            most = Number(self.optimizer.clip_value)
            gradient = Call("Max", (Call("Min", (gradient, most)), Negative(most)))
        if self.step.settings["clip_factor"] != 1:
            gradient = multiply(gradient, self._whole("clip_factor"))
        return gradient

    def _at(self, expression: Expression, slot: Any, name: Name) -> Expression:
        """Put the parameter, its gradient and what is remembered of it into a rule."""
        if not isinstance(expression, Name):
            return rebuilt(expression, lambda part: self._at(part, slot, name))
        field, here = expression.field, slot.name
        if field == "parameter":
            decayed = f"decayed_{here}" if self._decays(slot) else here
            return Name(slot.path, decayed, name.index)
        if field == "gradient":
            gradient = f"clipped_d_{here}" if self.clips else f"d_{here}"
            return Name(slot.path, gradient, name.index)
        if field in self.step.settings:
            return self._whole(field)
        return Name(slot.path, f"{field}_of_{here}", name.index)

    @staticmethod
    def _whole(field: str) -> Name:
        return Name(_WHOLE, field)

"""A trial step: what the next update would do to the weights and to the loss."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable
from typing import Any

import numpy as np

from chainrule.diagnosis.places import is_weights
from chainrule.engines.reference import NetworkTrace
from chainrule.samples import Samples
from chainrule.training.divergence import length
from chainrule.training.history import History

_USUAL_BATCH = 32  # what fit takes without being told


class Trial:
    """One update of a copy, by the optimizer with all that it remembers.

    Parameters
    ----------
    network : NeuralNetwork
        Whose optimizer and learning rate count; it is only read.
    twin : NeuralNetwork
        Its copy, which is moved and put back.
    samples : Samples
    new_trace : callable
        Makes a trace of training for the twin.
    history : History or None
        Gives the learning rate that training has used (the middle one, as a schedule may have
        ended near zero) and the size of its batches.

    Attributes
    ----------
    rate : float
        The learning rate.
    ratios : dict of str to float
        For each array of weights the length of its change by the length of the array itself:
        about 0.001 in a training that goes well.
    loss : float
        Before the step, on these samples, without penalties.
    """

    def __init__(
        self,
        network: Any,
        twin: Any,
        samples: Samples,
        new_trace: Callable[[], NetworkTrace],
        history: History | None,
    ) -> None:
        self._twin, self._samples, self._new_trace = twin, samples, new_trace
        optimizer = copy.deepcopy(network.optimizer)
        if network.is_built:
            state = copy.deepcopy(network.training_state.optimizer)
        else:
            state = optimizer.start(twin.parameters)
        self.rate = _rate(network, history)
        trace = new_trace()
        self.loss, _ = twin.loss_and_gradients(samples, trace)
        gradients = trace.gradients
        if network.loss.reduction == "sum":  # over the batch, and these are not as many
            batch = _USUAL_BATCH if history is None else history.settings["batch_size"]
            gradients *= min(1.0, batch / len(samples))
        optimizer.clip(gradients, length(gradients))
        before, moved = twin.parameters.copy(), twin.parameters.copy()
        optimizer.step(moved, gradients, state, self.rate, twin.parameter_vector.penalized)
        self._before, self._change = before, moved - before
        self.ratios = {
            slot.label: _ratio(slot.view(self._change), slot.view(before))
            for slot in twin.parameter_vector.slots
            if is_weights(slot)
        }

    @property
    def largest_ratio(self) -> float:
        """The largest of the ratios; 0 where there are no weights."""
        return max(self.ratios.values(), default=0.0)

    def loss_after(self, factor: float = 1.0) -> float:
        """Loss on the same samples after a step of that many times the length."""
        with np.errstate(all="ignore"):
            self._twin.parameters[...] = self._before + factor * self._change
            try:
                output = self._twin.feedforward(self._samples.x, self._new_trace())
                loss = self._twin.loss.value(output, self._samples.y, self._samples.weight)
            finally:
                self._twin.parameters[...] = self._before
        return float(loss) if math.isfinite(loss) else math.inf


def _rate(network: Any, history: History | None) -> float:
    if history is not None and history.iterations:
        return float(np.median(history.learning_rates))
    state = network.training_state if network.is_built else None
    if state is None:
        return float(network.optimizer.schedule.rate(0, {}))
    return float(network.optimizer.schedule.rate(state.epoch, dict(state.schedule)))


def _ratio(change: Any, values: Any) -> float:
    size = length(values)
    return length(change) / size if size else 0.0

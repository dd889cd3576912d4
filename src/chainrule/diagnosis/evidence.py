"""Evidence: what symptoms look at, computed once, when the first of them asks."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import cached_property
from typing import Any

import numpy as np

from chainrule.diagnosis.curve import Curve
from chainrule.diagnosis.places import Place, Units, Weights, places, units_of, weights_of
from chainrule.diagnosis.scale import LossScale
from chainrule.diagnosis.trial import Trial
from chainrule.engines.choice import reference_seconds
from chainrule.engines.reference import NetworkTrace
from chainrule.layer import Array
from chainrule.optimizers import LBFGS
from chainrule.randomness import generator
from chainrule.samples import Samples
from chainrule.training.divergence import first_non_finite
from chainrule.training.history import History

_MOST_SAMPLES, _FEWEST_SAMPLES = 256, 16
_SECONDS_FOR_A_PASS = 0.1  # of which a diagnosis needs about five
_MOST_ROWS, _MOST_NUMBERS = 2000, 1 << 21  # of the table that is looked at without the network

silently = np.errstate(all="ignore")  # what is not finite is looked for, and told as a finding


class Evidence:
    """A network, the samples it learns from, and what a few passes over some of them show.

    All passes run through a copy, so the network, the memory of its optimizer and its statistics
    stay as they are. They are passes of training: dropout drops, batch normalization uses the
    batch.

    Parameters
    ----------
    network : NeuralNetwork
        Also one that is not built yet: the copy gets the weights that ``fit`` would begin with.
    samples : Samples
        Checked.
    history : History, optional
        Of its training.
    columns : sequence of str, optional
        What the columns of x are called.

    Attributes
    ----------
    twin : NeuralNetwork
        The copy.
    some : Samples
        At most 256 of the samples, fewer where a pass takes long; y as the loss computes with it.
    scale : LossScale
        What the loss of a guess and of perfect outputs is on them.
    curve : Curve or None
        The history's losses, where there is one.
    """

    def __init__(
        self,
        network: Any,
        samples: Samples,
        history: History | None = None,
        columns: Sequence[str] = (),
    ) -> None:
        self.network = network
        self.samples = samples
        self.history = history
        self.columns = columns
        self.twin = network.copy()
        if not self.twin.is_built:
            self.twin.build(samples.x.shape[1:])
        chosen = samples.rows(self._choose_rows(self._most_samples()))
        y = network.loss.encode(chosen.y, self.twin.output_shape[-1], self.twin.dtype)
        self.some = Samples(chosen.x[:], y, chosen.weight)
        self.scale = LossScale(network.loss, self.some)
        self.curve = None if history is None else Curve(history, network.loss, self.scale)

    @property
    def has_trained(self) -> bool:
        """Whether the network has made any step."""
        return self.network.is_built and self.network.training_state.step > 0

    def _most_samples(self) -> int:
        vector, shapes = self.twin.parameter_vector, self.twin.shapes
        seconds = reference_seconds(shapes, vector.slots, 1, 0)
        fitting = int(_SECONDS_FOR_A_PASS / max(seconds, 1e-9))
        return min(max(fitting, _FEWEST_SAMPLES), _MOST_SAMPLES)

    def _choose_rows(self, most: int) -> Array:
        """Choose at random among the samples that count."""
        weight = self.samples.weight
        rows = np.arange(len(self.samples)) if weight is None else np.flatnonzero(weight)
        if len(rows) <= most:
            return rows
        random = generator(self.network.seed, "diagnosis")
        return np.sort(random.choice(rows, most, replace=False))

    def column(self, number: int) -> str:
        """Name a column of x: as it is called, else by its number, from 0."""
        return repr(self.columns[number]) if self.columns else f"column {number}"

    # --- one pass of training ---------------------------------------------------------------

    def new_trace(self) -> NetworkTrace:
        """Make a trace for a pass of training; of a single sample, for one of prediction."""
        trace: NetworkTrace = self.twin.new_trace(training=len(self.some) > 1)
        trace.layers[0].needs_d_x = False
        if self.network.is_built:
            trace.shared.step = self.network.training_state.step
        return trace

    @cached_property
    @silently
    def _pass(self) -> tuple[NetworkTrace, list[Array], list[Array]]:
        trace, inputs, errors = self.new_trace(), [], []
        x = self.some.x[:]
        for layer, at in zip(self.twin.layers, trace.layers, strict=True):
            inputs.append(x)
            x = layer.feedforward(x, at)
        trace.output = x
        trace.loss = self.network.loss.value(x, self.some.y, self.some.weight)
        d = trace.d_output = self.network.loss.gradient(x, self.some.y, self.some.weight)
        for layer, at in zip(reversed(self.twin.layers), reversed(trace.layers), strict=True):
            errors.append(d)
            d = layer.backprop(d, at)
        return trace, inputs, errors[::-1]

    @property
    def trace(self) -> NetworkTrace:
        """Every number of the pass, as ``net.feedforward`` and ``net.backprop`` leave them."""
        return self._pass[0]

    @property
    def inputs(self) -> list[Array]:
        """What each layer received."""
        return self._pass[1]

    @property
    def errors(self) -> list[Array]:
        """∂L/∂output of each layer."""
        return self._pass[2]

    @property
    def loss(self) -> float:
        """The loss of the pass, without penalties."""
        return self.trace.loss

    @property
    def unexplained(self) -> float:
        """Where that loss stands: 1 is the best constant guess, 0 is perfect."""
        return self.scale.unexplained(self.loss)

    @cached_property
    def non_finite(self) -> tuple[str, str] | None:
        """Layer and name of the first tensor of the pass that holds NaN or infinity."""
        first = first_non_finite(self.trace)
        return None if first == ("loss", "loss") and math.isfinite(self.loss) else first

    @cached_property
    def places(self) -> list[Place]:
        """Every layer with its trace, also those inside others."""
        return places(self.twin.layers, self.twin.shapes, self.trace)

    @cached_property
    def units(self) -> list[Units]:
        """The activations of every place that has some, number by number."""
        return [units for place in self.places if (units := units_of(place)) is not None]

    @cached_property
    def weights(self) -> list[Weights]:
        """All arrays of weights, with their gradients."""
        return weights_of(self.twin.parameter_vector, self.trace)

    # --- beyond that pass -------------------------------------------------------------------

    @cached_property
    @silently
    def trial(self) -> Trial | None:
        """What the next update would do; None for L-BFGS, which looks before each step."""
        if isinstance(self.network.optimizer, LBFGS):
            return None
        return Trial(self.network, self.twin, self.some, self.new_trace, self.history)

    @cached_property
    def table(self) -> tuple[Array, Array]:
        """Up to 2,000 samples as a table x (rows, numbers), and their y as it was given."""
        numbers = math.prod(self.samples.x.shape[1:])
        rows = self._choose_rows(max(min(_MOST_ROWS, _MOST_NUMBERS // numbers), 1))
        chosen = self.samples.rows(rows)
        return chosen.x[:].reshape(len(rows), -1), chosen.y

"""One step of training, recorded: every number of it, and the formula that gives it.

The step runs layer by layer as the reference engine does, on a network of its own, and keeps what
each layer receives, leaves behind and gives, under the names of the ``Layout``.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from chainrule.explain.evaluation import evaluate
from chainrule.explain.expression import Derivative, Expression, Name
from chainrule.explain.layout import WHOLE, Key, Layout, Path
from chainrule.explain.loss_terms import LossTerms
from chainrule.explain.place import Place
from chainrule.explain.probing import Probing
from chainrule.explain.update import Update
from chainrule.layer import Array, Layer, Pass
from chainrule.layers.residual import Residual
from chainrule.samples import Samples
from chainrule.training.state import TrainingState


class Step(Layout):
    """A forward pass, the loss, a backward pass and an update of a network.

    Parameters
    ----------
    network : NeuralNetwork
        Built. The step belongs to it: nobody else may change it.
    samples : Samples
        Checked.
    state : TrainingState
        Where training stands: its step decides the random numbers, its optimizer the update.
    training : bool
        Whether layers behave as in training.

    Attributes
    ----------
    arrays : dict
        By path and field.
    settings : dict of str to float
        Of the loss, the optimizer and the network.
    probed : dict
        By path and field, gradients through layers that give no equations.
    data_loss, penalty : float
        The two parts of the loss.
    """

    def __init__(
        self, network: Any, samples: Samples, state: TrainingState, *, training: bool
    ) -> None:
        super().__init__(network, Pass(training=training, seed=network.seed, step=state.step))
        weight = None if samples.weight is None else samples.weight.copy()
        self.samples = Samples(np.array(samples.x[:]), samples.y.copy(), weight)
        self.arrays: dict[Key, Array] = {}
        self.settings: dict[str, float] = {}
        with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
            self._feedforward()
            self._measure()
            count = len(network.layers)
            self._backwards(WHOLE, 0, count, self.arrays[WHOLE, "d_y_hat"])
            self._add_up_gradients()
            self._add_up_loss()
            self.update = Update(self, state)
        self._local_derivatives: dict[Derivative, float] = {}
        self.probed = dict(self._probe())

    def value(self, name: Name | Derivative) -> float:
        """Return one number of the step, or what a setting stands for."""
        if isinstance(name, Derivative):
            return self._local_derivatives[name]
        array = self.arrays.get((name.path, name.field))
        if array is not None:
            return float(array[name.index or ()])
        if name.path in self.places:
            found = self.places[name.path].setting(name.field)
            if found is not None:
                return found
        if name.field in self.settings:
            return self.settings[name.field]
        equation = self.equation_of(name)
        if equation is None:
            raise KeyError(f"{name} is no number of this step.")
        return evaluate(equation, self.value)

    def equation_of(self, name: Name) -> Expression | None:
        """Expression that one number was computed by; None for data, parameters and settings."""
        key = name.path, name.field
        if name.index is None:
            return None
        if key in self.totals:
            return self.total(name)
        if key in self.homes:
            place, field = self.homes[key]
            return place.equation_of(field, name.index)
        if key in self.probed:
            probing, field = self.probed[key]
            return probing.equation_of(name, field)
        return self.loss_terms.equation_of(name) or self.update.equation_of(name)

    def _probe(self) -> Iterator[tuple[Key, tuple[Probing, str]]]:
        """Gradients through layers that give no equations."""
        for place in self.places.values():
            if place.is_explained:
                continue
            probing = Probing(place, self._local_derivatives.__setitem__)
            for field in [f"d_{place.input}", *place.trace.fields()]:
                name = self.resolve(place.path, field)
                if field.startswith("d_") and (name.path, name.field) in self.arrays:
                    yield (name.path, name.field), (probing, field)

    def general(self, name: Name) -> Expression | None:
        """Equation between whole arrays; sample weights make the loss's another for each sample."""
        weighted = self.samples.weight is not None and name.field in ("loss", "d_y_hat")
        return None if name.path == WHOLE and weighted else super().general(name)

    # --- recording ----------------------------------------------------------------------------

    def _feedforward(self) -> None:
        vector = self.network.parameter_vector
        for slot in vector.all_slots:
            self.arrays[slot.path, slot.name] = slot.view(vector.storage)
        self.arrays[WHOLE, "x"] = x = self.samples.x[:]
        self._forwards(self.network.layers, WHOLE, x)

    def _forwards(self, layers: Sequence[Layer], path: Path, x: Array, first: int = 0) -> None:
        """Through layers one after another, keeping what each leaves behind and gives."""
        for index, layer in enumerate(layers, start=first):
            place = self.places[*path, index]
            if isinstance(layer, Residual):
                inside = [inner for inner, _ in layer.inner_layers(place.input_shape)]
                count = len(layer.layers)
                self._forwards(inside[:count], place.path, x)
                self._forwards(inside[count:], place.path, x, count)
            x = layer.feedforward(x, place.trace)
            self._keep(place, {**place.trace.fields(), place.output: x})

    def _measure(self) -> None:
        """Compute the loss without penalty, and where backprop starts."""
        network, weight = self.network, self.samples.weight
        output = self.arrays[WHOLE, "y_hat"]
        y = network.loss.encode(self.samples.y, network.output_shape[-1], network.dtype)
        self.data_loss = network.loss.value(output, y, weight)
        self.arrays[WHOLE, "y"] = network.loss.seen(y)
        self.arrays[WHOLE, "d_y_hat"] = network.loss.gradient(output, y, weight)
        self.loss_terms = LossTerms(self)
        own = {**network.loss.settings(), "l1": network.l1, "l2": network.l2, "pi": math.pi}
        own["n"] = self.loss_terms.count  # of terms, or samples, that the loss averages over
        for setting, value in own.items():
            if isinstance(value, int | float):
                self.settings[setting] = float(value)

    def _backwards(self, path: Path, first: int, stop: int, d: Any) -> None:
        """From the last layer to the first, keeping every gradient."""
        for index in range(stop - 1, first - 1, -1):
            place = self.places[*path, index]
            d = place.layer.backprop(d, place.trace)
            self._keep(place, {**place.trace.fields(), f"d_{place.input}": d})
            if isinstance(place.layer, Residual):
                count = len(place.layer.layers)
                inside = len(place.layer.inner_layers(place.input_shape))
                self._backwards(place.path, 0, count, place.trace.d_z)
                self._backwards(place.path, count, inside, place.trace.d_z)

    def _add_up_gradients(self) -> None:
        """Total gradient of each parameter that several places or a penalty have a part in."""
        network = self.network
        for use in network.parameter_vector.uses:
            self._keep_inner(use.path, f"d_{network.parameter_vector.slots[use.slot].name}")
        for (path, field), names in self.totals.items():
            total = np.sum([self.arrays[name.path, name.field] for name in names], axis=0)
            if (path, field) in self.penalized:
                weights = self.arrays[path, field.removeprefix("d_")]
                total = total + network.l1 * np.sign(weights) + 2 * network.l2 * weights
            self.arrays[path, field] = total

    def _add_up_loss(self) -> None:
        network, self.penalty = self.network, 0.0
        for path, field in sorted(self.penalized):
            weights = self.arrays[path, field.removeprefix("d_")]
            self.penalty += float(network.l1 * np.abs(weights).sum())
            self.penalty += float(network.l2 * np.vdot(weights, weights))
        self.arrays[WHOLE, "penalty"] = np.array(self.penalty)
        self.arrays[WHOLE, "loss"] = np.array(self.data_loss + self.penalty)

    def _keep_inner(self, path: Path, field: str) -> None:
        """Keep the gradient of a layer that stands inside someone's own."""
        name = self.resolve(path, field)
        if (name.path, name.field) not in self.arrays:
            outer = next(path[:end] for end in range(len(path), 0, -1) if path[:end] in self.places)
            trace = self.places[outer].trace
            for index in path[len(outer) :]:
                trace = trace.inner(index)
            self.arrays[name.path, name.field] = getattr(trace, field)

    def _keep(self, place: Place, found: dict[str, Any]) -> None:
        for field, array in found.items():
            name = self.resolve(place.path, field)
            if isinstance(array, np.ndarray):
                self.arrays.setdefault((name.path, name.field), array)

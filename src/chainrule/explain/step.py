"""One step of training, recorded: every array of it, each under one name in the whole network.

What layer 1 gives and layer 2 receives is one thing and has one name, and so is the gradient of it,
which layer 2 computes on the way back. The step runs on a copy of the network, so that what is
explained stays as it was.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from chainrule.explain.expression import (
    Call,
    Expression,
    Name,
    Number,
    add,
    evaluate,
    multiply,
)
from chainrule.explain.loss_terms import LossTerms
from chainrule.explain.place import Place
from chainrule.explain.update import Update
from chainrule.layer import Array, Layer, Trace
from chainrule.layers.residual import Residual
from chainrule.samples import Samples
from chainrule.training.state import TrainingState

Path = tuple[int, ...]
Key = tuple[Path, str]

WHOLE: Path = ()  # path of what belongs to the whole network


class Step:
    """A forward pass, the loss and a backward pass of a network.

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
    places : dict of tuple to Place
        By path, in the order of the forward pass; layers inside others after those.
    arrays : dict
        By path and field.
    loss : float
        With the penalty, if there is one.
    """

    def __init__(
        self, network: Any, samples: Samples, state: TrainingState, *, training: bool
    ) -> None:
        self.network = network
        self.samples = samples
        self.training = training
        self.places: dict[Path, Place] = {}
        self.arrays: dict[Key, Array] = {}
        self.homes: dict[Key, tuple[Place, str]] = {}
        self.settings: dict[str, float] = {}
        self._aliases: dict[Key, Key] = {}
        self.trace = network.new_trace(training=training)
        self.trace.shared.step = state.step
        with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
            self._feedforward()
            self._measure()
            self._backprop()
            self._add_up_gradients()
            self.update = Update(self, state)
        for place in self.places.values():
            for field in place.equations:
                name = self.resolve(place.path, field)
                self.homes.setdefault((name.path, name.field), (place, field))

    def resolve(self, path: Path, field: str) -> Name:
        """Name by which the whole network knows an array, or a setting, of a layer."""
        key = path, field
        while key in self._aliases:
            key = self._aliases[key]
        return Name(*key)

    def value(self, name: Name) -> float:
        """Return one number of the step, or what a setting stands for."""
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
        if key in self.totals and name.index is not None:
            return self._total(name)
        if key in self.homes and name.index is not None:
            place, field = self.homes[key]
            return place.equation_of(field, name.index)
        return self.loss_terms.equation_of(name) or self.update.equation_of(name)

    def _total(self, name: Name) -> Expression:
        """Gradient of a parameter: of all places that use it, and of its penalty."""
        network, weight = self.network, Name(name.path, name.field.removeprefix("d_"), name.index)
        terms: list[Expression] = [
            Name(use.path, use.field, name.index) for use in self.totals[name.path, name.field]
        ]
        if (name.path, name.field) in self.penalized:
            if network.l1:
                terms.append(multiply(Name(WHOLE, "l1"), Call("sign", (weight,))))
            if network.l2:
                terms.append(multiply(Number(2.0), Name(WHOLE, "l2"), weight))
        return add(terms)

    # --- recording ----------------------------------------------------------------------------

    def _feedforward(self) -> None:
        for slot in self.network.parameter_vector.all_slots:
            self.arrays[slot.path, slot.name] = slot.view(self.network.parameter_vector.storage)
        for use in self.network.parameter_vector.uses:
            slot = self.network.parameter_vector.slots[use.slot]
            if use.path != slot.path:
                self._aliases[use.path, slot.name] = slot.path, slot.name
        self.arrays[WHOLE, "x"] = x = self.samples.x[:]
        self.trace.output = self._forwards(self.network.layers, WHOLE, x, (WHOLE, "x"))
        last = self.places[len(self.network.layers) - 1,]
        self._join((last.path, last.output), (WHOLE, "y_hat"))

    def _forwards(self, layers: Any, path: Path, x: Array, source: Key, first: int = 0) -> Array:
        """Through layers one after another, keeping what each leaves behind and gives."""
        for index, layer in enumerate(layers, start=first):
            here = (*path, index)
            trace = self.trace[index] if path == WHOLE else Trace(self.trace.shared, here)
            place = self.places[here] = Place(self, here, layer, trace)
            self._join((here, place.input), source)
            if isinstance(layer, Residual):
                self._into_residual(place, layer, x, source)
            x = layer.feedforward(x, trace)
            self._keep(place, {**trace.fields(), place.output: x})
            source = here, place.output
        return x

    def _into_residual(self, place: Place, layer: Residual, x: Array, source: Key) -> None:
        inside = len(layer.layers)
        self._forwards(layer.layers, place.path, x, source)
        last = self.places[*place.path, inside - 1]
        self._join((place.path, "f"), (last.path, last.output))
        if isinstance(layer.projection, Layer):
            self._forwards([layer.projection], place.path, x, source, inside)
            around = self.places[*place.path, inside]
            self._join((place.path, "around"), (around.path, around.output))

    def _measure(self) -> None:
        """Compute the loss without penalty, and where backprop starts."""
        network, weight = self.network, self.samples.weight
        y = network.loss.encode(self.samples.y, network.output_shape[-1], network.dtype)
        self.data_loss = network.loss.value(self.trace.output, y, weight)
        self.trace.d_output = network.loss.gradient(self.trace.output, y, weight)
        self.arrays[WHOLE, "y"] = network.loss.seen(y)
        self.arrays[WHOLE, "d_y_hat"] = self.trace.d_output
        self.loss_terms = LossTerms(self)
        for setting, value in network.loss.settings().items():
            if isinstance(value, int | float):
                self.settings[setting] = float(value)

    def _backprop(self) -> None:
        last = self.places[len(self.network.layers) - 1,]
        self._join((last.path, f"d_{last.output}"), (WHOLE, "d_y_hat"))
        first = self.places[0,]
        self._join((first.path, f"d_{first.input}"), (WHOLE, "d_x"))
        self._backwards(WHOLE, len(self.network.layers), self.trace.d_output)

    def _backwards(self, path: Path, stop: int, d: Any, first: int = 0) -> None:
        """From the last layer to the first, keeping every gradient."""
        for index in range(stop - 1, first - 1, -1):
            place = self.places[*path, index]
            if index > first:
                before = self.places[*path, index - 1]
                target = before.path, f"d_{before.output}"
                self._join((place.path, f"d_{place.input}"), target)
            d = place.layer.backprop(d, place.trace)
            self._keep(place, {**place.trace.fields(), f"d_{place.input}": d})
            if isinstance(place.layer, Residual):
                self._back_through_residual(place, place.layer)

    def _back_through_residual(self, place: Place, layer: Residual) -> None:
        inside = len(layer.layers)
        ends = [("d_x_of_f", 0, inside)]
        if isinstance(layer.projection, Layer):
            ends.append(("d_x_around", inside, inside + 1))
        for name, first, stop in ends:
            begins, last = self.places[*place.path, first], self.places[*place.path, stop - 1]
            self._join((last.path, f"d_{last.output}"), (place.path, "d_z"))
            self._backwards(place.path, stop, place.trace.d_z, first)
            self._join((place.path, name), (begins.path, f"d_{begins.input}"))

    def _add_up_gradients(self) -> None:
        """Total gradient of each parameter, where it is more than one layer's ``d_name``."""
        network, vector = self.network, self.network.parameter_vector
        self.totals: dict[Key, list[Name]] = {}
        self.penalized: set[Key] = set()
        self.penalty = 0.0
        for number, slot in enumerate(vector.slots):
            uses = [use.path for use in vector.uses if use.slot == number]
            penalized = slot.owner.declared(slot.name).penalized and (network.l1 or network.l2)
            if len(uses) == 1 and not penalized:
                continue
            name = f"d_{slot.name}"
            for path in uses:
                self._join((path, name), (path, f"{name}_here"))
            self.totals[slot.path, name] = [Name(path, f"{name}_here") for path in uses]
            total = sum(self.arrays[path, f"{name}_here"] for path in uses)
            if penalized:
                self.penalized.add((slot.path, name))
                weights = self.arrays[slot.path, slot.name]
                total = total + network.l1 * np.sign(weights) + 2 * network.l2 * weights
                self.penalty += network.l1 * np.abs(weights).sum()
                self.penalty += network.l2 * np.vdot(weights, weights)
            self.arrays[slot.path, name] = total
        self.loss = self.data_loss + float(self.penalty)
        self.settings |= {"l1": network.l1, "l2": network.l2, "pi": math.pi}
        self.arrays[WHOLE, "loss"] = np.array(self.loss)
        self.arrays[WHOLE, "penalty"] = np.array(float(self.penalty))

    def _keep(self, place: Place, found: dict[str, Any]) -> None:
        for field, array in found.items():
            name = self.resolve(place.path, field)
            if isinstance(array, np.ndarray):
                self.arrays.setdefault((name.path, name.field), array)

    def _join(self, key: Key, to: Key) -> None:
        """Let one name stand for another, with its array if it has one already."""
        self._aliases[key] = to
        if key in self.arrays:
            array = self.arrays.pop(key)
            name = self.resolve(*to)
            self.arrays.setdefault((name.path, name.field), array)

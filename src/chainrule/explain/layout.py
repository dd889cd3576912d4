"""Where everything in a network stands: its layers in place, and one name for every array.

What layer 1 gives and layer 2 receives is one thing and has one name, and so is the gradient of it,
which layer 2 computes on the way back. ``Layout`` knows these names and the equations between
them, without any numbers; ``Step`` adds those.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from chainrule.explain.expression import Call, Expression, Name, Number, add, multiply, rebuilt
from chainrule.explain.loss_terms import general_loss
from chainrule.explain.place import Place
from chainrule.layer import Layer, Pass, Shape, Trace
from chainrule.layers.residual import Residual

Path = tuple[int, ...]
Key = tuple[Path, str]

WHOLE: Path = ()  # path of what belongs to the whole network


class Layout:
    """The places of a network and the names of their arrays.

    Parameters
    ----------
    network : NeuralNetwork
        Built.
    shared : Pass
        Whether layers behave as in training, and the key of the random numbers.

    Attributes
    ----------
    places : dict of tuple to Place
        By path, in the order in which outputs are ready: layers inside others before those.
    homes : dict
        By path and field of an array, the place that computes it and what it is called there.
    totals : dict
        By path and field of a parameter's gradient, the gradients that it is the sum of: where
        several places use the parameter, or a penalty joins in.
    """

    def __init__(self, network: Any, shared: Pass) -> None:
        self.network = network
        self.shared = shared
        self.places: dict[Path, Place] = {}
        self.homes: dict[Key, tuple[Place, str]] = {}
        self.totals: dict[Key, list[Name]] = {}
        self.penalized: set[Key] = set()
        self._aliases: dict[Key, Key] = {}
        self._line_up(network.layers, network.shapes, WHOLE, (WHOLE, "x"), (WHOLE, "d_x"))
        last = self.places[len(network.layers) - 1,]
        self._join((last.path, last.output), (WHOLE, "y_hat"))
        self._join((last.path, f"d_{last.output}"), (WHOLE, "d_y_hat"))
        self._name_parameters()
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

    def is_parameter(self, name: Name) -> bool:
        """Whether a name is a trainable array, or its use in some place."""
        key = self.resolve(name.path, name.field)
        slots = self.network.parameter_vector.slots
        return any((slot.path, slot.name) == (key.path, key.field) for slot in slots)

    def general(self, name: Name) -> Expression | None:
        """Equation between whole arrays that gives this one; None where no layer has one."""
        if name.path == WHOLE and name.field not in ("x", "y", "y_hat", "d_x"):
            found = general_loss(self.network.loss, name.field)
            has_penalty = name.field == "loss" and (self.network.l1 or self.network.l2)
            return add([found, Name(WHOLE, "penalty")]) if found and has_penalty else found
        home = self.homes.get((name.path, name.field))
        if home is None:
            return None
        place, field = home
        return self._resolved(place.equations[field], place.path)

    def _resolved(self, expression: Expression, path: Path) -> Expression:
        if isinstance(expression, Name):
            return self.resolve(path, expression.field)
        return rebuilt(expression, lambda part: self._resolved(part, path))

    def total(self, name: Name) -> Expression:
        """Gradient of a parameter: of all places that use it, and of its penalty."""
        weight = Name(name.path, name.field.removeprefix("d_"), name.index)
        key = name.path, name.field
        terms: list[Expression] = [
            Name(use.path, use.field, name.index) for use in self.totals[key]
        ]
        if key in self.penalized and self.network.l1:
            terms.append(multiply(Name(WHOLE, "l1"), Call("sign", (weight,))))
        if key in self.penalized and self.network.l2:
            terms.append(multiply(Number(2.0), Name(WHOLE, "l2"), weight))
        return add(terms)

    # --- lining up ----------------------------------------------------------------------------

    def _line_up(
        self,
        layers: Sequence[Layer],
        shapes: Sequence[Shape],
        path: Path,
        source: Key,
        d_source: Key | None,
        first: int = 0,
    ) -> None:
        """Put layers one after another; each receives what the one before gives.

        ``d_source`` is what the gradient of the first one's input is called, if that is somebody
        else's too.
        """
        for index, layer in enumerate(layers, start=first):
            here = (*path, index)
            place = Place(self, here, layer, Trace(self.shared, here), shapes[index - first])
            self._join((here, place.input), source)
            if d_source is not None:
                self._join((here, f"d_{place.input}"), d_source)
            if isinstance(layer, Residual):
                self._line_up_residual(place, layer, source)
            self.places[here] = place
            source, d_source = (here, place.output), (here, f"d_{place.output}")

    def _line_up_residual(self, place: Place, layer: Residual, source: Key) -> None:
        """F and the way around begin with the same x; both end in the sum z."""
        inner = layer.inner_layers(place.input_shape)
        inside, shapes = [of for of, _ in inner], [shape for _, shape in inner]
        count = len(layer.layers)
        self._line_up(inside[:count], shapes, place.path, source, None)
        self._line_up(inside[count:], shapes[count:], place.path, source, None, count)
        for name, first, last in [("f", 0, count - 1), ("around", count, len(inside) - 1)]:
            if first < len(inside):
                begin, end = self.places[*place.path, first], self.places[*place.path, last]
                back = "d_x_of_f" if name == "f" else "d_x_around"
                self._join((place.path, name), (end.path, end.output))
                self._join((end.path, f"d_{end.output}"), (place.path, "d_z"))
                self._join((place.path, back), (begin.path, f"d_{begin.input}"))

    def _name_parameters(self) -> None:
        network, vector = self.network, self.network.parameter_vector
        for number, slot in enumerate(vector.slots):
            uses = [use.path for use in vector.uses if use.slot == number]
            for path in uses[1:]:
                self._join((path, slot.name), (slot.path, slot.name))
            key = slot.path, f"d_{slot.name}"
            if slot.owner.declared(slot.name).penalized and (network.l1 or network.l2):
                self.penalized.add(key)
            elif len(uses) == 1:
                continue
            for path in uses:
                self._join((path, key[1]), (path, f"{key[1]}_here"))
            self.totals[key] = [Name(path, f"{key[1]}_here") for path in uses]
        for slot in vector.statistics:  # of which the vector notes the first use alone
            for path, place in self.places.items():
                if place.layer is slot.owner and path != slot.path:
                    self._join((path, slot.name), (slot.path, slot.name))

    def _join(self, key: Key, to: Key) -> None:
        """Let one name stand for another."""
        self._aliases[key] = to

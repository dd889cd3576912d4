"""The whole network in general form: every equation from the data to the loss and back."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from chainrule.activation import Activation
from chainrule.explain.document import Block, Document, Equation, Section, Text
from chainrule.explain.expression import Expression, Name, rebuilt
from chainrule.explain.layout import WHOLE, Layout
from chainrule.explain.place import Place
from chainrule.explain.reading import read
from chainrule.explain.shown import Shown
from chainrule.layer import Pass, Shape

_REDUCTIONS = {
    "sum": "all terms added up",
    "mean": "n terms: of each output of each sample",
    "mean of samples": "n samples",
}


class Derivation(Shown):
    """Every equation of a network, with shapes, for any batch.

    ``net.derivation()`` makes one.

    Parameters
    ----------
    network : NeuralNetwork
        Built.
    training : bool
        Whether layers behave as in training.
    """

    def __init__(self, network: Any, *, training: bool = True) -> None:
        self.network = network
        self.layout = Layout(network, Pass(training=training))
        self.parameters = {(slot.path, slot.name): slot.shape for slot in self._slots()}

    def _slots(self) -> Any:
        return self.network.parameter_vector.all_slots

    def document(self) -> Document:
        """Everything there is to say, for any form."""
        places = list(self.layout.places.values())
        layers, count = len(self.network.layers), len(self.network.parameters)
        return Document(
            "The network, equation by equation",
            [
                Text([f"{_counted(layers, 'layer')}, {_counted(count, 'parameter')}."]),
                Section(["Feedforward"], [self._section(place, back=False) for place in places]),
                Section(["Loss"], list(self._loss())),
                Section(["Backprop"], list(self._backwards(places))),
                Section(["Update"], list(self._update())),
            ],
        )

    def _backwards(self, places: list[Place]) -> Iterator[Block]:
        note = _written(("batch", *self.network.output_shape))
        yield self._of_the_loss("d_y_hat", "terms_gradient", note)
        for place in reversed(places):
            yield self._section(place, back=True)
        for path, field in self.layout.totals:
            total = Name(path, field)
            yield Equation(total, [self.layout.total(total)])

    def _section(self, place: Place, *, back: bool) -> Section:
        blocks: list[Block] = []
        for field in place.equations:
            name = self.layout.resolve(place.path, field)
            general = self.layout.general(name)
            if field.startswith("d_") == back and general is not None:
                blocks.append(Equation(name, [general], note=self._shape(place, field)))
        if not blocks:
            code = "backprop" if back else "feedforward"
            blocks.append(Text([f"As {type(place.layer).__name__}.{code} says."], tone="quiet"))
        return Section([place.title], blocks)

    def _shape(self, place: Place, field: str) -> str:
        """Shape of an array, where it is the layer's input, output or parameter."""
        of = field.removeprefix("d_")
        parameter = self.layout.resolve(place.path, of)
        if (parameter.path, of) in self.parameters:
            return _written(self.parameters[parameter.path, of])
        if of == place.input and not isinstance(place.layer, Activation):
            return _written(("batch", *place.input_shape))
        if of in (place.output, "z"):
            return _written(("batch", *place.layer.output_shape(place.input_shape)))
        return ""

    def _loss(self) -> Iterator[Block]:
        loss = self.network.loss
        yield Text([f"{loss!r}"])
        yield self._of_the_loss("term", "terms")
        yield self._of_the_loss("loss", "value", _REDUCTIONS[loss.reduction])

    def _of_the_loss(self, field: str, method: str, note: str = "") -> Block:
        name = Name(WHOLE, field)
        general = self.layout.general(name)
        if general is None:
            words = f": as {type(self.network.loss).__name__}.{method} says."
            return Text([name, words], tone="quiet")
        return Equation(name, [general], note=note)

    def _update(self) -> Iterator[Block]:
        optimizer = self.network.optimizer
        yield Text([f"{optimizer!r}, for each parameter θ with its gradient g"])
        rules = optimizer.equations()
        if not rules:
            yield Text(["This optimizer has no rule for single parameters."], tone="quiet")
        for name, rule in rules.items():
            yield Equation(_of_the_rule(Name(WHOLE, name)), [_of_the_rule(read(rule))])


def _of_the_rule(expression: Expression) -> Expression:
    if isinstance(expression, Name):
        letters = {"parameter": "theta", "new_parameter": "new_theta"}
        return Name(WHOLE, letters.get(expression.field, expression.field))
    return rebuilt(expression, _of_the_rule)


def _written(shape: Shape | tuple[Any, ...]) -> str:
    return f"({', '.join(map(str, shape))}{',' * (len(shape) == 1)})"


def _counted(number: int, what: str) -> str:
    return f"{number:,} {what}{'s' * (number != 1)}"

"""The explanation of one training step: where every number of it can be asked for."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from chainrule import plots
from chainrule.checks import did_you_mean, shown
from chainrule.errors import InvalidInput
from chainrule.explain import record
from chainrule.explain.differences import Differences
from chainrule.explain.document import Document
from chainrule.explain.expression import Name
from chainrule.explain.flow import flow_of
from chainrule.explain.layout import WHOLE
from chainrule.explain.place import Place
from chainrule.explain.quantity import Quantity, Tensor
from chainrule.explain.shown import Shown
from chainrule.explain.step import Step
from chainrule.explain.telling import Telling
from chainrule.explain.whole_step import WholeStep
from chainrule.samples import Samples

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from chainrule.layer import Layer


class Explanation(Shown):
    """One step of training, number by number: feedforward, loss, backprop, update.

    ``net.explain(x, y)`` makes one. ``e["layer 1"].weights[0, 2].gradient`` is one number of it;
    printing a number shows its formula, the formula with the numbers put in, its value, what it is
    made of and the line of code that computed it.

    Attributes
    ----------
    step : Step
        The recorded numbers.
    """

    def __init__(self, network: Any, samples: Samples, *, training: bool = True) -> None:
        self.step = Step(network.copy(), samples, network.training_state, training=training)

    @cached_property
    def telling(self) -> Telling:
        """What turns numbers into sentences."""
        return Telling(self)

    @cached_property
    def differences(self) -> Differences:
        """Finite differences of the loss of this step."""
        return Differences(self.step)

    # --- asking -----------------------------------------------------------------------------------

    @property
    def loss(self) -> Quantity:
        """The loss, penalty included."""
        return Quantity(self, Name(WHOLE, "loss", ()))

    @property
    def x(self) -> Tensor:
        """The data, in the numbers that the network sees."""
        return self.tensor(Name(WHOLE, "x"))

    @property
    def y(self) -> Tensor:
        """The actual values, as the loss sees them: classes as one-hot rows."""
        return self.tensor(Name(WHOLE, "y"))

    @property
    def output(self) -> Tensor:
        """ŷ: what the last layer gives."""
        return self.tensor(Name(WHOLE, "y_hat"))

    @property
    def terms(self) -> Tensor:
        """What each output, or each sample, adds to the loss."""
        return self.tensor(Name(WHOLE, "term"))

    @property
    def layers(self) -> dict[str, LayerExplanation]:
        """Every layer by name, those inside others too: ``"layer 2.1"``."""
        return {
            f"layer {place.number}": LayerExplanation(self, place)
            for place in self.step.places.values()
        }

    def __getitem__(self, layer: str | int) -> LayerExplanation:
        layers = self.layers
        if isinstance(layer, str) and layer in layers:
            return layers[layer]
        outer = [name for name in layers if "." not in name]
        if isinstance(layer, int) and -len(outer) <= layer < len(outer):
            return layers[outer[layer]]
        hint = did_you_mean(layer, layers) if isinstance(layer, str) else ""
        raise InvalidInput(
            f"The explanation has no layer {shown(layer)}. {hint}It has "
            f"{', '.join(map(repr, layers))}; the outer ones also by number, from 0."
        )

    def tensor(self, name: Name) -> Tensor:
        """Return the array of that name, whatever its index."""
        return Tensor(self, Name(name.path, name.field))

    def what_there_is(self, path: tuple[int, ...]) -> str:
        """Name the arrays of a layer, for messages."""
        fields = sorted(field for at, field in self.step.arrays if at == path)
        return f"There are {', '.join(fields)}."

    # --- showing ----------------------------------------------------------------------------------

    @cached_property
    def loss_after_update(self) -> float | None:
        """Loss of the same samples with the updated parameters; None without an update."""
        return self.step.update.loss_afterwards()

    def document(self) -> Document:
        """Everything there is to say, for any form."""
        return self._whole.document()

    def about_layer(self, place: Place) -> Document:
        """What there is to say about one layer."""
        return self._whole.about_layer(place)

    def quantities(self) -> list[Quantity]:
        """Every quantity that the document has an equation for."""
        return list(self._whole.quantities())

    @cached_property
    def _whole(self) -> WholeStep:
        return WholeStep(self, self.telling)

    def to_dict(self) -> dict[str, Any]:
        """The explanation as plain data; docs/explanation.md describes it."""
        return record.as_data(self)

    def to_json(self) -> str:
        """The same as JSON text."""
        return json.dumps(self.to_dict(), ensure_ascii=False, allow_nan=False)

    def plot(self, *, axes: Axes | None = None) -> Axes:
        """Draw the step: data forwards, gradients back, with their norms.

        Returns
        -------
        matplotlib Axes
            ``chainrule.plots.save`` writes it to a file.
        """
        return plots.step_graph(flow_of(self.step), axes=axes)

    def _forms(self) -> dict[str, Callable[[], str]]:
        return {**super()._forms(), ".json": self.to_json}

    def save(self, path: str | Path) -> Path:
        """Write it to a file that ends in .html, .md, .tex, .txt or .json; see ``Shown.save``."""
        return super().save(path)


class LayerExplanation(Shown):
    """One layer of an explanation: its arrays are attributes, as ``weights``, ``z`` and ``a``.

    Attributes
    ----------
    layer : Layer
    """

    def __init__(self, explanation: Explanation, place: Place) -> None:
        self.explanation = explanation
        self.place = place
        self.layer: Layer = place.layer

    @property
    def x(self) -> Tensor:
        """What the layer receives."""
        return self._tensor(self.place.input)

    @property
    def output(self) -> Tensor:
        """What the layer gives."""
        return self._tensor(self.place.output)

    @property
    def names(self) -> list[str]:
        """What its arrays are called."""
        step, path = self.explanation.step, self.place.path
        own = [field for at, field in step.arrays if at == path]
        used = [*self.place.equations, self.place.input, self.place.output]
        return list(dict.fromkeys([*used, *own]))

    def document(self) -> Document:
        """Everything there is to say, for any form."""
        return self.explanation.about_layer(self.place)

    def __getattr__(self, name: str) -> Tensor:
        if name.startswith("__"):
            raise AttributeError(name)
        return self._tensor(name)

    def __dir__(self) -> list[str]:
        return [*super().__dir__(), *self.names]

    def _tensor(self, field: str) -> Tensor:
        step, path = self.explanation.step, self.place.path
        name = step.resolve(path, field)
        of = step.resolve(path, field.removeprefix("d_"))
        if field.startswith("d_") and step.is_parameter(of):
            name = Name(of.path, f"d_{of.field}")  # all of it, not the part of this place
        if (name.path, name.field) not in self.explanation.step.arrays:
            raise AttributeError(
                f"{self.place.layer!r} has no {field!r} in this step. "
                f"{did_you_mean(field, self.names)}It has {', '.join(self.names)}."
            )
        return Tensor(self.explanation, name)

"""What an ejected module is put together from, while the network is gone through."""

from __future__ import annotations

import keyword
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from chainrule.errors import InvalidSetting
from chainrule.explain.expression import Call, Expression
from chainrule.layer import Layer, Shape
from chainrule.saving.eject.code import NUMPY, Printer
from chainrule.saving.eject.functions import FUNCTIONS, function_text
from chainrule.saving.eject.layout import call_lines, statement

if TYPE_CHECKING:
    from chainrule.network import NeuralNetwork

Path = tuple[int, ...]

_RESERVED = {*FUNCTIONS, "math", "np"}  # names that functions made for a network do not get


@dataclass(frozen=True)
class Value:
    """An array that one layer hands on to the next.

    Attributes
    ----------
    name : str
        Its attribute in the class, as ``"a_1"``; ∂loss/∂a_1 is called ``d_a_1``.
    shape : tuple of int
        Of one sample.
    """

    name: str
    shape: Shape

    @property
    def code(self) -> str:
        return f"self.{self.name}"

    @property
    def gradient(self) -> str:
        return f"d_{self.name}"


class Source:
    """Lines of both passes, and what they need around them.

    Parameters
    ----------
    network : NeuralNetwork
        Built.

    Attributes
    ----------
    forward, backward, counting : list of str
        Lines of ``feedforward``, ``backprop`` and of what layers count up once a step.
    functions : dict of str to str
        Text of each function in the module, by name, in order of first use.
    imports : set of str
    parameters : list of str
        Attribute of each parameter, in the order of the network's vector.
    trains : bool
        Whether some layer does something else in training than in prediction.
    random : bool
        Whether some layer draws random numbers.
    """

    def __init__(self, network: NeuralNetwork) -> None:
        self.network = network
        self.forward: list[str] = []
        self.backward: list[str] = []
        self.counting: list[str] = []
        self.functions: dict[str, str] = {}
        self.imports: set[str] = set()
        vector = network.parameter_vector
        self._attributes = {
            (id(slot.owner), slot.name): f"{slot.name}_{suffix(slot.path)}"
            for slot in vector.all_slots
        }
        self.parameters = [f"{slot.name}_{suffix(slot.path)}" for slot in vector.slots]
        self.statistics = [f"{slot.name}_{suffix(slot.path)}" for slot in vector.statistics]
        self.weights = [
            name
            for name, slot in zip(self.parameters, vector.slots, strict=True)
            if slot.owner.declared(slot.name).penalized
        ]
        self.trains = self.random = False
        self._written: set[str] = set()
        self.stride = self.dilation = False
        for layer in _all_layers(network):
            windows = getattr(layer, "windows", None)
            if windows is not None:
                self.stride = self.stride or windows.stride != (1, 1)
                self.dilation = self.dilation or windows.dilation != (1, 1)

    def attribute(self, owner: Layer, name: str) -> str | None:
        """Return the attribute that a parameter has in the class; None where it is none."""
        return self._attributes.get((id(owner), name))

    def use(self, name: str) -> str:
        """Bring along one of ``FUNCTIONS``, and what it needs; return its name."""
        if name not in self.functions:
            function = FUNCTIONS[name]
            for needed in function.needs:
                self.use(needed)
            self.imports.update(function.imports)
            text = function_text(name, stride=self.stride, dilation=self.dilation)
            self.functions[name] = text
        return name

    def define(self, name: str, text: str) -> str:
        """Bring along a function made for this network; return the name it has got."""
        free, count = identifier(name), 1
        while True:
            renamed = text.replace(f"def {name}(", f"def {free}(")
            if free not in _RESERVED and self.functions.get(free, renamed) == renamed:
                self.functions[free] = renamed
                return free
            count += 1
            free = f"{identifier(name)}_{count}"

    def printer(
        self,
        name: Callable[[str], str],
        operation: Callable[[Call, Printer], str | None] = lambda call, printer: None,
    ) -> Printer:
        """Return what prints expressions and brings along the functions they call."""

        def call(found: Call, printer: Printer) -> str | None:
            own = operation(found, printer)
            if own is None and found.function == "total":
                argument = printer.text(found.arguments[0])
                own = f"np.sum({argument}, axis=-1, keepdims=True)"
            if own is None and found.function in FUNCTIONS:
                self.use(found.function)
            elif own is None and not self._is_known(found.function):
                raise InvalidSetting(
                    f"This network cannot be ejected: a formula or equation calls "
                    f"{found.function!r}, for which there is no function in NumPy."
                )
            return own

        return Printer(name, call)

    def _is_known(self, function: str) -> bool:
        return function.startswith("np.") or function in NUMPY or function in self.functions

    def compute(self, target: str, printer: Printer, expression: Expression) -> None:
        """Append a line of the forward pass."""
        self.forward += statement(f"self.{target} = ", printer, expression, 2)

    def back(self, target: str, printer: Printer, expression: Expression) -> None:
        """Append a line of the way back."""
        self.backward += statement(f"{target} = ", printer, expression, 2)

    def back_line(self, line: str) -> None:
        """Append a line of the way back that ends in a call."""
        self.backward += call_lines(line, 2)

    def gradient(
        self, attribute: str, printer: Printer, expression: Expression, here: str | None = None
    ) -> bool:
        """Append the gradient of a parameter, or add it to that of a later use.

        ``here`` is what this place's part is to be called where it is added and still needed by
        itself. Returns whether it is.
        """
        if attribute not in self._written:
            self._written.add(attribute)
            self.backward += statement(f"self.d_{attribute} = ", printer, expression, 2)
            return False
        if here is None:
            self.backward += statement(f"self.d_{attribute} += ", printer, expression, 2)
            return False
        self.backward += statement(f"{here} = ", printer, expression, 2)
        self.backward.append(f"self.d_{attribute} += {here}")
        return True

    def gradient_line(self, attribute: str, code: str) -> None:
        """Append the gradient of a parameter that is computed by a call, or add it."""
        sign = "+=" if attribute in self._written else "="
        self._written.add(attribute)
        self.back_line(f"self.d_{attribute} {sign} {code}")


def identifier(name: str) -> str:
    """Make a name that Python takes of one that someone gave a class."""
    plain = re.sub(r"\W", "_", name)
    return f"{plain}_" if keyword.iskeyword(plain) or not plain.isidentifier() else plain


def suffix(path: Path) -> str:
    """``"3_1"`` for the first layer inside the third."""
    return "_".join(str(index + 1) for index in path)


def refuse(layer: Layer, path: Path, why: str) -> InvalidSetting:
    """Say which layer cannot be written as Python, and why."""
    place = suffix(path).replace("_", ".")
    return InvalidSetting(f"Layer {place}, {layer!r}, cannot be ejected: {why}")


def _all_layers(network: NeuralNetwork) -> list[Any]:
    found: list[Any] = []

    def gather(layer: Layer, shape: Shape) -> None:
        found.append(layer)
        for inner, inner_shape in layer.inner_layers(shape):
            gather(inner, inner_shape)

    for layer, shape in zip(network.layers, network.shapes[:-1], strict=True):
        gather(layer, shape)
    return found

"""Activations as functions of an ejected module, made from the formulas beside their code."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Sequence

from chainrule.activation import Activation
from chainrule.explain.expression import Call, Expression, Name, Product, Sum, multiply, names
from chainrule.explain.place import equations_of
from chainrule.explain.reading import read
from chainrule.explain.stable import stable
from chainrule.layer import Layer
from chainrule.registry import Registered
from chainrule.saving.eject.code import Printer, number
from chainrule.saving.eject.functions import FUNCTIONS
from chainrule.saving.eject.layout import WIDTH, docstring, indented, statement
from chainrule.saving.eject.repeats import is_short, named_parts
from chainrule.saving.eject.source import Path, Source, Value, refuse, suffix


class EjectedActivation:
    """One activation at one place: its lines in both passes."""

    def __init__(self, source: Source, layer: Activation, path: Path, z: Value) -> None:
        self.source, self.layer, self.path, self.z = source, layer, path, z
        self.a = Value(f"a_{suffix(path)}", z.shape)
        self.equations = {
            name: stable(read_equation(layer, path, text))
            for name, text in equations_of(layer, True).items()
        }
        if not {"a", "d_z"} <= self.equations.keys():
            raise refuse(
                layer,
                path,
                "it does not say in formulas what it does. Give its class formula and "
                "derivative_formula, or equations, or use another activation.",
            )

    def feedforward(self) -> Value:
        """Append a = f(z) and return a; an activation that does nothing hands on z."""
        if self.equations["a"] == Name((), "z"):
            return self.z
        call = self._function("a", self.layer.name, describe(self.layer))
        self.source.compute(self.a.name, self._printer(), call)
        return self.a

    def backprop(self, d_a: str, into: str | None) -> str:
        """Append the activation's own gradients and, where anyone needs it, ∂loss/∂z.

        Returns what holds ∂loss/∂z.
        """
        for name, expression in self.equations.items():
            attribute = self.source.attribute(self.layer, name.removeprefix("d_"))
            if name.startswith("d_") and attribute is not None:
                self.source.gradient(attribute, self._printer(d_a), expression)
        d_z = self.equations["d_z"]
        if into is None:
            return ""
        if d_z == Name((), "d_a"):
            return d_a
        derivative = _factor_beside_d_a(d_z)
        printer = self._printer(d_a)
        if derivative is None:
            call = self._function("d_z", f"{self.layer.name}_backprop", "∂loss/∂z from ∂loss/∂a.")
            self.source.back(into, printer, call)
            return into
        product = multiply(Name((), "d_a"), derivative)
        if is_short(derivative) and len(statement(f"{into} = ", printer, product, 2)) == 1:
            self.source.back(into, printer, product)
            return into
        self.equations["derivative"] = derivative
        described = f"Derivative of {self.layer.name}."
        call = self._function("derivative", f"{self.layer.name}_derivative", described)
        self.source.backward.append(f"{into} = {d_a} * {printer.text(call)}")
        return into

    def _function(self, equation: str, name: str, described: str) -> Call:
        """Define a function for an equation, and return the call of it."""
        expression = self.equations[equation]
        if isinstance(expression, Call) and expression.function in FUNCTIONS:
            return expression  # such as sigmoid(z)
        used = [found.field for found in names(expression)]
        arguments = [argument for argument in used if self._is_argument(argument)]
        text = function(self.source, name, arguments, expression, described, self._constant)
        return Call(self.source.define(name, text), tuple(Name((), a) for a in arguments))

    def _is_argument(self, name: str) -> bool:
        is_setting = name in self.layer.settings()
        return name in ("z", "a", "d_a") or is_setting or self._parameter(name) is not None

    def _parameter(self, name: str) -> str | None:
        return self.source.attribute(self.layer, name)

    def _constant(self, name: str) -> str:
        """Code of a name that is no argument: a number that belongs to the class."""
        if name == "pi":
            return "np.pi"
        value = getattr(self.layer, name, None)
        if not isinstance(value, int | float):
            raise refuse(self.layer, self.path, f"its formula names {name!r}, which is no number.")
        return number(value)

    def _printer(self, d_a: str = "") -> Printer:
        """Print names as the class knows them."""

        def name(field: str) -> str:
            match field:
                case "z":
                    return self.z.code
                case "a":
                    return self.a.code
                case "d_a":
                    return d_a
            parameter = self._parameter(field)
            return self._constant(field) if parameter is None else f"self.{parameter}"

        def operation(call: Call, printer: Printer) -> str | None:
            if call.function != "channel_sum":
                return None
            axes = axes_text(range(len(self.z.shape)))
            return f"np.sum({printer.text(call.arguments[0])}, axis={axes})"

        return self.source.printer(name, operation)


def _factor_beside_d_a(d_z: Expression) -> Expression | None:
    """f'(z) of ∂loss/∂z = ∂loss/∂a · f'(z); None where the equation has another form."""
    match d_z:
        case Product((Name(_, "d_a"), *others)):
            rest = multiply(*others)
            return None if Name((), "d_a") in names(rest) else rest
    return None


def function(
    source: Source,
    name: str,
    arguments: Sequence[str],
    expression: Expression,
    described: str,
    constant: Callable[[str], str],
    before: Sequence[str] = (),
) -> str:
    """Text of a function that returns what an expression says.

    Parameters
    ----------
    source : Source
    name : str
    arguments : sequence of str
    expression : Expression
    described : str
        Its docstring.
    constant : callable
        Code of a name that is no argument.
    before : sequence of str, optional
        Lines that come first.
    """
    values = {argument: argument for argument in arguments}
    local, rest = named_parts(expression, set(arguments))
    values.update({part: part for part, _ in local})
    printer = source.printer(lambda field: values.get(field) or constant(field))
    body = [*docstring(described), *before]
    for part, stands_for in local:
        body += statement(f"{part} = ", printer, stands_for)
    match rest:
        case Sum((first, second)) if len(printer.text(rest)) > WIDTH - 11:
            body += statement("rest = ", printer, second)
            values["rest"] = "rest"
            rest = Sum((first, Name((), "rest")))
    body += statement("return ", printer, rest)
    lines = [f"def {name}({', '.join(arguments)}):", *indented(body)]
    if "np.exp" in "".join(body):
        lines.insert(0, '@np.errstate(over="ignore")  # where e^z is too large, infinity will do')
    return "\n".join(lines)


def read_equation(layer: Layer, path: Path, text: str) -> Expression:
    """Read an equation, or say which layer's it is that cannot be read."""
    try:
        return read(text)
    except (ValueError, SyntaxError, KeyError) as error:
        raise refuse(layer, path, f"its equation {text!r} cannot be read ({error}).") from error


def describe(member: Registered) -> str:
    """What a class says about itself in the first paragraph, or only sentence, of its docstring."""
    written = inspect.getdoc(type(member)) or f"{member.name}, of chainrule."
    text = " ".join(written.split("\n\n")[0].split())
    if len(text) > WIDTH - 10:
        text = re.split(r"(?<=[^ ]{2})(?:[.;]) ", text)[0].rstrip(".") + "."
    return text


def axes_text(axes: Sequence[int] | range) -> str:
    """``0`` for one axis, ``(0, 1, 2)`` for several."""
    listed = list(axes)
    return str(listed[0]) if len(listed) == 1 else f"({', '.join(map(str, listed))})"

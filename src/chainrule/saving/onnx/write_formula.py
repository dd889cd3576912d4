"""Any activation in ONNX by its own formula: the tree of the formula, operator by operator.

So an activation from outside the package needs nothing of its own to be written. Whether the
formula is what the activation computes is tried before it is believed.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from chainrule.activation import Activation, VectorActivation
from chainrule.checks import shown
from chainrule.errors import InvalidSetting, optional_package
from chainrule.explain.evaluation import FUNCTIONS, evaluate
from chainrule.explain.expression import (
    Call,
    Cases,
    Comparison,
    Expression,
    Name,
    Negative,
    Number,
    Power,
    Product,
    Quotient,
    Sum,
    names,
    parts,
)
from chainrule.explain.place import equations_of
from chainrule.explain.reading import read, read_whole
from chainrule.layer import Array, Trace
from chainrule.saving.eject.stable import stable
from chainrule.saving.onnx.graph import Graph, Tensor
from chainrule.saving.onnx.write_activations import write_softplus
from chainrule.saving.onnx.writer import Onnx

_CAPITALIZED = """
    exp log sqrt tanh erf sin cos tan asin acos atan sinh cosh asinh acosh atanh sign floor sigmoid
    softmax
    """
_OPERATORS = {name: name.capitalize() for name in _CAPITALIZED.split()} | {
    **{name: name for name in ("Abs", "Max", "Min")},
    "ceiling": "Ceil",
    "log_softmax": "LogSoftmax",
}
_OVER_CHANNELS = {"total": "ReduceSum", "channel_average": "ReduceMean"}
_SIGNS = {"<": "Less", "<=": "LessOrEqual", ">": "Greater", ">=": "GreaterOrEqual"}
_TRIED = 32  # samples on which the formula is compared with the activation
_CLOSE = 1e-4  # in parts of the largest number; float32 rounds at 6e-8


class FormulaOnnx(Onnx, of=Activation):
    """Writes the formula of an activation that has no class of its own."""

    def write(self, z: Tensor) -> Tensor:
        nodes = Formula(self, z)
        a = Tensor(nodes.whole(), z.shape, z.channels_first)
        self._try(z)
        return a

    def refuse(self, why: str) -> InvalidSetting:
        """Error that names the layer."""
        place, kind = ".".join(str(index + 1) for index in self.path), type(self.layer).__name__
        return InvalidSetting(
            f"Layer {place}, {self.layer!r}, cannot be written as ONNX: {why} Define a class "
            f"{kind}Onnx(chainrule.saving.onnx.Onnx, of={kind}) that writes it, or use another "
            "activation."
        )

    def _try(self, z: Tensor) -> None:
        """Run what was written on a few numbers, and compare with the activation itself."""
        graph = Graph(self.graph.dtype)
        inside = graph.input("x", z.shape[-1:])
        again = FormulaOnnx(self.layer, self.path, graph)
        graph.output("prediction", Formula(again, inside).whole(), inside.shape)
        evaluator = optional_package("onnx.reference", "Writing an ONNX file", "onnx")
        model = graph.onnx.load_from_string(graph.model("", ""))
        random = np.random.default_rng(0)
        x = random.normal(0, 3, (_TRIED, *inside.shape)).astype(graph.dtype)
        with np.errstate(all="ignore"):
            (found,) = evaluator.ReferenceEvaluator(model).run(None, {"x": x})
            expected: Array = self.layer.feedforward(x, Trace())
            scale = np.abs(expected).max(where=np.isfinite(expected), initial=1.0)
            close = np.abs(found - expected) <= _CLOSE * scale
            same = close | (found == expected) | (np.isnan(found) & np.isnan(expected))
        differ = ~same
        if differ.any():
            place = tuple(np.argwhere(differ)[0])
            raise self.refuse(
                f"for z = {x[place]:.6g} its formula gives {found[place]:.6g}, and the layer "
                f"{expected[place]:.6g}."
            )


class Formula:
    """One formula that becomes nodes; what stands there twice is computed once.

    Parameters
    ----------
    writer : FormulaOnnx
    z : Tensor
    """

    def __init__(self, writer: FormulaOnnx, z: Tensor) -> None:
        self.writer = writer
        self.graph = writer.graph
        self.z = z
        self._known: dict[Expression, str] = {Name((), "z"): z.name}

    def whole(self) -> str:
        """Append everything and return the name of a."""
        expression = self._read()
        if Name((), "z") not in names(expression):
            raise self._unknown("no z")
        return self.node(expression)

    def _read(self) -> Expression:
        layer = self.writer.layer
        text = equations_of(layer, training=False).get("a", "")
        try:
            if text:
                return stable(read(text))
            if isinstance(layer, VectorActivation) and layer.formula:
                text = layer.formula
                return stable(read_whole(text, lambda name: Name((), name)))
        except (ValueError, SyntaxError, KeyError, IndexError) as error:
            raise self.writer.refuse(f"its formula {text!r} cannot be read ({error}).") from error
        raise self.writer.refuse(
            f"it does not say in a formula what it computes. Give {type(layer).__name__} a formula."
        )

    def node(self, expression: Expression) -> str:
        """Append what computes an expression, once, and return its name."""
        if expression not in self._known:
            value = self._number(expression)
            self._known[expression] = (
                self._append(expression) if value is None else self.graph.number("number", value)
            )
        return self._known[expression]

    def _append(self, expression: Expression) -> str:
        match expression:
            case Name(_, field):
                return self._parameter(field)
            case Sum((first, *others)):
                return self._sum(first, others)
            case Product((first, *others)):
                made = self.node(first)
                for factor in others:
                    made = self.writer.node("Mul", made, self.node(factor))
                return made
            case Negative(of):
                return self.writer.node("Neg", self.node(of))
            case Quotient(top, bottom):
                return self._quotient(top, bottom)
            case Power(base, exponent):
                return self.writer.node("Pow", self.node(base), self.node(exponent))
            case Call(function, arguments):
                return self._call(function, arguments)
            case Cases(cases):
                return self._cases(cases)
        raise self._unknown(f"a {type(expression).__name__}")

    def _sum(self, first: Expression, others: list[Expression]) -> str:
        made = self.node(first)
        for term in others:
            if isinstance(term, Negative):
                made = self.writer.node("Sub", made, self.node(term.of))
            else:
                made = self.writer.node("Add", made, self.node(term))
        return made

    def _quotient(self, top: Expression, bottom: Expression) -> str:
        divisor = self._number(bottom)
        if divisor is not None and abs(np.frexp(divisor)[0]) == 0.5:  # a power of two: exact
            return self.writer.node("Mul", self.node(top), self.node(Number(1 / divisor)))
        return self.writer.node("Div", self.node(top), self.node(bottom))

    def _call(self, function: str, arguments: tuple[Expression, ...]) -> str:
        writer = self.writer
        match function, arguments:
            case "logaddexp", (Number(0.0), u):
                return write_softplus(writer, self.node(u))
            case "logaddexp", (u, v):  # the larger, and what the other adds to it
                apart = Call("Abs", (Sum((u, Negative(v))),))
                larger = Call("Max", (u, v))
                return self.node(Sum((larger, Call("logaddexp", (Number(0.0), Negative(apart))))))
            case "maximum", (u, Number(0.0)):
                return writer.node("Relu", self.node(u))
            case "expm1", (u,):
                return self.node(Sum((Call("exp", (u,)), Number(-1.0))))
            case "erfc", (u,):
                return self.node(Sum((Call("erf", (_negative(u),)), Number(1.0))))
        if function in _OVER_CHANNELS:
            axis = writer.whole_numbers("axis", self.z.channel_axis)
            return writer.node(_OVER_CHANNELS[function], self.node(arguments[0]), axis, keepdims=1)
        if function not in _OPERATORS:
            raise self._unknown(f"the function {function}")
        axes: dict[str, Any] = {"axis": self.z.channel_axis} if "softmax" in function else {}
        return writer.node(_OPERATORS[function], *map(self.node, arguments), **axes)

    def _cases(self, cases: tuple[tuple[Expression, Comparison | None], ...]) -> str:
        (value, condition), *others = cases
        if condition is None:
            return self.node(value)
        if not others:
            raise self._unknown("cases without a last one for all the rest (value, True)")
        left, right = self.node(condition.left), self.node(condition.right)
        holds = self.writer.node(_SIGNS[condition.sign], left, right)
        rest = self.node(Cases(tuple(others)))
        return self.writer.node("Where", holds, self.node(value), rest)

    def _parameter(self, field: str) -> str:
        layer = self.writer.layer
        value = getattr(layer, field, None)
        shapes = layer.parameter_shapes(self.z.shape)
        if field not in shapes:
            raise self._unknown(f"{field!r}, which is {shown(value)} and no number")
        if shapes[field] != self.z.shape[-1:]:
            raise self._unknown(
                f"the parameter {field!r} of shape {shapes[field]}, not (channels,)"
            )
        return self.writer.parameter(field, like=self.z)

    def _number(self, expression: Expression) -> float | None:
        """Return what an expression of numbers comes to; None where z or parameters are in it."""
        used = {name: self._setting(name.field) for name in names(expression)}
        if None in used.values() or not _can_be_evaluated(expression):
            return None
        return evaluate(expression, used.__getitem__)  # type: ignore[arg-type]  # there is no None

    def _setting(self, name: str) -> float | None:
        """Return the number that a name stands for; a class may have some beside its settings."""
        if name == "pi":
            return math.pi
        value = getattr(self.writer.layer, name, None)
        return float(value) if isinstance(value, int | float | np.number) else None

    def _unknown(self, what: str) -> InvalidSetting:
        return self.writer.refuse(f"its formula holds {what}, which has no form in ONNX here.")


def _can_be_evaluated(expression: Expression) -> bool:
    match expression:
        case Call(function, _) if function not in FUNCTIONS:
            return False
        case Number() | Name() | Sum() | Product() | Negative() | Quotient() | Power() | Call():
            return all(map(_can_be_evaluated, parts(expression)))
    return False


def _negative(expression: Expression) -> Expression:
    """Turn the sign, without writing two of them."""
    match expression:
        case Negative(of):
            return of
        case Quotient(top, bottom):
            return Quotient(_negative(top), bottom)
    return Negative(expression)

"""A formula as nodes: its tree, operator by operator."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from chainrule.checks import shown
from chainrule.errors import InvalidSetting
from chainrule.explain.evaluation import FUNCTIONS, evaluate
from chainrule.explain.expression import (
    Call,
    Cases,
    Comparison,
    Expression,
    MatrixProduct,
    Name,
    Negative,
    Number,
    Power,
    Product,
    Quotient,
    Sum,
    Transposed,
    names,
    parts,
)
from chainrule.explain.stable import negative
from chainrule.saving.onnx.graph import Tensor
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


class Formula:
    """Formulas of one layer that become nodes; what stands there twice is computed once.

    Parameters
    ----------
    writer : Onnx
        Of the layer whose settings and parameters they name.
    x : Tensor
        What the layer takes.
    name : str
        What they call it: ``"z"`` or ``"x"``.
    """

    def __init__(self, writer: Onnx, x: Tensor, name: str) -> None:
        self.writer = writer
        self.graph = writer.graph
        self.x = x
        self._known: dict[Expression, str] = {Name((), name): x.name}

    def call(self, field: str, expression: Expression) -> str:
        """Append what computes an expression, and know it by that name from now on."""
        self._known[Name((), field)] = self.node(expression)
        return self._known[Name((), field)]

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
            case MatrixProduct(left, right):
                return self.writer.node("MatMul", self.node(left), self.node(right))
            case Transposed(Name(_, field)) if len(self._shapes().get(field, ())) == 2:
                return self.writer.parameter(field, axes=(1, 0))
            case Call(function, arguments):
                return self._call(function, arguments)
            case Cases(cases):
                return self._cases(cases)
        raise self.unknown(f"a {type(expression).__name__}")

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
                return self.node(Sum((Call("erf", (negative(u),)), Number(1.0))))
        if function in _OVER_CHANNELS:
            axis = writer.whole_numbers("axis", self._channel_axis())
            return writer.node(_OVER_CHANNELS[function], self.node(arguments[0]), axis, keepdims=1)
        if function not in _OPERATORS:
            raise self.unknown(f"the function {function}")
        axes: dict[str, Any] = {"axis": self._channel_axis()} if "softmax" in function else {}
        return writer.node(_OPERATORS[function], *map(self.node, arguments), **axes)

    def _cases(self, cases: tuple[tuple[Expression, Comparison | None], ...]) -> str:
        (value, condition), *others = cases
        if condition is None:
            return self.node(value)
        if not others:
            raise self.unknown("cases without a last one for all the rest (value, True)")
        left, right = self.node(condition.left), self.node(condition.right)
        holds = self.writer.node(_SIGNS[condition.sign], left, right)
        rest = self.node(Cases(tuple(others)))
        return self.writer.node("Where", holds, self.node(value), rest)

    def _parameter(self, field: str) -> str:
        value, shape = getattr(self.writer.layer, field, None), self._shapes().get(field)
        if shape is None:
            raise self.unknown(f"{field!r}, which is {shown(value)} and no number")
        if not self.x.channels_first:
            return self.writer.parameter(field)
        if shape != self.x.shape[-1:]:
            raise self.unknown(f"the parameter {field!r} of shape {shape}, not (channels,)")
        return self.writer.parameter(field, like=self.x)

    def _shapes(self) -> dict[str, Any]:
        shapes: dict[str, Any] = self.writer.layer.parameter_shapes(self.x.shape)
        return shapes

    def _channel_axis(self) -> int:
        return 1 if self.x.channels_first else -1

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

    def unknown(self, what: str) -> InvalidSetting:
        """Error that names a part of the formula."""
        return refused(self.writer, f"its formula holds {what}, which has no form in ONNX here.")


def refused(writer: Onnx, why: str) -> InvalidSetting:
    """Error that names the layer."""
    place, kind = ".".join(str(index + 1) for index in writer.path), type(writer.layer).__name__
    return InvalidSetting(
        f"Layer {place}, {writer.layer!r}, cannot be written as ONNX: {why} Define a class "
        f"{kind}Onnx(chainrule.saving.onnx.Onnx, of={kind}) that writes it, or use another layer."
    )


def _can_be_evaluated(expression: Expression) -> bool:
    match expression:
        case Call(function, _) if function not in FUNCTIONS:
            return False
        case Number() | Name() | Sum() | Product() | Negative() | Quotient() | Power() | Call():
            return all(map(_can_be_evaluated, parts(expression)))
    return False

"""From the formula beside the code to an expression: strings are read as Python expressions.

Two notations are in use. Equations between arrays name trace fields, parameters and settings, as
the layer's own code would: ``"x @ weights + bias"``. Formulas of activations and losses that mix
the numbers of one sample write indices, from 1 to K: ``"exp(z[i]) / Sum(exp(z[j]), (j, 1, K))"``.
"""

from __future__ import annotations

import ast
import functools
from collections.abc import Callable, Mapping

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
    Quotient,
    Sum,
    Transposed,
    add,
    multiply,
)

_SIGNS: dict[type[ast.cmpop], str] = {ast.Lt: "<", ast.LtE: "<=", ast.Gt: ">", ast.GtE: ">="}


def read(equation: str, path: tuple[int, ...] = ()) -> Expression:
    """Read an equation between arrays of the layer at ``path``: names without index."""
    return _Reader(lambda name: Name(path, name), {}, None).read(_parsed(equation))


def read_whole(formula: str, name: Callable[[str], Expression]) -> Expression:
    """Read a formula with indices as an equation between arrays.

    Each index runs through the last axis, so ``z[k]`` is all of z, and a sum over j is a sum over
    that axis.
    """
    return _Reader(name, {}, lambda array, _: name(array), is_whole=True).read(_parsed(formula))


def read_at(
    formula: str,
    name: Callable[[str], Expression],
    *,
    indexed: Callable[[str, int], Expression] | None = None,
    count: int = 0,
    **indices: int,
) -> Expression:
    """Read a formula for single numbers.

    Parameters
    ----------
    formula : str
    name : callable
        What to put for a plain name: ``"z"``, ``"slope"``.
    indexed : callable, optional
        What to put for ``z[j]``, with j from 1.
    count : int
        K, to which sums go.
    **indices : int
        Numbers, from 1, of the indices that no sum binds.
    """
    return _Reader(name, indices, indexed, count).read(_parsed(formula))


@functools.cache
def _parsed(formula: str) -> ast.expr:
    return ast.parse(formula, mode="eval").body


class _Reader:
    """Walks Python's syntax tree of one formula."""

    def __init__(
        self,
        name: Callable[[str], Expression],
        indices: Mapping[str, int],
        indexed: Callable[[str, int], Expression] | None,
        count: int = 0,
        *,
        is_whole: bool = False,
    ) -> None:
        self.is_whole = is_whole
        self.name = name
        self.indices = dict(indices)
        self.indexed = indexed
        self.count = count

    def read(self, node: ast.expr) -> Expression:
        match node:
            case ast.Constant(value=int() | float() as value):
                return Number(float(value))
            case ast.Name(id=name):
                return self.name(name)
            case ast.UnaryOp(op=ast.USub(), operand=operand):
                return Negative(self.read(operand))
            case ast.BinOp():
                return self._operation(node)
            case ast.Attribute(value=of, attr="T"):
                return Transposed(self.read(of))
            case ast.Subscript(value=ast.Name(id=name), slice=ast.Name(id=index)) if self.indexed:
                return self.indexed(name, self.indices.get(index, 0))
            case ast.Compare(left=left, ops=[sign], comparators=[right]):
                return Comparison(self.read(left), _SIGNS[type(sign)], self.read(right))
            case ast.Call(func=ast.Name(id=function)):
                return self._call(function, node.args)
        raise ValueError(f"A formula holds {ast.unparse(node)!r}, which has no meaning there.")

    def _operation(self, node: ast.BinOp) -> Expression:
        left, right = self.read(node.left), self.read(node.right)
        match node.op:
            case ast.Add():
                return add((*_terms(left), *_terms(right)))
            case ast.Sub():
                return add((*_terms(left), Negative(right)))
            case ast.Mult():
                return multiply(left, right)
            case ast.Div():
                return Quotient(left, right)
            case ast.Pow():
                return Power(left, right)
            case ast.MatMult():
                return MatrixProduct(left, right)
        raise ValueError(f"A formula holds {ast.unparse(node)!r}, which has no meaning there.")

    def _call(self, function: str, arguments: list[ast.expr]) -> Expression:
        if function == "Piecewise":
            return Cases(tuple(self._case(case) for case in arguments))
        if function == "Rational":
            return Quotient(self.read(arguments[0]), self.read(arguments[1]))
        if function == "Sum":
            return self._sum(*arguments)
        if function == "KroneckerDelta":
            first, second = (self.indices[index.id] for index in arguments)  # type: ignore[attr-defined]  # names, in every formula
            return Number(float(first == second))
        return Call(function, tuple(map(self.read, arguments)))

    def _case(self, node: ast.expr) -> tuple[Expression, Comparison | None]:
        match node:
            case ast.Tuple(elts=[value, ast.Constant(value=True)]):
                return self.read(value), None
            case ast.Tuple(elts=[value, ast.Compare() as condition]):
                read = self.read(condition)
                if isinstance(read, Comparison):
                    return self.read(value), read
        raise ValueError(f"{ast.unparse(node)!r} is no case; expected (value, condition).")

    def _sum(self, term: ast.expr, over: ast.expr) -> Expression:
        """Write Sum(term, (j, 1, K)) out."""
        if self.is_whole:
            return Call("total", (self.read(term),))
        match over:
            case ast.Tuple(elts=[ast.Name(id=index), ast.Constant(value=1), ast.Name(id="K")]):
                outer = dict(self.indices)
                terms = []
                for number in range(1, self.count + 1):
                    self.indices[index] = number
                    terms.append(self.read(term))
                self.indices = outer
                return add(terms)
        raise ValueError(f"{ast.unparse(over)!r} is no range; expected (j, 1, K).")


def _terms(expression: Expression) -> tuple[Expression, ...]:
    return expression.terms if isinstance(expression, Sum) else (expression,)

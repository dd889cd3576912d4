"""How a learner writes products and transposes: with operators, NumPy's functions, or their own."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from chainrule.checker.evidence import Evidence
from chainrule.layer import Array


@dataclass
class Habits:
    """What the run shows of a learner's ways."""

    evidence: Evidence

    def product(self, one: str, other: str) -> str:
        """The matrix product of two expressions."""
        return self._matrix.format(one, other)

    def times(self, one: str, other: str) -> str:
        """Two expressions multiplied entry by entry."""
        return self._entrywise.format(one, other)

    def turned(self, one: str) -> str:
        """An expression transposed."""
        return self._transpose.format(one)

    def is_product(self, node: ast.AST) -> bool:
        """Whether a call computes a matrix product, by a function of the learner's own."""
        return isinstance(node, ast.Call) and ast.unparse(node.func) in self._own_products

    def is_transpose(self, node: ast.Call) -> bool:
        """Whether a call transposes, by a function of the learner's own."""
        return self._own.get(ast.unparse(node.func)) == "transpose"

    @cached_property
    def _own_products(self) -> set[str]:
        return {name for name, kind in self._own.items() if kind == "product"}

    @cached_property
    def _matrix(self) -> str:
        for place in self.evidence.places:
            node = place.node
            if isinstance(node, ast.BinOp) and isinstance(node.op, ast.MatMult):
                return "{} @ {}"
            if isinstance(node, ast.Call) and len(node.args) == 2:
                called = ast.unparse(node.func)
                if called.endswith((".dot", ".matmul")):
                    return called + "({}, {})"
            if isinstance(node, ast.Call) and ast.unparse(node.func).endswith(".dot"):
                return "{}.dot({})"
        return next((f"{name}({{}}, {{}})" for name in self._own_products), "{} @ {}")

    @cached_property
    def _entrywise(self) -> str:
        own = [name for name, kind in self._own.items() if kind == "entrywise"]
        return f"{own[0]}({{}}, {{}})" if own and self._own_products else "{} * {}"

    @cached_property
    def _transpose(self) -> str:
        own = [name for name, kind in self._own.items() if kind == "transpose"]
        return f"{own[0]}({{}})" if own and self._own_products else "{}.T"

    @cached_property
    def _own(self) -> dict[str, str]:
        """The learner's own functions of one or two matrices, and what they compute."""
        latest: dict[int, Array] = {}
        numbers = {id(place.node): place.number for place in self.evidence.places}
        kinds: dict[str, set[str]] = {}
        for place_number, value_number in self.evidence.events[:3000]:
            value = self.evidence.values[value_number]
            latest[place_number] = value
            node = self.evidence.places[place_number].node
            if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Name):
                continue
            given = [latest.get(numbers.get(id(argument), -1)) for argument in node.args]
            matrices = [array for array in given if array is not None]
            if len(matrices) == len(node.args) in (1, 2) and value.ndim == 2:
                kinds.setdefault(node.func.id, set()).add(_kind(value, matrices))
        return {name: found.copy().pop() for name, found in kinds.items() if len(found) == 1}


def _kind(value: Array, given: list[Array]) -> str:
    one, other = given[0], given[-1]
    if len(given) == 1:
        is_turned = one.ndim == 2 and one.T.shape == value.shape and np.array_equal(one.T, value)
        return "transpose" if is_turned else ""
    if one.shape == other.shape == value.shape and np.allclose(one * other, value):
        return "entrywise"
    fits = one.ndim == other.ndim == 2 and one.shape[1] == other.shape[0]
    return "product" if fits and np.allclose(one @ other, value) else ""

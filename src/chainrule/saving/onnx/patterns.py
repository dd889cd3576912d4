"""Several operators that together are one thing, as exporters write what ONNX has no word for.

Each form is a tree: ``("Mul", X, ("Sigmoid", X))`` is the node that multiplies X by its sigmoid,
where X is whatever array stands in all those places. Numbers stand for constants of that value,
other texts for any constant. What is found becomes one node, called after what it is.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from chainrule.layer import Array
from chainrule.saving.onnx.node import OURS, Node

X = "x"
_COMMUTATIVE = {"Add", "Mul"}


def _product_of_three(first: Any, second: Any, third: Any) -> list[Any]:
    """Every order in which three factors may be multiplied."""
    return [
        ("Mul", ("Mul", first, second), third),
        ("Mul", ("Mul", first, third), second),
        ("Mul", ("Mul", second, third), first),
    ]


_ERROR_FUNCTIONS = (
    ("Erf", ("Div", X, math.sqrt(2))),
    ("Erf", ("Mul", X, math.sqrt(0.5))),
)
_CUBES = (("Mul", ("Mul", X, X), X), ("Pow", X, 3.0))
_ROOTS = [
    ("Sqrt", ("Add", ("ReduceMean", square, "axes"), "epsilon"))
    for square in (("Mul", X, X), ("Pow", X, 2.0))
]
_TANH_FACTOR = math.sqrt(2 / math.pi)

FORMS: list[tuple[str, Any]] = [
    ("SiLU", ("Mul", X, ("Sigmoid", X))),
    ("Mish", ("Mul", X, ("Tanh", ("Softplus", X)))),
    *(
        ("Softplus", ("Where", ("Greater", X, large), X, ("Softplus", X)))
        for large in (20.0, 40.0)  # PyTorch's, ours
    ),
    ("Softsign", ("Div", X, ("Add", ("Abs", X), 1.0))),
    *(
        ("GELU", form)
        for error in _ERROR_FUNCTIONS
        for form in _product_of_three(X, ("Add", error, 1.0), 0.5)
    ),
    *(
        ("GELUTanh", form)
        for cube in _CUBES
        for inner in [("Add", X, ("Mul", cube, 0.044715))]
        for form in _product_of_three(X, ("Add", ("Tanh", ("Mul", inner, _TANH_FACTOR)), 1.0), 0.5)
    ),
    *(("RMSNorm", ("Div", X, root)) for root in _ROOTS),
    *(("RMSNorm", ("Mul", X, ("Reciprocal", root))) for root in _ROOTS),
    (
        "GroupNorm",
        (
            "Reshape",
            ("InstanceNormalization", ("Reshape", X, "groups"), "scale", "shift"),
            ("Shape", X),
        ),
    ),
    (
        "GroupNorm",
        (
            "Reshape",
            ("InstanceNormalization", ("Reshape", X, "groups"), "scale", "shift"),
            "shape",
        ),
    ),
    ("TwoClasses", ("Concat", ("Sub", 1.0, ("Sigmoid", X)), ("Sigmoid", X))),
]


def name_patterns(nodes: Sequence[Node], constants: Mapping[str, Array], output: str) -> list[Node]:
    """Put one node in place of each form; what was computed on the way must be used nowhere else.

    The new node takes X and what else the form has names for, and keeps the nodes it stands for in
    the attribute ``parts``, by their operators.
    """
    makers = {name: node for node in nodes for name in node.outputs if name}
    users: dict[str, list[Node]] = {}
    for node in nodes:
        for name in node.inputs:
            users.setdefault(name, []).append(node)
    replaced: dict[Node, Node] = {}
    gone: set[Node] = set()
    for root in reversed(nodes):  # the largest form first: its root comes last
        if root in gone:
            continue
        for called, form in FORMS:
            match = _Match(makers, constants)
            if not match.node(form, root) or X not in match.names:
                continue
            inside = set(match.nodes) - {root}
            outputs = [name for node in inside for name in node.outputs if name]
            ends = [user for name in outputs for user in users.get(name, [])]
            if output in outputs or not set(ends) <= set(match.nodes) or inside & gone:
                continue
            parts = {node.operator: node for node in match.nodes}
            replaced[root] = Node(
                OURS + called,
                list(match.names.values()),
                root.outputs,
                {"parts": parts, "names": tuple(match.names)},
                root.name,
            )
            gone |= inside
            break
    return [replaced.get(node, node) for node in nodes if node not in gone]


class _Match:
    """One attempt to find a form: the names it has found so far, and the nodes."""

    def __init__(self, makers: Mapping[str, Node], constants: Mapping[str, Array]) -> None:
        self._makers = makers
        self._constants = constants
        self.names: dict[str, str] = {}
        self.nodes: list[Node] = []

    def node(self, form: Sequence[Any], node: Node) -> bool:
        """Whether the node has this form."""
        operator, *parts = form
        inputs = [name for name in node.inputs if name]
        if node.operator != operator or len(parts) not in (len(inputs), len(inputs) + 1):
            return False
        if len(parts) > len(inputs):  # axes were an attribute once
            if operator != "ReduceMean":
                return False
            parts = parts[: len(inputs)]
        orders = [inputs, inputs[::-1]] if operator in _COMMUTATIVE else [inputs]
        for order in orders:
            names, nodes = dict(self.names), list(self.nodes)
            if all(self._part(part, name) for part, name in zip(parts, order, strict=True)):
                if node not in self.nodes:
                    self.nodes.append(node)
                return True
            self.names, self.nodes = names, nodes
        return False

    def _part(self, part: Any, name: str) -> bool:
        if isinstance(part, tuple):
            return name in self._makers and self.node(part, self._makers[name])
        if isinstance(part, float):
            return self._is_number(name, part)
        if (part == X) == (name in self._constants):
            return False
        return self.names.setdefault(part, name) == name

    def _is_number(self, name: str, value: float) -> bool:
        if name not in self._constants or self._constants[name].size != 1:
            return False
        return math.isclose(float(self._constants[name].item()), value, rel_tol=1e-4)

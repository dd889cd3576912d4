"""Nodes of a graph that is being read."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from chainrule.checks import shown
from chainrule.errors import UnreadableFile
from chainrule.layer import Array

OURS = "chainrule."  # domain of the nodes that are made here, of several in the file


class Node:
    """One operator, what it takes and what it gives.

    Every attribute must be asked for or ignored on purpose: one that nobody knows could change
    what the operator means.

    Parameters
    ----------
    operator : str
        As ``"Conv"``; with its domain where that is not ONNX's own: ``"ai.onnx.ml.ZipMap"``.
    inputs, outputs : sequence of str
        Names of arrays; an optional input that is left out is "".
    attributes : dict
    name : str
        In the graph; often empty.
    """

    def __init__(
        self,
        operator: str,
        inputs: Sequence[str],
        outputs: Sequence[str],
        attributes: dict[str, Any] | None = None,
        name: str = "",
    ) -> None:
        self.operator = operator
        self.inputs = list(inputs)
        self.outputs = list(outputs)
        self.name = name
        self._attributes = attributes or {}
        self._asked: set[str] = set()

    def refuse(self, why: str) -> UnreadableFile:
        """Make the error that says why this node has no place in a network of ours."""
        called = self.name or next(iter(self.outputs), "")
        return UnreadableFile(f"its node {called!r} ({self.operator}) {why}")

    def get(self, name: str, default: Any = None) -> Any:
        """Value of an attribute, of whatever type."""
        self._asked.add(name)
        return self._attributes.get(name, default)

    def whole(self, name: str, default: int) -> int:
        """Value of an attribute that is a whole number."""
        return self._typed(name, default, int)

    def number(self, name: str, default: float) -> float:
        """Value of an attribute that is a number."""
        return float(self._typed(name, default, int | float))

    def text(self, name: str, default: str) -> str:
        """Value of an attribute that is a word."""
        return self._typed(name, default, str)

    def wholes(self, name: str, default: Sequence[int], count: int | None = None) -> list[int]:
        """Value of an attribute that is a list of whole numbers, so many of them."""
        found = self._typed(name, list(default), list)
        if not all(isinstance(item, int) for item in found):
            raise self.refuse(f"has the attribute {name}={shown(found)}; expected whole numbers.")
        if count is not None and len(found) != count:
            raise self.refuse(f"has the attribute {name}={shown(found)}; expected {count} numbers.")
        return found

    def listed(self, name: str) -> list[int] | None:
        """Value of an attribute that is a list of whole numbers; None where it is left out."""
        return None if self.get(name) is None else self.wholes(name, ())

    def ignore(self, *names: str) -> None:
        """Say that these attributes change nothing here."""
        self._asked.update(names)

    def check_attributes(self) -> None:
        """Refuse attributes that nobody has asked for.

        Raises
        ------
        UnreadableFile
        """
        for name in sorted(self._attributes.keys() - self._asked):
            value = shown(self._attributes[name])
            raise self.refuse(f"has the attribute {name}={value}, which is not known here.")

    def _typed(self, name: str, default: Any, kind: Any) -> Any:
        value = self.get(name, default)
        if not isinstance(value, kind):
            raise self.refuse(f"has the attribute {name}={shown(value)}, of the wrong type.")
        return value


def whole_numbers(node: Node, values: Array, what: str) -> list[int]:
    """Turn a constant of a node into a list of whole numbers.

    Raises
    ------
    UnreadableFile
    """
    if values.dtype.kind != "i":
        raise node.refuse(f"has {what} of dtype {values.dtype}; expected whole numbers.")
    return [int(value) for value in values.reshape(-1)]


# Of onnx.AttributeProto.
_FLOAT, _INT, _STRING, _TENSOR, _FLOATS, _INTS, _STRINGS = 1, 2, 3, 4, 6, 7, 8


def node_of(proto: Any) -> Node:
    """Turn an ``onnx.NodeProto`` into a node."""
    domain = "" if proto.domain in ("", "ai.onnx") else f"{proto.domain}."
    operator = domain + proto.op_type
    return Node(
        f"({operator})" if operator.startswith(OURS) else operator,  # which no file can be
        proto.input,
        proto.output,
        {attribute.name: _value(attribute) for attribute in proto.attribute},
        proto.name,
    )


def _value(attribute: Any) -> Any:
    """Value of an ``onnx.AttributeProto``; tensors and graphs stay what they are."""
    match attribute.type:
        case t if t == _FLOAT:
            return _as_written(attribute.f)
        case t if t == _INT:
            return attribute.i
        case t if t == _STRING:
            return attribute.s.decode("utf-8", "replace")
        case t if t == _FLOATS:
            return list(attribute.floats)
        case t if t == _INTS:
            return list(attribute.ints)
        case t if t == _STRINGS:
            return [text.decode("utf-8", "replace") for text in attribute.strings]
        case t if t == _TENSOR:
            return attribute.t
    return attribute


def _as_written(number: float) -> float:
    """Attributes are float32; take 1e-05 for 9.99999974e-06, which someone wrote as 1e-05."""
    return float(str(np.float32(number)))

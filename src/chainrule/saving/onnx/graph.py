"""The graph that is being written: nodes, constants, and in which layout an array stands there.

chainrule keeps images channels-last, (batch, height, width, channels); ONNX's convolutions,
pools and some normalizations want channels first. So a tensor knows its layout. A layer that
does not mind takes what comes, and one that does asks for it: then a ``Transpose`` is written,
unless the array already stands in the graph the other way round.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from types import ModuleType
from typing import Any

import numpy as np

from chainrule.errors import InvalidSetting, optional_package
from chainrule.layer import Array, Shape

# What onnxruntime reads today; newer files would be refused by programs of last year.
OPSET, IR_VERSION = 18, 8
# Operators on text and classes stand in a set of their own; this version belongs to that opset.
TABLES, TABLES_OPSET = "ai.onnx.ml", 3
# Protocol buffers end here: https://protobuf.dev/programming-guides/proto-limits/
MOST_BYTES = 2**31 - 1


@dataclass(frozen=True)
class Tensor:
    """An array of a whole batch that some node of the graph gives.

    Attributes
    ----------
    name : str
        In the graph.
    shape : tuple of int
        Of one sample, as chainrule says it: channels last.
    channels_first : bool
        Whether the graph has it as (batch, channels, ...).
    """

    name: str
    shape: Shape
    channels_first: bool = False

    @property
    def standing(self) -> Shape:
        """Shape of one sample as it stands in the graph."""
        return self.shape[-1:] + self.shape[:-1] if self.channels_first else self.shape

    @property
    def channel_axis(self) -> int:
        """Axis of the channels in the graph, the batch included."""
        return 1 if self.channels_first else len(self.shape)

    @property
    def position_axes(self) -> list[int]:
        """All axes in the graph but those of the batch and the channels."""
        return [axis for axis in range(1, len(self.shape) + 1) if axis != self.channel_axis]

    def per_channel(self, values: Array) -> Array:
        """Give (channels,) the axes that it takes to stand beside this tensor."""
        return values.reshape(-1, *[1] * (len(self.shape) - 1)) if self.channels_first else values


class Graph:
    """Nodes in order, and the constants they use.

    Parameters
    ----------
    dtype : numpy dtype
        Of everything that is computed, where nothing else is said.
    names : iterable of str
        What inputs and outputs will be called, which nothing inside may be.

    Attributes
    ----------
    onnx : module
    """

    def __init__(self, dtype: np.dtype[Any], names: Iterable[str] = ("x", "prediction")) -> None:
        self.onnx: ModuleType = optional_package("onnx", "Writing an ONNX file", "onnx")
        self.dtype = dtype
        self._nodes: list[Any] = []
        self._inputs: list[Any] = []
        self._outputs: list[Any] = []
        self._constants: dict[str, Array] = {}
        self._names = set(names)
        self._shared: dict[tuple[object, ...], str] = {}
        self._other_layout: dict[str, str] = {}

    def input(self, name: str, shape: Shape, dtype: Any = None, told: str = "") -> Tensor:
        """Take an input of samples of that shape, in the graph's dtype if nothing else is said.

        ``told`` says in a sentence what it is, for those who look into the file.
        """
        self._inputs.append(self._value(name, shape, dtype, told))
        return Tensor(name, shape)

    def output(self, name: str, found: str, shape: Shape, dtype: Any = None) -> None:
        """Give out what a node computes; ``predicted_`` goes before what an input is called."""
        self._outputs.append(self._value(self._give(name, found), shape, dtype))

    def output_maps(self, name: str, found: str, keys: Any) -> None:
        """Give out a ZipMap's result: for each sample a map from classes (int64 or text)."""
        name = self._give(name, found)
        helper, kinds = self.onnx.helper, self.onnx.TensorProto
        number = helper.make_tensor_type_proto(kinds.FLOAT, [])
        one = helper.make_map_type_proto(self._element(keys), number)
        kind = helper.make_sequence_type_proto(one)
        self._outputs.append(helper.make_value_info(name, kind))

    def cast(self, x: Tensor, dtype: Any) -> Tensor:
        """See x as numbers of a dtype."""
        kind = self._element(dtype)
        return replace(x, name=self.node("Cast", [x.name], f"{x.name}_cast", to=kind))

    def node(self, operator: str, inputs: Iterable[str], label: str, **attributes: Any) -> str:
        """Append a node with one output and return that output's name."""
        name = self._free(label)
        made = self.onnx.helper.make_node(operator, list(inputs), [name], name=name, **attributes)
        self._nodes.append(made)
        return name

    def constant(self, label: str, values: Any, dtype: Any = None) -> str:
        """Keep an array, in the graph's dtype if nothing else is said; return its name."""
        name = self._free(label)
        self._constants[name] = np.ascontiguousarray(values, self.dtype if dtype is None else dtype)
        return name

    def shared(self, key: tuple[object, ...], label: str, values: Any, dtype: Any = None) -> str:
        """Keep an array once, however often the same key asks for it."""
        if key not in self._shared:
            self._shared[key] = self.constant(label, values, dtype)
        return self._shared[key]

    def number(self, label: str, value: float) -> str:
        """Keep a number that formulas use, as the 1 in 1 + erf z."""
        return self.shared((label, value), label, value)

    def whole_numbers(self, label: str, values: Iterable[int]) -> str:
        """Keep what says a shape, axes or padding."""
        numbers = tuple(values)
        return self.shared(("whole numbers", label, numbers), label, numbers, np.int64)

    def channels_first(self, x: Tensor) -> Tensor:
        """See x as (batch, channels, ...)."""
        return x if x.channels_first or len(x.shape) < 2 else self._turned(x)

    def channels_last(self, x: Tensor) -> Tensor:
        """See x as (batch, ..., channels)."""
        return self._turned(x) if x.channels_first else x

    def in_layout_of(self, x: Tensor, other: Tensor) -> Tensor:
        """See x as another tensor of the same shape stands."""
        return self.channels_first(x) if other.channels_first else self.channels_last(x)

    def model(self, version: str, described: str) -> bytes:
        """Put everything together, as the bytes of a file.

        Raises
        ------
        InvalidSetting
            When it is more than such a file can hold.
        """
        size = sum(values.nbytes for values in self._constants.values())
        if size + len(self._nodes) * 1000 > MOST_BYTES:
            raise InvalidSetting(
                f"The network's parameters take {size:,} bytes; an ONNX file holds at most "
                f"{MOST_BYTES:,}. Save it with chainrule.saving.save instead."
            )
        helper = self.onnx.helper
        constants = [
            self.onnx.numpy_helper.from_array(array, name)
            for name, array in self._constants.items()
        ]
        graph = helper.make_graph(
            *(self._nodes, "chainrule", self._inputs, self._outputs, constants),
            doc_string=described,
        )
        opsets = [helper.make_opsetid("", OPSET)]
        if any(node.domain == TABLES for node in self._nodes):
            opsets.append(helper.make_opsetid(TABLES, TABLES_OPSET))
        model = helper.make_model(
            graph,
            opset_imports=opsets,
            ir_version=IR_VERSION,
            producer_name="chainrule",
            producer_version=version,
        )
        helper.set_model_props(model, {"chainrule_version": version})
        return model.SerializeToString()

    def _turned(self, x: Tensor) -> Tensor:
        """X the other way round."""
        rank = len(x.shape) + 1
        axes = [0, *range(2, rank), 1] if x.channels_first else [0, rank - 1, *range(1, rank - 1)]
        if x.name not in self._other_layout:
            order = "last" if x.channels_first else "first"
            name = self.node("Transpose", [x.name], f"{x.name}_channels_{order}", perm=axes)
            self._other_layout.update({x.name: name, name: x.name})
        return replace(x, name=self._other_layout[x.name], channels_first=not x.channels_first)

    def _free(self, label: str) -> str:
        """Return the label, or with a number after it where it is taken."""
        name, count = label, 1
        while name in self._names:
            count += 1
            name = f"{label}_{count}"
        self._names.add(name)
        return name

    def _give(self, name: str, found: str) -> str:
        """Call what a node gives by that name; what comes straight from an input is handed on."""
        while name in {value.name for value in self._inputs}:
            name = f"predicted_{name}"
        makers = [node for node in self._nodes if found in node.output]
        if not makers:
            made = self.onnx.helper.make_node("Identity", [found], [name], name=name)
            self._nodes.append(made)
            return name
        for node in self._nodes:
            for names in (node.input, node.output):
                names[:] = [name if other == found else other for other in names]
        return name

    def _value(self, name: str, shape: Shape, dtype: Any, told: str = "") -> Any:
        element = self._element(self.dtype if dtype is None else dtype)
        return self.onnx.helper.make_tensor_value_info(name, element, ["batch", *shape], told)

    def _element(self, dtype: Any) -> Any:
        """ONNX's number for a dtype; ``str`` stands for text."""
        if dtype is str:
            return self.onnx.TensorProto.STRING
        return self.onnx.helper.np_dtype_to_tensor_dtype(np.dtype(dtype))

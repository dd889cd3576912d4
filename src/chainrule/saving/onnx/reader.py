"""A graph becomes layers: node by node, each by the function that knows its operator."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from chainrule.activation import Activation
from chainrule.errors import InvalidInput, UnreadableFile
from chainrule.layer import Array, Shape
from chainrule.layers import Conv1D, Conv2D, ConvTranspose2D, Dense, Flatten, Reshape, Residual
from chainrule.saving.onnx.chain import Axes, Chain, Step, Value, channels_first_axes, plain_axes
from chainrule.saving.onnx.constants import BATCH, fold
from chainrule.saving.onnx.file import Arrays
from chainrule.saving.onnx.node import Node, whole_numbers
from chainrule.saving.onnx.operators import ANY_LAYOUT, CHANNELS_FIRST, READS

# Layers that end in an activation.
WITH_ACTIVATION = (Dense, Conv1D, Conv2D, ConvTranspose2D, Residual)


class Reader:
    """Goes through the nodes of a graph in order.

    Parameters
    ----------
    nodes : sequence of Node
        Those that the output needs, in the order they are computed.
    constants : Arrays
    output : str
        Name of the array that is wanted.
    opset : int
        Version of ONNX's operators that the graph is written in.
    folder : Path
        Where the file stands.
    batch : int or None
        How many samples there are, where the graph was made for a certain number.

    Attributes
    ----------
    input_shape : tuple of int
        Of one sample, as the layers take it.
    exponentials_of : Chain or None
        What e was taken to the power of; nothing may come after that.
    """

    def __init__(
        self,
        nodes: Sequence[Node],
        constants: Arrays,
        output: str,
        *,
        opset: int,
        folder: Path,
        batch: int | None,
    ) -> None:
        self.nodes = nodes
        self.constants = constants
        self.output = output
        self.opset = opset
        self.batch = batch
        self.input_shape: Shape = ()
        self.exponentials_of: Chain | None = None
        self._folder = folder
        self._size = 0  # of all parameters so far, in bytes
        self._values: dict[str, Value] = {}
        self._shared: set[Chain] = set()
        self._users: dict[str, list[Node]] = {}
        for node in nodes:
            for name in node.inputs:
                self._users.setdefault(name, []).append(node)

    def read(self, name: str, sample: Shape) -> Value:
        """Follow the input, of that name and with samples of that shape, to the output.

        Raises
        ------
        UnreadableFile
            Naming the node that has no place in a network of ours.
        """
        first = self.as_image(name, Value(Chain(), sample, plain_axes(len(sample))))
        self.input_shape = first.shape
        self._keep(name, first)
        for node in self.nodes:
            constant = self._constant_of(node)
            if constant is not None:
                self.constants.keep(node.outputs[0], constant)
                continue
            if node.operator not in READS:
                raise node.refuse("is of an operator that no layer here computes.")
            try:
                value = READS[node.operator](self, node)
            except InvalidInput as error:
                raise node.refuse(f"makes a layer that cannot be: {error}") from error
            node.check_attributes()
            for spare in node.outputs[1:]:
                if self._users.get(spare) or spare == self.output:
                    raise node.refuse(f"has a second output {spare!r} that is used.")
            self._keep(node.outputs[0], value)
        if self.output not in self._values:
            raise UnreadableFile("its output does not depend on the numbers of the input.")
        if self.exponentials_of not in (None, self._values[self.output].chain):
            raise UnreadableFile("it goes on with e to some power; expected that at its end.")
        return self._values[self.output]

    def _keep(self, name: str, value: Value) -> None:
        users = [node for node in self._users.get(name, []) if node.operator != "Shape"]
        if len(users) + (name == self.output) > 1:
            self._shared.add(value.chain)
        self._values[name] = value

    def _constant_of(self, node: Node) -> Array | None:
        """What the node computes, if that does not depend on the input."""
        if node.operator == "Shape" and self.is_flow(node, 0):
            node.ignore("start", "end")
            shape = np.array([BATCH, *self.flow(node).standing], np.int64)
            return shape[node.whole("start", 0) : node.whole("end", len(shape))]
        names = [name for name in node.inputs if name]
        if not all(name in self.constants for name in names):
            return None
        return fold(node, [self.constants[name] for name in names], self._folder)

    # --- what a node takes ------------------------------------------------------------------

    def is_flow(self, node: Node, index: int) -> bool:
        """Whether an input of the node depends on the network's input."""
        return index < len(node.inputs) and node.inputs[index] in self._values

    def flow(self, node: Node, index: int = 0) -> Value:
        """Return an input that depends on the network's input."""
        if self.is_flow(node, index):
            return self._values[node.inputs[index]]
        name = node.inputs[index] if index < len(node.inputs) else ""
        raise node.refuse(f"takes {name!r}, which does not come from the input before it.")

    def constant(self, node: Node, index: int, what: str) -> Array:
        """Return an input that must be a constant."""
        found = self.optional(node, index, what)
        if found is None:
            raise node.refuse(f"has no {what}.")
        return found

    def optional(self, node: Node, index: int, what: str) -> Array | None:
        """Return an input that must be a constant, or None where it is left out."""
        if index >= len(node.inputs) or not node.inputs[index]:
            return None
        if node.inputs[index] not in self.constants:
            raise node.refuse(f"computes its {what} from the input; expected a constant.")
        return self.constants[node.inputs[index]]

    def wholes(self, node: Node, index: int, what: str) -> list[int] | None:
        """Return an input that must be a constant list of whole numbers, or None."""
        found = self.optional(node, index, what)
        return None if found is None else whole_numbers(node, found, what)

    # --- what a node makes ------------------------------------------------------------------

    def then(self, value: Value, step: Step, axes: Axes | None = None) -> Value:
        """Put a layer after a value; ``axes`` are those of the output where they change.

        A layer that leaves the axes as they are leaves rows in their order, too.
        """
        self._size += sum(array.nbytes for array in step.all_arrays())
        if self._size > self.constants.allowed:
            raise UnreadableFile(
                f"its layers would have {self._size:,} bytes of parameters, far more than its "
                "constants have."
            )
        shape, chain = step.layer().output_shape(value.shape), value.chain.then(step)
        if axes is None:
            return Value(chain, shape, value.axes, value.order)
        return Value(chain, shape, axes)

    def last_step(self, value: Value, *kinds: type) -> Step | None:
        """Return the step that gives the value, if it is of such a kind and nobody else uses it."""
        step = value.chain.step
        if step is None or value.chain in self._shared or step.kind not in kinds:
            return None
        return step

    def instead(self, value: Value, step: Step) -> Value:
        """Put another step in the place of the last one."""
        before = value.chain.before
        return replace(value, chain=(before or Chain()).then(step))

    def activated(self, value: Value, activation: Activation, **arrays: Array) -> Value:
        """Put an activation after a value: into the layer before, where that has room for one."""
        last = self.last_step(value, *WITH_ACTIVATION)
        if last is not None and "activation" not in last.settings:
            settings = {**last.settings, "activation": activation}
            return self.instead(
                value, replace(last, settings=settings, arrays={**last.arrays, **arrays})
            )
        return self.then(value, Step(type(activation), activation.settings(), arrays))

    def is_shared(self, chain: Chain) -> bool:
        """Whether what a chain gives is used at several places."""
        return chain in self._shared

    # --- layouts ----------------------------------------------------------------------------

    def wants_channels_first(self, name: str) -> bool:
        """Whether the nodes that use an array take its second axis for the channels."""
        waiting, met = [name], {name}
        while waiting:
            for node in self._users.get(waiting.pop(), []):
                if node.operator in CHANNELS_FIRST:
                    return True
                if node.operator in ANY_LAYOUT:
                    new = [output for output in node.outputs if output not in met]
                    waiting += new
                    met.update(new)
        return False

    def as_image(self, name: str, value: Value) -> Value:
        """See a value, whose axes mean nothing yet, as the nodes that use it do."""
        shape = value.shape
        if len(shape) < 2 or not self.wants_channels_first(name):
            return value
        return replace(value, shape=(*shape[1:], shape[0]), axes=channels_first_axes(len(shape)))

    def channels_first(self, node: Node, value: Value) -> Value:
        """See a value as an operator does that takes the second axis for the channels."""
        rank = len(value.axes)
        return self._arranged(node, value, channels_first_axes(rank), "(batch, channels, ...)")

    def channels_last(self, node: Node, value: Value) -> Value:
        """See a value as an operator does that takes the last axis for the channels."""
        return self._arranged(node, value, plain_axes(len(value.axes)), "(batch, ..., channels)")

    def with_channels_at(self, node: Node, value: Value, axis: int) -> Value:
        """See a value as an operator does that takes that axis of the graph for the channels.

        What has its channels there already stays as it is, unless it is a row of numbers, which
        gets positions.
        """
        if value.axes[axis - 1] == len(value.shape) - 1 and not value.is_row:
            return value
        if axis == len(value.axes):
            return self.channels_last(node, value)
        return self.channels_first(node, value) if axis == 1 else value

    def _arranged(self, node: Node, value: Value, axes: Axes, expected: str) -> Value:
        """Let the value have exactly these axes, where those of size 1 alone differ."""
        if value.axes == axes and len(value.shape) == len(axes):
            return value
        standing = value.standing
        shape = tuple(standing[axes.index(i)] for i in range(len(axes)))
        long = [value.axes[axes.index(i)] for i in range(len(axes)) if shape[i] > 1]
        if long != sorted(value.long_axes) or value.order is not None:
            raise node.refuse(
                f"works on {expected}, and what it is given stands in another order: "
                f"(batch, {', '.join(map(str, standing))}) is {value.shape} here, channels last."
            )
        step = Step(Flatten) if len(shape) == 1 else Step(Reshape, {"shape": shape})
        return self.then(value, step, axes)

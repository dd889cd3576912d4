"""Random graphs on images, channels first: read, they predict what onnxruntime computes."""

from __future__ import annotations

import math
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from conftest import FULL_SWEEP
from hypothesis import event, settings
from hypothesis import given as for_all
from hypothesis import strategies as st
from saving.onnx.graphs import Node, channels_last, node, random, save
from saving.onnx.runners import by_onnxruntime, relative_error

from chainrule.saving import from_onnx

Draw = Callable[[st.SearchStrategy[Any]], Any]


class Graph:
    """Nodes one after another; ``x`` is the latest array, ``shape`` that of a sample of it."""

    def __init__(self, draw: Draw) -> None:
        self.draw = draw
        self.nodes: list[Node] = []
        self.constants: dict[str, Any] = {}
        self.x, self.count = "x", 0
        self.shape: tuple[int, ...] = draw(st.sampled_from([(2, 5, 4), (3, 4, 4), (1, 6, 5)]))
        self.sample = self.shape

    def __repr__(self) -> str:
        shapes = {name: array.shape for name, array in self.constants.items()}
        steps = [f"{n.op_type} {' '.join(n.input)} -> {n.output[0]}" for n in self.nodes]
        return f"x {self.sample}: {'; '.join(steps)} with {shapes}"

    def then(self, operator: str, *constants: Any, **attributes: Any) -> str:
        names = [self.x]
        for values in constants:
            names.append(f"k{len(self.constants)}")
            self.constants[names[-1]] = np.asarray(values)
        return self.add(operator, names, **attributes)

    def add(self, operator: str, names: list[str], **attributes: Any) -> str:
        self.count += 1
        self.x = f"h{self.count}"
        self.nodes.append(node(operator, " ".join(names), self.x, **attributes))
        return self.x

    def values(self, *shape: int) -> Any:
        return random(*shape, seed=self.draw(st.integers(0, 99)))

    # --- steps, each of which fits images, rows, or both ----------------------------------------

    def activation(self) -> None:
        chosen = self.draw(
            st.sampled_from(["Relu", "Tanh", "PRelu", "SiLU", "Softmax", "Softplus"])
        )
        if chosen == "PRelu":
            self.then("PRelu", self.values(self.shape[0], *[1] * (len(self.shape) - 1)))
        elif chosen == "SiLU":
            before = self.x
            self.add("Mul", [before, self.then("Sigmoid")])
        else:
            self.then(chosen, **({"axis": 1} if chosen == "Softmax" else {}))

    def normalization(self) -> None:
        channels = self.shape[0]
        variance = self.values(channels) ** 2 + 0.3
        self.then("BatchNormalization", *(self.values(channels) for _ in range(3)), variance)

    def scale(self) -> None:
        """Only what a layer before it takes up."""
        self.convolution() if len(self.shape) == 3 else self.dense()
        spread = (self.shape[0], *[1] * (len(self.shape) - 1))
        self.then(self.draw(st.sampled_from(["Mul", "Add", "Sub"])), self.values(*spread))

    def convolution(self) -> None:
        filters, (channels, height, width) = self.draw(st.integers(1, 4)), self.shape
        stride = self.draw(st.sampled_from([1, 1, 2]))
        self.then(
            "Conv",
            self.values(filters, channels, 3, 2),
            self.values(filters),
            pads=[1, 0, 1, 1],
            strides=[stride, 1],
        )
        self.shape = (filters, (height - 1) // stride + 1, width)

    def pool(self) -> None:
        channels, height, width = self.shape
        chosen = self.draw(st.sampled_from(["MaxPool", "AveragePool"]))
        self.then(chosen, kernel_shape=[2, 2], pads=[1, 0, 0, 1])
        self.shape = (channels, height, width)

    def residual(self) -> None:
        before, shape, rows = self.x, self.shape, len(self.shape) == 1
        channels = shape[0]
        if rows:
            self.then("Gemm", self.values(channels, channels), self.values(channels), transB=1)
        else:
            self.then("Conv", self.values(channels, channels, 3, 3), pads=[1, 1, 1, 1])
        self.normalization()
        inside = self.x
        if self.draw(st.booleans()):
            self.x = before
            weights = self.values(channels, channels, *[1] * (len(shape) - 1))
            around = self.then("Gemm" if rows else "Conv", weights)
            before = around
        self.add("Add", self.draw(st.permutations([inside, before])))

    def flatten(self) -> None:
        count = math.prod(self.shape)
        if self.draw(st.booleans()):
            self.then("Flatten", axis=1)
        else:
            self.then("Reshape", np.array([self.draw(st.sampled_from([0, -1])), count]))
        self.shape = (count,)

    def flatten_and_mix(self) -> None:
        self.flatten()
        if self.draw(st.booleans()):
            self.activation()
        self.dense()

    def pool_globally(self) -> None:
        chosen = self.draw(st.sampled_from(["GlobalAveragePool", "ReduceMean", "ReduceMax"]))
        self.then(chosen) if chosen.startswith("G") else self.then(
            chosen, np.array([2, 3]), keepdims=1
        )
        self.shape = (self.shape[0], 1, 1)
        self.flatten()

    def dense(self) -> None:
        outputs = self.draw(st.integers(1, 5))
        self.then("MatMul", self.values(self.shape[0], outputs))
        self.shape = (outputs,)
        self.then("Add", self.values(outputs))

    def image(self) -> None:
        """A row of numbers that a dense layer gives is an image from here on."""
        shape = self.draw(st.sampled_from([(2, 3, 2), (4, 1, 2), (1, 3, 3)]))
        self.then("MatMul", self.values(self.shape[0], math.prod(shape)))
        self.shape = (math.prod(shape),)
        if self.draw(st.booleans()):
            self.activation()
        self.then("Reshape", np.array([-1, *shape]))
        self.shape = shape
        self.convolution()

    def turned(self) -> None:
        """There and back again."""
        self.then("Transpose", perm=[0, 2, 3, 1])
        self.then("Tanh")
        self.then("Transpose", perm=[0, 3, 1, 2])


IMAGES = ["activation", "normalization", "scale", "convolution", "pool", "residual", "turned"]
ROWS = ["activation", "normalization", "scale", "dense", "residual"]


@st.composite
def graphs(draw: Draw) -> Graph:
    graph = Graph(draw)
    graph.convolution()
    for _ in range(draw(st.integers(0, 5))):
        if len(graph.shape) == 3:
            steps = [*IMAGES, "flatten_and_mix", "pool_globally"]
        else:
            steps = [*ROWS, "image"]
        getattr(graph, draw(st.sampled_from(steps)))()
    return graph


@for_all(graph=graphs())
@settings(max_examples=1500 if FULL_SWEEP else 80)
def test_graphs_are_read_as_what_they_compute(graph: Graph) -> None:
    x = random(3, *graph.sample, seed=5)
    with tempfile.TemporaryDirectory() as folder:
        path = save(
            Path(folder) / "m.onnx",
            [*graph.nodes, node("Identity", graph.x, "y")],
            graph.sample,
            graph.constants,
        )
        network, expected = from_onnx(path), by_onnxruntime(path, x)
    found = network.predict(channels_last(x))
    event(" ".join(sorted({type(layer).__name__ for layer in network.layers})))
    is_image = expected.ndim == 4
    assert relative_error(found, channels_last(expected) if is_image else expected) < 2e-5

"""What an exercise is: a file with a gap, the truth, the usual mistakes, and hints."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib import resources
from typing import Any

import numpy as np

from chainrule.exercises.sandbox import Answer
from chainrule.layer import Array, Layer, Trace

Case = tuple[Any, ...]  # arguments of one call


@dataclass(frozen=True)
class Mistake:
    """A wrong answer that people give, and what to say about it.

    Attributes
    ----------
    cause : str
        Its name, as ``"bias_forgotten"``.
    answer : callable
        What a function with this mistake gives for a case; of several outputs all of them.
    message : str
        What happened, in the learner's terms. It does not print the right line.
    at : str
        The name that is wrong first, where the text suggests one for a step on the way.
    """

    cause: str
    answer: Callable[..., Any]
    message: str
    at: str = ""


@dataclass(frozen=True)
class Problem:
    """What is wrong with a learner's answers.

    Attributes
    ----------
    cause : str
    message : str
    output : str
        Which of the function's outputs it is about; empty: all of them.
    at : str
        The name on the way there that is wrong first, if it is known.
    """

    cause: str
    message: str
    output: str = ""
    at: str = ""


@dataclass(frozen=True)
class Slope:
    """How to compute an output by finite differences: it is ∂function/∂argument.

    Attributes
    ----------
    argument : int
        Place of the argument that is nudged.
    function : callable
        One number from all the arguments.
    """

    argument: int
    function: Callable[..., float]


@dataclass(frozen=True)
class Exercise:
    """A small file with one gap.

    Attributes
    ----------
    name : str
        As ``"mini-batches"``.
    title : str
        What is learned, in half a sentence.
    function : str
        The function with the gap.
    outputs : tuple of str
        Names of what it returns, in order.
    arguments : tuple of str
        Names of what it is given.
    cases : callable
        Random arguments for the calls that are compared.
    truth : callable
        What it should return, computed by chainrule's own layers in float64.
    mistakes : sequence of Mistake
    hints : sequence of str
        From general to specific.
    source : str
        Who computed the truth, for messages: ``"the layer Dense"``.
    may_change : bool
        Whether the function may change the arrays it is given.
    slopes : mapping of str to Slope
        Outputs that finite differences can confirm.
    judge : callable, optional
        Where the right answer is not one array: looks at cases and answers itself.
    """

    name: str
    title: str
    function: str
    arguments: tuple[str, ...]
    outputs: tuple[str, ...]
    cases: Callable[[np.random.Generator], list[Case]]
    truth: Callable[..., Any]
    mistakes: Sequence[Mistake]
    hints: Sequence[str]
    source: str
    may_change: bool = False
    slopes: Mapping[str, Slope] = field(default_factory=dict)
    judge: Callable[[Sequence[Case], Sequence[Answer]], Problem | None] | None = None

    @property
    def file_name(self) -> str:
        """What ``start`` calls the file: mini_batches.py."""
        return f"{self.name.replace('-', '_')}.py"

    @property
    def text(self) -> str:
        """The file that a learner begins with."""
        folder = resources.files("chainrule.exercises") / "texts"
        return (folder / f"{self.name}.txt").read_text(encoding="utf-8")

    def split(self, returned: Any) -> list[Any]:
        """What a function returned, as one item for each output."""
        return [returned] if len(self.outputs) == 1 else list(returned)


def forward(layer: Layer, x: Array, **parameters: Array) -> tuple[Array, Trace]:
    """Run one of chainrule's layers with given parameters: output and trace."""
    for name, value in parameters.items():
        layer.bind(name, value)
    trace = Trace()
    return layer.feedforward(x, trace), trace


def backward(
    layer: Layer, x: Array, d_output: Array, **parameters: Array
) -> tuple[Array | None, Trace]:
    """Run one of chainrule's layers there and back: d_x and trace."""
    _, trace = forward(layer, x, **parameters)
    return layer.backprop(d_output, trace), trace

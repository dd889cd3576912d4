"""A bug hunt: a small network with one wrong line, made from a seed."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from chainrule import checks
from chainrule.exercises.bugs.architecture import HEADS, HIDDEN, Architecture
from chainrule.exercises.bugs.others import columns, lists, plain
from chainrule.exercises.bugs.pieces import Bug, Draft
from chainrule.exercises.bugs.rows import functions, layer_objects, one_class
from chainrule.randomness import generator

STYLES: dict[str, Callable[[Architecture], Draft]] = {
    "functions": functions,
    "one_class": one_class,
    "layer_objects": layer_objects,
    "lists": lists,
    "columns": columns,
    "plain": plain,
}
_DEEP = ("layer_objects", "lists")  # styles for any number of hidden layers

_HEADER = '''"""Bug hunt {seed}: one line of this network is wrong.

{told}

The forward pass and the loss are right. Somewhere between the loss and the new
weights is one mistake. So the network learns badly, or not at all, or nearly as
well as it should: the printed loss does not always tell.

A right step is: new = old - learning_rate * gradient of the loss, for each weight
and each bias. Find the line and mend it. Keep the names of the functions. Then:

    chainrule exercise bug check {file_name}
"""

'''


@dataclass(frozen=True)
class Hunt:
    """A network with a bug.

    Attributes
    ----------
    seed : int
    style : str
    architecture : Architecture
    draft : Draft
        The right program, and how to call it.
    bug : Bug
    """

    seed: int
    style: str
    architecture: Architecture
    draft: Draft
    bug: Bug

    @property
    def file_name(self) -> str:
        """What ``bug --seed`` calls the file."""
        return f"bug_{self.seed}.py"

    @property
    def right_text(self) -> str:
        """The file without the bug."""
        told = self.architecture.told
        return _HEADER.format(seed=self.seed, told=told, file_name=self.file_name) + self.draft.body

    @property
    def text(self) -> str:
        """The file that is written for the learner."""
        return self.right_text.replace(f" {self.bug.right}\n", f" {self.bug.wrong}\n", 1)

    @property
    def line(self) -> int:
        """Where the bug is, from 1."""
        before, _, _ = self.right_text.partition(f" {self.bug.right}\n")
        return before.count("\n") + 1

    @property
    def solution(self) -> str:
        """Where it was, what it said, what it should say, and why."""
        return f"Line {self.line}: {self.bug.wrong}\nShould be: {self.bug.right}\n{self.bug.why}"


def make(seed: int) -> Hunt:
    """Make the bug hunt of a seed: always the same for the same seed.

    Raises
    ------
    InvalidSetting
        When the seed is no whole number of at least 0.
    """
    seed = checks.whole_number("seed", seed, at_least=0)
    kinds = _kinds()
    style, hidden, head, bug = kinds[seed % len(kinds)]
    architecture = _architecture(style, hidden, head, generator(seed, "bug hunt"))
    draft = STYLES[style](architecture)
    return Hunt(seed, style, architecture, draft, draft.bugs[bug])


@functools.cache
def _kinds() -> list[tuple[str, str, str, int]]:
    """All combinations of style, network and bug, shuffled: neighbouring seeds differ in all."""
    kinds = []
    for style, write in STYLES.items():
        for hidden in HIDDEN:
            for head in HEADS:
                if style == "plain" and head == "softmax":
                    continue  # it has a single output
                sample = _architecture(style, hidden, head, np.random.default_rng(0))
                kinds += [(style, hidden, head, bug) for bug in range(len(write(sample).bugs))]
    order = generator(0, "order of bug hunts").permutation(len(kinds))
    return [kinds[place] for place in order]


def _architecture(style: str, hidden: str, head: str, random: np.random.Generator) -> Architecture:
    inputs = int(random.integers(3, 5))
    layers = [int(random.integers(3, 6))]
    if style in _DEEP:
        layers.append(int(random.integers(3, 6)))
    outputs = 1 if style == "plain" else int(random.integers(2, 4))
    rate = {"squares": 0.1, "linear": 0.1, "logistic": 0.05, "softmax": 0.5}[head]
    sizes = (inputs, *layers, outputs)
    return Architecture(sizes, hidden, head, int(random.integers(1000)), rate)

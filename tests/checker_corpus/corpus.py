"""Cases for the checker: files with networks in them, right ones and wrong ones.

``cases(seed)`` writes every mistake of every style once, with knobs (sizes, learning rates, names,
activations, data) drawn from the seed; ``correct_cases(seed)`` writes every style several times as
it should be. ``test_corpus.py`` proves both without any checker: that the right ones go down
the gradient, and that the wrong ones really differ.

Score with `PROVEN_SEED`: with other seeds, about one case in ten thousand starts where its mistake
makes no difference (all units of a ReLU layer dead, say), and counts as wrong all the same.

The files of the folder ``FOLDER`` are those the checker was developed with. Those of the folder
``UNSEEN`` were written by others, who had not seen the checker, and were not looked at by those who
wrote it: what it scores there is the measure, and it is not to be tuned to them. (A style that has
been looked at belongs into the other folder.) Their proven seed is `UNSEEN_SEED`.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from checker_corpus.templates import FOLDER, Edit, Line, Style, chance, fill, styles

PROVEN_SEED = 1  # test_corpus.py proves every case of this one
UNSEEN_SEED = 7  # and of this one in the folder UNSEEN
CORRECT_VERSIONS = 8  # of each style

MISTAKES = {
    "early_update": "later weights are updated before the earlier delta is taken",
    "sigmoid_prime_on_activation_twice": "σ′, with a σ inside it, is applied to an activation",
    "sigmoid_prime_of_z_as_a": "a (1 - a), or tanh's 1 - a², is applied to z",
    "output_derivative_missing": "the output's σ′ is missing, everywhere or further down",
    "hidden_derivative_missing": "the hidden layer's σ′ is missing",
    "sign_turned": "the update goes uphill",
    "bias_missing": "a bias is not added where one is needed",
    "bias_never_updated": "a bias stays as it was",
    "bias_gradient_axis": "the bias gradient is summed over the wrong axis",
    "bias_gradient_not_summed": "the bias gradient is not summed over the batch",
    "factor_mismatch": "a factor stands at some of the gradients only",
    "weight_for_input": "a weight is used in place of an input",
    "wrong_layer_error": "the error of another layer is used",
    "summed_weights": "the error goes back through the sum of the weights",
    "elementwise_for_matrix": "* stands for @",
    "transposed": "a transpose is missing or too much",
    "broadcast_n_n1": "(n,) meets (n, 1)",
    "zero_initialisation": "all weights start at zero",
    "constant_initialisation": "all weights start at the same number",
    "tiny_initialisation": "the weights start too small",
    "saturating": "the activations are saturated from the start",
    "diverging": "the learning rate is so large that training diverges",
    "exp_overflow": "exp overflows",
    "forward_through_z": "the next layer gets z instead of a",
    "stale_output": "backprop uses an output from before",
    "gradients_not_reset": "gradients of earlier steps are still in the sum",
    "loss_mismatch": "the loss that is reported is not the one whose gradient is taken",
    "other_activation_derivative": "the derivative is another activation's",
    "softmax_elementwise": "softmax is treated as if each output had its own input only",
    "x_shuffled_without_y": "X is shuffled, and y is not",
    "aliased_weights": "two arrays that should be separate are one",
    "momentum_sign": "the momentum has the wrong sign",
    "regularisation_sign": "the weight penalty has the wrong sign",
    "batches_drop_rows": "mini-batches leave rows out",
    "batches_repeat_rows": "mini-batches use rows twice",
}


@dataclass(frozen=True)
class Case:
    """A learner's file, and what is wrong with it.

    Attributes
    ----------
    name : str
        Style, mistake and number.
    source : str
        The file: Python, or the JSON of a notebook.
    is_notebook : bool
        Whether it is a notebook.
    mistake : str or None
        A key of ``MISTAKES``; None if nothing is wrong.
    line : int or None
        Where the mistake stands, from 1. In a notebook the lines of all code cells count, one cell
        after the other (see `code_of`).
    lines : tuple of int
        Every line that a teacher would accept.
    style, architecture, convention : str
        How it is written; the layer sizes and activations; how its loss and update are scaled.
    """

    name: str
    source: str
    is_notebook: bool
    mistake: str | None
    line: int | None
    lines: tuple[int, ...]
    style: str
    architecture: str
    convention: str


def cases(seed: int, folder: Path = FOLDER) -> Iterator[Case]:
    """Write every mistake of every style."""
    for style in styles(folder):
        for number, edit in enumerate(style.edits):
            name = f"{style.name}-{edit.mistake}-{number}"
            knobs = style.draw(chance(seed, name), edit.knobs)
            yield case_of(style, name, knobs, edit)


def correct_cases(seed: int, folder: Path = FOLDER) -> Iterator[Case]:
    """Write every style `CORRECT_VERSIONS` times, with nothing wrong."""
    for style in styles(folder):
        for number in range(CORRECT_VERSIONS):
            name = f"{style.name}-{number}"
            yield case_of(style, name, style.draw(chance(seed, name), {}))


def case_of(style: Style, name: str, knobs: dict[str, str], edit: Edit | None = None) -> Case:
    """Write one file."""
    lines = style.lines(knobs, *([edit] if edit else []))
    if style.is_notebook:
        source, lines = _notebook(lines)
    else:
        source = "\n".join(line.text for line in lines) + "\n"
    blame = [line.blame for line in lines]
    return Case(
        name=name,
        source=source,
        is_notebook=style.is_notebook,
        mistake=edit.mistake if edit else None,
        line=blame.index(max(blame)) + 1 if edit else None,
        lines=tuple(i + 1 for i, guilty in enumerate(blame) if guilty and edit),
        style=style.name,
        architecture=fill(f"{style.head['architecture']} {style.head['activations']}", knobs),
        convention=fill(style.head["convention"], knobs),
    )


def code_of(case: Case) -> str:
    """Return the code whose lines `Case.line` counts: the file, or a notebook's code cells."""
    if not case.is_notebook:
        return case.source
    cells = json.loads(case.source)["cells"]
    codes = ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"]
    return "\n".join(codes) + "\n"


def _notebook(lines: list[Line]) -> tuple[str, list[Line]]:
    """Cut at lines that start with ``# %%``; also return the lines of the code cells alone."""
    cells: list[dict[str, object]] = []
    code: list[Line] = []
    block: list[Line] = []
    kind = "code"

    def close() -> None:
        if not block:
            return
        text = "\n".join(line.text.removeprefix("# " * (kind != "code")) for line in block)
        cell: dict[str, object] = {"cell_type": kind, "metadata": {}}
        cell["source"] = text.splitlines(keepends=True)
        if kind == "code":
            cell |= {"execution_count": None, "outputs": []}
            code.extend(block)
        cells.append(cell)

    for line in lines:
        if line.text.startswith("# %%"):
            close()
            block, kind = [], "markdown" if "[markdown]" in line.text else "code"
        else:
            block.append(line)
    close()
    notebook = {"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}
    return json.dumps(notebook, indent=1, ensure_ascii=False), code

"""``chainrule demo --explain``: the first step of learning with every number of it."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from chainrule import plots
from chainrule.cli.documents import print_document
from chainrule.cli.terminal import console
from chainrule.explain.document import Block, Document, Section, Text
from chainrule.explain.explanation import Explanation
from chainrule.layer import Array
from chainrule.network import NeuralNetwork

_WRONG_BY = 0.5
_ROW = 1  # 0, 1, 1 -> 1: an input that is 0 shows that its weights learn nothing from this row


def demo_explained(
    network: NeuralNetwork,
    X: Array,
    y: Array,
    iterations: int,
    plot: Path | None,
    *,
    as_json: bool,
) -> None:
    """Print the step that one row of the truth table makes, then what training makes of it.

    Parameters
    ----------
    network : NeuralNetwork
        With its starting weights.
    X, y : ndarray
        The truth table.
    iterations : int
        How many steps the training has.
    plot : Path, optional
        Where the graph of the losses goes.
    as_json : bool
        Print the explanation as JSON and nothing else.
    """
    explanation = network.explain(X[_ROW : _ROW + 1], y[_ROW : _ROW + 1])
    if as_json:
        print(explanation.to_json())
    else:
        out = console()
        print_document(out, _first_step(explanation, X, y))
    if as_json and plot is None:
        return
    history = network.fit(X, y, epochs=iterations, batch_size=None, progress=False)
    if plot is not None:
        plots.save(history.plot(), plot)
    if not as_json:
        out.print()
        print_document(out, _afterwards(network, X, y, history.losses))
        if plot is not None:
            out.print(f"\nLoss graph: {plot}", soft_wrap=True)


def _first_step(explanation: Explanation, X: Array, y: Array) -> Document:
    """The whole step, after a few words for somebody who has never seen one."""
    step = explanation.document()
    inputs = ", ".join(f"{value:g}" for value in X[_ROW])
    begins: list[Block] = [
        Text(
            [
                f"Row {_ROW + 1} of the truth table: x = ({inputs}), and y = {y[_ROW]:g} is right. "
                "The weights are those that the network starts from. Follow the numbers: forward "
                "through the layers to the prediction ŷ, from there to the loss L, back through "
                "the layers to the derivative of the loss by every weight, and then one step "
                "downhill."
            ]
        ),
        Text(
            [
                "Indices count from 0: W₁[i, j] leads from input i to unit j of layer 1, and "
                "a₁[0, j] is what that unit gives for sample 0. ∂L/∂W₁[i, j] says how fast the "
                "loss grows with that weight. Where an input is 0, so is this gradient: its "
                "weights learn nothing from this row."
            ],
            tone="quiet",
        ),
    ]
    return Document("The first step of learning, number by number", [*begins, *step.blocks])


def _afterwards(network: NeuralNetwork, X: Array, y: Array, losses: Array) -> Document:
    """What training made of it, and what to ask next."""
    predictions = network.predict(X)[:, 0]
    loss = network.evaluate(X, y)["loss"]
    learned = bool(np.abs(predictions - y).max() < _WRONG_BY)
    found, right = (", ".join(f"{value:.3g}" for value in row) for row in (predictions, y))
    blocks: list[Block] = [
        Text(
            [
                f"After {len(losses):,} such steps on all four rows together the loss is "
                f"{loss:.4f}; it was {losses[0]:.4f}."
            ]
        ),
        Text(
            [
                f"ŷ of the four rows is {found}; right is {right}. "
                f"{'Learned.' if learned else 'Not learned from this start.'}"
            ]
        ),
    ]
    return Document("What training makes of it", [*blocks, _what_next()])


def _what_next() -> Section:
    return Section(
        ["Next"],
        [
            Text(["chainrule demo: the whole training, with its graph."]),
            Text(["chainrule demo --explain --no-bias: the same without biases, as in textbooks."]),
            Text(
                [
                    "chainrule train iris, then chainrule explain chainrule-iris.safetensors: "
                    "the same of a network of your own."
                ]
            ),
        ],
    )

"""``chainrule demo``: watch a network learn the four-row truth table."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from chainrule import plots
from chainrule.cli.demo_explained import demo_explained
from chainrule.cli.demo_many import demo_many
from chainrule.cli.pictures import save_picture
from chainrule.cli.terminal import PICTURES, console, loss_graph, table
from chainrule.data import reference_weights, truth_table
from chainrule.errors import InvalidSetting
from chainrule.files import check_writable
from chainrule.layer import Array
from chainrule.layers import Dense
from chainrule.network import NeuralNetwork
from chainrule.optimizers import GradientDescent
from chainrule.summary import summary_text
from chainrule.training.history import History

_PICTURE = Path("chainrule-demo-loss.png")
_WRONG_BY = 0.5


def demo(
    seed: Annotated[int, typer.Option(min=0, help="Decides the starting weights.")] = 0,
    no_bias: Annotated[
        bool, typer.Option("--no-bias", help="The textbook's network: no biases, uniform weights.")
    ] = False,
    seeds: Annotated[
        int | None,
        typer.Option(min=1, help="Train from the seeds 0, 1, ... instead: so many networks."),
    ] = None,
    iterations: Annotated[int, typer.Option(min=1, help="How often to adjust the weights.")] = 1500,
    hidden: Annotated[int, typer.Option(min=1, help="Units in the hidden layer.")] = 4,
    learning_rate: Annotated[float, typer.Option(min=0, help="Size of a step.")] = 1.0,
    plot: Annotated[
        Path | None, typer.Option(help="Where the loss graph goes (.png or .svg).")
    ] = None,
    explained: Annotated[
        bool, typer.Option("--explain", help="Print every number of the first step on one row.")
    ] = False,
    as_json: Annotated[
        bool,
        typer.Option(
            "--json",
            help="Print losses, predictions and seconds as JSON; with --explain the step.",
        ),
    ] = False,
) -> None:
    """Watch a network learn the four-row truth table."""
    X, y = truth_table()
    network = _network(hidden, learning_rate, seed, biases=not no_bias)
    if plot is not None:
        check_writable(plot, suffixes=PICTURES)
    if explained:
        _refuse_many(seeds)
        demo_explained(network, X, y, iterations, plot, as_json=as_json)
        return
    if seeds is not None:
        demo_many(network, X, y, seeds, iterations, plot, no_bias=no_bias, as_json=as_json)
        return
    if as_json:
        history = network.fit(X, y, epochs=iterations, batch_size=None, progress=False)
        if plot is not None:
            plots.save(history.plot(), plot)
        print(_as_json(history, network.predict(X)))
        return
    out = console()
    rows = [[f"{value:g}" for value in (*x, actual)] for x, actual in zip(X, y, strict=True)]
    out.print(table("What to learn", ["x1", "x2", "x3", "y"], rows))
    out.print(summary_text(network) + "\n", soft_wrap=True)
    history = network.fit(X, y, epochs=iterations, batch_size=None)
    predictions = network.predict(X)[:, 0]
    out.print(loss_graph(history.losses))
    loss = network.evaluate(X, y)["loss"]
    out.print(
        f"\nLoss (sum of squared errors) {history.losses[0]:.4f} before, {loss:.4f} after "
        f"{iterations:,} iterations, in {history.seconds:.2g} seconds."
    )
    out.print(f"Loss graph: {save_picture(history.plot, plot, _PICTURE)}\n", soft_wrap=True)
    compared = [
        [*row, f"{prediction:.5f}", f"{prediction - actual:+.5f}"]
        for row, prediction, actual in zip(rows, predictions, y, strict=True)
    ]
    header = ["x1", "x2", "x3", "actual", "prediction", "difference"]
    out.print(table("Prediction beside actual value", header, compared, right=(4, 5)))
    out.print(_what_next(abs(predictions - y).max() < _WRONG_BY, seed), soft_wrap=True)


def _refuse_many(seeds: int | None) -> None:
    if seeds is not None:
        raise InvalidSetting(
            "--explain shows one step of one network, and --seeds trains many; leave one out."
        )


def _network(hidden: int, learning_rate: float, seed: int, *, biases: bool) -> NeuralNetwork:
    network = NeuralNetwork(
        Dense(hidden, activation="sigmoid", use_bias=biases),
        Dense(1, activation="sigmoid", use_bias=biases),
        loss="sum_of_squares",
        optimizer=GradientDescent(learning_rate),
        seed=seed,
        dtype="float64",
        inputs=3,
    )
    if not biases:
        first, second = network.layers
        first.weights, second.weights = reference_weights(seed, hidden)  # type: ignore[attr-defined]
    return network


def _as_json(history: History, predictions: Array) -> str:
    return json.dumps(
        {
            "losses": history.losses.tolist(),
            "predictions": predictions[:, 0].tolist(),
            "seconds": history.seconds,
        }
    )


def _what_next(learned: bool, seed: int) -> str:
    if not learned:
        return (
            "Not all rows came out right: from these starting weights the way downhill is blocked. "
            f"Try another start: chainrule demo --seed {seed + 1}"
        )
    return (
        "Next, watch a start that fails: chainrule demo --no-bias --seed 67. "
        "Or learn from your own table: chainrule train FILE.csv --target COLUMN"
    )

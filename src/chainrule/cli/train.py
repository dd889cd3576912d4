"""``chainrule train``: from a table to a trained network in a file."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from chainrule import checks, plots
from chainrule.cli.choices import (
    Wishes,
    choose_batch_size,
    choose_epochs,
    choose_network,
    kind_of_loss,
)
from chainrule.cli.prepare import Prepared, prepare
from chainrule.cli.report import tell_columns, tell_scores
from chainrule.cli.table_model import TableModel
from chainrule.cli.tables import open_table, shadowed_file
from chainrule.cli.terminal import PICTURES, console
from chainrule.data import bundled
from chainrule.data.columns import listed
from chainrule.errors import InvalidSetting
from chainrule.files import check_writable
from chainrule.loss import Loss
from chainrule.summary import summary_text
from chainrule.training.callbacks import EarlyStopping
from chainrule.training.history import History

_PATIENCE = 30


def _above_zero(value: float | None) -> float | None:
    if value is not None and not 0 < value < float("inf"):
        raise typer.BadParameter(f"expected a number above 0; received {value:g}.")
    return value


def _below_one(value: float) -> float:
    if not 0 < value < 1:
        raise typer.BadParameter(f"expected a part between 0 and 1; received {value:g}.")
    return value


def train(
    source: Annotated[
        str,
        typer.Argument(metavar="FILE", help=f"A CSV file, or one of: {', '.join(bundled.NAMES)}."),
    ],
    target: Annotated[
        str | None, typer.Option(metavar="COLUMN", help="The column to predict.")
    ] = None,
    hidden: Annotated[
        str | None, typer.Option(metavar="SIZES", help="Units in each hidden layer, as 32,16.")
    ] = None,
    activation: Annotated[
        str | None,
        typer.Option(metavar="NAMES", help="Of the hidden layers: one, or one for each."),
    ] = None,
    epochs: Annotated[
        int | None, typer.Option(min=1, help="How often to go through the rows at most.")
    ] = None,
    learning_rate: Annotated[
        float | None, typer.Option(help="The first size of a step.", callback=_above_zero)
    ] = None,
    batch_size: Annotated[int | None, typer.Option(min=1, help="Rows for one step.")] = None,
    optimizer: Annotated[str, typer.Option(metavar="NAME", help="Such as adam or lbfgs.")] = "adam",
    loss: Annotated[
        str | None, typer.Option(metavar="NAME", help="Also decides: classes or numbers.")
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="Decides everything random.")] = 0,
    validation: Annotated[
        float, typer.Option(help="Part of the rows to measure on.", callback=_below_one)
    ] = 0.2,
    ignore: Annotated[
        list[str] | None, typer.Option(metavar="COLUMN", help="Leave it out; repeatable.")
    ] = None,
    category: Annotated[
        list[str] | None,
        typer.Option(metavar="COLUMN", help="Its numbers are categories; repeatable."),
    ] = None,
    output: Annotated[Path | None, typer.Option(help="Where the model goes.")] = None,
    plot: Annotated[Path | None, typer.Option(help="Where the loss graph goes.")] = None,
    quiet: Annotated[bool, typer.Option("--quiet", help="Print scores and files only.")] = False,
) -> None:
    """Train a network on a table and keep it in a file."""
    wishes = Wishes(
        hidden=_sizes(hidden),
        activation=_names(activation),
        epochs=epochs,
        batch_size=batch_size,
        learning_rate=learning_rate,
        optimizer=optimizer,
        loss=loss,
        seed=seed,
    )
    rows = open_table(source)
    target = target or _default_target(source, list(rows.columns))
    stem = _stem(source, target)
    output = check_writable(output or Path(f"{stem}.safetensors"))
    plot = check_writable(plot or Path(f"{stem}-loss.png"), suffixes=PICTURES)
    prepared = prepare(
        rows,
        target,
        wanted=kind_of_loss(loss),
        counts=loss is not None and Loss.member(loss).targets == "counts",
        ignore=ignore or [],
        categories=category or [],
        validation=validation,
        seed=seed,
    )
    out = console()
    talk = console(quiet=quiet)
    if note := shadowed_file(source):
        talk.print(note, soft_wrap=True)
    tell_columns(talk, prepared)
    model, history = _fit(talk, prepared, wishes, source, progress=not quiet)
    model.training["scores"] = tell_scores(out, model, prepared, details=not quiet)
    model.save(output)
    plots.save(history.plot(), plot)
    out.print(f"Loss graph: {plot}", soft_wrap=True)
    out.print(f"Model: {output}", soft_wrap=True)
    talk.print(f"\nNext: chainrule predict {output} FILE.csv", soft_wrap=True)


def _fit(
    talk: Console, prepared: Prepared, wishes: Wishes, source: str, *, progress: bool
) -> tuple[TableModel, History]:
    rows = len(prepared.training)
    network = choose_network(wishes, prepared.preprocessing.target, rows)
    model = TableModel(network, prepared.preprocessing, {})
    x, y = prepared.features, model.targets(prepared.table)
    network.build(x.shape[1])
    talk.print(summary_text(network) + "\n", soft_wrap=True)
    stopping = EarlyStopping(patience=_PATIENCE)
    history = network.fit(
        x[prepared.training],
        y[prepared.training],
        epochs=choose_epochs(wishes, rows),
        batch_size=choose_batch_size(wishes, rows),
        validation=(x[prepared.validation], y[prepared.validation]),
        callbacks=[stopping],
        progress="auto" if progress else False,
    )
    talk.print(
        f"Trained for {len(history.epochs['loss'])} epochs in {history.seconds:.2g} seconds "
        f"({history.stopped_because}).",
        soft_wrap=True,
    )
    if stopping.best_epoch:
        talk.print(
            f"Kept the weights of epoch {stopping.best_epoch}, the best on the validation rows; "
            "on new rows expect a little less than the score below.",
            soft_wrap=True,
        )
    model.training.update(
        source=source,
        best_epoch=stopping.best_epoch,
        stopped_because=history.stopped_because,
        seconds=history.seconds,
        **history.settings,
    )
    return model, history


def _default_target(source: str, columns: list[str]) -> str:
    if source in bundled.NAMES:
        return bundled.TARGET
    raise InvalidSetting(
        f"Which column is to be predicted? Name it with --target. {source} has the columns "
        f"{listed(tuple(columns), 20)}."
    )


def _sizes(hidden: str | None) -> tuple[int, ...] | None:
    if hidden is None:
        return None
    try:
        return tuple(checks.whole_number("size", int(size)) for size in hidden.split(","))
    except ValueError as error:
        raise typer.BadParameter(
            f"expected the number of units in each hidden layer, as 32,16; received {hidden!r}.",
            param_hint="--hidden",
        ) from error


def _names(activation: str | None) -> tuple[str, ...] | None:
    return None if activation is None else tuple(map(str.strip, activation.split(",")))


def _stem(source: str, target: str) -> str:
    """What the files of this training are called: chainrule-penguins-species."""
    named = [Path(source).stem] if source in bundled.NAMES else [Path(source).stem, target]
    return re.sub(r"[^\w.-]+", "_", "-".join(["chainrule", *named]))

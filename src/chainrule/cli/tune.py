"""``chainrule tune``: search for the settings that suit a table, and train with the best."""

from __future__ import annotations

import json
from dataclasses import asdict, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from chainrule.cli.choices import Wishes, choose_epochs
from chainrule.cli.report import tell_columns
from chainrule.cli.sources import kind_of
from chainrule.cli.table_model import TableModel
from chainrule.cli.terminal import console, table
from chainrule.cli.train_table import check_outputs, prepare_source, train_table
from chainrule.cli.tune_space import candidates, train_command, written
from chainrule.data.target import ClassTarget
from chainrule.errors import InvalidSetting

if TYPE_CHECKING:
    from rich.console import Console

    from chainrule.cli.tune_halving import Trial
    from chainrule.cli.tune_search import Found

_TRIALS_SHOWN = 15


def _processes(jobs: int | None) -> int | None:
    if jobs == 0:
        raise typer.BadParameter("expected a number of processes, or -1 for all cores; received 0.")
    return jobs


def tune(
    source: Annotated[
        str, typer.Argument(metavar="FILE", help="A CSV file, or a set with a name, as iris.")
    ],
    target: Annotated[
        str | None, typer.Option(metavar="COLUMN", help="The column to predict.")
    ] = None,
    trials: Annotated[int, typer.Option(min=2, help="How many settings to try.")] = 30,
    folds: Annotated[int, typer.Option(min=2, help="Parts of the rows to score in turn.")] = 3,
    jobs: Annotated[
        int | None,
        typer.Option(
            help="Processes; -1 for all cores. Without it what joblib is set to.",
            callback=_processes,
        ),
    ] = None,
    epochs: Annotated[
        int | None, typer.Option(min=1, help="How often to go through the rows at most.")
    ] = None,
    loss: Annotated[
        str | None, typer.Option(metavar="NAME", help="Also decides, classes or numbers.")
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="Decides everything random.")] = 0,
    validation: Annotated[
        float, typer.Option(help="Part of the rows that the search never sees, for the score.")
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
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", help="Print scores and files only.")] = False,
) -> None:
    """Try settings for a network on a table, and keep the network with the best of them.

    Ctrl-C ends the search; the best settings so far are taken.
    """
    # Loads scikit-learn, which chainrule --help can do without.
    from chainrule.cli.tune_search import search

    if kind_of(source, None) == "images":
        raise InvalidSetting(f"{source} is taken as images, and chainrule tune is for tables.")
    wishes = Wishes(
        epochs=epochs,
        loss=loss,
        validation=validation,
        ignore=tuple(ignore or ()),
        categories=tuple(category or ()),
        seed=seed,
    )
    output, plot = check_outputs(source, target, output, plot)
    talk = console(quiet=quiet or as_json)
    prepared = prepare_source(source, target, wishes)
    tell_columns(talk, prepared)
    kind = prepared.preprocessing.target
    rows = prepared.table.iloc[prepared.training]
    score = "accuracy" if isinstance(kind, ClassTarget) else "R²"
    with console(error=True, quiet=quiet or as_json).status("first trial ...") as status:
        try:
            found = search(
                rows.drop(columns=[kind.name]),
                kind.encode(rows[kind.name]),
                kind,
                candidates(wishes, len(rows), trials),
                wishes,
                epochs=choose_epochs(wishes, len(rows)),
                folds=folds,
                jobs=jobs,
                tell=lambda done: status.update(_so_far(done, score)),
            )
        except KeyboardInterrupt:
            raise InvalidSetting(
                "Interrupted before the first trial was measured, so there is nothing to keep."
            ) from None
    _tell_trials(talk, found, score)
    best = replace(wishes, **found.best.settings)
    model = train_table(source, target, best, output=output, plot=plot, quiet=True, silent=as_json)
    command = train_command(source, target, best)
    if as_json:
        print(_as_json(found, score, model, output, command))
    else:
        console().print(f"The same model again: {command}", soft_wrap=True)


def _so_far(trials: list[Trial], score: str) -> str:
    best = max(trials, key=lambda trial: trial.score)
    return f"{len(trials)} trials measured, best {score} so far {best.score:.4f}"


def _tell_trials(talk: Console, found: Found, score: str) -> None:
    """Print each settings' last trial, those that went furthest first."""
    last = {json.dumps(trial.settings, sort_keys=True): trial for trial in found.trials}
    ranked = sorted(last.values(), key=lambda trial: (-trial.epochs, -trial.score))
    names = [field.name for field in fields(Wishes) if field.name in found.best.settings]
    rows = [
        [
            *(_cell(trial.settings[name]) for name in names),
            str(trial.epochs),
            f"{trial.score:.4f} ± {trial.spread:.4f}",
            f"{trial.seconds:.2g}",
        ]
        for trial in ranked[:_TRIALS_SHOWN]
    ]
    heading = [*(name.replace("_", " ") for name in names), "epochs", score, "seconds"]
    right = range(2, len(heading))
    talk.print(table(f"{len(last)} settings tried, the best first", heading, rows, right))
    if len(last) > _TRIALS_SHOWN:
        talk.print(f"... and {len(last) - _TRIALS_SHOWN} more; --json has all.\n")
    if found.interrupted:
        talk.print("The search was interrupted by Ctrl-C; going on with the best so far.\n")


def _cell(value: Any) -> str:
    return "as train" if value is None else written(value)


def _as_json(found: Found, score: str, model: TableModel, output: Path, command: str) -> str:
    return json.dumps(
        {
            "measured": score,
            "trials": [asdict(trial) for trial in found.trials],
            "best": asdict(found.best),
            "interrupted": found.interrupted,
            "scores": model.training["scores"],
            "model": str(output),
            "command": command,
        }
    )

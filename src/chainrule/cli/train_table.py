"""Training on a table: what ``chainrule train FILE.csv`` does."""

from __future__ import annotations

from pathlib import Path

from rich.console import Console

from chainrule.cli.choices import (
    Wishes,
    choose_batch_size,
    choose_epochs,
    choose_network,
    kind_of_loss,
)
from chainrule.cli.prepare import Prepared, prepare
from chainrule.cli.report import tell_columns, tell_scores
from chainrule.cli.sources import TABLES, file_stem, set_name, shadowed_file
from chainrule.cli.table_model import TableModel
from chainrule.cli.tables import open_table
from chainrule.cli.terminal import PICTURES, console
from chainrule.cli.train_kept import fit_or_resume
from chainrule.cli.training import tell_diagnosis, tell_files, tell_next, tell_training
from chainrule.data import bundled
from chainrule.data.columns import listed
from chainrule.diagnosis import Diagnosis, diagnose
from chainrule.errors import InvalidSetting
from chainrule.files import check_writable
from chainrule.loss import Loss
from chainrule.summary import summary_text
from chainrule.training.callbacks import EarlyStopping
from chainrule.training.history import History

PATIENCE = 30  # epochs without improvement on the validation rows


def train_table(
    source: str,
    target: str | None,
    wishes: Wishes,
    *,
    resume: Path | None = None,
    output: Path | None,
    plot: Path | None,
    quiet: bool,
    silent: bool = False,
) -> TableModel:
    """Train a network on a table and keep it in a file.

    Parameters
    ----------
    source : str
        A CSV file, or a set with a name.
    target : str, optional
        The column to predict; only sets with a name can do without.
    wishes : Wishes
    resume : Path, optional
        A folder to keep the training in, and to go on from.
    output, plot : Path, optional
        Where model and loss graph go; into the present folder without them.
    quiet : bool
        Print scores and files only.
    silent : bool
        Print nothing.
    """
    output, plot = check_outputs(source, target, output, plot)
    prepared = prepare_source(source, target, wishes)
    out = console(quiet=silent)
    talk = console(quiet=quiet)
    if note := shadowed_file(source):
        talk.print(note, soft_wrap=True)
    tell_columns(talk, prepared)
    model, history = _fit(talk, prepared, wishes, source, resume, progress=not quiet)
    model.training["scores"] = tell_scores(out, model, prepared, details=not quiet)
    if not quiet:
        tell_diagnosis(talk, _diagnose(model, prepared, history))
    model.save(output)
    tell_files(out, output, history, plot)
    tell_next(talk, output, "FILE.csv")
    return model


def check_outputs(
    source: str, target: str | None, output: Path | None, plot: Path | None
) -> tuple[Path, Path]:
    """Say where model and loss graph go, before anything takes time.

    Raises
    ------
    InvalidSetting
        When one of them cannot be written.
    """
    is_set = set_name(source) is not None
    stem = file_stem(Path(source).stem, *(() if is_set or target is None else (target,)))
    return (
        check_writable(output or Path(f"{stem}.safetensors")),
        check_writable(plot or Path(f"{stem}-loss.png"), suffixes=PICTURES),
    )


def prepare_source(source: str, target: str | None, wishes: Wishes) -> Prepared:
    """Open a table and split its rows as wished."""
    rows = open_table(source)
    return prepare(
        rows,
        target or _default_target(source, list(rows.columns)),
        wanted=kind_of_loss(wishes.loss),
        counts=wishes.loss is not None and Loss.member(wishes.loss).targets == "counts",
        ignore=wishes.ignore,
        categories=wishes.categories,
        validation=wishes.validation,
        seed=wishes.seed,
    )


def _fit(
    talk: Console,
    prepared: Prepared,
    wishes: Wishes,
    source: str,
    resume: Path | None,
    *,
    progress: bool,
) -> tuple[TableModel, History]:
    rows = len(prepared.training)
    network = choose_network(wishes, prepared.preprocessing.target, rows)
    model = TableModel(network, prepared.preprocessing, {})
    x, y = prepared.features, model.targets(prepared.table)
    network.build(x.shape[1])
    talk.print(summary_text(network) + "\n", soft_wrap=True)
    stopping = EarlyStopping(patience=PATIENCE)
    history = fit_or_resume(
        talk,
        network,
        resume,
        wishes,
        (x[prepared.training], y[prepared.training]),
        stopping,
        epochs=choose_epochs(wishes, rows),
        batch_size=choose_batch_size(wishes, rows),
        validation=(x[prepared.validation], y[prepared.validation]),
        progress="auto" if progress else False,
    )
    model = TableModel(history.network, prepared.preprocessing, {})
    model.training.update(source=source, **tell_training(talk, history, stopping, "rows"))
    return model, history


def _diagnose(model: TableModel, prepared: Prepared, history: History) -> Diagnosis:
    """Look at the rows that were learned from; findings name the columns of the table."""
    return diagnose(
        model.network,
        prepared.features[prepared.training],
        model.targets(prepared.table)[prepared.training],
        history=history,
        columns=prepared.preprocessing.feature_names,
    )


def _default_target(source: str, columns: list[str]) -> str:
    if set_name(source) in TABLES:
        return bundled.TARGET
    raise InvalidSetting(
        f"Which column is to be predicted? Name it with --target. {source} has the columns "
        f"{listed(tuple(columns), 20)}."
    )

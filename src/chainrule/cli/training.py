"""What a training was like, and what is wrong with it: printed, and kept in the model file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from rich.console import Console

from chainrule import plots
from chainrule.diagnosis import Diagnosis
from chainrule.training.callbacks import EarlyStopping
from chainrule.training.history import History


def tell_training(
    talk: Console, history: History, stopping: EarlyStopping, samples: str
) -> dict[str, Any]:
    """Print how long the training took and which weights were kept; return what to remember.

    Parameters
    ----------
    talk : Console
    history : History
    stopping : EarlyStopping
        As it was when the training ended.
    samples : str
        What the data consist of: "rows", "images".
    """
    talk.print(
        f"Trained for {len(history.epochs['loss'])} epochs in {history.seconds:.2g} seconds "
        f"({history.stopped_because}).",
        soft_wrap=True,
    )
    if stopping.best_epoch:
        talk.print(
            f"Kept the weights of epoch {stopping.best_epoch}, the best on the validation "
            f"{samples}; on new {samples} expect a little less than the score below.",
            soft_wrap=True,
        )
    return {
        "best_epoch": stopping.best_epoch,
        "stopped_because": history.stopped_because,
        "seconds": history.seconds,
        **history.settings,
    }


def tell_diagnosis(talk: Console, diagnosis: Diagnosis) -> None:
    """Print what seems to be wrong with the training; nothing when all is well."""
    if diagnosis:
        talk.print(f"{diagnosis}\n", soft_wrap=True)


def tell_files(out: Console, model: Path, history: History, plot: Path) -> None:
    """Draw the loss graph; print where it is, and where the model is already."""
    plots.save(history.plot(), plot)
    out.print(f"Loss graph: {plot}", soft_wrap=True)
    out.print(f"Model: {model}", soft_wrap=True)


def tell_next(talk: Console, model: Path, data: str) -> None:
    """Print what can be done with a model file now; ``data`` is what it may predict."""
    talk.print(f"\nNext: chainrule predict {model} {data}", soft_wrap=True)
    talk.print(f"Why: chainrule explain {model} --row 1", soft_wrap=True)

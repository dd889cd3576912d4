"""Trainings that may be interrupted: what ``chainrule train --resume FOLDER`` does."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

from rich.console import Console

from chainrule.cli.choices import Wishes
from chainrule.cli.image_choices import ImageWishes
from chainrule.errors import InvalidSetting
from chainrule.network import NeuralNetwork
from chainrule.optimizers import LBFGS
from chainrule.saving import Checkpoint, load, resume
from chainrule.saving.checkpoint import checkpoints
from chainrule.training.callbacks import EarlyStopping
from chainrule.training.history import History
from chainrule.training.interrupt import INTERRUPTED

_SECONDS = 10.0  # from one checkpoint to the next: so much may be lost
_WISHES = "chainrule train"  # in what is kept beside each


def fit_or_resume(
    talk: Console,
    network: NeuralNetwork,
    folder: Path | None,
    wishes: Wishes | ImageWishes,
    samples: tuple[Any, Any],
    stopping: EarlyStopping,
    **settings: Any,
) -> History:
    """Train, or go on with a training that stands in the folder.

    Parameters
    ----------
    talk : Console
    network : NeuralNetwork
        To begin with; where training goes on, ``history.network`` is another one.
    folder : Path, optional
        Where checkpoints go; none are kept without it.
    wishes : Wishes or ImageWishes
        The same as when the training began.
    samples : (x, y)
    stopping : EarlyStopping
    **settings
        As ``fit`` takes them.

    Raises
    ------
    InvalidSetting
        When the training in the folder has other wishes.
    """
    if folder is None:
        return network.fit(*samples, callbacks=[stopping], **settings)
    if isinstance(network.optimizer, LBFGS):
        raise InvalidSetting(
            "--resume is not for --optimizer lbfgs, whose memory is SciPy's and cannot be kept; "
            "leave one of the two out."
        )
    asked = json.loads(json.dumps(asdict(wishes)))
    if kept := checkpoints(folder):
        _refuse_others(kept[-1], asked)
        talk.print(f"Goes on from {kept[-1]}.", soft_wrap=True)
        history = resume(
            folder,
            *samples,
            validation=settings["validation"],
            callbacks=[stopping],
            progress=settings["progress"],
        )
    else:
        keeper = Checkpoint(folder, seconds=_SECONDS, best=None, extra={_WISHES: asked})
        history = network.fit(*samples, callbacks=[stopping, keeper], **settings)
    if history.stopped_because == INTERRUPTED:
        talk.print(f"The same command goes on from {folder}.", soft_wrap=True)
    return history


def _refuse_others(path: Path, asked: dict[str, Any]) -> None:
    began = load(path).extra.get(_WISHES)
    if not isinstance(began, dict):
        raise InvalidSetting(
            f"{path} was not written by chainrule train. Give --resume a folder of its own, or go "
            "on in Python: chainrule.saving.resume."
        )
    changed = [name for name in asked if began.get(name) != asked[name]]
    if changed:
        told = ", ".join(
            f"--{name.replace('_', '-')} (then {began.get(name)!r}, now {asked[name]!r})"
            for name in changed
        )
        raise InvalidSetting(
            f"The training in {path.parent} began with other options: {told}. Use the same ones to "
            "go on with it, or another folder to begin anew."
        )

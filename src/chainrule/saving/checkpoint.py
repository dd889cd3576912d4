"""Keeping a training while it runs, so that it can go on after whatever ends it."""

from __future__ import annotations

import math
import re
import time
import weakref
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from chainrule import checks
from chainrule.errors import InvalidSetting
from chainrule.files import check_writable
from chainrule.saving.checkpoint_content import describe_checkpoint
from chainrule.saving.checkpoint_data import fingerprint
from chainrule.saving.description import build, describe
from chainrule.saving.model_file import write
from chainrule.saving.model_file_training import number, plain, whole
from chainrule.training.callbacks import Keeper, check_column, sign_of

_NAME = re.compile(r"step-(\d{8,18})\.safetensors")
_BEST = "best.safetensors"


class Checkpoint(Keeper):
    """Keep the training in a folder, from which ``resume`` goes on to the same bits.

    Each checkpoint is one file, ``step-00001200.safetensors``, with all that training changes: the
    parameters and statistics, what optimizer, schedule and callbacks remember, the position in the
    epoch, the history so far, and the settings. It is a model file too, so ``load`` takes the
    network out. The first is written before the first step, the last when training ends or is
    interrupted by Ctrl-C. Killed at any moment, training loses nothing but the steps since the
    latest one.

    Parameters
    ----------
    path : str or Path
        A folder for this one training; it is made where it is not there.
    every : "epoch" or int, default "epoch"
        Epochs from one checkpoint to the next.
    steps : int, optional
        Steps from one to the next, in place of epochs.
    seconds : float, optional
        Seconds from one to the next, in place of epochs.
    keep : int, default 3
        How many of the latest to keep.
    best : str or None, default "auto"
        A column of the history, as ``"validation_accuracy"``: the checkpoint of its best epoch is
        kept too, as ``best.safetensors``. "auto" takes ``"validation_loss"`` where there is one.
    extra : dict, optional
        Plain data to keep with each, as for ``save``.

    Notes
    -----
    L-BFGS cannot be resumed: its memory is SciPy's. Of callbacks of your own, ``resume`` needs new
    ones; what they must remember they say in ``to_keep`` and take in ``before_resuming``.
    """

    def __init__(
        self,
        path: str | Path,
        every: str | int | None = None,
        *,
        steps: int | None = None,
        seconds: float | None = None,
        keep: int = 3,
        best: str | None = "auto",
        extra: dict[str, Any] | None = None,
    ) -> None:
        if sum(choice is not None for choice in (every, steps, seconds)) > 1:
            raise InvalidSetting(
                "Checkpoint received more than one of every, steps and seconds; expected one, as "
                'Checkpoint(path, every="epoch") or Checkpoint(path, steps=500).'
            )
        self.path = Path(path)
        self.steps = None if steps is None else checks.whole_number("steps", steps)
        self.seconds = None if seconds is None else checks.number("seconds", seconds, above=0)
        self.every = 1 if every in (None, "epoch") else _epochs(every)
        self.keep_latest = checks.whole_number("keep", keep)
        if best is not None and not isinstance(best, str):
            raise InvalidSetting(
                f"Checkpoint: best must be the name of a column of the history, such as "
                f"'validation_loss'; received {checks.shown(best)}."
            )
        self.best = best
        self.extra = {} if extra is None else extra
        self.counts_steps = self.seconds is None
        self._owner: Any = None  # a weak reference to the network that it keeps
        self._resumes = False
        self.engine: Any = None  # that the network is set to, where it goes on by another name
        self._best_value, self._best_epoch = math.nan, 0

    @classmethod
    def going_on(cls, path: Path, described: dict[str, Any], extra: dict[str, Any]) -> Checkpoint:
        """Make the one that ``resume`` goes on with, from what a checkpoint says of it."""
        made = cls(
            path,
            described["every"],
            steps=described["steps"],
            seconds=described["seconds"],
            keep=described["keep"],
            best=described["best"],
            extra=extra,
        )
        made._best_value = number(described["best_value"])
        made._best_epoch = whole(described["best_epoch"])
        made.engine = build(described["engine"])
        made._resumes = True
        return made

    def check(self, columns: Sequence[str]) -> None:
        """Need the column of the best epoch, and a folder that holds no other training."""
        self._watched = self.best
        if self.best == "auto":
            self._watched = "validation_loss" if "validation_loss" in columns else None
        elif self.best is not None:
            check_column(f"Checkpoint(best={self.best!r})", self.best, columns)
        if self._owner is None and not self._resumes:
            self._refuse_other_training()
        try:
            self.path.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise InvalidSetting(
                f"Checkpoint: the folder {self.path} cannot be made: {error.strerror or error}. "
                "Choose another place."
            ) from error
        check_writable(self.path / _BEST)

    def begin(self, loop: Any) -> None:
        """Write the first one."""
        if loop.full_batch:
            raise InvalidSetting(
                "Checkpoint received a training by 'lbfgs', which cannot go on from its middle: "
                "what SciPy's L-BFGS remembers cannot be kept. Leave Checkpoint out, or use "
                "another optimizer, such as 'adam'."
            )
        if sum(isinstance(keeper, Checkpoint) for keeper in loop.keepers) > 1:
            raise InvalidSetting(
                "callbacks holds more than one Checkpoint; expected one for each training."
            )
        if self._owner is not None and self._owner() is not loop.network:
            self._refuse_other_training()
        if not self._resumes:
            self._best_value, self._best_epoch = math.nan, 0
        self._resumes = False
        self._owner = weakref.ref(loop.network)
        self._data = fingerprint(loop.samples, loop.validation)
        self._seen = len(loop.history.epochs["loss"])
        self._write_latest(loop)

    def keep(self, loop: Any) -> None:
        """Write one where it is due, and the best one where the epoch that ended was it."""
        epochs = len(loop.history.epochs["loss"])
        ended = not loop.batches_done and epochs > 0
        finite = _is_finite(loop)
        if finite and ended and self._is_best(loop.history.epochs, epochs):
            self._write(loop, self.path / _BEST)
        if self.seconds is not None:
            due = time.monotonic() >= self._next_time
        elif self.steps is not None:
            due = loop.state.step >= self._next_due
        else:
            due = ended and epochs % self.every == 0
        if due and finite:
            self._write_latest(loop)
        else:
            self._plan(loop)

    def end(self, loop: Any) -> None:
        """Write the last one."""
        if self._written != loop.state.step and _is_finite(loop):
            self._write_latest(loop)

    def _is_best(self, epochs: dict[str, list[Any]], count: int) -> bool:
        if self._watched is None or count <= self._seen:
            return False
        self._seen = count
        value = float(epochs[self._watched][-1])
        sign = sign_of(self._watched)
        if math.isnan(value) or sign * value >= sign * self._best_value:
            return False
        self._best_value, self._best_epoch = value, count
        return True

    def _write_latest(self, loop: Any) -> None:
        self._written = loop.state.step
        self._next_time = time.monotonic() + (self.seconds or 0)
        self._next_due = loop.state.step + (self.steps or 0)
        written = self._write(loop, self.path / f"step-{loop.state.step:08}.safetensors")
        latest = checkpoints(self.path)[-self.keep_latest :]
        for path in checkpoints(self.path):
            if path not in latest and path != written:
                path.unlink(missing_ok=True)
        self._plan(loop)

    def _write(self, loop: Any, path: Path) -> Path:
        described, arrays = describe_checkpoint(
            loop,
            [callback for callback in loop.plan.callbacks if callback is not self],
            {"data": self._data, "keeper": self._described(loop.network)},
        )
        return write(path, loop.network, {"extra": self.extra, **described}, arrays)

    def _plan(self, loop: Any) -> None:
        """Say when to look next."""
        step, done = loop.state.step, len(loop.history.epochs["loss"])
        epoch_end = step + loop.batches.per_epoch - loop.batches_done
        if self.seconds is not None:
            self.next_step = step + 1
            return
        epochs_between = self.every - 1 - done % self.every
        by_epochs = epoch_end + epochs_between * loop.batches.per_epoch
        self.next_step = by_epochs if self.steps is None else self._next_due
        if self._watched is not None:
            self.next_step = min(self.next_step, epoch_end)

    def _described(self, network: Any) -> dict[str, Any]:
        """What ``going_on`` takes."""
        by_epochs = self.steps is None and self.seconds is None
        return {
            "every": self.every if by_epochs else None,
            "steps": self.steps,
            "seconds": self.seconds,
            "keep": self.keep_latest,
            "best": self.best,
            "best_value": plain(self._best_value),
            "best_epoch": self._best_epoch,
            "engine": describe(self.engine or network.engine),
        }

    def _refuse_other_training(self) -> None:
        found = checkpoints(self.path)
        if found:
            raise InvalidSetting(
                f"The folder {self.path} holds checkpoints of another training ({found[-1].name} "
                f"is the latest). Go on with it by resume({str(self.path)!r}, ...), or give this "
                "training a folder of its own."
            )


def checkpoints(folder: Path) -> list[Path]:
    """Return the checkpoints in a folder, by their steps; the best one is not among them."""
    found = [
        (match, path) for path in folder.glob("step-*") if (match := _NAME.fullmatch(path.name))
    ]
    return [path for _, path in sorted(found, key=lambda pair: int(pair[0][1]))]


def _is_finite(loop: Any) -> bool:
    """Whether one could go on: a step can end in infinity, which the next one finds and tells."""
    return bool(np.isfinite(loop.storage).all())


def _epochs(every: Any) -> int:
    if isinstance(every, str):
        raise InvalidSetting(
            f'every must be "epoch" or a number of epochs; received {every!r}. For steps or '
            "seconds write Checkpoint(path, steps=500) or Checkpoint(path, seconds=60)."
        )
    return checks.whole_number("every", every)

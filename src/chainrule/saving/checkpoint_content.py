"""What a checkpoint holds besides the network: the plan, the history, callbacks, the position.

A checkpoint is a model file (``model_file``) whose JSON has one more entry, ``"checkpoint"``, and
whose further arrays have names like ``"training history losses"``.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

import numpy as np

from chainrule.data.augmentation import Augmentation
from chainrule.diagnosis.callback import Diagnose
from chainrule.errors import InvalidSetting, UnreadableFile
from chainrule.layer import Array
from chainrule.metrics import Metric
from chainrule.registry import Registered
from chainrule.saving.description import build, describe
from chainrule.saving.model_file import Content
from chainrule.saving.model_file_training import (
    TRAINING,
    describe_training,
    number,
    plain,
    training_arrays,
    whole,
)
from chainrule.training.callbacks import Callback, EarlyStopping
from chainrule.training.history import Past
from chainrule.training.interrupt import INTERRUPTED
from chainrule.training.plan import Plan
from chainrule.training.progress import Progress
from chainrule.training.state import Begun

_HISTORY = f"{TRAINING}history "
_ROWS = f"{TRAINING}epochs "
_CALLBACK = f"{TRAINING}callback "
_SERIES = ("losses", "learning_rates", "gradient_norms")

# Callbacks that come back by themselves, with the settings that make them again.
REBUILT: dict[str, tuple[type[Callback], tuple[str, ...]]] = {
    "Diagnose": (Diagnose, ("every",)),
    "EarlyStopping": (EarlyStopping, ("monitor", "patience", "min_delta", "restore_best")),
}


def describe_checkpoint(
    loop: Any, callbacks: Sequence[Callback], keeping: dict[str, Any]
) -> tuple[dict[str, Any], dict[str, Array]]:
    """Describe where a loop stands: more entries for the JSON, and more arrays.

    Parameters
    ----------
    loop : TrainingLoop
    callbacks : sequence of Callback
        All that the checkpoint must bring back.
    keeping : dict
        What the keeper needs itself.
    """
    plan, history = loop.plan, loop.history
    rows, arrays = _rows(history.epochs)
    for name in _SERIES:
        arrays[f"{_HISTORY}{name}"] = getattr(history, name)
    described_callbacks = []
    for index, callback in enumerate(callbacks):
        described, kept = _callback(callback, index)
        described_callbacks.append(described)
        arrays |= kept
    checkpoint = {
        "plan": {
            "epochs": plan.epochs,
            "batch_size": plan.batch_size,
            "shuffle": plan.shuffle,
            "augment": describe(list(plan.augment)),
            "metrics": describe(list(plan.metrics)),
        },
        "begun": {"batches": loop.batches_done, "loss": plain(loop.epoch_loss)},
        "settings": history.settings,
        "stopped_because": ""
        if history.stopped_because == INTERRUPTED
        else history.stopped_because,
        "seconds": time.perf_counter() - loop.began,
        "epochs": rows,
        "callbacks": described_callbacks,
        **keeping,
    }
    described_all = {"training": describe_training(loop.state), "checkpoint": checkpoint}
    return described_all, arrays | training_arrays(loop.state)


def read_plan(content: Content, callbacks: list[Callback], progress: Progress) -> Plan:
    """Return the plan to go on with.

    Parameters
    ----------
    content : Content
        Of a checkpoint.
    callbacks : list of Callback
        As many as it describes; the keeper is not among them.
    progress : bool or "auto"

    Raises
    ------
    UnreadableFile
        When something is missing or of another kind.
    """
    checkpoint, arrays = content.described["checkpoint"], content.arrays
    plan, begun = checkpoint["plan"], checkpoint["begun"]
    size = plan["batch_size"]
    past = _past(checkpoint, arrays)
    epochs, batches = whole(plan["epochs"]), whole(begun["batches"])
    done, training = len(past.epochs["loss"]), content.described["training"]
    if done > epochs or training["step"] < len(past.losses):
        raise UnreadableFile("its history is longer than its training.")
    if training["epoch"] < done + (batches > 0):
        raise UnreadableFile("it stands in an epoch that has not begun.")
    return Plan(
        epochs=epochs,
        batch_size=None if size is None else max(1, whole(size)),
        shuffle=bool(plan["shuffle"]),
        augment=_members(Augmentation, plan["augment"]),
        metrics=_members(Metric, plan["metrics"]),
        callbacks=callbacks,
        progress=progress,
        begun=Begun(batches, number(begun["loss"])),
        past=past,
        kept=[_kept(d, arrays, i) for i, d in enumerate(checkpoint["callbacks"])],
    )


def rebuilt(described: dict[str, Any]) -> Callback | None:
    """Make a callback from its description; None for one that only its owner can make."""
    if described["settings"] is None:
        return None
    kind, _ = REBUILT[described["class"]]
    return kind(**described["settings"])


def _members(family: type[Registered], described: Any) -> list[Any]:
    """Build a list of members of one family."""
    found = build(described)
    if not isinstance(found, list) or not all(isinstance(member, family) for member in found):
        raise UnreadableFile(f"its plan is described wrongly: {found!r}.")
    return found


def _past(checkpoint: dict[str, Any], arrays: dict[str, Array]) -> Past:
    losses, rates, norms = (_series(arrays, f"{_HISTORY}{name}") for name in _SERIES)
    epochs = {
        column: arrays[f"{_ROWS}{column}"].tolist() if rows is None else list(rows)
        for column, rows in checkpoint["epochs"].items()
    }
    if len({len(rows) for rows in epochs.values()}) > 1 or len({*map(len, (losses, rates))}) > 1:
        raise UnreadableFile("the columns of its history have different lengths.")
    stopped_because, settings = checkpoint["stopped_because"], checkpoint["settings"]
    if (
        len(norms) != len(losses)
        or not isinstance(stopped_because, str)
        or not isinstance(settings, dict)
    ):
        raise UnreadableFile("its history is described wrongly.")
    seconds = number(checkpoint["seconds"])
    return Past(losses, rates, norms, epochs, stopped_because, seconds, settings)


def _series(arrays: dict[str, Array], name: str) -> Array:
    found = arrays[name]
    if found.ndim != 1 or found.dtype != np.float64:
        raise UnreadableFile(f"{name!r} is no list of numbers.")
    return found


def _rows(epochs: dict[str, list[Any]]) -> tuple[dict[str, Any], dict[str, Array]]:
    """Columns of the history: numbers, and tables of one shape, as arrays; the rest as JSON."""
    rows: dict[str, Any] = {}
    arrays: dict[str, Array] = {}
    for column, values in epochs.items():
        found = _numbers(values)
        if found is None:
            rows[column] = values
        else:
            rows[column], arrays[f"{_ROWS}{column}"] = None, found
    return rows, arrays


def _numbers(values: list[Any]) -> Array | None:
    try:
        found = np.asarray(values)
    except ValueError:  # tables of different shapes
        return None
    kind = {"f": np.float64, "i": np.int64}.get(found.dtype.kind)
    return None if kind is None else found.astype(kind)


def _callback(callback: Callback, index: int) -> tuple[dict[str, Any], dict[str, Array]]:
    name = type(callback).__name__
    settings = None
    if name in REBUILT and type(callback) is REBUILT[name][0] and _says_all(callback):
        settings = {setting: getattr(callback, setting) for setting in REBUILT[name][1]}
    kept, arrays = {}, {}
    for key, value in callback.to_keep().items():
        if isinstance(value, np.ndarray):
            if value.dtype not in (np.float32, np.float64, np.int64):
                raise InvalidSetting(
                    f"{name}.to_keep gave {key!r} of dtype {value.dtype}; expected float32, "
                    "float64 or int64."
                )
            arrays[f"{_CALLBACK}{index} {key}"] = value
        else:
            kept[key] = plain(value) if isinstance(value, float) else value
    described = {"class": name, "settings": settings, "kept": kept}
    return described, arrays


def _says_all(callback: Callback) -> bool:
    """Whether the settings in ``REBUILT`` are all there is: a function cannot stand in a file."""
    return not isinstance(callback, Diagnose) or callback.print is print


def _kept(described: dict[str, Any], arrays: dict[str, Array], index: int) -> dict[str, Any]:
    start = f"{_CALLBACK}{index} "
    kept = {
        key: number(value) if value in ("inf", "-inf", "nan") else value
        for key, value in described["kept"].items()
    }
    return kept | {n.removeprefix(start): a for n, a in arrays.items() if n.startswith(start)}

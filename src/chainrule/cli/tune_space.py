"""What ``chainrule tune`` tries: settings of ``chainrule train``, and how one types them there."""

from __future__ import annotations

import shlex
from dataclasses import fields
from typing import Any

from chainrule.cli.choices import Wishes, choose_batch_size
from chainrule.errors import optional_package

# Lists, not ranges: what is found is to be typed again.
_SPACE: dict[str, list[Any]] = {
    "hidden": [(16,), (32,), (64,), (128,), (32, 16), (64, 32), (128, 64), (64, 64, 32)],
    "activation": [("relu",), ("tanh",), ("silu",), ("elu",)],
    "dropout": [0.0, 0.0, 0.1, 0.25],
    "l2": [None, None, 1e-5, 1e-4, 1e-3, 1e-2],
}
_BATCH_SIZES = (16, 32, 64, 128)
_ADAPTIVE = {
    "optimizer": ["adam", "adam", "nadam", "rmsprop"],
    "learning_rate": [0.001, 0.002, 0.003, 0.005, 0.01, 0.02, 0.03],
}
_PLAIN = {"optimizer": ["gradient_descent"], "learning_rate": [0.01, 0.02, 0.05, 0.1, 0.2, 0.5]}
_SPACES = (_ADAPTIVE, _ADAPTIVE, _PLAIN)  # drawn from in turn, so the first kind twice as often


def candidates(wishes: Wishes, rows: int, trials: int) -> list[dict[str, Any]]:
    """Draw the settings to try; the first are those that ``train`` takes by itself.

    Parameters
    ----------
    wishes : Wishes
        Their seed decides what is drawn.
    rows : int
        To train on.
    trials : int

    Returns
    -------
    list of dict
        Names and values as in ``Wishes``: so many, all different.
    """
    names = (*_SPACE, *_ADAPTIVE)
    found = [{name: getattr(wishes, name) for name in names}]
    found[0]["batch_size"] = choose_batch_size(wishes, rows)
    batch_sizes = [size for size in _BATCH_SIZES if size <= max(32, rows // 4)]
    spaces = [{**_SPACE, "batch_size": batch_sizes, **space} for space in _SPACES]
    sampler = optional_package("sklearn.model_selection", "Searching").ParameterSampler
    for settings in sampler(spaces, 4 * trials, random_state=wishes.seed):
        if len(found) < trials and settings not in found:
            found.append(settings)
    return found


def train_command(source: str, target: str | None, wishes: Wishes) -> str:
    """Return the command that trains with these wishes."""
    words = ["chainrule", "train", source]
    if target is not None:
        words += ["--target", target]
    usual = Wishes()
    for field in fields(Wishes):
        value = getattr(wishes, field.name)
        if value == getattr(usual, field.name):
            continue
        if field.name in _REPEATED:
            words += [word for column in value for word in (_REPEATED[field.name], column)]
        else:
            words += [f"--{field.name.replace('_', '-')}", written(value)]
    return shlex.join(words)


_REPEATED = {"ignore": "--ignore", "categories": "--category"}


def written(value: Any) -> str:
    """Return a setting as one types it: ``(32, 16)`` as 32,16."""
    if isinstance(value, tuple):
        return ",".join(map(str, value))
    return f"{value:g}" if isinstance(value, float) else str(value)

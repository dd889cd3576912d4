"""Going another way from a step of a training on: the same start, other settings."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from chainrule import checks
from chainrule.errors import InvalidSetting
from chainrule.optimizer import Optimizer
from chainrule.optimizers import LBFGS
from chainrule.schedules import Schedule
from chainrule.training.rewinding import check_step, loop_at
from chainrule.training.state import NOTHING_BEGUN

if TYPE_CHECKING:
    from chainrule.training.history import History
    from chainrule.training.recording import Recording


def branch(
    recording: Recording, history: History, step: Any, epochs: Any, changes: dict[str, Any]
) -> History:
    """Train on from a step with other settings; see ``History.branch``."""
    step = check_step(step, history.iterations)
    changes = _checked(changes)
    optimizer = _optimizer(recording, changes)
    epochs = _epochs(recording, history, step, epochs)
    loop = loop_at(recording, history, step)
    network, plan = loop.network, recording.plan
    if optimizer is not None:
        network.optimizer = optimizer
    if "learning_rate" in changes:
        network.optimizer.learning_rate = changes["learning_rate"]
        network.training_state.schedule = {}
    for name in ("l1", "l2"):
        if name in changes:
            setattr(network, name, changes[name])
    begun = history.begun(step, loop.batches_done, loop.epoch_loss)
    batch_size = changes.get("batch_size", plan.batch_size)
    if begun.batches and _other_batches(loop, network, batch_size):
        network.training_state.epoch -= 1
        begun = NOTHING_BEGUN
    new = replace(
        plan,
        epochs=epochs,
        batch_size=batch_size,
        augment=loop.plan.augment,
        callbacks=[],
        begun=begun,
    )
    going_on = recording.begin(network, recording.samples, recording.validation, new)
    going_on.history.settings["changes"] = [f"{name}={changes[name]!r}" for name in changes]
    found: History = going_on.run()
    network.last_history = copy.copy(found)  # as after fit
    return found


def _positive_or_none(name: str, size: Any) -> int | None:
    return None if size is None else checks.whole_number(name, size)


def _rate(name: str, rate: Any) -> float | Schedule:
    return rate if isinstance(rate, Schedule) else checks.number(name, rate, at_least=0)


def _penalty(name: str, value: Any) -> float:
    return checks.number(name, value, at_least=0)


_CHECKS: dict[str, Callable[[str, Any], Any]] = {
    "learning_rate": _rate,
    "optimizer": lambda _, choice: Optimizer.get(choice),
    "batch_size": _positive_or_none,
    "l1": _penalty,
    "l2": _penalty,
}


def _checked(changes: dict[str, Any]) -> dict[str, Any]:
    for name in changes:
        if name not in _CHECKS:
            raise InvalidSetting(
                f"branch received {name}={checks.shown(changes[name])}. "
                f"{checks.did_you_mean(name, _CHECKS)}It can change {', '.join(_CHECKS)}. For "
                "anything else take network = history.at(step), change it and call its fit."
            )
    return {name: _CHECKS[name](name, value) for name, value in changes.items()}


def _optimizer(recording: Recording, changes: dict[str, Any]) -> Optimizer | None:
    """Return the new optimizer where there is one, and refuse what does not go with it."""
    optimizer: Optimizer | None = copy.deepcopy(changes.get("optimizer"))
    if isinstance(optimizer or recording.settings.optimizer, LBFGS) and "learning_rate" in changes:
        raise InvalidSetting(
            "branch received learning_rate, and the optimizer is 'lbfgs', which has none. Give "
            "another optimizer too, or leave it out."
        )
    if isinstance(optimizer, LBFGS) and recording.plan.augment:
        raise InvalidSetting(
            "branch received optimizer='lbfgs', which needs the same samples in every iteration, "
            "and this training changes them (augment). Use another optimizer."
        )
    return optimizer


def _epochs(recording: Recording, history: History, step: int, epochs: Any) -> int:
    """How many epochs lie before the branch, the one under way counted."""
    if epochs is not None:
        return checks.whole_number("epochs", epochs)
    per_epoch, before = recording.per_epoch, len(recording.begun.norms)
    left = -(-(before + history.iterations) // per_epoch) - (before + step) // per_epoch
    if not left:
        raise InvalidSetting(
            f"branch received step {step}, where this training ended. Say how far to go on: "
            f"history.branch({step}, epochs=10, ...)."
        )
    return left


def _other_batches(loop: Any, network: Any, batch_size: int | None) -> bool:
    """Whether an epoch that has begun cannot go on, because its batches are cut otherwise."""
    count = loop.batches.count
    size = count if isinstance(network.optimizer, LBFGS) else min(batch_size or count, count)
    return bool(size != loop.batches.batch_size)

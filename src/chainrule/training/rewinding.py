"""Going back to a step of a training: from the nearest snapshot, the same steps again."""

from __future__ import annotations

import copy
from collections.abc import Iterable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from chainrule import checks
from chainrule.engines.choice import Compiled, Engine, Reference
from chainrule.errors import InvalidData, InvalidSetting, LossNotFinite
from chainrule.schedules import Schedule

if TYPE_CHECKING:
    from chainrule.training.history import History
    from chainrule.training.recording import Recording
    from chainrule.training.snapshots import Snapshot


def network_at(recording: Recording, history: History, step: Any) -> Any:
    """Return the network as it was at a step; see ``History.at``."""
    loop = loop_at(recording, history, check_step(step, history.iterations))
    loop.network.engine = recording.engine
    return loop.network


def check_step(step: Any, last: int) -> int:
    """Check the number of a step from 0 to ``last``."""
    if last < 0:
        raise InvalidSetting("This training made no iteration, so there is nothing to look at.")
    checked = checks.whole_number("step", step, at_least=0)
    if checked > last:
        raise InvalidSetting(
            f"step received {checked}; expected a whole number from 0 to {last}: this training "
            "made no more iterations."
        )
    return checked


def loop_at(recording: Recording, history: History, step: int) -> Any:
    """Make a loop that stands at that step, of a network that is a copy.

    The network is left on the engine that made the steps.
    """
    snapshot = recording.snapshots.before(step)
    # The record of its latest training is long, and not of the steps that led here.
    memo: dict[int, Any] = {id(recording.network.last_history): None}
    network = copy.deepcopy(recording.network, memo)
    snapshot.settings.put_on(network, memo)
    network.engine = engine_of(recording, snapshot)
    snapshot.put_back(network)
    plan = replace(
        recording.plan,
        augment=[copy.deepcopy(a, memo) for a in recording.plan.augment],
        metrics=[],
        callbacks=[],
        progress=False,
        begun=history.begun(snapshot.step, snapshot.batches, snapshot.loss),
        steps=step - snapshot.step,
        schedule=_recorded_rates(recording, history, snapshot, network.optimizer.schedule),
    )
    loop = recording.begin(network, recording.samples, None, plan)
    if plan.steps:
        _make_again(loop, history, snapshot.step, step)
    return loop


def engine_of(recording: Recording, snapshot: Snapshot) -> Engine:
    """Return the engine that made the steps after a snapshot."""
    return (Compiled if snapshot.engine == "compiled" else Reference)(recording.threads)


def _make_again(loop: Any, history: History, start: int, step: int) -> None:
    """Run the loop up to the step, and see whether it goes the way it went before."""
    try:
        made = loop.run()
    except LossNotFinite as error:
        made = error.history
    if made.stopped_because.startswith("interrupted"):
        raise KeyboardInterrupt
    if made.losses.tolist() != history.losses[start:step].tolist():
        raise InvalidData(
            f"Step {step} cannot be made again: on the way from step {start} the losses are not "
            "those that were recorded. The training data were changed since, or a layer, loss or "
            "augmentation of your own computes something else now. Train again to look into it."
        )


def _recorded_rates(
    recording: Recording, history: History, snapshot: Snapshot, schedule: Schedule
) -> Schedule:
    rates = history.learning_rates[snapshot.step :].tolist()
    if type(schedule).observe is Schedule.observe:
        return _RecordedRates(schedule, rates)
    column = "loss" if recording.validation is None else "validation_loss"
    rows = (len(recording.begun.norms) + snapshot.step) // recording.per_epoch
    return _ObservingRates(schedule, rates, history.epochs[column][rows:])


class _RecordedRates(Schedule, register=False):
    """The learning rates of a training that is made again."""

    def __init__(self, schedule: Schedule, rates: Iterable[float]) -> None:
        self.schedule = schedule
        self.rates = iter(rates)

    def rate(self, epoch: float, state: dict[str, float]) -> float:
        return next(self.rates)


class _ObservingRates(_RecordedRates, register=False):
    """Those of a schedule that learns from losses, which it is told again."""

    def __init__(self, schedule: Schedule, rates: Iterable[float], losses: Iterable[float]) -> None:
        super().__init__(schedule, rates)
        self.losses = iter(losses)

    def observe(self, loss: float, state: dict[str, float]) -> None:
        recorded = next(self.losses, None)
        if recorded is not None:  # nothing was measured where training ended before
            self.schedule.observe(recorded, state)

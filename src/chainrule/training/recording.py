"""What a history needs to go back to any step of its training: snapshots, the data, the network."""

from __future__ import annotations

import importlib
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from chainrule.errors import InvalidSetting
from chainrule.training.settings import Settings
from chainrule.training.snapshots import Snapshot, Snapshots

if TYPE_CHECKING:
    from chainrule.training.history import History
    from chainrule.training.why import Why


class Recording:
    """Made by the loop, which takes the snapshots.

    Parameters
    ----------
    loop : TrainingLoop
    settings : Settings
        Those of its network as it begins.

    Attributes
    ----------
    network, samples, validation, plan
        Those of the loop. The data are the very arrays that it trains on.
    begin : type
        Makes another such loop.
    threads : int or None
        How many threads the engine was allowed.
    per_epoch : int
    snapshots : Snapshots
    """

    def __init__(self, loop: Any, settings: Settings) -> None:
        self.network = loop.network
        self.samples, self.validation = loop.samples, loop.validation
        self.plan = replace(loop.plan, past=None, kept=())  # the past stands in the history
        self.begin = type(loop)
        self.engine = loop.network.engine
        self.threads = self.engine.threads
        self.per_epoch = loop.batches.per_epoch
        self.begun = loop.plan.begun
        self.settings = settings
        self._before: Snapshot | None = None

    def start(self, loop: Any) -> None:
        """Take the first snapshot, of where the first step begins."""
        start = Snapshot(loop).fill(loop, self.settings)
        self.snapshots = Snapshots(start, loop.batches.batch_size, from_start_only=loop.full_batch)

    def end(self) -> None:
        """Let go of what only the training itself needs."""
        self._before = None

    def take(self, loop: Any, *, needed: bool) -> None:
        """Take a snapshot of this moment."""
        self.snapshots.take(loop, self.settings, needed=needed)

    def look(self, loop: Any) -> None:
        """Remember this moment, for ``changed``."""
        if self._before is None:
            self._before = Snapshot(loop)
        self._before.fill(loop, self.settings)

    def changed(self, loop: Any) -> tuple[bool, bool]:
        """Compare with what ``look`` saw.

        Returns
        -------
        settings, numbers : bool
            Whether the network was set to something else; and whether its parameters, statistics
            or training state have other bits.

        Raises
        ------
        InvalidSetting
            When something was changed that a training holds on to.
        """
        assert self._before is not None  # noqa: S101  # look comes first
        others = False
        if self.settings.may_have_changed(self.network):
            now = Settings.of(self.network, self.plan.augment)
            others = not now.are_those_of(self.settings)
            for name in ("optimizer", "seed"):
                if getattr(now, name) != getattr(self.settings, name):
                    _refuse(name)
            self.settings = now
        if self.network.engine is not self.engine:
            _refuse("engine")
        return others, not self._before.is_still(loop)

    # --- what loads on use: most trainings never go back --------------------------------------

    def at(self, history: Any, step: Any) -> Any:
        """See ``History.at``."""
        return _file("rewinding").network_at(self, history, step)

    def branch(self, history: Any, step: Any, epochs: Any, changes: dict[str, Any]) -> History:
        """See ``History.branch``."""
        return _file("branching").branch(self, history, step, epochs, changes)

    def why(self, history: Any, step: Any) -> Why:
        """See ``History.why``."""
        return _file("update").why(self, history, step)


def _file(name: str) -> Any:
    return importlib.import_module(f"chainrule.training.{name}")


def _refuse(name: str) -> None:
    raise InvalidSetting(
        f"A callback set the network's {name} in the middle of a training, which holds on to the "
        f"one it began with. End it with history.stop(...), set {name}, and call fit again; what "
        "the optimizer and the layers are set to (learning_rate, ...) may be changed at any time."
    )

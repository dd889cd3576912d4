"""The state of a training at some of its steps, from which any other step can be made again."""

from __future__ import annotations

import math
from array import array
from bisect import bisect_right
from typing import Any

import numpy as np

from chainrule.errors import InvalidSetting
from chainrule.layer import Array
from chainrule.training.settings import Settings

MOST = 32
MOST_BYTES = 64 * 2**20
FIRST_SPACING = 16
LARGE = 2**15  # bytes from which on copying them takes as long as a step
SAMPLES_BETWEEN_LARGE = 10_000


class Snapshot:
    """Everything that training changes, at one moment.

    Parameters
    ----------
    loop : TrainingLoop
        For which there shall be room.

    Attributes
    ----------
    settings : Settings
        What the network is set to from here on.
    step : int
        Iterations of this training made before.
    batches, loss : int, float
        Batches made of the epoch under way (0 between two epochs), and their part of its loss.
    engine : str
        What makes the next steps: "reference" or "compiled".
    needed : bool
        Whether something happened here that no replay would do: a callback changed the network.
    """

    def __init__(self, loop: Any) -> None:
        self.storage: Array = np.empty_like(loop.storage)
        vectors = loop.state.optimizer.vectors
        self.vectors = {name: np.empty_like(vector) for name, vector in vectors.items()}

    def fill(self, loop: Any, settings: Settings, needed: bool = False) -> Snapshot:
        """Take this moment, in the memory that is there."""
        state = loop.state
        np.copyto(self.storage, loop.storage)
        for name, vector in self.vectors.items():
            np.copyto(vector, state.optimizer.vectors[name])
        self.step: int = loop.history.iterations
        self.counts = self._counts(state)
        self.schedule = dict(state.schedule)
        self.batches: int = loop.batches_done
        self.loss: float = loop.epoch_loss
        self.engine: str = loop.engine
        self.settings = settings
        self.needed = needed
        return self

    @staticmethod
    def _counts(state: Any) -> tuple[int, int, int]:
        return state.epoch, state.step, state.optimizer.step

    def is_still(self, loop: Any) -> bool:
        """Whether parameters, statistics and the state of the training have the same bits."""
        state = loop.state
        return (
            self.counts == self._counts(state)
            and self.schedule == state.schedule
            and _same_bits(self.storage, loop.storage)
            and all(
                _same_bits(v, state.optimizer.vectors[name]) for name, v in self.vectors.items()
            )
        )

    def put_back(self, network: Any) -> None:
        """Give a network of the same shape and optimizer this state."""
        state = network.training_state
        network.parameter_vector.storage[...] = self.storage
        for name, vector in self.vectors.items():
            state.optimizer.vectors[name][...] = vector
        state.epoch, state.step, state.optimizer.step = self.counts
        state.schedule = dict(self.schedule)

    @property
    def bytes(self) -> int:
        """Memory of its arrays."""
        return self.storage.nbytes + sum(vector.nbytes for vector in self.vectors.values())


class Snapshots:
    """What a history keeps for ``history.at``: at most 32 snapshots and at most 64 MB.

    The first one is the start of the training; it is always kept, however large. A snapshot
    follows every 16 iterations; where one is larger than 32 KB, after 10,000 samples at least: so
    they cost about one hundredth of the training. When there is no more room every other one is
    dropped and the spacing doubles, so that they stay spread over the whole training. The compiled
    engine makes many steps at a time, and snapshots are taken between these.

    Parameters
    ----------
    start : Snapshot
    batch_size : int
    from_start_only : bool
        Whether this training can be made again from nowhere else: that of L-BFGS.
    """

    def __init__(self, start: Snapshot, batch_size: int, *, from_start_only: bool) -> None:
        self._taken = [start]
        self._spare: list[Snapshot] = []
        self._most = min(MOST, max(1, MOST_BYTES // max(start.bytes, 1)))
        self._changes = array("q")  # steps after which something changed the network
        self._from_start_only = from_start_only
        self._regular = not from_start_only and self._most > 1
        self.spacing = FIRST_SPACING
        if start.bytes > LARGE:
            self.spacing = max(FIRST_SPACING, -(-SAMPLES_BETWEEN_LARGE // batch_size))
        self.next: float = start.step + self.spacing if self._regular else math.inf

    @property
    def steps(self) -> list[int]:
        """The iterations that they stand at."""
        return [snapshot.step for snapshot in self._taken]

    @property
    def bytes(self) -> int:
        """Memory that they take."""
        return sum(snapshot.bytes for snapshot in self._taken + self._spare)

    def __len__(self) -> int:
        return len(self._taken)

    def __repr__(self) -> str:
        shown = ", ".join(map(str, self.steps))
        if len(self) > 6:
            shown = ", ".join(map(str, [*self.steps[:3], "...", *self.steps[-2:]]))
        return f"Snapshots({len(self)} of at most {self._most}, at {shown}; {self.bytes:,} bytes)"

    def take(self, loop: Any, settings: Settings, *, needed: bool = False) -> None:
        """Take one of this moment.

        Parameters
        ----------
        loop : TrainingLoop
        settings : Settings
        needed : bool
            Whether no replay from an earlier one could come here.
        """
        step = loop.history.iterations
        if needed:
            self._changes.append(step)
        if self._taken[-1].step != step:
            self._make_room_for(loop, settings, needed)
        elif needed:
            self._taken[-1].fill(loop, settings, needed)
        self.next = step + self.spacing if self._regular else math.inf

    def _make_room_for(self, loop: Any, settings: Settings, needed: bool) -> None:
        if self._most == 1:
            return  # there is room for the start alone
        if len(self._taken) == self._most:
            self._thin()
        taken = self._spare.pop() if self._spare else Snapshot(loop)
        taken.fill(loop, settings, needed)
        self._taken.append(taken)

    def _thin(self) -> None:
        """Drop every other one, those that are needed only where there are no others."""
        later = self._taken[1:]
        regular = [snapshot for snapshot in later if not snapshot.needed]
        if regular:
            self.spacing *= 2
        dropped = (regular or later)[::2]
        self._taken = [snapshot for snapshot in self._taken if snapshot not in dropped]
        self._spare += dropped

    def before(self, step: int) -> Snapshot:
        """Return the last one from which that step can be made again.

        Raises
        ------
        InvalidSetting
            When something changed the network in between, and no snapshot was kept from there.
        """
        allowed = [s for s in self._taken if s.step <= step]
        if self._from_start_only:
            allowed = [s for s in allowed if s.step in (0, step)]
        if not allowed:
            raise InvalidSetting(
                f"Step {step} cannot be made again: this training went on from a checkpoint at "
                f"step {self._taken[0].step}, and what came before left no snapshot. Resume from "
                "an earlier checkpoint."
            )
        found = allowed[-1]
        changes = self._changes[bisect_right(self._changes, found.step) :]
        if not changes or changes[0] > step:
            return found
        later = [str(s.step) for s in self._taken if s.step > step][:1]
        raise InvalidSetting(
            f"Step {step} cannot be made again: after step {changes[0]} a callback changed the "
            f"network, and the snapshot from there is not among the {len(self)} that are kept. "
            f"The nearest steps that can: {' and '.join([str(changes[0] - 1), *later])}."
        )


def _same_bits(first: Array, second: Array) -> bool:
    return first.tobytes() == second.tobytes()

"""A network as a list of kernels: which ones, in what order, on which numbers.

The plan is drawn up in Python, once, by going through the layers as the reference engine does.
Each layer has a *twin* that says which kernels compute it, and where its numbers stand. What comes
out is a table of whole numbers, which ``loop.py`` works through without Python.

The work of a step is cut into phases. In a phase of ``ROWS`` every thread takes blocks of samples
through all kernels of the phase; in one of ``PARTS`` it takes parts of a vector (a piece of the
gradient, say). Where a phase ends all threads wait for each other, so that what the next one reads
is there.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from chainrule.engines.compiled.kernel import (
    ADDRESS,
    FIRST_SETTING,
    OP_LENGTH,
    OWNER,
    PART,
    TOTAL,
    Kernel,
    as_setting,
)
from chainrule.layer import Array, Shape
from chainrule.parameters import ParameterVector

ROWS, PARTS, CHECK, CLIP, PYTHON = range(5)  # kinds of phases

_LINE = 16  # numbers in one or two lines of the cache


@dataclass(eq=False)
class Buffer:
    """Room for one array of intermediate numbers, (rows, *shape).

    Attributes
    ----------
    shape : tuple of int
        Of one sample.
    start : int
        Where it begins, in numbers for each row of the arena.
    spare : bool
        Whether nobody but the layer that is given it will read it, so that it may be overwritten.
    """

    shape: Shape
    start: int
    spare: bool = False

    @property
    def size(self) -> int:
        """Numbers for each sample."""
        return math.prod(self.shape)

    def shaped(self, shape: Shape) -> Buffer:
        """Return the same room, its rows seen in another shape."""
        return Buffer(shape, self.start, self.spare)

    def kept(self, spare: bool = False) -> Buffer:
        """Return the same room, not to be overwritten; or with ``spare``, to be."""
        return Buffer(self.shape, self.start, spare)


@dataclass
class Op:
    """One kernel at work: its settings, with buffers still to be placed."""

    kernel: Kernel
    owner: int
    settings: tuple[Any, ...]
    total: int = 0
    part: int = 0


@dataclass
class Phase:
    """Ops between two places where threads wait for each other."""

    kind: int
    ops: list[Op] = field(default_factory=list)
    python: Callable[..., None] | None = None


class NoTwin(Exception):
    """Raised where a layer, a loss or an optimizer has no compiled form."""


class Plan:
    """A list of phases in the making.

    Parameters
    ----------
    parameters : ParameterVector
    training : bool
        Whether it is for training: dropout drops, batch normalization uses the batch's mean.
    wide : bool
        Whether buffers hold the whole batch at once, instead of a block of samples. Then gradients
        of dense layers are computed part by part for the whole batch (``deferred``).
    traced : bool
        Whether every value has a buffer of its own, so that all can be looked at afterwards.
    batch : int, default 0
        Samples in a full batch, where that is known.
    """

    def __init__(
        self,
        parameters: ParameterVector,
        *,
        training: bool,
        wide: bool,
        traced: bool = False,
        batch: int = 0,
    ) -> None:
        self.parameters = parameters
        self.dtype = parameters.storage.dtype
        self.training = training
        self.wide = wide
        self.traced = traced
        self.batch = batch
        self.owner = 0
        self.phases = [Phase(ROWS)]
        self.deferred: list[Op] = []
        self.accepted: list[Op] = []
        self.python_afterwards: list[Callable[..., None]] = []
        self.samples: Buffer | None = None  # where the samples stand before the first layer
        self.size = 0  # numbers of the arena for each row
        self.scratch = 0
        self.shard_room = 0
        self.kept: list[Array] = []
        self.partials = 1  # float64 numbers for each shard; the first is the loss
        self.needs_wide = False
        self.work = 0  # multiplications for each sample, about
        self.summed: set[int] = set()  # slots whose gradient is a sum over shards
        self._free: dict[Buffer, int] = {}  # and the phase in which it was given back
        self._written: set[int] = set()

    # --- room -------------------------------------------------------------------------------

    def buffer(self, shape: Shape) -> Buffer:
        """Room for numbers of that shape for each sample."""
        size = math.prod(shape)
        fitting = [
            buffer
            for buffer, phase in self._free.items()
            # In a wide plan the rows of a smaller array would lie over other rows of the larger
            # one, which another thread may still need in the phase that it was given back in.
            if buffer.size == size
            or (buffer.size > size and not (self.wide and phase == len(self.phases)))
        ]
        if fitting:
            best = min(fitting, key=lambda buffer: buffer.size)
            del self._free[best]
            return best.shaped(shape).kept()
        # In the cache, arrays begin on a line of it; over a whole batch that would cost memory.
        room = size if self.wide else -(-size // _LINE) * _LINE
        self.size += room
        return Buffer(shape, self.size - room)

    def release(self, buffer: Buffer) -> None:
        """Give room back: what stands there will not be read any more."""
        if not self.traced:
            self._free[buffer] = len(self.phases)

    def need_scratch(self, count: int) -> None:
        """Make sure that each thread has working memory for so many numbers."""
        self.scratch = max(self.scratch, count)

    def keep(self, array: Array) -> None:
        """Keep an array alive whose address stands in some kernel's settings."""
        self.kept.append(array)

    def need_shard_room(self, count: int) -> int:
        """Memory of each thread that lasts while it goes through the blocks of one shard.

        Returns where it begins, from ``context[SHARD_ROOM]`` on. What stands there in a shard's
        first block (``context[BEGINS]``) was left by another shard, or in another step.
        """
        self.shard_room += count
        return self.shard_room - count

    def partial(self, count: int) -> int:
        """Room for ``count`` float64 sums in each shard; returns where they begin."""
        self.partials += count
        return self.partials - count

    # --- parameters -------------------------------------------------------------------------

    def parameter(self, path: tuple[int, ...], name: str) -> int:
        """Where a parameter or statistic of the layer at ``path`` begins; -1: there is none."""
        for use in self.parameters.uses:
            if use.path == path and self.parameters.slots[use.slot].name == name:
                return self.parameters.slots[use.slot].start
        for slot in self.parameters.statistics:
            if slot.name == name and slot.path == path:
                return slot.start
        return -1

    def sums_gradient(self, start: int) -> None:
        """Say that kernels add to the gradient of the parameter at ``start``, shard by shard."""
        self.summed.update(
            index for index, slot in enumerate(self.parameters.slots) if slot.start == start
        )

    def writes_gradient(self, start: int) -> bool:
        """Whether this is the first kernel that computes the whole gradient there, so that it
        writes; later ones, of a layer used twice, add.
        """
        first = start not in self._written
        self._written.add(start)
        return first

    # --- kernels ----------------------------------------------------------------------------

    def rows(self, kernel: Kernel, *settings: Any) -> None:
        """Take every block of samples through a kernel next."""
        if self.phases[-1].kind != ROWS:
            self.phases.append(Phase(ROWS))
        self.phases[-1].ops.append(Op(kernel, self.owner, settings))

    def parts(self, kernel: Kernel, total: int, part: int, *settings: Any) -> None:
        """Go through a vector of length ``total`` in parts next."""
        if self.phases[-1].kind != PARTS:
            self.phases.append(Phase(PARTS))
        self.phases[-1].ops.append(Op(kernel, self.owner, settings, total, part))

    def defer(self, kernel: Kernel, total: int, part: int, *settings: Any) -> None:
        """The same, but after the whole way back."""
        self.deferred.append(Op(kernel, self.owner, settings, total, part))

    def once_accepted(self, kernel: Kernel, *settings: Any) -> None:
        """Run a kernel once per step, by one thread, after the loss was found to be finite.

        That is the place to count running statistics: a step that is refused must not count.
        """
        self.accepted.append(Op(kernel, self.owner, settings, total=1, part=1))

    def python_accepted(self, function: Callable[..., None]) -> None:
        """Let Python do something once a step is accepted: see ``once_accepted``."""
        self.python_afterwards.append(function)
        self.needs_wide = True

    def barrier(self, kind: int = ROWS) -> None:
        """Let all threads wait for each other before what comes next."""
        self.phases.append(Phase(kind))
        self.needs_wide = self.needs_wide or kind == ROWS

    def python(self, function: Callable[..., None]) -> None:
        """Let Python do something for the whole batch next."""
        self.phases.append(Phase(PYTHON, python=function))
        self.needs_wide = True

    # --- the table --------------------------------------------------------------------------

    def table(self, capacity: int) -> tuple[Array, Array]:
        """Write ops and phases as numbers, for an arena of ``capacity`` rows.

        Returns
        -------
        ops : ndarray (ops, OP_LENGTH)
        phases : ndarray (phases, 3)
            Kind, first op, and the op after the last one.
        """
        count = sum(len(phase.ops) for phase in self.phases)
        ops = np.zeros((max(count, 1), OP_LENGTH), np.int64)
        phases = np.zeros((len(self.phases), 3), np.int64)
        row = 0
        for number, phase in enumerate(self.phases):
            phases[number] = phase.kind, row, row + len(phase.ops)
            for op in phase.ops:
                ops[row, ADDRESS] = op.kernel.address(self.dtype)
                ops[row, OWNER] = op.owner
                ops[row, TOTAL] = op.total
                ops[row, PART] = op.part
                settings = [_as_whole(setting, capacity) for setting in op.settings]
                ops[row, FIRST_SETTING : FIRST_SETTING + len(settings)] = settings
                row += 1
        return ops, phases


def _as_whole(setting: Any, capacity: int) -> int:
    if isinstance(setting, Buffer):
        return setting.start * capacity
    return as_setting(setting) if isinstance(setting, float) else int(setting)

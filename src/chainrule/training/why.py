"""What one update of a training did, in words and numbers."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from chainrule.training.units import Units

_WIDTH = 79
_LARGE_UPDATE, _SMALL_UPDATE = 0.1, 1e-6  # of the weights' own length
_VANISHED, _EXPLODED = 1e-3, 1e3  # gradient of the first layer over that of the last
_STUCK = 0.5  # part of a layer's units from which on it is worth the last sentence


@dataclass(frozen=True)
class Move:
    """One number that an update changed.

    Attributes
    ----------
    name : str
        ``"layer 1 weights[0, 2]"``
    before, after, gradient : float
        The gradient is that of the batch, at ``before``, before any clipping.
    """

    name: str
    before: float
    after: float
    gradient: float

    @property
    def moved(self) -> float:
        """How far, and which way."""
        return self.after - self.before


@dataclass(frozen=True)
class LayerUpdate:
    """What an update did to the parameters of one layer.

    Attributes
    ----------
    name : str
        ``"layer 1 Dense"``
    gradient : float
        Length of the gradient of its parameters.
    update : float
        Length of the update over the length of the parameters before it; infinite where these
        were all zero.
    """

    name: str
    gradient: float
    update: float


@dataclass(frozen=True)
class Why:
    """What one update did; ``print`` shows it.

    Attributes
    ----------
    step, epoch, batch, batches : int
        Number of the update in this training from 0; the epoch and the batch in it, from 1.
    optimizer : str
    learning_rate : float
    samples : int
        In the batch.
    loss_before, loss_after : float
        On that batch, with the same dropout masks.
    moves : list of Move
        The numbers that moved most, first the one that moved farthest.
    layers : list of LayerUpdate
        Those with parameters, from last to first.
    units : list of Units
        How many units are dead or saturated, for each layer that can have such.
    """

    step: int
    epoch: int
    batch: int
    batches: int
    optimizer: str
    learning_rate: float
    samples: int
    loss_before: float
    loss_after: float
    moves: list[Move]
    layers: list[LayerUpdate]
    units: list[Units]

    @property
    def conclusion(self) -> str:
        """One sentence: what this update did, and what stands out most."""
        remark = self._remark()
        return f"The update {self._what_the_loss_did()}{f'; {remark}' if remark else ''}."

    def _what_the_loss_did(self) -> str:
        before, after = self.loss_before, self.loss_after
        if not np.isfinite(after):
            return "made the loss infinite: the step was far too large"
        if after == before:
            return "left the loss of its own batch as it was"
        part = f" by {_percent(abs(after - before) / abs(before))}" if before else ""
        if after < before:
            return f"lowered the loss of its own batch{part}"
        return f"raised the loss of its own batch{part}: the step went too far"

    def _remark(self) -> str:
        """Tell the one thing that most needs to be known, if anything does."""
        large = [layer for layer in self.layers if layer.update > _LARGE_UPDATE]
        hidden = [units for units in self.units if not units.are_outputs]
        stuck = [u for u in hidden if len(u.dead) + len(u.saturated) >= _STUCK * u.count]
        if not self.layers:
            return "there are no parameters"
        if all(layer.gradient == 0 for layer in self.layers):
            return "the gradient is zero"
        if large:
            most = max(large, key=lambda layer: layer.update)
            return f"it changed {most.name} by {_percent(most.update)} of its length, which is much"
        if stuck:
            return f"in {stuck[0].name} {stuck[0]}"
        change = self.layers[-1].gradient / (self.layers[0].gradient or np.inf)
        if len(self.layers) > 1 and change < _VANISHED:
            return f"the gradient shrinks to {change:.1g} of its length on the way to the inputs"
        if len(self.layers) > 1 and change > _EXPLODED:
            return f"the gradient grows {change:.1g} times on the way to the inputs"
        if all(layer.update < _SMALL_UPDATE for layer in self.layers):
            return "it hardly moved anything: the learning rate may be too small"
        return ""

    def __str__(self) -> str:
        return "\n".join(self._lines())

    def _lines(self) -> Iterator[str]:
        yield from textwrap.wrap(
            f"Update {self.step} (epoch {self.epoch}, batch {self.batch} of {self.batches}): "
            f"{self.optimizer}, learning rate {self.learning_rate:.4g}",
            _WIDTH,
        )
        count = f"{self.samples} sample{'s' if self.samples > 1 else ''}"
        yield ""
        yield f"Loss of these {count}: {self.loss_before:.6g} -> {self.loss_after:.6g}"
        if self.moves:
            yield ""
            yield from _table(
                ("What moved most", "from", "to", "by", "gradient"),
                [
                    (
                        m.name,
                        f"{m.before:.6g}",
                        f"{m.after:.6g}",
                        f"{m.moved:.3g}",
                        f"{m.gradient:.3g}",
                    )
                    for m in self.moves
                ],
            )
        if self.layers:
            yield ""
            yield from _table(
                ("From last to first", "gradient", "change", "update/weights"), self._layer_rows()
            )
        if self.units:
            yield ""
            width = max(len(units.name) for units in self.units)
            yield "Units without a slope to learn by"
            yield from (f"{units.name:{width}}  {units}" for units in self.units)
        yield ""
        yield from textwrap.wrap(self.conclusion, _WIDTH)

    def _layer_rows(self) -> list[tuple[str, ...]]:
        rows: list[tuple[str, ...]] = []
        last = 0.0
        for layer in self.layers:
            change = f"x {layer.gradient / last:.3g}" if last else ""
            rows.append((layer.name, f"{layer.gradient:.4g}", change, _percent(layer.update)))
            last = layer.gradient
        return rows

    __repr__ = __str__


def _percent(part: float) -> str:
    return f"{100 * part:.3g} %"


def _table(head: tuple[str, ...], rows: list[tuple[str, ...]]) -> Iterator[str]:
    """Lay out rows under a head: the first column to the left, numbers to the right."""
    widths = [max(len(row[place]) for row in (head, *rows)) for place in range(len(head))]
    for row in (head, *rows):
        first = row[0].ljust(widths[0])
        others = (text.rjust(width) for text, width in zip(row[1:], widths[1:], strict=True))
        yield "  ".join((first, *others)).rstrip()

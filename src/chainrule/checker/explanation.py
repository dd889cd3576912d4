"""What explains a training step: each parameter's update as a gradient, and the mistakes in it."""

from __future__ import annotations

from dataclasses import dataclass

from chainrule.checker.slips import Delta, Slip
from chainrule.layer import Array


@dataclass(frozen=True, eq=False)
class Fit:
    """One parameter's update as -scale times a gradient."""

    layer: int
    kind: str  # "weights" or "bias"
    scale: float
    gradient: Array
    slips: tuple[Slip, ...]
    pull: float = 0.0
    momentum: float = 0.0


@dataclass(frozen=True, eq=False)
class Explanation:
    """A step that gives the learner's numbers.

    Attributes
    ----------
    slips : tuple of Slip
        The mistakes in it, none where it is right.
    loss : str
        Whose gradient it is.
    scale : float
        Learning rate times the scale of the loss.
    deltas : tuple of Delta
        The first layer's first.
    fits : tuple of Fit
    extra : str
        "momentum" or "regularisation", where those are part of the update.
    """

    slips: tuple[Slip, ...]
    loss: str
    scale: float
    deltas: tuple[Delta, ...]
    fits: tuple[Fit, ...]
    extra: str = ""

    @property
    def cost(self) -> int:
        """How many different mistakes it takes; one without a name is worth several."""
        different = {(slip.cause, slip.layer, slip.detail): slip for slip in self.slips}
        return sum(price(slip) for slip in different.values())


@dataclass(frozen=True, eq=False)
class Piled:
    """What earlier steps may have left in this one's gradients, by layer.

    Attributes
    ----------
    deltas : tuple of Delta
        The δ of the step before.
    gradients : tuple of ndarray
        The sum of the gradients of all earlier steps; empty where they are not known.
    """

    deltas: tuple[Delta, ...]
    gradients: tuple[Array, ...]


def price(slip: Slip) -> int:
    """What a mistake costs an explanation; one without a name costs more than a few named ones."""
    return {"bias_unexplained": 3, "unexplained": 9}.get(slip.cause, 1)


def slips_in(first: Delta, fits: tuple[Fit, ...]) -> tuple[Slip, ...]:
    """The mistakes of a whole step; the first layer's delta carries those of all later deltas."""
    gathered: list[Slip] = list(first.slips)
    for fit in fits:
        gathered += fit.slips
    return tuple(gathered)

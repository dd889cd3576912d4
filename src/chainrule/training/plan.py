"""What a training is asked to do."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from chainrule.layer import Array
from chainrule.metrics import Metric
from chainrule.schedules import Schedule
from chainrule.training.callbacks import Callback
from chainrule.training.history import Past
from chainrule.training.progress import Progress
from chainrule.training.state import NOTHING_BEGUN, Begun

if TYPE_CHECKING:
    from chainrule.data.augmentation import Augmentation


@dataclass
class Plan:
    """What ``fit`` was asked to do, checked.

    Attributes
    ----------
    begun : Begun
        The part that has been made already of the epoch to begin with, which counts as one.
    steps : int, optional
        For making steps again: so many, and nothing else: no record and no look at what follows.
    schedule : Schedule, optional
        The learning rates, in place of the optimizer's.
    order : callable, optional
        Gives the order of the samples in each epoch, asked for once as it begins, in place of
        the one that follows from the network's seed: ``order(epoch)`` -> int64 (samples,).
    penalties_for : float, optional
        How much the samples of a batch weigh together for which the network's penalties are
        stated. Then the penalties are shared by all samples: a batch of half the weight has
        penalties twice as large. Without it they are the same for every batch.
    past : Past, optional
        Of a training that goes on from a checkpoint; ``epochs`` counts those that it had made.
    kept : sequence of dict
        Then, what the checkpoint holds of each callback.
    """

    epochs: int
    batch_size: int | None
    shuffle: bool
    augment: Sequence[Augmentation]
    metrics: Sequence[Metric]
    callbacks: list[Callback]
    progress: Progress
    begun: Begun = NOTHING_BEGUN
    steps: int | None = None
    schedule: Schedule | None = None
    order: Callable[[int], Array] | None = None
    penalties_for: float | None = None
    past: Past | None = None
    kept: Sequence[dict[str, Any]] = ()


def columns(plan: Plan, has_validation: bool) -> list[str]:
    """What the history of such a training holds for each epoch."""
    where = "validation" if has_validation else "training"
    found = ["loss", "learning_rate", "gradient_norm"]
    if has_validation:
        found.append("validation_loss")
    return found + [f"{where}_{metric.name}" for metric in plan.metrics]

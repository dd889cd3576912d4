"""The record of a training: every iteration and every epoch."""

from __future__ import annotations

import math
from array import array
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from chainrule import plots
from chainrule.checks import shown
from chainrule.errors import InvalidInput, InvalidSetting
from chainrule.layer import Array
from chainrule.training.recorded import Recorded
from chainrule.training.state import Begun

if TYPE_CHECKING:
    from matplotlib.axes import Axes


class Past(NamedTuple):
    """What a history held when a checkpoint was taken."""

    losses: Array
    learning_rates: Array
    gradient_norms: Array
    epochs: dict[str, list[Any]]
    stopped_because: str
    seconds: float
    settings: dict[str, Any]


class History(Recorded):
    """What happened while a network was trained.

    Attributes
    ----------
    losses, learning_rates, gradient_norms : ndarray (iterations,)
        For each iteration: the loss before its update, the learning rate of the update, and the
        length of the gradient before any clipping.
    epochs : dict of str to list
        For each finished epoch: ``"loss"`` (the mean over its batches; for losses that sum, the
        sum), ``"learning_rate"``, ``"gradient_norm"``, and, where asked for,
        ``"validation_loss"`` and each metric.
    stopped_because : str
        Empty while training runs.
    seconds : float
        Time the training took.
    settings : dict
        What it was trained with: engine, seed, batch size, number of samples, ...
    first_step : int
        Iterations that the network had made before this training.

    Notes
    -----
    A training can be gone back into: ``at``, ``branch`` and ``why``. For that its history keeps
    the network, the training data (not a copy of them) and ``snapshots``, at most 32 and at most
    64 MB; ``forget`` lets go of them. They stay behind when a history is copied or pickled.

    Examples
    --------
    ``history["validation_loss"]`` is the column of that name as an array.
    """

    def __init__(
        self,
        columns: list[str],
        settings: dict[str, Any],
        *,
        first_step: int = 0,
        norms_before: Sequence[float] = (),
    ) -> None:
        self._losses, self._learning_rates, self._gradient_norms = (array("d") for _ in range(3))
        self.epochs: dict[str, list[Any]] = {column: [] for column in columns}
        self.settings = settings
        self.stopped_because = ""
        self.seconds = 0.0
        self.first_step = first_step
        self._norms_before = array("d", norms_before)

    def go_on_from(self, past: Past) -> None:
        """Begin with what was recorded before a checkpoint."""
        self.record_steps(past.losses, past.learning_rates, past.gradient_norms)
        for column, rows in past.epochs.items():
            self.epochs[column] += rows
        self.stopped_because, self.seconds = past.stopped_because, past.seconds
        self.settings = dict(past.settings)  # callbacks may have changed what these are read from

    def record_step(self, loss: float, learning_rate: float, gradient_norm: float) -> None:
        """Add an iteration."""
        self._losses.append(loss)
        self._learning_rates.append(learning_rate)
        self._gradient_norms.append(gradient_norm)

    def record_steps(self, losses: Array, learning_rates: Array, gradient_norms: Array) -> None:
        """Add several iterations at once."""
        self._losses.frombytes(losses.tobytes())
        self._learning_rates.frombytes(learning_rates.tobytes())
        self._gradient_norms.frombytes(gradient_norms.tobytes())

    def record_epochs_of_one_step(self, count: int) -> None:
        """Add an epoch for each of the latest ``count`` iterations."""
        self.epochs["loss"] += self._losses[-count:]
        self.epochs["learning_rate"] += self._learning_rates[-count:]
        self.epochs["gradient_norm"] += self._gradient_norms[-count:]

    def record_epoch(self, loss: float, steps: int, scores: dict[str, Any]) -> None:
        """Add an epoch: its loss, the number of its iterations, and what else was measured."""
        self.epochs["loss"].append(loss)
        self.epochs["learning_rate"].append(self._learning_rates[-1])
        if steps == 1:
            mean_norm = self._gradient_norms[-1]
        else:
            mean_norm = sum(self._latest_norms(steps, self.iterations)) / steps
        self.epochs["gradient_norm"].append(mean_norm)
        for column, value in scores.items():
            self.epochs[column].append(value)

    def stop(self, reason: str) -> None:
        """End the training after the present step; for callbacks."""
        if not isinstance(reason, str) or not reason:
            raise InvalidSetting(
                f"history.stop received {shown(reason)}; expected the reason in words, as "
                'history.stop("good enough").'
            )
        self.stopped_because = reason

    @property
    def losses(self) -> Array:
        """The loss of each iteration, before its update."""
        return np.array(self._losses)

    @property
    def learning_rates(self) -> Array:
        """The learning rate of each iteration."""
        return np.array(self._learning_rates)

    @property
    def gradient_norms(self) -> Array:
        """The length of the gradient in each iteration, before any clipping."""
        return np.array(self._gradient_norms)

    @property
    def iterations(self) -> int:
        """Number of iterations made."""
        return len(self._losses)

    @property
    def last_loss(self) -> float:
        """The loss of the latest iteration, NaN before the first."""
        return self._losses[-1] if self._losses else math.nan

    @property
    def last_rate(self) -> float:
        """The learning rate of the latest iteration, NaN before the first."""
        return self._learning_rates[-1] if self._learning_rates else math.nan

    def begun(self, step: int, batches: int, loss: float) -> Begun:
        """Say what was made of an epoch that was under way at that step."""
        return Begun(batches, loss, self._latest_norms(batches, step))

    def _latest_norms(self, count: int, step: int) -> array[float]:
        """Gradient norms of the last steps before one; also those of before this history."""
        norms = self._gradient_norms[max(step - count, 0) : step]
        return norms if len(norms) == count else self._norms_before[len(norms) - count :] + norms

    def __getitem__(self, column: str) -> Array:
        try:
            return np.array(self.epochs[column])
        except (KeyError, TypeError):
            raise InvalidInput(
                f"The history has no column {column!r}; it has {', '.join(self.epochs)}. Metrics "
                "appear when fit is given metrics=[...], validation columns with validation=..."
            ) from None

    def to_dict(self) -> dict[str, Any]:
        """Everything as plain lists and numbers, ready for JSON."""
        return {
            "losses": self._losses.tolist(),
            "learning_rates": self._learning_rates.tolist(),
            "gradient_norms": self._gradient_norms.tolist(),
            "epochs": self.epochs,
            "stopped_because": self.stopped_because,
            "seconds": self.seconds,
            "settings": self.settings,
        }

    def plot(self, axes: Axes | None = None, *, branches: Sequence[History] = ()) -> Axes:
        """Draw the loss graph, with the validation loss where there is one.

        A loss that sums (``sum_of_squares``) grows with the number of samples it is taken over:
        its curves over batches and over validation samples have different scales.

        Parameters
        ----------
        axes : matplotlib Axes, optional
        branches : sequence of History, optional
            What ``branch`` returned: drawn from where each left.
        """
        return plots.loss_graph(
            self.losses,
            validation_losses=self.epochs.get("validation_loss"),
            steps_per_epoch=self.settings["batches_per_epoch"],
            branches=[self._drawn(branch) for branch in branches],
            axes=axes,
        )

    def _drawn(self, branch: Any) -> tuple[str, int, Array]:
        """Name of a branch, where it left, and its losses."""
        if not isinstance(branch, History):
            raise InvalidSetting(
                f"branches holds {shown(branch)}; expected what history.branch(...) returned."
            )
        left = branch.first_step - self.first_step
        changes = ", ".join(branch.settings.get("changes", []))
        return f"From {left}: {changes or 'as before'}", left, branch.losses

    def __repr__(self) -> str:
        count = len(self.epochs["loss"])
        if not self.iterations:
            return "History(no iterations yet)"
        return (
            f"History({self.iterations} iterations, {count} epochs, loss {self._losses[0]:.4g} -> "
            f"{self._losses[-1]:.4g}, {self.stopped_because or 'running'})"
        )

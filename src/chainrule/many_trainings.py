"""What the same training from many starts has led to."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from chainrule import checks, plots
from chainrule.errors import InvalidSetting
from chainrule.layer import Array
from chainrule.network import NeuralNetwork

if TYPE_CHECKING:
    from matplotlib.axes import Axes


class ManyTrainings:
    """What ``train_many`` returns: every network's losses and its parameters.

    Attributes
    ----------
    losses : ndarray (networks, iterations)
        The loss of each iteration, before its update; NaN after numbers stopped being finite.
    parameters : ndarray (networks, count)
        After training: rows to put into a network of the same shape.
    seeds : ndarray of int (networks,)
    learning_rates : ndarray (networks,) or None
        Where they were given.
    failures : dict of int to str
        Why a training stopped early, by the number of its network.
    seconds : float
    engine : str
        "reference" or "compiled".
    stopped_because : str
        Empty where all were trained.
    """

    def __init__(self, template: NeuralNetwork, count: int, iterations: int) -> None:
        self._template = template
        self.losses = np.full((count, iterations), np.nan)
        self.parameters = np.zeros((count, len(template.parameter_vector.storage)), template.dtype)
        self.seeds = np.full(count, template.seed)
        self.learning_rates: Array | None = None
        self.failures: dict[int, str] = {}
        self.seconds = 0.0
        self.engine = "reference"
        self.stopped_because = ""
        self.done = np.zeros(count, bool)

    def __len__(self) -> int:
        return len(self.losses)

    def network(self, number: int) -> NeuralNetwork:
        """Return one of the trained networks, ready to predict or to train on."""
        count = len(self)
        if not isinstance(number, int | np.integer) or not -count <= number < count:
            raise InvalidSetting(
                f"network received {checks.shown(number)}; expected a number from 0 to {count - 1}."
            )
        network = self._template.copy()
        network.seed = int(self.seeds[number])
        network.parameter_vector.storage[...] = self.parameters[number]
        return network

    def predict(self, x: Any) -> Array:
        """Predict with every network: (networks, batch, *output shape)."""
        network = self._template.copy()
        found = []
        for parameters in self.parameters:
            network.parameter_vector.storage[...] = parameters
            found.append(network.predict(x))
        return np.array(found)

    def plot(self, marked: Any = None, axes: Axes | None = None) -> Axes:
        """Draw all loss curves, and the median of them over them.

        Parameters
        ----------
        marked : sequence of bool (networks,), optional
            Which of them did not learn.
        axes : matplotlib Axes, optional
        """
        return plots.loss_curves(self.losses, marked=marked, axes=axes)

    def __repr__(self) -> str:
        last = self.losses[:, -1] if self.losses.size else np.array([math.nan])
        return (
            f"ManyTrainings({len(self)} networks, {self.losses.shape[1]} iterations, "
            f"median of the last losses {np.nanmedian(last):.4g})"
        )

    def keep(self, rows: Array) -> None:
        """Forget the networks that were not trained because training was interrupted."""
        numbers = np.flatnonzero(rows)
        self.failures = {
            new: self.failures[old]
            for new, old in enumerate(numbers.tolist())
            if old in self.failures
        }
        self.losses, self.parameters = self.losses[rows], self.parameters[rows]
        self.seeds, self.done = self.seeds[rows], self.done[rows]
        if self.learning_rates is not None:
            self.learning_rates = self.learning_rates[rows]

"""Backprop against finite differences: is the chain rule applied right?

The derivative is also, by its definition, what the loss does when one number moves a little::

    ∂L/∂w ≈ (L(w + h) - L(w - h)) / 2h

It is far too slow to train with (two passes for each weight) but knows nothing of backprop, so
where both agree, backprop is right.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from chainrule.layer import Array
from chainrule.randomness import generator

TOLERANCE = 1e-6
_STEP = 1e-5


@dataclass(frozen=True)
class Comparison:
    """Backprop beside finite differences for one array.

    Attributes
    ----------
    name : str
        ``"layer 1 weights"``, or ``"x"`` for the inputs.
    error : float
        Largest difference, relative to the largest derivative in the array.
    index : tuple of int
        Where it is.
    by_backprop, by_differences : float
        Both derivatives there.
    """

    name: str
    error: float
    index: tuple[int, ...]
    by_backprop: float
    by_differences: float


@dataclass(frozen=True)
class GradientCheck:
    """Result of ``net.check_gradients``.

    Attributes
    ----------
    comparisons : list of Comparison
        One for each parameter, and one for the inputs.
    """

    comparisons: list[Comparison]

    @property
    def worst(self) -> Comparison:
        """The array where both differ most."""
        return max(self.comparisons, key=lambda c: math.inf if math.isnan(c.error) else c.error)

    @property
    def passed(self) -> bool:
        """Whether the largest relative difference is below one in a million."""
        return self.worst.error < TOLERANCE

    def __bool__(self) -> bool:
        return self.passed

    def __repr__(self) -> str:
        width = max(len(comparison.name) for comparison in self.comparisons)
        lines = [
            f"  {c.name:<{width}}  relative difference {c.error:.1e}" for c in self.comparisons
        ]
        worst = self.worst
        verdict = (
            "backprop agrees with finite differences"
            if self.passed
            else f"backprop is wrong for {worst.name} at {list(worst.index)}: it gives "
            f"{worst.by_backprop:.6g}, finite differences give {worst.by_differences:.6g}"
        )
        return "\n".join([f"GradientCheck: {verdict}", *lines])


def check_gradients(
    network: Any, x: Any, y: Any, sample_weight: Any, at_most: int | None
) -> GradientCheck:
    """Compare every gradient of a float64 network, whose parameters are moved and put back.

    Parameters
    ----------
    network : NeuralNetwork
        In float64, built, and not needed by anyone else.
    x, y, sample_weight : array_like
    at_most : int or None
        Numbers to try in each array.
    """
    x = np.array(x, dtype=np.float64, order="C")  # so that reshape(-1) is a view of it
    trace = network.new_trace()

    def loss() -> float:
        network.feedforward(x, trace)
        return float(network.measure(y, trace, sample_weight))

    loss()
    found = network.backprop(y, trace, sample_weight).copy()
    d_x = trace.d_x
    comparisons = []
    for slot in network.parameter_vector.slots:
        values, gradient = slot.view(network.parameters), slot.view(found)
        random = generator(network.seed, "gradient check", slot.start)
        comparisons.append(_compare(slot.label, values, gradient, loss, random, at_most))
    if d_x is not None:
        random = generator(network.seed, "gradient check of x")
        comparisons.append(_compare("x", x, d_x.copy(), loss, random, at_most))
    return GradientCheck(comparisons)


def _compare(
    name: str,
    values: Array,
    gradient: Array,
    loss: Any,
    random: np.random.Generator,
    at_most: int | None,
) -> Comparison:
    """Move the numbers of one array, one by one, and see what the loss does."""
    places = np.arange(values.size)
    if at_most is not None and at_most < values.size:
        places = np.sort(random.choice(values.size, at_most, replace=False))
    differences = np.array([central_difference(values, int(p), loss) for p in places])
    chosen = gradient.ravel()[places]
    errors = np.abs(chosen - differences)
    scale = max(np.abs(differences).max(), np.abs(chosen).max(), 1e-4)
    worst = int(errors.argmax())
    return Comparison(
        name=name,
        error=float(errors[worst] / scale),
        index=tuple(int(i) for i in np.unravel_index(places[worst], values.shape)),
        by_backprop=float(chosen[worst]),
        by_differences=float(differences[worst]),
    )


def central_difference(values: Array, place: int, loss: Callable[[], float]) -> float:
    """(L(w + h) - L(w - h)) / 2h for the number at ``place`` of contiguous values; put back."""
    flat = values.reshape(-1)  # a view: parameters and x are contiguous
    start = flat[place]
    step = _STEP * max(1.0, abs(start))
    flat[place] = start + step
    above = loss()
    flat[place] = start - step
    below = loss()
    flat[place] = start
    return float((above - below) / (2 * step))

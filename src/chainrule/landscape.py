"""The loss landscape: how the loss rises and falls around the parameters of a network.

``loss_landscape`` measures it on a grid of points of one plane, and ``plots.loss_landscape`` (or
the result's ``plot``) draws what was measured. ``chainrule.plane`` says how the plane is chosen.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from chainrule import checks, plots
from chainrule.engines.choice import Compiled, reference_seconds
from chainrule.errors import InvalidData, NotBuilt
from chainrule.layer import Array
from chainrule.plane import Plane, choose_plane, sides
from chainrule.randomness import generator
from chainrule.samples import Samples, check_inputs, check_samples
from chainrule.training.progress import Progress, ProgressBar, check_progress
from chainrule.training_path import read_path

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_WORTH_A_BAR = 2.0  # seconds


@dataclass(frozen=True, eq=False)
class LossLandscape:
    """The loss on a grid of points θ(α, β) = θ₀ + α d₁ + β d₂.

    Attributes
    ----------
    losses : ndarray (points, points)
        ``losses[i, j]`` at α = ``alphas[j]`` and β = ``betas[i]``, penalties included. NaN where
        it is not finite.
    alphas, betas : ndarray (points,)
        Coordinates along d₁ and d₂.
    plane : Plane
        θ₀ (``plane.centre``, the network's parameters), d₁, d₂ (``plane.directions``) and how they
        were chosen (``plane.kind``).
    loss : float
        At θ₀.
    loss_name : str
    path : ndarray (moments, 2) or None
        The way that training took, projected on the plane.
    steps : ndarray of int (moments,) or None
        Iterations made at each moment of the path, where a history told them.
    shares : tuple of float or None
        Part of the path's variance along d₁, and along d₂, where they are its principal components.
    share : float or None
        Part of the path's variance that lies in the plane.
    samples, samples_of : int
        How many samples the loss is over, and how many there were.
    """

    losses: Array
    alphas: Array
    betas: Array
    plane: Plane
    loss: float
    loss_name: str
    path: Array | None
    steps: Array | None
    shares: tuple[float, float] | None
    share: float | None
    samples: int
    samples_of: int

    @property
    def lowest(self) -> tuple[float, float, float]:
        """The smallest loss on the grid and where it stands: (α, β, loss)."""
        row, column = np.unravel_index(np.nanargmin(self.losses), self.losses.shape)
        return (
            float(self.alphas[column]),
            float(self.betas[row]),
            float(self.losses[row, column]),
        )

    @property
    def not_finite(self) -> int:
        """At how many points of the grid the loss is NaN or infinite."""
        return int(np.isnan(self.losses).sum())

    def plot(self, axes: Axes | None = None) -> Axes:
        """Draw it; see ``plots.loss_landscape``."""
        return plots.loss_landscape(self, axes=axes)

    def __repr__(self) -> str:
        alpha, beta, lowest = self.lowest
        rows, columns = self.losses.shape
        told = [
            f"{rows} x {columns} points along {self.plane.kind} directions",
            f"{self.loss_name} {self.loss:.4g} at the parameters",
            f"lowest {lowest:.4g} at ({alpha:.3g}, {beta:.3g})",
        ]
        if self.share is not None:
            told.append(f"{self.share:.0%} of the path's variance")
        if self.not_finite:
            told.append(f"not finite at {self.not_finite} points")
        if self.samples < self.samples_of:
            told.append(f"over {self.samples} of {self.samples_of} samples")
        return f"LossLandscape({', '.join(told)})"


def loss_landscape(
    network: Any,
    x: Any,
    y: Any,
    *,
    history: Any = None,
    path: Any = None,
    directions: Any = "auto",
    points: int = 41,
    extent: float | Sequence[float] | None = None,
    at_most: int = 1000,
    sample_weight: Any = None,
    seed: int = 0,
    progress: Progress = "auto",
) -> LossLandscape:
    """Measure the loss around a network's parameters, along two directions.

    Works on a copy: the network stays as it is. Batch normalization and dropout do what they do
    in prediction.

    Parameters
    ----------
    network : NeuralNetwork
        Built.
    x, y, sample_weight : array_like
        As for ``fit``.
    history : History, optional
        Of the training whose way is to be shown; ``history.at`` gives its moments.
    path : sequence of ndarray (count,) or of NeuralNetwork, optional
        The same from elsewhere: the parameters at two or more moments.
    directions : "auto", "random", "path" or array_like (2, count), default "auto"
        "random": two random directions, each filter as long as the network's own. "path": the two
        in which the path reaches farthest. "auto" is "path" where there is one. Or your own.
    points : int, default 41
        Along each side of the grid.
    extent : float or (float, float, float, float), optional
        How far to go along both directions: 1 is from -1 to 1, four numbers are (first α, last α,
        first β, last β). Without it 1, or what shows the whole path.
    at_most : int, default 1000
        Of more samples so many, drawn at random, are measured. Losses that sum are scaled up.
    seed : int, default 0
        Of random directions and of the samples drawn.
    progress : bool or "auto", default "auto"
        A progress bar; "auto" shows it in terminals and notebooks where it takes some seconds.

    Returns
    -------
    LossLandscape

    Raises
    ------
    NotBuilt
        When the network has no weights yet.
    InvalidInput
        When something passed cannot be used, or the loss at the network's own parameters is not
        finite.

    Notes
    -----
    After Li, Xu, Taylor, Studer and Goldstein, "Visualizing the loss landscape of neural nets",
    2018. A plane is a small part of the space: a loss that looks flat in it may be steep elsewhere.
    """
    if not network.is_built:
        raise NotBuilt(
            "This network has no weights yet, so nothing lies around them. Call net.fit(X, y), or "
            "net.build(number_of_inputs), first."
        )
    points = checks.whole_number("points", points, at_least=2)
    at_most = checks.whole_number("at_most", at_most)
    seed = checks.whole_number("seed", seed, at_least=0)
    progress = check_progress(progress)
    everything = _check_samples(network, x, y, sample_weight)
    samples = _sampled(everything, at_most, seed, sums=network.loss.reduction == "sum")
    way = read_path(history, path, len(network.parameters))
    vectors = None if way is None else way.vectors
    plane = choose_plane(network.parameter_vector, directions, vectors, seed)
    coordinates = None if vectors is None else plane.project(vectors)
    alphas, betas = (np.linspace(*side, points) for side in sides(extent, coordinates))
    loss, losses = _measure(network, samples, plane, alphas, betas, progress)
    return LossLandscape(
        losses=losses,
        alphas=alphas,
        betas=betas,
        plane=plane,
        loss=loss,
        loss_name=network.loss.name.replace("_", " "),
        path=coordinates,
        steps=None if way is None else way.steps,
        shares=plane.shares(vectors) if vectors is not None and plane.kind == "path" else None,
        share=None if vectors is None else plane.share(vectors),
        samples=len(samples),
        samples_of=len(everything),
    )


def _measure(
    network: Any,
    samples: Samples,
    plane: Plane,
    alphas: Array,
    betas: Array,
    progress: Progress,
) -> tuple[float, Array]:
    """Compute the loss at θ₀ and at every point of the grid, on a copy of the network."""
    twin = network.copy()
    count = len(alphas) * len(betas)
    seconds = reference_seconds(
        twin.shapes, twin.parameter_vector.slots, count * len(samples), count
    )
    if twin.engine.is_compiled(seconds):  # all points together are the job, not each by itself
        twin.engine = Compiled(twin.engine.threads)

    def loss_at(point: Array) -> float:
        twin.parameters[...] = point
        return float(twin.scores(samples, [])["loss"])

    # Far away numbers may be too large for the network: that is told as NaN.
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        here = loss_at(plane.centre)
        if not math.isfinite(here):
            raise InvalidData(
                f"The loss at the network's own parameters is {here:g}, so there is nothing to "
                "look at around it. Scale x as it was scaled for training, or train again with a "
                "smaller learning rate."
            )
        losses = np.empty((len(betas), len(alphas)))
        bar = ProgressBar(count, progress if seconds > _WORTH_A_BAR else progress is True, "points")
        try:
            for row, beta in enumerate(betas):
                origin = plane.centre + beta * plane.directions[1]
                for column, alpha in enumerate(alphas):
                    losses[row, column] = loss_at(origin + alpha * plane.directions[0])
                bar.step(float(losses[row].min()), len(alphas))
        finally:
            bar.close(here)
    return here, np.where(np.isfinite(losses), losses, np.nan)


def _check_samples(network: Any, x: Any, y: Any, sample_weight: Any) -> Samples:
    first = type(network.layers[0]).__name__
    inputs = check_inputs(x, network.input_shape, network.dtype, first)
    return check_samples(inputs, y, sample_weight, network.loss, network.output_shape)


def _sampled(samples: Samples, at_most: int, seed: int, *, sums: bool) -> Samples:
    """Draw that many of the samples; for a loss that sums each then counts for several."""
    if len(samples) <= at_most:
        return samples.row_range(0, len(samples))
    drawn = generator(seed, "landscape samples").permutation(len(samples))[:at_most]
    some = samples.rows(np.sort(drawn))
    if sums:
        one = np.ones(at_most, dtype=samples.x.dtype) if some.weight is None else some.weight
        some.weight = one * (len(samples) / at_most)
    return some.row_range(0, at_most)

"""A plane through the space of all parameters: two directions, and how they are chosen.

A network of 100,000 weights is a point among 100,000 axes. Nobody can look at that, but one can
look along two directions of it: θ(α, β) = θ₀ + α d₁ + β d₂, where θ₀ are the present parameters.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from chainrule import checks
from chainrule.errors import InvalidData, InvalidSetting, InvalidShape
from chainrule.layer import Array
from chainrule.parameters import ParameterVector
from chainrule.randomness import generator
from chainrule.targets import numeric_array

_NO_VARIANCE = 1e-12  # of the first component's: that is rounding, and no way that was taken
_MARGIN = 0.2  # of the path's reach, on every side of it
_NARROWEST = 0.75  # of the longer side: a path that hardly bends still gets a landscape
_PARALLEL = 1e-6  # sine of the angle below which two directions are one


@dataclass(frozen=True, eq=False)
class Plane:
    """θ(α, β) = θ₀ + α d₁ + β d₂.

    Attributes
    ----------
    centre : ndarray (count,)
        θ₀.
    directions : ndarray (2, count)
        d₁ and d₂.
    kind : str
        How they were chosen: "random", "path" or "given".
    """

    centre: Array
    directions: Array
    kind: str

    def project(self, points: Array) -> Array:
        """Coordinates (α, β) of the plane's nearest point to each: (points, count) -> (points, 2).

        The directions need not be at right angles: with D = (d₁, d₂) the nearest point solves
        D Dᵀ (α, β) = D (θ - θ₀).
        """
        along = (points - self.centre) @ self.directions.T
        return np.linalg.solve(self.directions @ self.directions.T, along.T).T

    def share(self, points: Array) -> float:
        """Part of the points' variance that lies in the plane, from 0 to 1."""
        coordinates = self.project(points)
        inside = (coordinates - coordinates.mean(axis=0)) @ self.directions
        return _squares(inside) / _squares(points - points.mean(axis=0))

    def shares(self, points: Array) -> tuple[float, float]:
        """Part of it along each direction, of two that have length 1 and stand at right angles."""
        coordinates = self.project(points)
        first, second = np.square(coordinates - coordinates.mean(axis=0)).sum(axis=0)
        total = _squares(points - points.mean(axis=0))
        return float(first / total), float(second / total)


def choose_plane(parameters: ParameterVector, choice: Any, path: Array | None, seed: int) -> Plane:
    """Draw the plane that ``directions=choice`` asks for.

    Parameters
    ----------
    parameters : ParameterVector
        The network's present ones: the plane goes through them.
    choice : "auto", "random", "path" or array_like (2, count)
        "auto" is "path" where there is one.
    path : ndarray (points, count) or None
    seed : int
        Of the random directions.

    Raises
    ------
    InvalidSetting, InvalidShape, InvalidData
        When the choice is none of these, "path" comes without one, the directions do not fit the
        network or are parallel, or there is nothing along which the loss could change.
    """
    centre = parameters.values.astype(np.float64)
    if len(centre) < 2:
        raise InvalidShape(
            f"This network has {len(centre)} parameters; a plane has two directions and needs at "
            "least two."
        )
    if not isinstance(choice, str):
        return Plane(centre, _check_directions(choice, len(centre)), "given")
    if choice not in ("auto", "random", "path"):
        raise InvalidSetting(
            f"directions received {checks.shown(choice)}; expected 'auto', 'random', 'path', or "
            f"two vectors of {len(centre)} numbers."
        )
    if choice == "random" or (choice == "auto" and path is None):
        return Plane(centre, random_directions(parameters, seed), "random")
    if path is None:
        raise InvalidSetting(
            "directions received 'path', and there is none to follow. Give history=net.fit(...), "
            "or path=[...] with the parameters of several moments."
        )
    return Plane(centre, principal_components(path, seed), "path")


def random_directions(parameters: ParameterVector, seed: int) -> Array:
    """Two random directions, each filter of them as long as the network's own: (2, count).

    Notes
    -----
    d_f ← d_f / ‖d_f‖ · ‖θ_f‖ for every filter f: the weights of one place along the last axis,
    which lead into one unit or channel. Without it pictures of two networks could not be compared.
    Multiplying the weights into a ReLU by 10 and those out of it by 1/10 changes nothing that the
    network computes, yet makes the loss look ten times flatter there. Biases and what else no
    penalty applies to stay as they are (Li, Xu, Taylor, Studer and Goldstein, "Visualizing the
    loss landscape of neural nets", 2018, section 4).
    """
    values = parameters.values.astype(np.float64)
    directions = np.zeros((2, len(values)))
    for number, direction in enumerate(directions):
        random = generator(seed, "direction", number)
        for slot in parameters.slots:
            if not slot.owner.declared(slot.name).penalized:
                continue
            drawn = random.normal(size=slot.shape)
            filters = tuple(range(len(slot.shape) - 1))  # all axes but the last, the outputs
            drawn *= _lengths(slot.view(values), filters) / _lengths(drawn, filters)
            slot.view(direction)[...] = drawn
    if not directions.any():
        raise InvalidData(
            "All weights of this network are 0, and random directions are as long as the weights: "
            "they lead nowhere. Train the network first, or give directions=(first, second)."
        )
    return directions


def principal_components(path: Array, seed: int) -> Array:
    """The two directions in which the path reaches farthest, of length 1: (2, count).

    Parameters
    ----------
    path : ndarray (points, count)
        Not all of them the same.
    seed : int
        Of the second direction where the path is a straight line, which has only one.

    Notes
    -----
    The first two eigenvectors of the path's covariance (Li et al., 2018, section 7). A path has
    few points and many coordinates, so they come from the small matrix of products M Mᵀ, with the
    points less their mean as rows of M: if M Mᵀ u = λ u, then Mᵀ u is an eigenvector of Mᵀ M.
    """
    offsets = path - path.mean(axis=0)
    variances, mixtures = np.linalg.eigh(offsets @ offsets.T)  # ascending
    first = _unit(mixtures[:, -1] @ offsets)
    if variances[-2] > _NO_VARIANCE * variances[-1]:
        second = mixtures[:, -2] @ offsets
    else:
        second = generator(seed, "direction", 1).normal(size=len(first))
    second = _unit(second - (second @ first) * first)
    # An eigenvector's sign means nothing. So that pictures look alike, training goes to the right
    # and upwards.
    moved = path[-1] - path[0]
    return np.stack([first if first @ moved >= 0 else -first, second * _sign(second @ moved)])


def sides(extent: Any, path: Array | None) -> tuple[tuple[float, float], tuple[float, float]]:
    """How far a picture of the plane goes: first and last α, first and last β.

    Parameters
    ----------
    extent : float, sequence of four float, or None
        None is 1 in every direction, or what shows the whole path.
    path : ndarray (moments, 2) or None
        In the plane's coordinates.
    """
    if extent is None:
        return ((-1.0, 1.0), (-1.0, 1.0)) if path is None else _around(path)
    if not isinstance(extent, Sequence | np.ndarray) or isinstance(extent, str):
        reach = checks.number("extent", extent, above=0)
        return (-reach, reach), (-reach, reach)
    if len(extent) != 4:
        raise InvalidSetting(
            f"extent received {checks.shown(extent)}; expected one number, or four: first α, last "
            "α, first β, last β."
        )
    first_alpha, last_alpha, first_beta, last_beta = (
        checks.number("extent", number) for number in extent
    )
    if first_alpha >= last_alpha or first_beta >= last_beta:
        raise InvalidSetting(
            f"extent received {checks.shown(extent)}; expected (first α, last α, first β, last β), "
            "each first number below its last."
        )
    return (first_alpha, last_alpha), (first_beta, last_beta)


def _around(path: Array) -> tuple[tuple[float, float], tuple[float, float]]:
    """Sides of a rectangle with the path and the centre of the plane well inside."""
    reached = np.vstack([path, [0.0, 0.0]])
    low, high = reached.min(axis=0), reached.max(axis=0)
    lengths = (high - low).clip(_NARROWEST * (high - low).max() or 1.0) * (1 + 2 * _MARGIN)
    middle = (low + high) / 2
    (left, bottom), (right, top) = middle - lengths / 2, middle + lengths / 2
    return (float(left), float(right)), (float(bottom), float(top))


def _check_directions(choice: Any, count: int) -> Array:
    directions = numeric_array("directions", choice, np.dtype(np.float64))
    if directions.shape != (2, count):
        raise InvalidShape(
            f"directions has shape {directions.shape}; expected (2, {count}): two vectors with a "
            "number for each parameter."
        )
    first, second = directions
    lengths = np.linalg.norm(first) * np.linalg.norm(second)
    across = second - (second @ first) / max(float(first @ first), 1e-300) * first
    if not lengths or np.linalg.norm(across) <= _PARALLEL * np.linalg.norm(second):
        raise InvalidData(
            "directions holds two vectors that are parallel, or zero; expected two that lead in "
            "different directions."
        )
    return directions


def _lengths(filters: Array, axes: tuple[int, ...]) -> Array:
    """Length of each filter; a parameter of one axis is a single one."""
    return np.sqrt(np.square(filters).sum(axis=axes or None, keepdims=True))


def _unit(vector: Array) -> Array:
    return vector / np.linalg.norm(vector)


def _sign(number: float) -> float:
    return 1.0 if number >= 0 else -1.0


def _squares(values: Array) -> float:
    return float(np.square(values).sum())

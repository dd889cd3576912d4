"""Problems to learn: small tables and images, each with what a network for it needs."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import sklearn.datasets
from palmerpenguins import load_penguins

import chainrule as cr
from chainrule.layer import Array


@dataclass(frozen=True)
class Problem:
    """Samples that are scaled as they should be.

    Attributes
    ----------
    x : ndarray
    y : ndarray
        Class labels (samples,), or numbers.
    classes : int
        0 for numbers.
    reachable : float
        Loss of a good network, where 1 is that of a constant guess.
    """

    x: Array
    y: Array
    classes: int
    reachable: float = 0.35


def standardised(x: Array) -> Array:
    x = np.asarray(x, np.float64)
    deviation = x.std(axis=0)
    return (x - x.mean(axis=0)) / np.where(deviation > 0, deviation, 1)


def _bundled(name: str, reachable: float) -> Problem:
    x, y = cr.data.load(name)
    if name == "diabetes":
        return Problem(standardised(x), standardised(y), 0, reachable)
    return Problem(standardised(x), y, int(y.max()) + 1, reachable)


@functools.cache
def _penguins() -> Problem:
    table = load_penguins().dropna()
    x = table[["bill_length_mm", "bill_depth_mm", "flipper_length_mm", "body_mass_g"]].to_numpy()
    return Problem(standardised(x), np.unique(table["species"], return_inverse=True)[1], 3)


def moons(random: np.random.Generator) -> Problem:
    x, y = sklearn.datasets.make_moons(300, noise=0.15, random_state=int(random.integers(1000)))
    return Problem(standardised(x), y, 2)


def blobs(random: np.random.Generator) -> Problem:
    x, y = sklearn.datasets.make_blobs(
        240, n_features=4, centers=4, cluster_std=1.5, random_state=int(random.integers(1000))
    )
    return Problem(standardised(x), y, 4)


def rings(random: np.random.Generator) -> Problem:
    x, y = sklearn.datasets.make_circles(
        300, noise=0.08, factor=0.4, random_state=int(random.integers(1000))
    )
    return Problem(x, y, 2)


def columns(random: np.random.Generator) -> Problem:
    x, y = sklearn.datasets.make_classification(
        400, n_features=12, n_informative=6, n_classes=3, class_sep=1.5, flip_y=0,
        random_state=int(random.integers(1000)),
    )  # fmt: skip
    return Problem(standardised(x), y, 3, 0.35)


def waves(random: np.random.Generator) -> Problem:
    x = random.uniform(-1, 1, (300, 1))
    y = np.sin(random.uniform(2, 5) * x[:, 0]) + random.normal(0, 0.1, 300)
    return Problem(x, y, 0, 0.4)


def friedman(random: np.random.Generator) -> Problem:
    x, y = sklearn.datasets.make_friedman1(400, noise=0.5, random_state=int(random.integers(1000)))
    return Problem(standardised(x), standardised(y), 0, 0.4)


def plane(random: np.random.Generator) -> Problem:
    x, y = sklearn.datasets.make_regression(
        300, 8, n_informative=6, noise=5.0, random_state=int(random.integers(1000))
    )
    return Problem(standardised(x), standardised(y), 0, 0.3)


def two_outputs(random: np.random.Generator) -> Problem:
    x = random.normal(size=(300, 5))
    mixed = x @ random.normal(size=(5, 2)) / 2
    return Problem(x, np.tanh(mixed) + random.normal(0, 0.05, (300, 2)), 0, 0.4)


def unit_targets(random: np.random.Generator) -> Problem:
    """Numbers from 0 to 1, inputs from 0 to 1."""
    x = random.uniform(0, 1, (300, 4))
    y = 1 / (1 + np.exp(-(4 * (x @ random.normal(size=4)) - 1)))
    return Problem(x, (y - y.min()) / np.ptp(y), 0, 0.4)


def digit_rows(random: np.random.Generator) -> Problem:
    images = cr.data.digits()
    rows = random.permutation(len(images.y))[:500]
    return Problem(images.x[rows].reshape(500, 64), images.y[rows], 10, 0.4)


def digit_images(random: np.random.Generator) -> Problem:
    images = cr.data.digits()
    rows = random.permutation(len(images.y))[:400]
    return Problem(images.x[rows], images.y[rows], 10, 0.5)


def byte_images(random: np.random.Generator) -> Problem:
    """Bars across or upright, as bytes."""
    y = random.integers(0, 2, 240)
    x = random.integers(0, 60, (240, 9, 9, 1))
    for image, label in zip(x, y, strict=True):
        place = int(random.integers(1, 8))
        image[(slice(None), place) if label else place] = 255 - random.integers(0, 60)
    return Problem(x.astype(np.uint8), y, 2, 0.4)


def rare(random: np.random.Generator) -> Problem:
    """Yes in one row of ten."""
    x = random.normal(size=(400, 6))
    score = x @ random.normal(size=6) + random.normal(0, 0.2, 400)
    return Problem(x, (score > np.quantile(score, 0.9)).astype(int), 2, 0.5)


def one_hot_columns(random: np.random.Generator) -> Problem:
    """Categories as columns of 0 and 1."""
    codes = random.integers(0, [3, 4, 5], (300, 3))
    x = np.hstack([np.eye(5)[codes[:, i]][:, : i + 3] for i in range(3)])
    y = (codes @ np.array([1.0, -0.7, 0.5]) > 0.9).astype(int)
    return Problem(x, y, 2, 0.4)


def shells(random: np.random.Generator) -> Problem:
    """Classes by their distance from the middle."""
    x, y = sklearn.datasets.make_gaussian_quantiles(
        n_samples=360, n_features=3, n_classes=3, random_state=int(random.integers(1000))
    )
    return Problem(x, y, 3, 0.5)


def tens(random: np.random.Generator) -> Problem:
    """Ten numbers, and whether their squares sum to more than usual (Hastie et al., 2009)."""
    x, y = sklearn.datasets.make_hastie_10_2(1000, random_state=int(random.integers(1000)))
    return Problem(x, (y > 0).astype(int), 2, 0.4)


def swiss_roll(random: np.random.Generator) -> Problem:
    """Where on a rolled-up sheet a point lies."""
    x, y = sklearn.datasets.make_s_curve(300, noise=0.05, random_state=int(random.integers(1000)))
    return Problem(standardised(x), standardised(y), 0, 0.3)


def impedance(random: np.random.Generator) -> Problem:
    x, y = sklearn.datasets.make_friedman2(300, noise=10, random_state=int(random.integers(1000)))
    return Problem(standardised(x), standardised(y), 0, 0.4)


def quadrants(random: np.random.Generator) -> Problem:
    """Exclusive or, as a cloud of points."""
    x = random.uniform(-1, 1, (300, 2))
    return Problem(x, (x[:, 0] * x[:, 1] > 0).astype(int), 2, 0.4)


def mixed_columns(random: np.random.Generator) -> Problem:
    """Numbers beside categories, half of the classes rare."""
    codes = random.integers(0, 4, 300)
    numbers = random.normal(size=(300, 3))
    score = numbers @ np.array([1.0, -1.0, 0.5]) + codes
    return Problem(np.hstack([numbers, np.eye(4)[codes]]), (score > 3).astype(int), 2, 0.4)


def mnist_images(random: np.random.Generator) -> Problem:
    images = cr.data.mnist_5k()
    rows = random.permutation(5000)[:300]
    return Problem(images.x[rows, 2:26:2, 2:26:2], images.y[rows], 10, 0.5)


def phase(random: np.random.Generator) -> Problem:
    x, y = sklearn.datasets.make_friedman3(400, noise=0.05, random_state=int(random.integers(1000)))
    return Problem(standardised(x), standardised(y), 0, 0.4)


def few_of_ten(random: np.random.Generator) -> Problem:
    """Four columns of ten say something, under noise."""
    x, y = sklearn.datasets.make_sparse_uncorrelated(400, 10, random_state=int(random.integers(99)))
    return Problem(standardised(x), standardised(y), 0, 0.45)


def alcohol(random: np.random.Generator) -> Problem:
    """How much of it a wine has, from everything else that was measured."""
    x, _ = cr.data.load("wine")
    return Problem(standardised(x[:, 1:]), standardised(x[:, 0]), 0, 0.55)


def pictures_again(random: np.random.Generator) -> Problem:
    """Digits as inputs and as targets, corners that are always black included."""
    rows = digit_rows(random).x
    return Problem(rows, rows, 0, 0.5)


def spirals(random: np.random.Generator) -> Problem:
    """Two arms, half a turn each."""
    y = random.integers(0, 2, 300)
    radius = random.uniform(0.2, 1, 300)
    angle = 3.5 * radius + np.pi * y
    x = np.column_stack([radius * np.cos(angle), radius * np.sin(angle)])
    return Problem(2 * x + random.normal(0, 0.05, x.shape), y, 2, 0.4)


def two_of_three(random: np.random.Generator) -> Problem:
    """A vote of three columns of -1 and 1, among three others."""
    x = random.choice([-1.0, 1.0], (300, 6))
    return Problem(x, (x[:, :3].sum(axis=1) > 0).astype(int), 2, 0.3)


def _constant(problem: Callable[[], Problem]) -> Callable[[np.random.Generator], Problem]:
    return lambda random: problem()


TABLES: dict[str, Callable[[np.random.Generator], Problem]] = {
    "iris": _constant(lambda: _bundled("iris", 0.3)),
    "wine": _constant(lambda: _bundled("wine", 0.3)),
    "breast_cancer": _constant(lambda: _bundled("breast_cancer", 0.3)),
    "diabetes": _constant(lambda: _bundled("diabetes", 0.65)),
    "penguins": _constant(_penguins),
    "moons": moons,
    "blobs": blobs,
    "rings": rings,
    "columns": columns,
    "waves": waves,
    "friedman": friedman,
    "plane": plane,
    "two_outputs": two_outputs,
    "unit_targets": unit_targets,
    "digit_rows": digit_rows,
    "rare": rare,
    "one_hot_columns": one_hot_columns,
    "shells": shells,
    "tens": tens,
    "swiss_roll": swiss_roll,
    "impedance": impedance,
    "quadrants": quadrants,
    "mixed_columns": mixed_columns,
}
IMAGES: dict[str, Callable[[np.random.Generator], Problem]] = {
    "digit_images": digit_images,
    "byte_images": byte_images,
    "mnist_images": mnist_images,
}
# These joined when most thresholds stood already.
MORE_TABLES: dict[str, Callable[[np.random.Generator], Problem]] = {
    "phase": phase,
    "few_of_ten": few_of_ten,
    "alcohol": alcohol,
    "pictures_again": pictures_again,
    "spirals": spirals,
    "two_of_three": two_of_three,
}
PROBLEMS = TABLES | IMAGES

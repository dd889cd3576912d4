"""How each set of images is cut into a part to train on and a part to score on."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from chainrule import data
from chainrule.data.split import split_rows

Array = npt.NDArray[Any]

FOLDS = 10
CUT_SEED = 0  # the cuts stay the same whatever seed a network is trained with


@dataclass(frozen=True)
class Split:
    """Images to train on, and images to score on that training never sees."""

    x: Array
    y: Array
    test_x: Array
    test_y: Array

    def for_trying(self) -> Split:
        """Leave the test part out: a sixth of the training images, by class, takes its place."""
        training, aside = split_rows(len(self.y), 1 / 6, CUT_SEED, self.y)
        return Split(self.x[training], self.y[training], self.x[aside], self.y[aside])


def digits() -> Iterator[Split]:
    """Ten folds, stratified and shuffled; each is the test part once."""
    from sklearn.model_selection import StratifiedKFold

    images = data.digits()
    folds = StratifiedKFold(FOLDS, shuffle=True, random_state=CUT_SEED)
    for training, test in folds.split(images.x, images.y):
        yield Split(images.x[training], images.y[training], images.x[test], images.y[test])


def mnist_5k() -> Iterator[Split]:
    """4,000 to train on, 1,000 held out: 400 and 100 of each digit."""
    images = data.mnist_5k()
    training, test = split_rows(len(images), 0.2, CUT_SEED, images.y)
    yield Split(images.x[training], images.y[training], images.x[test], images.y[test])


def fashion_mnist() -> Iterator[Split]:
    """The 60,000 and 10,000 that its authors cut it into."""
    training, test = data.fashion_mnist(), data.fashion_mnist("test")
    yield Split(training.x, training.y, test.x, test.y)


SPLITS: dict[str, Callable[[], Iterator[Split]]] = {
    "digits": digits,
    "mnist-5k": mnist_5k,
    "fashion-mnist": fashion_mnist,
}


def accuracy(found: Array, actual: Array) -> float:
    """Part of the images that were put into their class."""
    return float(np.mean(found == actual))

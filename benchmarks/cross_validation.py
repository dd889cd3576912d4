"""Cross-validation of chainrule and scikit-learn's MLP on the same folds with the same settings."""

from __future__ import annotations

import functools
import statistics
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

import chainrule as cr

HIDDEN = 100
LEARNING_RATE = 0.001
ALPHA = 0.0001  # scikit-learn's default penalty
LARGEST_BATCH = 200  # scikit-learn's default is min(200, rows)

PEER, OURS, OURS_AS_IT_COMES = "scikit-learn", "chainrule", "chainrule, default start"

Array = npt.NDArray[Any]


@dataclass(frozen=True)
class Task:
    """A data set of scikit-learn's, and for how long to train on it.

    Attributes
    ----------
    name : str
        ``"iris"`` for ``load_iris``.
    epochs : int
        For both sides; chosen so that scikit-learn reaches about the ``known`` score.
    known : float
        Score that is known for scikit-learn: accuracy, or R² where ``is_regression``.
    """

    name: str
    epochs: int
    known: float
    is_regression: bool = False


TASKS = (
    Task("iris", epochs=400, known=0.958),
    Task("wine", epochs=200, known=0.980),
    Task("breast_cancer", epochs=200, known=0.974),
    Task("digits", epochs=200, known=0.981),
    Task("diabetes", epochs=100, known=0.465, is_regression=True),
)


@dataclass(frozen=True)
class Fold:
    """Training and test part of a data set, standardised by what the training part shows.

    ``y`` of a regression is standardised too; R² does not depend on that.
    """

    x: Array
    y: Array
    test_x: Array
    test_y: Array
    seed: int

    @property
    def batch_size(self) -> int:
        """Rows in a batch."""
        return min(LARGEST_BATCH, len(self.x))


def folds(task: Task, seed: int, parts: int) -> Iterator[Fold]:
    """Cut the data into that many parts; each is the test part once."""
    from sklearn import datasets, model_selection, preprocessing

    x, y = getattr(datasets, f"load_{task.name}")(return_X_y=True)
    kind = model_selection.KFold if task.is_regression else model_selection.StratifiedKFold
    for training, test in kind(parts, shuffle=True, random_state=seed).split(x, y):
        x_scaler = preprocessing.StandardScaler().fit(x[training])
        y_used = y
        if task.is_regression:
            y_used = (y - y[training].mean()) / y[training].std()
        yield Fold(
            x_scaler.transform(x[training]),
            y_used[training],
            x_scaler.transform(x[test]),
            y_used[test],
            seed,
        )


def peers_score(task: Task, fold: Fold) -> float:
    """Train scikit-learn's network; return its accuracy or R² on the test part."""
    from sklearn.neural_network import MLPClassifier, MLPRegressor

    network = (MLPRegressor if task.is_regression else MLPClassifier)(
        hidden_layer_sizes=(HIDDEN,),
        learning_rate_init=LEARNING_RATE,
        alpha=ALPHA,
        batch_size=fold.batch_size,
        max_iter=task.epochs,
        n_iter_no_change=task.epochs + 1,  # no early end: both go through all epochs
        random_state=fold.seed,
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that all epochs were used is what we want
        network.fit(fold.x, fold.y)
    return float(network.score(fold.test_x, fold.test_y))


def our_score(task: Task, fold: Fold, weights_initializer: str) -> float:
    """Train chainrule's network; return its accuracy or R² on the test part."""
    network = cr.NeuralNetwork(
        cr.Dense(HIDDEN, activation="relu", weights_initializer=weights_initializer),
        cr.Dense(1 if task.is_regression else len(np.unique(fold.y))),
        loss="mean_squared_error" if task.is_regression else "softmax_cross_entropy",
        optimizer=cr.Adam(learning_rate=LEARNING_RATE),
        l2=matching_l2(ALPHA, fold.batch_size, task.is_regression),
        seed=fold.seed,
    )
    network.fit(fold.x, fold.y, epochs=task.epochs, batch_size=fold.batch_size, progress=False)
    metric = "r2" if task.is_regression else "accuracy"
    return float(network.evaluate(fold.test_x, fold.test_y, metrics=[metric])[metric])


def matching_l2(alpha: float, batch_size: int, is_regression: bool) -> float:
    """Return the l2 that does what alpha does in scikit-learn.

    There the penalty is α Σ w² / (2 · rows of the batch), beside the cross-entropy or *half* the
    mean squared error; here it is l2 Σ w², beside the cross-entropy or the mean squared error.
    """
    return alpha / batch_size / (1 if is_regression else 2)


SIDES: dict[str, Callable[[Task, Fold], float]] = {
    PEER: peers_score,
    # scikit-learn starts from Glorot's uniform distribution, also for ReLU.
    OURS: functools.partial(our_score, weights_initializer="glorot_uniform"),
    OURS_AS_IT_COMES: functools.partial(our_score, weights_initializer="auto"),
}


def cross_validate(task: Task, seed: int, parts: int) -> dict[str, float]:
    """Mean score of each side over the folds of one seed."""
    scores: dict[str, list[float]] = {side: [] for side in SIDES}
    for fold in folds(task, seed, parts):
        for side, score in SIDES.items():
            scores[side].append(score(task, fold))
    return {side: statistics.fmean(values) for side, values in scores.items()}

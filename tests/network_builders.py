"""Functions that build networks, where worker processes find them too, and estimators of them."""

from __future__ import annotations

from typing import Any

from sklearn.datasets import load_iris
from sklearn.preprocessing import scale

import chainrule as cr

IRIS_X, IRIS_Y = load_iris(return_X_y=True)
IRIS_X = scale(IRIS_X)


def dense(
    outputs: int,
    loss: str,
    width: int = 16,
    dropout: float = 0.0,
    learning_rate: float = 0.02,
    dtype: str = "float64",
) -> cr.NeuralNetwork:
    """One hidden layer, for whatever y is."""
    return cr.NeuralNetwork(
        cr.Dense(width, activation="relu"),
        cr.Dropout(dropout),
        cr.Dense(outputs),
        loss=loss,
        optimizer=cr.Adam(learning_rate),
        dtype=dtype,
    )


def convolutional(classes: int, kernels: int = 4) -> cr.NeuralNetwork:
    """Images (height, width, channels) to classes."""
    return cr.NeuralNetwork(
        cr.Conv2D(kernels, 3, activation="relu"),
        cr.GlobalAveragePool(),
        cr.Dense(classes),
        loss="softmax_cross_entropy",
        optimizer=cr.Adam(0.05),
    )


def classifier(**settings: Any) -> cr.NetworkClassifier:
    return cr.NetworkClassifier(dense, **({"epochs": 20, "random_state": 0} | settings))


def regressor(**settings: Any) -> cr.NetworkRegressor:
    return cr.NetworkRegressor(dense, **({"epochs": 20, "random_state": 0} | settings))

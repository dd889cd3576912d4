"""Functions that build networks, where worker processes find them too."""

from __future__ import annotations

import chainrule as cr


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

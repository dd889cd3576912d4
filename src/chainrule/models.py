"""Networks with a name: each function returns one, and reads like its drawing.

They classify images (batch, height, width, channels) and end in one logit for each class. The size
of the images comes from the first data seen. What ``NeuralNetwork`` takes by name (``optimizer``,
``seed``, ``loss``, ...) they take too.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from chainrule.activations import ReLU
from chainrule.checks import did_you_mean
from chainrule.errors import UnknownName
from chainrule.layer import Layer
from chainrule.layers import (
    AveragePool2D,
    BatchNorm,
    Conv2D,
    Dense,
    Dropout,
    Flatten,
    GlobalAveragePool,
    MaxPool2D,
    Residual,
)
from chainrule.network import NeuralNetwork


def mlp(classes: int = 10, *, hidden: tuple[int, ...] = (128,), **settings: Any) -> NeuralNetwork:
    """Dense layers alone: they see the pixels, but not which of them are neighbours.

    Parameters
    ----------
    classes : int, default 10
    hidden : tuple of int, default (128,)
        Units of each hidden layer.
    **settings
        For ``NeuralNetwork``.
    """
    return _classifier(
        Flatten(),
        *(Dense(units, "relu") for units in hidden),
        Dense(classes),
        **settings,
    )


def lenet5(classes: int = 10, **settings: Any) -> NeuralNetwork:
    """Convolutions and averages in turns, then dense layers (LeCun et al., 1998).

    On images of 28 x 28, as here, the first convolution pads to the 32 x 32 of the original. The
    averages have no weights of their own, and the last layer gives logits instead of distances.

    Parameters
    ----------
    classes : int, default 10
    **settings
        For ``NeuralNetwork``.
    """
    return _classifier(
        Conv2D(6, 5, "tanh", padding="same"),
        AveragePool2D(2),
        Conv2D(16, 5, "tanh"),
        AveragePool2D(2),
        Flatten(),
        Dense(120, "tanh"),
        Dense(84, "tanh"),
        Dense(classes),
        **settings,
    )


def small_cnn(classes: int = 10, *, dropout: float = 0.5, **settings: Any) -> NeuralNetwork:
    """Two 3 x 3 convolutions, each with ReLU and the largest of 2 x 2, then one dense layer.

    Parameters
    ----------
    classes : int, default 10
    dropout : float, default 0.5
        Part of the features that the dense layer goes without in training.
    **settings
        For ``NeuralNetwork``.
    """
    return _classifier(
        Conv2D(32, 3, "relu", padding="same"),
        MaxPool2D(2),
        Conv2D(64, 3, "relu", padding="same"),
        MaxPool2D(2),
        Flatten(),
        Dropout(dropout),
        Dense(classes),
        **settings,
    )


def resnet8(classes: int = 10, *, width: int = 16, **settings: Any) -> NeuralNetwork:
    """Three residual blocks between a convolution and a dense layer (after He et al., 2016).

    Each block has two convolutions, which makes eight layers with weights on the longest way. The
    second and third block halve height and width and double the channels.

    Parameters
    ----------
    classes : int, default 10
    width : int, default 16
        Channels of the first block.
    **settings
        For ``NeuralNetwork``.
    """
    return _classifier(
        *_normalized(width),
        ReLU(),
        _block(width),
        _block(2 * width, stride=2),
        _block(4 * width, stride=2),
        GlobalAveragePool(),
        Dense(classes),
        **settings,
    )


def _block(filters: int, stride: int = 1) -> Residual:
    """Two convolutions and the way around them; x is projected where its shape changes."""
    return Residual(
        *_normalized(filters, stride),
        ReLU(),
        *_normalized(filters),
        projection="auto",
        activation="relu",
    )


def _normalized(filters: int, stride: int = 1) -> tuple[Layer, Layer]:
    # The normalization takes the mean away and adds a shift of its own: a bias would do nothing.
    return Conv2D(filters, 3, stride=stride, padding="same", use_bias=False), BatchNorm()


MODELS: dict[str, Callable[..., NeuralNetwork]] = {
    "mlp": mlp,
    "lenet5": lenet5,
    "small-cnn": small_cnn,
    "resnet8": resnet8,
}


def named(name: str, classes: int, **settings: Any) -> NeuralNetwork:
    """Make the network of that name, as the command line calls it.

    Parameters
    ----------
    name : str
        A key of ``MODELS``; ``small_cnn`` and ``small-cnn`` are the same.
    classes : int
    **settings
        For the function of that name.

    Raises
    ------
    UnknownName
        With the nearest known name.
    """
    wanted = name.replace("_", "-").lower()
    if wanted not in MODELS:
        raise UnknownName(
            f"There is no model called {name!r}. {did_you_mean(wanted, MODELS)}"
            f"Known: {', '.join(MODELS)}."
        )
    return MODELS[wanted](classes, **settings)


def _classifier(*layers: Layer, **settings: Any) -> NeuralNetwork:
    return NeuralNetwork(*layers, **{"loss": "softmax_cross_entropy", **settings})

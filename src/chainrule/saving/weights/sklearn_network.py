"""Networks out of scikit-learn's fitted MLPClassifier and MLPRegressor."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np

from chainrule.checks import shown
from chainrule.errors import InvalidData, InvalidInput, InvalidSetting, InvalidShape
from chainrule.layer import Array
from chainrule.layers import Dense
from chainrule.network import NeuralNetwork

_ACTIVATIONS = {"identity": "identity", "logistic": "sigmoid", "tanh": "tanh", "relu": "relu"}
_LOSSES = {
    "softmax": "softmax_cross_entropy",
    "logistic": "sigmoid_cross_entropy",
    "identity": "mean_squared_error",
}


def from_sklearn(estimator: Any) -> NeuralNetwork:
    """Make the network that a fitted MLPClassifier or MLPRegressor of scikit-learn is.

    Layers, activations, weights and loss are the estimator's. ``predict`` gives what its
    ``predict_proba`` gives, or ``predict`` of a regressor, to 1e-12 in float64. A classifier for
    two classes has one output here, the probability of the second; classes are numbers here, in
    the order of ``estimator.classes_``.

    Parameters
    ----------
    estimator : MLPClassifier or MLPRegressor
        Fitted. Only its attributes are read; scikit-learn need not be installed.

    Returns
    -------
    NeuralNetwork
        In the dtype of the estimator's weights. Its training begins anew, by Adam and without
        ``alpha``, which scikit-learn divides by the number of samples: ``l2=alpha / 2 / samples``
        here is the same for a classifier, ``alpha / samples`` for a regressor, whose squared error
        it halves.

    Raises
    ------
    InvalidInput
        When it is something else, or not fitted.
    InvalidSetting
        For an output that no loss here goes with, as that of a regressor for Poisson's loss.

    Examples
    --------
    >>> from sklearn.neural_network import MLPRegressor
    >>> X, y = [[0.0, 1.0], [1.0, 0.0], [1.0, 1.0]], [0.0, 1.0, 2.0]
    >>> regressor = MLPRegressor(hidden_layer_sizes=[4], solver="lbfgs").fit(X, y)
    >>> net = from_sklearn(regressor)
    >>> bool(abs(net.predict(X)[:, 0] - regressor.predict(X)).max() < 1e-12)
    True
    """
    hidden, last = _activations(estimator)
    weights, biases = _checked(estimator)
    layers = [Dense(len(bias), hidden) for bias in biases[:-1]]
    loss = _LOSSES[last]
    network = NeuralNetwork(
        *layers,
        Dense(len(biases[-1])),  # softmax and sigmoid belong to the loss
        loss=loss,
        dtype=str(weights[0].dtype),
        inputs=weights[0].shape[0],
    )
    for layer, matrix, bias in zip(network.layers, weights, biases, strict=True):
        vars(layer)["weights"][...] = matrix
        vars(layer)["bias"][...] = bias
    return network


def _activations(estimator: Any) -> tuple[str, str]:
    """Activation of the hidden layers here, and scikit-learn's name of the last one."""
    named = f"from_sklearn received {shown(estimator)}"
    if not all(hasattr(estimator, name) for name in ("activation", "hidden_layer_sizes")):
        raise InvalidInput(
            f"{named}; expected a fitted MLPClassifier or MLPRegressor. Of a Pipeline pass the "
            "last step, pipeline[-1], and scale x as the steps before it do; of a search "
            "search.best_estimator_."
        )
    if not all(hasattr(estimator, name) for name in ("coefs_", "intercepts_", "out_activation_")):
        raise InvalidInput(f"{named}, which is not fitted; call its fit(X, y) first.")
    hidden, last = estimator.activation, estimator.out_activation_
    if hidden not in _ACTIVATIONS:
        raise InvalidSetting(
            f"{named} with activation={shown(hidden)}; expected one of {', '.join(_ACTIVATIONS)}."
        )
    if last not in _LOSSES:
        raise InvalidSetting(
            f"{named}, whose output is {shown(last)}; there is no such activation here, expected "
            f"one of {', '.join(_LOSSES)}."
        )
    return _ACTIVATIONS[hidden], last


def _checked(estimator: Any) -> tuple[list[Array], list[Array]]:
    """Weights and biases as arrays of one dtype that fit each other."""
    weights = [np.asarray(matrix) for matrix in estimator.coefs_]
    biases = [np.asarray(bias) for bias in estimator.intercepts_]
    shapes = ", ".join(f"{w.shape} and {b.shape}" for w, b in zip(weights, biases, strict=False))
    fits = len(weights) == len(biases) > 0 and all(
        matrix.ndim == 2 and bias.shape == matrix.shape[1:]
        for matrix, bias in zip(weights, biases, strict=True)
    )
    if not fits or any(a.shape[1] != b.shape[0] for a, b in itertools.pairwise(weights)):
        raise InvalidShape(
            f"coefs_ and intercepts_ have the shapes {shapes}; expected (inputs, outputs) and "
            "(outputs,) for each layer, where the outputs of one are the inputs of the next."
        )
    arrays = weights + biases
    dtypes = sorted({str(array.dtype) for array in arrays})
    if dtypes not in (["float32"], ["float64"]):
        raise InvalidData(
            f"coefs_ and intercepts_ hold {', '.join(dtypes)}; expected float64 or float32 alone."
        )
    if not all(np.isfinite(array).all() for array in arrays):
        raise InvalidData(
            "coefs_ and intercepts_ hold NaN or infinity: the training of the estimator diverged."
        )
    return weights, biases

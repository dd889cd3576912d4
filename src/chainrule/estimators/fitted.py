"""What an estimator does with a network that has been trained: predict, show, keep it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from chainrule.errors import InvalidData
from chainrule.estimators import weights
from chainrule.estimators.scikit_learn import BaseEstimator, check_is_fitted, validate_data
from chainrule.estimators.sparse import SparseInputs
from chainrule.layer import Array
from chainrule.network import NeuralNetwork
from chainrule.stored import Inputs

_ROWS_AT_ONCE = 4096  # of sparse inputs


class FittedNetwork(BaseEstimator):  # type: ignore[misc]  # scikit-learn has no types
    """The part of an estimator that needs a trained network; see ``base.py``.

    Attributes
    ----------
    network_ : NeuralNetwork
        What was trained.
    coefs_, intercepts_ : list of ndarray
        Weights and biases of its layers; views, so editing them edits the network.
    """

    network_: NeuralNetwork

    def _inputs(self, x: Any) -> Inputs:
        """Checked rows as the network takes them."""
        dtype = self.network_.dtype
        if hasattr(x, "tocsr"):
            return SparseInputs(x.tocsr(), dtype)
        with np.errstate(over="ignore"):  # what does not fit becomes infinite
            found = np.ascontiguousarray(x, dtype)
        if x.dtype != dtype and not np.isfinite(found).all():
            raise InvalidData(
                f"X holds numbers too large for {dtype}, which the network calculates in. Scale "
                'X, or fit with dtype="float64".'
            )
        return found

    def _check_x(self, X: Any) -> Any:
        """Check rows to predict for, by scikit-learn's rules."""
        check_is_fitted(self, "network_")
        many = len(self.network_.input_shape or ()) > 1
        return validate_data(
            self, X, accept_sparse=["csr", "csc"], reset=False, ensure_2d=not many, allow_nd=many
        )

    def _predictions(self, X: Any) -> Array:
        """What the network predicts for rows, (batch, outputs)."""
        return self._predict_checked(self._check_x(X))

    def _predict_checked(self, x: Any) -> Array:
        weights.take(self)
        inputs = self._inputs(x)
        if isinstance(inputs, SparseInputs):
            starts = range(0, len(inputs), _ROWS_AT_ONCE)
            pieces = [self.network_.predict(inputs[i : i + _ROWS_AT_ONCE]) for i in starts]
            return np.concatenate(pieces)
        return self.network_.predict(inputs)

    def activations(self, X: Any) -> list[Array]:
        """What each layer gives for these rows, from the first to the last.

        Parameters
        ----------
        X : array_like or sparse matrix (samples, inputs)

        Returns
        -------
        list of ndarray (samples, *output shape of the layer)
            The last are the network's outputs: logits, where its loss works on logits.
        """
        x = self._inputs(self._check_x(X))[:]
        weights.take(self)
        trace, found = self.network_.new_trace(), []
        for layer, layer_trace in zip(self.network_.layers, trace.layers, strict=True):
            x = layer.feedforward(x, layer_trace)
            found.append(x)
        return found

    def feature_maps(self, X: Any) -> list[Array]:
        """What each layer that keeps images gives for these samples.

        Returns
        -------
        list of ndarray (samples, height, width, channels)
            Of networks on images; empty for others.
        """
        return [maps for maps in self.activations(X) if maps.ndim == 4]

    # --- keeping it ---------------------------------------------------------------------------

    def save(self, path: str | Path) -> Path:
        """Write the network as a model file, which ``chainrule.load`` reads.

        The names of classes and columns are the estimator's, not the network's: pickle or joblib
        keep those too.
        """
        check_is_fitted(self, "network_")
        weights.take(self)
        return self.network_.save(path)

    def to_python(self, path: str | Path) -> Path:
        """Write the network as a readable Python module that needs NumPy alone."""
        check_is_fitted(self, "network_")
        weights.take(self)
        return self.network_.to_python(path)

    def __getstate__(self) -> dict[str, Any]:
        """Keep the weights once: the lists are views into the network."""
        if not hasattr(self, "network_"):
            return dict(super().__getstate__())
        weights.take(self)
        state = dict(super().__getstate__())
        for name in weights.LISTS:
            state.pop(name)
        return state

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(state)
        if hasattr(self, "network_"):
            weights.show(self)

    def __sklearn_is_fitted__(self) -> bool:
        return hasattr(self, "network_")

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        return tags

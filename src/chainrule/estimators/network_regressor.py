"""NetworkRegressor: any network that learns numbers, as a scikit-learn estimator."""

from __future__ import annotations

from typing import Any, Self

from chainrule.errors import InvalidSetting
from chainrule.estimators.built import BuiltNetwork
from chainrule.estimators.regressor_base import RegressorBase
from chainrule.network import NeuralNetwork


class NetworkRegressor(BuiltNetwork, RegressorBase):
    """Any network that learns numbers, as a scikit-learn estimator.

    A function builds the network, and its arguments become parameters. All is as told for
    ``NetworkClassifier``, but for what y is: the function may ask for ``inputs``, ``outputs``
    (columns of y), ``loss``, ``samples``, ``epochs`` and ``seed``.

    Parameters
    ----------
    build, epochs, batch_size, shuffle, validation, patience, augment, metrics, callbacks
        As for ``NetworkClassifier``.
    random_state, warm_start, verbose, **chosen
        As for ``NetworkClassifier``.

    Attributes
    ----------
    network_, history_, loss_, loss_curve_, n_iter_, n_features_in_, feature_names_in_
        As of ``NetworkClassifier``.

    Examples
    --------
    >>> import chainrule as cr
    >>> from sklearn.datasets import load_diabetes
    >>> from sklearn.preprocessing import scale
    >>> def build(outputs, width=8):
    ...     return cr.NeuralNetwork(cr.Dense(width, activation="tanh"), cr.Dense(outputs))
    >>> X, y = load_diabetes(return_X_y=True)
    >>> X, y = scale(X), scale(y)
    >>> estimator = cr.NetworkRegressor(build, epochs=20, random_state=0)
    >>> bool(estimator.fit(X, y).score(X, y) > 0.4)
    True
    """

    def fit(self, X: Any, y: Any, sample_weight: Any = None, validation_data: Any = None) -> Self:
        """Train.

        Parameters
        ----------
        X : array_like or sparse matrix (samples, ...)
        y : array_like (samples,) or (samples, outputs)
        sample_weight : array_like (samples,), optional
        validation_data : (X, y) or (X, y, sample_weight), optional
            Samples of your own to measure on.

        Raises
        ------
        InvalidInput
            Also when training leaves the finite numbers. The estimator stays as it was.
        """
        return self._fit(X, y, sample_weight=sample_weight, validation_data=validation_data)

    def partial_fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """Go on training for one epoch."""
        return self._fit(X, y, sample_weight=sample_weight, incremental=True)

    def _outputs_needed(self) -> int:
        return self._targets

    def _suitable_loss(self) -> str:
        return "mean_squared_error"

    def _check_network(self, network: NeuralNetwork) -> None:
        loss, shape = network.loss, network.output_shape
        if loss.targets not in {"numbers", "counts"}:
            raise InvalidSetting(
                f"build returned a network with loss={loss.name!r}, which learns classes; expected "
                "one for numbers, as mean_squared_error. For classes take NetworkClassifier."
            )
        if shape != (self._targets,):
            raise InvalidSetting(
                f"build returned a network with outputs of shape {shape}; for the numbers of each "
                f"sample in y expected ({self._targets},). A build function may ask for 'outputs'."
            )

"""NetworkClassifier: any network that learns classes, as a scikit-learn estimator."""

from __future__ import annotations

from typing import Any, Self

from chainrule.errors import InvalidData, InvalidSetting
from chainrule.estimators.built import BuiltNetwork
from chainrule.estimators.classifier_base import ClassifierBase
from chainrule.network import NeuralNetwork


class NetworkClassifier(BuiltNetwork, ClassifierBase):
    """Any network that learns classes, as a scikit-learn estimator.

    A function builds the network; its arguments become parameters of the estimator, to be searched
    by ``GridSearchCV`` and its kin. What cannot be chosen it is given, where one of its arguments
    is called so: ``inputs`` (columns of X, or the shape of one sample), ``outputs`` or ``classes``
    (how many classes or labels there are), ``loss`` (softmax_cross_entropy, or where y holds labels
    sigmoid_cross_entropy), ``samples`` (rows to train on), ``epochs``, ``seed``.

    Parameters
    ----------
    build : callable
        Returns a new ``NeuralNetwork`` for each ``fit``. Workers in other processes must find it
        too: define it in a module.
    epochs : int, default 100
        How often to go through all samples, at most.
    batch_size : int or None, default 32
        Samples per step; None takes all of them each time.
    shuffle : bool, default True
    validation : float, optional
        Part of the samples to set aside and measure on.
    patience : int, optional
        Stop after so many epochs in which the loss on the samples set aside has not become less,
        and go back to the best weights. Needs ``validation``, or ``validation_data`` in ``fit``.
    augment, metrics, callbacks
        As for ``NeuralNetwork.fit``.
    random_state : int, RandomState or None, default None
        Decides the network's seed, an int is the seed: starting weights, shuffles, dropout. A
        network that has its weights already when the function returns it
        (``NeuralNetwork(..., inputs=4)``) keeps them; to have them drawn anew the function can ask
        for ``seed``.
    warm_start : bool, default False
        Whether ``fit`` goes on with the network of the fit before.
    verbose : bool, default False
        Whether to show a progress bar.
    **chosen
        For ``build``.

    Attributes
    ----------
    network_ : NeuralNetwork
    classes_ : ndarray (classes,)
        Labels, in the order of the outputs.
    history_ : History
        Of the latest training, without the data.
    loss_ : float
        Of the last epoch.
    loss_curve_ : list of float
        Of every epoch.
    n_iter_ : int
        Epochs in all.
    n_features_in_, feature_names_in_
        As in every estimator.

    Notes
    -----
    X may have any number of axes, as the network's layers need it: images are
    (samples, height, width, channels), and those kept as bytes are divided by 255. Sparse rows are
    made dense for training. The dtype is the network's.

    Examples
    --------
    >>> import chainrule as cr
    >>> from sklearn.datasets import load_iris
    >>> def build(classes, width=8, dropout=0.0, learning_rate=0.01):
    ...     return cr.NeuralNetwork(
    ...         cr.Dense(width, activation="relu"),
    ...         cr.Dropout(dropout),
    ...         cr.Dense(classes),
    ...         loss="softmax_cross_entropy",
    ...         optimizer=cr.Adam(learning_rate),
    ...     )
    >>> X, y = load_iris(return_X_y=True)
    >>> estimator = cr.NetworkClassifier(build, width=16, epochs=40, random_state=0)
    >>> bool(estimator.fit(X, y).score(X, y) > 0.9)
    True
    >>> estimator.set_params(dropout=0.1).get_params()["dropout"]
    0.1
    """

    def fit(self, X: Any, y: Any, sample_weight: Any = None, validation_data: Any = None) -> Self:
        """Train.

        Parameters
        ----------
        X : array_like or sparse matrix (samples, ...)
        y : array_like (samples,) or (samples, labels)
            Classes; or 0 and 1 for each of several labels.
        sample_weight : array_like (samples,), optional
        validation_data : (X, y) or (X, y, sample_weight), optional
            Samples of your own to measure on.

        Raises
        ------
        InvalidInput
            Also when training leaves the finite numbers. The estimator stays as it was.
        """
        return self._fit(X, y, sample_weight=sample_weight, validation_data=validation_data)

    def partial_fit(self, X: Any, y: Any, classes: Any = None, sample_weight: Any = None) -> Self:
        """Go on training for one epoch.

        Parameters
        ----------
        X, y, sample_weight
            As for ``fit``.
        classes : array_like, optional
            All classes that will ever come; the first call must name them.
        """
        return self._fit(X, y, sample_weight=sample_weight, incremental=True, classes=classes)

    def _outputs_needed(self) -> int:
        if len(self.classes_) < 2:
            raise InvalidData(
                f"y holds one class, {self.classes_[0]!r}; expected at least two classes, or there "
                "is nothing to tell apart."
            )
        return len(self.classes_)

    def _suitable_loss(self) -> str:
        many = self._targets.kind == "multilabel"
        return "sigmoid_cross_entropy" if many else "softmax_cross_entropy"

    def _check_network(self, network: NeuralNetwork) -> None:
        loss, shape, count = network.loss, network.output_shape, len(self.classes_)
        if loss.targets not in {"classes", "probabilities", "signs"}:
            raise InvalidSetting(
                f"build returned a network with loss={loss.name!r}, which learns numbers; expected "
                "one for classes, as softmax_cross_entropy. For numbers take NetworkRegressor."
            )
        labels = self._targets.kind == "multilabel"
        if labels and loss.targets == "classes":
            raise InvalidSetting(
                f"build returned a network with loss={loss.name!r}, which chooses one class, and y "
                f"holds {count} labels that are each true or not; expected sigmoid_cross_entropy."
            )
        wanted = count if labels else self._targets.outputs(loss.targets)
        if shape != (wanted,):
            raise InvalidSetting(
                f"build returned a network with outputs of shape {shape} and loss={loss.name!r}; "
                f"for the {count} {'labels' if labels else 'classes'} in y expected ({wanted},). "
                "A build function may ask for 'classes'."
            )

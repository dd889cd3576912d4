"""What every estimator around a NeuralNetwork is, from ``fit`` to ``save``.

How a subclass plugs in
-----------------------
``ClassifierBase`` and ``RegressorBase`` (the two files beside this one) know what y means. An
estimator derives from one of them, keeps its parameters in ``__init__`` as scikit-learn asks, and
defines two methods:

``_new_network(input_shape, dtype, random) -> NeuralNetwork``
    A new network, built, with its starting weights. ``input_shape`` is that of one sample, without
    the batch axis; a classifier finds the number of classes and their kind in ``self._targets``,
    a regressor the number of outputs. ``random`` is the RandomState of this fit.
``_train(samples, validation, incremental)``
    Train ``self.network_`` on checked samples and set the fitted attributes that tell of it.
    ``validation`` is what ``fit`` was given, checked, as (Samples, X, y, weight), or None.

Its ``fit`` calls ``self._fit(X, y, ...)``, which checks everything, encodes y as the network's loss
wants it, calls these two, and puts the estimator back as it was if anything fails. What a network
predicts for rows is ``self._predictions(X)``. An estimator that never goes on with an old network
(no ``warm_start``, no ``partial_fit``) needs nothing more.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple, Self

import numpy as np

from chainrule.errors import InvalidData, InvalidSetting, LossNotFinite
from chainrule.estimators import weights
from chainrule.estimators.fitted import FittedNetwork
from chainrule.estimators.scikit_learn import (
    check_random_state,
    check_sample_weight,
)
from chainrule.layer import Array, Shape
from chainrule.network import NeuralNetwork
from chainrule.samples import Samples


class Validation(NamedTuple):
    """Samples to measure on.

    Attributes
    ----------
    samples : Samples
        As the network takes them.
    x, y : array_like
        As scikit-learn's scores take them.
    weight : ndarray or None
    """

    samples: Samples
    x: Any
    y: Any
    weight: Array | None


class NetworkEstimator(FittedNetwork):
    """Base of the estimators; see the top of this file."""

    warm_start: bool = False

    # --- what a subclass defines --------------------------------------------------------------

    def _new_network(
        self, input_shape: Shape, dtype: np.dtype[Any], random: np.random.RandomState
    ) -> NeuralNetwork:
        raise NotImplementedError(f"{type(self).__name__} defines no _new_network")

    def _train(self, samples: Samples, validation: Validation | None, incremental: bool) -> None:
        raise NotImplementedError(f"{type(self).__name__} defines no _train")

    def _check_xy(self, X: Any, y: Any, *, reset: bool) -> tuple[Any, Any]:
        """Check both as scikit-learn does, and find out what y means."""
        raise NotImplementedError(f"{type(self).__name__} defines no _check_xy")

    def _read_targets(self, y: Any, *, fresh: bool, incremental: bool) -> None:
        """Find out what y means, or whether it means the same as before."""
        raise NotImplementedError(f"{type(self).__name__} defines no _read_targets")

    def _encode(self, y: Any) -> Array:
        """Actual values as the network's loss takes them."""
        raise NotImplementedError(f"{type(self).__name__} defines no _encode")

    def _weigh(self, y: Any, weight: Array | None, *, incremental: bool) -> Array | None:
        """What each sample weighs, classes considered."""
        return weight

    def _first_classes(self, y: Any, classes: Any) -> None:
        """Take note of all classes that ``partial_fit`` may meet; the first call names them."""

    def _takes_images(self) -> bool:
        """Whether a sample may be more than one row of numbers."""
        return False

    def _check_network_fits(self) -> None:
        """Refuse to go on with a network that the parameters describe no more."""

    # --- fitting ------------------------------------------------------------------------------

    def _fit(
        self,
        X: Any,
        y: Any,
        *,
        sample_weight: Any = None,
        validation_data: Any = None,
        incremental: bool = False,
        classes: Any = None,
    ) -> Self:
        before = dict(self.__dict__)
        try:
            if incremental:
                self._first_classes(y, classes)
            self._fit_or_fail(X, y, sample_weight, validation_data, incremental)
        except BaseException as error:
            self.__dict__.clear()
            self.__dict__.update(before)
            if isinstance(error, LossNotFinite):
                raise InvalidData(
                    f"The training left the finite numbers: {error} The data may hold large "
                    "values: scale them first (StandardScaler), or take a smaller "
                    "learning rate."
                ) from error
            raise
        return self

    def _fit_or_fail(
        self, X: Any, y: Any, sample_weight: Any, validation_data: Any, incremental: bool
    ) -> None:
        fresh = not hasattr(self, "network_") or not (self.warm_start or incremental)
        x, y = self._check_xy(X, y, reset=fresh)
        self._read_targets(y, fresh=fresh, incremental=incremental)
        weight = None if sample_weight is None else self._check_weight(sample_weight, x)
        weight = self._weigh(y, weight, incremental=incremental)
        self._random_state = check_random_state(self.random_state)
        if fresh:
            dtype = np.dtype(self._dtype_for(x))
            self.network_ = self._new_network(x.shape[1:], dtype, self._random_state)
            weights.show(self)
        else:
            self._check_network_fits()
            weights.take(self)
        samples = Samples(self._inputs(x), self._encode(y), self._as_number(weight))
        validation = self._check_validation(validation_data)
        if fresh:
            self._train(samples, validation, incremental)
        else:
            with self._put_back_on_failure():
                self._train(samples, validation, incremental)
        weights.show(self)

    @contextmanager
    def _put_back_on_failure(self) -> Iterator[None]:
        """Give a network that was there before its numbers back if a training fails."""
        network = self.network_
        storage, state = network.parameter_vector.storage, copy.deepcopy(network.training_state)
        before = storage.copy()
        try:
            yield
        except BaseException:
            storage[...] = before
            network.training_state = state
            raise

    def _dtype_for(self, x: Any) -> Any:
        """Numbers that a new network calculates with: those of the data."""
        return x.dtype

    def _check_weight(self, sample_weight: Any, x: Any) -> Array:
        weight = np.asarray(check_sample_weight(sample_weight, x))
        if (weight < 0).any():
            raise InvalidData(
                f"Negative weights in sample_weight: {weight[weight < 0][0]:g}; expected weights "
                "of 0 or more."
            )
        if not weight.any():
            raise InvalidData(
                "All weights in sample_weight are zero, so nothing is left to learn from."
            )
        return weight

    def _as_number(self, weight: Array | None) -> Array | None:
        return None if weight is None else weight.astype(self.network_.dtype)

    def _check_validation(self, validation_data: Any) -> Validation | None:
        if validation_data is None:
            return None
        if not isinstance(validation_data, tuple | list) or len(validation_data) not in (2, 3):
            raise InvalidSetting(
                "validation_data must be (X, y) or (X, y, sample_weight), samples to measure on."
            )
        given = (*validation_data, None)[:3]
        x, y = self._check_xy(given[0], given[1], reset=False)
        self._read_targets(y, fresh=False, incremental=True)
        weight = None if given[2] is None else self._check_weight(given[2], x)
        samples = Samples(self._inputs(x), self._encode(y), self._as_number(weight))
        return Validation(samples, x, y, weight)

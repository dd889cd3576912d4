"""The multilayer perceptron: scikit-learn's parameters, and what people wished for beside them."""

from __future__ import annotations

import numbers
from typing import Any, ClassVar

import numpy as np

from chainrule.activation import Activation
from chainrule.engines.choice import Engine
from chainrule.errors import InvalidShape
from chainrule.estimators import parts, starting
from chainrule.estimators.base import NetworkEstimator, Validation
from chainrule.estimators.bookkeeping import Books
from chainrule.estimators.descent import Descent
from chainrule.estimators.scikit_learn import (
    Interval,
    Options,
    StrOptions,
)
from chainrule.layer import Array, Shape
from chainrule.layers import Dropout
from chainrule.layers.dense import Dense
from chainrule.loss import Loss
from chainrule.network import NeuralNetwork
from chainrule.optimizer import Optimizer
from chainrule.optimizers import LBFGS
from chainrule.samples import Samples
from chainrule.schedules import Schedule
from chainrule.training.callbacks import Callback

_OUTPUT_NAMES = {"sigmoid": "logistic"}
_AUTO_BATCH = 200


class MultilayerPerceptron(NetworkEstimator):
    """Base of ``MLPClassifier`` and ``MLPRegressor``; the parameters are described there."""

    _parameter_constraints: ClassVar[dict[str, Any]] = {
        "hidden_layer_sizes": ["array-like", Interval(numbers.Integral, 1, None, closed="left")],
        "activation": [str, Activation, "array-like"],
        "solver": [str, Optimizer],
        "alpha": [Interval(numbers.Real, 0, None, closed="left")],
        "batch_size": [
            StrOptions({"auto"}),
            Interval(numbers.Integral, 1, None, closed="left"),
        ],
        "learning_rate": [str, Schedule],
        "learning_rate_init": [Interval(numbers.Real, 0, None, closed="neither")],
        "power_t": [Interval(numbers.Real, 0, None, closed="left")],
        "max_iter": [Interval(numbers.Integral, 1, None, closed="left")],
        "loss": [str, Loss],
        "shuffle": ["boolean"],
        "random_state": ["random_state"],
        "tol": [Interval(numbers.Real, 0, None, closed="left")],
        "verbose": ["verbose"],
        "warm_start": ["boolean"],
        "momentum": [Interval(numbers.Real, 0, 1, closed="both")],
        "nesterovs_momentum": ["boolean"],
        "early_stopping": ["boolean"],
        "validation_fraction": [Interval(numbers.Real, 0, 1, closed="left")],
        "beta_1": [Interval(numbers.Real, 0, 1, closed="left")],
        "beta_2": [Interval(numbers.Real, 0, 1, closed="left")],
        "epsilon": [Interval(numbers.Real, 0, None, closed="neither")],
        "n_iter_no_change": [
            Interval(numbers.Integral, 1, None, closed="left"),
            Options(numbers.Real, {np.inf}),
        ],
        "max_fun": [Interval(numbers.Integral, 1, None, closed="left")],
        "layers": [None, "array-like"],
        "dropout": [Interval(numbers.Real, 0, 1, closed="left"), "array-like"],
        "clip_norm": [None, Interval(numbers.Real, 0, None, closed="neither")],
        "clip_value": [None, Interval(numbers.Real, 0, None, closed="neither")],
        "scoring": [None, str, callable],
        "callbacks": ["array-like", Callback],
        "progress": ["boolean", StrOptions({"auto"})],
        "dtype": [StrOptions({"auto", "float32", "float64"})],
        "engine": [StrOptions({"auto", "reference", "compiled"}), Engine],
        "threads": [None, Interval(numbers.Integral, 1, None, closed="left")],
    }

    # Declared for type checkers; scikit-learn wants them set in each ``__init__`` by name.
    hidden_layer_sizes: Any
    activation: Any
    solver: Any
    alpha: float
    batch_size: Any
    learning_rate: Any
    learning_rate_init: float
    power_t: float
    max_iter: int
    loss: Any
    shuffle: bool
    random_state: Any
    tol: float
    verbose: Any
    momentum: float
    nesterovs_momentum: bool
    early_stopping: bool
    validation_fraction: float
    beta_1: float
    beta_2: float
    epsilon: float
    n_iter_no_change: Any
    max_fun: int
    layers: Any
    dropout: Any
    clip_norm: float | None
    clip_value: float | None
    scoring: Any
    callbacks: Any
    progress: Any
    dtype: str
    engine: Any
    threads: int | None

    # --- what a subclass adds -----------------------------------------------------------------

    def _loss(self) -> Loss:
        raise NotImplementedError(f"{type(self).__name__} defines no _loss")

    def _output_count(self, loss: Loss) -> int:
        raise NotImplementedError(f"{type(self).__name__} defines no _output_count")

    def _score_of(self, x: Any, y: Any, weight: Array | None) -> float:
        raise NotImplementedError(f"{type(self).__name__} defines no _score_of")

    def _decode(self, y: Array) -> Array:
        """Actual values as scores take them, out of what the network takes."""
        raise NotImplementedError(f"{type(self).__name__} defines no _decode")

    def _stratified_by(self, y: Array) -> Array | None:
        """Classes that both parts shall hold alike when some samples are set aside."""
        return None

    def _reported_loss(self, loss: float, penalty: float) -> float:
        """What the loss curve shows of an epoch's loss."""
        return loss

    # --- a new network ------------------------------------------------------------------------

    def _takes_images(self) -> bool:
        return self.layers is not None

    def _dtype_for(self, x: Any) -> Any:
        return x.dtype if self.dtype == "auto" else self.dtype

    def _new_network(
        self, input_shape: Shape, dtype: np.dtype[Any], random: np.random.RandomState
    ) -> NeuralNetwork:
        loss = self._loss()
        sizes = parts.hidden_sizes(self.hidden_layer_sizes)
        if self.layers is None:
            hidden = parts.hidden_layers(sizes, self.activation, self.dropout)
        else:
            hidden = parts.own_layers(self.layers, input_shape)
        optimizer = parts.optimizer_of(self)
        only_dense = all(
            type(layer) is Dense and layer.activation.name in starting.GLOROTS for layer in hidden
        )
        network = NeuralNetwork(
            *hidden,
            parts.output_layer(self._output_count(loss), loss),
            loss=loss,
            optimizer=optimizer,
            seed=0 if only_dense else starting.draw_seed(random),
            dtype=str(dtype),
            inputs=input_shape,
            engine=parts.engine_of(self.engine, self.threads),
        )
        if self.layers is None:
            starting.draw_start(network, random)
        self._begin_books(network)
        return network

    def _begin_books(self, network: NeuralNetwork) -> None:
        self._books = Books()
        self.n_iter_ = self.t_ = 0
        self.n_outputs_ = network.output_shape[-1]
        counted = [layer for layer in network.layers if not isinstance(layer, Dropout)]
        self.n_layers_ = len(counted) + 1
        self.out_activation_ = self._output_name(network)

    def _output_name(self, network: NeuralNetwork) -> str:
        last = network.loss.last_activation or network.layers[-1].activation
        name = "identity" if last is None else last.name
        return _OUTPUT_NAMES.get(name, name)

    def _check_network_fits(self) -> None:
        """Refuse to go on with a network that the parameters describe no more."""
        if self.layers is not None:
            return
        sizes = parts.hidden_sizes(self.hidden_layer_sizes)
        dense = [layer for layer in self.network_.layers if isinstance(layer, Dense)]
        there = [layer.outputs for layer in dense[:-1]]
        if sizes != there:
            raise InvalidShape(
                f"hidden_layer_sizes is {tuple(sizes)}, and the network to go on with has "
                f"{tuple(there)}. Set it back, or call fit with warm_start=False."
            )

    # --- training -----------------------------------------------------------------------------

    def _train(self, samples: Samples, validation: Validation | None, incremental: bool) -> None:
        Descent(self, incremental).run(samples, validation)

    def _check_goes_on(self) -> bool:
        """Whether ``partial_fit`` can do anything with this solver."""
        if self.solver == "lbfgs" or isinstance(self.solver, LBFGS):
            raise AttributeError(
                "partial_fit needs a solver that makes steps on batches; 'lbfgs' takes all "
                "samples in every iteration. Use 'adam' or 'sgd'."
            )
        return True

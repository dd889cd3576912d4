"""The multilayer perceptron: scikit-learn's parameters, and what people wished for beside them."""

from __future__ import annotations

import copy
import math
import numbers
import warnings
from collections.abc import Callable
from typing import Any, ClassVar

import numpy as np

from chainrule.activation import Activation
from chainrule.engines.choice import Engine
from chainrule.errors import InvalidData, InvalidSetting, InvalidShape
from chainrule.estimators import parts, starting, weights
from chainrule.estimators.base import NetworkEstimator, Validation
from chainrule.estimators.bookkeeping import Bookkeeper, Books, Rules, warn_of_interrupt
from chainrule.estimators.scikit_learn import (
    ConvergenceWarning,
    Interval,
    Options,
    StrOptions,
    get_scorer,
    train_test_split,
)
from chainrule.estimators.sparse import SparseInputs
from chainrule.layer import Array, Shape
from chainrule.layers.dense import Dense
from chainrule.loss import Loss
from chainrule.network import NeuralNetwork
from chainrule.optimizer import Optimizer
from chainrule.optimizers import LBFGS
from chainrule.samples import Samples
from chainrule.schedules import Schedule
from chainrule.training.callbacks import Callback
from chainrule.training.full_batch import ALL_DONE, NO_WAY_DOWN
from chainrule.training.loop import TrainingLoop
from chainrule.training.plan import Plan, columns

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

    def _stratified_by(self, y: Array) -> Array | None:
        """Classes that both parts shall hold alike when some samples are set aside."""
        return None

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
        self.n_layers_ = len([layer for layer in network.layers if isinstance(layer, Dense)]) + 1
        if self.layers is not None:
            self.n_layers_ = len(network.layers) + 1
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
        if incremental and self.early_stopping:
            raise InvalidSetting(
                "partial_fit makes one epoch, so early_stopping=True has nothing to stop. Set "
                "early_stopping=False."
            )
        network = self.network_
        if not incremental or not hasattr(self, "_rates"):
            self._begin_descent(network)
        full_batch = isinstance(network.optimizer, LBFGS)
        if self.early_stopping and not full_batch and validation is None:
            samples, validation = self._set_aside(samples)
        batch_size = len(samples) if full_batch else self._batch_size(len(samples))
        network.l2 = self.alpha / (2 * batch_size)
        orders = starting.Orders(len(samples), self._random_state)
        shuffles = bool(self.shuffle) and not full_batch
        bookkeeper = self._bookkeeper(samples, validation, full_batch)
        plan = Plan(
            epochs=1 if incremental else int(self.max_iter),
            batch_size=batch_size,
            shuffle=shuffles,
            augment=(),
            metrics=(),
            callbacks=[bookkeeper, *self._own_callbacks()],
            progress=self.progress,
            schedule=self._rates,
            order=orders if shuffles else None,
            penalties_for=float(batch_size),
        )
        held_out = None if validation is None else validation.samples
        for callback in plan.callbacks:
            callback.check(columns(plan, held_out is not None))
        loop = TrainingLoop(network, samples, held_out, plan)
        bookkeeper.loop = loop
        loop.run()
        self._close(loop, bookkeeper)
        if shuffles and batch_size == len(samples) and not self._owns_random_state():
            for _ in range(bookkeeper.epochs):  # the order does not matter; what is drawn next does
                orders()
        self._warn(loop, incremental)

    def _begin_descent(self, network: NeuralNetwork) -> None:
        """Give the network what steps it: each ``fit`` begins anew, ``partial_fit`` goes on."""
        network.engine = parts.engine_of(self.engine, self.threads)
        network.optimizer = parts.optimizer_of(self)
        self._rates = parts.schedule_of(self)
        if isinstance(network.optimizer, LBFGS) and self.layers is None and np.any(self.dropout):
            raise InvalidSetting(
                "solver='lbfgs' measures the same loss again and again, and dropout makes another "
                "one each time. Use solver='adam', or dropout=0."
            )

    def _batch_size(self, count: int) -> int:
        if isinstance(self.batch_size, str):
            return min(_AUTO_BATCH, count)
        if self.batch_size > count:
            warnings.warn(
                f"batch_size={self.batch_size} is larger than the {count} samples to train on; "
                "all of them make one batch.",
                stacklevel=5,
            )
        return int(min(self.batch_size, count))

    def _set_aside(self, samples: Samples) -> tuple[Samples, Validation]:
        """Part the samples into those to train on and those to measure on."""
        rows, aside = train_test_split(
            np.arange(len(samples)),
            random_state=self._random_state,
            test_size=self.validation_fraction,
            stratify=self._stratified_by(samples.y),
        )
        if len(aside) < 2:
            raise InvalidData(
                f"validation_fraction={self.validation_fraction} of {len(samples)} samples sets "
                f"{len(aside)} aside; expected two or more to measure on."
            )
        held_out = samples.rows(aside)
        x = held_out.x.source[aside] if isinstance(held_out.x, SparseInputs) else held_out.x
        actual = self._decode(held_out.y)
        return samples.rows(rows), Validation(held_out, x, actual, held_out.weight)

    def _decode(self, y: Array) -> Array:
        """Actual values as scores take them, out of what the network takes."""
        raise NotImplementedError(f"{type(self).__name__} defines no _decode")

    def _bookkeeper(
        self, samples: Samples, validation: Validation | None, full_batch: bool
    ) -> Bookkeeper:
        stops_early = self.early_stopping and not full_batch
        books = self._books.copy()
        if validation is not None and books.scores is None:
            books.scores, books.validation_losses = [], []
        if stops_early and books.best_score is None:
            books.best_score, books.best_loss = -math.inf, None
        tol = -math.inf if full_batch else self.tol  # L-BFGS has its own ways to end
        rules = Rules(tol, self.n_iter_no_change, stops_early, self.verbose)
        rate = self._rates if isinstance(self._rates, parts.EpochRate) else None
        next_rate = self._scaled_rate if self.learning_rate == "invscaling" else None
        measure = None if validation is None else self._measure_of(validation)
        reported = self._reported_loss
        return Bookkeeper(books, rules, len(samples), rate, next_rate, measure, reported)

    def _scaled_rate(self, seen: int) -> float:
        """Learning rate after so many samples: η / (t + 1)^power_t."""
        return float(self.learning_rate_init) / (seen + 1) ** self.power_t

    def _measure_of(self, validation: Validation) -> Callable[[], float]:
        """What measures the score on those samples."""
        x, y, weight = validation.x, validation.y, validation.weight
        if self.scoring is None:
            return lambda: self._score_of(x, y, weight)
        if self.scoring == "loss":
            return lambda: -float(self.network_.scores(validation.samples, ())["loss"])
        scorer = get_scorer(self.scoring) if isinstance(self.scoring, str) else self.scoring
        weighted = {} if weight is None else {"sample_weight": weight}

        def measure() -> float:
            named = self.__dict__.pop("feature_names_in_", None)  # these rows have lost their names
            try:
                return float(scorer(self, x, y, **weighted))
            finally:
                if named is not None:
                    self.feature_names_in_ = named

        return measure

    def _reported_loss(self, loss: float, penalty: float) -> float:
        """What the loss curve shows of an epoch's loss."""
        return loss

    def _own_callbacks(self) -> list[Callback]:
        given = [self.callbacks] if isinstance(self.callbacks, Callback) else list(self.callbacks)
        for callback in given:
            if not isinstance(callback, Callback):
                raise InvalidSetting(
                    f"callbacks holds {callback!r}; expected Callback objects. A plain function "
                    "goes in as OnEpoch(function)."
                )
        return copy.copy(given)

    def _close(self, loop: TrainingLoop, bookkeeper: Bookkeeper) -> None:
        """Set what the training leaves behind."""
        network, books = self.network_, bookkeeper.books
        if bookkeeper.best_storage is not None:
            network.parameter_vector.storage[...] = bookkeeper.best_storage
        self._books = books
        self.n_iter_, self.t_ = bookkeeper.epochs, books.seen
        self.loss_ = books.losses[-1] if books.losses else math.nan
        if loop.ending is not None:
            squares = sum(float(np.vdot(w, w)) for w in weights.views(network, "weights"))
            scale = loop.batches.penalty_scale(loop.samples)
            self.loss_ = self._reported_loss(loop.ending.loss, network.l2 * scale * squares)
            self.t_ = 0
        self.loss_curve_ = books.losses
        self.validation_scores_ = books.scores
        self.validation_loss_curve_ = books.validation_losses
        self.best_loss_, self.best_validation_score_ = books.best_loss, books.best_score
        loop.history.forget()
        network.last_history = loop.history
        self.history_ = loop.history

    def _warn(self, loop: TrainingLoop, incremental: bool) -> None:
        reason = loop.history.stopped_because
        warn_of_interrupt(loop.history)
        if isinstance(self.network_.optimizer, LBFGS):
            if reason in (ALL_DONE, NO_WAY_DOWN):
                warnings.warn(
                    f"lbfgs has not converged after {self.n_iter_} iterations ({reason}). Give it "
                    f"more (max_iter={self.max_iter}, max_fun={self.max_fun}), or scale the data.",
                    ConvergenceWarning,
                    stacklevel=5,
                )
        elif not incremental and reason.startswith("all "):
            warnings.warn(
                f"Stochastic optimizer: the maximum of {self.max_iter} iterations is reached, and "
                "the training has not converged yet.",
                ConvergenceWarning,
                stacklevel=5,
            )

    def _owns_random_state(self) -> bool:
        """Whether nobody else draws from this fit's random numbers."""
        return isinstance(self.random_state, numbers.Integral)

    def _check_goes_on(self) -> bool:
        """Whether ``partial_fit`` can do anything with this solver."""
        if self.solver == "lbfgs" or isinstance(self.solver, LBFGS):
            raise AttributeError(
                "partial_fit needs a solver that makes steps on batches; 'lbfgs' takes all "
                "samples in every iteration. Use 'adam' or 'sgd'."
            )
        return True

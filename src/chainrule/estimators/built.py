"""Estimators around a network that a function builds: its arguments are parameters as well."""

from __future__ import annotations

import inspect
import warnings
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from chainrule import arguments, checks
from chainrule.errors import InvalidSetting
from chainrule.estimators.base import NetworkEstimator, Validation
from chainrule.estimators.build_function import Given, arguments_of, call, unknown
from chainrule.estimators.starting import draw_seed
from chainrule.layer import Shape
from chainrule.network import NeuralNetwork
from chainrule.samples import Samples
from chainrule.stored import is_image
from chainrule.training.callbacks import Callback, EarlyStopping
from chainrule.training.interrupt import INTERRUPTED

if TYPE_CHECKING:
    from chainrule.training.history import History


class BuiltNetwork(NetworkEstimator):
    """Parameters and training of ``NetworkClassifier``, which tells them, and of its regressor.

    Attributes
    ----------
    history_ : History
    loss_ : float
    loss_curve_ : list of float
    n_iter_ : int
    """

    history_: History
    loss_curve_: list[float]
    _built_with: str  # the arguments of the network that is there
    _rows: int  # of the fit under way, and whether each is more than a row of numbers
    _is_many: bool

    def __init__(
        self,
        build: Callable[..., NeuralNetwork],
        *,
        epochs: int = 100,
        batch_size: int | None = 32,
        shuffle: bool = True,
        validation: float | None = None,
        patience: int | None = None,
        augment: Any = (),
        metrics: Sequence[Any] = (),
        callbacks: Sequence[Callback] = (),
        random_state: Any = None,
        warm_start: bool = False,
        verbose: bool = False,
        **chosen: Any,
    ) -> None:
        if wrong := unknown(build, chosen):
            raise TypeError(wrong)  # as for every argument that a function does not have
        self.build = build
        self.epochs = epochs
        self.batch_size = batch_size
        self.shuffle = shuffle
        self.validation = validation
        self.patience = patience
        self.augment = augment
        self.metrics = metrics
        self.callbacks = callbacks
        self.random_state = random_state
        self.warm_start = warm_start
        self.verbose = verbose
        self._chosen = chosen

    # --- the function's arguments are parameters as well ------------------------------------

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """Return all parameters by name, with those of ``build``."""
        defaults = {
            name: default
            for name, default in arguments_of(self.build).items()
            if default is not inspect.Parameter.empty
        }
        return defaults | self._chosen | super().get_params(deep=deep)

    def set_params(self, **params: Any) -> Self:
        """Change parameters, also those of ``build``.

        Raises
        ------
        InvalidSetting
            For one that is not there; then none is changed.
        """
        own = set(self._get_param_names())
        build = params.get("build", self.build)
        kept = {name: value for name, value in self._chosen.items() if not unknown(build, [name])}
        chosen = {name: value for name, value in params.items() if name not in own}
        if wrong := unknown(build, chosen):
            raise InvalidSetting(f"{wrong} {type(self).__name__} has {', '.join(sorted(own))}.")
        super().set_params(**{name: value for name, value in params.items() if name in own})
        self._chosen = kept | chosen
        return self

    # --- what the base asks for -------------------------------------------------------------

    def _outputs_needed(self) -> int:
        """Number of classes, or columns of y: what ``build`` is given as ``outputs``."""
        raise NotImplementedError(f"{type(self).__name__} defines no _outputs_needed")

    def _suitable_loss(self) -> str:
        """Name of a loss that learns such y: what ``build`` is given as ``loss``."""
        raise NotImplementedError(f"{type(self).__name__} defines no _suitable_loss")

    def _check_network(self, network: NeuralNetwork) -> None:
        """Refuse a network that does not fit y."""
        raise NotImplementedError(f"{type(self).__name__} defines no _check_network")

    def _takes_images(self) -> bool:
        return self._is_many

    def _check_xy(self, X: Any, y: Any, *, reset: bool) -> tuple[Any, Any]:
        self._is_many = getattr(X, "ndim", 2) > 2
        x, y = super()._check_xy(_brightness(X), y, reset=reset)
        if reset:
            self._rows = x.shape[0]
        return x, y

    def _check_x(self, X: Any) -> Any:
        return super()._check_x(_brightness(X))

    def _new_network(
        self, input_shape: Shape, dtype: np.dtype[Any], random: np.random.RandomState
    ) -> NeuralNetwork:
        chosen = self.random_state
        seed = int(chosen) if isinstance(chosen, int | np.integer) else draw_seed(random)
        given = Given(
            inputs=input_shape[0] if len(input_shape) == 1 else input_shape,
            outputs=self._outputs_needed(),
            loss=self._suitable_loss(),
            samples=self._rows,
            epochs=checks.whole_number("epochs", self.epochs),
            seed=seed,
        )
        if twice := set(self._get_param_names()) & arguments_of(self.build).keys():
            raise InvalidSetting(
                f"build has an argument {min(twice)!r}, and so has {type(self).__name__}: nobody "
                "could say which is meant. Call it something else in the function."
            )
        # A copy, in case the function gives the same network each time.
        network = call(self.build, self._chosen, given).copy()
        network.seed = seed
        network.build(input_shape)
        self._check_network(network)
        self._built_with = repr(self._chosen)
        return network

    def _check_network_fits(self) -> None:
        if repr(self._chosen) != self._built_with:
            raise InvalidSetting(
                f"The network to go on with was built with {self._built_with}, and the parameters "
                f"are now {self._chosen}. Set them back, or call fit with warm_start=False."
            )

    def _train(self, samples: Samples, validation: Validation | None, incremental: bool) -> None:
        network = self.network_
        measured: Any = None if incremental else self.validation
        if validation is not None:
            held_out = validation.samples
            measured = (held_out.x[:], held_out.y, held_out.weight)
        callbacks = arguments.check_callbacks(self.callbacks)
        if self.patience is not None and not incremental:
            callbacks.append(EarlyStopping(patience=self.patience))
        history = network.fit(
            samples.x[:],
            samples.y,
            epochs=1 if incremental else checks.whole_number("epochs", self.epochs),
            batch_size=self.batch_size,
            shuffle=self.shuffle,
            validation=measured,
            sample_weight=samples.weight,
            augment=self.augment,
            metrics=self.metrics,
            callbacks=callbacks,
            progress="auto" if checks.flag("verbose", self.verbose) else False,
        )
        history.forget()  # the data
        if history.stopped_because == INTERRUPTED:
            warnings.warn("Training interrupted by user.", stacklevel=5)
        before = getattr(self, "loss_curve_", []) if incremental or self.warm_start else []
        self.history_ = history
        self.loss_curve_ = [*before, *history.epochs["loss"]]
        if self.loss_curve_:  # or Ctrl-C came in the first epoch
            self.loss_ = self.loss_curve_[-1]
        self.n_iter_ = len(self.loss_curve_)


def _brightness(x: Any) -> Any:
    """Images kept as bytes with numbers from 0 to 1, as every network sees them; others as is."""
    images = isinstance(x, np.ndarray) and is_image(x)
    return np.divide(x, 255, dtype=np.float32) if images else x

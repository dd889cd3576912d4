"""Parameters of the constructor that cannot be used; ``fit`` tells them, as in scikit-learn."""

from __future__ import annotations

from typing import Any

import numpy as np

from bad_estimator_calls.call import LABELS, NUMBERS, BadCall, X, classifier, fit, regressor

NAN, INFINITY = float("nan"), float("inf")

# Each of these is refused by scikit-learn as well.
_VALUES: dict[str, tuple[Any, ...]] = {
    "hidden_layer_sizes": (0, -1, (4, 0), (4, -2), "100", 4.5, None),
    "activation": ("reluu", None, 3),
    "solver": ("newton", None, 1),
    "alpha": (-1, NAN, "0.1", None),
    "batch_size": (0, -1, "all", 1.5, None),
    "learning_rate": ("fast", None, 0.1),
    "learning_rate_init": (0, -0.1, NAN, "0.1", None),
    "power_t": (-1, "0.5", None),
    "max_iter": (0, -1, 1.5, "many", None),
    "shuffle": ("yes", None, 2.0),
    "random_state": (-1, "seed", 1.5),
    "tol": (-1e-4, NAN, "small", None),
    "verbose": ("yes", -1, None),
    "warm_start": ("yes", None),
    "momentum": (-0.1, 1.1, NAN, "0.9"),
    "nesterovs_momentum": ("yes", None),
    "early_stopping": ("yes", None),
    "validation_fraction": (1.0, -0.1, 2, "0.1"),
    "beta_1": (1.0, -0.1, NAN),
    "beta_2": (1.0, -0.1, NAN),
    "epsilon": (0.0, -1e-8, NAN),
    "n_iter_no_change": (0, 1.5, -1, "ten"),
    "max_fun": (0, 1.5, -1, None),
}


def parameter_calls() -> list[BadCall]:
    """One call for each bad value of each parameter that scikit-learn has."""
    rows = [
        BadCall(f"{name}={value!r}", classifier(**{name: value}), fit(), ValueError, (name,))
        for name, values in _VALUES.items()
        for value in values
    ]
    rows += [
        BadCall(f"loss={value!r}", regressor(loss=value), fit(X, NUMBERS), ValueError, ("loss",))
        for value in ("squared", None, 2)
    ]
    return rows + _calls()


def _calls() -> list[BadCall]:
    return [
        BadCall(
            "a parameter that is not there",
            classifier(),
            lambda estimator: type(estimator)(hidden_layers=3),
            TypeError,
            ("hidden_layers",),
        ),
        BadCall(
            "parameters by place",
            classifier(),
            lambda estimator: type(estimator)((4,), "relu", "adam"),
            TypeError,
            ("positional",),
        ),
        BadCall(
            "set_params of a parameter that is not there",
            classifier(),
            lambda estimator: estimator.set_params(hidden_layers=3),
            ValueError,
            ("hidden_layers", "hidden_layer_sizes"),
        ),
        BadCall(
            "set_params of a parameter's parameter",
            classifier(),
            lambda estimator: estimator.set_params(alpha__beta=3),
            (ValueError, AttributeError),
            (),
        ),
        BadCall(
            "a bad parameter set afterwards",
            classifier(),
            lambda estimator: estimator.set_params(alpha=-1).fit(X, LABELS),
            ValueError,
            ("alpha",),
        ),
        BadCall(
            "a bad parameter in partial_fit",
            classifier(beta_1=2.0),
            lambda estimator: estimator.partial_fit(X, LABELS, classes=[0, 1, 2]),
            ValueError,
            ("beta_1",),
        ),
        BadCall(
            "hidden units that are no whole number",
            classifier(hidden_layer_sizes=(4.5,)),
            fit(),
            (ValueError, TypeError),
            ("hidden_layer_sizes",),
            shared=False,  # there an error about the random numbers
        ),
        BadCall(
            "hidden units that are nested",
            classifier(hidden_layer_sizes=((4, 2), (3, 1))),
            fit(),
            (ValueError, TypeError),
            ("hidden_layer_sizes",),
            shared=False,
        ),
        BadCall(
            "a random_state of another kind",
            classifier(random_state=np.random.default_rng(0)),
            fit(),
            ValueError,
            ("random_state",),
        ),
    ]

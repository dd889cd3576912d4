"""All that the estimators use of scikit-learn, in one place.

Some of it is private there and may move in a later version; then this file alone has to follow.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from chainrule.errors import MissingPackage, UnknownName

try:
    from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin, _fit_context
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.metrics import accuracy_score, get_scorer, get_scorer_names, r2_score
    from sklearn.model_selection import train_test_split
    from sklearn.preprocessing import LabelBinarizer
    from sklearn.utils import check_random_state, column_or_1d, metaestimators
    from sklearn.utils._param_validation import Interval, InvalidParameterError, Options, StrOptions
    from sklearn.utils.class_weight import compute_sample_weight
    from sklearn.utils.multiclass import (
        _check_partial_fit_first_call,
        type_of_target,
        unique_labels,
    )
    from sklearn.utils.validation import _check_sample_weight, check_is_fitted, validate_data
except ImportError as error:
    raise MissingPackage(
        f"The estimators need the package 'scikit-learn', which could not be imported ({error}). "
        'Install it with: pip install "chainrule[standard]"'
    ) from error

check_first_classes = _check_partial_fit_first_call
check_sample_weight = _check_sample_weight

Method = TypeVar("Method", bound=Callable[..., Any])


class UnknownParameter(UnknownName, InvalidParameterError):  # type: ignore[misc]  # no types there
    """A parameter's text names nothing; scikit-learn's own error for that, and chainrule's."""


def checks_parameters(method: Method) -> Method:
    """Let a method that fits check the estimator's parameters first."""
    found: Method = _fit_context(prefer_skip_nested_validation=True)(method)
    return found


def available_if(check: Callable[[Any], bool]) -> Callable[[Method], Method]:
    """Let an estimator have a method only where the check, given the estimator, says so."""
    found: Callable[[Method], Method] = metaestimators.available_if(check)
    return found


__all__ = [
    "BaseEstimator",
    "ClassifierMixin",
    "ConvergenceWarning",
    "Interval",
    "LabelBinarizer",
    "Options",
    "RegressorMixin",
    "StrOptions",
    "UnknownParameter",
    "accuracy_score",
    "available_if",
    "check_first_classes",
    "check_is_fitted",
    "check_random_state",
    "check_sample_weight",
    "checks_parameters",
    "column_or_1d",
    "compute_sample_weight",
    "get_scorer",
    "get_scorer_names",
    "r2_score",
    "train_test_split",
    "type_of_target",
    "unique_labels",
    "validate_data",
]

"""Wrong uses of the estimators: each is refused, with scikit-learn's type of error.

The calls stand in ``bad_estimator_calls``, in tables. Where scikit-learn refuses the same, it is
asked in the same test, and our error must be of its type.
"""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pandas as pd
import pytest
import sklearn.neural_network
from bad_estimator_calls.call import (
    LABELS,
    NUMBERS,
    ROWS,
    BadCall,
    X,
    classifier,
    fitted,
    regressor,
)
from bad_estimator_calls.data import weight_calls, x_calls, y_calls
from bad_estimator_calls.extras import extra_calls
from bad_estimator_calls.later import later_calls
from bad_estimator_calls.parameters import parameter_calls

import chainrule

CALLS = parameter_calls() + x_calls() + y_calls() + weight_calls() + later_calls() + extra_calls()


def refused(row: BadCall, estimator: Any) -> Exception:
    """Make the call; return the error."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what is told on the way to an error
        with pytest.raises(Exception) as caught:
            row.call(estimator)
    return caught.value


def state_of(estimator: Any) -> dict[str, Any]:
    """What a call that failed must leave as it was."""
    state: dict[str, Any] = {"fitted": sorted(name for name in vars(estimator) if name[-1] == "_")}
    if hasattr(estimator, "coefs_"):
        names = getattr(estimator, "feature_names_in_", None)
        x = X if names is None else pd.DataFrame(X, columns=names)
        state |= {"predictions": estimator.predict(x).tobytes(), "n_iter_": estimator.n_iter_}
    return state


@pytest.mark.parametrize("row", CALLS, ids=lambda row: row.name)
def test_it_is_refused_with_scikit_learns_type_of_error(row: BadCall) -> None:
    estimator = row.make(chainrule)
    before = state_of(estimator)
    ours = refused(row, estimator)
    message = str(ours)
    assert isinstance(ours, row.error), message
    if row.shared:
        theirs = refused(row, row.make(sklearn.neural_network))
        assert isinstance(ours, type(theirs)), (message, type(theirs), str(theirs))
    for word in row.words:
        assert word in message
    assert len(message) >= 15
    assert state_of(estimator) == before


def test_every_row_is_another_call() -> None:
    assert len({row.name for row in CALLS}) == len(CALLS) > 280


def test_the_estimators_take_what_is_right() -> None:
    """A table of errors proves nothing if everything is refused."""
    weight = np.ones(ROWS)
    for make, y in ((classifier(), LABELS), (regressor(), NUMBERS)):
        estimator = fitted(make)(chainrule).partial_fit(X, y, sample_weight=weight)
        assert np.isfinite(estimator.predict(X)).all()
        assert np.isfinite(estimator.loss_curve_).all()
        assert np.isfinite(estimator.score(X, y, sample_weight=weight))

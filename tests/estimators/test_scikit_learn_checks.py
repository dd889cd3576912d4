"""scikit-learn's own checks of what an estimator must do: all pass, none is exempted."""

from __future__ import annotations

import os
import subprocess
import sys
import warnings
from collections import Counter
from typing import Any

import pytest
from sklearn.utils.estimator_checks import check_estimator

import chainrule as cr

# The first runs only with a variable that is set before SciPy loads; see the last test. The other
# one is about ``decision_function``, which scikit-learn's perceptron does not have either.
SKIPPED = {
    "check_array_api_input",
    "check_classifiers_multilabel_output_format_decision_function",
}


def results(estimator: Any) -> list[dict[str, Any]]:
    """What each check found."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found: list[dict[str, Any]] = check_estimator(estimator, on_fail=None, on_skip=None)
    return found


@pytest.mark.sweep(sample=2)
@pytest.mark.parametrize("kind", [cr.MLPClassifier, cr.MLPRegressor])
@pytest.mark.parametrize("engine", ["reference", "compiled"])
def test_all_checks_pass(kind: type[Any], engine: str) -> None:
    found = results(kind(engine=engine))
    others = {check["check_name"]: check for check in found if check["status"] != "passed"}
    assert set(others) <= SKIPPED
    assert all(check["status"] == "skipped" for check in others.values())
    assert len(found) - len(others) >= (66 if kind is cr.MLPClassifier else 59)
    assert not any(check["expected_to_fail"] for check in found)


@pytest.mark.sweep(sample=0)
@pytest.mark.parametrize("kind", ["MLPClassifier", "MLPRegressor"])
def test_nothing_is_skipped_where_arrays_of_others_are_allowed(kind: str) -> None:
    program = (
        f"import chainrule as cr; from estimators.test_scikit_learn_checks import *; "
        f"print(Counter(check['status'] for check in results(cr.{kind}())))"
    )
    found = subprocess.run(
        [sys.executable, "-c", program],
        env=os.environ | {"SCIPY_ARRAY_API": "1", "PYTHONPATH": os.pathsep.join(sys.path)},
        check=True,
        capture_output=True,
        text=True,
    ).stdout.strip()
    expected = {"MLPClassifier": {"passed": 67, "skipped": 1}, "MLPRegressor": {"passed": 60}}
    assert found == repr(Counter(expected[kind]))

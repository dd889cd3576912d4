"""Each example runs with scikit-learn's own classes, which proves the test, and with ours."""

from __future__ import annotations

import importlib
from types import ModuleType

import pytest


@pytest.fixture(params=["sklearn.neural_network", "chainrule"])
def neural_network(request: pytest.FixtureRequest) -> ModuleType:
    """The module that MLPClassifier and MLPRegressor are imported from: nothing else changes."""
    return importlib.import_module(request.param)

from __future__ import annotations

import sys

import numpy as np
import pytest

import chainrule as cr
from chainrule.data import bundled
from chainrule.errors import MissingPackage, UnknownName

SHAPES = {
    "breast_cancer": (569, 30),
    "diabetes": (442, 10),
    "digits": (1797, 64),
    "iris": (150, 4),
    "wine": (178, 13),
}


@pytest.mark.parametrize("name", bundled.NAMES)
def test_arrays_and_table_hold_the_same_samples(name: str) -> None:
    X, y = cr.data.load(name)
    table = bundled.load_table(name)
    assert X.shape == SHAPES[name]
    assert y.shape == (len(X),)
    assert y.dtype == (np.float64 if name == "diabetes" else np.int64)
    assert np.array_equal(table.drop(columns=bundled.TARGET).to_numpy(), X)


def test_classes_have_names_in_the_table() -> None:
    assert set(bundled.load_table("iris")["target"]) == {"setosa", "versicolor", "virginica"}
    assert set(bundled.load_table("digits")["target"]) == set("0123456789")


def test_an_unknown_name_gets_the_nearest() -> None:
    with pytest.raises(UnknownName, match=r"'irs'\. Did you mean 'iris'\? Known: breast_cancer"):
        cr.data.load("irs")
    with pytest.raises(UnknownName, match=r"'penguins'\. Known"):
        cr.data.load("penguins")


def test_without_scikit_learn(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "sklearn.datasets", None)
    with pytest.raises(MissingPackage, match=r"The data set 'iris' needs the package 'sklearn'"):
        cr.data.load("iris")

"""Asking an explanation: layers, arrays, numbers, and what is not there."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import chainrule as cr
from chainrule.explain import Explanation
from explain.small_networks import X, Y, network


@pytest.fixture
def explanation() -> Explanation:
    return network().explain(X, Y)


def test_layers_by_name_and_by_number(explanation: Explanation) -> None:
    assert explanation["layer 2"].layer is explanation[1].layer is explanation[-1].layer
    assert list(explanation.layers) == ["layer 1", "layer 2"]
    block = network(cr.Residual(cr.Dense(3, activation="tanh"), cr.Dense(3)), cr.Dense(2))
    inside = block.explain(X, Y)
    assert list(inside.layers) == ["layer 1.1", "layer 1.2", "layer 1", "layer 2"]
    assert repr(inside["layer 1.2"].layer) == "Dense(3)"
    assert repr(inside[1].layer) == "Dense(2)"  # numbers count the outer ones


@pytest.mark.parametrize("wrong", ["layer 3", "layer", "Layer 1", 2, -3, None, 1.0, ("layer 1",)])
def test_a_layer_that_is_not_there(explanation: Explanation, wrong: Any) -> None:
    with pytest.raises(cr.InvalidInput, match=r"has no layer .*'layer 1', 'layer 2'"):
        explanation[wrong]
    with pytest.raises(cr.InvalidInput, match="Did you mean 'layer 1'"):
        explanation["layer1"]


def test_indices_count_as_in_numpy(explanation: Explanation) -> None:
    weights = explanation["layer 1"].weights
    assert weights.shape == (3, 4)
    for index in [(0, 2), (-1, -2), (np.int64(1), np.uint8(3))]:
        assert weights[index].value == weights.values[index]
    assert weights[-1, -2].name == "W₁[2, 2]"
    assert explanation["layer 1"].bias[-1].name == "b₁[3]"
    assert float(weights[0, 2]) == weights.values[0, 2]


@pytest.mark.parametrize(
    "wrong",
    [0, (0,), (0, 1, 2), (3, 0), (0, 4), (-4, 0), "a", ("0", 0), (0.0, 1), (None, 0), slice(2),
     (slice(None), 0), (), ..., ([0, 1], 0)],
    ids=repr,
)  # fmt: skip
def test_an_index_that_is_none(explanation: Explanation, wrong: Any) -> None:
    with pytest.raises(cr.InvalidInput, match=r"W₁ received the index .*axes \(3, 4\)"):
        explanation["layer 1"].weights[wrong]


def test_an_attribute_that_is_not_there(explanation: Explanation) -> None:
    layer = explanation["layer 1"]
    with pytest.raises(AttributeError, match=r"no 'weigths'.*Did you mean 'weights'.*It has z, a"):
        layer.weigths  # noqa: B018 - asking is what fails
    with pytest.raises(AttributeError, match="no 'chosen'"):
        layer.chosen  # noqa: B018
    assert {"weights", "bias", "z", "a", "x", "d_weights", "new_bias"} <= set(dir(layer))
    for name in layer.names:
        assert getattr(layer, name).values.size
    assert not hasattr(layer, "__wrapped__")


def test_what_has_no_gradient_and_no_update(explanation: Explanation) -> None:
    for tensor in (explanation.y, explanation.terms, explanation["layer 1"].weights.gradient):
        with pytest.raises(cr.InvalidInput, match="has no gradient of its own"):
            tensor.gradient  # noqa: B018
    for tensor in (explanation.x, explanation["layer 1"].z):
        with pytest.raises(cr.InvalidInput, match=r"has no update of its own.*There are"):
            tensor.updated  # noqa: B018
    with pytest.raises(cr.InvalidInput, match="has no gradient"):
        explanation.loss.gradient  # noqa: B018


def test_arrays_are_arrays(explanation: Explanation) -> None:
    weights = explanation["layer 1"].weights
    np.testing.assert_array_equal(np.asarray(weights), weights.values)
    assert np.asarray(weights, dtype="float32").dtype == np.float32
    weights.values[...] = 0  # a copy
    assert explanation["layer 1"].weights[0, 0].value != 0
    assert weights.norm == 0
    assert weights.name == "W₁"


def test_given_numbers_have_no_formula(explanation: Explanation) -> None:
    for quantity in (explanation.x[0, 0], explanation.y[0, 0], explanation["layer 1"].bias[0]):
        assert quantity.expression is None
        assert quantity.formula == quantity.substitution == ""
        assert quantity.parts == []
        assert quantity.computed == quantity.value
        assert quantity.chain is None
        assert quantity.finite_difference is None
        assert quantity.rests == {}

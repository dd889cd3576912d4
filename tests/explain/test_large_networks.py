"""Explanations of large networks stay readable; long sums are shortened."""

from __future__ import annotations

import json

import numpy as np
import pytest

import chainrule as cr
from chainrule.explain import Explanation
from explain.agreement import arrays
from explain.small_networks import X, Y, network


@pytest.fixture(scope="module")
def digits() -> Explanation:
    """Of a 784-128-10 network."""
    net = cr.NeuralNetwork(
        cr.Dense(128, activation="relu"), cr.Dense(10), loss="softmax_cross_entropy", inputs=784
    )
    return net.explain(np.random.default_rng(0).random((2, 784)), [3, 7])


@pytest.fixture(scope="module")
def small_cnn() -> Explanation:
    net = cr.models.small_cnn(inputs=(28, 28, 1))
    return net.explain(np.random.default_rng(0).random((2, 28, 28, 1)), [3, 7])


@pytest.mark.parametrize("name", ["digits", "small_cnn"])
def test_explanations_of_large_networks_stay_readable(
    name: str, request: pytest.FixtureRequest
) -> None:
    explanation: Explanation = request.getfixturevalue(name)
    assert len(explanation.quantities()) < 400  # equations in the whole document
    assert len(explanation.to_html().encode()) < 2_000_000
    assert len(str(explanation).splitlines()) < 4_000
    data = json.loads(explanation.to_json())
    assert data["loss"] == explanation.loss.value
    for quantity in explanation.quantities():
        assert len(quantity.short_parts) <= 60
    biggest = explanation["layer 1"].weights.gradient
    index = np.unravel_index(int(np.abs(biggest.values).argmax()), biggest.shape)
    gradient = biggest[tuple(map(int, index))]
    assert gradient.computed == pytest.approx(gradient.value, rel=1e-4)
    assert gradient.finite_difference == pytest.approx(gradient.value, rel=1e-3)
    assert len(str(gradient).splitlines()) < 200


def test_long_sums_are_shortened_without_changing_their_value(digits: Explanation) -> None:
    z = digits["layer 1"].z[0, 5]
    parts = [part.value for part in z.parts]
    assert len(parts) == 2 * 784 + 1
    assert len(z.short_parts) == 2 * 5 + 1
    assert list(z.rests) == ["more_terms"]
    kept = [x * weight for x, weight in zip(parts[:-1:2], parts[1:-1:2], strict=True)]
    largest = sorted(kept, key=abs)[-5:]
    assert z.rests["more_terms"] == pytest.approx(sum(kept) - sum(largest), rel=1e-9, abs=1e-12)


def test_everything_about_every_array_can_be_printed() -> None:
    net = network(
        cr.Dense(4, activation="relu"), cr.BatchNorm(), cr.Dropout(0.4), cr.Dense(2),
        optimizer=cr.Adam(weight_decay=0.1, clip_norm=0.1), l1=0.1,
    )  # fmt: skip
    explanation = net.explain(X, Y, sample_weight=[1, 2, 3, 4])
    for tensor in arrays(explanation):
        text = str(tensor)
        assert tensor.name in text
        assert "None" not in text
        assert str(tensor[tensor.first])
    for layer in explanation.layers.values():
        assert "Feedforward" in str(layer)

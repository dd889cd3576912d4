"""Explaining changes nothing, and nothing changes an explanation."""

from __future__ import annotations

import copy
import pickle
from typing import Any

import numpy as np
import pytest

import chainrule as cr
from explain.agreement import assert_every_number, equations
from explain.small_networks import X, Y, network


def state(net: cr.NeuralNetwork) -> bytes:
    """Everything that training changes, and every setting, in bytes."""
    training = net.training_state
    return pickle.dumps(
        (
            net.parameter_vector.storage.tobytes(),
            {name: v.tobytes() for name, v in training.optimizer.vectors.items()},
            (training.optimizer.step, training.step, training.epoch, training.schedule),
            repr(net),
        )
    )


EVERYTHING: list[tuple[str, Any]] = [
    ("printed", str),
    ("as a page", lambda e: e.to_html()),
    ("as data", lambda e: e.to_json()),
    ("every number", lambda e: [str(q) for q in equations(e, 1, np.random.default_rng(0))]),
    ("every difference", lambda e: e["layer 1"].weights[0, 0].gradient.finite_difference),
    ("after the update", lambda e: e.loss_after_update),
]


@pytest.mark.parametrize(("what", "ask"), EVERYTHING, ids=[what for what, _ in EVERYTHING])
def test_the_network_stays_as_it_is(what: str, ask: Any) -> None:
    net = network(
        cr.Dense(4), cr.BatchNorm(), cr.Dropout(0.5), cr.Dense(2), optimizer="adam", l2=0.1
    )
    net.fit(X, Y, epochs=2, batch_size=2, progress=False)
    twin = copy.deepcopy(net)
    before = state(net)
    ask(net.explain(X, Y))
    assert state(net) == before
    net.fit(X, Y, epochs=2, batch_size=2, progress=False)  # and goes on as if nothing had been
    twin.fit(X, Y, epochs=2, batch_size=2, progress=False)
    assert state(net) == state(twin)


def test_an_explanation_stays_as_it_is() -> None:
    """Whatever happens to the network and to the arrays it was made from."""
    x, y, weight = X.copy(), Y.copy(), np.array([1.0, 2.0, 3.0, 4.0])
    net = network(cr.Dense(4, activation=cr.ELU(0.5)), cr.Dense(2), optimizer=cr.Adam(0.1), l2=0.1)
    net.fit(x, y, epochs=1, progress=False)
    explanation = net.explain(x, y, sample_weight=weight)
    expected = net.explain(x.copy(), y.copy(), sample_weight=weight.copy()).to_json()
    net.fit(x, y, epochs=3, progress=False)
    net.parameters[...] = 0
    net.layers[0].activation.alpha = 0.9
    net.optimizer.mean_decay = 0.5
    net.l2 = 0.7
    x[...], y[...], weight[...] = 9, 9, 9
    assert explanation.to_json() == expected
    assert_every_number(explanation)


def test_an_explanation_says_the_same_whenever_it_is_asked() -> None:
    net = network(cr.Dropout(0.5), cr.Dense(2))
    assert str(net.explain(X, Y)) == str(net.explain(X, Y))
    net.fit(X, Y, epochs=1, progress=False)  # another step has another mask
    first, second = (net.explain(X, Y)["layer 1"].mask.values for _ in range(2))
    np.testing.assert_array_equal(first, second)

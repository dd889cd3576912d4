"""Layers that move numbers about, between others, in blocks and shards."""

from __future__ import annotations

import pytest
from contracts.examples import random_for
from contracts.training import cut_finely, train_alike

import chainrule as cr


@pytest.mark.parametrize(
    "layers",
    [
        (cr.Reshape((4, 5, 3)), cr.ZeroPad(((2, 0), (1, 3))), cr.Flatten(), cr.Dense(3)),
        (cr.Reshape((5, 4, 3)), cr.UpSample((3, 2)), cr.Flatten(), cr.Dense(3)),
        (cr.Dense(60, "tanh"), cr.Reshape((5, 4, 3)), cr.UpSample(2), cr.Flatten(), cr.Dense(3)),
        (cr.Dense(60), cr.Reshape((5, 4, 3)), cr.ZeroPad(1), cr.Tanh(), cr.Flatten(), cr.Dense(3)),
        (cr.Dense(12, "tanh"), cr.Reshape((2, 2, 3)), cr.Flatten(), cr.Tanh(), cr.Dense(3)),
    ],
    ids=lambda layers: ", ".join(type(layer).__name__ for layer in layers),
)
def test_trains_as_the_reference(
    layers: tuple[cr.Layer, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    cut_finely(monkeypatch)
    random = random_for("shape")
    x, y = random.normal(size=(30, 60)), random.normal(size=(30, 3))
    net = train_alike(layers, x, y, optimizer=cr.GradientDescent(0.05))
    assert net.predict(x) == pytest.approx(net.feedforward(x, net.new_trace()), rel=1e-10)

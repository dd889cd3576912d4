"""Residual blocks: both ways around, each with its own equations and gradients."""

from __future__ import annotations

import copy

import numpy as np
import pytest

import chainrule as cr
from chainrule.explain import Explanation
from explain.agreement import (
    assert_differences_agree,
    assert_formula_gives_value,
    equations,
    explained,
)
from explain.small_networks import network

IMAGES = np.random.default_rng(0).normal(size=(2, 3, 4, 2))


def explain(block: cr.Residual) -> Explanation:
    net = network(copy.deepcopy(block), loss="sum_of_squares", inputs=(3, 4, 2))
    random = np.random.default_rng(1)
    net.parameters[...] += random.normal(0, 0.3, net.parameters.size)
    return explained(net, IMAGES, random.normal(size=(2, *net.output_shape)))


BLOCKS = {
    "nothing on the way around": cr.Residual(cr.Conv2D(2, 3, "tanh", padding="same")),
    "a matrix": cr.Residual(cr.Conv2D(3, 3, "tanh", padding="same"), projection="auto"),
    "a matrix at every second pixel": cr.Residual(
        cr.Conv2D(3, 3, "tanh", padding="same", stride=2), projection="auto", activation="sigmoid"
    ),
    "a matrix at every third column": cr.Residual(
        cr.Conv2D(3, 3, "tanh", padding="same", stride=(1, 3)), projection="auto"
    ),
    "a layer": cr.Residual(
        cr.Conv2D(3, 3, "tanh", padding="same", stride=2), cr.RMSNorm(),
        projection=cr.Conv2D(3, 1, padding="same", stride=2),
    ),
    "a block in a block": cr.Residual(
        cr.Conv2D(2, 1), cr.Residual(cr.Conv2D(2, 3, "tanh", padding="same"))
    ),
}  # fmt: skip


@pytest.mark.parametrize("block", BLOCKS.values(), ids=list(BLOCKS))
def test_every_number_and_every_gradient(block: cr.Residual) -> None:
    explanation = explain(block)
    for quantity in equations(explanation, 40, np.random.default_rng(0)):
        assert_formula_gives_value(quantity)
    assert assert_differences_agree(explanation, at_most=10) > 40
    for index in [(0, 0, 0, 0), (1, 1, 1, 1), (1, 2, 3, 1), (0, 2, 2, 0)]:
        gradient = explanation.x[index].gradient
        chain = gradient.chain
        assert chain is not None
        assert chain.together == pytest.approx(gradient.value, rel=1e-9)


def test_pixels_that_the_stride_passes_over_have_one_way_only() -> None:
    gradient = explain(BLOCKS["a matrix at every second pixel"]).x.gradient
    both, one = gradient[0, 2, 2, 0], gradient[0, 1, 2, 0]
    assert len(both.parts) == 1 + 2 * 3  # through F, and three filters with a weight each
    assert [part.symbol.field for part in one.parts] == ["d_x"]  # through F alone


def test_names_of_the_layers_inside() -> None:
    explanation = explain(BLOCKS["a block in a block"])
    assert list(explanation.layers) == ["layer 1.1", "layer 1.2.1", "layer 1.2", "layer 1"]
    assert explanation["layer 1.2.1"].weights.name == "W₁.₂.₁"
    assert explanation["layer 1.2.1"].x.name == explanation["layer 1.1"].output.name == "a₁.₁"

"""What one update did: numbers that can be worked out, and the words around them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import chainrule as cr
from chainrule.training.why import LayerUpdate, Move, Why
from training.runs import random_run

X = np.random.default_rng(1).normal(size=(20, 3))
CLASSES = X.argmax(axis=1)


def two_weights() -> cr.History:
    """ŷ = w x + b at w = 2, b = 1; samples (1, 2) and (3, 5).

    The errors are 1 and 2, so the loss is 5, ∂L/∂w = 2 (1·1 + 2·3) = 14 and ∂L/∂b = 2 (1 + 2) = 6.
    With a rate of 1/64: w = 2 - 14/64 = 1.78125, b = 1 - 6/64 = 0.90625. The errors are then
    0.6875 and 1.25, and the loss 2.03515625.
    """
    net = cr.NeuralNetwork(
        cr.Dense(1),
        loss="sum_of_squares",
        optimizer=cr.GradientDescent(1 / 64),
        inputs=1,
        dtype="float64",
    )
    net.layers[0].weights, net.layers[0].bias = [[2]], [1]
    return net.fit([[1], [3]], [2, 5], epochs=3)


def test_one_update_by_hand() -> None:
    why = two_weights().why(0)
    assert (why.loss_before, why.loss_after) == (5, 2.03515625)
    assert why.moves == [
        Move("layer 1 weights[0, 0]", 2, 1.78125, 14),
        Move("layer 1 bias[0]", 1, 0.90625, 6),
    ]
    assert [move.moved for move in why.moves] == [-0.21875, -0.09375]
    (layer,) = why.layers
    assert layer.name == "layer 1 Dense"
    assert layer.gradient == pytest.approx(np.hypot(14, 6))
    assert layer.update == pytest.approx(np.hypot(14, 6) / 64 / np.hypot(2, 1))
    assert (why.step, why.epoch, why.batch, why.batches, why.samples) == (0, 1, 1, 1, 2)
    assert why.learning_rate == 1 / 64
    assert why.units == []


def test_how_it_is_told() -> None:
    assert str(two_weights().why(0)) == (
        "Update 0 (epoch 1, batch 1 of 1): GradientDescent, learning rate 0.01562\n"
        "\n"
        "Loss of these 2 samples: 5 -> 2.03516\n"
        "\n"
        "What moved most        from       to       by  gradient\n"
        "layer 1 weights[0, 0]     2  1.78125   -0.219        14\n"
        "layer 1 bias[0]           1  0.90625  -0.0938         6\n"
        "\n"
        "From last to first  gradient  change  update/weights\n"
        "layer 1 Dense          15.23                  10.6 %\n"
        "\n"
        "The update lowered the loss of its own batch by 59.3 %; it changed layer 1\n"
        "Dense by 10.6 % of its length, which is much."
    )
    assert repr(two_weights().why(1)) == str(two_weights().why(1))


@pytest.mark.parametrize("engine", ["reference", "compiled"])
@pytest.mark.parametrize("seed", range(0, 20, 3))
def test_it_looks_at_the_very_batch_of_the_update(seed: int, engine: str) -> None:
    """Its loss is the one that was recorded, its gradient has the length that was recorded."""
    history = random_run(seed, engine).fit()
    for step in (0, 1, 17, history.iterations - 1):
        why = history.why(step)
        assert why.loss_before == pytest.approx(history.losses[step], rel=1e-4)
        length = np.linalg.norm([layer.gradient for layer in why.layers])
        assert length == pytest.approx(history.gradient_norms[step], rel=1e-4)
        assert why.learning_rate == history.learning_rates[step]
        before, after = (history.at(at).parameters for at in (step, step + 1))
        farthest = max((abs(move.moved) for move in why.moves), default=0)
        assert farthest == pytest.approx(np.abs(after - before).max())
        per_epoch = history.settings["batches_per_epoch"]
        assert (why.epoch, why.batch) == (1 + step // per_epoch, 1 + step % per_epoch)
        assert max(len(line) for line in str(why).splitlines()) < 80


def network(*layers: cr.Layer, rate: float = 0.01, **settings: Any) -> cr.NeuralNetwork:
    chosen = {"loss": "softmax_cross_entropy", "optimizer": cr.GradientDescent(rate), "inputs": 3}
    return cr.NeuralNetwork(*layers, **chosen | settings)


def test_dead_units_are_counted() -> None:
    """Bias -100 leaves units 1 and 3 of the first layer at zero for every sample."""
    net = network(cr.Dense(4, "relu"), cr.Dense(3))
    net.layers[0].bias = [0, -100, 0, -100]
    why = net.fit(X, CLASSES, epochs=1).why(0)
    (units,) = why.units
    assert (units.name, units.count, units.dead, units.saturated) == (
        "layer 1 ReLU", 4, [1, 3], [],
    )  # fmt: skip
    assert "layer 1 ReLU  2 of 4 dead (1, 3)" in str(why)
    assert "in layer 1 ReLU 2 of 4 dead (1, 3)." in " ".join(str(why).split())


@pytest.mark.parametrize(("activation", "bias"), [("tanh", 6), ("sigmoid", -8), ("softsign", 200)])
def test_saturated_units_are_counted(activation: str, bias: float) -> None:
    """Beyond 0.98 of the range, for most samples; of what the network gives it is told, no more."""
    net = network(cr.Dense(3, activation), cr.Dense(3, activation), loss="mean_squared_error")
    net.layers[0].bias = [0, bias, 0]
    net.layers[1].bias = [bias, bias, bias]
    why = net.fit(X, X, epochs=1).why(0)
    assert [units.saturated for units in why.units] == [[1], [0, 1, 2]]
    assert "3 of 3 saturated (0, 1, 2)" in str(why)
    assert "saturated" not in why.conclusion


def test_channels_and_inner_layers_are_units_too() -> None:
    images = np.random.default_rng(0).random((6, 5, 5, 1))
    net = network(
        cr.Conv2D(8, 3, "relu"),
        cr.Residual(cr.Conv2D(8, 3, padding="same"), cr.Tanh()),
        cr.Flatten(),
        cr.Dense(2, "softmax"),
        loss="categorical_cross_entropy",
        inputs=(5, 5, 1),
    )
    net.layers[0].bias[...] = -100
    why = net.fit(images, [0, 1] * 3, epochs=1).why(0)
    assert [(units.name, units.count) for units in why.units] == [
        ("layer 1 ReLU", 8), ("layer 2.2 Tanh", 8),
    ]  # fmt: skip
    assert why.units[0].dead == list(range(8))
    assert str(why.units[0]) == "8 of 8 dead (0, 1, 2, 3, 4, 5, ...)"
    assert [layer.name for layer in why.layers] == [
        "layer 4 Dense", "layer 2 Residual", "layer 1 Conv2D",
    ]  # fmt: skip


def conclusion(layers: list[LayerUpdate], before: float = 2.0, after: float = 1.9) -> str:
    return Why(
        step=3, epoch=1, batch=4, batches=9, optimizer="Adam", learning_rate=0.1, samples=8,
        loss_before=before, loss_after=after, moves=[], layers=layers, units=[],
    ).conclusion  # fmt: skip


@pytest.mark.parametrize(
    ("gradients", "updates", "losses", "expected"),
    [
        ((1, 0.5), (0.01, 0.01), (2, 1.9), "lowered the loss of its own batch by 5 %."),
        ((1, 0.5), (0.01, 0.01), (2, 3), "raised the loss of its own batch by 50 %: the step went"),
        ((1, 0.5), (0.01, 0.01), (2, np.inf), "made the loss infinite: the step was far too large"),
        ((1, 0.5), (0.01, 0.01), (2, 2), "left the loss of its own batch as it was."),
        ((1, 0.5), (0.01, 0.4), (2, 1), "50 %; it changed layer 1 by 40 % of its length, which"),
        ((1, 1e-5), (0.01, 0.01), (2, 1), "the gradient shrinks to 1e-05 of its length on the way"),
        ((1, 2e4), (0.01, 0.01), (2, 1), "the gradient grows 2e+04 times on the way to the inputs"),
        ((1, 1), (1e-8, 1e-9), (2, 1.999), "hardly moved anything: the learning rate may be too"),
        ((0, 0), (0, 0), (2, 2), "as it was; the gradient is zero."),
        ((), (), (2, 2), "there are no parameters."),
    ],
)
def test_the_conclusion(gradients: Any, updates: Any, losses: Any, expected: str) -> None:
    pairs = zip(gradients, updates, strict=True)
    layers = [LayerUpdate(f"layer {2 - number}", *pair) for number, pair in enumerate(pairs)]
    assert expected in conclusion(layers, *losses)


def test_a_step_that_goes_too_far_is_called_so() -> None:
    history = network(cr.Dense(3), rate=500.0).fit(X, CLASSES, epochs=2)
    why = history.why(0)
    assert why.loss_after > why.loss_before
    assert why.conclusion.startswith("The update raised the loss of its own batch by")


def test_lbfgs_has_updates_too() -> None:
    why = network(cr.Dense(3), optimizer="lbfgs").fit(X, CLASSES, epochs=5).why(2)
    assert why.optimizer == "LBFGS"
    assert why.loss_after < why.loss_before


def test_weights_of_zero_have_no_length_to_compare_with() -> None:
    net = network(cr.Dense(3, weights_initializer="zeros"))
    assert net.fit(X, CLASSES, epochs=1).why(0).layers[0].update == np.inf


@pytest.mark.parametrize("step", [-1, 5, 2.5, "3", None])
def test_only_updates_that_were_made(step: Any) -> None:
    history = network(cr.Dense(3)).fit(X, CLASSES, epochs=5)
    with pytest.raises(cr.InvalidSetting, match=r"step.*a whole number"):
        history.why(step)


def test_where_nothing_was_trained_there_is_nothing_to_tell() -> None:
    history = network(cr.Dense(3)).fit(X, CLASSES, epochs=0)
    with pytest.raises(cr.InvalidSetting, match="made no iteration"):
        history.why(0)
    assert history.at(0).parameters.tolist() == history.network.parameters.tolist()

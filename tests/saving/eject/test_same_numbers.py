"""An ejected module predicts what the network predicts, and its training has the same losses."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from saving.eject import kinds

import chainrule as cr

Compare = Callable[..., None]
LAYERS, LOSSES, OPTIMIZERS = map(list, (kinds.layers(), kinds.losses(), kinds.optimizers()))
X, Y = cr.data.truth_table()


def by_name(cases: list[kinds.Kind]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize(
        "net", [net for _, net in cases], ids=[name for name, _ in cases]
    )


@by_name(LAYERS)
def test_every_layer_and_activation(compare: Compare, net: cr.NeuralNetwork) -> None:
    if kinds.has_dropout(net):
        net = net.copy()
        for layer in net.layers:
            if isinstance(layer, cr.Dropout):
                layer.rate = 0.0
    compare(net, *kinds.data_for(net))


@by_name(LOSSES)
def test_every_loss_with_penalties(compare: Compare, net: cr.NeuralNetwork) -> None:
    compare(net, *kinds.data_for(net))


@by_name(OPTIMIZERS)
def test_every_optimizer_goes_on_with_what_it_remembers(
    compare: Compare, net: cr.NeuralNetwork
) -> None:
    # Near its minimum Adadelta takes the last bit of a weight thirty times further in every step:
    # after 50 of them two such trainings of chainrule itself differ by 1e-5.
    iterations = 40 if isinstance(net.optimizer, cr.Adadelta) else 50
    compare(net, *kinds.data_for(net), iterations=iterations)


@pytest.mark.parametrize(
    "optimizer",
    [
        cr.GradientDescent(0.3, weight_decay=0.1),
        cr.GradientDescent(0.3, clip_norm=0.05),
        cr.GradientDescent(0.3, clip_value=0.01),
        cr.Adam(0.02, weight_decay=0.1, clip_norm=0.3, clip_value=0.2),
        cr.GradientDescent(cr.StepDecay(0.3, 0.5, every=7), momentum=0.5),
        cr.GradientDescent(cr.ExponentialDecay(0.3)),
        cr.GradientDescent(cr.InverseScaling(0.3)),
        cr.Adam(cr.Cosine(0.1, 40)),
        cr.Adam(cr.Cosine(0.1, 20, final=0.01, warm_up=5)),
        cr.Adam(cr.Cosine(0.1, 8, warm_up=5, restarts=True)),
        cr.Adam(cr.Cosine(0.1, 8, final=0.01, restarts=True, stretch=1.5)),
    ],
    ids=repr,
)
def test_decay_clipping_and_rates_over_time(compare: Compare, optimizer: cr.Optimizer) -> None:
    net = kinds.network(
        cr.Dense(4, "tanh"), cr.Dense(2), inputs=3, optimizer=optimizer, l1=0.01, l2=0.02
    )
    compare(net, *kinds.data_for(net, samples=6))


@pytest.mark.parametrize("optimizer", ["gradient_descent", "adam"])
def test_the_truth_table(compare: Compare, optimizer: str) -> None:
    net = kinds.network(
        *(cr.Dense(4, "sigmoid"), cr.Dense(1, "sigmoid")),
        inputs=3, loss="sum_of_squares", optimizer=optimizer,
    )  # fmt: skip
    compare(net, X, Y)


@pytest.mark.parametrize("name", cr.models.MODELS)
def test_the_networks_with_a_name(compare: Compare, name: str) -> None:
    settings = {"dropout": 0.0} if name == "small-cnn" else {}
    if name == "resnet8":
        settings = {"width": 4}
    net = cr.models.named(
        name, 3, dtype="float64", engine="reference",
        optimizer=cr.GradientDescent(0.01, momentum=0.9), **settings,
    ).build((16, 16, 1))  # fmt: skip
    compare(net, *kinds.data_for(net), iterations=50 if name in ("mlp", "resnet8") else 10)


def test_mini_batches(eject: Callable[..., Any]) -> None:
    """``train`` with one iteration for each batch, in the order that chainrule takes them."""
    net = kinds.network(
        cr.Dense(5, "tanh"), cr.BatchNorm(), cr.Dense(3), inputs=4, loss="softmax_cross_entropy"
    )
    x, _ = kinds.data_for(net, samples=12)
    y = np.arange(12) % 3
    net.fit(x, y, epochs=2, batch_size=4, progress=False)
    twin = eject(net)
    history = net.fit(x, y, epochs=10, batch_size=4, shuffle=False, progress=False)
    found = [
        loss
        for _ in range(10)
        for start in (0, 4, 8)
        for loss in twin.train(x[start : start + 4], y[start : start + 4], 1)
    ]
    np.testing.assert_allclose(found, history.losses, rtol=0, atol=1e-9)
    np.testing.assert_allclose(twin.predict(x), net.predict(x), rtol=0, atol=1e-9)


def test_a_layer_used_twice_has_one_gradient(compare: Compare) -> None:
    shared = cr.Dense(3, cr.PReLU())
    net = cr.NeuralNetwork(
        shared, cr.Tanh(), shared, cr.Dense(1), inputs=3, dtype="float64", engine="reference"
    )
    compare(net, *kinds.data_for(net))


@pytest.mark.parametrize("layer", [cr.BatchNorm(), cr.LayerNorm(), cr.RMSNorm()], ids=repr)
def test_a_layer_used_three_times_takes_its_own_part_of_the_gradient_back(
    compare: Compare, layer: cr.Layer
) -> None:
    """∂loss/∂x of batch normalization holds ∂loss/∂scale, of this place alone."""
    net = cr.NeuralNetwork(
        *(cr.Dense(3), layer, layer, layer, cr.Dense(1)),
        inputs=3, dtype="float64", engine="reference",
    )  # fmt: skip
    net.parameters[...] += np.random.default_rng(0).normal(0, 0.3, net.parameters.size)
    compare(net, *kinds.data_for(net, samples=6))


def test_a_residual_block_used_twice_with_a_matrix_around(compare: Compare) -> None:
    block = cr.Residual(cr.Dense(3, "tanh"), cr.Dense(3), projection="auto")
    wide = cr.Residual(cr.Dense(3, "tanh"), cr.Dense(5), projection="auto")
    net = cr.NeuralNetwork(
        *(cr.Dense(4), wide, cr.Dense(4), wide, block, cr.Dense(5), block),
        inputs=3, dtype="float64", engine="reference",
    )  # fmt: skip
    compare(net, *kinds.data_for(net))


@pytest.mark.parametrize("projection", [None, cr.Dense(4, "tanh"), "auto"])
def test_residual_blocks_in_blocks_first_and_last(
    compare: Compare, projection: str | cr.Layer | None
) -> None:
    inner = cr.Residual(cr.Dense(5, "tanh"), cr.LayerNorm())
    layers = [cr.Dense(5, "tanh"), inner, cr.Dense(4)]
    if projection == "auto":
        layers = [cr.Dense(5, "tanh"), cr.Dense(6)]
    net = kinds.network(
        *(cr.Residual(*layers, projection=projection, activation="relu"), cr.Residual(cr.Tanh())),
        inputs=4,
    )  # fmt: skip
    compare(net, *kinds.data_for(net))


@pytest.mark.parametrize("pool", [cr.MaxPool2D(2, 1, "same"), cr.GlobalMaxPool()], ids=repr)
def test_of_several_largest_numbers_the_first_gets_the_error(
    compare: Compare, pool: cr.Layer
) -> None:
    """Flat parts of images are full of ties."""
    net = kinds.network(
        cr.Conv2D(2, 2, "relu"), pool, cr.Flatten(), cr.Dense(1),
        inputs=(4, 4, 1), optimizer=cr.GradientDescent(0.01),
    )  # fmt: skip
    x, y = kinds.data_for(net, samples=6)
    compare(net, (x > 0.5).astype(float), y)


def test_a_network_without_parameters_has_nothing_to_learn(eject: Callable[..., Any]) -> None:
    net = kinds.network(cr.Tanh(), cr.MaxPool1D(), cr.Flatten(), inputs=(4, 1))
    x, y = kinds.data_for(net)
    twin = eject(net)
    assert np.array_equal(twin.predict(x), net.predict(x))
    assert twin.train(x, y, 3) == pytest.approx([net.evaluate(x, y)["loss"]] * 3)


def test_actual_values_of_the_wrong_shape_are_refused(eject: Callable[..., Any]) -> None:
    twin = eject(kinds.network(cr.Dense(3), inputs=2))
    with pytest.raises(ValueError, match=r"y has shape \(3,\); expected \(batch, 3\)"):
        twin.train(np.ones((3, 2)), np.ones(3), 1)  # which would broadcast
    one = eject(kinds.network(cr.Dense(1), inputs=2))
    assert one.train(np.ones((3, 2)), [1, 2, 3], 1) == one.__class__().train(
        np.ones((3, 2)), [[1], [2], [3]], 1
    )


def test_training_that_the_compiled_engine_began(eject: Callable[..., Any]) -> None:
    net = cr.NeuralNetwork(
        cr.Dense(4, "tanh"), cr.Dense(1), inputs=3, dtype="float64", engine="compiled"
    )
    net.fit(X, Y, epochs=20, batch_size=None, progress=False)
    twin = eject(net)
    assert twin.step == 20
    losses = net.fit(X, Y, epochs=50, batch_size=None, progress=False).losses
    np.testing.assert_allclose(twin.train(X, Y, 50), losses, rtol=0, atol=1e-9)


def test_float32_networks_agree_to_float32_rounding(eject: Callable[..., Any]) -> None:
    net = cr.NeuralNetwork(
        cr.Dense(4, "sigmoid"), cr.Dense(1, "sigmoid"), loss="sum_of_squares", engine="reference"
    )
    net.fit(X, Y, epochs=10, batch_size=None, progress=False)
    twin = eject(net)
    assert np.array_equal(twin.weights_1, net.layers[0].weights.astype(float))
    np.testing.assert_allclose(twin.predict(X), net.predict(X), rtol=1e-6)
    losses = net.fit(X, Y, epochs=50, batch_size=None, progress=False).losses
    np.testing.assert_allclose(twin.train(X, Y, 50), losses, rtol=1e-5)


def test_images_may_be_bytes(eject: Callable[..., Any]) -> None:
    net = kinds.network(cr.Conv2D(2, 3), cr.GlobalMaxPool(), inputs=(5, 5, 1))
    images = np.arange(75, dtype=np.uint8).reshape(3, 5, 5, 1)
    np.testing.assert_allclose(eject(net).predict(images), net.predict(images), rtol=1e-12)


def random_network(seed: int) -> cr.NeuralNetwork:
    """Draw layers, activations, loss and optimizer."""
    random = np.random.default_rng(seed)
    activations = ["sigmoid", "tanh", "softplus", "gelu", "silu", "mish", "elu", "softsign"]

    def activation() -> str:
        return str(random.choice(activations))

    def rows() -> cr.Layer:
        choices = [
            cr.Dense(int(random.integers(2, 7)), activation(), use_bias=bool(random.integers(2))),
            cr.LayerNorm(),
            cr.BatchNorm(),
            cr.Residual(cr.Dense(5, activation()), cr.Dense(3), projection="auto"),
            cr.Softmax(),
        ]
        return choices[random.integers(len(choices))]

    layers: list[cr.Layer] = []
    inputs: tuple[int, ...] = (int(random.integers(2, 6)),)
    if random.integers(2):
        inputs = (int(random.integers(5, 8)), int(random.integers(5, 8)), 2)
        layers = [
            cr.Conv2D(
                4, int(random.integers(1, 4)), activation(),
                stride=int(random.integers(1, 3)), padding=str(random.choice(["valid", "same"])),
                dilation=int(random.integers(1, 3)), groups=int(random.integers(1, 3)),
            ),
            *random.choice([cr.BatchNorm(), cr.GroupNorm(2), cr.RMSNorm()], 1),
            *random.choice([cr.AveragePool2D(2, 1, "same"), cr.UpSample(2), cr.ZeroPad(1)], 1),
            cr.Flatten(),
        ]  # fmt: skip
    layers += [cr.Dense(4, activation()), *(rows() for _ in range(random.integers(3)))]
    losses = ["mean_squared_error", "log_cosh", "sigmoid_cross_entropy", "softmax_cross_entropy"]
    optimizers = [
        cr.GradientDescent(0.02),
        cr.GradientDescent(0.02, momentum=0.9, nesterov=bool(random.integers(2))),
        cr.Adam(0.003, weight_decay=0.1 * random.integers(2)),
    ]
    return kinds.network(
        *(*layers, cr.Dense(3)), inputs=inputs, loss=str(random.choice(losses)),
        optimizer=optimizers[random.integers(3)], l2=0.01 * random.integers(2), seed=seed,
    )  # fmt: skip


@pytest.mark.sweep(sample=12)
@pytest.mark.parametrize("seed", range(200))
def test_random_networks(compare: Compare, seed: int) -> None:
    net = random_network(seed)
    compare(net, *kinds.data_for(net, seed, samples=6))

"""Layer, group and RMS normalization by hand, by their definitions, and beside each other."""

from __future__ import annotations

from typing import Any

import hypothesis
import numpy as np
import pytest
from hypothesis import strategies as st

import chainrule as cr
from chainrule.errors import InvalidSetting, InvalidShape
from chainrule.layer import Array, Layer, Pass, Shape, Trace
from chainrule.layers import BatchNorm, GroupNorm, LayerNorm, RMSNorm

CASES: list[tuple[Layer, Shape]] = [
    (LayerNorm(), (5,)),
    (LayerNorm(epsilon=0.1), (3, 4)),
    (LayerNorm(), (2, 3, 4)),
    (GroupNorm(1), (4,)),
    (GroupNorm(3), (6,)),
    (GroupNorm(2, epsilon=0.1), (5, 6)),
    (GroupNorm(2), (4, 3, 6)),
    (GroupNorm(6), (4, 3, 6)),
    (RMSNorm(), (5,)),
    (RMSNorm(epsilon=0.1), (3, 4)),
    (RMSNorm(), (2, 3, 4)),
]
ALL = pytest.mark.parametrize(("layer", "shape"), CASES, ids=[f"{x!r} {s}" for x, s in CASES])


def built(layer: Any, input_shape: Shape, dtype: str = "float64") -> Any:
    """Copy the layer and give it parameters that are not those it starts with."""
    layer = type(layer)(**layer.settings())
    net = cr.NeuralNetwork(layer, inputs=input_shape, dtype=dtype)
    net.parameters[...] = np.random.default_rng(0).uniform(0.5, 1.5, len(net.parameters))
    return layer


def by_definition(layer: Any, x: Array) -> Array:
    """The equations, for one group of numbers after the other."""
    z = np.empty_like(x)
    if isinstance(layer, GroupNorm):
        width = x.shape[-1] // layer.groups
        pieces = [
            (sample, ..., slice(start, start + width))
            for sample in range(len(x))
            for start in range(0, x.shape[-1], width)
        ]
    else:
        pieces = list(np.ndindex(x.shape[:-1]))
    for piece in pieces:
        numbers = x[piece]
        mean = 0 if isinstance(layer, RMSNorm) else numbers.mean()
        x_hat = (numbers - mean) / np.sqrt(((numbers - mean) ** 2).mean() + layer.epsilon)
        z[piece] = x_hat
    return z * layer.scale + (0 if isinstance(layer, RMSNorm) else layer.shift)


# --- by hand --------------------------------------------------------------------------------


def test_layer_norm_by_hand() -> None:
    """Units 0 and 4: μ = 2, v = 4, and with ε = 2.25 σ = 2.5, so x̂ = -0.8 and 0.8."""
    layer = built(LayerNorm(epsilon=2.25), (2,))
    layer.scale, layer.shift = [1.0, 2.0], [0.0, 1.0]
    trace = Trace()
    z = layer.feedforward(np.array([[0.0, 4.0]]), trace)
    np.testing.assert_allclose(z, [[-0.8, 2.6]])
    d_x = layer.backprop(np.array([[1.0, 1.0]]), trace)
    np.testing.assert_allclose(trace.d_shift, [1, 1])
    np.testing.assert_allclose(trace.d_scale, [-0.8, 0.8])
    # d_x̂ = (1, 2) with average 1.5; d_x̂ x̂ = (-0.8, 1.6) with average 0.4
    # (1 - 1.5 + 0.8 · 0.4) / 2.5 = -0.072, and the same with a minus
    np.testing.assert_allclose(d_x, [[-0.072, 0.072]])


def test_group_norm_by_hand() -> None:
    """Over both positions: first with a group for each channel, then all in one group."""
    layer = built(GroupNorm(3, epsilon=2.25), (2, 3))
    layer.scale, layer.shift = [1.0] * 3, [0.0] * 3
    z = layer.feedforward(np.array([[[0.0, 10.0, 7.0], [4.0, 14.0, 7.0]]]), Trace())
    np.testing.assert_allclose(z, [[[-0.8, -0.8, 0.0], [0.8, 0.8, 0.0]]])
    layer = built(GroupNorm(1, epsilon=2.25), (2, 2))
    layer.scale, layer.shift = [1.0, 2.0], [0.0, 1.0]
    trace = Trace()
    z = layer.feedforward(np.array([[[0.0, 0.0], [4.0, 4.0]]]), trace)
    np.testing.assert_allclose(z, [[[-0.8, -0.6], [0.8, 2.6]]])
    d_x = layer.backprop(np.ones((1, 2, 2)), trace)
    # d_x̂ = (1, 2), (1, 2) with average 1.5; the average of d_x̂ x̂ is 0
    np.testing.assert_allclose(d_x, [[[-0.2, 0.2], [-0.2, 0.2]]])


def test_rms_norm_by_hand() -> None:
    """Units 3 and 4: mean square 12.5, and with ε = 12.5 σ = 5, so x̂ = 0.6 and 0.8."""
    layer = built(RMSNorm(epsilon=12.5), (2,))
    layer.scale = [1.0, 2.0]
    trace = Trace()
    z = layer.feedforward(np.array([[3.0, 4.0]]), trace)
    np.testing.assert_allclose(z, [[0.6, 1.6]])
    d_x = layer.backprop(np.array([[1.0, 1.0]]), trace)
    np.testing.assert_allclose(trace.d_scale, [0.6, 0.8])
    # d_x̂ = (1, 2), and d_x̂ x̂ = (0.6, 1.6) with average 1.1
    np.testing.assert_allclose(d_x, [[(1 - 0.6 * 1.1) / 5, (2 - 0.8 * 1.1) / 5]])
    assert not hasattr(layer, "shift")


# --- by definition --------------------------------------------------------------------------


@ALL
@pytest.mark.parametrize(("dtype", "tolerance"), [("float64", 1e-12), ("float32", 1e-5)])
def test_it_is_its_definition(layer: Any, shape: Shape, dtype: str, tolerance: float) -> None:
    layer = built(layer, shape, dtype)
    x = np.random.default_rng(1).normal(3, 2, (4, *shape)).astype(dtype)
    z = layer.feedforward(x, Trace())
    np.testing.assert_allclose(z, by_definition(layer, x), rtol=tolerance, atol=tolerance)
    assert z.dtype == dtype


@ALL
def test_backprop_is_what_finite_differences_say(layer: Any, shape: Shape) -> None:
    layer = type(layer)(**layer.settings())
    net = cr.NeuralNetwork(layer, inputs=shape, loss="sum_of_squares", dtype="float64")
    random = np.random.default_rng(2)
    net.parameters[...] = random.uniform(0.5, 1.5, len(net.parameters))
    x, y = random.normal(size=(2, 3, *shape))
    result = net.check_gradients(x, y)
    assert result, repr(result)


@ALL
def test_training_and_prediction_are_the_same(layer: Any, shape: Shape) -> None:
    layer = built(layer, shape)
    x = np.random.default_rng(3).normal(size=(4, *shape))
    training = Trace(Pass(training=True))
    np.testing.assert_array_equal(layer.feedforward(x, training), layer.feedforward(x, Trace()))


@ALL
def test_no_sample_sees_another(layer: Any, shape: Shape) -> None:
    layer = built(layer, shape)
    x = np.random.default_rng(4).normal(size=(4, *shape))
    together = layer.feedforward(x, Trace())
    alone = [layer.feedforward(x[i : i + 1], Trace()) for i in range(len(x))]
    np.testing.assert_allclose(together, np.concatenate(alone), rtol=1e-12)


@ALL
def test_the_first_layer_need_not_tell_the_data_anything(layer: Any, shape: Shape) -> None:
    layer = built(layer, shape)
    x, d_z = np.random.default_rng(5).normal(size=(2, 4, *shape))
    first, other = Trace(), Trace()
    first.needs_d_x = False
    for trace in (first, other):
        layer.feedforward(x, trace)
    assert layer.backprop(d_z, first) is None
    assert layer.backprop(d_z, other) is not None
    np.testing.assert_array_equal(first.d_scale, other.d_scale)


@ALL
def test_pytorch_agrees(layer: Any, shape: Shape) -> None:
    torch = pytest.importorskip("torch", reason="PyTorch is not installed to compare with")
    for dtype, tolerance in (("float64", 1e-10), ("float32", 1e-5)):
        layer = built(layer, shape, dtype)
        x, d_z = np.random.default_rng(6).normal(1, 2, (2, 4, *shape)).astype(dtype)
        trace = Trace()
        z, d_x = layer.feedforward(x, trace), layer.backprop(d_z, trace)

        their_x = torch.from_numpy(x).requires_grad_()
        scale = torch.from_numpy(layer.scale.copy()).requires_grad_()
        shift = None
        if not isinstance(layer, RMSNorm):
            shift = torch.from_numpy(layer.shift.copy()).requires_grad_()
        functional = torch.nn.functional
        if isinstance(layer, GroupNorm):
            moved = their_x.movedim(-1, 1)
            their_z = functional.group_norm(moved, layer.groups, scale, shift, layer.epsilon)
            their_z = their_z.movedim(1, -1)
        elif isinstance(layer, LayerNorm):
            their_z = functional.layer_norm(their_x, shape[-1:], scale, shift, layer.epsilon)
        else:
            their_z = functional.rms_norm(their_x, shape[-1:], scale, layer.epsilon)
        their_z.backward(torch.from_numpy(d_z))
        pairs = [(z, their_z), (d_x, their_x.grad), (trace.d_scale, scale.grad)]
        if shift is not None:
            pairs.append((trace.d_shift, shift.grad))
        for found, expected in pairs:
            np.testing.assert_allclose(
                found, expected.detach().numpy(), rtol=tolerance, atol=tolerance
            )


# --- what ties them together ----------------------------------------------------------------


def plain(layer: Any, x: Array) -> Array:
    cr.NeuralNetwork(layer, inputs=x.shape[1:], dtype="float64")
    return layer.feedforward(x, Trace(Pass(training=True)))


@hypothesis.given(
    batch=st.integers(1, 4),
    positions=st.integers(1, 4),
    channels=st.integers(2, 5),
    seed=st.integers(0, 99),
)
def test_how_they_are_related(batch: int, positions: int, channels: int, seed: int) -> None:
    x = np.random.default_rng(seed).normal(1, 2, (batch, positions, channels))
    groups_of_one = plain(GroupNorm(1), x)
    # All numbers of a sample in one row: one group is layer normalization of that row ...
    row = plain(LayerNorm(), x.reshape(batch, -1))
    np.testing.assert_allclose(groups_of_one.reshape(batch, -1), row, rtol=1e-9, atol=1e-9)
    # ... RMS normalization of numbers whose mean is zero is layer normalization ...
    centred = x - x.mean(axis=-1, keepdims=True)
    np.testing.assert_allclose(
        plain(RMSNorm(), centred), plain(LayerNorm(), x), rtol=1e-9, atol=1e-9
    )
    # ... and a group for each channel is batch normalization of one sample.
    if positions > 1:
        each = [plain(BatchNorm(), x[i : i + 1]) for i in range(batch)]
        np.testing.assert_allclose(
            plain(GroupNorm(channels), x), np.concatenate(each), rtol=1e-9, atol=1e-9
        )


@pytest.mark.parametrize("layer", [LayerNorm(), GroupNorm(2), RMSNorm()], ids=repr)
def test_equal_numbers_and_zeros_are_no_trouble(layer: Any) -> None:
    layer = built(layer, (3, 4), "float32")
    x = np.zeros((2, 3, 4), np.float32)
    trace = Trace()
    assert np.isfinite(layer.feedforward(x, trace)).all()
    assert np.isfinite(layer.backprop(np.ones_like(x), trace)).all()


@pytest.mark.parametrize("layer", [LayerNorm(), GroupNorm(2)], ids=repr)
def test_float32_keeps_its_digits_beside_a_large_mean(layer: Any) -> None:
    x = np.random.default_rng(7).normal(1e4, 1, (8, 14, 14, 16)).astype(np.float32)
    found = built(layer, x.shape[1:], "float32").feedforward(x, Trace())
    expected = built(layer, x.shape[1:]).feedforward(x.astype(np.float64), Trace())
    np.testing.assert_allclose(found, expected, atol=5e-3)


@pytest.mark.parametrize("layer", [LayerNorm(), GroupNorm(2), RMSNorm()], ids=repr)
def test_squares_too_large_for_float32_stop_training(layer: Any) -> None:
    """An infinite deviation would make all numbers zero, and nobody would notice."""
    random = np.random.default_rng(8)
    net = cr.NeuralNetwork(type(layer)(**layer.settings()), cr.Dense(1), inputs=4)
    with pytest.raises(cr.LossNotFinite, match=r"'(variance|mean_square)' of layer 1"):
        net.fit(random.normal(0, 1e25, (8, 4)), random.normal(size=8), epochs=1)


# --- errors ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("layer", "shape", "message"),
    [
        (LayerNorm(), (), r"LayerNorm\(\) received samples of shape \(\); expected \(\.\.\., cha"),
        (LayerNorm(), (4, 1), "at least two channels"),
        (RMSNorm(), (), "received single numbers as samples"),
        (GroupNorm(4), (8, 8, 6), r"that 4 divides\. 6 channels .* these numbers: 1, 2, 3, 6"),
        (GroupNorm(8), (6,), "expected .* that 8 divides"),
        (GroupNorm(2), (), "single numbers"),
        (GroupNorm(6), (6,), "each group is one number.* Use fewer groups"),
        (GroupNorm(6), (1, 1, 6), "each group is one number"),
    ],
)
def test_wrong_shapes_are_refused(layer: Layer, shape: Shape, message: str) -> None:
    with pytest.raises(InvalidShape, match=message):
        cr.NeuralNetwork(layer, inputs=shape)


@pytest.mark.parametrize("kind", [LayerNorm, RMSNorm, lambda **named: GroupNorm(2, **named)])
@pytest.mark.parametrize("epsilon", [0, -1e-5, "small", float("inf")])
def test_epsilon_must_be_above_zero(kind: Any, epsilon: Any) -> None:
    with pytest.raises(InvalidSetting, match="epsilon must be a finite number above 0; received"):
        kind(epsilon=epsilon)


@pytest.mark.parametrize("groups", [0, -1, 1.5, "2", True, None])
def test_groups_must_be_a_whole_number(groups: Any) -> None:
    with pytest.raises(InvalidSetting, match="groups must be a whole number of at least 1"):
        GroupNorm(groups)

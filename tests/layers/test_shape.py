"""Flatten, Reshape, ZeroPad and UpSample by hand: where each number goes, and the way back."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import chainrule as cr
from chainrule.layer import Layer, Shape
from chainrule.layers import Flatten, Reshape, UpSample, ZeroPad

IMAGE = np.array([[1.0, 2.0], [3.0, 4.0]]).reshape(1, 2, 2, 1)

EXAMPLES: list[tuple[Layer, Shape, Shape]] = [
    (Flatten(), (7, 5, 2), (70,)),
    (Flatten(), (3,), (3,)),
    (Reshape(6), (2, 3), (6,)),
    (Reshape((3, 2)), (6,), (3, 2)),
    (Reshape((2, -1, 5)), (5, 4), (2, 2, 5)),
    (ZeroPad(0), (3, 4, 2), (3, 4, 2)),
    (ZeroPad(2), (3, 4, 2), (7, 8, 2)),
    (ZeroPad((1, 3)), (3, 4, 2), (5, 10, 2)),
    (ZeroPad(((0, 1), (2, 3))), (3, 4, 2), (4, 9, 2)),
    (UpSample(), (3, 4, 2), (6, 8, 2)),
    (UpSample(1), (3, 4, 2), (3, 4, 2)),
    (UpSample((3, 1)), (3, 4, 2), (9, 4, 2)),
]
ALL = pytest.mark.parametrize(
    ("layer", "before", "after"),
    EXAMPLES,
    ids=[f"{layer!r} {shape}" for layer, shape, _ in EXAMPLES],
)


@ALL
def test_shapes(layer: Layer, before: Shape, after: Shape) -> None:
    assert layer.output_shape(before) == after
    trace = cr.Trace()
    y = layer.feedforward(np.ones((3, *before)), trace)
    assert y.shape == (3, *after)
    d_x = layer.backprop(np.ones(y.shape), trace)
    assert d_x is not None
    assert d_x.shape == (3, *before)


@ALL
def test_the_way_back_is_the_adjoint_of_the_way_there(
    layer: Layer, before: Shape, after: Shape
) -> None:
    """⟨Ax, d⟩ = ⟨x, Aᵀd⟩ is all that backprop of a linear layer has to satisfy."""
    random = np.random.default_rng(0)
    x, d_y = random.normal(size=(3, *before)), random.normal(size=(3, *after))
    x.flags.writeable = d_y.flags.writeable = False
    trace = cr.Trace()
    y = layer.feedforward(x, trace)
    d_x = layer.backprop(d_y, trace)
    assert d_x is not None
    assert np.vdot(y, d_y) == pytest.approx(np.vdot(x, d_x), rel=1e-12)


@ALL
def test_finite_differences(layer: Layer, before: Shape, after: Shape) -> None:
    random = np.random.default_rng(1)
    x, y = random.normal(size=(2, *before)), random.normal(size=(2, *after))
    assert cr.NeuralNetwork(layer, loss="sum_of_squares").check_gradients(x, y)


@ALL
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_dtype_stays(layer: Layer, before: Shape, after: Shape, dtype: Any) -> None:
    trace = cr.Trace()
    y = layer.feedforward(np.ones((2, *before), dtype), trace)
    d_x = layer.backprop(y, trace)
    assert d_x is not None
    assert y.dtype == d_x.dtype == dtype


def test_flatten_keeps_the_order() -> None:
    x = np.arange(24.0).reshape(2, 3, 4)
    trace = cr.Trace()
    np.testing.assert_array_equal(Flatten().feedforward(x, trace)[1], np.arange(12, 24))
    np.testing.assert_array_equal(Flatten().backprop(np.arange(24.0).reshape(2, 12), trace), x)


def test_zeros_around_an_image() -> None:
    trace = cr.Trace()
    layer = ZeroPad(((1, 0), (0, 2)))
    y = layer.feedforward(IMAGE, trace)
    np.testing.assert_array_equal(y[0, :, :, 0], [[0, 0, 0, 0], [1, 2, 0, 0], [3, 4, 0, 0]])
    d_x = layer.backprop(np.arange(12.0).reshape(1, 3, 4, 1), trace)
    np.testing.assert_array_equal(d_x[0, :, :, 0], [[4, 5], [8, 9]])


def test_a_pixel_becomes_a_block_and_a_block_a_sum() -> None:
    trace = cr.Trace()
    layer = UpSample((1, 2))
    y = layer.feedforward(IMAGE, trace)
    np.testing.assert_array_equal(y[0, :, :, 0], [[1, 1, 2, 2], [3, 3, 4, 4]])
    d_x = layer.backprop(np.arange(8.0).reshape(1, 2, 4, 1), trace)
    np.testing.assert_array_equal(d_x[0, :, :, 0], [[0 + 1, 2 + 3], [4 + 5, 6 + 7]])


@given(
    st.integers(1, 3), st.integers(1, 4), st.integers(1, 4), st.integers(1, 3), st.integers(1, 4)
)
def test_upsampling_is_numpys_repeat(
    vertical: int, horizontal: int, height: int, width: int, channels: int
) -> None:
    x = np.random.default_rng(0).normal(size=(2, height, width, channels))
    y = UpSample((vertical, horizontal)).feedforward(x, cr.Trace())
    np.testing.assert_array_equal(y, x.repeat(vertical, axis=1).repeat(horizontal, axis=2))


@given(st.tuples(*[st.integers(0, 3)] * 4), st.integers(1, 4), st.integers(1, 4))
def test_padding_is_numpys_pad(sides: tuple[int, int, int, int], height: int, width: int) -> None:
    x = np.random.default_rng(0).normal(size=(2, height, width, 3))
    pads = (sides[:2], sides[2:])
    y = ZeroPad(pads).feedforward(x, cr.Trace())
    np.testing.assert_array_equal(y, np.pad(x, ((0, 0), *pads, (0, 0))))


def test_settings_that_came_as_lists_are_the_same() -> None:
    assert Reshape([2, 3]).shape == (2, 3)
    assert ZeroPad([[0, 1], [2, 3]]).padding == ((0, 1), (2, 3))
    assert UpSample([2, 3]).factor == (2, 3)
    assert repr(Reshape([2, -1])) == "Reshape((2, -1))"


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Reshape(()), "at most one of them -1; received"),
        (lambda: Reshape((-1, -1)), "at most one of them -1; received"),
        (lambda: Reshape((2, 0)), "shape must be a whole number of at least 1; received 0"),
        (lambda: Reshape("4"), "shape must be a whole number of at least 1; received '4'"),
        (lambda: ZeroPad(-1), "padding must be a whole number of at least 0; received -1"),
        (lambda: ZeroPad("same"), r"padding must be a whole number, .*; received 'same'"),
        (lambda: ZeroPad((1, 2, 3)), r"padding must be .*received \(1, 2, 3\)"),
        (lambda: UpSample(0), "factor must be a whole number of at least 1; received 0"),
        (lambda: UpSample(1.5), "factor must be a whole number"),
    ],
)
def test_wrong_settings_are_refused(make: Any, message: str) -> None:
    with pytest.raises(cr.InvalidSetting, match=message):
        make()


@pytest.mark.parametrize(
    ("layer", "shape", "message"),
    [
        (Reshape((2, 3)), (7,), r"shape \(7,\), 7 numbers; expected 6"),
        (Reshape((2, -1)), (7,), r"shape \(7,\), 7 numbers; expected a multiple of 2"),
        (ZeroPad(1), (7, 7), r"ZeroPad\(1\) received .* \(7, 7\); expected \(height, width"),
        (UpSample(), (7,), r"UpSample\(\) received .* \(7,\); expected \(height, width"),
    ],
)
def test_samples_of_another_shape_are_refused(layer: Layer, shape: Shape, message: str) -> None:
    with pytest.raises(cr.InvalidShape, match=message):
        cr.NeuralNetwork(layer, inputs=shape)

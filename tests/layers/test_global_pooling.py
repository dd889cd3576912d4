"""Global pooling by hand, and as a window over the whole image."""

from __future__ import annotations

import numpy as np
import pytest

import chainrule as cr
from chainrule.errors import InvalidShape
from chainrule.layer import Array, Layer, Shape, Trace
from chainrule.layers import AveragePool2D, GlobalAveragePool, GlobalMaxPool, MaxPool2D

IMAGE = np.array([[[1.0, -1.0], [4.0, -1.0]], [[2.0, -6.0], [5.0, -4.0]]])[np.newaxis]
BOTH = pytest.mark.parametrize("layer", [GlobalAveragePool(), GlobalMaxPool()], ids=repr)


def both_passes(layer: Layer, x: Array, d_z: Array) -> tuple[Array, Array, Trace]:
    trace = Trace()
    z = layer.feedforward(x, trace)
    d_x = layer.backprop(d_z, trace)
    assert d_x is not None
    return z, d_x, trace


def test_average_by_hand() -> None:
    z, d_x, _ = both_passes(GlobalAveragePool(), IMAGE, np.array([[8.0, 4.0]]))
    np.testing.assert_array_equal(z, [[3, -3]])
    np.testing.assert_array_equal(d_x[..., 0], [[[2, 2], [2, 2]]])
    np.testing.assert_array_equal(d_x[..., 1], [[[1, 1], [1, 1]]])


def test_max_by_hand() -> None:
    """Of the two -1 in the second channel the first is chosen."""
    z, d_x, trace = both_passes(GlobalMaxPool(), IMAGE, np.array([[8.0, 4.0]]))
    np.testing.assert_array_equal(z, [[5, -1]])
    np.testing.assert_array_equal(trace.chosen, [[3, 0]])
    np.testing.assert_array_equal(d_x[..., 0], [[[0, 0], [0, 8]]])
    np.testing.assert_array_equal(d_x[..., 1], [[[4, 0], [0, 0]]])


@pytest.mark.parametrize(
    ("layer", "window"),
    [(GlobalAveragePool(), AveragePool2D((4, 5))), (GlobalMaxPool(), MaxPool2D((4, 5)))],
    ids=repr,
)
@pytest.mark.parametrize(("dtype", "tolerance"), [("float64", 1e-12), ("float32", 1e-6)])
def test_it_is_a_window_over_the_whole_image(
    layer: Layer, window: Layer, dtype: str, tolerance: float
) -> None:
    random = np.random.default_rng(0)
    x = random.integers(-3, 3, (3, 4, 5, 2)).astype(dtype)
    d_z = random.normal(size=(3, 2)).astype(dtype)
    z, d_x, _ = both_passes(layer, x, d_z)
    expected, expected_d_x, _ = both_passes(window, x, d_z[:, np.newaxis, np.newaxis])
    np.testing.assert_allclose(z, expected[:, 0, 0], rtol=tolerance, atol=tolerance)
    np.testing.assert_allclose(d_x, expected_d_x, rtol=tolerance, atol=tolerance)
    assert z.dtype == d_x.dtype == dtype


@BOTH
@pytest.mark.parametrize("shape", [(4, 2), (3, 4, 2), (2, 3, 2, 2), (1, 1)])
def test_backprop_is_what_finite_differences_say(layer: Layer, shape: Shape) -> None:
    """Over sequences, images and volumes alike."""
    net = cr.NeuralNetwork(layer, loss="sum_of_squares", inputs=shape, dtype="float64")
    assert net.output_shape == shape[-1:]
    random = np.random.default_rng(1)
    result = net.check_gradients(
        random.normal(size=(3, *shape)), random.normal(size=(3, shape[-1]))
    )
    assert result, repr(result)


@BOTH
def test_the_first_layer_need_not_tell_the_data_anything(layer: Layer) -> None:
    trace = Trace()
    trace.needs_d_x = False
    assert layer.backprop(layer.feedforward(IMAGE, trace), trace) is None


@BOTH
def test_it_takes_any_view_and_loses_no_nan(layer: Layer) -> None:
    x = np.asfortranarray(IMAGE)
    np.testing.assert_array_equal(
        layer.feedforward(x, Trace()), layer.feedforward(IMAGE.copy(), Trace())
    )
    x[0, 1, 0, 0] = np.nan
    assert np.isnan(layer.feedforward(x, Trace())).tolist() == [[True, False]]


@BOTH
@pytest.mark.parametrize("shape", [(), (5,)])
def test_rows_of_numbers_have_no_positions(layer: Layer, shape: Shape) -> None:
    with pytest.raises(InvalidShape, match=r"Global\w+Pool\(\) received samples of shape .*Leave"):
        cr.NeuralNetwork(layer, inputs=shape)

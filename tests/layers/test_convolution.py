"""Convolution by hand, against SciPy and PyTorch, and in the cases where it is something else."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import signal

import chainrule as cr
from chainrule.errors import InvalidSetting, InvalidShape
from chainrule.initializers import fans
from chainrule.layer import Array, Layer, Shape, Trace
from chainrule.layers import Conv1D, Conv2D
from chainrule.layers.correlation import correlate, d_image, d_kernel, im2col
from chainrule.layers.windows import Windows

TOLERANCE = {"float32": 1e-5, "float64": 1e-10}


def bound(layer: Layer, sample: Shape, *, dtype: str = "float64", seed: int = 0) -> Any:
    """Give a layer parameters, all of them random."""
    random = np.random.default_rng(seed)
    for name, shape in layer.parameter_shapes(sample).items():
        layer.bind(name, random.normal(size=shape).astype(dtype))
    return layer


def assert_close(actual: Array, expected: Array, dtype: str = "float64") -> None:
    assert actual.dtype == dtype
    scale = max(1.0, float(np.abs(expected).max()))
    np.testing.assert_allclose(actual, expected, rtol=0, atol=TOLERANCE[dtype] * scale)


# --- by hand -----------------------------------------------------------------------------------

IMAGE = np.arange(1.0, 10.0).reshape(1, 3, 3, 1)  # 1 2 3 / 4 5 6 / 7 8 9
KERNEL = np.array([[1.0, 2.0], [0.0, -1.0]])
ERROR = np.array([[1.0, 0.0], [2.0, -1.0]])


def by_hand(activation: str = "identity") -> tuple[Array, Array | None, Trace]:
    layer = Conv2D(1, 2, activation)
    layer.bind("weights", KERNEL.reshape(2, 2, 1, 1))
    layer.bind("bias", np.array([0.5]))
    trace = Trace()
    return (
        layer.feedforward(IMAGE, trace),
        layer.backprop(ERROR.reshape(1, 2, 2, 1), trace),
        trace,
    )


def test_forwards_and_back_by_hand() -> None:
    a, d_x, trace = by_hand()
    assert d_x is not None
    # 1·1 + 2·2 + 4·0 - 5·1 + 0.5, and so on: the kernel is not turned around
    np.testing.assert_array_equal(a[0, ..., 0], [[0.5, 2.5], [6.5, 8.5]])
    # d_weights[0, 0] = 1·1 + 2·0 + 4·2 - 5·1: what the weight saw, times the error
    np.testing.assert_array_equal(trace.d_weights[..., 0, 0], [[4, 6], [10, 12]])
    np.testing.assert_array_equal(trace.d_bias, [2])
    np.testing.assert_array_equal(d_x[0, ..., 0], [[1, 2, 0], [2, 2, -2], [0, -2, 1]])


def test_the_way_back_is_two_correlations() -> None:
    """Of the image with the error, and of the padded error with the flipped kernel."""
    _, d_x, trace = by_hand()
    assert d_x is not None
    image = IMAGE[0, ..., 0]
    np.testing.assert_array_equal(
        trace.d_weights[..., 0, 0], signal.correlate2d(image, ERROR, mode="valid")
    )
    flipped = KERNEL[::-1, ::-1]
    np.testing.assert_array_equal(
        d_x[0, ..., 0], signal.correlate2d(np.pad(ERROR, 1), flipped, mode="valid")
    )


def test_an_activation_turns_d_a_into_delta_first() -> None:
    _, _, trace = by_hand("tanh")
    np.testing.assert_allclose(trace.d_z, ERROR.reshape(1, 2, 2, 1) / np.cosh(trace.z) ** 2)
    np.testing.assert_allclose(trace.d_bias, [trace.d_z.sum()])
    assert list(trace.fields()) == ["x", "z", "a", "d_z", "d_weights", "d_bias"]


def test_im2col_writes_each_window_into_a_row() -> None:
    rows = im2col(Windows.of_image(2, 1, "valid").view(IMAGE), groups=1)
    np.testing.assert_array_equal(rows, [[[1, 2, 4, 5], [2, 3, 5, 6], [4, 5, 7, 8], [5, 6, 8, 9]]])
    np.testing.assert_array_equal(rows[0] @ KERNEL.ravel() + 0.5, [0.5, 2.5, 6.5, 8.5])


# --- every option, against SciPy ---------------------------------------------------------------


def by_scipy(layer: Conv2D, x: Array, d_z: Array) -> tuple[Array, Array, Array]:
    """Compute z, d_weights and d_x by ``scipy.signal``, one channel and filter at a time.

    Dilation writes zeros between the weights; a stride computes all places and keeps some of
    them, which on the way back means zeros between the errors.
    """
    windows, (_, height, width, channels) = layer.windows, x.shape
    weights = layer.weights.astype(np.float64)
    sides = windows.sides((height, width))
    padded = np.pad(x.astype(np.float64), ((0, 0), *sides, (0, 0)))
    kept = slice(None, None, windows.stride[0]), slice(None, None, windows.stride[1])
    spread = slice(None, None, windows.dilation[0]), slice(None, None, windows.dilation[1])
    kernel = np.zeros((*windows.span, *weights.shape[2:]))
    kernel[spread] = weights
    places = [n - k + 1 for n, k in zip(padded.shape[1:3], windows.span, strict=True)]
    error = np.zeros((len(x), *places, layer.filters))
    error[:, *kept] = d_z
    z, d_weights, d_padded = np.zeros(d_z.shape), np.zeros(weights.shape), np.zeros(padded.shape)
    part = channels // layer.groups
    for sample, f, c in itertools.product(range(len(x)), range(layer.filters), range(part)):
        channel = f // (layer.filters // layer.groups) * part + c
        pixels, errors, one = padded[sample, ..., channel], error[sample, ..., f], kernel[..., c, f]
        z[sample, ..., f] += signal.correlate(pixels, one, "valid", "direct")[kept]
        d_weights[..., c, f] += signal.correlate(pixels, errors, "valid", "direct")[spread]
        d_padded[sample, ..., channel] += signal.convolve(errors, one, "full", "direct")
    (top, _), (left, _) = sides
    return z, d_weights, d_padded[:, top : top + height, left : left + width]


OPTIONS = list(
    itertools.product(
        [1, 3, (2, 4)],  # kernel_size
        [1, 2, (3, 1)],  # stride
        ["valid", "same", 1, (0, 2), ((1, 0), (2, 3))],  # padding
        [1, 2, (1, 2)],  # dilation
        [1, 2, 4],  # groups
    )
)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(("kernel_size", "stride", "padding", "dilation", "groups"), OPTIONS)
def test_every_option_against_scipy(
    kernel_size: Any, stride: Any, padding: Any, dilation: Any, groups: int, dtype: str
) -> None:
    layer = Conv2D(
        4,
        kernel_size,
        stride=stride,
        padding=padding,
        dilation=dilation,
        groups=groups,
        use_bias=False,
    )
    bound(layer, (7, 8, 4), dtype=dtype)
    random = np.random.default_rng(1)
    x = random.normal(size=(2, 7, 8, 4)).astype(dtype)
    trace = Trace()
    z = layer.feedforward(x, trace)
    assert z.shape[1:] == layer.output_shape((7, 8, 4))
    d_z = random.normal(size=z.shape).astype(dtype)
    d_x = layer.backprop(d_z, trace)
    assert d_x is not None
    for actual, expected in zip((z, trace.d_weights, d_x), by_scipy(layer, x, d_z), strict=True):
        assert_close(actual, expected, dtype)


def test_every_option_against_pytorch() -> None:
    torch = pytest.importorskip("torch", reason="compares with PyTorch where it is installed")
    random = np.random.default_rng(2)
    for dtype, (kernel_size, stride, padding, dilation, groups) in itertools.product(
        TOLERANCE, OPTIONS
    ):
        layer = bound(
            Conv2D(
                8, kernel_size, stride=stride, padding=padding, dilation=dilation, groups=groups
            ),
            (7, 8, 4),
            dtype=dtype,
        )
        x = random.normal(size=(3, 7, 8, 4)).astype(dtype)
        trace = Trace()
        z = layer.feedforward(x, trace)
        d_z = random.normal(size=z.shape).astype(dtype)
        d_x = layer.backprop(d_z, trace)

        images, weights, bias = (
            torch.tensor(array, requires_grad=True)
            for array in (
                x.transpose(0, 3, 1, 2),
                layer.weights.transpose(3, 2, 0, 1),
                layer.bias,
            )
        )
        windows = layer.windows
        (top, bottom), (left, right) = windows.sides((7, 8))
        theirs = torch.nn.functional.conv2d(
            torch.nn.functional.pad(images, (left, right, top, bottom)),
            weights,
            bias,
            stride=windows.stride,
            dilation=windows.dilation,
            groups=groups,
        )
        theirs.backward(torch.tensor(d_z.transpose(0, 3, 1, 2)))
        assert_close(z, theirs.detach().numpy().transpose(0, 2, 3, 1), dtype)
        assert_close(d_x, images.grad.numpy().transpose(0, 2, 3, 1), dtype)
        assert_close(trace.d_weights, weights.grad.numpy().transpose(2, 3, 1, 0), dtype)
        assert_close(trace.d_bias, bias.grad.numpy(), dtype)


@pytest.mark.parametrize(
    "layers",
    [
        [Conv2D(3, 3, "tanh"), Conv2D(2, 2, "softplus", padding="same")],
        [Conv2D(4, (2, 3), "sigmoid", stride=2, padding="same"), Conv2D(4, 2, groups=2)],
        [Conv2D(4, 3, "tanh", padding=((1, 0), (2, 1)), dilation=(2, 1), groups=2)],
        [Conv2D(6, 2, cr.PReLU(0.3), stride=(1, 2), groups=2, use_bias=False)],
    ],
)
def test_finite_differences(layers: list[Layer]) -> None:
    network = cr.NeuralNetwork(*layers, loss="mean_squared_error", dtype="float64")
    random = np.random.default_rng(3)
    x = random.normal(size=(2, 6, 5, 2))
    check = network.check_gradients(x, random.normal(size=network.feedforward(x).shape))
    assert check, check


def test_finite_differences_on_sequences() -> None:
    network = cr.NeuralNetwork(
        Conv1D(4, 3, "tanh", stride=2, padding="same"),
        Conv1D(2, 2, dilation=2, groups=2, padding=(2, 0)),
        dtype="float64",
    )
    random = np.random.default_rng(4)
    x = random.normal(size=(2, 7, 3))
    check = network.check_gradients(x, random.normal(size=network.feedforward(x).shape))
    assert check, check


# --- what it is the same as --------------------------------------------------------------------


def both_passes(layer: Layer, x: Array) -> tuple[Array, Array, Array, Array]:
    trace = Trace()
    a = layer.feedforward(x, trace)
    d_x = layer.backprop(np.cos(np.arange(a.size)).reshape(a.shape), trace)
    assert d_x is not None
    return a, d_x, trace.d_weights, trace.d_bias


def test_a_kernel_of_one_pixel_is_dense_on_each_pixel() -> None:
    x = np.random.default_rng(5).normal(size=(3, 4, 5, 2))
    convolution = bound(Conv2D(6, 1, "tanh"), (4, 5, 2))
    dense = cr.Dense(6, "tanh")
    dense.bind("weights", convolution.weights[0, 0])
    dense.bind("bias", convolution.bias)
    ours, theirs = both_passes(convolution, x), both_passes(dense, x.reshape(-1, 2))
    for one, other in zip(ours, theirs, strict=True):
        assert_close(one, other.reshape(one.shape))


def test_a_kernel_of_the_whole_image_is_dense_on_the_flattened_image() -> None:
    x = np.random.default_rng(6).normal(size=(3, 4, 5, 2))
    convolution = bound(Conv2D(6, (4, 5), "tanh"), (4, 5, 2))
    dense = cr.Dense(6, "tanh")
    dense.bind("weights", convolution.weights.reshape(40, 6))
    dense.bind("bias", convolution.bias)
    ours, theirs = both_passes(convolution, x), both_passes(dense, x.reshape(3, 40))
    for one, other in zip(ours, theirs, strict=True):
        assert_close(one, other.reshape(one.shape))


@pytest.mark.parametrize("multiple", [1, 2])
def test_as_many_groups_as_channels_is_a_depthwise_convolution(multiple: int) -> None:
    """Each channel is filtered by itself; its filters stand side by side in the output."""
    channels = 3
    layer = bound(Conv2D(channels * multiple, 3, groups=channels, use_bias=False), (6, 5, channels))
    x = np.random.default_rng(7).normal(size=(2, 6, 5, channels))
    expected = np.zeros((2, 4, 3, channels * multiple))
    for channel in range(channels):
        for m in range(multiple):
            kernel = layer.weights[:, :, 0, channel * multiple + m]
            for i, j in itertools.product(range(3), range(3)):
                seen = x[:, i : i + 4, j : j + 3, channel]
                expected[..., channel * multiple + m] += kernel[i, j] * seen
    assert_close(layer.feedforward(x, Trace()), expected)


@given(
    st.sampled_from(["valid", "same", 2, (0, 3)]),
    st.integers(1, 4),
    st.integers(1, 3),
    st.integers(1, 3),
    st.sampled_from([1, 2]),
)
def test_a_sequence_is_an_image_with_one_row(
    padding: Any, size: int, stride: int, dilation: int, groups: int
) -> None:
    x = np.random.default_rng(8).normal(size=(2, 11, 4))
    along: dict[str, Any] = {"stride": stride, "dilation": dilation, "groups": groups}
    sequence = bound(Conv1D(6, size, "tanh", padding=padding, **along), (11, 4))
    if not isinstance(padding, str):
        padding = ((0, 0), padding if isinstance(padding, tuple) else (padding, padding))
    image = Conv2D(6, (1, size), "tanh", padding=padding, **along)
    image.bind("weights", sequence.weights[np.newaxis])
    image.bind("bias", sequence.bias)
    assert sequence.output_shape((11, 4)) == image.output_shape((1, 11, 4))[1:]
    ours, theirs = both_passes(sequence, x), both_passes(image, x[:, np.newaxis])
    for one, other in zip(ours, theirs, strict=True):
        assert_close(one, other.reshape(one.shape))


def test_causal_padding_looks_only_back() -> None:
    layer = bound(Conv1D(2, 3, dilation=2, padding=(4, 0)), (9, 1))
    x = np.random.default_rng(9).normal(size=(1, 9, 1))
    changed = x.copy()
    changed[0, 5:] += 1
    before, after = (layer.feedforward(v, Trace()) for v in (x, changed))
    assert before.shape == (1, 9, 2)
    np.testing.assert_array_equal(before[0, :5], after[0, :5])
    assert (before[0, 5:] != after[0, 5:]).all()


@given(st.integers(1, 3), st.integers(1, 2), st.integers(0, 3), st.integers(0, 3))
def test_a_shifted_image_gives_a_shifted_output(k: int, stride: int, down: int, right: int) -> None:
    """What the layer knows, it knows everywhere."""
    layer = bound(Conv2D(2, k, "tanh", stride=stride), (20, 22, 1))
    x = np.zeros((1, 20, 22, 1))
    x[0, 3:9, 3:9] = np.random.default_rng(10).normal(size=(6, 6, 1))
    shifted = np.roll(x, (down * stride, right * stride), axis=(1, 2))
    moved = np.roll(layer.feedforward(x, Trace()), (down, right), axis=(1, 2))
    assert_close(layer.feedforward(shifted, Trace()), moved)


def test_large_batches_go_in_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    """However many samples fit in the cache at a time, the results are the same."""
    random = np.random.default_rng(11)
    windows, x = Windows.of_image(3, 1, "same"), random.normal(size=(7, 6, 5, 4))
    kernel, d_z = random.normal(size=(3, 3, 2, 6)), random.normal(size=(7, 6, 5, 6))

    def results() -> list[Array]:
        return [
            correlate(x, kernel, windows, 2),
            d_kernel(x, d_z, windows, 2, np.empty_like(kernel)),
            d_image(d_z, kernel, windows, 2, (6, 5)),
        ]

    whole = results()
    for cache in (1, 30_000):  # one sample at a time; a few, and the last block is smaller
        monkeypatch.setattr("chainrule.layers.correlation._CACHE", cache)
        for one, other in zip(results(), whole, strict=True):
            assert_close(one, other)


# --- as a layer of a network -------------------------------------------------------------------


def test_it_learns_the_kernel_that_made_the_data() -> None:
    """An edge detector, found again from what it does to pictures of noise."""
    edges = np.array([[1.0, 0.0, -1.0], [2.0, 0.0, -2.0], [1.0, 0.0, -1.0]])
    x = np.random.default_rng(12).normal(size=(64, 8, 8, 1))
    y = np.stack([signal.correlate2d(image[..., 0], edges, mode="valid") for image in x])
    layer = Conv2D(1, 3)
    network = cr.NeuralNetwork(layer, optimizer=cr.Adam(0.1), dtype="float64")
    network.fit(x, y[..., np.newaxis], epochs=200, batch_size=None, progress=False)
    np.testing.assert_allclose(layer.weights[..., 0, 0], edges, atol=0.01)
    np.testing.assert_allclose(layer.bias, 0, atol=0.01)


def test_the_first_layer_need_not_tell_the_data_anything() -> None:
    layer = bound(Conv2D(2, 2), (3, 3, 1))
    trace = Trace()
    trace.needs_d_x = False
    assert layer.backprop(layer.feedforward(IMAGE, trace), trace) is None
    assert trace.d_weights.shape == (2, 2, 1, 2)


def test_gradients_are_written_where_the_engine_wants_them() -> None:
    network = cr.NeuralNetwork(Conv2D(2, 2), Conv2D(1, 2), inputs=(3, 3, 1))
    trace = network.new_trace()
    network.feedforward(IMAGE, trace)
    gradients = network.backprop(np.ones((1, 1, 1, 1)), trace)
    for layer in trace:
        assert np.shares_memory(layer.d_weights, gradients)
        assert np.shares_memory(layer.d_bias, gradients)


def test_without_bias() -> None:
    layer = bound(Conv2D(2, 2, use_bias=False), (3, 3, 1))
    trace = Trace()
    layer.backprop(layer.feedforward(IMAGE, trace), trace)
    assert "d_bias" not in trace.fields()
    assert layer.parameter_shapes((3, 3, 1)) == {"weights": (2, 2, 1, 2)}


def test_shapes() -> None:
    layer = Conv2D(8, (3, 2), groups=2)
    assert layer.output_shape((9, 9, 4)) == (7, 8, 8)
    assert layer.parameter_shapes((9, 9, 4)) == {"weights": (3, 2, 2, 8), "bias": (8,)}
    assert Conv2D(8, 3, stride=2, padding="same").output_shape((9, 10, 4)) == (5, 5, 8)
    assert Conv1D(8, 3, stride=2).output_shape((9, 4)) == (4, 8)
    assert Conv1D(8, 3).parameter_shapes((9, 4)) == {"weights": (3, 4, 8), "bias": (8,)}


@pytest.mark.parametrize(("activation", "gain"), [("relu", 2.0), ("identity", None)])
def test_weights_start_with_the_spread_that_suits_the_activation(
    activation: str, gain: float | None
) -> None:
    layer = Conv2D(64, 3, activation, bias_initializer=cr.Constant(0.5))
    cr.NeuralNetwork(layer, inputs=(8, 8, 32))
    fan_in, fan_out = fans((3, 3, 32, 64))
    assert fan_in == 288
    expected = (4 if gain else 2) / (fan_in + fan_out)
    assert layer.weights.var() == pytest.approx(expected, rel=0.05)
    assert (layer.bias == 0.5).all()


def test_settings_are_kept_as_given() -> None:
    assert repr(Conv2D(8, 3)) == "Conv2D(8, 3)"
    assert repr(Conv1D(8, 3, "relu", stride=2)) == "Conv1D(8, 3, activation='relu', stride=2)"
    layer = Conv2D(8, [3, 2], padding=[[0, 1], [2, 3]], groups=2)  # type: ignore[arg-type]  # lists, as a model file has them
    assert repr(layer) == "Conv2D(8, (3, 2), padding=((0, 1), (2, 3)), groups=2)"
    assert layer.settings()["dilation"] == 1


# --- errors ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"filters": 0}, "filters must be a whole number of at least 1; received 0"),
        ({"kernel_size": 0}, "kernel_size must be"),
        ({"kernel_size": (3, 3, 3)}, "kernel_size must be a whole number or a pair"),
        ({"stride": 0}, "stride must be"),
        ({"dilation": (1, 0)}, "dilation must be"),
        ({"padding": "full"}, 'padding must be "valid", "same"'),
        ({"groups": 3}, "filters=4 and groups=3; expected filters that divide"),
        ({"use_bias": 1}, "use_bias must be True or False"),
        ({"activation": "rellu"}, "Did you mean 'relu'"),
    ],
)
def test_settings_that_make_no_convolution(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidSetting, match=message):
        Conv2D(**{"filters": 4, "kernel_size": 3, **settings})


def test_a_sequence_has_no_second_direction() -> None:
    with pytest.raises(InvalidSetting, match="kernel_size must be a whole number"):
        Conv1D(4, (3, 3))
    with pytest.raises(InvalidSetting, match=r"padding must be \(before, after\)"):
        Conv1D(4, 3, padding=(1, 2, 3))  # type: ignore[arg-type]  # wrong on purpose


def test_samples_that_do_not_fit() -> None:
    with pytest.raises(InvalidShape, match=r"\(28, 28\); expected \(height, width, channels\)"):
        cr.NeuralNetwork(Conv2D(4, 3), inputs=(28, 28))
    with pytest.raises(InvalidShape, match=r"\(5, 5, 3\); expected \(length, channels\)"):
        Conv1D(4, 3).output_shape((5, 5, 3))
    with pytest.raises(InvalidShape, match=r"Conv2D\(4, 5\) received .* 3 x 9.*at least 5 x 5"):
        Conv2D(4, 5).output_shape((3, 9, 1))
    with pytest.raises(InvalidShape, match="6 channels; expected a multiple of its groups=4"):
        Conv2D(4, 3, groups=4).output_shape((9, 9, 6))
    network = cr.NeuralNetwork(Conv2D(4, 3), inputs=(9, 9, 1))
    with pytest.raises(InvalidShape):
        network.feedforward(np.zeros((2, 9, 9, 3)))

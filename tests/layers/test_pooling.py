"""Pooling over windows by hand, by loops over every window, and what ties the layers together."""

from __future__ import annotations

from typing import Any, NamedTuple

import hypothesis
import numpy as np
import pytest
from hypothesis import strategies as st

import chainrule as cr
from chainrule.errors import InvalidSetting, InvalidShape
from chainrule.layer import Array, Layer, Shape, Trace
from chainrule.layers import AveragePool1D, AveragePool2D, Conv2D, MaxPool1D, MaxPool2D


class Option(NamedTuple):
    """Settings of a layer, and what they come to on an image of 5 x 6."""

    window: Any
    stride: Any
    padding: Any
    size: tuple[int, int]
    steps: tuple[int, int]
    sides: tuple[tuple[int, int], tuple[int, int]]


OPTIONS = [
    Option(2, None, "valid", (2, 2), (2, 2), ((0, 0), (0, 0))),
    Option(1, 2, "valid", (1, 1), (2, 2), ((0, 0), (0, 0))),
    Option(3, 1, "valid", (3, 3), (1, 1), ((0, 0), (0, 0))),
    Option((5, 6), None, "valid", (5, 6), (5, 6), ((0, 0), (0, 0))),
    Option(2, None, "same", (2, 2), (2, 2), ((0, 1), (0, 0))),
    Option(3, 1, "same", (3, 3), (1, 1), ((1, 1), (1, 1))),
    Option(3, 2, "same", (3, 3), (2, 2), ((1, 1), (0, 1))),
    Option((2, 3), (1, 2), (1, 2), (2, 3), (1, 2), ((1, 1), (2, 2))),
    Option(3, (3, 1), 2, (3, 3), (3, 1), ((2, 2), (2, 2))),
    Option((3, 2), 2, ((0, 2), (1, 0)), (3, 2), (2, 2), ((0, 2), (1, 0))),
]
ALL = pytest.mark.parametrize("option", OPTIONS, ids=[f"{option[:3]}" for option in OPTIONS])


def by_loops(x: Array, d_z: Array, kind: type, size: Any, steps: Any, sides: Any) -> Any:
    """One window after the other: z, the place it chose, and d_x, for each channel alone."""
    batch, height, width, channels = x.shape
    (top, bottom), (left, right) = sides
    shape = (
        batch,
        (height + top + bottom - size[0]) // steps[0] + 1,
        (width + left + right - size[1]) // steps[1] + 1,
        channels,
    )
    z, chosen, d_x = np.zeros(shape), np.zeros(shape, int), np.zeros(x.shape)
    for index in np.ndindex(shape):
        b, p, q, c = index
        inside = [
            (i * size[1] + j, (b, row, column, c))
            for i in range(size[0])
            for j in range(size[1])
            if 0 <= (row := p * steps[0] + i - top) < height
            and 0 <= (column := q * steps[1] + j - left) < width
        ]
        numbers = [x[pixel] for _, pixel in inside]
        if issubclass(kind, MaxPool2D):
            z[index] = max(numbers)
            chosen[index], pixel = inside[numbers.index(z[index])]
            d_x[pixel] += d_z[index]
        else:
            z[index] = sum(numbers) / len(numbers)
            for _, pixel in inside:
                d_x[pixel] += d_z[index] / len(numbers)
    return z, chosen, d_x


def both_passes(layer: Layer, x: Array, d_z: Array) -> tuple[Array, Array, Trace]:
    trace = Trace()
    z = layer.feedforward(x, trace)
    d_x = layer.backprop(d_z, trace)
    assert d_x is not None
    return z, d_x, trace


def whole_numbers(shape: Shape, seed: int, dtype: str = "float64") -> Array:
    """Few different numbers, so that the largest is often there more than once."""
    return np.random.default_rng(seed).integers(-3, 3, shape).astype(dtype)


# --- by hand --------------------------------------------------------------------------------

IMAGE = np.array([[1.0, 5.0, 2.0, 2.0], [3.0, 4.0, 2.0, 2.0]]).reshape(1, 2, 4, 1)


def test_max_by_hand() -> None:
    z, d_x, trace = both_passes(MaxPool2D(), IMAGE, np.array([10.0, 20.0]).reshape(1, 1, 2, 1))
    assert z.ravel().tolist() == [5, 2]
    assert trace.chosen.ravel().tolist() == [1, 0]  # of four equal numbers the first
    np.testing.assert_array_equal(d_x[0, :, :, 0], [[0, 10, 20, 0], [0, 0, 0, 0]])


def test_overlapping_windows_add_up_by_hand() -> None:
    """The 5 is the largest number of two windows and gets what both of them say."""
    d_z = np.array([10.0, 20.0, 30.0]).reshape(1, 1, 3, 1)
    z, d_x, trace = both_passes(MaxPool2D(2, stride=1), IMAGE, d_z)
    assert z.ravel().tolist() == [5, 5, 2]
    assert trace.chosen.ravel().tolist() == [1, 0, 0]
    np.testing.assert_array_equal(d_x[0, :, :, 0], [[0, 30, 30, 0], [0, 0, 0, 0]])


def test_average_by_hand() -> None:
    """With "same" padding either window has three columns, of which two are on the image."""
    layer = AveragePool2D((2, 3), padding="same")
    z, d_x, trace = both_passes(layer, IMAGE, np.array([12.0, 24.0]).reshape(1, 1, 2, 1))
    assert trace.share.shape == (1, 1, 2, 1)
    np.testing.assert_allclose(trace.share.ravel(), [1 / 4, 1 / 4])
    np.testing.assert_allclose(z.ravel(), [13 / 4, 8 / 4])
    np.testing.assert_allclose(d_x[0, :, :, 0], [[3, 3, 6, 6], [3, 3, 6, 6]])


def test_max_does_not_see_the_padding() -> None:
    x = np.full((1, 2, 2, 1), -7.0)
    z, d_x, _ = both_passes(MaxPool2D(2, stride=1, padding=1), x, np.ones((1, 3, 3, 1)))
    np.testing.assert_array_equal(z, np.full((1, 3, 3, 1), -7.0))
    assert d_x.sum() == 9


# --- by loops -------------------------------------------------------------------------------


@ALL
@pytest.mark.parametrize("kind", [MaxPool2D, AveragePool2D])
@pytest.mark.parametrize(("dtype", "tolerance"), [("float64", 1e-12), ("float32", 1e-6)])
def test_every_option_is_what_loops_say(
    option: Option, kind: type, dtype: str, tolerance: float
) -> None:
    layer = kind(*option[:3])
    x = whole_numbers((2, 5, 6, 3), 0, dtype)
    shape = (2, *layer.output_shape((5, 6, 3)))
    d_z = np.random.default_rng(1).normal(size=shape).astype(dtype)
    z, d_x, trace = both_passes(layer, x, d_z)
    expected, chosen, expected_d_x = by_loops(x, d_z, kind, *option[3:])
    np.testing.assert_allclose(z, expected, rtol=tolerance, atol=tolerance)
    np.testing.assert_allclose(d_x, expected_d_x, rtol=tolerance, atol=tolerance)
    if kind is MaxPool2D:
        np.testing.assert_array_equal(trace.chosen, chosen)
    assert z.dtype == d_x.dtype == dtype
    assert d_x.shape == x.shape


@st.composite
def windows(draw: st.DrawFn) -> tuple[Any, ...]:
    """Any image, and any window that fits it with its padding: image, size, strides, sides."""
    axes = []
    for _ in ("height", "width"):
        size = draw(st.integers(1, 4))
        before, after = draw(st.tuples(*[st.integers(0, size - 1)] * 2))
        pixels = draw(st.integers(max(1, size - before - after), 7))
        axes.append((pixels, size, draw(st.integers(1, 5)), (before, after)))
    return tuple(zip(*axes, strict=True))


@hypothesis.given(windows(), st.integers(1, 2), st.integers(1, 3), st.integers(0, 99))
def test_any_window_is_what_loops_say(
    chosen_windows: tuple[Any, ...], batch: int, channels: int, seed: int
) -> None:
    image, size, steps, sides = chosen_windows
    x = whole_numbers((batch, *image, channels), seed)
    for kind in (MaxPool2D, AveragePool2D):
        layer = kind(size, steps, sides)
        d_z = whole_numbers((batch, *layer.output_shape((*image, channels))), seed + 1)
        z, d_x, trace = both_passes(layer, x, d_z)
        expected, chosen, expected_d_x = by_loops(x, d_z, kind, size, steps, sides)
        np.testing.assert_allclose(z, expected, atol=1e-12)
        np.testing.assert_allclose(d_x, expected_d_x, atol=1e-12)
        if kind is MaxPool2D:
            np.testing.assert_array_equal(trace.chosen, chosen)


@ALL
@pytest.mark.parametrize("kind", [MaxPool2D, AveragePool2D])
def test_backprop_is_what_finite_differences_say(option: Option, kind: type) -> None:
    layer = kind(*option[:3])
    net = cr.NeuralNetwork(layer, loss="sum_of_squares", inputs=(5, 6, 2), dtype="float64")
    random = np.random.default_rng(2)
    x = random.normal(size=(2, 5, 6, 2))
    result = net.check_gradients(x, random.normal(size=(2, *net.output_shape)))
    assert result, repr(result)


@pytest.mark.parametrize(
    ("window", "stride", "padding"),
    [(2, 2, 0), (3, 2, 1), (3, 1, 1), ((2, 4), (2, 1), (1, 2)), (1, 3, 0)],
    ids=str,
)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_pytorch_agrees(window: Any, stride: Any, padding: Any, dtype: str) -> None:
    torch = pytest.importorskip("torch", reason="PyTorch is not installed to compare with")
    functional = torch.nn.functional
    random = np.random.default_rng(3)
    x = random.normal(size=(2, 9, 8, 3)).astype(dtype)
    max_layer, average_layer = (
        kind(window, stride, padding) for kind in (MaxPool2D, AveragePool2D)
    )
    for layer, peer, options in (
        (max_layer, functional.max_pool2d, {}),
        (average_layer, functional.avg_pool2d, {"count_include_pad": False}),
    ):
        d_z = random.normal(size=(2, *layer.output_shape((9, 8, 3)))).astype(dtype)
        z, d_x, _ = both_passes(layer, x, d_z)
        their_x = torch.from_numpy(x).requires_grad_()
        their_z = peer(their_x.movedim(-1, 1), window, stride, padding, **options).movedim(1, -1)
        their_z.backward(torch.from_numpy(d_z))
        tolerance = 1e-5 if dtype == "float32" else 1e-10
        np.testing.assert_allclose(z, their_z.detach().numpy(), rtol=tolerance, atol=tolerance)
        np.testing.assert_allclose(d_x, their_x.grad.numpy(), rtol=tolerance, atol=tolerance)


# --- what ties them together ----------------------------------------------------------------


@pytest.mark.parametrize("kinds", [(MaxPool1D, MaxPool2D), (AveragePool1D, AveragePool2D)])
@pytest.mark.parametrize(
    ("window", "stride", "padding"),
    [(2, None, "valid"), (3, 1, "same"), (3, 2, 2), (4, 3, (3, 0)), (7, None, "valid")],
    ids=str,
)
def test_a_sequence_is_an_image_of_height_one(
    kinds: Any, window: int, stride: int | None, padding: Any
) -> None:
    sides = padding
    if padding != "valid" and padding != "same":
        sides = ((0, 0), (padding, padding) if isinstance(padding, int) else padding)
    flat = kinds[0](window, stride, padding)
    image = kinds[1]((1, window), None if stride is None else (1, stride), sides)
    x = whole_numbers((3, 7, 2), 4)
    assert flat.output_shape((7, 2)) == image.output_shape((1, 7, 2))[1:]
    d_z = np.random.default_rng(5).normal(size=(3, *flat.output_shape((7, 2))))
    z, d_x, trace = both_passes(flat, x, d_z)
    in_image, d_image, image_trace = both_passes(image, x[:, np.newaxis], d_z[:, np.newaxis])
    np.testing.assert_array_equal(z, in_image[:, 0])
    np.testing.assert_array_equal(d_x, d_image[:, 0])
    name = "chosen" if kinds[0] is MaxPool1D else "share"
    np.testing.assert_array_equal(getattr(trace, name), getattr(image_trace, name)[:, 0])
    net = cr.NeuralNetwork(flat, loss="sum_of_squares", inputs=(7, 2), dtype="float64")
    x = np.random.default_rng(6).normal(size=x.shape)
    assert net.check_gradients(x, np.zeros_like(z))


def test_an_average_is_a_depthwise_convolution_with_equal_weights() -> None:
    convolution = Conv2D(3, (2, 3), stride=(2, 1), groups=3, use_bias=False)
    cr.NeuralNetwork(convolution, inputs=(5, 6, 3), dtype="float64")
    convolution.weights = np.full(convolution.weights.shape, 1 / 6)
    x, d_z = np.random.default_rng(7).normal(size=(2, 4, 5, 6, 3))
    d_z = d_z[:, :2, :4]
    z, d_x, _ = both_passes(AveragePool2D((2, 3), (2, 1)), x, d_z)
    expected, expected_d_x, _ = both_passes(convolution, x, d_z)
    np.testing.assert_allclose(z, expected, atol=1e-12)
    np.testing.assert_allclose(d_x, expected_d_x, atol=1e-12)


@ALL
def test_all_that_comes_in_on_the_way_back_goes_out(option: Option) -> None:
    """Maximum and average both share out ∂L/∂z: the shares of a window sum to one."""
    for kind in (MaxPool2D, AveragePool2D):
        layer = kind(*option[:3])
        x = whole_numbers((2, 5, 6, 2), 8)
        d_z = np.random.default_rng(9).normal(size=(2, *layer.output_shape((5, 6, 2))))
        _, d_x, _ = both_passes(layer, x, d_z)
        np.testing.assert_allclose(d_x.sum(axis=(1, 2)), d_z.sum(axis=(1, 2)), atol=1e-12)


def test_a_window_of_more_than_256_places() -> None:
    """The places need more than one byte then."""
    x = np.zeros((1, 20, 20, 1))
    x[0, 19, 17] = 1
    _, d_x, trace = both_passes(MaxPool2D(20), x, np.full((1, 1, 1, 1), 3.0))
    assert trace.chosen.item() == 19 * 20 + 17
    np.testing.assert_array_equal(d_x, 3 * x)


@pytest.mark.parametrize("kind", [MaxPool2D, AveragePool2D])
def test_nan_is_not_lost(kind: type) -> None:
    """Otherwise training would not notice that it has diverged."""
    for place in np.ndindex(2, 2):
        x = np.zeros((1, 2, 2, 1))
        x[0, place[0], place[1]] = np.nan
        assert np.isnan(kind().feedforward(x, Trace())).all()


@pytest.mark.parametrize(
    ("layer", "shape"),
    [
        (MaxPool2D(), (4, 4, 1)),
        (AveragePool2D(), (4, 4, 1)),
        (MaxPool1D(), (4, 1)),
        (AveragePool1D(), (4, 1)),
    ],
    ids=repr,
)
def test_the_first_layer_need_not_tell_the_data_anything(layer: Layer, shape: Shape) -> None:
    trace = Trace()
    trace.needs_d_x = False
    z = layer.feedforward(np.ones((2, *shape)), trace)
    assert layer.backprop(z, trace) is None


# --- settings and errors --------------------------------------------------------------------


def test_it_says_what_it_is() -> None:
    assert repr(MaxPool2D()) == "MaxPool2D()"
    assert repr(MaxPool2D(3, 2, "same")) == "MaxPool2D(window=3, stride=2, padding='same')"
    assert AveragePool1D(4).settings() == {"window": 4, "stride": None, "padding": "valid"}


@pytest.mark.parametrize(
    ("layer", "shape", "message"),
    [
        (MaxPool2D(), (28, 28), r"MaxPool2D\(\) received samples of shape \(28, 28\); expected"),
        (AveragePool2D(), (5,), "expected .height, width, channels"),
        (MaxPool1D(), (5,), "expected .length, channels"),
        (AveragePool1D(), (5, 5, 1), "expected .length, channels"),
        (MaxPool2D(4), (3, 9, 1), r"received samples of 3 x 9.* at least 4 x 4"),
        (AveragePool2D((2, 9), padding=1), (5, 6, 1), "with padding 7 x 8; expected at least 2"),
        (MaxPool1D(8), (7, 2), "expected at least 1 x 8"),
    ],
)
def test_wrong_shapes_are_refused(layer: Layer, shape: Shape, message: str) -> None:
    with pytest.raises(InvalidShape, match=message):
        cr.NeuralNetwork(layer, inputs=shape)


@pytest.mark.parametrize("kind", [MaxPool2D, AveragePool2D])
@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"window": 0}, "window must be a whole number of at least 1; received 0"),
        ({"window": (2, 2, 2)}, "window must be a whole number or a pair"),
        ({"window": 1.5}, "window must be a whole number"),
        ({"stride": 0}, "stride must be a whole number of at least 1; received 0"),
        ({"stride": "2"}, "stride must be a whole number"),
        ({"padding": "full"}, 'padding must be "valid", "same"'),
        ({"padding": -1}, "padding must be a whole number of at least 0"),
        ({"padding": 2}, r"padding=2\) would have windows on padding alone; expected less"),
        ({"window": (3, 1), "padding": ((0, 0), (0, 1))}, "windows on padding alone"),
    ],
)
def test_wrong_settings_are_refused(kind: type, settings: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidSetting, match=message):
        kind(**settings)


@pytest.mark.parametrize("kind", [MaxPool1D, AveragePool1D])
@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"window": (2, 2)}, "window must be a whole number of at least 1"),
        ({"stride": 0}, "stride must be a whole number of at least 1; received 0"),
        ({"padding": (1, 1, 1)}, "padding must be .before, after"),
        ({"window": 3, "padding": (0, 3)}, "windows on padding alone"),
    ],
)
def test_wrong_settings_of_sequences(kind: type, settings: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidSetting, match=message):
        kind(**settings)

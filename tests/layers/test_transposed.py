"""The transposed convolution: what it paints, and that it is the adjoint of a convolution."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import chainrule as cr
from chainrule.errors import InvalidSetting, InvalidShape
from chainrule.layer import Array, Layer, Shape, Trace
from chainrule.layers import Conv2D, ConvTranspose2D

TOLERANCE = {"float32": 1e-5, "float64": 1e-10}


def bound(layer: Layer, sample: Shape, *, dtype: str = "float64") -> Any:
    """Give a layer parameters, all of them random."""
    random = np.random.default_rng(0)
    for name, shape in layer.parameter_shapes(sample).items():
        layer.bind(name, random.normal(size=shape).astype(dtype))
    return layer


def assert_close(actual: Array, expected: Array, dtype: str = "float64") -> None:
    assert actual.dtype == dtype
    scale = max(1.0, float(np.abs(expected).max()))
    np.testing.assert_allclose(actual, expected, rtol=0, atol=TOLERANCE[dtype] * scale)


# --- by hand -----------------------------------------------------------------------------------

IMAGE = np.array([[1.0, 2.0], [3.0, -1.0]])
KERNEL = np.array([[1.0, 2.0], [0.0, -1.0]])


def by_hand(error: Any, **settings: Any) -> tuple[Array, Array, Trace]:
    layer = ConvTranspose2D(1, 2, **settings)
    layer.bind("weights", KERNEL.reshape(2, 2, 1, 1))
    layer.bind("bias", np.array([0.0]))
    trace = Trace()
    z = layer.feedforward(IMAGE.reshape(1, 2, 2, 1), trace)
    d_x = layer.backprop(np.asarray(error, dtype=float).reshape(z.shape), trace)
    assert d_x is not None
    return z[0, ..., 0], d_x[0, ..., 0], trace


def test_every_pixel_paints_the_kernel() -> None:
    """With a stride of two, side by side."""
    z, d_x, trace = by_hand(np.arange(16), stride=2)
    np.testing.assert_array_equal(
        z,
        [
            [1, 2, 2, 4],  # 1 · kernel and 2 · kernel
            [0, -1, 0, -2],
            [3, 6, -1, -2],  # 3 · kernel and -1 · kernel
            [0, -3, 0, 1],
        ],
    )
    # What came of the first pixel is where the error is 0 1 / 4 5: 0·1 + 1·2 + 4·0 - 5·1
    np.testing.assert_array_equal(d_x, [[-3, 1], [13, 17]])
    # d_weights[0, 0] = 1·0 + 2·2 + 3·8 - 1·10
    np.testing.assert_array_equal(trace.d_weights[..., 0, 0], [[18, 23], [38, 43]])
    np.testing.assert_array_equal(trace.d_bias, [120])


def test_where_paint_overlaps_it_adds_up() -> None:
    z, _, _ = by_hand(np.zeros(9))
    np.testing.assert_array_equal(z, [[1, 4, 4], [3, 4, -4], [0, -3, 1]])


def test_padding_cuts_off_what_the_convolution_would_add() -> None:
    z, _, _ = by_hand(np.zeros(2), padding=((0, 1), (1, 1)))
    np.testing.assert_array_equal(z, [[4], [4]])


def test_output_padding_is_a_rim_that_no_pixel_reaches() -> None:
    z, _, _ = by_hand(np.zeros(20), stride=2, output_padding=(0, 1))
    np.testing.assert_array_equal(z[:, :4], by_hand(np.zeros(16), stride=2)[0])
    np.testing.assert_array_equal(z[:, 4], 0)


# --- the adjoint -------------------------------------------------------------------------------


def test_its_matrix_is_the_transpose_of_the_convolution_s() -> None:
    convolution = bound(Conv2D(3, 2, stride=2, padding=1, use_bias=False), (3, 4, 2))
    transposed = ConvTranspose2D(2, 2, stride=2, padding=1, output_padding=(1, 0), use_bias=False)
    transposed.bind("weights", convolution.weights)
    assert convolution.output_shape((3, 4, 2)) == (2, 3, 3)
    assert transposed.output_shape((2, 3, 3)) == (3, 4, 2)
    rows = convolution.feedforward(np.eye(24).reshape(24, 3, 4, 2), Trace()).reshape(24, 18)
    columns = transposed.feedforward(np.eye(18).reshape(18, 2, 3, 3), Trace()).reshape(18, 24)
    np.testing.assert_array_equal(rows, columns.T)


@given(
    st.tuples(st.integers(1, 3), st.integers(1, 4)),
    st.tuples(st.integers(1, 3), st.integers(1, 2)),
    st.sampled_from(["valid", "same", 1, (1, 0), ((1, 0), (0, 2))]),
    st.tuples(st.integers(1, 2), st.integers(1, 3)),
    st.sampled_from([1, 2]),
    st.tuples(st.integers(7, 9), st.integers(10, 12)),
)
def test_it_is_the_exact_adjoint_of_the_convolution(
    kernel_size: Any, stride: Any, padding: Any, dilation: Any, groups: int, image: Any
) -> None:
    """⟨A u, v⟩ = ⟨u, Aᵀ v⟩ for every option, and the passes are each other's."""
    settings: dict[str, Any] = {
        "stride": stride,
        "padding": padding,
        "dilation": dilation,
        "groups": groups,
        "use_bias": False,
    }
    convolution = bound(Conv2D(4, kernel_size, **settings), (*image, 6))
    small = convolution.output_shape((*image, 6))
    transposed = ConvTranspose2D(6, kernel_size, **settings)
    if padding == "same":
        image = tuple(n * s for n, s in zip(small[:2], stride, strict=True))
    else:
        back = transposed.output_shape(small)
        missing = tuple(n - m for n, m in zip(image, back[:2], strict=True))
        transposed = ConvTranspose2D(6, kernel_size, output_padding=missing, **settings)
    transposed.bind("weights", convolution.weights)
    assert transposed.output_shape(small) == (*image, 6)

    random = np.random.default_rng(1)
    u, v = random.normal(size=(2, *image, 6)), random.normal(size=(2, *small))
    forth, back_again = Trace(), Trace()
    a_u = convolution.feedforward(u, forth)
    at_v = transposed.feedforward(v, back_again)
    assert np.vdot(a_u, v) == pytest.approx(np.vdot(u, at_v), rel=1e-12, abs=1e-10)
    np.testing.assert_array_equal(convolution.backprop(v, forth), at_v)
    np.testing.assert_array_equal(transposed.backprop(u, back_again), a_u)
    np.testing.assert_array_equal(forth.d_weights, back_again.d_weights)


# --- against other implementations -------------------------------------------------------------


def painted(layer: ConvTranspose2D, x: Array, more: tuple[int, int]) -> Array:
    """Paint pixel by pixel, as the words say."""
    windows, (batch, height, width, channels) = layer.windows, x.shape
    span, stride, dilation = windows.span, windows.stride, windows.dilation
    canvas = np.zeros(
        (
            batch,
            (height - 1) * stride[0] + span[0] + more[0],
            (width - 1) * stride[1] + span[1] + more[1],
            layer.filters,
        )
    )
    part = channels // layer.groups, layer.filters // layer.groups
    for p, q in itertools.product(range(height), range(width)):
        for i, j in itertools.product(range(windows.size[0]), range(windows.size[1])):
            spot = canvas[:, p * stride[0] + i * dilation[0], q * stride[1] + j * dilation[1]]
            for group in range(layer.groups):
                inputs = slice(group * part[0], (group + 1) * part[0])
                outputs = slice(group * part[1], (group + 1) * part[1])
                spot[:, outputs] += x[:, p, q, inputs] @ layer.weights[i, j, :, inputs].T
    assert not isinstance(windows.padding, str)
    (top, bottom), (left, right) = windows.padding
    return canvas[:, top : canvas.shape[1] - bottom, left : canvas.shape[2] - right]


OPTIONS = [
    (kernel_size, stride, padding, more, dilation, groups)
    for kernel_size, stride, padding, more, dilation, groups in itertools.product(
        [1, 3, (2, 4)],  # kernel_size
        [1, 2, (3, 1)],  # stride
        [0, 1, (0, 1)],  # padding
        [0, 1, (2, 0)],  # output_padding
        [1, (2, 1)],  # dilation
        [1, 2, 4],  # groups
    )
    if max(np.broadcast_to(more, 2) - np.broadcast_to(stride, 2)) < 0
]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(
    ("kernel_size", "stride", "padding", "output_padding", "dilation", "groups"), OPTIONS
)
def test_every_option_painted_pixel_by_pixel(
    kernel_size: Any,
    stride: Any,
    padding: Any,
    output_padding: Any,
    dilation: Any,
    groups: int,
    dtype: str,
) -> None:
    layer = ConvTranspose2D(
        8,
        kernel_size,
        stride=stride,
        padding=((padding, padding),) * 2 if isinstance(padding, int) else ((0, 0), (1, 1)),
        output_padding=output_padding,
        dilation=dilation,
        groups=groups,
        use_bias=False,
    )
    bound(layer, (3, 4, 4), dtype=dtype)
    x = np.random.default_rng(2).normal(size=(2, 3, 4, 4)).astype(dtype)
    z = layer.feedforward(x, Trace())
    assert z.shape[1:] == layer.output_shape((3, 4, 4))
    height, width = np.broadcast_to(output_padding, 2)
    assert_close(z, painted(layer, x, (int(height), int(width))), dtype)


@pytest.mark.filterwarnings("ignore:TF32 acceleration")  # PyTorch says so when oneDNN is put aside
def test_every_option_against_pytorch() -> None:
    torch = pytest.importorskip("torch", reason="compares with PyTorch where it is installed")
    random = np.random.default_rng(3)
    for dtype, (kernel_size, stride, padding, more, dilation, groups) in itertools.product(
        TOLERANCE, OPTIONS
    ):
        layer = ConvTranspose2D(
            8,
            kernel_size,
            stride=stride,
            padding=padding,
            output_padding=more,
            dilation=dilation,
            groups=groups,
        )
        bound(layer, (4, 5, 4), dtype=dtype)
        x = random.normal(size=(3, 4, 5, 4)).astype(dtype)
        trace = Trace()
        z = layer.feedforward(x, trace)
        d_z = random.normal(size=z.shape).astype(dtype)
        d_x = layer.backprop(d_z, trace)
        assert d_x is not None

        images, weights, bias = (
            torch.tensor(array, requires_grad=True)
            for array in (
                x.transpose(0, 3, 1, 2),
                layer.weights.transpose(3, 2, 0, 1),
                layer.bias,
            )
        )
        # PyTorch's own code: the oneDNN form of 2.13 aborts on some of these options.
        with torch.backends.mkldnn.flags(enabled=False):
            theirs = torch.nn.functional.conv_transpose2d(
                images, weights, bias, stride, padding, more, groups, dilation
            )
            theirs.backward(torch.tensor(d_z.transpose(0, 3, 1, 2)))
        assert_close(z, theirs.detach().numpy().transpose(0, 2, 3, 1), dtype)
        assert_close(d_x, images.grad.numpy().transpose(0, 2, 3, 1), dtype)
        assert_close(trace.d_weights, weights.grad.numpy().transpose(2, 3, 1, 0), dtype)
        assert_close(trace.d_bias, bias.grad.numpy(), dtype)


@pytest.mark.parametrize(
    "layers",
    [
        [ConvTranspose2D(3, 3, "tanh"), ConvTranspose2D(2, 2, "softplus", padding="same")],
        [ConvTranspose2D(4, 2, "sigmoid", stride=2, padding="same"), Conv2D(2, 3)],
        [ConvTranspose2D(4, 3, "tanh", stride=3, output_padding=(2, 1), dilation=2, groups=2)],
        [ConvTranspose2D(4, (1, 3), cr.PReLU(0.3), padding=((0, 0), (2, 1)), use_bias=False)],
    ],
)
def test_finite_differences(layers: list[Layer]) -> None:
    network = cr.NeuralNetwork(*layers, loss="mean_squared_error", dtype="float64")
    random = np.random.default_rng(4)
    x = random.normal(size=(2, 3, 4, 2))
    check = network.check_gradients(x, random.normal(size=network.feedforward(x).shape))
    assert check, check


# --- as a layer of a network -------------------------------------------------------------------


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({}, (9, 10)),
        ({"stride": 2}, (15, 17)),
        ({"stride": 2, "padding": 1}, (13, 15)),
        ({"stride": 2, "padding": 1, "output_padding": 1}, (14, 16)),
        ({"stride": 2, "padding": "same"}, (14, 16)),
        ({"stride": (4, 1), "padding": "same"}, (28, 8)),  # a stride larger than the kernel
        ({"stride": 4}, (27, 31)),
        ({"dilation": 2}, (11, 12)),
    ],
)
def test_output_sizes(settings: dict[str, Any], expected: tuple[int, int]) -> None:
    layer = bound(ConvTranspose2D(6, 3, **settings), (7, 8, 4))
    assert layer.output_shape((7, 8, 4)) == (*expected, 6)
    assert layer.feedforward(np.ones((2, 7, 8, 4)), Trace()).shape == (2, *expected, 6)


def test_parameters_are_those_of_the_convolution_the_other_way_round() -> None:
    layer = ConvTranspose2D(6, (3, 2), groups=2)
    assert layer.parameter_shapes((7, 8, 4)) == {"weights": (3, 2, 3, 4), "bias": (6,)}
    assert Conv2D(4, (3, 2), groups=2).parameter_shapes((9, 9, 6))["weights"] == (3, 2, 3, 4)
    without = ConvTranspose2D(6, 3, use_bias=False).parameter_shapes((7, 8, 4))
    assert without == {"weights": (3, 3, 6, 4)}


def test_weights_start_with_the_spread_for_what_one_output_sums() -> None:
    layer = ConvTranspose2D(8, 3, "relu", groups=2, bias_initializer=cr.Constant(0.5))
    cr.NeuralNetwork(layer, inputs=(4, 4, 64))
    assert layer.weights.shape == (3, 3, 4, 64)
    assert layer.weights.var() == pytest.approx(4 / (9 * 32 + 9 * 8), rel=0.05)
    assert (layer.bias == 0.5).all()


def test_an_initializer_sees_each_output_s_own_inputs_in_every_group() -> None:
    """Orthogonal makes the weights of every two outputs stand at right angles."""
    layer = ConvTranspose2D(4, 2, groups=2, weights_initializer="orthogonal")
    cr.NeuralNetwork(layer, inputs=(4, 4, 6), dtype="float64")
    for group in range(2):
        per_output = layer.weights[..., 3 * group : 3 * group + 3].transpose(2, 0, 1, 3)
        rows = per_output.reshape(2, -1)
        np.testing.assert_allclose(rows @ rows.T, np.eye(2), atol=1e-12)


def test_the_first_layer_need_not_tell_the_data_anything() -> None:
    layer = bound(ConvTranspose2D(2, 2, use_bias=False), (3, 3, 1))
    trace = Trace()
    trace.needs_d_x = False
    assert layer.backprop(layer.feedforward(np.ones((1, 3, 3, 1)), trace), trace) is None
    assert "d_bias" not in trace.fields()


def test_it_learns_to_undo_what_made_images_smaller() -> None:
    """Averages of 2 x 2 blocks of one grey each come back exactly: each paints its block."""
    small = np.random.default_rng(5).normal(size=(64, 3, 3, 1))
    large = small.repeat(2, axis=1).repeat(2, axis=2)
    layer = ConvTranspose2D(1, 2, stride=2)
    network = cr.NeuralNetwork(layer, optimizer=cr.Adam(0.1), dtype="float64")
    network.fit(small, large, epochs=200, batch_size=None, progress=False)
    np.testing.assert_allclose(layer.weights, 1, atol=0.01)


def test_settings_are_kept_as_given() -> None:
    layer = ConvTranspose2D(8, 3, stride=(2, 3), output_padding=[1, 2])  # type: ignore[arg-type]  # a list, as a model file has it
    assert repr(layer) == "ConvTranspose2D(8, 3, output_padding=(1, 2), stride=(2, 3))"


# --- errors ------------------------------------------------------------------------------------


def test_an_output_padding_that_fits_no_convolution() -> None:
    with pytest.raises(InvalidSetting, match="output_padding=1; expected less than stride=1"):
        ConvTranspose2D(4, 3, output_padding=1)
    with pytest.raises(InvalidSetting, match=r"output_padding=\(1, 1\)"):
        ConvTranspose2D(4, 3, stride=(2, 1), output_padding=(1, 1))
    with pytest.raises(InvalidSetting, match='with "same"; expected none'):
        ConvTranspose2D(4, 3, stride=2, padding="same", output_padding=1)
    with pytest.raises(InvalidSetting, match="output_padding must be"):
        ConvTranspose2D(4, 3, output_padding=-1)


def test_settings_are_checked_as_those_of_the_convolution() -> None:
    with pytest.raises(InvalidSetting, match="ConvTranspose2D received filters=4 and groups=3"):
        ConvTranspose2D(4, 3, groups=3)
    with pytest.raises(InvalidSetting, match="padding must be"):
        ConvTranspose2D(4, 3, padding="full")  # type: ignore[arg-type]  # wrong on purpose


def test_samples_that_do_not_fit() -> None:
    with pytest.raises(InvalidShape, match=r"\(28, 28\); expected \(height, width, channels\)"):
        ConvTranspose2D(4, 3).output_shape((28, 28))
    with pytest.raises(InvalidShape, match="6 channels; expected a multiple of its groups=4"):
        ConvTranspose2D(4, 3, groups=4).output_shape((9, 9, 6))
    with pytest.raises(InvalidShape, match=r"1 x 5, of which padding leaves -1 x 3"):
        ConvTranspose2D(4, 3, padding=2).output_shape((1, 5, 4))

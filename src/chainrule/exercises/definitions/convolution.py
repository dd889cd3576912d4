"""The exercises convolution and convolution-backward."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from chainrule.exercises.exercise import Case, Exercise, Mistake, Slope, backward, forward
from chainrule.layer import Array
from chainrule.layers.convolution import Conv2D

_SIZES = [  # batch, height, width, channels, kernel height, kernel width, filters
    (2, 5, 4, 3, 3, 2, 2),
    (1, 4, 6, 1, 2, 2, 3),
    (3, 4, 4, 2, 3, 3, 2),
]


def _images(random: np.random.Generator) -> list[tuple[Array, Array, Array]]:
    return [
        (
            random.normal(size=(batch, height, width, channels)),
            random.normal(size=(down, across, channels, filters)),
            random.normal(size=filters),
        )
        for batch, height, width, channels, down, across, filters in _SIZES
    ]


def _convolve(x: Array, weights: Array, bias: Array) -> Array:
    layer = Conv2D(weights.shape[3], (weights.shape[0], weights.shape[1]))
    return forward(layer, x, weights=weights, bias=bias)[0]


def _places(d_z: Array) -> Iterator[tuple[int, int]]:
    """(p, q) of all places, row by row."""
    return ((p, q) for p in range(d_z.shape[1]) for q in range(d_z.shape[2]))


def _one_short(x: Array, weights: Array, bias: Array) -> Array:
    z = _convolve(x, weights, bias)
    z[:, -1] = 0
    z[:, :, -1] = 0
    return z


def _shifted(x: Array, weights: Array, bias: Array) -> Array:
    """Windows that begin one pixel too late; what hangs over the edge is missing."""
    moved = np.zeros_like(x)
    moved[:, :-1, :-1] = x[:, 1:, 1:]
    return _convolve(moved, weights, bias)


def _turned(x: Array, weights: Array, bias: Array) -> Array:
    z = _convolve(x, weights, bias)
    swapped = np.zeros_like(z)
    side = min(z.shape[1], z.shape[2])
    swapped[:, :side, :side] = z[:, :side, :side].transpose(0, 2, 1, 3)
    return swapped


def _kernel_transposed(x: Array, weights: Array, bias: Array) -> Array:
    if weights.shape[0] != weights.shape[1]:
        raise ValueError("only a square kernel still fits on its window")
    return _convolve(x, weights.transpose(1, 0, 2, 3), bias)


CONVOLUTION = Exercise(
    name="convolution",
    title="the same small weighted sum at every place of an image",
    function="convolve",
    arguments=("x", "weights", "bias"),
    outputs=("z",),
    cases=_images,
    truth=_convolve,
    source="the layer Conv2D",
    mistakes=[
        Mistake(
            "bias_forgotten",
            lambda x, w, b: _convolve(x, w, np.zeros_like(b)),
            "The bias takes no part.",
        ),
        Mistake(
            "bias_repeated",
            lambda x, w, b: _convolve(x, w, b * (w.size // w.shape[3])),
            "The bias is added once for each weight of the kernel. It is added once for each "
            "place.",
        ),
        Mistake(
            "bias_repeated",
            lambda x, w, b: _convolve(x, w, b * w.shape[2]),
            "The bias is added once for each channel. It is added once for each place.",
        ),
        Mistake(
            "kernel_flipped",
            lambda x, w, b: _convolve(x, w[::-1, ::-1], b),
            "The kernel is turned upside down, as in a convolution of mathematics. In the formula "
            "above, W[0, 0] meets the top left pixel of the window.",
        ),
        Mistake(
            "kernel_transposed",
            _kernel_transposed,
            "Rows and columns of the kernel have changed places.",
        ),
        Mistake(
            "first_channel_only",
            lambda x, w, b: _convolve(x[..., :1], w[:, :, :1], b),
            "Only the first channel is summed up. All channels of the window take part.",
        ),
        Mistake(
            "mean_for_sum",
            lambda x, w, b: _convolve(x, w / (w.size // w.shape[3]), b),
            "This is the mean over the window. Wanted is the sum.",
        ),
        Mistake(
            "last_window_missing",
            _one_short,
            "The last row and the last column of z are still 0. There are height - kernel_height "
            "+ 1 places, so the last p is height - kernel_height.",
        ),
        Mistake(
            "window_shifted",
            _shifted,
            "Each window begins one pixel too far down and to the right. At (p, q) it begins at "
            "x[:, p, q].",
        ),
        Mistake(
            "rows_and_columns_swapped",
            _turned,
            "Rows and columns of z have changed places. p counts rows, q counts columns.",
        ),
        Mistake(
            "bias_subtracted",
            lambda x, w, b: _convolve(x, w, -b),
            "The bias is subtracted. Look at its sign.",
        ),
    ],
    hints=[
        "For one place (p, q): cut the window out of x, multiply it by the kernel, sum up.",
        "The window is x[:, p : p + kernel_height, q : q + kernel_width, :], for all images at "
        "once. It has the shape (batch, kernel_height, kernel_width, channels).",
        "For one filter f: multiply the window by weights[:, :, :, f] and sum over axis=(1, 2, 3). "
        "That leaves one number for each image. Do not forget bias[f].",
        "All filters at once: np.tensordot(window, weights, axes=3) sums over the last three axes "
        "of the window and the first three of weights.",
    ],
)


def _gradient_cases(random: np.random.Generator) -> list[Case]:
    return [
        (x, weights, random.normal(size=_convolve(x, weights, bias).shape))
        for x, weights, bias in _images(random)
    ]


def _gradients(x: Array, weights: Array, d_z: Array) -> tuple[Array, Array, Array]:
    layer = Conv2D(weights.shape[3], (weights.shape[0], weights.shape[1]))
    d_x, trace = backward(layer, x, d_z, weights=weights, bias=np.zeros(weights.shape[3]))
    assert d_x is not None  # noqa: S101 - asked for by the trace
    return trace.d_weights, trace.d_bias, d_x


def _overwritten(x: Array, weights: Array, d_z: Array) -> tuple[Array, Array, Array]:
    """= in place of += everywhere: what the last place left behind."""
    d_weights, d_bias, d_x = np.zeros_like(weights), np.zeros(weights.shape[3]), np.zeros_like(x)
    down, across = weights.shape[:2]
    for p, q in _places(d_z):
        d_bias = d_z[:, p, q].sum(axis=0)
        for i in range(down):
            for j in range(across):
                d_weights[i, j] = x[:, p + i, q + j].T @ d_z[:, p, q]
                d_x[:, p + i, q + j] = d_z[:, p, q] @ weights[i, j].T
    return d_weights, d_bias, d_x


def _in_all(part: Callable[[Array], Array]) -> Callable[..., Any]:
    def changed(x: Array, weights: Array, d_z: Array) -> Any:
        return tuple(part(gradient) for gradient in _gradients(x, weights, d_z))

    return changed


CONVOLUTION_BACKWARD = Exercise(
    name="convolution-backward",
    title="the gradients of a convolution",
    function="convolve_backprop",
    arguments=("x", "weights", "d_z"),
    outputs=("d_weights", "d_bias", "d_x"),
    cases=_gradient_cases,
    truth=_gradients,
    source="the layer Conv2D",
    slopes={
        "d_weights": Slope(
            1, lambda x, w, d: float((_convolve(x, w, np.zeros(w.shape[3])) * d).sum())
        ),
        "d_x": Slope(0, lambda x, w, d: float((_convolve(x, w, np.zeros(w.shape[3])) * d).sum())),
    },
    mistakes=[
        Mistake(
            "overwritten",
            _overwritten,
            "Only what came last is left: it is written with = where it should be added with +=.",
        ),
        Mistake(
            "kernel_flipped",
            lambda x, w, d: (
                _gradients(x, w, d)[0][::-1, ::-1],
                np.full(w.shape[3], np.nan),
                _gradients(x, w[::-1, ::-1], d)[2],
            ),
            "The kernel is turned upside down. The place (p + i, q + j) goes with W[i, j].",
        ),
        Mistake(
            "mean_for_sum",
            lambda x, w, d: tuple(g / len(x) for g in _gradients(x, w, d)),
            "This is the mean over the images. The gradient is the sum.",
        ),
        Mistake(
            "not_summed_over_places",
            lambda x, w, d: (np.full_like(w, np.nan), d.sum(axis=(0, 1)), np.full_like(x, np.nan)),
            "The bias was added at every place, so its gradient sums over the images and over "
            "both directions. One direction is missing.",
        ),
        Mistake(
            "not_summed_over_places",
            lambda x, w, d: (np.full_like(w, np.nan), d.sum(axis=0), np.full_like(x, np.nan)),
            "The bias was added at every place, so its gradient sums over the images and over "
            "all places.",
        ),
        Mistake(
            "total_sum",
            lambda x, w, d: (np.full_like(w, np.nan), d.sum(), np.full_like(x, np.nan)),
            "This is the sum of everything. Each filter has a bias of its own.",
        ),
        Mistake(
            "mean_for_sum",
            lambda x, w, d: (
                np.full_like(w, np.nan),
                d.mean(axis=(0, 1, 2)),
                np.full_like(x, np.nan),
            ),
            "This is a mean. The gradient is the sum.",
        ),
        Mistake(
            "never_filled",
            _in_all(np.zeros_like),
            "It is all zeros: nothing was added to it.",
        ),
        Mistake(
            "sum_repeated",
            lambda x, w, d: (
                np.full_like(w, np.nan),
                d.sum(axis=(0, 1, 2)) * w.shape[0] * w.shape[1],
                np.full_like(x, np.nan),
            ),
            "The bias gradient is added up once for each weight of the kernel. It stands too deep "
            "inside the loops.",
        ),
        Mistake(
            "sum_repeated",
            lambda x, w, d: (
                np.full_like(w, np.nan),
                d.sum(axis=(0, 1, 2)) * d.shape[1] * d.shape[2],
                np.full_like(x, np.nan),
            ),
            "The bias gradient is added up once for each place, and each time it sums over all "
            "places. It stands inside the loops.",
        ),
    ],
    hints=[
        "In the loops, (p, q) is a place and (i, j) a weight. The forward formula says which pixel "
        "met which weight there: x[:, p + i, q + j] met weights[i, j], and gave z[:, p, q].",
        "At each place this is a dense layer. Its gradients are: inputs transposed times d_z for "
        "the weights, d_z times weights transposed for the inputs.",
        "Add them up with +=. d_weights[i, j] has shape (channels, filters), and "
        "d_x[:, p + i, q + j] has shape (batch, channels).",
        "d_weights[i, j] gets x[:, p + i, q + j].T @ d_z[:, p, q]. d_x gets the product of "
        "d_z[:, p, q] and weights[i, j] transposed. d_bias sums d_z over axis=(0, 1, 2), after "
        "the loops.",
    ],
)

"""The exercise pooling."""

from __future__ import annotations

import numpy as np

from chainrule.exercises.exercise import Case, Exercise, Mistake, Slope, backward, forward
from chainrule.layer import Array
from chainrule.layers.pooling import MaxPool2D


def _pool_cases(random: np.random.Generator) -> list[Case]:
    cases: list[Case] = []
    for batch, height, width, channels, size in [(2, 4, 6, 2, 2), (1, 6, 3, 1, 3), (3, 4, 4, 3, 2)]:
        x = random.normal(size=(batch, height, width, channels))
        d_z = random.normal(size=(batch, height // size, width // size, channels))
        cases.append((x, d_z, size))
    return cases


def _pool(x: Array, d_z: Array, size: int) -> Array:
    d_x, _ = backward(MaxPool2D(size), x, d_z)
    assert d_x is not None  # noqa: S101 - asked for by the trace
    return d_x


def _spread(d_z: Array, size: int) -> Array:
    """Each number of d_z over the whole of its window."""
    return d_z.repeat(size, axis=1).repeat(size, axis=2)


def _windows(x: Array, size: int) -> Array:
    """(batch, out_height, size, out_width, size, channels), a view."""
    batch, height, width, channels = x.shape
    return x.reshape(batch, height // size, size, width // size, size, channels)


def _of_whole_window(x: Array, d_z: Array, size: int) -> Array:
    """The largest number over the channels together."""
    largest = _windows(x, size).max(axis=(2, 4, 5), keepdims=True)
    chosen = (_windows(x, size) == largest).reshape(x.shape)
    return chosen * _spread(d_z, size)


def _of_all_images(x: Array, d_z: Array, size: int) -> Array:
    largest = _windows(x, size).max(axis=(0, 2, 4), keepdims=True)
    return (_windows(x, size) == largest).reshape(x.shape) * _spread(d_z, size)


def _corner(x: Array, d_z: Array, size: int) -> Array:
    d_x = np.zeros_like(x)
    d_x[:, ::size, ::size] = d_z
    return d_x


def _sliding(x: Array, d_z: Array, size: int) -> Array:
    """Windows that begin at (p, q) in place of (p size, q size)."""
    d_x = np.zeros_like(x)
    for p in range(d_z.shape[1]):
        for q in range(d_z.shape[2]):
            window = x[:, p : p + size, q : q + size]
            chosen = window == window.max(axis=(1, 2), keepdims=True)
            d_x[:, p : p + size, q : q + size] += chosen * d_z[:, p : p + 1, q : q + 1]
    return d_x


POOLING = Exercise(
    name="pooling",
    title="back through the largest number of each window",
    function="max_pool_backprop",
    arguments=("x", "d_z", "size"),
    outputs=("d_x",),
    cases=_pool_cases,
    truth=_pool,
    source="the layer MaxPool2D",
    slopes={
        "d_x": Slope(0, lambda x, d_z, size: float((forward(MaxPool2D(size), x)[0] * d_z).sum()))
    },
    mistakes=[
        Mistake(
            "to_all_equally",
            lambda x, d, n: _spread(d, n) / n**2,
            "Each number of the window gets the same share. That is average pooling. Here the "
            "largest one gets everything.",
        ),
        Mistake(
            "to_all",
            lambda x, d, n: _spread(d, n),
            "Every number of the window gets the whole gradient. Only the largest one had any "
            "influence.",
        ),
        Mistake(
            "to_the_corner",
            _corner,
            "The gradient goes to the top left number of each window. It belongs to the largest.",
        ),
        Mistake(
            "to_the_smallest",
            lambda x, d, n: _pool(-x, d, n),
            "The gradient goes to the smallest number of each window.",
        ),
        Mistake(
            "times_x",
            lambda x, d, n: _pool(x, d, n) * x,
            "The gradient is multiplied by the largest number. z = x there, so the slope is 1.",
        ),
        Mistake(
            "value_for_gradient",
            lambda x, d, n: _pool(x, np.ones_like(d), n) * x,
            "The largest numbers themselves stand in d_x. Their places are right; the gradient "
            "d_z belongs there.",
        ),
        Mistake(
            "gradient_missing",
            lambda x, d, n: _pool(x, np.ones_like(d), n),
            "The places are right, but there is a 1 in each. What comes back there is d_z.",
        ),
        Mistake(
            "channels_together",
            _of_whole_window,
            "One number is chosen for all channels. Each channel has a largest number of its own.",
        ),
        Mistake(
            "images_together",
            _of_all_images,
            "One number is chosen for all images. Each image has a largest number of its own.",
        ),
        Mistake(
            "windows_overlap",
            _sliding,
            "The windows begin at (p, q) and overlap. The next window begins where this one ends: "
            "at p * size, q * size.",
        ),
    ],
    hints=[
        "Only the largest number of a window decides. So its place gets the whole gradient of the "
        "window, and all other places get 0.",
        "Cut the window out as max_pool does. Where is it equal to its largest number? Compare: "
        "the result is True there and False elsewhere.",
        "window.max(axis=(1, 2), keepdims=True) has shape (batch, 1, 1, channels), so it can be "
        "compared with the window. d_z needs two axes more to fit: d_z[:, p : p + 1, q : q + 1].",
        "The same part of d_x becomes: (window == its maximum) times d_z[:, p : p + 1, q : q + 1].",
    ],
)

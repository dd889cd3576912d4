"""What every activation promises: safe for any finite input, true to dtype and bounds."""

from __future__ import annotations

import copy
from typing import Any

import hypothesis.extra.numpy as arrays_of
import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

import chainrule as cr
from chainrule.activation import VectorActivation
from chainrule.layer import Array
from contracts.examples import examples, random_for

ACTIVATIONS = examples(cr.Activation)
ALL = pytest.mark.parametrize("activation", ACTIVATIONS, ids=repr)


def extremes(dtype: type[np.floating[Any]]) -> Array:
    """Pair the ends of the number line, its smallest steps, and both zeros, in rows of three."""
    limits = np.finfo(dtype)
    ends: list[Any] = [
        limits.max,
        limits.tiny,
        limits.smallest_subnormal,
        limits.eps,
        1,
        100,
        1e4,
        0.0,
    ]
    numbers = np.array([sign * end for end in ends for sign in (1, -1)], dtype=dtype)
    triples = np.stack(np.meshgrid(numbers, numbers, numbers[:4], indexing="ij"), axis=-1)
    return triples.reshape(-1, 3)


def finite(dtype: type[np.floating[Any]]) -> st.SearchStrategy[Array]:
    """Rows of three finite numbers of any size."""
    numbers = st.floats(
        width=32 if dtype is np.float32 else 64, allow_nan=False, allow_infinity=False
    )
    return arrays_of.arrays(dtype, st.tuples(st.integers(1, 4), st.just(3)), elements=numbers)


def ready(activation: cr.Activation, dtype: type[np.floating[Any]]) -> cr.Activation:
    """Return a copy that belongs to a network of three inputs, where it has something to learn."""
    copied = copy.deepcopy(activation)
    cr.NeuralNetwork(copied, inputs=3, dtype=np.dtype(dtype).name)
    return copied


def assert_safe(activation: cr.Activation, z: Array) -> None:
    """Run value, derivative and backprop; a warning of NumPy's is an error in the tests."""
    activation = ready(activation, z.dtype.type)
    z.flags.writeable = False  # whoever writes into its input is found out
    trace = cr.Trace()
    a = activation.feedforward(z, trace)
    assert a.dtype == z.dtype
    assert a.shape == z.shape
    assert not np.isnan(a).any()
    low, high = activation.outputs_within
    assert (a >= low).all()
    assert (a <= high).all()

    d_a = np.full_like(z, 1 / len(z))  # what a mean over the batch passes back at most
    d_a.flags.writeable = False
    d_z = activation.backprop(d_a, trace)
    assert d_z is not None
    assert d_z.dtype == z.dtype
    assert np.isfinite(d_z).all()
    for name in activation.parameter_shapes((3,)):
        assert getattr(trace, f"d_{name}").dtype == z.dtype
        assert np.isfinite(getattr(trace, f"d_{name}")).all()

    if not isinstance(activation, VectorActivation):
        derivative = activation.derivative(z, a)
        assert np.isfinite(derivative).all()
        assert (d_a * derivative).dtype == z.dtype
        np.testing.assert_array_equal(d_z, d_a * derivative)


@ALL
@given(z=finite(np.float32))
@example(z=extremes(np.float32))
def test_any_finite_float32_is_safe(activation: cr.Activation, z: Array) -> None:
    assert_safe(activation, z)


@ALL
@given(z=finite(np.float64))
@example(z=extremes(np.float64))
def test_any_finite_float64_is_safe(activation: cr.Activation, z: Array) -> None:
    assert_safe(activation, z)


@ALL
def test_value_is_finite_wherever_the_float_can_hold_it(activation: cr.Activation) -> None:
    """Nothing overflows on the way to a result that is itself in range."""
    z = extremes(np.float32)
    z[np.abs(z) == np.finfo(np.float32).max] *= np.float32(0.9)  # SELU multiplies by 1.05
    assert np.isfinite(ready(activation, np.float32).value(z)).all()


@ALL
def test_float32_agrees_with_float64(activation: cr.Activation) -> None:
    z = random_for(activation, "float32").normal(0, 3, (50, 3)).astype(np.float32)
    single, double = ready(activation, np.float32), ready(activation, np.float64)
    np.testing.assert_allclose(
        single.value(z), double.value(z.astype(np.float64)), rtol=1e-5, atol=1e-6
    )


@ALL
def test_an_image_is_treated_number_by_number_or_along_its_last_axis(
    activation: cr.Activation,
) -> None:
    """(batch, height, width, channels) gives what its flattened rows give."""
    activation = ready(activation, np.float64)
    z, d_a = random_for(activation, "image").normal(0, 3, (2, 2, 4, 5, 3))
    image, rows = cr.Trace(), cr.Trace()
    np.testing.assert_allclose(
        activation.feedforward(z, image).reshape(-1, 3),
        activation.feedforward(z.reshape(-1, 3), rows),
    )
    d_image, d_rows = activation.backprop(d_a, image), activation.backprop(d_a.reshape(-1, 3), rows)
    assert d_image is not None
    np.testing.assert_allclose(d_image.reshape(-1, 3), d_rows)
    for name in activation.parameter_shapes((4, 5, 3)):
        np.testing.assert_allclose(getattr(image, f"d_{name}"), getattr(rows, f"d_{name}"))

"""The activations: numbers worked out by hand, then the paths that not every machine takes.

That formula, derivative and code agree everywhere is proved in ``contracts``; here stand a few
values that a reader can check with pencil and paper.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from math import e, exp, log, pi, sqrt, tanh

import numpy as np
import pytest
from contracts.examples import members

import chainrule as cr
from chainrule import activations
from chainrule.activation import VectorActivation
from chainrule.layer import Array

# The standard normal distribution, from a printed table: P(Z < 1) and its density at 1.
BELOW_ONE, DENSITY_AT_ONE = 0.8413447460685429, 0.24197072451914337

# z, then a = f(z), then f'(z).
BY_HAND: dict[type[cr.Activation], list[tuple[float, float, float]]] = {
    cr.Identity: [(-2, -2, 1), (3, 3, 1)],
    cr.Sigmoid: [(0, 1 / 2, 1 / 4), (log(3), 3 / 4, 3 / 16), (-log(3), 1 / 4, 3 / 16)],
    cr.Tanh: [(0, 0, 1), (log(2), 3 / 5, 16 / 25), (-log(2), -3 / 5, 16 / 25)],
    cr.ReLU: [(-2, 0, 0), (0, 0, 0), (3, 3, 1)],
    cr.LeakyReLU: [(-2, -0.02, 0.01), (0, 0, 0.01), (3, 3, 1)],
    cr.PReLU: [(-2, -0.5, 0.25), (0, 0, 0.25), (3, 3, 1)],
    cr.ELU: [(-log(2), -1 / 2, 1 / 2), (0, 0, 1), (3, 3, 1)],
    cr.SELU: [
        (-log(2), -1.7580993408473766 / 2, 1.7580993408473766 / 2),  # scale · alpha
        (2, 2 * 1.0507009873554805, 1.0507009873554805),
    ],
    cr.GELU: [
        (0, 0, 1 / 2),
        (1, BELOW_ONE, BELOW_ONE + DENSITY_AT_ONE),
        (-1, BELOW_ONE - 1, 1 - BELOW_ONE - DENSITY_AT_ONE),
    ],
    cr.GELUTanh: [
        (0, 0, 1 / 2),
        (
            1,
            (1 + tanh(1.044715 * sqrt(2 / pi))) / 2,
            (1 + tanh(1.044715 * sqrt(2 / pi))) / 2
            + (1 - tanh(1.044715 * sqrt(2 / pi)) ** 2) / 2 * sqrt(2 / pi) * 1.134145,
        ),
    ],
    cr.SiLU: [
        (0, 0, 1 / 2),
        (log(3), 3 / 4 * log(3), 3 / 4 * (1 + log(3) / 4)),
        (-log(3), -log(3) / 4, 1 / 4 * (1 - 3 / 4 * log(3))),
    ],
    cr.Mish: [
        (0, 0, 3 / 5),  # tanh(log 2)
        (log(e - 1), log(e - 1) * tanh(1), tanh(1) + log(e - 1) * (1 - tanh(1) ** 2) * (1 - 1 / e)),
    ],
    cr.Softplus: [(0, log(2), 1 / 2), (log(3), log(4), 3 / 4)],
    cr.Softsign: [(0, 0, 1), (1, 1 / 2, 1 / 4), (-3, -3 / 4, 1 / 16)],
    cr.HardSigmoid: [(-4, 0, 0), (0, 1 / 2, 1 / 6), (1.5, 3 / 4, 1 / 6), (4, 1, 0)],
    cr.HardTanh: [(-2, -1, 0), (0.5, 0.5, 1), (2, 1, 0)],
}


@pytest.mark.parametrize(
    ("kind", "z", "a", "derivative"),
    [(kind, *row) for kind, rows in BY_HAND.items() for row in rows],
)
def test_values_by_hand(kind: type[cr.Activation], z: float, a: float, derivative: float) -> None:
    activation = kind()
    cr.NeuralNetwork(activation, inputs=1, dtype="float64")
    numbers = np.array([[z]], dtype=np.float64)
    found = activation.value(numbers)
    np.testing.assert_allclose(found, [[a]], rtol=1e-14, atol=1e-15)
    np.testing.assert_allclose(
        activation.derivative(numbers, found), [[derivative]], rtol=1e-14, atol=1e-15
    )


def test_every_elementwise_activation_stands_in_the_table_above() -> None:
    kinds = [kind for kind in members(cr.Activation) if not issubclass(kind, VectorActivation)]
    assert kinds == list(BY_HAND)


def test_softmax_by_hand() -> None:
    """Weights 1, 2 and 5 of 8; the gradient is a · (d_a - Σ d_a a)."""
    z = np.log([[1.0, 2.0, 5.0]])
    trace = cr.Trace()
    a = cr.Softmax().feedforward(z, trace)
    np.testing.assert_allclose(a, [[1 / 8, 2 / 8, 5 / 8]], rtol=1e-15)
    d_z = cr.Softmax().backprop(np.array([[8.0, 0.0, 0.0]]), trace)  # Σ d_a a = 1
    np.testing.assert_allclose(d_z, [[7 / 8, -2 / 8, -5 / 8]], rtol=1e-15)


def test_log_softmax_by_hand() -> None:
    z = np.log([[1.0, 2.0, 5.0]])
    trace = cr.Trace()
    a = cr.LogSoftmax().feedforward(z, trace)
    np.testing.assert_allclose(a, np.log([[1 / 8, 2 / 8, 5 / 8]]), rtol=1e-15)
    d_z = cr.LogSoftmax().backprop(np.array([[1.0, 0.0, 0.0]]), trace)
    np.testing.assert_allclose(d_z, [[7 / 8, -2 / 8, -5 / 8]], rtol=1e-14)


def test_softmax_does_not_change_when_all_numbers_grow_alike() -> None:
    z = np.array([[1.0, 2.0, 3.0]])
    np.testing.assert_allclose(cr.Softmax().value(z + 1000), cr.Softmax().value(z), rtol=1e-12)


def test_prelu_learns_one_slope_for_each_unit() -> None:
    prelu = cr.PReLU()
    net = cr.NeuralNetwork(prelu, inputs=2, dtype="float64", loss="sum_of_squares")
    np.testing.assert_array_equal(prelu.slope, [0.25, 0.25])
    trace = net.new_trace()
    net.feedforward([[-2.0, 3.0], [-4.0, -1.0]], trace)
    np.testing.assert_array_equal(trace.output, [[-0.5, 3.0], [-1.0, -0.25]])
    prelu.backprop(np.ones((2, 2)), trace[0])
    np.testing.assert_array_equal(trace[0].d_slope, [-6.0, -1.0])  # the sum of the negative z


def test_selu_keeps_mean_zero_and_variance_one() -> None:
    """Klambauer et al. chose alpha and scale for exactly this."""
    z = np.random.default_rng(0).normal(size=1_000_000)
    a = cr.SELU().value(z)
    assert a.mean() == pytest.approx(0, abs=0.005)
    assert a.var() == pytest.approx(1, abs=0.005)


def test_gelu_tanh_stays_within_half_a_thousandth_of_gelu() -> None:
    z = np.linspace(-8, 8, 2001)
    assert np.abs(cr.GELUTanh().value(z) - cr.GELU().value(z)).max() < 0.0005


def test_gelu_keeps_the_digits_of_very_negative_z() -> None:
    """Φ(-10) = 7.62e-24, where 1 + erf(...) would have rounded to zero long before."""
    assert cr.GELU().value(np.array([-10.0]))[0] == pytest.approx(-7.619853024160526e-23, rel=1e-12)


@pytest.fixture
def _without_scipy(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """As on a machine with the base install only."""
    activations._error_function_complement.cache_clear()
    monkeypatch.setitem(sys.modules, "scipy.special", None)
    yield
    activations._error_function_complement.cache_clear()


@pytest.mark.usefixtures("_without_scipy")
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_gelu_without_scipy_gives_the_same_numbers(
    dtype: type[np.float32] | type[np.float64], monkeypatch: pytest.MonkeyPatch
) -> None:
    z = np.linspace(-12, 12, 500, dtype=dtype).reshape(100, 5)
    value, derivative = cr.GELU().value(z), cr.GELU().derivative(z, z)
    monkeypatch.undo()
    activations._error_function_complement.cache_clear()
    assert value.dtype == derivative.dtype == dtype
    tolerance = 8 * np.finfo(dtype).eps
    np.testing.assert_allclose(value, cr.GELU().value(z), rtol=tolerance, atol=tolerance)
    np.testing.assert_allclose(
        derivative, cr.GELU().derivative(z, z), rtol=tolerance, atol=tolerance
    )


def test_a_users_own_activation_is_known_by_its_name() -> None:
    class Cubic(cr.Activation):
        def value(self, z: Array) -> Array:
            return z**3

        def derivative(self, z: Array, a: Array) -> Array:
            return 3 * z**2

    net = cr.NeuralNetwork(cr.Dense(4, activation="cubic"), cr.Dense(1))
    assert isinstance(net.layers[0].activation, Cubic)
    x = np.random.default_rng(0).normal(size=(5, 3))
    assert net.check_gradients(x, x[:, 0])


def test_a_users_own_activation_need_not_think_of_dtypes() -> None:
    """``np.where`` with plain numbers gives float64; the network stays in float32."""

    class Bent(cr.Activation):
        def value(self, z: Array) -> Array:
            return np.where(z > 0, z, 0.1 * z)

        def derivative(self, z: Array, a: Array) -> Array:
            return np.where(z > 0, 1.0, 0.1)

    x = np.random.default_rng(0).normal(size=(20, 2))
    net = cr.NeuralNetwork(cr.Dense(3, activation="bent"), cr.Dense(1), dtype="float32")
    history = net.fit(x, x[:, 0], epochs=5)
    assert history.losses[-1] < history.losses[0]
    assert net.predict(x).dtype == np.float32


def test_softmax_needs_numbers_to_compare() -> None:
    with pytest.raises(cr.InvalidShape, match="expected \\(batch, classes\\)"):
        cr.NeuralNetwork(cr.Softmax(), inputs=())


@pytest.mark.parametrize(
    "make",
    [
        lambda: cr.LeakyReLU(slope=-0.1),
        lambda: cr.LeakyReLU(slope="steep"),
        lambda: cr.PReLU(initial_slope=float("nan")),
        lambda: cr.ELU(alpha=-1),
        lambda: cr.ELU(alpha=float("inf")),
    ],
)
def test_settings_outside_their_range_are_refused(make: object) -> None:
    assert callable(make)
    with pytest.raises(cr.InvalidSetting, match="must be a finite number"):
        make()


@pytest.mark.parametrize("missing", ["value", "derivative"])
def test_an_unfinished_activation_says_what_it_lacks(missing: str) -> None:
    class Unfinished(cr.Activation):
        pass

    z = np.zeros((1, 1))
    with pytest.raises(NotImplementedError, match=f"Unfinished defines no {missing}"):
        Unfinished().value(z) if missing == "value" else Unfinished().derivative(z, z)


def test_elu_approaches_minus_alpha() -> None:
    assert cr.ELU(alpha=2.0).value(np.array([-50.0]))[0] == pytest.approx(-2.0)
    assert cr.ELU(alpha=2.0).value(np.array([-1.0]))[0] == pytest.approx(2 * (exp(-1) - 1))

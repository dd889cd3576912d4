"""The initializers: the variance each promises, fans, right angles, and numbers of one's own.

Statistics of 40,000 draws with a fixed seed: the mean square of so many numbers lies within 3 % of
their variance.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import combinations
from math import sqrt

import numpy as np
import pytest
from contracts.examples import examples, members

import chainrule as cr
from chainrule.initializers import ScaledInitializer, fans
from chainrule.layer import Array, Shape

MATRIX = (160, 250)  # inputs, outputs
KERNEL = (5, 5, 16, 100)  # height, width, channels in, channels out

# Variance of one weight, from fan_in and fan_out.
VARIANCES: dict[type[cr.Initializer], Callable[[int, int], float]] = {
    cr.GlorotUniform: lambda fan_in, fan_out: 2 / (fan_in + fan_out),
    cr.GlorotNormal: lambda fan_in, fan_out: 2 / (fan_in + fan_out),
    cr.HeUniform: lambda fan_in, fan_out: 2 / fan_in,
    cr.HeNormal: lambda fan_in, fan_out: 2 / fan_in,
    cr.LeCunUniform: lambda fan_in, fan_out: 1 / fan_in,
    cr.LeCunNormal: lambda fan_in, fan_out: 1 / fan_in,
}


def draw(initializer: cr.Initializer, shape: Shape, seed: int = 0) -> Array:
    return initializer.values(shape, np.random.default_rng(seed))


@pytest.mark.parametrize("kind", list(VARIANCES))
@pytest.mark.parametrize(("shape", "fan_in", "fan_out"), [(MATRIX, 160, 250), (KERNEL, 400, 2500)])
def test_the_variance_follows_from_the_fans(
    kind: type[cr.Initializer], shape: Shape, fan_in: int, fan_out: int
) -> None:
    values = draw(kind(), shape)
    variance = VARIANCES[kind](fan_in, fan_out)
    assert np.mean(values**2) == pytest.approx(variance, rel=0.03)
    assert values.mean() == pytest.approx(0, abs=4 * sqrt(variance / values.size))
    furthest = np.abs(values).max() / sqrt(variance)
    if kind.__name__.endswith("Uniform"):
        assert furthest == pytest.approx(sqrt(3), rel=0.01)  # evenly up to the limit, no further
        assert furthest <= sqrt(3)
    else:
        assert furthest > 3  # a normal distribution has tails


def test_glorots_limit_by_hand() -> None:
    """A matrix of 2 inputs and 4 outputs: ±√(6 / (2 + 4)) = ±1."""
    furthest = [np.abs(draw(cr.GlorotUniform(), (2, 4), seed)).max() for seed in range(200)]
    assert 0.99 < max(furthest) <= 1


def test_uniform_and_normal() -> None:
    even = draw(cr.Uniform(-1, 3), (100, 400))
    assert even.min() >= -1
    assert even.max() < 3
    assert even.mean() == pytest.approx(1, abs=0.02)
    assert even.var() == pytest.approx(16 / 12, rel=0.03)
    bell = draw(cr.Normal(mean=2, standard_deviation=0.5), (100, 400))
    assert bell.mean() == pytest.approx(2, abs=0.01)
    assert bell.std() == pytest.approx(0.5, rel=0.02)


def test_zeros_and_constant() -> None:
    np.testing.assert_array_equal(draw(cr.Zeros(), (2, 3)), np.zeros((2, 3)))
    np.testing.assert_array_equal(draw(cr.Constant(0.3), (2, 3)), np.full((2, 3), 0.3))


@pytest.mark.parametrize("gain", [1.0, 2.5])
@pytest.mark.parametrize("shape", [(4, 4), (7, 3), (3, 7), (5,), (1, 1), (2, 2, 3, 5)])
def test_orthogonal_columns_or_rows(shape: Shape, gain: float) -> None:
    """Whichever there are fewer of stand at right angles, and each is as long as the gain."""
    flat = draw(cr.Orthogonal(gain), shape).reshape(-1, shape[-1])
    products = flat.T @ flat if flat.shape[0] >= flat.shape[1] else flat @ flat.T
    np.testing.assert_allclose(products, gain**2 * np.eye(len(products)), atol=1e-12)


def test_orthogonal_is_as_likely_to_turn_either_way() -> None:
    """Without the correction of signs, the diagonal of Q would lean to one side."""
    corners = [draw(cr.Orthogonal(), (3, 3), seed)[0, 0] for seed in range(400)]
    assert np.mean(corners) == pytest.approx(0, abs=0.1)


@pytest.mark.parametrize(
    ("shape", "expected"),
    [
        ((), (1, 1)),
        ((5,), (5, 5)),
        ((3, 4), (3, 4)),
        ((3, 3, 2, 8), (18, 72)),
        ((4, 2, 8), (8, 32)),
    ],
)
def test_fans(shape: Shape, expected: tuple[int, int]) -> None:
    assert fans(shape) == expected


@pytest.mark.parametrize("initializer", examples(cr.Initializer), ids=repr)
def test_equal_seeds_give_equal_values_of_the_shape(initializer: cr.Initializer) -> None:
    for shape in (MATRIX, (6,), (3, 3, 2, 4)):
        values = draw(initializer, shape)
        assert values.shape == shape
        assert np.isfinite(values).all()
        np.testing.assert_array_equal(values, draw(initializer, shape))


DRAWING = [x for x in examples(cr.Initializer) if not isinstance(x, cr.Zeros | cr.Constant)]


@pytest.mark.parametrize("initializer", DRAWING, ids=repr)
def test_no_two_layers_share_numbers(initializer: cr.Initializer) -> None:
    """Layers of one size, weights and biases, and another seed: all start differently."""
    layers = [
        cr.Dense(3, weights_initializer=initializer, bias_initializer=initializer) for _ in range(3)
    ]
    others = [
        cr.Dense(3, weights_initializer=initializer, bias_initializer=initializer) for _ in range(3)
    ]
    cr.NeuralNetwork(*layers, inputs=3)
    cr.NeuralNetwork(*others, inputs=3, seed=1)
    drawn = [layer.weights for layer in layers + others] + [x.bias for x in layers + others]
    for one, other in combinations(drawn, 2):
        assert not np.isin(one, other).any()


def test_a_network_starts_the_same_from_the_same_seed() -> None:
    first, second, other = (
        cr.NeuralNetwork(cr.Dense(3, "tanh"), cr.Dense(1), inputs=4, seed=seed).parameters
        for seed in (0, 0, 1)
    )
    np.testing.assert_array_equal(first, second)
    assert (first != other).any()


def test_a_layer_starts_the_same_whatever_stands_around_it() -> None:
    """Numbers are keyed by place and purpose, not drawn from one moving stream."""
    small = cr.Dense(3, use_bias=False), cr.Dense(2)
    large = cr.Dense(3), cr.Dense(2), cr.Dense(5)
    cr.NeuralNetwork(*small, inputs=4)
    cr.NeuralNetwork(*large, inputs=4)
    np.testing.assert_array_equal(small[0].weights, large[0].weights)
    np.testing.assert_array_equal(small[1].weights, large[1].weights)


@pytest.mark.parametrize("activation", [kind().name for kind in members(cr.Activation)])
def test_every_activations_own_initializer_exists(activation: str) -> None:
    chosen = cr.Activation.get(activation).initializer
    assert chosen in cr.Initializer.names()
    automatic, named = cr.Dense(4, activation), cr.Dense(4, activation, weights_initializer=chosen)
    cr.NeuralNetwork(automatic, inputs=3)
    cr.NeuralNetwork(named, inputs=3)
    np.testing.assert_array_equal(automatic.weights, named.weights)


def test_default_weights_keep_a_signals_size() -> None:
    """Ten layers of 200 units, tanh by Glorot and ReLU by He: the signal neither dies nor grows."""
    x = np.random.default_rng(0).normal(size=(200, 200))
    for activation in ("tanh", "relu", "selu"):
        layers = [cr.Dense(200, activation) for _ in range(10)]
        spread = cr.NeuralNetwork(*layers, inputs=200).feedforward(x).std()
        assert 0.2 < spread < 2


def test_a_users_own_initializer_is_known_by_its_name() -> None:
    class Diagonal(cr.Initializer):
        def values(self, shape: Shape, random: np.random.Generator) -> Array:
            return np.eye(shape[0], shape[1])

    layer = cr.Dense(3, weights_initializer="diagonal")
    cr.NeuralNetwork(layer, inputs=3)
    np.testing.assert_array_equal(layer.weights, np.eye(3))


def test_an_unfinished_initializer_says_what_it_lacks() -> None:
    class Unfinished(cr.Initializer):
        pass

    class Unscaled(ScaledInitializer):
        distribution = "normal"

    with pytest.raises(NotImplementedError, match="Unfinished defines no values"):
        draw(Unfinished(), (2, 2))
    with pytest.raises(NotImplementedError, match="Unscaled defines no variance"):
        draw(Unscaled(), (2, 2))


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: cr.Constant(float("nan")), "value must be a finite number"),
        (
            lambda: cr.Uniform(1, 1),
            "Uniform needs low < high, a finite way apart; received 1 and 1",
        ),
        (lambda: cr.Uniform("0", 1), "low must be a finite number"),
        (lambda: cr.Normal(standard_deviation=0), "standard_deviation must be a finite number ab"),
        (lambda: cr.Orthogonal(gain=-1), "gain must be a finite number above 0"),
    ],
)
def test_settings_outside_their_range_are_refused(make: Callable[[], object], message: str) -> None:
    with pytest.raises(cr.InvalidSetting, match=message):
        make()

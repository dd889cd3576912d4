"""One flat vector for all parameters, and which piece of it is what."""

from __future__ import annotations

import numpy as np
import pytest

import chainrule as cr
from chainrule.layer import Array, Parameter, Shape
from chainrule.parameters import ParameterVector

FLOAT64 = np.dtype("float64")


def vector(*layers: cr.Layer, inputs: int = 3) -> ParameterVector:
    shapes = [(inputs,)]
    for layer in layers:
        shapes.append(layer.output_shape(shapes[-1]))
    return ParameterVector(layers, shapes[:-1], FLOAT64)


def test_slots_follow_each_other_without_gaps() -> None:
    found = vector(cr.Dense(4, activation=cr.PReLU()), cr.ReLU(), cr.Dense(2, use_bias=False))
    assert [(s.label, s.layer, s.shape, s.start, s.stop) for s in found.slots] == [
        ("layer 1 weights", 0, (3, 4), 0, 12),
        ("layer 1 bias", 0, (4,), 12, 16),
        ("layer 1 slope", 0, (4,), 16, 20),
        ("layer 3 weights", 2, (4, 2), 20, 28),
    ]
    assert found.values.shape == (28,)
    assert found.values.dtype == FLOAT64


def test_only_weights_are_penalized() -> None:
    found = vector(cr.Dense(2, activation=cr.PReLU()))
    assert found.penalized.tolist() == [1] * 6 + [0] * 2 + [0] * 2


def test_a_view_is_the_piece_itself_in_its_own_shape() -> None:
    found = vector(cr.Dense(2), cr.Dense(1))
    numbers = np.arange(len(found.values), dtype=float)
    weights, bias, *_ = found.views(numbers)
    assert weights.tolist() == [[0, 1], [2, 3], [4, 5]]
    assert bias.tolist() == [6, 7]
    weights[0, 1] = -1
    assert numbers[1] == -1


def test_a_shared_layer_has_its_parameters_once() -> None:
    shared = cr.Dense(3)
    found = vector(shared, shared, shared)
    assert [slot.label for slot in found.slots] == ["layer 1 weights", "layer 1 bias"]
    assert [(use.slot, use.path) for use in found.uses] == [
        (slot, (position,)) for position in range(3) for slot in (0, 1)
    ]


def test_a_network_without_parameters_has_an_empty_vector() -> None:
    found = vector(cr.ReLU(), cr.Tanh())
    assert found.values.shape == (0,)
    found.initialize(0)
    found.bind()


def test_starting_values_have_random_numbers_of_their_own() -> None:
    """Adding a layer, or taking a bias away, leaves what the other layers start from."""
    one, two = vector(cr.Dense(4), cr.Dense(2)), vector(cr.Dense(4, use_bias=False), cr.Dense(2))
    for found in (one, two):
        found.initialize(5)
    for label in ("layer 1 weights", "layer 2 weights"):
        first, second = (
            next(s.view(v.values) for s in v.slots if s.label == label) for v in (one, two)
        )
        np.testing.assert_array_equal(first, second)
    assert len(np.unique(one.values[:12])) == 12
    other = vector(cr.Dense(4), cr.Dense(2))
    other.initialize(6)
    assert not (other.values[:12] == one.values[:12]).any()


def test_equal_layers_start_from_different_values() -> None:
    found = vector(cr.Dense(3), cr.Dense(3))
    found.initialize(0)
    assert len(np.unique(found.values[[*range(9), *range(12, 21)]])) == 18


class WrongShape(cr.Initializer):
    def values(self, shape: Shape, random: np.random.Generator) -> Array:
        return np.zeros(shape[::-1])


class Infinite(cr.Initializer):
    def values(self, shape: Shape, random: np.random.Generator) -> Array:
        return np.full(shape, np.inf)


def test_an_initializer_of_the_wrong_shape_is_told() -> None:
    found = vector(cr.Dense(2, weights_initializer=WrongShape()))
    with pytest.raises(cr.InvalidShape, match=r"layer 1 weights has shape \(2, 3\); expected \(3"):
        found.initialize(0)


def test_an_initializer_that_is_not_finite_is_told() -> None:
    found = vector(cr.Dense(2, bias_initializer=Infinite()))
    with pytest.raises(cr.InvalidData, match="layer 1 bias holds NaN or infinity"):
        found.initialize(0)


def test_a_layer_and_its_activation_cannot_both_have_a_slope() -> None:
    class Sloped(cr.Dense):
        slope = Parameter()

        def parameter_shapes(self, input_shape: Shape) -> dict[str, Shape]:
            return super().parameter_shapes(input_shape) | {"slope": (self.outputs,)}

    with pytest.raises(cr.InvalidSetting, match="both have a parameter called 'slope'"):
        vector(Sloped(2, activation=cr.PReLU()))


def test_assigning_copies_into_the_vector() -> None:
    layer = cr.Dense(2)
    found = vector(layer)
    found.bind()
    layer.weights = [[1, 2], [3, 4], [5, 6]]
    layer.bias[1] = 9
    assert found.values.tolist() == [1, 2, 3, 4, 5, 6, 0, 9]


@pytest.mark.parametrize(
    ("value", "error"),
    [
        (np.ones((2, 3)), cr.InvalidShape),
        (1.0, cr.InvalidShape),
        (np.full((3, 2), np.nan), cr.InvalidData),
        ([["a", "b"]] * 3, cr.InvalidData),
        (np.ones((3, 2)) * 1j, cr.InvalidData),
        ([[1, 2], [3, 4], [5]], cr.InvalidShape),
    ],
    ids=["transposed", "number", "nan", "text", "complex", "ragged"],
)
def test_what_cannot_be_assigned_changes_nothing(
    value: object, error: type[cr.ChainruleError]
) -> None:
    layer = cr.Dense(2)
    found = vector(layer)
    found.bind()
    found.values[...] = 1
    with pytest.raises(error, match="weights"):
        layer.weights = value
    assert (found.values == 1).all()


def test_too_large_for_float32_is_told_as_such() -> None:
    layer = cr.Dense(2)
    ParameterVector([layer], [(3,)], np.dtype("float32")).bind()
    with pytest.raises(cr.InvalidData, match="too large for float32"):
        layer.weights = np.full((3, 2), 1e300)

"""Layers one after another: shapes worked out, all or nothing built, copies that stand alone."""

from __future__ import annotations

import copy
import pickle
from typing import Any

import numpy as np
import pytest

import chainrule as cr
from chainrule.layer import Shape
from chainrule.stack import LayerStack

FLOAT32 = np.dtype("float32")


def stack(*layers: Any) -> LayerStack:
    return LayerStack(*layers, dtype=FLOAT32)


class ToRows(cr.Layer):
    """(height, width) -> (height * width,), to have shapes of more than one axis."""

    def output_shape(self, input_shape: Shape) -> Shape:
        return (int(np.prod(input_shape)),)


def test_shapes_follow_from_the_inputs() -> None:
    built = stack(ToRows(), cr.Dense(4), cr.ReLU(), cr.Dense(2))
    assert built.shapes_for((5, 3)) == [(5, 3), (15,), (4,), (4,), (2,)]
    assert built.input_shape is None  # asking changes nothing
    built.build((5, 3), seed=0)
    assert built.shapes == [(5, 3), (15,), (4,), (4,), (2,)]
    assert len(built.parameters.values) == 15 * 4 + 4 + 4 * 2 + 2


def test_the_layers_may_come_as_one_list() -> None:
    layers = [cr.Dense(3), cr.Dense(1)]
    assert stack(layers).layers == stack(tuple(layers)).layers == stack(*layers).layers


def test_the_last_activation_is_that_of_the_last_layer() -> None:
    relu = cr.ReLU()
    assert stack(cr.Dense(1), relu).last_activation is relu
    assert stack(cr.Dense(1, activation=relu)).last_activation is relu
    assert stack(cr.Dense(1), ToRows()).last_activation is None


def test_building_binds_the_layers_to_the_vector() -> None:
    built = stack(cr.Dense(4), cr.Dense(2))
    built.build((3,), seed=0)
    built.parameters.values[...] = 7
    assert (built.layers[0].weights == 7).all()
    assert np.shares_memory(built.layers[1].bias, built.parameters.values)


def test_before_that_there_are_no_weights() -> None:
    built = stack(cr.Dense(4))
    with pytest.raises(cr.NotBuilt, match="inputs=N"):
        built.need_built()
    with pytest.raises(cr.NotBuilt, match=r"Dense\(4\) has no weights yet"):
        _ = built.layers[0].weights
    built.build((3,), seed=0)
    built.need_built()


class Unlucky(cr.Initializer):
    def values(self, shape: Shape, random: np.random.Generator) -> np.ndarray[Any, Any]:
        return np.full(shape, np.nan)


def taken() -> cr.Layer:
    """A layer that a network has already."""
    layer = cr.Dense(2)
    cr.NeuralNetwork(layer, inputs=3)
    return layer


BENT = cr.PReLU()


@pytest.mark.parametrize(
    ("layers", "input_shape", "error"),
    [
        pytest.param([cr.Dense(4), cr.Dense(2)], (3, 3), cr.InvalidShape, id="images"),
        pytest.param(
            [cr.Dense(4, weights_initializer=Unlucky())], (3,), cr.InvalidData, id="bad start"
        ),
        pytest.param([cr.Dense(4), taken()], (3,), cr.InvalidSetting, id="taken layer"),
        pytest.param([cr.Dense(4)] * 2, (3,), cr.InvalidShape, id="shared, other inputs"),
        pytest.param(
            [cr.Dense(4, activation=BENT), cr.Dense(5, activation=BENT)],
            (3,),
            cr.InvalidShape,
            id="shared slopes, other widths",
        ),
    ],
)
def test_a_build_that_fails_leaves_nothing_behind(
    layers: list[cr.Layer], input_shape: Shape, error: type[cr.ChainruleError]
) -> None:
    first = layers[0]
    failed = stack(*layers)
    before = vars(failed).copy()
    with pytest.raises(error):
        failed.build(input_shape, seed=0)
    assert vars(failed) == before
    assert not first.is_bound
    if error is not cr.InvalidData:
        stack(first).build((3,), seed=0)  # and the layer is still free


def test_it_is_built_once() -> None:
    built = stack(cr.Dense(4))
    built.build((3,), seed=0)
    values = built.parameters.values.copy()
    with pytest.raises(cr.InvalidShape, match=r"built for samples of shape \(3,\); received \(5,"):
        built.build((5,), seed=0)
    np.testing.assert_array_equal(built.parameters.values, values)


@pytest.mark.parametrize("way", [copy.deepcopy, lambda s: pickle.loads(pickle.dumps(s))])  # noqa: S301  # our own bytes
def test_a_copy_has_layers_tied_to_its_own_vector(way: Any) -> None:
    shared = cr.Dense(3, activation=cr.PReLU())
    original = stack(shared, shared)
    original.build((3,), seed=0)
    twin = way(original)
    np.testing.assert_array_equal(twin.parameters.values, original.parameters.values)
    assert twin.layers[0] is twin.layers[1] is not shared
    assert np.shares_memory(twin.layers[0].weights, twin.parameters.values)
    assert np.shares_memory(twin.layers[0].activation.slope, twin.parameters.values)
    twin.layers[0].weights[...] = 0
    assert shared.weights.any()


def test_a_copy_of_what_is_not_built_can_be_built() -> None:
    twin = copy.deepcopy(stack(cr.Dense(4)))
    twin.build((3,), seed=0)
    assert twin.layers[0].weights.shape == (3, 4)

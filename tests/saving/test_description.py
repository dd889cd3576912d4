from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from contracts.examples import LAYERS

import chainrule as cr
from chainrule.errors import InvalidSetting, NotBuilt, UnreadableFile
from chainrule.layer import Array
from chainrule.registry import Registered
from chainrule.saving.description import (
    FAMILIES,
    build,
    build_layers,
    build_network,
    describe,
    describe_network,
    parameter_shapes,
)


def there_and_back(value: Any) -> Any:
    return build(json.loads(json.dumps(describe(value))))


def test_a_member_is_its_family_its_name_and_its_settings() -> None:
    described = describe(cr.Dense(4, cr.LeakyReLU(0.1), use_bias=False))
    assert described == {
        "family": "layer",
        "name": "dense",
        "settings": {
            "outputs": 4,
            "activation": {
                "family": "activation",
                "name": "leaky_relu",
                "settings": {"slope": 0.1},
            },
            "use_bias": False,
            "weights_initializer": "auto",
            "bias_initializer": {"family": "initializer", "name": "zeros", "settings": {}},
        },
    }


EVERY_MEMBER = [
    member
    for root in FAMILIES.values()
    for member in root._members.values()
    if member.__module__.startswith("chainrule.")
]


@pytest.mark.parametrize("member", EVERY_MEMBER, ids=lambda member: member.__name__)
def test_every_registered_class_comes_back_as_it_was(member: type[Registered]) -> None:
    arguments: dict[str, Any] = {
        "outputs": 3,
        "learning_rate": 0.5,
        "initial": 0.5,
        "epochs": 20,
    }
    needed = {name: arguments[name] for name in member.setting_names() if name in arguments}
    original = LAYERS[member][-1][0] if member in LAYERS else member(**needed)
    twin = there_and_back(original)
    assert type(twin) is type(original)
    assert repr(twin) == repr(original)
    assert describe(twin) == describe(original)


def test_settings_of_settings() -> None:
    optimizer = cr.Adam(cr.Cosine(0.1, 20, warm_up=2), clip_norm=1.0)
    assert repr(there_and_back(optimizer)) == repr(optimizer)


def test_numpy_numbers_and_lists_become_plain() -> None:
    described = describe([np.float32(0.5), (np.int64(3), None, True), "a"])
    assert described == [0.5, [3, None, True], "a"]
    assert build(described) == described


@pytest.mark.parametrize("value", [len, np.zeros(3), {1}, object(), cr.EarlyStopping()])
def test_what_json_cannot_hold(value: object) -> None:
    with pytest.raises(InvalidSetting, match="cannot be described in a file"):
        describe(value)


def test_a_class_of_ones_own_comes_back_while_it_is_defined() -> None:
    class Waves(cr.Activation):
        def __init__(self, length: float = 1.0) -> None:
            self.length = length

        def value(self, z: Array) -> Array:
            return np.sin(z / self.length)

        def derivative(self, z: Array, a: Array) -> Array:
            return np.cos(z / self.length) / self.length

    described = describe(Waves(2.0))
    assert build(described).length == 2
    del cr.Activation._members["waves"]
    with pytest.raises(UnreadableFile, match=r"no activation called 'waves'.*must be defined or"):
        build(described)


@pytest.mark.parametrize(
    "description",
    [
        {"family": "os", "name": "system", "settings": {}},
        {"family": "layer", "name": "system", "settings": {}},
        {"family": "layer", "name": ["dense"], "settings": {}},
        {"family": "layer", "name": "dense", "settings": {}},
        {"family": "layer", "name": "dense", "settings": [1]},
        {"family": "layer", "name": "dense", "settings": {"outputs": -1}},
        {"family": "layer", "name": "dense", "settings": {"outputs": 1, "more": 1}},
        {"family": ["layer"], "name": "dense", "settings": {}},
        {"name": "dense"},
        {},
    ],
)
def test_wrong_descriptions(description: Any) -> None:
    with pytest.raises(UnreadableFile):
        build(description)


# --- networks -----------------------------------------------------------------------------------


def network() -> cr.NeuralNetwork:
    shared = cr.Dense(4, "tanh")
    return cr.NeuralNetwork(
        cr.Dense(4, cr.PReLU()),
        shared,
        shared,
        cr.Softplus(),
        cr.Dense(2),
        loss=cr.SoftmaxCrossEntropy(label_smoothing=0.1),
        optimizer=cr.RMSProp(cr.StepDecay(0.1)),
        l1=0.01,
        l2=0.02,
        seed=7,
        dtype="float64",
        inputs=3,
    )


def test_a_network_comes_back_with_its_shared_layer() -> None:
    original = network()
    description = json.loads(json.dumps(describe_network(original)))
    assert description["layers"][2] == {"same": 3}  # PReLU is 0, its layer 1, tanh 2
    twin = build_network(description, build_layers(description["layers"]))
    assert repr(twin) == repr(original)
    assert twin.layers[1] is twin.layers[2]
    assert (twin.l1, twin.l2) == (0.01, 0.02)
    assert np.array_equal(twin.parameters, original.parameters)  # the same seed


def test_shapes_without_making_parameters() -> None:
    original = network()
    shapes = {slot.label: slot.shape for slot in original.parameter_vector.slots}
    assert parameter_shapes(original.layers, (3,)) == shapes
    enormous = [cr.Dense(10**9), cr.Dense(10**9)]
    assert parameter_shapes(enormous, (10**9,))["layer 2 weights"] == (10**9, 10**9)


def test_an_activation_that_two_layers_share() -> None:
    slope = cr.PReLU()
    inner = cr.Dense(3, slope)
    sharing = cr.NeuralNetwork(cr.Dense(3, slope), inner, cr.Residual(inner, slope), inputs=3)
    layers = build_layers(json.loads(json.dumps(describe_network(sharing)))["layers"])
    first, second, third = layers
    assert first.activation is second.activation is third.settings()["layers"][1]
    assert third.settings()["layers"][0] is second


def test_networks_that_cannot_be_described() -> None:
    with pytest.raises(NotBuilt):
        describe_network(cr.NeuralNetwork(cr.Dense(1)))

    class Hiding(cr.Dense):
        def __init__(self) -> None:
            self.one_more = True
            super().__init__(3)

        def settings(self) -> dict[str, Any]:
            return {}

        def parameter_shapes(self, input_shape: tuple[int, ...]) -> dict[str, tuple[int, ...]]:
            return super().parameter_shapes(input_shape) if self.outputs == 3 else {}

    hiding = Hiding()
    hiding.outputs = 4
    network = cr.NeuralNetwork(hiding, inputs=3)
    with pytest.raises(InvalidSetting, match="do not say all that it is made from"):
        describe_network(network)


def test_parts_that_contain_each_other_many_times_over() -> None:
    """A few lines would make 2^40 layers, and looking through them would never end."""
    layers: list[Any] = [{"family": "activation", "name": "relu", "settings": {}}]
    for number in range(40):
        pair = [{"same": number}, {"same": number}]
        layers.append({"family": "layer", "name": "residual", "settings": {"layers": pair}})
    with pytest.raises(UnreadableFile, match="more than 100,000 parts"):
        build_layers(layers)


@pytest.mark.parametrize(
    "layers",
    [
        None,
        [{"same_as": 0}],
        [{"same_as": "0"}],
        [{"same_as": -1}],
        [{"same": 0}],
        [{"same": "0"}],
        ["dense"],
        [3],
        [{"family": "loss", "name": "huber", "settings": {}}],
    ],
)
def test_wrong_layers(layers: Any) -> None:
    with pytest.raises(UnreadableFile):
        build_layers(layers)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("loss", None),
        ("loss", {"family": "optimizer", "name": "adam", "settings": {}}),
        ("optimizer", 3),
        ("l1", "x"),
        ("l2", -1),
        ("seed", 0.5),
        ("dtype", "int8"),
        ("dtype", ["float32"]),
        ("input_shape", 3),
        ("input_shape", [0]),
        ("input_shape", [3, 4]),
        ("input_shape", ["3"]),
    ],
)
def test_wrong_settings_of_a_network(key: str, value: Any) -> None:
    description = describe_network(network()) | {key: value}
    with pytest.raises(UnreadableFile, match="the network is described wrongly"):
        build_network(description, build_layers(description["layers"]))

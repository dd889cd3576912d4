"""Defining is registering: names, lookups, settings and repr."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from contracts.examples import examples, layer_examples

import chainrule as cr
from chainrule.registry import Registered, snake_case

EVERYTHING = [
    *(
        example
        for family in (cr.Loss, cr.Optimizer, cr.Initializer)
        for example in examples(family)
    ),
    *(layer for layer, _ in layer_examples()),
    cr.StepDecay(1.0, every=5),
    cr.Cosine(0.1, 20, warm_up=2, restarts=True),
    cr.Adam(cr.ExponentialDecay(0.1), weight_decay=0.01, clip_norm=1.0),
]


@pytest.mark.parametrize(
    ("class_name", "name"),
    [
        ("ReLU", "re_lu"),  # why some classes give their own name
        ("MeanSquaredError", "mean_squared_error"),
        ("F1", "f1"),
        ("Dense2D", "dense2_d"),
        ("A", "a"),
    ],
)
def test_snake_case(class_name: str, name: str) -> None:
    assert snake_case(class_name) == name


def test_a_class_is_known_by_its_name_from_its_definition_on() -> None:
    class TwiceAsMuch(cr.Activation):
        pass

    assert TwiceAsMuch.name == "twice_as_much"
    assert cr.Activation.member("twice_as_much") is TwiceAsMuch
    assert isinstance(cr.Activation.get("twice_as_much"), TwiceAsMuch)
    assert cr.Activation.names()[-1] == "twice_as_much"
    assert cr.Layer.member("twice_as_much") is TwiceAsMuch  # an activation is a layer too
    assert "twice_as_much" not in cr.Loss.names()


def test_the_classes_of_the_test_above_are_forgotten() -> None:
    """The fixture in conftest.py sees to it, or tests would meet each other's classes."""
    assert "twice_as_much" not in cr.Activation.names()


def test_a_name_of_its_own_comes_first() -> None:
    class TwiceAsMuch(cr.Activation):
        name = "double"

    class StillDouble(TwiceAsMuch):
        pass

    assert cr.Activation.member("double") is TwiceAsMuch
    assert cr.Activation.member("still_double") is StillDouble


def test_a_base_may_stay_out() -> None:
    class Base(cr.Loss, register=False):
        pass

    assert "base" not in cr.Loss.names()


def test_a_notebook_cell_may_run_again() -> None:
    def cell() -> type[cr.Activation]:
        class Sine(cr.Activation):
            pass

        return Sine

    cell()
    latest = cell()
    assert cr.Activation.member("sine") is latest


def test_a_name_cannot_be_taken_away() -> None:
    with pytest.raises(cr.InvalidSetting, match="'relu' already belongs to the activation ReLU"):

        class Another(cr.Activation):
            name = "relu"

    assert cr.Activation.member("relu") is cr.ReLU
    assert cr.Layer.member("relu") is cr.ReLU


def test_a_refused_class_is_known_in_no_family() -> None:
    """An activation is a layer as well, and the name may be free in one family only."""
    with pytest.raises(cr.InvalidSetting, match="'dense' already belongs to the layer Dense"):

        class Thick(cr.Activation):
            name = "dense"

    assert "dense" not in cr.Activation.names()
    assert cr.Layer.member("dense") is cr.Dense


def test_an_unknown_name_gets_the_nearest_and_all_known() -> None:
    with pytest.raises(cr.UnknownName) as error:
        cr.Activation.get("sigmiod")
    message = str(error.value)
    assert message.startswith("There is no activation called 'sigmiod'. Did you mean 'sigmoid'?")
    assert all(kind.name in message for kind in (cr.ELU, cr.GELU, cr.Tanh))
    with pytest.raises(cr.UnknownName, match=r"called 'xyz'\. Known: "):
        cr.Loss.get("xyz")


def test_a_member_passes_through() -> None:
    leaky = cr.LeakyReLU(slope=0.2)
    assert cr.Activation.get(leaky) is leaky


def test_a_member_that_needs_settings_says_so() -> None:
    with pytest.raises(
        cr.InvalidSetting, match=r"schedule 'constant' needs settings.*ConstantRate"
    ):
        cr.Schedule.get("constant")


@pytest.mark.parametrize(
    ("choice", "message"),
    [
        (cr.ReLU, "Received the class ReLU as activation; expected an object of it. Write ReLU()"),
        (3, "Received 3 as activation; expected a name such as 'identity' or a Activation object"),
        (None, "Received None as activation"),
        (cr.MeanSquaredError(), "Received MeanSquaredError\\(\\) as activation"),
    ],
)
def test_something_else_is_refused(choice: Any, message: str) -> None:
    with pytest.raises(cr.InvalidSetting, match=message):
        cr.Activation.get(choice)


def test_a_family_without_members_can_be_asked_too() -> None:
    class Sauce(Registered, family="sauce"):
        pass

    with pytest.raises(
        cr.InvalidSetting, match=r"expected a name such as '\.\.\.' or a Sauce object"
    ):
        Sauce.get(1)
    with pytest.raises(cr.UnknownName, match="no sauce called 'soy'"):
        Sauce.get("soy")


def test_settings_are_the_arguments_of_the_constructor() -> None:
    assert cr.ReLU().settings() == {}
    assert cr.Huber(delta=2).settings() == {"delta": 2.0}
    assert cr.GradientDescent.setting_names() == [
        "learning_rate",
        "momentum",
        "nesterov",
        "weight_decay",  # from here on those of the base class, through **common
        "clip_norm",
        "clip_value",
    ]
    expected = ["memory", "tolerance", "loss_tolerance", "evaluations"]
    assert cr.LBFGS.setting_names() == expected
    assert cr.AMSGrad.setting_names() == cr.Adam.setting_names()


def test_what_comes_in_any_number_is_one_setting() -> None:
    class LinkedLayers(cr.Layer):
        def __init__(self, *links: cr.Layer, scale: float = 1.0) -> None:
            self.links = links
            self.scale = scale

    link = cr.ReLU()
    assert LinkedLayers(link, scale=2.0).settings() == {"links": (link,), "scale": 2.0}


@pytest.mark.parametrize(
    ("thing", "shown"),
    [
        (cr.ReLU(), "ReLU()"),
        (cr.LeakyReLU(), "LeakyReLU()"),
        (cr.LeakyReLU(slope=0.3), "LeakyReLU(slope=0.3)"),
        (cr.Dense(4), "Dense(4)"),
        (cr.Dense(4, activation=cr.ReLU()), "Dense(4, activation='relu')"),
        (
            cr.Dense(4, activation=cr.ELU(alpha=2), weights_initializer="zeros"),
            "Dense(4, activation=ELU(alpha=2.0), weights_initializer='zeros')",
        ),
        (cr.ConstantRate(0.1), "ConstantRate(0.1)"),
        (cr.Adam(cr.StepDecay(0.1)), "Adam(learning_rate=StepDecay(0.1))"),
    ],
)
def test_repr_shows_what_differs_from_the_defaults(thing: Registered, shown: str) -> None:
    assert repr(thing) == shown


@pytest.mark.parametrize("thing", EVERYTHING, ids=repr)
def test_repr_evaluates_to_equal_settings(thing: Registered) -> None:
    again = eval(repr(thing), dict(vars(cr)))  # noqa: S307 - what a repr is for
    assert type(again) is type(thing)
    assert plain(again) == plain(thing)


@pytest.mark.parametrize("thing", EVERYTHING, ids=repr)
def test_a_copy_has_the_same_settings(thing: Registered) -> None:
    assert plain(copy.deepcopy(thing)) == plain(thing)


def plain(thing: object) -> object:
    """Settings as nested dictionaries, which compare by what they hold."""
    if isinstance(thing, tuple):
        return [plain(part) for part in thing]
    if not isinstance(thing, Registered):
        return thing
    return {"is": thing.name} | {name: plain(value) for name, value in thing.settings().items()}

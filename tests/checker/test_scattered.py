"""Weights in variables of their own are put together into the matrix they are."""

from __future__ import annotations

import ast

import numpy as np
import pytest
from checker.small import NEURONS, Edit, checked, evidence_of

from chainrule.checker.instrument import instrument
from chainrule.checker.paths import Path
from chainrule.checker.scattered import Scattered, scattered

PARAMETERS = {"w1", "w2", "w3", "w4", "b1", "b2"}


def layers_of(text: str) -> list[Scattered]:
    """The layers in a text whose parameters are called as above."""

    def path_of(node: ast.expr) -> Path | None:
        return (node.id,) if isinstance(node, ast.Name) and node.id in PARAMETERS else None

    return scattered(instrument(text, ast.parse(text)), path_of)


TWO_NEURONS = "h1 = f(w1 * x[0] + w2 * x[1] + b1)\nh2 = f(x[0] * w3 + x[1] * w4 + b2)\n"


def test_neurons_with_the_same_inputs_are_a_layer() -> None:
    (layer,) = layers_of(TWO_NEURONS)
    assert layer == Scattered(((("w1",), ("w2",)), (("w3",), ("w4",))), (("b1",), ("b2",)))
    assert (layer.name, layer.bias_name) == (("w1 w2 | w3 w4",), ("b1 b2",))


def test_neurons_with_other_inputs_are_another_layer() -> None:
    first, second = layers_of("h = w1 * x[0] + w2 * x[1] + b1\ny = w3 * h + b2\n")
    assert (first.weights, second.weights) == (((("w1",), ("w2",)),), ((("w3",),),))


def test_without_biases() -> None:
    (layer,) = layers_of("h = w1 * x[0] + w2 * x[1]")
    assert layer.biases == ()
    # A bias in one neuron only is no vector of biases.
    (layer,) = layers_of("h = w1 * x[0] + w2 * x[1] + b1\ng = w3 * x[0] + w4 * x[1]")
    assert layer.biases == ()


def test_a_neuron_that_is_written_twice_is_one() -> None:
    assert len(layers_of(TWO_NEURONS + TWO_NEURONS)) == 1


@pytest.mark.parametrize(
    "line",
    [
        "h = w1 * x[0]",  # a single product is anything
        "h = w1 * w2 + b1",  # of two parameters
        "h = w1 * x[0] + 3 * x[1]",  # one product has none
        "h = w1 * x[0] + w2 * x[1] + b1 + b2",  # two biases
        "h = w1 - rate * d",
        "h = w1 * x[0] + x[1]",
    ],
)
def test_what_is_no_neuron(line: str) -> None:
    assert layers_of(line) == []


def test_numbers_in_variables_become_matrices() -> None:
    evidence = evidence_of(NEURONS)
    hidden, output = evidence.scattered
    assert (hidden.name, output.name) == (("w1 w2 | w3 w4",), ("w5 w6",))
    arrays = evidence.arrays(len(evidence.events))
    w1, w2, w3, w4, b1, b2 = (
        arrays[(name,)].item() for name in ("w1", "w2", "w3", "w4", "b1", "b2")
    )
    assert arrays[hidden.name] == pytest.approx(np.array([[w1, w2], [w3, w4]]))
    assert arrays[hidden.bias_name] == pytest.approx(np.array([b1, b2]))
    assert evidence.members(hidden.name) == {("w1",), ("w2",), ("w3",), ("w4",)}
    assert evidence.members(output.bias_name) == {("b3",)}
    assert evidence.members(("w1",)) == {("w1",)}


ZERO_SAMPLE: Edit = ("data = [([0.2", "data = [([0.0, 0.0], 1.0), ([0.2")


@pytest.mark.parametrize("edits", [(), (ZERO_SAMPLE,)], ids=["", "a sample of zeros"])
def test_weights_w1_to_w6_are_a_right_network(edits: tuple[Edit, ...]) -> None:
    verdict = checked(NEURONS, *edits)
    assert verdict.verdict == "correct", verdict.message
    assert "2 -> 2 -> 1" in verdict.message


@pytest.mark.parametrize(
    ("cause", "edit", "right"),
    [
        (
            "output_derivative_missing",
            ("d_out = 2 * (out - target) * out * (1 - out)", "d_out = 2 * (out - target)"),
            "d_out = (2 * (out - target)) * out * (1 - out)",
        ),
        (
            "summed_weights",
            ("d_h2 = d_out * w6", "d_h2 = d_out * w5"),
            None,
        ),
    ],
)
def test_and_w1_to_w6_a_wrong_one(cause: str, edit: Edit, right: str | None) -> None:
    verdict = checked(NEURONS, edit)
    assert verdict.verdict == "wrong", verdict.message
    if right is not None:
        assert (verdict.cause, verdict.right_line) == (cause, right)

"""Momentum and penalties: an update -c g + m (the update before) + r W is taken apart again."""

from __future__ import annotations

import numpy as np
import pytest
from checker.small import (
    BATCH,
    BIAS_1,
    BIAS_2,
    START,
    UPDATE_1,
    UPDATE_2,
    WITHOUT_BIASES,
    Edit,
    checked,
    line_of,
)

from chainrule.checker.forward import Pass
from chainrule.checker.memory import Memory, Parts, in_common, slips_of
from chainrule.checker.steps import Step
from chainrule.layer import Array

W = np.array([[1.0, -2.0], [3.0, 0.5]])
G = np.array([[0.5, 1.0], [-1.0, 2.0]])
BEFORE = np.array([[1.0, 0.0], [2.0, -1.0]])
B = np.array([[0.5, 0.25]])


def step_of(change: Array, bias_change: Array | None = None) -> Step:
    """A step of one layer that changed its weights (and bias) by so much."""
    bias = None if bias_change is None else B
    after = None if bias_change is None else B + bias_change
    return Step([Pass(0, weights=[W], biases=[bias])], [W + change], [after], 0, 1)


def fitted(kind: str, change: Array, gradient: Array = G) -> Parts | None:
    """What the memory makes of a change."""
    return Memory(kind, step_of(BEFORE)).fit(0, change, gradient, W)


def test_momentum_by_hand() -> None:
    # -0.2 g + 0.9 before: the first entry is -0.2 · 0.5 + 0.9 · 1 = 0.8
    change = np.array([[0.8, -0.2], [2.0, -1.3]])
    parts = fitted("momentum", change)
    assert parts is not None
    assert (parts.scale, parts.momentum) == pytest.approx((0.2, 0.9))
    assert parts.pull == 0


@pytest.mark.parametrize(
    ("kind", "momentum", "pull", "penalty"),
    [
        ("momentum", -0.9, 0.0, 0 * W),
        ("decay", 0.0, -0.01, W),
        ("decay", 0.0, 0.03, W),
        ("both", 0.5, -0.01, W),
        ("l1", 0.0, -0.02, np.sign(W)),
        ("decay everywhere", 0.0, -0.01, W),
    ],
)
def test_the_parts_are_found_again(kind: str, momentum: float, pull: float, penalty: Array) -> None:
    parts = fitted(kind, -0.2 * G + momentum * BEFORE + pull * penalty)
    assert parts is not None
    assert (parts.scale, parts.momentum, parts.pull) == pytest.approx((0.2, momentum, pull))


@pytest.mark.parametrize("momentum", [0.0, 0.9])
def test_what_is_piled_up_counts_as_the_gradient(momentum: float) -> None:
    memory = Memory("piled up", step_of(BEFORE), earlier=(np.ones_like(W),))
    parts = memory.fit(0, -0.1 * (G + 1) + momentum * BEFORE, G, W)
    assert parts is not None
    assert (parts.scale, parts.momentum) == pytest.approx((0.1, momentum))
    assert memory.fit(0, -0.1 * (G + 2) + momentum * BEFORE, G, W) is None


def test_an_update_by_something_else_has_no_parts() -> None:
    assert fitted("momentum", -0.2 * G**2) is None
    assert fitted("both", np.zeros_like(W)) is None


def test_parts_that_cannot_be_told_apart_are_none() -> None:
    # The gradient is a multiple of W: no c is better than another.
    assert fitted("decay", -0.3 * W, gradient=2 * W) is None


def test_an_update_that_is_hardly_its_gradient_could_be_of_any() -> None:
    assert fitted("decay", -1e-6 * G - 0.5 * W) is None


def test_infinite_numbers_have_no_parts() -> None:
    assert fitted("momentum", G, gradient=np.full_like(G, np.inf)) is None


def test_of_too_few_numbers_nothing_is_said() -> None:
    memory = Memory("momentum", Step([Pass(0, weights=[W[:1]])], [W[:1] + 1], [None], 0, 1))
    parts = memory.fit(0, np.array([[0.3, 0.4]]), np.array([[1.0, 2.0]]), W[:1])
    assert parts is not None
    assert np.isnan(parts.scale)


def test_a_sample_of_zeros_says_nothing() -> None:
    parts = fitted("momentum", 0.9 * BEFORE, gradient=np.zeros_like(G))
    assert parts is not None
    assert np.isnan(parts.scale)


def test_what_is_left_without_momentum_and_penalty() -> None:
    memory = Memory("both", step_of(BEFORE, bias_change=np.array([[4.0, 2.0]])))
    rest = memory.rest(-0.2 * G + 0.9 * BEFORE - 0.01 * W, BEFORE, W, Parts(0.2, 0.9, -0.01))
    assert rest == pytest.approx(-0.2 * G)
    assert memory.bias_before(0) == pytest.approx(np.array([[4.0, 2.0]]))
    assert Memory("decay", None).weights_before(0) is None
    assert Memory("decay", None).bias_before(0) is None


def test_layers_have_momentum_and_penalty_in_common() -> None:
    same = in_common([Parts(0.1, 0.9, -0.001), Parts(0.2, 0.9, -0.002)])
    assert same == Parts(0.2, 0.9, -0.002)
    # Some turn the penalty's sign in one layer, or keep the penalty to one.
    assert in_common([Parts(0.1, 0.9, 0.001), Parts(0.1, 0.9, -0.001)]) is not None
    assert in_common([Parts(0.1, 0.0, -0.001), Parts(0.1, 0.0, 1e-12)]) is not None


@pytest.mark.parametrize(
    "parts",
    [
        [],
        [Parts(np.nan, 0.9, 0.0)],
        [Parts(0.1, 0.9, 0.0), Parts(0.1, 0.5, 0.0)],
        [Parts(0.1, 0.0, -0.001), Parts(0.1, 0.0, -0.003)],
        [Parts(0.1, 1.2, 0.0), Parts(0.1, 1.2, 0.0)],
    ],
    ids=["none", "nothing known", "two momenta", "two penalties", "momentum above 1"],
)
def test_layers_with_nothing_in_common(parts: list[Parts]) -> None:
    assert in_common(parts) is None


@pytest.mark.parametrize(
    ("kind", "parts", "causes", "said"),
    [
        ("momentum", Parts(0.1, 0.9, 0.0), [], "momentum 0.9"),
        ("momentum", Parts(0.1, -0.9, 0.0), ["momentum_sign"], "momentum -0.9"),
        ("momentum", Parts(0.1, 1.0, 0.0), ["gradients_not_reset"], "momentum 1"),
        ("piled up", Parts(0.1, 0.0, 0.0), ["gradients_not_reset"], ""),
        ("decay", Parts(0.1, 0.0, -0.001), [], "L2 penalty 0.01"),
        ("decay", Parts(0.1, 0.0, 0.001), ["regularisation_sign"], "L2 penalty 0.01"),
        ("l1", Parts(0.1, 0.0, -0.002), [], "L1 penalty 0.02"),
        ("both", Parts(0.1, 0.9, -0.001), [], "momentum 0.9 and L2 penalty 0.01"),
        # All of it uphill: that is the mistake, not the penalty's sign.
        ("decay", Parts(-0.1, 0.0, -0.001), [], "L2 penalty 0.01"),
    ],
)
def test_what_the_parts_are_called(kind: str, parts: Parts, causes: list[str], said: str) -> None:
    slips, words = slips_of(Memory(kind, step_of(BEFORE)), [parts], parts)
    assert ([slip.cause for slip in slips], words) == (causes, said)


def test_a_penalty_that_is_rounding_has_no_sign() -> None:
    parts = [Parts(0.1, 0.0, -0.001), Parts(0.1, 0.0, 1e-17)]
    assert slips_of(Memory("decay", None), parts, parts[0]) == ((), "L2 penalty 0.01")


def test_a_penalty_with_the_wrong_sign_in_one_layer_is_told_of_that_layer() -> None:
    parts = [Parts(0.1, 0.0, -0.001), Parts(0.1, 0.0, 0.001)]
    (slip,), _ = slips_of(Memory("decay", None), parts, parts[0])
    assert (slip.cause, slip.layer, slip.detail) == ("regularisation_sign", 1, "0.01")


def with_momentum(m: float) -> tuple[Edit, ...]:
    """Edits of BATCH: velocities for all four parameters."""
    velocities = "V1, V2, U1, U2 = 0 * W1, 0 * W2, 0 * b1, 0 * b2\n"
    return (
        (START, START + velocities),
        (UPDATE_2, f"    V2 = {m} * V2 - rate * a1.T @ delta2\n    W2 = W2 + V2\n"),
        (BIAS_2, f"    U2 = {m} * U2 - rate * delta2.sum(axis=0)\n    b2 = b2 + U2\n"),
        (UPDATE_1, f"    V1 = {m} * V1 - rate * X.T @ delta1\n    W1 = W1 + V1\n"),
        (BIAS_1, f"    U1 = {m} * U1 - rate * delta1.sum(axis=0)\n    b1 = b1 + U1\n"),
    )


def with_penalty(sign_1: str, sign_2: str, pull: str = "{}") -> tuple[Edit, ...]:
    """Edits of BATCH: a penalty of both layers."""
    return (
        (UPDATE_1, f"    W1 -= rate * (X.T @ delta1 {sign_1} 0.01 * {pull.format('W1')})\n"),
        (UPDATE_2, f"    W2 -= rate * (a1.T @ delta2 {sign_2} 0.01 * {pull.format('W2')})\n"),
    )


PILED_UP: tuple[Edit, ...] = (
    (START, START + "G1, G2 = 0 * W1, 0 * W2\n"),
    (UPDATE_2, "    G2 += a1.T @ delta2\n    W2 -= rate * G2\n"),
    (UPDATE_1, "    G1 += X.T @ delta1\n    W1 -= rate * G1\n"),
)
RESET: Edit = ("    a1 = sigmoid", "    G1[:], G2[:] = 0, 0\n    a1 = sigmoid")

RIGHT = {
    "momentum": (with_momentum(0.9), "momentum 0.9"),
    "L2": (with_penalty("+", "+"), "L2 penalty 0.06"),
    "L1": (with_penalty("+", "+", "np.sign({})"), "L1 penalty 0.06"),
    "L2 in one layer": (with_penalty("+", "+ 0 *"), "L2 penalty 0.06"),
    "sums that are reset": ((*PILED_UP, RESET), "learning rate times loss scale 0.08333"),
}


@pytest.mark.sweep(sample=3)
@pytest.mark.parametrize("name", RIGHT)
def test_updates_that_are_more_than_a_gradient_are_right(name: str) -> None:
    edits, said = RIGHT[name]
    verdict = checked(BATCH, *edits)
    assert verdict.verdict == "correct", verdict.message
    assert verdict.convention is not None
    assert said in verdict.convention


WRONG = {
    "momentum": (with_momentum(-0.9), "momentum_sign", {1, 2}),
    "L2": (with_penalty("-", "-"), "regularisation_sign", {1, 2}),
    "L2 in the output layer": (with_penalty("+", "-"), "regularisation_sign", {2}),
    "L1": (with_penalty("-", "-", "np.sign({})"), "regularisation_sign", {1, 2}),
    "sums that are not reset": (PILED_UP, "gradients_not_reset", {2}),
    "momentum beside another slip": (
        (*with_momentum(0.9), ("delta2 @ W2.T * a1 * (1 - a1)", "delta2 @ W2.T")),
        "hidden_derivative_missing",
        {1},
    ),
}


@pytest.mark.sweep(sample=4)
@pytest.mark.parametrize("name", WRONG)
def test_their_mistakes_are_named(name: str) -> None:
    edits, cause, layers = WRONG[name]
    verdict = checked(BATCH, *edits)
    assert (verdict.verdict, verdict.cause) == ("wrong", cause), verdict.message
    assert verdict.layer in layers


def test_uphill_with_a_penalty_is_uphill() -> None:
    edits = (
        (UPDATE_1, "    W1 += rate * (X.T @ delta1 + 0.01 * W1)\n"),
        (UPDATE_2, "    W2 += rate * (a1.T @ delta2 + 0.01 * W2)\n"),
        *WITHOUT_BIASES,
    )
    verdict = checked(BATCH, *edits)
    assert verdict.cause == "sign_turned", verdict.message
    assert "+= rate" in line_of(BATCH, verdict, *edits)

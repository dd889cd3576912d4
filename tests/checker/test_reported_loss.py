"""The loss that a program reports is measured: is it the one whose gradient is followed?"""

from __future__ import annotations

import pytest
from checker.small import (
    BATCH,
    LOSS,
    MINI_BATCHES,
    NEURONS,
    ONE_BY_ONE,
    Edit,
    checked,
    line_of,
)


def loss_is(formula: str) -> Edit:
    """An edit of BATCH: another loss is reported."""
    return (LOSS, f"    loss = {formula}\n")


CROSS_ENTROPY: Edit = (
    "    delta2 = 2 * error * a2 * (1 - a2) / len(X)\n",
    "    delta2 = error / len(X)\n",
)
LIKELIHOOD = "np.mean(y * np.log(a2) + (1 - y) * np.log(1 - a2))"
ONE_LIKELIHOOD = "y * np.log(a2) + (1 - y) * np.log(1 - a2)"
ONE_SQUARE = "loss += (a2 - y) ** 2"
ONE_DELTA = "d2 = 2 * (a2 - y) * a2 * (1 - a2)"

MEASURED_AGAIN = """        outs = [
            sigmoid(
                w5 * sigmoid(w1 * x[0] + w2 * x[1] + b1)
                + w6 * sigmoid(w3 * x[0] + w4 * x[1] + b2)
                + b3
            )
            for x, target in data
        ]
        print(sum((out - target) ** 2 for out, (x, target) in zip(outs, data)))
"""

PASSED = """
def passed(x):
    a1 = sigmoid(x @ W1 + b1)
    return a1, sigmoid(a1 @ W2 + b2)

for epoch"""
MEASURED = """b1 - 0.4 * d1
    for x, y in zip(X, Y):
        loss += (passed(x)[1] - y) ** 2
    print(epoch, loss)
"""
AFTER_EACH_EPOCH: tuple[Edit, ...] = (
    ("        loss += (a2 - y) ** 2\n", ""),
    ("        a1 = sigmoid(x @ W1 + b1)\n", ""),
    ("a2 = sigmoid(a1 @ W2 + b2)", "a1, a2 = passed(x)"),
    ("\nfor epoch", PASSED),
    ("    print(epoch, loss)\n", ""),
    ("b1 - 0.4 * d1\n", MEASURED),
)

RIGHT = {
    "measured after each epoch, one by one": (ONE_BY_ONE, AFTER_EACH_EPOCH),
    "mean for sum": (BATCH, (loss_is("0.5 * np.sum(error ** 2)"),)),
    "root of the mean": (BATCH, (loss_is("np.sqrt(np.mean(error ** 2))"),)),
    "absolute error alone": (BATCH, (loss_is("np.mean(np.abs(error))"),)),
    "absolute error beside it": (
        BATCH,
        ((LOSS, LOSS + "    print(np.mean(np.abs(error)))\n"),),
    ),
    "cross-entropy": (BATCH, (CROSS_ENTROPY, loss_is("-" + LIKELIHOOD))),
    "log likelihood beside it": (
        BATCH,
        (
            CROSS_ENTROPY,
            loss_is(f"-{LIKELIHOOD}\n    log_likelihood = {LIKELIHOOD}"),
            ("print(epoch, loss)", "print(epoch, loss, log_likelihood)"),
        ),
    ),
    "a penalty beside it": (BATCH, (loss_is("np.mean(error ** 2) + 0.1 * np.sum(W1 ** 2)"),)),
    "accuracy": (BATCH, (loss_is("np.mean((a2 > 0.5) == y)"),)),
    "errors one by one": (ONE_BY_ONE, ()),
    "absolute errors one by one": (ONE_BY_ONE, ((ONE_SQUARE, "loss += abs(a2 - y)"),)),
    "likelihoods taken away": (
        ONE_BY_ONE,
        ((ONE_SQUARE, f"loss -= {ONE_LIKELIHOOD}"), (ONE_DELTA, "d2 = a2 - y")),
    ),
    "returned by the step": (MINI_BATCHES, ()),
    "weights in single variables, measured after each update": (
        NEURONS,
        (
            ("        total += (out - target) ** 2\n", ""),
            ("        b2 -= 0.5 * d_h2\n", "        b2 -= 0.5 * d_h2\n" + MEASURED_AGAIN),
            ("    print(epoch, total)\n", ""),
        ),
    ),
}


@pytest.mark.sweep(sample=7)
@pytest.mark.parametrize("name", RIGHT)
def test_a_loss_that_belongs_to_the_gradient(name: str) -> None:
    program, edits = RIGHT[name]
    verdict = checked(program, *edits)
    assert verdict.verdict == "correct", verdict.message


WRONG = {
    "the other sign": (BATCH, (loss_is("-np.mean(error ** 2)"),)),
    "the likelihood itself": (BATCH, (CROSS_ENTROPY, loss_is(LIKELIHOOD))),
    "half of the cross-entropy": (
        BATCH,
        (CROSS_ENTROPY, loss_is("-np.mean(y * np.log(a2))")),
    ),
    "the mean of the errors": (BATCH, (loss_is("np.mean(error)"),)),
    "another power": (BATCH, (loss_is("np.mean(error ** 4)"),)),
    "a sum of errors": (ONE_BY_ONE, ((ONE_SQUARE, "loss += a2 - y"),)),
    "squares taken away": (ONE_BY_ONE, ((ONE_SQUARE, "loss -= (a2 - y) ** 2"),)),
    "likelihoods added up": (
        ONE_BY_ONE,
        ((ONE_SQUARE, f"loss += {ONE_LIKELIHOOD}"), (ONE_DELTA, "d2 = a2 - y")),
    ),
    "a total of errors": (NEURONS, (("total += (out - target) ** 2", "total += out - target"),)),
    "the mean of the errors, after the update": (
        BATCH,
        (
            (LOSS, ""),
            ("print(epoch, loss)", "much = np.mean(error)\n    print('%d %.3f' % (epoch, much))"),
        ),
    ),
    "measured after each epoch, one by one": (
        ONE_BY_ONE,
        (*AFTER_EACH_EPOCH, ("loss += (passed(x)[1] - y) ** 2", "loss += (passed(x)[1] - y) ** 4")),
    ),
    "half of it in a step": (
        MINI_BATCHES,
        (
            ("    d2 = (a2", "    loss = -np.mean(yb * np.log(a2))\n    d2 = (a2"),
            ("return -np.mean(yb * np.log(a2) + (1 - yb) * np.log(1 - a2))", "return loss"),
        ),
    ),
}


@pytest.mark.sweep(sample=6)
@pytest.mark.parametrize("name", WRONG)
def test_a_loss_that_does_not(name: str) -> None:
    program, edits = WRONG[name]
    verdict = checked(program, *edits)
    assert (verdict.verdict, verdict.cause) == ("wrong", "loss_mismatch"), verdict.message
    assert verdict.right_line is None
    line = line_of(program, verdict, *edits)
    assert line in edits[-1][1] or line in edits[0][1]


@pytest.mark.parametrize(
    ("program", "edit", "right"),
    [
        (BATCH, CROSS_ENTROPY, "delta2 = (error / len(X)) * a2 * (1 - a2)"),
        (ONE_BY_ONE, (ONE_DELTA, "d2 = 2 * (a2 - y)"), "d2 = (2 * (a2 - y)) * a2 * (1 - a2)"),
    ],
    ids=["batches", "one by one"],
)
def test_a_squared_error_needs_the_derivative(program: str, edit: Edit, right: str) -> None:
    verdict = checked(program, edit)
    assert verdict.cause == "output_derivative_missing", verdict.message
    assert verdict.right_line == right


PENALTIES: tuple[Edit, ...] = (
    ("rate = 0.5\n", "rate, decay = 0.5, 0.04\n"),
    ("rate * X.T @ delta1", "rate * (X.T @ delta1 + decay * W1)"),
    ("rate * a1.T @ delta2", "rate * (a1.T @ delta2 + decay * W2)"),
)
DIFFERENCE = (
    "    data = np.mean(error ** 2)\n    pulled = np.sum(W1 ** 2) + np.sum(W2 ** 2)\n"
    "    loss = data - decay / 2 * pulled\n"
)


@pytest.mark.parametrize(
    "told",
    [
        DIFFERENCE,
        DIFFERENCE.replace("loss = data - ", "loss = data\n    loss -= "),
        DIFFERENCE.replace("data - decay / 2 * pulled", "data - decay / 2 * (W2 ** 2).sum()"),
    ],
    ids=["in one sum", "taken away in place", "of one layer"],
)
def test_a_penalty_is_taken_away(told: str) -> None:
    right = told.replace("data - ", "data + ").replace("-=", "+=")
    assert checked(BATCH, *PENALTIES, (LOSS, right)).verdict == "correct"
    verdict = checked(BATCH, *PENALTIES, (LOSS, told))
    assert verdict.cause == "loss_mismatch", verdict.message
    assert "- decay" in line_of(BATCH, verdict, *PENALTIES, (LOSS, told)).replace("-= ", "- ")


def test_a_loss_without_its_penalty_is_one() -> None:
    told = DIFFERENCE.replace("data -", "data +") + "    print(loss - decay / 2 * pulled)\n"
    assert checked(BATCH, *PENALTIES, (LOSS, told)).verdict == "correct"

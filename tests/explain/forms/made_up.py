"""A made-up explanation that holds all there is, to see how forms show it.

The numbers of the network are real: 3 inputs, 4 sigmoids, 1 sigmoid, computed by hand below.
"""

from __future__ import annotations

import numpy as np

from chainrule.explain.document import (
    Block,
    Document,
    Equation,
    Picture,
    Section,
    Table,
    Text,
)
from chainrule.explain.evaluation import with_numbers
from chainrule.explain.expression import (
    Call,
    Derivative,
    Expression,
    More,
    Name,
    Negative,
    Number,
    Product,
    Quotient,
    Sum,
)
from chainrule.explain.reading import read, read_at

random = np.random.default_rng(7)
X = np.array([[0.0, 1.0, 1.0]])
W1, B1 = random.normal(size=(3, 4)), random.normal(size=4)
W2, B2 = random.normal(size=(4, 1)), random.normal(size=1)
Z1 = X @ W1 + B1
A1 = 1 / (1 + np.exp(-Z1))
Z2 = A1 @ W2 + B2
A2 = 1 / (1 + np.exp(-Z2))
D_Z2 = 2 * (A2 - 1) * A2 * (1 - A2)
D_Z1 = D_Z2 @ W2.T * A1 * (1 - A1)

_ARRAYS = {
    ((), "x"): X,
    ((0,), "weights"): W1,
    ((0,), "bias"): B1,
    ((0,), "z"): Z1,
    ((0,), "a"): A1,
    ((0,), "d_z"): D_Z1,
    ((1,), "weights"): W2,
    ((1,), "bias"): B2,
    ((1,), "z"): Z2,
    ((1,), "a"): A2,
    ((1,), "d_z"): D_Z2,
    ((1,), "d_a"): 2 * (A2 - 1),
}
SVG = (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 640 120" width="640" height="120">'
    '<rect x="20" y="30" width="160" height="60" fill="none" stroke="#0072B2"/>'
    '<rect x="240" y="30" width="160" height="60" fill="none" stroke="#0072B2"/>'
    '<path d="M180 60 H240 M400 60 H620" stroke="#444"/></svg>'
)


def value(name: Name) -> float:
    """Look a number up."""
    return float(_ARRAYS[name.path, name.field][name.index or ()])


def equation(left: Name, formula: Expression, note: str = "") -> Equation:
    """Formula, numbers, value."""
    number = Number(value(left), is_given=True)
    return Equation(left, [formula, with_numbers(formula, value), number], note)


def weighted_sum(layer: int, unit: int, inputs: int) -> Expression:
    """z = x W + b for one unit."""
    before = Name((), "x") if layer == 0 else Name((layer - 1,), "a")
    products = [
        Product((Name(before.path, before.field, (0, i)), Name((layer,), "weights", (i, unit))))
        for i in range(inputs)
    ]
    return Sum((*products, Name((layer,), "bias", (unit,))))


def sigmoid(name: Name) -> Expression:
    """1 / (1 + exp(-z))."""
    return read_at("1 / (1 + exp(-z))", lambda _: name)


def forward(layer: int, units: int, inputs: int) -> Section:
    """Show the forward pass of one layer."""
    blocks: list[Block] = [
        Equation(Name((layer,), "z"), [read("x @ weights + bias", (layer,))], "(1, 4)"),
        Text(["Dense.feedforward, chainrule/layers/dense.py:84: ", "z = np.dot(x, W)"], "quiet"),
    ]
    for unit in range(units):
        z = Name((layer,), "z", (0, unit))
        a = Name((layer,), "a", (0, unit))
        blocks.append(equation(z, weighted_sum(layer, unit, inputs)))
        blocks.append(equation(a, sigmoid(z)))
    title = ["Layer ", str(layer + 1), ": ", Name((layer,), "a"), f" of Dense({units})"]
    return Section(title, blocks)


def backward() -> Section:
    """Show the backward pass."""
    blocks: list[Block] = [
        Equation(Name((1,), "d_weights"), [read("x.T @ d_z", (1,))], "(4, 1), as the weights"),
    ]
    for unit in range(4):
        d_a = Product((Name((1,), "d_z", (0, 0)), Name((1,), "weights", (unit, 0))))
        a = Name((0,), "a", (0, unit))
        formula = Product((*d_a.factors, a, Sum((Number(1.0), Negative(a)))))
        blocks.append(equation(Name((0,), "d_z", (0, unit)), formula))
    return Section(["The way back"], blocks, is_open=False)


def chain() -> Section:
    """Show the chain of factors of one weight."""
    w, z1, a1 = Name((0,), "weights", (1, 2)), Name((0,), "z", (0, 2)), Name((0,), "a", (0, 2))
    z2, y_hat, loss = Name((1,), "z", (0, 0)), Name((), "y_hat", (0, 0)), Name((), "loss")
    ways = [(loss, y_hat), (y_hat, z2), (z2, a1), (a1, z1), (z1, w)]
    numbers = [2 * (A2[0, 0] - 1), A2[0, 0] * (1 - A2[0, 0]), W2[2, 0], 0.16, 1.0]
    given = [Number(float(number), is_given=True) for number in numbers]
    return Section(
        ["The chain of ", Derivative(loss, w)],
        [
            Equation(
                Derivative(loss, w),
                [
                    Product(tuple(Derivative(of, by) for of, by in ways)),
                    Product(tuple(given)),
                    Number(float(np.prod(numbers)), is_given=True),
                ],
            ),
            Text(["The finite difference agrees: both are the same to eleven digits."], "good"),
            Text(["The weight ", w, " is far from its best value, and |ŷ - y| is 0.7."], "bad"),
        ],
    )


def softmax() -> Section:
    """Show a softmax over ten classes, and a sum of 784 terms."""

    def z(index: int) -> Expression:
        return Name((1,), "z", (0, index))

    whole = read_at(
        "exp(z[i]) / Sum(exp(z[j]), (j, 1, K))",
        lambda name: Name((), name),
        indexed=lambda _, number: z(number - 1),
        count=10,
        i=4,
    )
    cross = read_at(
        "-Sum(y[j] * log(y_hat[j]), (j, 1, K))",
        lambda name: Name((), name),
        indexed=lambda name, number: Name((), name, (0, number - 1)),
        count=10,
    )
    pixels = [
        Product((Name((0,), "x", (0, i)), Name((0,), "weights", (i, 17))))
        for i in (211, 237, 405, 406, 463)
    ]
    long = Sum((*pixels, More(779, -0.31), Name((0,), "bias", (17,))))

    def of(name: Name) -> float:
        return float(np.random.default_rng(sum(name.index or ()) + len(name.field)).normal())

    return Section(
        ["Softmax of ten classes"],
        [
            Equation(Name((0,), "z", (0, 17)), [long, with_numbers(long, of)], "784 terms"),
            Equation(Name((1,), "a", (0, 3)), [whole, with_numbers(whole, of)]),
            Equation(Name((), "loss"), [cross]),
        ],
    )


def kinds() -> Section:
    """Show one of each kind of formula."""
    return Section(
        ["Kinds of formulas"],
        [
            Equation(Name((2,), "a"), [read("Piecewise((z, z > 0), (slope * z, True))", (2,))]),
            Equation(Name((2,), "mean"), [read("channel_mean(x)", (2,))]),
            Equation(Name((2,), "deviation"), [read("sqrt(variance + epsilon)", (2,))]),
            Equation(Name((2,), "x_hat"), [read("(x - mean) / deviation", (2,))]),
            Equation(Name((2,), "d_scale"), [read("channel_sum(d_z * x_hat)", (2,))]),
            Equation(
                Name((2,), "d_x"),
                [read("scale / deviation * (d_z - d_shift / n - x_hat * d_scale / n)", (2,))],
            ),
            Equation(Name((2, 0), "z"), [read("correlate(x, weights) + bias", (2, 0))]),
            Equation(
                Name((0,), "new_weights", (1, 2)),
                [
                    Sum(
                        (
                            Name((0,), "weights", (1, 2)),
                            Negative(Product((Name((), "rate"), Name((0,), "d_weights", (1, 2))))),
                        )
                    ),
                    Number(1.2345e-7, is_given=True),
                ],
            ),
            Equation(
                Name((), "loss"),
                [Quotient(Call("Abs", (Name((), "y_hat"),)), Number(2.0))],
            ),
        ],
        is_open=False,
    )


def document() -> Document:
    """Build the whole explanation."""
    return Document(
        "One step of a 3-4-1 network",
        [
            Text(
                [
                    "One sample goes forward through two layers, the loss compares ",
                    Name((), "y_hat"),
                    " with ",
                    Name((), "y"),
                    ", and the gradient ",
                    Name((0,), "d_weights"),
                    " comes back along the same way. Every number is the one the network computed.",
                ]
            ),
            Picture(SVG, "Two boxes, one for each layer, with arrows between them"),
            Table(
                ["Layer", "Output", "Parameters", "Norm of the gradient", "Note"],
                [
                    ["Dense(4)", Name((0,), "a"), 16, float(np.linalg.norm(D_Z1)), "first"],
                    ["Dense(1)", Name((1,), "a"), 5, 1.23456e-7, "sees <b>&amp; | $5 of it"],
                ],
                "The layers, with the length of what comes back to each",
            ),
            Section(["Feedforward"], [forward(0, 4, 3), forward(1, 1, 4)]),
            backward(),
            chain(),
            softmax(),
            kinds(),
        ],
    )

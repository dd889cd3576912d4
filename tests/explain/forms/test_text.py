"""Expressions as text: what each kind looks like, and where the parentheses are."""

from __future__ import annotations

import re

import hypothesis
import pytest
import sympy

from chainrule.explain.evaluation import with_numbers
from chainrule.explain.expression import (
    Call,
    Derivative,
    Expression,
    More,
    Name,
    Negative,
    Number,
    Power,
    Product,
    Quotient,
    Sum,
)
from chainrule.explain.forms.text import to_text
from chainrule.explain.reading import read
from explain.forms.trees import ARITHMETIC, NAMES, known_value


def given(value: float) -> Number:
    """Return a number that was put in the place of a name."""
    return Number(value, is_given=True)


X, Y, Z = Name((), "x"), Name((), "y"), Name((0,), "z")


@pytest.mark.parametrize(
    ("equation", "expected"),
    [
        ("x @ weights + bias", "x₁ W₁ + b₁"),
        ("x.T @ d_z", "x₁ᵀ ∂L/∂z₁"),
        ("d_z @ weights.T", "∂L/∂z₁ W₁ᵀ"),
        ("(x @ weights) * mask", "(x₁ W₁)·m₁"),
        ("d_a * a * (1 - a)", "∂L/∂a₁ · a₁ · (1 - a₁)"),
        ("(x - mean) / sqrt(variance + epsilon)", "(x₁ - μ₁)/√(v₁ + ε₁)"),
        ("d_z - d_shift / n", "∂L/∂z₁ - (∂L/∂β₁)/n₁"),
        ("exp(z) / total(exp(z))", "e^z₁/(Σ e^z₁)"),
        ("channel_sum(d_z * x_hat)", "Σ_batch ∂L/∂z₁ · x̂₁"),
        ("group_mean((x - group(mean))**2)", "mean_group((x₁ - μ₁)²)"),
        ("correlate(x, weights) + bias", "x₁ ⋆ W₁ + b₁"),
        ("placed(rows @ projection_weights)", "placed(rows₁ P₁)"),
        ("back_to_largest(d_z)", "back to largest(∂L/∂z₁)"),
        ("Abs(y - z) + sign(z)", "|y₁ - z₁| + sign(z₁)"),
        ("Max(z, 0)", "max(z₁, 0)"),
        ("1 / (1 + exp(-z))", "1/(1 + e^(-z₁))"),
        ("exp(-z**2 / 2)", "exp(-z₁²/2)"),
        ("Piecewise((z, z > 0), (0, True))", "z₁ if z₁ > 0, else 0"),
        ("Piecewise((0, z <= -3), (1, z >= 3))", "0 if z₁ ≤ -3, 1 if z₁ ≥ 3"),
        ("2 * Piecewise((z, z > 0), (0, True))", "2·(z₁ if z₁ > 0, else 0)"),
    ],
)
def test_equations_of_layers(equation: str, expected: str) -> None:
    assert to_text(read(equation, (0,))) == expected


@pytest.mark.parametrize(
    ("equation", "expected"),
    [
        ("x - (y - z)", "x - (y - z)"),
        ("x + (y - z)", "x + y - z"),
        ("x - y * z", "x - y·z"),
        ("x - -y", "x - (-y)"),
        ("-(-x)", "-(-x)"),
        ("-(x + y)", "-(x + y)"),
        ("-x * y - z", "-x·y - z"),
        ("x * -y", "x·(-y)"),
        ("x + -y * z", "x - y·z"),
        ("x + -y / z", "x - y/z"),
        ("(x + y) * z", "(x + y)·z"),
        ("x * (y * z)", "x·y·z"),
        ("x * y / z", "x·y/z"),
        ("x / y * z", "(x/y)·z"),
        ("x / (y * z)", "x/(y·z)"),
        ("x / (y / z)", "x/(y/z)"),
        ("x / y / z", "(x/y)/z"),
        ("x**2", "x²"),
        ("x**-12", "x⁻¹²"),
        ("x**0.5", "x^0.5"),
        ("x**y", "x^y"),
        ("x**(-y)", "x^(-y)"),
        ("x**(y + 1)", "x^(y + 1)"),
        ("x**y**2", "x^(y²)"),
        ("(x**y)**2", "(x^y)²"),
        ("(-x)**2", "(-x)²"),
        ("-x**2", "-x²"),
        ("(x * y)**2", "(x·y)²"),
        ("x * y**2 / 2", "x·y²/2"),
        ("sqrt(x)**2", "(√(x))²"),
        ("tanh(x)**2", "tanh(x)²"),
        ("x @ y @ z", "x y z"),
        ("x @ (y + z)", "x (y + z)"),
        ("(x @ y).T", "(x y)ᵀ"),
        ("(x * y) / (z @ x)", "x·y/(z x)"),
    ],
)
def test_parentheses_are_where_precedence_needs_them(equation: str, expected: str) -> None:
    assert to_text(read(equation)) == expected


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        (Sum((X, Product((Number(-1), Y)))), "x - y"),
        (Sum((X, Product((Number(-2), Y)))), "x - 2·y"),
        (Sum((X, Number(-2))), "x - 2"),
        (Sum((Negative(X), Negative(Y))), "-x - y"),
        (Sum((X, given(-0.5))), "x + (-0.5)"),
        (Sum((given(-0.5), X)), "-0.5 + x"),
        (Sum((X, Negative(given(-0.5)))), "x - (-0.5)"),
        (Sum((X, Product((given(-0.5), Y)))), "x + (-0.5)·y"),
        (Product((given(-0.5), given(-3.0))), "-0.5·(-3)"),
        (Negative(Product((given(-0.5), Y))), "-(-0.5)·y"),
        (Quotient(given(-0.5), given(-3.0)), "-0.5/(-3)"),
        (Power(given(-0.5), Number(2)), "(-0.5)²"),
        (Power(given(0.5), given(2)), "0.5^2"),
        (Call("exp", (Negative(given(-0.5)),)), "e^(-(-0.5))"),
        (Call("tanh", (given(-0.5),)), "tanh(-0.5)"),
        (Product((given(2e-8), given(3e-8))), "2·10⁻⁸·3·10⁻⁸"),
        (Quotient(given(2e-8), given(3e-8)), "2·10⁻⁸/(3·10⁻⁸)"),
        (Sum(()), "0"),
    ],
)
def test_minus_signs_and_numbers_put_in(expression: Expression, expected: str) -> None:
    assert to_text(expression) == expected


def test_a_derivative_is_a_symbol() -> None:
    a, z = Name((0,), "a", (0, 2)), Name((0,), "z", (0, 2))
    chain = Product((Derivative(Name((), "loss"), a), Derivative(a, z)))
    assert to_text(chain) == "∂L/∂a₁[0, 2] · ∂a₁[0, 2]/∂z₁[0, 2]"
    assert to_text(Derivative(Name((0,), "d_z"), z)) == "∂(∂L/∂z₁)/∂z₁[0, 2]"
    assert to_text(Power(Derivative(a, z), Number(2))) == "(∂a₁[0, 2]/∂z₁[0, 2])²"


def test_terms_left_out_are_counted_until_numbers_are_put_in() -> None:
    long = Sum((X, More(779, 0.25), Y))
    assert to_text(long) == "x + … (779 more) + y"
    assert to_text(with_numbers(long, lambda name: 2.0)) == "2 + 0.25 + 2"
    assert to_text(Sum((X, More(779, -0.25, is_given=True)))) == "x + (-0.25)"


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        (Name((1, 0), "new_weights", (0, 2)), "W′₂.₁[0, 2]"),
        (Name((1,), "d_x_hat", (0,)), "∂L/∂x̂₂[0]"),
        (Name((), "y_hat"), "ŷ"),
        (Name((11,), "running_mean", (1,)), "running mean₁₂[1]"),
        (Name((), "mean_decay"), "β₁"),
        (Name((0,), "decayed_weights"), "W̃₁"),
        (Name((0,), "clipped_d_bias", (1,)), "clipped ∂L/∂b₁[1]"),
        (Name((0,), "new_squares_of_bias", (1,)), "S′_b₁[1]"),
        (Name((0,), "d_x_of_f"), "∂L/∂x_f₁"),
    ],
)
def test_names(name: Name, expected: str) -> None:
    assert to_text(name) == expected


def test_an_index_in_an_exponent_stays_with_its_name() -> None:
    assert to_text(Call("exp", (Name((0,), "z", (0, 2)),))) == "e^(z₁[0, 2])"


def test_what_is_no_expression_is_refused() -> None:
    with pytest.raises(TypeError, match="3 is no expression"):
        to_text(3)  # type: ignore[arg-type]  # that is the point


@hypothesis.given(ARITHMETIC)
def test_read_back_the_text_means_the_same(expression: Expression) -> None:
    """Put into Python's signs, letter by letter, the text has the value of the expression."""
    expected = known_value(expression)
    hypothesis.assume(expected is not None)
    text = to_text(expression)
    for name, number in NAMES.items():
        text = text.replace(to_text(name), f"({number})")
    text = re.sub(r"\be(?=[\^⁻⁰¹²³⁴⁵⁶⁷⁸⁹])", "E", text)
    text = re.sub("[⁻⁰¹²³⁴⁵⁶⁷⁸⁹]+", lambda found: f"**({_lowered(found[0])})", text)
    text = text.replace("√", "sqrt").replace("^", "**").replace("·", "*")
    assert float(sympy.sympify(text)) == pytest.approx(expected, rel=1e-8, abs=1e-11)


def _lowered(raised: str) -> str:
    return raised.translate(str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁻", "0123456789-"))

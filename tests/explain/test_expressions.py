"""Expressions: read from formulas, shortened, computed."""

from __future__ import annotations

import math

import pytest

from chainrule.explain.abbreviation import abbreviated, rests, with_rests_named
from chainrule.explain.evaluation import evaluate, with_numbers
from chainrule.explain.expression import (
    Call,
    Cases,
    Comparison,
    Expression,
    MatrixProduct,
    More,
    Name,
    Negative,
    Number,
    Power,
    Product,
    Quotient,
    Sum,
    Transposed,
    add,
    multiply,
    names,
)
from chainrule.explain.forms.sympy import to_sympy
from chainrule.explain.reading import read, read_at, read_whole

X, Y, Z = (Name((0,), field) for field in "xyz")
ONE, TWO = Number(1.0), Number(2.0)


@pytest.mark.parametrize(
    ("formula", "expected"),
    [
        ("x @ y + z", Sum((MatrixProduct(X, Y), Z))),
        ("x.T @ y", MatrixProduct(Transposed(X), Y)),
        ("x - y - 1", Sum((X, Negative(Y), Negative(ONE)))),
        ("x - (y - z)", Sum((X, Negative(Sum((Y, Negative(Z))))))),
        ("x * y * z", Product((X, Y, Z))),
        ("x / y**2", Quotient(X, Power(Y, TWO))),
        ("-x", Negative(X)),
        ("Rational(1, 2)", Quotient(ONE, TWO)),
        ("exp(-x)", Call("exp", (Negative(X),))),
        (
            "Piecewise((x, x > 0), (2, True))",
            Cases(((X, Comparison(X, ">", Number(0.0))), (TWO, None))),
        ),
    ],
)
def test_reading(formula: str, expected: Expression) -> None:
    assert read(formula, (0,)) == expected


@pytest.mark.parametrize(
    "formula",
    ["x if y else z", "x % y", "'x'", "x[0]", "lambda: x", "+x", "x < y < z", "Piecewise(x)",
     "Piecewise((x, y))", "Sum(x, (j, 1, 3))", "[x]", "x.S"],
)  # fmt: skip
def test_what_has_no_meaning_in_a_formula(formula: str) -> None:
    with pytest.raises(ValueError, match=r"has no meaning there|is no case|is no range"):
        read(formula)


def test_sums_are_written_out() -> None:
    """Σ y_j z_j over K = 3, and the derivative with respect to the second."""

    def indexed(name: str, number: int) -> Expression:
        return Name((), name, (number - 1,))

    found = read_at("Sum(y[j] * z[j], (j, 1, K))", lambda name: X, indexed=indexed, count=3)
    assert to_sympy(found) == "y_at_0*z_at_0 + y_at_1*z_at_1 + y_at_2*z_at_2"
    found = read_at("z[k] - KroneckerDelta(i, k)", lambda name: X, indexed=indexed, i=1, k=2)
    assert to_sympy(found) == "z_at_1 - 0"
    nested = "Sum(y[j] * Sum(z[l], (l, 1, K)), (j, 1, K))"
    found = read_at(nested, lambda name: X, indexed=indexed, count=2)
    assert to_sympy(found) == "y_at_0*(z_at_0 + z_at_1) + y_at_1*(z_at_0 + z_at_1)"
    whole = read_whole("exp(z[k]) / Sum(exp(z[j]), (j, 1, K))", lambda name: Z)
    assert whole == Quotient(Call("exp", (Z,)), Call("total", (Call("exp", (Z,)),)))


def test_sums_and_products_of_few() -> None:
    assert add([]) == Number(0.0)
    assert add([X]) == X
    assert multiply(X) == X
    assert multiply(Product((X, Y)), Z) == Product((X, Y, Z))


def test_names_in_the_order_of_reading_each_once() -> None:
    assert list(names(read("z * x + exp(y) * z", (0,)))) == [Z, X, Y]


def test_numbers_are_put_in_and_computed() -> None:
    values = {"x": 3.0, "y": -2.0, "z": 0.5}
    expression = read("Piecewise((x * y, z > 1), (x - y / z, True))", (0,))

    def value(name: object) -> float:
        assert isinstance(name, Name)
        return values[name.field]

    assert evaluate(expression, value) == 3 + 2 / 0.5
    filled = with_numbers(expression, value)
    assert to_sympy(filled) == "Piecewise((3.0*(-2.0), 0.5 > 1), (3.0 - (-2.0)/0.5, True))"
    with pytest.raises(TypeError, match="no expression of single numbers"):
        evaluate(read("x @ y", (0,)), value)


# --- shortening -----------------------------------------------------------------------------------


def terms(values: list[float]) -> tuple[tuple[Name, ...], dict[Name, float]]:
    found = tuple(Name((), "t", (place,)) for place in range(len(values)))
    return found, dict(zip(found, values, strict=True))


def test_a_long_sum_keeps_its_largest_terms_in_their_order() -> None:
    listed, values = terms([1, -50, 2, 40, 3, -30, 4, 20, 5, 10])
    short = abbreviated(Sum(listed), lambda name: values[name])
    assert isinstance(short, Sum)
    assert [values[term] for term in short.terms[:-1]] == [-50, 40, -30, 20, 10]
    assert short.terms[-1] == More(5, 1 + 2 + 3 + 4 + 5)
    assert evaluate(short, lambda name: values[name]) == sum(values.values())


def test_a_sum_of_eight_is_written_out() -> None:
    listed, values = terms([1.0] * 8)
    assert abbreviated(Sum(listed), lambda name: values[name]) == Sum(listed)


def test_a_long_maximum_keeps_its_largest_numbers_not_those_of_largest_size() -> None:
    listed, values = terms([-9, -1, -8, -2, -7, -3, -6, -4, -5, -10])
    short = abbreviated(Call("Max", listed), lambda name: values[name])
    assert isinstance(short, Call)
    assert [values[n] for n in short.arguments[:-1]] == [-1, -2, -3, -4, -5]
    assert short.arguments[-1] == More(5, -6)
    assert evaluate(short, lambda name: values[name]) == -1


def test_each_shortened_sum_has_a_rest_of_its_own_name() -> None:
    listed, values = terms([float(place) for place in range(10)])
    two = Quotient(Sum(listed), Sum(tuple(multiply(TWO, term) for term in listed)))
    short = abbreviated(two, lambda name: values[name])
    assert {name: more.value for name, more in rests(short).items()} == {
        "more_terms": 0 + 1 + 2 + 3 + 4,
        "more_terms_2": 2 * (0 + 1 + 2 + 3 + 4),
    }
    assert to_sympy(with_rests_named(short)) == (
        "(t_at_5 + t_at_6 + t_at_7 + t_at_8 + t_at_9 + more_terms)"
        "/(2*t_at_5 + 2*t_at_6 + 2*t_at_7 + 2*t_at_8 + 2*t_at_9 + more_terms_2)"
    )
    assert math.isclose(evaluate(short, lambda name: values[name]), 0.5)

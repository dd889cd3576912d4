"""Where a line may end: the pieces of an expression, the same in all forms."""

from __future__ import annotations

import hypothesis
import pytest

from chainrule.explain.expression import Expression
from chainrule.explain.forms.latex_formula import LatexPrinter
from chainrule.explain.forms.mathml import MathmlPrinter
from chainrule.explain.forms.text import TextPrinter
from chainrule.explain.reading import read
from explain.forms.trees import EXPRESSIONS


@pytest.mark.parametrize(
    ("equation", "expected"),
    [
        ("x", ["x"]),
        ("a + b * c - d", ["a", " + b·c", " - d"]),
        ("-a + b", ["-a", " + b"]),
        ("-a * b", ["-a·b"]),
        ("a * (b + c)", ["a", "·(b + c)"]),
        ("-(a + b - c)", ["-(a", " + b", " - c)"]),
        ("(a + b + c) / 3", ["(a + b + c)/3"]),
        ("(a + b + c + d) / 4", ["(a", " + b", " + c", " + d)/4"]),
        ("(a + b + c + d) / (e + f)", ["(a + b + c + d)/(e + f)"]),
        ("Piecewise((a, a > b), (0, True))", ["a if a > b, else 0"]),
    ],
)
def test_pieces_end_before_signs(equation: str, expected: list[str]) -> None:
    assert TextPrinter().pieces(read(equation)) == expected


def test_a_long_sum_over_a_number_is_no_fraction_any_more() -> None:
    mean = read("(a + b + c + d) / 4")
    assert LatexPrinter().pieces(mean) == [r"\bigl(a", " + b", " + c", r" + d\bigr)/4"]
    assert MathmlPrinter().pieces(mean)[-1] == (
        '<mo>+</mo><mi>d</mi><mo stretchy="false">)</mo><mo>/</mo><mn>4</mn>'
    )


@hypothesis.given(EXPRESSIONS)
def test_all_forms_have_the_same_pieces(expression: Expression) -> None:
    text = TextPrinter().pieces(expression)
    assert "".join(text) == TextPrinter().show(expression)
    assert len(LatexPrinter().pieces(expression)) == len(text)
    assert len(MathmlPrinter().pieces(expression)) == len(text)

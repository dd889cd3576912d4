"""Expressions as MathML: exact elements, and elements alone that every browser knows."""

from __future__ import annotations

from xml.etree import ElementTree as ET

import hypothesis
import pytest

from chainrule.explain.expression import Derivative, Expression, More, Name, Number, Sum
from chainrule.explain.forms.mathml import MathmlPrinter, to_mathml
from chainrule.explain.reading import read
from explain.forms.trees import EXPRESSIONS

# Elements of MathML Core that stand here, and how many children each has; 0: any number.
CHILDREN = {
    "math": 0,
    "mrow": 0,
    "mi": 0,
    "mn": 0,
    "mo": 0,
    "mtext": 0,
    "mspace": 0,
    "msqrt": 0,
    "mpadded": 0,
    "mtable": 0,
    "mtr": 0,
    "mtd": 0,
    "mfrac": 2,
    "msup": 2,
    "msub": 2,
    "mover": 2,
    "munder": 2,
    "msubsup": 3,
}


def parsed(written: str) -> ET.Element:
    """Read elements as XML."""
    return ET.fromstring(written)  # noqa: S314  # nobody else wrote it


@pytest.mark.parametrize(
    ("equation", "expected"),
    [
        ("z", "<msub><mi>z</mi><mn>1</mn></msub>"),
        ("1 / z", "<mfrac><mn>1</mn><mrow><msub><mi>z</mi><mn>1</mn></msub></mrow></mfrac>"),
        ("z**2", "<msubsup><mi>z</mi><mn>1</mn><mn>2</mn></msubsup>"),
        (
            "x.T",
            '<msubsup><mi>x</mi><mn>1</mn><mi mathvariant="normal">T</mi></msubsup>',
        ),
        ("sqrt(2)", "<msqrt><mn>2</mn></msqrt>"),
        ("Abs(2)", "<mrow><mo>|</mo><mn>2</mn><mo>|</mo></mrow>"),
        (
            "tanh(2)",
            "<mrow><mi>tanh</mi><mo>\u2061</mo><mrow><mo>(</mo><mn>2</mn><mo>)</mo></mrow></mrow>",
        ),
        ("exp(-2)", "<msup><mi>e</mi><mrow><mo>−</mo><mn>2</mn></mrow></msup>"),
        (
            "2 * pi - 1",
            "<mn>2</mn><mo>·</mo><mi>π</mi><mo>−</mo><mn>1</mn>",
        ),
    ],
)
def test_formulas(equation: str, expected: str) -> None:
    assert to_mathml(read(equation, (0,))) == f"<math>{expected}</math>"


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        (Name((), "y_hat"), '<mover accent="true"><mi>y</mi><mo stretchy="false">^</mo></mover>'),
        (Name((), "new_theta"), "<msup><mi>θ</mi><mo>′</mo></msup>"),
        (
            Name((0,), "new_weights"),
            "<msubsup><mi>W</mi><mn>1</mn><mo>′</mo></msubsup>",
        ),
        (
            Name((), "x", (0, 2)),
            '<mrow><mi>x</mi><mtext class="index">[0,\u00a02]</mtext></mrow>',
        ),
        (Name((), "running_mean"), "<mi>running\u00a0mean</mi>"),
        (
            Name((0,), "velocity_of_bias"),
            "<msub><mi>v</mi><msub><mi>b</mi><mn>1</mn></msub></msub>",
        ),
        (Name((), "mean_decay"), "<msub><mi>β</mi><mn>1</mn></msub>"),
        (Name((), "<b>&"), "<mi>&lt;b&gt;&amp;</mi>"),
    ],
)
def test_names(name: Name, expected: str) -> None:
    assert to_mathml(name) == f"<math>{expected}</math>"


def test_a_derivative_is_a_fraction_where_there_is_room() -> None:
    of, by = Name((), "loss"), Name((), "x")
    top, bottom = "<mrow><mi>∂</mi><mi>L</mi></mrow>", "<mrow><mi>∂</mi><mi>x</mi></mrow>"
    assert MathmlPrinter().show(Derivative(of, by)) == f"<mfrac>{top}{bottom}</mfrac>"
    assert MathmlPrinter().show(Name((), "d_x")) == f"<mfrac>{top}{bottom}</mfrac>"
    in_words = "<mrow><mi>∂</mi><mi>L</mi><mo>/</mo><mi>∂</mi><mi>x</mi></mrow>"
    assert to_mathml(Name((), "d_x")) == f"<math>{in_words}</math>"


def test_numbers() -> None:
    def written(value: float) -> str:
        return "".join(parsed(to_mathml(Number(value, is_given=True))).itertext())

    assert written(-0.25) == "−0.25"
    assert written(1.23456e-7) == "1.2346·10−7"
    assert written(float("inf")) == "∞"
    assert written(float("nan")) == "NaN"


def test_cases_are_a_table_behind_a_brace() -> None:
    root = parsed(to_mathml(read("Piecewise((z, z > 0), (0, True))")))
    assert [sign.text for sign in root.iter("mo")] == ["{", ">"]
    rows = [["".join(cell.itertext()) for cell in row] for row in root.iter("mtr")]
    assert rows == [["z", "if\u00a0z>0"], ["0", "otherwise"]]


def test_terms_left_out_are_counted() -> None:
    long = to_mathml(Sum((Name((), "x"), More(779, 0.5))))
    assert "".join(parsed(long).itertext()) == "x+⋯\u00a0(779\u00a0more)"


@hypothesis.given(EXPRESSIONS)
def test_every_formula_is_made_of_what_browsers_know(expression: Expression) -> None:
    for element in parsed(to_mathml(expression)).iter():
        count = CHILDREN[element.tag]
        assert not count or len(element) == count
        if element.tag in {"mi", "mn", "mo", "mtext"}:
            assert element.text

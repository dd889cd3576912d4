"""Documents as Markdown: what Markdown would take for its own stays what it is."""

from __future__ import annotations

import re

import pytest

from chainrule.explain.document import Document, Equation, Picture, Section, Table, Text
from chainrule.explain.expression import Name, Number, Sum
from chainrule.explain.forms.markdown import to_markdown
from chainrule.explain.reading import read
from explain.forms import made_up

X, Y, Z = Name((), "x"), Name((), "y"), Name((0,), "z")


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("a_b *c* `d` [e](f)", r"a\_b \*c\* \`d\` \[e\](f)"),
        ("5 | 6 costs $7 ~", r"5 \| 6 costs \$7 \~"),
        ("<b>&amp;", "&lt;b&gt;&amp;amp;"),
        ("# no heading", r"\# no heading"),
        ("1. no list", r"1\. no list"),
        ("- no list", r"\- no list"),
        ("+ no list", r"\+ no list"),
        ("== no heading", r"\== no heading"),
        ("> no quotation", "&gt; no quotation"),
        ("two\nlines", "two lines"),
        ("the ``a_b`` of it", "the `` a_b `` of it"),
        ("    a_b = c\n    d", "    a_b = c\n    d"),
    ],
)
def test_words_arrive_as_they_are(words: str, expected: str) -> None:
    assert to_markdown(Text([words])) == expected + "\n"


def test_formulas_stand_between_dollar_signs() -> None:
    assert to_markdown(Text(["the ", Name((0,), "d_z"), " of ", Z])) == (
        "the $\\partial L / \\partial z_{1}$ of $z_{1}$\n"
    )
    assert to_markdown(Equation(Z, [X])) == "$$\nz_{1} = x\n$$\n"
    half = Number(0.5, is_given=True)
    assert to_markdown(Equation(Z, [Sum((X, Y)), half])) == (
        "$$\n\\begin{aligned}\nz_{1} &= x + y \\cr\n&= 0.5\n\\end{aligned}\n$$\n"
    )


def test_cases_use_no_sign_that_markdown_reads() -> None:
    cases = read("Piecewise((-1, z < -1), (1, z > 1), (z, True))")
    assert to_markdown(Equation(X, [cases])) == (
        "$$\nx = \\begin{cases} -1 & \\text{if } z \\lt -1 \\cr 1 & \\text{if } z \\gt 1 \\cr "
        "z & \\text{otherwise} \\end{cases}\n$$\n"
    )


def test_no_formula_holds_what_markdown_reads() -> None:
    """Neither two backslashes, which become one, nor bars, tags or stars."""
    written = to_markdown(made_up.document())
    formulas = re.findall(r"\$\$(.+?)\$\$", written, re.DOTALL)
    formulas += re.findall(
        r"(?<![$\\])\$([^$]+)\$", re.sub(r"\$\$.+?\$\$", "", written, flags=re.S)
    )
    assert len(formulas) > 30
    for formula in formulas:
        assert not re.search(r"\\\\|[|<>*`]|\\[,;!{}]", formula), formula


def test_kinds_of_blocks() -> None:
    document = Document(
        "A & B",
        [
            Section(["One ", X], [Section(["Two"], [Text(["words"], "quiet")])]),
            Table(["n", "a|b"], [[0.5, X], [1e-9, "c|d"]], "Numbers"),
            Picture("<svg/>", "a box"),
        ],
    )
    assert to_markdown(document) == (
        "# A &amp; B\n\n"
        "## One $x$\n\n"
        "### Two\n\n"
        "words\n\n"
        "Numbers\n\n"
        "| n | a\\|b |\n"
        "| ---: | --- |\n"
        "| 0.5 | $x$ |\n"
        "| $10^{-9}$ | c\\|d |\n\n"
        "*\\[a box\\]*\n"
    )

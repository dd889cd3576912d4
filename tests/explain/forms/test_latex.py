"""Expressions and documents as LaTeX: exact formulas, balanced braces, words kept as words."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import hypothesis
import pytest

from chainrule.explain.document import Document, Equation, Picture, Section, Table, Text
from chainrule.explain.expression import Derivative, Expression, More, Name, Number, Product, Sum
from chainrule.explain.forms.latex import to_latex
from chainrule.explain.forms.latex_formula import formula_in_latex
from chainrule.explain.forms.latex_words import in_latex
from chainrule.explain.reading import read
from explain.forms import made_up
from explain.forms.trees import EXPRESSIONS

X, Y, Z = Name((), "x"), Name((), "y"), Name((0,), "z")


@pytest.mark.parametrize(
    ("equation", "expected"),
    [
        ("x @ weights + bias", "x_{1} W_{1} + b_{1}"),
        ("x.T @ d_z", r"x_{1}^{\mathsf{T}} \frac{\partial L}{\partial z_{1}}"),
        ("a * (1 - a)", r"a_{1} \cdot (1 - a_{1})"),
        ("(x / y)**2", r"\left(\frac{x_{1}}{y_{1}}\right)^{2}"),
        ("(x - mean) / deviation", r"\frac{x_{1} - \mu_{1}}{\sigma_{1}}"),
        ("sqrt(variance + epsilon)", r"\sqrt{v_{1} + \epsilon_{1}}"),
        ("exp(-z**2 / 2)", r"e^{-\frac{z_{1}^{2}}{2}}"),
        ("Abs(z)", r"\left\lvert z_{1} \right\rvert"),
        ("log(1 + exp(z))", r"\log\left(1 + e^{z_{1}}\right)"),
        ("erf(z)", r"\operatorname{erf}(z_{1})"),
        ("Max(z, 0)", r"\max(z_{1}, 0)"),
        ("total(z)", r"\sum z_{1}"),
        ("channel_sum(z)", r"\sum_{\text{batch}} z_{1}"),
        ("channel_mean(z)", r"\operatorname{mean}_{\text{batch}}(z_{1})"),
        ("correlate(x, weights)", r"x_{1} \star W_{1}"),
        ("back_to_all(z)", r"\operatorname{back to all}(z_{1})"),
        (
            "Piecewise((z, z >= 0), (0, True))",
            r"\begin{cases} z_{1} & \text{if } z_{1} \ge 0 \\ 0 & \text{otherwise} \end{cases}",
        ),
    ],
)
def test_formulas(equation: str, expected: str) -> None:
    assert formula_in_latex(read(equation, (0,))) == expected


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        (Name((1, 0), "new_weights", (0, 2)), "W_{2.1}'[0, 2]"),
        (Name((), "y_hat"), r"\hat{y}"),
        (Name((0,), "decayed_weights"), r"\tilde{W}_{1}"),
        (Name((0,), "velocity_of_weights", (1,)), "v_{W_{1}}[1]"),
        (Name((), "mean_decay"), r"\beta_{1}"),
        (Name((0,), "running_mean"), r"\text{running mean}_{1}"),
        (Name((), "50%_of{it}"), r"\text{50\% of\{it\}}"),
        (Derivative(Name((), "loss"), X), r"\frac{\partial L}{\partial x}"),
        (Number(-1.23456e-7, is_given=True), r"-1.2346 \cdot 10^{-7}"),
        (Number(1e-8), "10^{-8}"),
        (Number(float("inf")), r"\infty"),
        (Sum((X, Number(-0.5, is_given=True))), "x + (-0.5)"),
        (Sum((X, More(779, 0.5))), r"x + \cdots \text{ (779 more)}"),
    ],
)
def test_names_and_numbers(expression: Expression, expected: str) -> None:
    assert formula_in_latex(expression) == expected
    assert to_latex(expression) == expected


@hypothesis.given(EXPRESSIONS)
def test_braces_and_parentheses_balance(expression: Expression) -> None:
    written = formula_in_latex(expression)
    assert _is_balanced(written)
    assert written.count(r"\left") == written.count(r"\right")
    assert not re.search(r"\^\{[^{}]*\}\^", written), "two exponents at one base"


def test_words_arrive_as_they_are() -> None:
    assert in_latex(r"a_b & 50% of {it} #1 $5 ~ ^ \x") == (
        r"a\_b \& 50\% of \{it\} \#1 \$5 \textasciitilde{} \textasciicircum{} \textbackslash{}x"
    )
    assert in_latex("∂L/∂W₁ ≤ η·10⁻³") == (
        r"\ensuremath{\partial}L/\ensuremath{\partial}W\ensuremath{_{1}} \ensuremath{\le} "
        r"\ensuremath{\eta}\ensuremath{\cdot}10\ensuremath{^{-}}\ensuremath{^{3}}"
    )


def test_steps_are_aligned_at_their_signs() -> None:
    half = Number(0.5, is_given=True)
    assert to_latex(Equation(Z, [Sum((X, Y)), half], "one number")) == (
        "\\begin{align*}\nz_{1} &= x + y \\qquad \\text{one number} \\\\\n&= 0.5\n\\end{align*}\n"
    )
    assert to_latex(Equation(Z, [X])) == "\\[\nz_{1} = x\n\\]\n"
    assert to_latex(Equation(Z, [])) == "\\[\nz_{1}\n\\]\n"


def test_long_sums_go_on_in_the_next_line() -> None:
    terms = tuple(Product((Name((), "x", (0, i)), Name((), "y", (i, 0)))) for i in range(8))
    lines = to_latex(Equation(Z, [Sum(terms)])).splitlines()
    assert len(lines) == 5
    assert lines[2].startswith(r"&\quad {}+ x[0, 3] \cdot y[3, 0]")
    assert all(line.endswith(r"\\") for line in lines[1:-2])


def test_a_document_of_its_own_needs_amsmath_alone() -> None:
    whole = to_latex(made_up.document(), whole=True)
    assert re.findall(r"\\usepackage(?:\[.*\])?\{(.*)\}", whole) == ["amsmath"]
    assert whole.startswith(r"\documentclass")
    assert whole.endswith("\\end{document}\n")
    assert _is_balanced(whole)
    begun = re.findall(r"\\begin\{(.*?)\}", whole)
    assert sorted(begun) == sorted(re.findall(r"\\end\{(.*?)\}", whole))
    assert all(ord(letter) < 0x180 for letter in whole), "letters that TeX's own fonts lack"


def test_kinds_of_blocks() -> None:
    document = Document(
        "A & B",
        [
            Section(["One ", X], [Section(["Two"], [Text(["words ", Z], "quiet")])]),
            Table(["n", "what"], [[0.5, X], [1e-9, "100%"]], "Numbers"),
            Picture("<svg/>", "a box"),
            Text(["    y = x_1"]),
            Text(["so ``a_b`` is code"]),
        ],
    )
    assert to_latex(document) == (
        "\\section*{A \\& B}\n\n"
        "\\section*{One $x$}\n\n"
        "\\subsection*{Two}\n\n"
        "{\\small words $z_{1}$\\par}\n\n"
        "Numbers\n\n"
        "\\begin{tabular}{rl}\n"
        "\\textbf{n} & \\textbf{what} \\\\ \\hline\n"
        "0.5 & $x$ \\\\\n"
        "$10^{-9}$ & 100\\% \\\\\n"
        "\\end{tabular}\n\n"
        "\\emph{[a box]}\n\n"
        "{\\ttfamily y = x\\_1\\par}\n\n"
        "so \\texttt{a\\_b} is code\n"
    )


def test_a_line_that_begins_with_a_bracket_belongs_to_no_command() -> None:
    assert "\n{}[0, 1] \\\\\n" in to_latex(Table(["index"], [["[0, 1]"]]))
    assert to_latex(Text(["    a\n    [b]\n    *c"])) == (
        "{\\ttfamily a \\\\ {}[b] \\\\ {}*c\\par}\n"
    )


def test_it_compiles(tmp_path: Path) -> None:
    compiler = shutil.which("pdflatex")
    if compiler is None:
        pytest.skip("pdflatex is not installed; the other tests look at the structure")
    (tmp_path / "whole.tex").write_text(to_latex(made_up.document(), whole=True), encoding="utf-8")
    run = subprocess.run(
        [compiler, "-interaction=nonstopmode", "-halt-on-error", "whole.tex"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert run.returncode == 0, run.stdout[-3000:]


def _is_balanced(written: str) -> bool:
    depth = 0
    for sign in re.findall(r"(?<!\\)[{}]", written.replace(r"\\", "")):
        depth += 1 if sign == "{" else -1
        if depth < 0:
            return False
    return depth == 0

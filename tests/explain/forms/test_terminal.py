"""Documents in the terminal: the layout of each block, any width, and the same words in colour."""

from __future__ import annotations

import io
import sys

import pytest
from rich.console import Console

from chainrule.errors import InvalidSetting, MissingPackage
from chainrule.explain.document import Block, Document, Equation, Picture, Section, Table, Text
from chainrule.explain.expression import Derivative, Name, Number, Product, Sum
from chainrule.explain.forms.terminal import InColour, to_text
from chainrule.explain.forms.wrapping import width_of
from explain.forms import made_up

X, Y, Z = Name((), "x"), Name((), "y"), Name((0,), "z")
HALF = Number(0.5, is_given=True)


def test_steps_are_aligned_at_their_signs() -> None:
    assert to_text(Equation(Z, [Sum((X, Y)), Sum((HALF, HALF)), Number(1.0)], "a note")) == (
        "z₁ = x + y   a note\n"
        "   = 0.5 + 0.5\n"
        "   = 1"
    )  # fmt: skip
    assert to_text(Equation(Z, [])) == "z₁"
    assert to_text(Equation(Z, [], "from outside")) == "z₁   from outside"


def test_long_equations_go_on_where_they_began() -> None:
    products = tuple(Product((Name((), "x", (0, i)), Name((), "y", (i, 0)))) for i in range(4))
    assert to_text(Equation(Z, [Sum(products), HALF], "4 terms, as there are inputs"), 40) == (
        "z₁ = x[0, 0]·y[0, 0] + x[0, 1]·y[1, 0]\n"
        "     + x[0, 2]·y[2, 0] + x[0, 3]·y[3, 0]\n"
        "   = 0.5\n"
        "  4 terms, as there are inputs"
    )


def test_a_long_left_side_has_lines_of_its_own() -> None:
    chain = Product((Derivative(Name((), "loss"), Z), Derivative(Z, X)))
    assert to_text(Equation(chain, [Product((HALF, HALF)), HALF]), 40) == (
        "∂L/∂z₁ · ∂z₁/∂x\n"
        "  = 0.5·0.5\n"
        "  = 0.5"
    )  # fmt: skip


def test_sections_are_indented_by_depth() -> None:
    document = Document(
        "Title",
        [
            Text(["One sentence about ", X, ", and ", Y, "."]),
            Section(
                ["First ", Z],
                [
                    Equation(Z, [X]),
                    Equation(Z, [Y]),
                    Section(["Inside"], [Text(["deep"]), Text(["quiet"], "quiet")]),
                ],
            ),
            Picture("<svg/>", "a box"),
            Table(["n", "what"], [[0.123456, X], [12, "y"]], "Numbers"),
        ],
    )
    assert to_text(document) == (
        "Title\n"
        "═════\n"
        "\n"
        "One sentence about x, and y.\n"
        "\n"
        "First z₁\n"
        "────────\n"
        "  z₁ = x\n"
        "  z₁ = y\n"
        "\n"
        "  Inside\n"
        "    deep\n"
        "\n"
        "    quiet\n"
        "\n"
        "[a box]\n"
        "\n"
        "Numbers\n"
        "     n  what\n"
        "──────  ────\n"
        "0.1235  x\n"
        "    12  y"
    )


def test_words_get_the_spaces_they_lack() -> None:
    assert to_text(Text(["the loss", X, "falls (", Y, ")", ", or rises", "."])) == (
        "the loss x falls (y), or rises."
    )


def test_docstrings_are_shown_as_they_are_meant() -> None:
    assert to_text(Text(["so ``a @ b`` is::"])) == "so a @ b is:"
    assert to_text(Text(["    δ     = 1\n    ∂L/∂W = 2"])) == "  δ     = 1\n  ∂L/∂W = 2"


def test_a_formula_in_a_sentence_is_not_torn_apart() -> None:
    sum_of_three = Sum((X, Y, Z))
    assert to_text(Text(["here stands ", sum_of_three]), 20) == "here stands\nx + y + z₁"


@pytest.mark.parametrize("width", [20, 36, 57, 80, 120])
def test_any_width_is_kept_and_loses_nothing(width: int) -> None:
    written = to_text(made_up.document(), width)
    lines = written.splitlines()
    assert max(map(width_of, lines)) <= width
    assert not any(line != line.rstrip() for line in lines)
    assert "0.62732" in written


def test_deep_sections_leave_room_for_words() -> None:
    block: Block = Text(["deep down there are words"])
    for _ in range(20):
        block = Section(["In"], [block])
    assert to_text(block, 20).splitlines()[-3:] == [
        "          deep down",
        "          there are",
        "          words",
    ]


@pytest.mark.parametrize("width", [19, 0, -1, 80.0, "80", None])
def test_an_impossible_width_is_refused(width: object) -> None:
    with pytest.raises(InvalidSetting, match="width must be a whole number of at least 20"):
        to_text(Text(["words"]), width)  # type: ignore[arg-type]


@pytest.mark.parametrize("width", [50, 80])
def test_colour_says_the_same_words(width: int) -> None:
    stream = io.StringIO()
    console = Console(file=stream, width=width, force_terminal=True, color_system="standard")
    console.print(InColour(made_up.document()))
    assert "\x1b[" in stream.getvalue()
    plain = Console(file=io.StringIO(), width=width, no_color=True)
    with plain.capture() as captured:
        plain.print(InColour(made_up.document()))
    lines = [line.replace("│", " ").rstrip() for line in captured.get().splitlines()]
    assert lines == [
        line.replace("│", " ").rstrip() for line in to_text(made_up.document(), width).splitlines()
    ]


def test_colour_needs_rich(monkeypatch: pytest.MonkeyPatch) -> None:
    console = Console(file=io.StringIO())
    monkeypatch.setitem(sys.modules, "rich.text", None)
    with pytest.raises(MissingPackage, match="Colour in the terminal needs the package 'rich'"):
        list(InColour(Text(["words"])).__rich_console__(console, console.options))

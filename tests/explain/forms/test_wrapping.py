"""Long lines: where sentences and formulas are broken, and tables made to fit."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chainrule.explain.forms.columns import fitted
from chainrule.explain.forms.wrapping import padded, width_of, wrap_formula, wrap_sentence


def test_accents_over_letters_take_no_room() -> None:
    assert width_of("x̂₁") == 2
    assert padded("x̂", 3) == "x̂  "
    assert padded("x̂", 3, right=True) == "  x̂"


def test_sentences_break_at_spaces() -> None:
    assert wrap_sentence("the loss falls", 8) == ["the loss", "falls"]
    assert wrap_sentence("", 8) == [""]
    assert wrap_sentence("a abcdefghijk b", 4) == ["a", "abcd", "efgh", "ijk", "b"]


@pytest.mark.parametrize(
    ("formula", "width", "expected"),
    [
        ("a + b", 5, ["a + b"]),
        ("aaa + bbb + ccc", 10, ["aaa + bbb", "+ ccc"]),
        ("aaa·bbb + ccc", 8, ["aaa·bbb", "+ ccc"]),
        ("aaaaaa·(b + c)", 10, ["aaaaaa", "·(b + c)"]),
        ("a₁ · b₁ · c₁", 9, ["a₁ · b₁", "· c₁"]),
        ("(aaaa + bbbb)/(c + d)", 12, ["(aaaa", "+ bbbb)", "/(c + d)"]),
        ("x[0, 0]·W[0, 10]", 10, ["x[0, 0]", "·W[0, 10]"]),
        ("z if z > 0, else 0", 12, ["z if z > 0,", "else 0"]),
        ("abcdefghij", 4, ["abcd", "efgh", "ij"]),
    ],
)
def test_formulas_break_before_signs(formula: str, width: int, expected: list[str]) -> None:
    assert wrap_formula(formula, width) == expected


@given(
    st.lists(st.sampled_from(["x₁[0, 2]", "·", " + ", " - ", "(", ")", "x̂", "^", "0.25", " "])),
    st.integers(2, 30),
)
def test_nothing_is_lost_and_no_line_is_too_long(parts: list[str], width: int) -> None:
    text = "".join(parts)
    lines = wrap_formula(text, width)
    assert all(width_of(line) <= width for line in lines)
    assert "".join(lines).replace(" ", "") == text.replace(" ", "")


def test_a_table_that_fits_is_as_wide_as_it_needs() -> None:
    rows = [["Dense(4)", "16"], ["Dense(1)", "5"]]
    assert [line for line, _ in fitted(["Layer", "n"], rows, [False, True], 40)] == [
        "Layer      n",
        "────────  ──",
        "Dense(4)  16",
        "Dense(1)   5",
    ]


def test_the_widest_column_gives_way_first() -> None:
    rows = [["1", "a layer with a long name"]]
    assert [line for line, _ in fitted(["n", "What"], rows, [True, False], 16)] == [
        "n  What",
        "─  ─────────────",
        "1  a layer with",
        "   a long name",
    ]


def test_what_cannot_fit_stands_one_below_the_other() -> None:
    rows = [["first one", "0.25", "good and more"], ["second one", "0.5", "bad"]]
    headings = ["A heading", "Another one", "The third heading"]
    assert [line for line, _ in fitted(headings, rows, [False, True, False], 24)] == [
        "A heading: first one",
        "Another one: 0.25",
        "The third heading: good",
        "and more",
        "",
        "A heading: second one",
        "Another one: 0.5",
        "The third heading: bad",
    ]


def test_a_table_without_rows_or_columns() -> None:
    assert [line for line, _ in fitted(["A", "B"], [], [False, False], 20)] == ["A  B", "─  ─"]
    assert fitted([], [], [], 20) == []

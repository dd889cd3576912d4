"""How a style file becomes a program, with the lines to blame counted by hand."""

from __future__ import annotations

import pytest

from checker_corpus.corpus import CORRECT_VERSIONS, MISTAKES, case_of, cases, code_of, correct_cases
from checker_corpus.templates import FOLDER, UNSEEN, Style, chance, styles

STYLE = """\
architecture: 2-$hidden$-1
activations: tanh linear
loss: squared
convention: half
parameters: W ; b
data: X ; y
knob hidden = 3 | 4
knob diff, op = y - a ; += | a - y ; -=
=== source
def step():
    global W, b
    d = $diff$
    W $op$ X.T @ d

    b $op$ d.sum()
size = $hidden$
=== mistakes
"""


@pytest.fixture
def style(tmp_path):
    def make(mistakes: str, head: str = "") -> Style:
        path = tmp_path / "small.style"
        path.write_text(head + STYLE + mistakes)
        return Style(path)

    return make


def wrong(style: Style, **knobs: str):
    knobs = {"hidden": "3", "diff": "y - a", "op": "+="} | knobs
    return case_of(style, "small", knobs, style.edits[0])


def test_a_line_is_replaced_and_keeps_its_indentation(style):
    case = wrong(style("@ sign_turned\n- d = $diff$\n+ d = -($diff$)\n"))
    assert case.source.split("\n")[2] == "    d = -(y - a)"
    assert (case.line, case.lines) == (3, (3,))
    assert case.architecture == "2-3-1 tanh linear"


def test_marked_lines_are_blamed_before_those_that_one_would_accept(style):
    mistakes = "@ early_update\n- d = $diff$\n+ e = a\n! d = e - y\n? W $op$ X.T @ d\n"
    assert wrong(style(mistakes)).lines == (4, 5)
    assert wrong(style(mistakes)).line == 4


def test_what_is_gone_is_looked_for_before_the_gap(style):
    case = wrong(style("@ bias_never_updated\n- b $op$ d.sum()\n? global W, b\n"))
    assert "sum" not in case.source
    assert (case.line, case.lines) == (4, (2, 4))  # size = ... stands outside the function


def test_a_mistake_that_only_holds_a_knob_blames_the_lines_with_the_knob(style):
    case = wrong(style("@ diverging hidden=900\n"), hidden="900")
    assert case.source.endswith("size = 900\n")
    assert case.lines == (7,)


def test_knobs_declared_together_choose_together(style):
    small = style("@ sign_turned\n- d = $diff$\n+ d = 0\n")
    draws = [small.draw(chance(seed, "small"), {}) for seed in range(20)]
    assert {(d["diff"], d["op"]) for d in draws} == {("y - a", "+="), ("a - y", "-=")}
    held = [small.draw(chance(seed, "small"), {"op": "-="}) for seed in range(20)]
    assert {d["diff"] for d in held} == {"a - y"}


def test_lines_of_a_notebook_count_through_its_code_cells(tmp_path):
    path = tmp_path / "small.style"
    cells = "# %% [markdown]\n# # Title\n# %%\nX = 1\n\n# %%\nd = 2\n"
    head, _, _ = STYLE.partition("def step")
    path.write_text(f"notebook: yes\n{head}{cells}=== mistakes\n@ sign_turned\n- d = 2\n+ d = -2\n")
    case = wrong(Style(path))
    assert case.is_notebook
    assert code_of(case) == "X = 1\n\nd = -2\n"
    assert case.line == 3


def test_styles_are_read_from_the_folder_that_is_named(style, tmp_path):
    style("@ sign_turned\n- d = $diff$\n+ d = -($diff$)\n")
    assert [x.name for x in styles(tmp_path)] == ["small"]
    assert [case.name for case in cases(0, tmp_path)] == ["small-sign_turned-0"]
    versions = [case.name for case in correct_cases(0, tmp_path)]
    assert versions == [f"small-{number}" for number in range(CORRECT_VERSIONS)]


@pytest.mark.parametrize("folder", [FOLDER, UNSEEN], ids=lambda folder: folder.name)
def test_every_edit_of_every_style_fits(folder):
    for small in styles(folder):
        for edit in small.edits:
            assert edit.mistake in MISTAKES, small.name
            knobs = small.draw(chance(0, small.name), edit.knobs)
            assert any(line.blame == 2 for line in small.lines(knobs, edit)), small.name


@pytest.mark.parametrize(
    ("mistakes", "says"),
    [
        ("@ sign_turned\n- nowhere\n+ here\n", "stands 0 times"),
        ("@ sign_turned\n- d = $diff$\n+ d = $diff$\n", "replaced by itself"),
        ("@ sign_turned\nd = 3\n", "starts with"),
    ],
)
def test_an_edit_that_does_not_fit_is_refused(style, mistakes, says):
    with pytest.raises(ValueError, match=says):
        wrong(style(mistakes))

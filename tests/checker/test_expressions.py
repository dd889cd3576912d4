"""What a learner's expressions are called."""

from __future__ import annotations

import ast

import pytest

from chainrule.checker.expressions import last_name, spoken, takes_itself


@pytest.mark.parametrize(
    ("text", "called"),
    [
        ("b2", "b2"),
        ("self.b2", "b2"),
        ("params['b2']", "b2"),
        ("layers[0]", "0"),
        ("layers[i]", ""),
        ("f(x)", ""),
    ],
)
def test_the_last_name(text: str, called: str) -> None:
    assert last_name(ast.parse(text, mode="eval").body) == called


def test_an_expression_on_one_line() -> None:
    assert spoken("a +\n    b") == "a + b"


@pytest.mark.parametrize(
    ("text", "takes"),
    [
        ("w += d", True),
        ("w = w + d", True),
        ("w[i] = w[i] + d", True),
        ("w[i] = w[j] + d", False),
        ("w = d", False),
        ("f(w)", False),
    ],
)
def test_a_variable_from_its_old_value(text: str, takes: bool) -> None:
    assert takes_itself(ast.parse(text).body[0]) == takes

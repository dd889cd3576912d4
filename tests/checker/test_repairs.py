"""Repairs are written into the learner's text, whatever its language."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from chainrule.checker.repairs import Repair, Writer, is_program
from chainrule.checker.source import Source


def writer_of(text: str) -> tuple[Writer, ast.Module]:
    """A writer and the tree of its text."""
    source = Source(Path("network.py"), text)
    return Writer(source), source.parse()


def first(tree: ast.Module, kind: type[ast.expr]) -> ast.expr:
    """The first expression of a kind."""
    return next(node for node in ast.walk(tree) if isinstance(node, kind))


def test_an_expression_is_replaced() -> None:
    writer, tree = writer_of("a = 1\ndelta = error\n")
    error = next(n for n in ast.walk(tree) if isinstance(n, ast.Name) and n.id == "error")
    repair = writer.replace(error, "error * slope")
    assert writer.mended(repair) == "a = 1\ndelta = error * slope\n"
    assert (repair.line, writer.right_lines(repair)) == (2, {2: "delta = error * slope"})


def test_columns_count_letters_not_bytes() -> None:
    writer, tree = writer_of("误差 = π * (y - t)  # ошибка\n")
    difference = next(
        n for n in ast.walk(tree) if isinstance(n, ast.BinOp) and isinstance(n.op, ast.Sub)
    )
    assert writer.said(difference) == "y - t"
    assert writer.mended(writer.replace(difference, "t - y")) == "误差 = π * (t - y)  # ошибка\n"


def test_brackets_stand_where_they_are_needed() -> None:
    writer, tree = writer_of("d = e @ w\n")
    product = first(tree, ast.BinOp)
    assert isinstance(product, ast.BinOp)
    inside = writer.replace(product.left, "a + b", product)
    assert writer.mended(inside) == "d = (a + b) @ w\n"
    assert writer.grouped(product) == "(e @ w)"
    assert writer.grouped(product.left) == "e"


def test_brackets_that_are_there_are_enough() -> None:
    writer, tree = writer_of("d = (a - b) * s\n")
    product = first(tree, ast.BinOp)
    assert isinstance(product, ast.BinOp)
    assert writer.mended(writer.replace(product.left, "b - a", product)) == "d = (b - a) * s\n"


def test_a_statement_is_put_after_another_with_its_indentation() -> None:
    writer, tree = writer_of("for i in x:\n    w -= lr * dw\nprint(w)\n")
    loop = tree.body[0]
    assert isinstance(loop, ast.For)
    repair = writer.insert_after(loop.body[0], "b -= lr * db")
    assert writer.mended(repair) == "for i in x:\n    w -= lr * dw\n    b -= lr * db\nprint(w)\n"
    assert repair.is_new
    assert writer.right_lines(repair) == {2: "b -= lr * db"}


def test_repairs_in_two_lines_are_told_line_by_line() -> None:
    writer, tree = writer_of("w += 2\nb += 3\n")
    both = writer.together(
        [
            writer.replace(node, new)
            for node, new in zip(
                [n for n in ast.walk(tree) if isinstance(n, ast.Constant)], ("4", "5"), strict=True
            )
        ]
    )
    assert writer.mended(both) == "w += 4\nb += 5\n"
    assert writer.right_lines(both) == {1: "w += 4", 2: "b += 5"}


@pytest.mark.parametrize(("text", "is_one"), [("a = 1\n", True), ("a = \n", False), ("\0", False)])
def test_what_is_a_program(text: str, *, is_one: bool) -> None:
    assert is_program(text) is is_one


def test_a_repair_may_say_more_than_its_text() -> None:
    writer, _ = writer_of("w += 2\n")
    assert writer.right_lines(Repair(1, (), said="w += 2  # later")) == {1: "w += 2  # later"}

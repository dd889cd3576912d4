"""Ways of mending a file: which text takes the place of which expression."""

from __future__ import annotations

import ast
from dataclasses import dataclass

from chainrule.checker.source import Source

_BINDS_TIGHTLY = (ast.Name, ast.Attribute, ast.Subscript, ast.Call, ast.Constant, ast.List)


@dataclass(frozen=True)
class Edit:
    """Characters ``start`` to ``end`` of a text become ``new``."""

    start: int
    end: int
    new: str


@dataclass(frozen=True)
class Repair:
    """Edits that belong together, and the line that they mend.

    ``said`` is what the line should be, where that is more than its new text.
    """

    line: int
    edits: tuple[Edit, ...]
    said: str = ""

    @property
    def is_new(self) -> bool:
        """Whether it writes a statement after the line."""
        return not self.said and self.edits[0].new.startswith("\n")


class Writer:
    """Writes repairs into a learner's text."""

    def __init__(self, source: Source) -> None:
        self.text = source.text
        self._starts = [0]
        for line in self.text.splitlines(keepends=True):
            self._starts.append(self._starts[-1] + len(line))
        self._lines = self.text.splitlines(keepends=True)

    def at(self, line: int, column: int) -> int:
        """Offset of a position of a syntax tree, whose columns count bytes of UTF-8."""
        before = self._lines[line - 1].encode()[:column].decode()
        return self._starts[line - 1] + len(before)

    def span(self, node: ast.expr | ast.stmt) -> tuple[int, int]:
        """Where a node stands in the text."""
        assert node.end_lineno is not None  # noqa: S101 - the parser has set both
        assert node.end_col_offset is not None  # noqa: S101
        return self.at(node.lineno, node.col_offset), self.at(node.end_lineno, node.end_col_offset)

    def said(self, node: ast.expr | ast.stmt) -> str:
        """A node as the learner wrote it."""
        start, end = self.span(node)
        return self.text[start:end]

    def grouped(self, node: ast.expr) -> str:
        """A node as a factor: in brackets where it needs them."""
        said = self.said(node)
        return said if isinstance(node, _BINDS_TIGHTLY) else f"({said})"

    def replace(self, node: ast.expr, new: str, parent: ast.AST | None = None) -> Repair:
        """Put a text in the place of an expression, in brackets if what is around it needs them."""
        start, end = self.span(node)
        tight = isinstance(parent, ast.BinOp | ast.UnaryOp | ast.Attribute | ast.Subscript)
        if tight and not _is_tight(new) and not self._has_brackets(start, end):
            new = f"({new})"
        return Repair(node.lineno, (Edit(start, end, new),))

    def replace_span(self, first: ast.expr, last: ast.expr, new: str) -> Repair:
        """Put a text in the place of everything from one expression to another."""
        return Repair(first.lineno, (Edit(self.span(first)[0], self.span(last)[1], new),))

    def insert_after(self, statement: ast.stmt, new: str) -> Repair:
        """Put a statement on a line of its own after another, and say so of that line."""
        _, end = self.span(statement)
        line = self._lines[statement.lineno - 1]
        indent = line[: len(line) - len(line.lstrip())]
        return Repair(statement.lineno, (Edit(end, end, f"\n{indent}{new}"),))

    def together(self, repairs: list[Repair]) -> Repair:
        """Several repairs as one; the first line is the one to point at."""
        edits = dict.fromkeys(edit for one in repairs for edit in one.edits)
        return Repair(repairs[0].line, tuple(edits))

    def mended(self, repair: Repair) -> str:
        """The whole text, mended."""
        text = self.text
        for edit in sorted(repair.edits, key=lambda e: -e.start):
            text = text[: edit.start] + edit.new + text[edit.end :]
        return text

    def right_lines(self, repair: Repair) -> dict[int, str]:
        """The lines that change, as they should be; of a new statement, that statement."""
        if repair.said:
            return {repair.line: repair.said}
        if repair.is_new:
            return {repair.line: repair.edits[0].new.strip()}
        by_line: dict[int, list[Edit]] = {repair.line: []}
        for edit in repair.edits:
            by_line.setdefault(self.text.count("\n", 0, edit.start) + 1, []).append(edit)
        return {line: self._mended_line(line, edits) for line, edits in by_line.items()}

    def _mended_line(self, line: int, edits: list[Edit]) -> str:
        start = self._starts[line - 1]
        end = self._starts[line]
        text = self.text[start:end]
        for edit in sorted(edits, key=lambda e: -e.start):
            text = text[: edit.start - start] + edit.new + text[edit.end - start :]
        return text.strip()

    def _has_brackets(self, start: int, end: int) -> bool:
        return self.text[start - 1 : start] == "(" and self.text[end : end + 1] == ")"


def _is_tight(text: str) -> bool:
    try:
        return isinstance(ast.parse(text, mode="eval").body, _BINDS_TIGHTLY)
    except SyntaxError:
        return False


def is_program(text: str) -> bool:
    """Whether Python can read a text."""
    try:
        compile(text, "<mended>", "exec", dont_inherit=True)
    except (SyntaxError, ValueError, RecursionError):
        return False
    return True

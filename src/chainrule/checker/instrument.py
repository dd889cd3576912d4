"""The learner's program, rewritten so that every expression tells its value.

``w2 += a1.T @ delta`` becomes, in effect::

    w2 += seen(7, seen(5, seen(4, a1).T) @ seen(6, delta))
    assigned(8)

``seen(number, value)`` writes the value down and returns it, so the program computes what it
always did. The numbers name *places*: an expression in a line. Whatever style the program is
written in, whether it works on matrices or number by number, all its intermediate values are seen
with the line that made them.
"""

from __future__ import annotations

import ast
from collections.abc import Collection
from dataclasses import dataclass
from typing import TypeVar

SEEN = "__chainrule_seen__"
ASSIGNED = "__chainrule_assigned__"
REPEATED = "__chainrule_repeated__"

_EXPRESSIONS = (
    ast.BinOp,
    ast.UnaryOp,
    ast.Call,
    ast.Attribute,
    ast.Subscript,
    ast.Name,
    ast.IfExp,
    ast.ListComp,
    ast.List,
)
_Node = TypeVar("_Node", bound=ast.AST)


@dataclass(frozen=True)
class Place:
    """An expression or statement of the learner's program.

    Attributes
    ----------
    number : int
        Its name in the record of a run.
    kind : str
        The class of its syntax node: "BinOp", "Call", "Assign", ...
    line, end_line : int
        From 1.
    text : str
        Its source.
    scope : str
        The functions and classes around it, joined by dots; "" at the top.
    statement : int
        Number of the line at which the statement around it begins.
    node, parent : ast.AST
        The node as it was parsed, and the one around it.
    """

    number: int
    kind: str
    line: int
    end_line: int
    text: str
    scope: str
    statement: int
    node: ast.AST
    parent: ast.AST | None


def instrument(
    text: str, tree: ast.Module, unwatched: Collection[int] = frozenset()
) -> list[Place]:
    """Rewrite a program in place and return its places, by their numbers.

    Lines that are not to be watched have places as all others have, but tell nothing: they run at
    their own speed.
    """
    original = ast.parse(text)
    return _Instrument(text, unwatched).rewrite(tree, original)


class _Instrument(ast.NodeTransformer):
    def __init__(self, text: str, unwatched: Collection[int]) -> None:
        self.unwatched = unwatched
        self.lines = text.splitlines(keepends=True)
        self.places: list[Place] = []
        self.scope: list[str] = []
        self.statement = 0
        self.originals: dict[int, ast.AST] = {}
        self.parents: dict[int, ast.AST] = {}

    def rewrite(self, tree: ast.Module, original: ast.Module) -> list[Place]:
        for node, twin in zip(ast.walk(tree), ast.walk(original), strict=True):
            self.originals[id(node)] = twin
        for outer in ast.walk(original):
            for inner in ast.iter_child_nodes(outer):
                self.parents[id(inner)] = outer
        tree.body = self._block(tree.body)
        ast.fix_missing_locations(tree)
        return self.places

    def visit(self, node: ast.AST) -> ast.AST:
        if isinstance(node, ast.stmt):
            self.statement = node.lineno
        if not isinstance(node, _EXPRESSIONS) or _is_super(node) or _is_shape(node):
            return super().visit(node)
        if isinstance(node, ast.Name | ast.Attribute | ast.Subscript | ast.List) and not isinstance(
            node.ctx, ast.Load
        ):
            return self._visit_target(node)
        number = self._place(node)
        self.generic_visit(node)
        if node.lineno in self.unwatched:
            return node
        call = ast.Call(
            func=ast.Name(id=SEEN, ctx=ast.Load()),
            args=[ast.Constant(number), node],
            keywords=[],
        )
        return ast.copy_location(call, node)

    def _visit_target(self, node: ast.expr) -> ast.AST:
        """What is assigned to is not read; what leads there is."""
        self.generic_visit(node)
        return node

    def visit_Call(self, node: ast.Call) -> ast.AST:
        # The function itself is no number; what its name hangs on may be one: x.T.dot.
        if isinstance(node.func, ast.Attribute):
            node.func.value = self._expression(node.func.value)
        elif not isinstance(node.func, ast.Name):
            node.func = self._expression(node.func)
        node.args = [self._expression(argument) for argument in node.args]
        for keyword in node.keywords:
            keyword.value = self._expression(keyword.value)
        return node

    def generic_visit(self, node: ast.AST) -> ast.AST:
        if isinstance(node, ast.Call):
            return self.visit_Call(node)
        return super().generic_visit(node)

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        return self._function(node)

    def visit_AsyncFunctionDef(self, node: ast.AsyncFunctionDef) -> ast.AST:
        return self._function(node)

    def visit_ClassDef(self, node: ast.ClassDef) -> ast.AST:
        self.scope.append(node.name)
        node.body = self._block(node.body)
        self.scope.pop()
        return node

    def visit_Match(self, node: ast.Match) -> ast.AST:
        node.subject = self._expression(node.subject)
        for case in node.cases:
            case.body = self._block(case.body)  # patterns are no expressions
        return node

    def visit_AnnAssign(self, node: ast.AnnAssign) -> ast.AST:
        if node.value is not None:
            node.value = self._expression(node.value)
        return node

    def _function(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> ast.AST:
        self.scope.append(node.name)
        node.args.defaults = [self._expression(default) for default in node.args.defaults]
        entry = self._place(node)
        node.body = self._block(node.body)
        # After the docstring, and after "nonlocal" and "global", which must come first.
        first = next(
            (
                at
                for at, statement in enumerate(node.body)
                if not _is_text(statement) and not isinstance(statement, ast.Nonlocal | ast.Global)
            ),
            len(node.body),
        )
        if node.lineno not in self.unwatched:
            node.body.insert(first, _hook(REPEATED, entry, node.body[0]))
        self.scope.pop()
        return node

    def _expression(self, node: ast.expr) -> ast.expr:
        return self.visit(node)  # type: ignore[return-value]  # an expression stays one

    def _block(self, body: list[ast.stmt]) -> list[ast.stmt]:
        """Visit statements; after one that may have changed a number, tell so."""
        rewritten: list[ast.stmt] = []
        for position, statement in enumerate(body):
            is_docstring = position == 0 and _is_text(statement)
            if is_docstring or (isinstance(statement, ast.ImportFrom | ast.Import)):
                rewritten.append(statement)
                continue
            self._statement(statement)
            rewritten.append(statement)
            is_call = isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Call)
            if is_call or isinstance(statement, ast.Assign | ast.AugAssign | ast.AnnAssign):
                number = self._place(statement)
                if statement.lineno not in self.unwatched:
                    rewritten.append(_hook(ASSIGNED, number, statement))
        return rewritten

    def _statement(self, statement: ast.stmt) -> None:
        repeats = isinstance(statement, ast.For | ast.While | ast.AsyncFor)
        number = self._place(statement) if repeats else -1
        self.visit(statement) if not repeats else self._loop(statement)
        for field in ("body", "orelse", "finalbody"):
            if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
                break
            block = getattr(statement, field, None)
            if isinstance(block, list) and block and not isinstance(statement, ast.Match):
                setattr(statement, field, self._block(block))
        for handler in getattr(statement, "handlers", []):
            handler.body = self._block(handler.body)
        if repeats and statement.lineno not in self.unwatched:
            statement.body.insert(0, _hook(REPEATED, number, statement))  # type: ignore[attr-defined]  # a loop

    def _loop(self, statement: ast.stmt) -> None:
        for field in ("target", "iter", "test"):
            child = getattr(statement, field, None)
            if child is not None:
                setattr(statement, field, self.visit(child))

    def visit_If(self, node: ast.If) -> ast.AST:
        node.test = self._expression(node.test)
        return node

    def visit_With(self, node: ast.With) -> ast.AST:
        for item in node.items:
            item.context_expr = self._expression(item.context_expr)
        return node

    def visit_Try(self, node: ast.Try) -> ast.AST:
        return node  # its blocks are visited by _statement

    def _place(self, node: ast.expr | ast.stmt) -> int:
        number = len(self.places)
        twin = self.originals.get(id(node), node)
        # Of a compound statement only its first line counts.
        compound = hasattr(node, "body") and isinstance(node, ast.stmt)
        end = node.lineno if compound else (node.end_lineno or node.lineno)
        self.places.append(
            Place(
                number,
                type(node).__name__,
                node.lineno,
                end,
                self._text(node),
                ".".join(self.scope),
                self.statement if isinstance(node, ast.expr) else node.lineno,
                twin,
                self.parents.get(id(twin)),
            )
        )
        return number

    def _text(self, node: ast.expr | ast.stmt) -> str:
        if hasattr(node, "body") and isinstance(node, ast.stmt):
            return self.lines[node.lineno - 1].strip()
        first, last = node.lineno - 1, (node.end_lineno or node.lineno) - 1
        # Columns count bytes of UTF-8, and names may be in any language.
        lines = [line.encode() for line in self.lines[first : last + 1]]
        lines[-1] = lines[-1][: node.end_col_offset]
        lines[0] = lines[0][node.col_offset :]
        return b"".join(lines).decode()


def _is_super(node: ast.AST) -> bool:
    return (
        isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "super"
    )


def _is_shape(node: ast.AST) -> bool:
    return isinstance(node, ast.Attribute) and node.attr in ("shape", "size", "ndim")


def _is_text(statement: ast.stmt) -> bool:
    return isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)


def _hook(name: str, number: int, statement: ast.stmt) -> ast.stmt:
    call = ast.Call(
        func=ast.Name(id=name, ctx=ast.Load()), args=[ast.Constant(number)], keywords=[]
    )
    return ast.copy_location(ast.Expr(call), statement)

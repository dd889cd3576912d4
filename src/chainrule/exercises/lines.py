"""Which line of a learner's file computes an output of a function?"""

from __future__ import annotations

import ast
from collections.abc import Iterator

Function = ast.FunctionDef | ast.AsyncFunctionDef


def find_function(text: str, name: str) -> Function | None:
    """Find a function at the top of the file; of several the last, which counts."""
    found = [
        node
        for node in ast.parse(text).body
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name == name
    ]
    return found[-1] if found else None


def is_empty(function: Function) -> bool:
    """Whether nothing was filled in: only a docstring, ``...``, ``pass`` or ``raise``."""
    for node in function.body:
        plain = isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
        if not plain and not isinstance(node, ast.Pass):
            return False
    return True


def gap_line(text: str, name: str) -> int | None:
    """Line of the first ``raise NotImplementedError`` in a function."""
    function = find_function(text, name)
    for node in ast.walk(function) if function else ():
        if isinstance(node, ast.Raise) and node.exc and "NotImplemented" in ast.unparse(node.exc):
            return node.lineno
    return function.lineno if function else None


def line_of(text: str, name: str, output: int, outputs: int) -> int | None:
    """Line where a function last computes the output of that number.

    Follows the names of its last ``return`` to where they are assigned last.
    """
    function = find_function(text, name)
    if function is None:
        return None
    returns = [node for node in _statements(function) if isinstance(node, ast.Return)]
    if not returns or returns[-1].value is None:
        return function.lineno
    value: ast.expr = returns[-1].value
    if outputs > 1 and isinstance(value, ast.Tuple) and len(value.elts) == outputs:
        value = value.elts[output]
    if isinstance(value, ast.Name):
        lines = [node.lineno for node in _statements(function) if _assigns(node, value.id)]
        if lines:
            return lines[-1]
    return value.lineno


def assigned_line(text: str, name: str, variable: str) -> int | None:
    """Line where a function last assigns a variable; None where it has none of that name."""
    function = find_function(text, name)
    statements = _statements(function) if function is not None else ()
    lines = [node.lineno for node in statements if _assigns(node, variable)]
    return lines[-1] if lines else None


def _statements(node: ast.AST) -> Iterator[ast.stmt]:
    """All statements inside, in order of their lines; those of inner functions not."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.stmt):
            yield child
        if not isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            yield from _statements(child)


def _assigns(node: ast.stmt, name: str) -> bool:
    targets: list[ast.expr] = []
    if isinstance(node, ast.Assign):
        targets = node.targets
    elif isinstance(node, ast.AugAssign | ast.AnnAssign):
        targets = [node.target]
    elif isinstance(node, ast.Expr) and isinstance(node.value, ast.Call):  # name.append(...)
        targets = [node.value.func]
    return any(
        isinstance(part, ast.Name) and part.id == name
        for target in targets
        for part in ast.walk(target)
    )

"""Small questions about a learner's expressions and statements."""

from __future__ import annotations

import ast
import re


def last_name(node: ast.expr) -> str:
    """What distinguishes a variable from its neighbours: b2 of self.b2, params["b2"] and b2."""
    if isinstance(node, ast.Attribute):
        return node.attr
    if isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Constant):
        return str(node.slice.value)
    return node.id if isinstance(node, ast.Name) else ""


def spoken(text: str) -> str:
    """An expression's text on one line."""
    return re.sub(r"\s+", " ", text)


def takes_itself(statement: ast.AST) -> bool:
    """Whether a statement computes a variable from its old value: w += d, w[i] = w[i] + d."""
    if not isinstance(statement, ast.Assign):
        return isinstance(statement, ast.AugAssign)
    targets = {ast.unparse(target) for target in statement.targets}
    return any(
        isinstance(node, ast.Name | ast.Attribute | ast.Subscript) and ast.unparse(node) in targets
        for node in ast.walk(statement.value)
    )

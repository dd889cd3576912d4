"""Which line of the code computes a number."""

from __future__ import annotations

import ast
import functools
import inspect
import textwrap
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from chainrule.activation import Activation
from chainrule.explain.expression import Name

if TYPE_CHECKING:
    from chainrule.explain.step import Step

_WHOLE: tuple[int, ...] = ()


@dataclass(frozen=True)
class Source:
    """A line of code.

    Attributes
    ----------
    file : str
        Absolute path.
    line : int
        From 1.
    code : str
        The line itself, without indentation.
    function : str
        ``"Dense.backprop"``.
    """

    file: str
    line: int
    code: str
    function: str

    @property
    def place(self) -> str:
        """The file as people know it: from the package on, or its name alone."""
        parts = Path(self.file).parts
        if "chainrule" not in parts:
            return parts[-1]
        last = len(parts) - 1 - parts[::-1].index("chainrule")
        return "/".join(parts[last:])

    def __str__(self) -> str:
        return f"{self.function}, {self.place}:{self.line}: {self.code}"


def source_of(step: Step, name: Name) -> Source | None:
    """Find the line that computes an array; None for data, and where there is no source text."""
    key = name.path, name.field
    if name.path == _WHOLE:
        loss = type(step.network.loss)
        match name.field:
            case "term":
                return _line(loss.terms, "")
            case "loss":
                return _line(loss.value, "")
            case "d_y_hat":
                return _line(loss.terms_gradient, "")
    if key in step.homes:
        return _in_layer(*step.homes[key])
    if key in step.probed:
        probing, field = step.probed[key]
        return _in_layer(probing.place, field)
    if name.field.startswith("new_") or "_of_" in name.field:
        return _line(type(step.network.optimizer).update, None)
    return None


def _in_layer(place: Any, field: str) -> Source | None:
    activation = place.layer if isinstance(place.layer, Activation) else place.layer.activation
    if activation is not None and field in ("a", "d_z", "d_slope"):
        return _in_activation(type(activation), field)
    kind = type(place.layer)
    if field.startswith("d_"):
        return _line(kind.backprop, "" if field == f"d_{place.input}" else field)
    return _line(kind.feedforward, "" if field == place.output else field)


def _in_activation(kind: type[Activation], field: str) -> Source | None:
    if field == "a":
        return _line(kind.value, "")
    own_way = kind.backprop is not Activation.backprop
    if field == "d_z" and not (own_way and "derivative" not in vars(kind)):
        return _line(kind.derivative, "")
    return _line(kind.backprop, "" if field == "d_z" else field)


@functools.cache
def _line(method: Callable[..., Any], target: str | None) -> Source | None:
    """Find the line of a method that assigns to ``target``, "": that returns, None: it begins."""
    method = inspect.unwrap(method)
    try:
        lines, first = inspect.getsourcelines(method)
        file = inspect.getsourcefile(method)
        body = ast.parse(textwrap.dedent("".join(lines)))
    except (OSError, TypeError, SyntaxError):
        return None
    found: list[ast.stmt] = [node for node in ast.walk(body) if isinstance(node, ast.Return)]
    assigned = [
        node
        for node in ast.walk(body)
        if isinstance(node, ast.stmt) and target and target in _targets(node)
    ]
    chosen = [node.lineno for node in assigned or found]
    number = max(chosen) if chosen and target is not None else _definition(body)
    code = lines[number - 1].strip()
    return Source(str(file), first + number - 1, code, method.__qualname__)


def _definition(body: ast.Module) -> int:
    """Line of the ``def``, which decorators may stand before."""
    return next((node.lineno for node in body.body if isinstance(node, ast.FunctionDef)), 1)


def _targets(node: ast.AST) -> set[str]:
    """Names and attributes that a statement assigns to."""
    targets: list[ast.expr] = []
    if isinstance(node, ast.Assign):
        targets = node.targets
    elif isinstance(node, ast.AugAssign):
        targets = [node.target]
    parts = [part for target in targets for part in ast.walk(target)]
    return {part.attr for part in parts if isinstance(part, ast.Attribute)} | {
        part.id for part in parts if isinstance(part, ast.Name)
    }

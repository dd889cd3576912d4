"""Which line of the code computes a number."""

from __future__ import annotations

import ast
import functools
import inspect
import textwrap
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from chainrule.activation import Activation
from chainrule.explain.expression import Name
from chainrule.layer import Layer

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
        The statement that begins there, in one line.
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
    if activation is not None and (field in ("a", "d_z") or _is_learned_by(activation, field)):
        return _in_activation(type(activation), field)
    kind, training = type(place.layer), place.trace.training
    if field.startswith("d_"):
        target = "" if field == f"d_{place.input}" else field
        return _line(kind.backprop, target, training) or _in_helper(kind, target, training)
    target = "" if field == place.output else field
    return _line(kind.feedforward, target, training) or _in_helper(kind, target, training)


def _is_learned_by(activation: Activation, field: str) -> bool:
    """Whether this is the gradient of a parameter of the activation: ``"d_slope"``."""
    return field.startswith("d_") and hasattr(type(activation), field.removeprefix("d_"))


def _in_activation(kind: type[Activation], field: str) -> Source | None:
    if field == "a":
        return _line(kind.value, "")
    own_way = kind.backprop is not Activation.backprop
    if field == "d_z" and not (own_way and "derivative" not in vars(kind)):
        return _line(kind.derivative, "")
    return _line(kind.backprop, "" if field == "d_z" else field)


def _in_helper(kind: type[Layer], target: str, training: bool) -> Source | None:
    """Find what another method of the layer leaves in the trace; else the end of the pass."""
    for name, method in inspect.getmembers(kind, inspect.isfunction):
        if name not in ("feedforward", "backprop"):
            found = _line(method, f"trace.{target}", training)
            if found is not None:
                return found
    return _line(kind.backprop if target.startswith("d_") else kind.feedforward, "", training)


@functools.cache
def _line(method: Callable[..., Any], target: str | None, training: bool = True) -> Source | None:
    """Find the statement of a method that computes something.

    Parameters
    ----------
    method : callable
    target : str or None
        What it assigns to, ``"z"``, or only as a part of the trace, ``"trace.z"``; "": what it
        returns; None: where it begins.
    training : bool
        Which branch is taken where the code asks ``trace.training``.

    Returns
    -------
    Source or None
        None without such a statement, and where there is no source text.
    """
    method = inspect.unwrap(method)
    try:
        lines, first = inspect.getsourcelines(method)
        file = inspect.getsourcefile(method)
        function = ast.parse(textwrap.dedent("".join(lines))).body[0]
    except (OSError, TypeError, SyntaxError):
        return None
    if not isinstance(function, ast.FunctionDef):  # a lambda
        return None
    if target is None:
        beginning = f"def {function.name}"
        return Source(str(file), first + function.lineno - 1, beginning, method.__qualname__)
    chosen = _chosen(list(_run(function.body, training)), target)
    if chosen is None:
        return None
    found = lines[chosen.lineno - 1 : chosen.end_lineno]
    code = " ".join(line.strip() for line in found)
    return Source(str(file), first + chosen.lineno - 1, code, method.__qualname__)


def _chosen(statements: list[ast.stmt], target: str) -> ast.stmt | None:
    """Choose the statement that says most about how the target comes about."""
    if target:
        filling = [node for node in statements if target in _filled(node)]
        assigning = [node for node in statements if target in _targets(node)]
        return next(iter(filling + assigning), None)
    returning = [node for node in statements if isinstance(node, ast.Return)]
    if not returning:
        return None
    last = returning[-1]
    if isinstance(last.value, ast.Name):  # "return z": where z comes from says more
        assigning = [node for node in statements if last.value.id in _targets(node)]
        return assigning[0] if len(assigning) == 1 else last
    return last


def _run(body: list[ast.stmt], training: bool) -> Iterator[ast.stmt]:
    """Walk through the statements that are run, in order, up to a return that is always reached."""
    for node in body:
        yield node
        if isinstance(node, ast.Return):
            return
        if isinstance(node, ast.If):
            taken = _known(node.test, training)
            for branch, is_taken in ((node.body, True), (node.orelse, False)):
                if taken in (None, is_taken):
                    yield from _run(branch, training)
                if taken is is_taken and branch and isinstance(branch[-1], ast.Return):
                    return
        elif isinstance(node, ast.For | ast.While | ast.With | ast.Try):
            yield from _run(node.body, training)


def _known(test: ast.expr, training: bool) -> bool | None:
    """What a condition on the trace is in an explanation; None for others."""
    match test:
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            known = _known(operand, training)
            return None if known is None else not known
        case ast.Attribute(value=ast.Name(id="trace"), attr="training"):
            return training
        case ast.Attribute(value=ast.Name(id="trace"), attr="needs_d_x"):
            return True
    return None


def _targets(node: ast.stmt) -> set[str]:
    """Names and attributes that a statement assigns to: ``{"z", "trace.x", "x"}``."""
    targets: list[ast.expr] = []
    if isinstance(node, ast.Assign):
        targets = node.targets
    elif isinstance(node, ast.AugAssign | ast.AnnAssign):
        targets = [node.target]
    return {name for target in targets for name in _names(target)}


def _filled(node: ast.stmt) -> set[str]:
    """What a call is told to write into: ``d_kernel(..., out=trace.d_weights)``."""
    if not (isinstance(node, ast.Expr) and isinstance(node.value, ast.Call)):
        return set()
    outs = [keyword.value for keyword in node.value.keywords if keyword.arg == "out"]
    return {name for out in outs for name in _names(out)}


def _names(expression: ast.expr) -> Iterator[str]:
    for part in ast.walk(expression):
        if isinstance(part, ast.Name):
            yield part.id
        elif isinstance(part, ast.Attribute):
            yield part.attr
            yield ast.unparse(part)

"""Where a program reports a number: prints it, keeps it in a list, or gives it a name."""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass

from chainrule.checker.instrument import Place

# Numbers that are reported beside a loss, and need not be what training makes smaller.
_METRIC = re.compile(
    r"acc|score|r2|r_2|mae|mean_abs|likelihood|log_?lik|vraisem|verosim|verossim|norm|grad|pred|prob|predic|output|reward|precis"
    r"|recall|f1|corr|genau|exact|learning_rate|\blr\b|dist",
    re.I,
)
_LOSS = re.compile(
    r"loss|cost|err|\btotal\b|mse|sse|rmse|entropy|\bE\b|\bJ\b|\bL\b|\bC\b|verlust|fehler|kosten|pert|erreur"
    r"|co[uû]t|cout|costo|p[eé]rd|perd|custo|erro|hata|kay[iı]p|strat|koszt|b[lł][aą]d|f[oö]rlust"
    r"|kostnad|fel\b|损失|誤差|損失|误差|代价|потер|ошиб|oshib|poter|sunshi|wucha|gosa|sonshitsu"
    r"|chyba|ztr[aá]t|hiba|virhe|tapaus|fout|verlies|sai_so|mat_mat|galat|kerugian",
    re.I,
)
# Names, too, that say a number was only turned into another form.
_SAME_NUMBER = ("round", "around", "float", "float64", "str", "asarray")
_FIELD = re.compile(r"%[-+ #0-9.*]*[a-zA-Z]|\{[^{}]*\}")
_SHOWING = ("print", "append", "format", "write", "info", "debug", "log", "add_scalar", "extend")


@dataclass(frozen=True)
class Report:
    """How a number is reported.

    Attributes
    ----------
    line : int
    is_loss : bool
        Printed, kept in a list or called a loss; and not called anything else.
    adds_up : bool
        It is added to a total, or taken from it.
    sign : float
        -1 where it is taken from a total, as in ``loss -= y * np.log(a)``; else 1.
    """

    line: int
    is_loss: bool
    adds_up: bool
    sign: float = 1.0


def report_of(places: list[Place], number: int) -> Report | None:
    """Say how the expression of a place is reported, None where it is only used."""
    place = places[number]
    node, parent = place.node, place.parent
    shown, names = False, ""
    label = _label(places, node, parent)
    if label is not None:
        shown, names = True, label
    elif isinstance(parent, ast.Call) and _called(parent) in _SAME_NUMBER and node in parent.args:
        outer = next((other.number for other in places if other.node is parent), None)
        return None if outer is None else report_of(places, outer)
    elif isinstance(parent, ast.Call) and node in parent.args:
        if _called(parent) not in _SHOWING:
            return None
        shown = True
        texts = [
            part.value
            for argument in parent.args
            for part in ast.walk(argument)
            if isinstance(part, ast.Constant) and isinstance(part.value, str)
        ]
        names = " ".join([ast.unparse(parent.func), *texts])
    elif isinstance(parent, ast.Assign):
        names = " ".join(ast.unparse(target) for target in parent.targets)
    elif isinstance(parent, ast.AugAssign | ast.AnnAssign) and parent.value is node:
        names = ast.unparse(parent.target)
        shown = isinstance(parent, ast.AugAssign) and _is_shown(places, names)
    else:
        return None
    words = f"{names} {ast.unparse(node) if isinstance(node, ast.Name | ast.Attribute) else ''}"
    is_named = bool(_LOSS.search(f"{words} {place.scope.rpartition('.')[2]}"))
    is_loss = (shown or is_named) and not _METRIC.search(words)
    adds_up = isinstance(parent, ast.AugAssign)
    is_taken = isinstance(parent, ast.AugAssign) and isinstance(parent.op, ast.Sub)
    return Report(place.line, is_loss, adds_up, -1.0 if is_taken else 1.0)


def _is_shown(places: list[Place], name: str) -> bool:
    """Whether a running total is printed, as it is or as a mean."""
    shown = (place for place in places if place.text == name and place.kind != "AugAssign")
    wholes = (
        next((other for other in places if other.node is place.parent), place)
        if isinstance(place.parent, ast.BinOp) and isinstance(place.parent.op, ast.Div)
        else place
        for place in shown
    )
    reports = (report_of(places, whole.number) for whole in wholes)
    return any(report is not None and report.is_loss for report in reports)


def _called(call: ast.Call) -> str:
    """The last name of what is called."""
    return call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")


def _label(places: list[Place], node: ast.AST, parent: ast.AST | None) -> str | None:
    """The words before a number in the text that it is written into; None where it is not."""
    if isinstance(parent, ast.FormattedValue):
        return _label_in_f_string(places, parent)
    position, text = 0, parent
    if isinstance(parent, ast.Tuple):
        position = next(at for at, part in enumerate(parent.elts) if part is node)
        text = next((p.node for p in places if getattr(p.node, "right", None) is parent), None)
    if isinstance(text, ast.Call) and _called(text) == "format" and node in text.args:
        position, text = text.args.index(node), getattr(text.func, "value", None)
    elif isinstance(text, ast.BinOp) and isinstance(text.op, ast.Mod) and text.left is not node:
        text = text.left
    else:
        return None
    if not isinstance(text, ast.Constant) or not isinstance(text.value, str):
        return None
    pieces = _FIELD.split(text.value)
    return pieces[position] if position < len(pieces) else ""


def _label_in_f_string(places: list[Place], field: ast.FormattedValue) -> str:
    strings = (
        child
        for place in places
        for child in ast.iter_child_nodes(place.node)
        if isinstance(child, ast.JoinedStr)
    )
    whole = next((one.values for one in strings if field in one.values), [field])
    before = whole[: whole.index(field)][-1:]
    return str(before[0].value) if before and isinstance(before[0], ast.Constant) else ""

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
    if isinstance(parent, ast.FormattedValue):
        shown = True
    elif isinstance(parent, ast.Call) and node in parent.args:
        called = parent.func
        name = called.attr if isinstance(called, ast.Attribute) else getattr(called, "id", "")
        if name not in _SHOWING:
            return None
        shown = True
        texts = [
            part.value
            for argument in parent.args
            for part in ast.walk(argument)
            if isinstance(part, ast.Constant) and isinstance(part.value, str)
        ]
        names = " ".join([ast.unparse(called), *texts])
    elif isinstance(parent, ast.Assign):
        names = " ".join(ast.unparse(target) for target in parent.targets)
    elif isinstance(parent, ast.AugAssign | ast.AnnAssign) and parent.value is node:
        names = ast.unparse(parent.target)
    else:
        return None
    words = f"{names} {ast.unparse(node) if isinstance(node, ast.Name | ast.Attribute) else ''}"
    is_named = bool(_LOSS.search(f"{words} {place.scope.rpartition('.')[2]}"))
    is_loss = (shown or is_named) and not _METRIC.search(words)
    adds_up = isinstance(parent, ast.AugAssign)
    is_taken = isinstance(parent, ast.AugAssign) and isinstance(parent.op, ast.Sub)
    return Report(place.line, is_loss, adds_up, -1.0 if is_taken else 1.0)

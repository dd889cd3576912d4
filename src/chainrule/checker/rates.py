"""Where the learning rate stands in a learner's file."""

from __future__ import annotations

import ast
import re

from chainrule.checker.judged import Judged
from chainrule.checker.source import Source

_CALLED = re.compile(
    r"^lr$|^eta$|^alpha$|^eps(ilon)?$|(^|_)rate|rate$|lern|taux|tas[ao]|taxa|^pas$|paso|step_?size"
    r"|skorost|tempo|^takt$|krok|xuexi|学习|学習",
    re.IGNORECASE,
)
_SAID = re.compile(r"#.*(learning|step)[ -]?(rate|size)", re.IGNORECASE)


def rate_line(source: Source, judged: list[Judged]) -> int | None:
    """The line of the number that, times the scale of the loss, is the step that was taken."""
    tree = source.parse()
    constants = [
        node
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant)
        and isinstance(node.value, int | float)
        and not isinstance(node.value, bool)
        and node.value
    ]
    if judged:
        scale, rows = abs(judged[0].explanation.scale), judged[0].batch.rows()
        for factor in (1, 2, 1 / rows, 2 / rows, 0.5):
            for constant in constants:
                value = constant.value
                assert isinstance(value, int | float)  # noqa: S101 - chosen so above
                if abs(value * factor / scale - 1) < 1e-6 and value not in (1, 2):
                    return constant.lineno
    for constant in constants:
        if _SAID.search(source.line(constant.lineno)):
            return constant.lineno
    for node in ast.walk(tree):
        named = isinstance(node, ast.keyword | ast.arg) and _CALLED.search(str(node.arg))
        targets: list[ast.expr] = list(node.targets) if isinstance(node, ast.Assign) else []
        targets += [inner for t in targets if isinstance(t, ast.Tuple) for inner in t.elts]
        if named or any(
            isinstance(target, ast.Name) and _CALLED.search(target.id) for target in targets
        ):
            assert isinstance(node, ast.keyword | ast.arg | ast.Assign)  # noqa: S101 - as asked
            return node.lineno
    return None

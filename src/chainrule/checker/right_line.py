"""The line as it should be, in the learner's own names.

What the learner calls each quantity is known from the run: the name that had its value. With those
names the right expression is written, and put where the wrong one stands.
"""

from __future__ import annotations

import ast
import re

from chainrule.checker.evidence import Evidence, spoken
from chainrule.checker.functions import KNOWN
from chainrule.checker.instrument import Place
from chainrule.checker.judged import Judged
from chainrule.checker.lines import Spot
from chainrule.checker.slips import Slip
from chainrule.checker.source import Source
from chainrule.layer import Array

_NAMES = ("Name", "Attribute", "Subscript")


def right_line(
    source: Source, evidence: Evidence, judged: Judged, slip: Slip, spot: Spot
) -> str | None:
    """Compose it, or return None where the learner's names do not suffice."""
    if spot.place is None:
        return None
    names = Names(evidence, judged, spot.place.scope)
    if slip.cause == "sign_turned":
        return _other_sign(source, spot.place)
    if slip.cause == "early_update":
        return f"{source.line(spot.line)}  # only after the delta of layer {slip.layer + 1}"
    if slip.cause == "factor_mismatch":
        return _other_factor(source, spot.place, slip, names, judged)
    if slip.cause.endswith("derivative_missing"):
        slope = names.slope(slip.layer)
        return None if slope is None else _times(source, spot, slope)
    if slip.cause in (
        "sigmoid_prime_on_activation_twice",
        "sigmoid_prime_of_z_as_a",
        "other_activation_derivative",
        "softmax_elementwise",
    ):
        return _right_slope(source, spot, slip, names)
    if slip.cause in ("bias_gradient_axis", "bias_gradient_not_summed"):
        return _replaced(source, spot.place, names.summed(slip.layer))
    if slip.cause == "bias_never_updated":
        return names.bias_update(slip.layer)
    if slip.cause in ("wrong_layer_error", "transposed", "summed_weights"):
        return _replaced(source, spot.place, names.passed_back(slip.layer))
    if slip.cause == "forward_through_z" and slip.layer:
        done = judged.batch
        return _swapped(
            source, spot, names.of(done.z[slip.layer - 1]), names.of(done.a[slip.layer - 1])
        )
    return None


class Names:
    """What the learner calls things, in one function.

    Parameters
    ----------
    evidence, judged
        The run, and the step that is talked about.
    scope : str
        The function; names of other functions mean nothing there.
    """

    def __init__(self, evidence: Evidence, judged: Judged, scope: str) -> None:
        self.evidence = evidence
        self.judged = judged
        self.scope = scope

    def of(self, value: Array) -> str | None:
        """The shortest name that had this value."""
        begin, end = self.judged.step.begin, self.judged.step.end
        if len(self.judged.parts) > 1 and len(value) == self.judged.batch.rows():
            value = value[-self.judged.parts[-1].rows() :]
        found = self.evidence.find(value, begin, end)
        here = [s for s in found if s.place.kind in _NAMES and s.place.scope == self.scope]
        anywhere = [
            s
            for s in found
            if s.place.kind in _NAMES and s.place.text.startswith("self.") and "self" in self.scope
        ]
        texts = {spoken(s.place.text) for s in here or anywhere}
        texts = {text for text in texts if not text.endswith(".T")} or texts
        return min(texts, key=lambda text: (len(text), text)) if texts else None

    def slope(self, layer: int) -> str | None:
        """f'(z) of a layer, as the learner would write it."""
        judged = self.judged
        known = KNOWN[judged.network.layers[layer].activation]
        a, z = self.of(judged.batch.a[layer]), self.of(judged.batch.z[layer])
        written = self._as_elsewhere(layer, a, z)
        if written:
            return written
        if a and known.by_output_text:
            return re.sub(r"\ba\b", a, known.by_output_text)
        return re.sub(r"\bz\b", z, known.slope_text) if z and known.slope_text else None

    def _as_elsewhere(self, layer: int, a: str | None, z: str | None) -> str | None:
        """The call that gives another layer's derivative, with this layer's argument."""
        judged = self.judged
        activation = judged.network.layers[layer].activation
        for other, found_layer in enumerate(judged.network.layers):
            if found_layer.activation != activation:
                continue
            slope = KNOWN[activation].slope(judged.batch.z[other])
            for s in self.evidence.find(slope, judged.step.begin, judged.step.end):
                node = s.place.node
                if not isinstance(node, ast.Call) or not node.args:
                    continue
                argument = ast.unparse(node.args[0])
                of_a = self.of(judged.batch.a[other]) == argument
                name = a if of_a else z
                if name:
                    rest = [ast.unparse(other_argument) for other_argument in node.args[1:]]
                    rest += [ast.unparse(keyword) for keyword in node.keywords]
                    return f"{ast.unparse(node.func)}({', '.join([name, *rest])})"
        return None

    def delta(self, layer: int) -> str | None:
        """The name of a layer's δ, whatever its sign and scale."""
        judged = self.judged
        value = judged.explanation.deltas[layer].delta
        if value.size < 3:
            return self.of(value)
        found = self.evidence.find(value, judged.step.begin, judged.step.end, scaled=True)
        texts = {
            spoken(s.place.text)
            for s in found
            if s.place.kind in _NAMES and s.place.scope == self.scope
        }
        texts = {text for text in texts if not text.endswith(".T")}
        return min(texts, key=lambda text: (len(text), text)) if texts else None

    def summed(self, layer: int) -> str | None:
        """Σ δ over the samples."""
        delta = self.delta(layer)
        axis = 1 if self.judged.network.columns else 0
        return f"np.sum({delta}, axis={axis}, keepdims=True)" if delta else None

    def passed_back(self, layer: int) -> str | None:
        """δ Wᵀ of the layer after."""
        delta = self.delta(layer + 1)
        weights = self.of(self.judged.batch.weights[layer + 1])
        if not delta or not weights:
            return None
        if self.judged.network.columns:
            return f"np.dot({weights}.T, {delta})"
        turned = self.judged.network.layers[layer + 1].turned
        return f"np.dot({delta}, {weights}{'' if turned else '.T'})"

    def bias_update(self, layer: int) -> str | None:
        """The statement that updates a bias."""
        bias = self.judged.batch.biases[layer]
        name = self.of(bias) if bias is not None else None
        gradient = self.summed(layer)
        if not name or not gradient:
            return None
        return f"{name} -= {abs(self.judged.explanation.scale):.3g} * {gradient}"

    def rows(self) -> str:
        """What the learner calls the number of samples."""
        rows = self.judged.batch.rows()
        begin, end = self.judged.step.begin, self.judged.step.end
        for event in range(begin, min(end, len(self.evidence.events))):
            place = self.evidence.place(event)
            value = self.evidence.value(event)
            if place.kind == "Name" and value.size == 1 and float(value.reshape(-1)[0]) == rows:
                return place.text
        return str(rows)


def _replaced(source: Source, place: Place, text: str | None) -> str | None:
    """The line of a place, with another text in the place."""
    if text is None or not isinstance(place.node, ast.expr):
        return None
    return _replaced_node(source, place.node, text)


def _replaced_node(source: Source, node: ast.expr, text: str) -> str | None:
    if node.end_lineno != node.lineno:
        return None
    line = source.lines[node.lineno - 1].encode()
    new = line[: node.col_offset] + text.encode() + line[node.end_col_offset :]
    return new.decode().strip()


def _times(source: Source, spot: Spot, factor: str) -> str | None:
    """The line, with its delta multiplied by a factor."""
    assert spot.place is not None  # noqa: S101 - asked before
    node, text = spot.place.node, spot.place.text
    if not spot.is_gradient:
        simple = isinstance(node, ast.Name | ast.Attribute | ast.Call | ast.Subscript)
        return _replaced(source, spot.place, f"{text if simple else f'({text})'} * {factor}")
    inner = _delta_in(node)
    if inner is None:
        return None
    return _replaced_node(source, inner, f"({ast.unparse(inner)}) * {factor}")


def _delta_in(node: ast.AST) -> ast.expr | None:
    """The factor of a product inputs.T @ delta that is not transposed."""
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.MatMult):
        pair = [node.left, node.right]
    elif isinstance(node, ast.Call) and len(node.args) == 2:
        pair = list(node.args)
    elif (
        isinstance(node, ast.Call) and len(node.args) == 1 and isinstance(node.func, ast.Attribute)
    ):
        pair = [node.func.value, node.args[0]]
    else:
        return None
    plain = [side for side in pair if not ast.unparse(side).endswith((".T", ".transpose()"))]
    return plain[0] if len(plain) == 1 else None


def _other_sign(source: Source, place: Place) -> str | None:
    node = place.node
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Sub):
        left, right = ast.unparse(node.left), ast.unparse(node.right)
        if isinstance(place.parent, ast.Assign) and not _is_plain(node.right):
            return _replaced(source, place, f"{left} + {right}")
        return _replaced(source, place, f"{right} - {left}")
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        return _replaced(source, place, f"{ast.unparse(node.left)} - {ast.unparse(node.right)}")
    line = source.line(place.line)
    for old, new in (("+=", "-="), ("-=", "+=")):
        if old in line:
            return line.replace(old, new, 1)
    return None


def _is_plain(node: ast.expr) -> bool:
    """Whether this is a name, not a product of a learning rate and a gradient."""
    return isinstance(node, ast.Name | ast.Attribute | ast.Subscript | ast.Call)


def _other_factor(
    source: Source, place: Place, slip: Slip, names: Names, judged: Judged
) -> str | None:
    factor = slip.detail.partition(" ")[2]
    rows = names.rows()
    inverse = {
        "n": f" / {rows}",
        "1/n": f" * {rows}",
        "2": " / 2",
        "1/2": " * 2",
        "2n": f" / (2 * {rows})",
        "2/n": f" * {rows} / 2",
        "1/(2n)": f" * 2 * {rows}",
        "n/2": f" * 2 / {rows}",
    }.get(factor)
    node = place.node
    if inverse is None or not isinstance(node, ast.expr):
        return None
    simple = isinstance(node, ast.Call | ast.Name | ast.Attribute)
    return _replaced(source, place, (place.text if simple else f"({place.text})") + inverse)


def _right_slope(source: Source, spot: Spot, slip: Slip, names: Names) -> str | None:
    assert spot.place is not None  # noqa: S101 - asked before
    if isinstance(spot.place.parent, ast.Return):
        parameter = _only_name(spot.place.node)
        known = KNOWN[names.judged.network.layers[slip.layer].activation]
        if parameter and known.by_output_text:
            text = re.sub(r"\ba\b", parameter, known.by_output_text)
            return _replaced(source, spot.place, text)
        return None
    slope = names.slope(slip.layer)
    if slope and slope == spoken(spot.place.text):
        return None
    return _replaced(source, spot.place, slope) if slope else None


def _only_name(node: ast.AST) -> str | None:
    """The one variable of an expression, not counting functions and modules."""
    called = {id(inner.func) for inner in ast.walk(node) if isinstance(inner, ast.Call)}
    modules = {id(inner.value) for inner in ast.walk(node) if isinstance(inner, ast.Attribute)}
    names = {
        inner.id
        for inner in ast.walk(node)
        if isinstance(inner, ast.Name) and id(inner) not in called | modules
    }
    return names.pop() if len(names) == 1 else None


def _swapped(source: Source, spot: Spot, old: str | None, new: str | None) -> str | None:
    line = source.line(spot.line)
    if not old or not new or old not in line:
        return None
    return re.sub(rf"(?<![\w.]){re.escape(old)}(?!\w)", new, line, count=1)

"""A right line is told when the file with it was run and its steps were right, and only then."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest
from checker.cases import STYLES

from chainrule.checker import Verdict, check_source, mending
from chainrule.checker.repairs import Edit, Repair
from chainrule.checker.scene import Scene
from chainrule.checker.source import Source

TRIED = "Tried: the file with that change was run"


@dataclass(frozen=True)
class Mend:
    """An edit that breaks a style, and the line that mends it again."""

    style: str
    cause: str
    old: str
    new: str
    right: str
    line: str = ""  # the line that is pointed at; empty: the new one

    @property
    def text(self) -> str:
        """The broken program."""
        text = (STYLES / f"{self.style}.txt").read_text(encoding="utf-8")
        assert text.count(self.old) == 1
        return text.replace(self.old, self.new)

    @property
    def number(self) -> int:
        """The line that should be pointed at, from 1."""
        lines = [line.strip() for line in self.text.splitlines()]
        return lines.index(self.line or self.new.strip()) + 1


MENDS = [
    Mend(
        "script_two_layers",
        "hidden_derivative_missing",
        "l1_delta = l1_error * nonlin(l1, deriv=True)",
        "l1_delta = l1_error",
        "l1_delta = l1_error * nonlin(l1, deriv=True)",
    ),
    Mend(
        "script_two_layers",
        "sign_turned",
        "l2_error = y - l2\n",
        "l2_error = l2 - y\n",
        "l2_error = y - l2",
    ),
    Mend(
        "script_two_layers",
        "summed_weights",
        "l1_error = l2_delta.dot(syn1.T)",
        "l1_error = l2_delta * syn1.sum()",
        "l1_error = np.dot(l2_delta, syn1.T)",
    ),
    Mend(
        "columns_dict",
        "factor_mismatch",
        "dW1 = np.dot(dZ1, X.T) / m",
        "dW1 = np.dot(dZ1, X.T)",
        "dW1 = np.dot(dZ1, X.T) / m",
    ),
    Mend(
        "columns_dict",
        "factor_mismatch",
        "db2 = np.sum(dZ2, axis=1, keepdims=True) / m",
        "db2 = 2 * np.sum(dZ2, axis=1, keepdims=True) / m",
        "db2 = np.sum(dZ2, axis=1, keepdims=True) / m",
    ),
    Mend(
        "columns_dict",
        "bias_gradient_axis",
        "db1 = np.sum(dZ1, axis=1, keepdims=True) / m",
        "db1 = np.sum(dZ1) / m",
        "db1 = np.sum(dZ1, axis=1, keepdims=True) / m",
    ),
    Mend(
        "columns_dict",
        "other_activation_derivative",
        "dZ1 = np.dot(W2.T, dZ2) * (1 - np.power(A1, 2))",
        "dZ1 = np.dot(W2.T, dZ2) * A1 * (1 - A1)",
        "dZ1 = np.dot(W2.T, dZ2) * (1 - A1 ** 2)",
    ),
]


@pytest.mark.sweep(sample=4)
@pytest.mark.parametrize("mend", MENDS, ids=[f"{m.style}-{m.cause}-{m.number}" for m in MENDS])
def test_the_mended_line_is_run_and_told(mend: Mend) -> None:
    verdict = check_source(Source(Path("network.py"), mend.text))
    assert (verdict.cause, verdict.line) == (mend.cause, mend.number), verdict.message
    assert verdict.right_line == mend.right
    assert TRIED in verdict.message


def broken(style: str, old: str, new: str) -> Verdict:
    """The answer to a style with an edit."""
    text = (STYLES / f"{style}.txt").read_text(encoding="utf-8")
    assert text.count(old) == 1
    return check_source(Source(Path("network.py"), text.replace(old, new)))


def test_an_update_that_is_missing_belongs_after_another() -> None:
    old = '    b1 = parameters["b1"] - learning_rate * grads["db1"]\n'
    verdict = broken("columns_dict", old, '    b1 = parameters["b1"]\n')
    assert verdict.cause == "bias_never_updated"
    assert verdict.line is not None


def test_where_the_update_is_early_it_is_said_where_it_belongs() -> None:
    old = "    l1_error = l2_delta.dot(syn1.T)\n"
    new = "    syn1 += l1.T.dot(l2_delta)\n    l1_error = l2_delta.dot(syn1.T)\n"
    text = (STYLES / "script_two_layers.txt").read_text(encoding="utf-8")
    text = text.replace("    syn1 += l1.T.dot(l2_delta)\n", "").replace(old, new)
    verdict = check_source(Source(Path("network.py"), text))
    assert (verdict.cause, verdict.line) == ("early_update", 27)
    assert verdict.right_line == "syn1 += l1.T.dot(l2_delta)  # only after the delta of layer 1"
    assert TRIED in verdict.message


def test_a_line_that_does_not_prove_right_is_not_told(monkeypatch: pytest.MonkeyPatch) -> None:
    def nonsense(scene: Scene) -> list[Repair]:
        start = scene.source.text.index("l1_error\n")
        return [Repair(28, (Edit(start, start + 8, "l1_error * 3"),))]

    monkeypatch.setitem(
        mending.PROPOSALS, "hidden_derivative_missing", lambda scene: iter(nonsense(scene))
    )
    verdict = broken(
        "script_two_layers",
        "l1_delta = l1_error * nonlin(l1, deriv=True)\n",
        "l1_delta = l1_error\n",
    )
    assert (verdict.cause, verdict.line, verdict.right_line) == (
        "hidden_derivative_missing", 28, None,
    )  # fmt: skip
    assert "Tried" not in verdict.message
    assert "It should be" not in verdict.message


def test_two_layers_with_one_mistake_are_mended_together() -> None:
    text = (STYLES / "script_two_layers.txt").read_text(encoding="utf-8")
    text = text.replace("nonlin(l2, deriv=True)", "(1 - l2 ** 2)")
    text = text.replace("nonlin(l1, deriv=True)", "(1 - l1 ** 2)")
    verdict = check_source(Source(Path("network.py"), text))
    assert verdict.cause == "other_activation_derivative"
    assert TRIED in verdict.message
    assert "And line " in verdict.message

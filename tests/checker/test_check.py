"""Networks that people write, right and broken by one edit."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from checker.cases import BROKEN, STYLES, Broken

import chainrule as cr
from chainrule.checker import check_source
from chainrule.checker.source import Source

STYLE_NAMES = sorted(path.stem for path in STYLES.glob("*.txt"))


@pytest.mark.sweep(sample=5)
@pytest.mark.parametrize("style", STYLE_NAMES)
def test_a_correct_network_is_correct(style: str) -> None:
    path = STYLES / f"{style}.txt"
    verdict = check_source(Source(path, path.read_text(encoding="utf-8")))
    assert verdict.verdict == "correct", verdict.message


@pytest.mark.sweep(sample=12)
@pytest.mark.parametrize("broken", BROKEN, ids=[broken.name for broken in BROKEN])
def test_a_broken_network_is_wrong_for_the_right_reason(broken: Broken) -> None:
    verdict = check_source(Source(Path("network.py"), broken.source))
    assert (verdict.verdict, verdict.cause) == ("wrong", broken.cause), verdict.message


@pytest.mark.sweep(sample=4)
@pytest.mark.parametrize(
    ("style", "old", "new", "right"),
    [
        (
            "script_two_layers",
            "l2_error = y - l2\n",
            "l2_error = l2 - y\n",
            "l2_error = y - l2",
        ),
        (
            "script_two_layers",
            "l1_delta = l1_error * nonlin(l1, deriv=True)",
            "l1_delta = l1_error",
            "l1_delta = l1_error * nonlin(l1, deriv=True)",
        ),
        (
            "columns_dict",
            "dW1 = np.dot(dZ1, X.T) / m",
            "dW1 = np.dot(dZ1, X.T)",
            "dW1 = np.dot(dZ1, X.T) / m",
        ),
        (
            "columns_dict",
            "dZ2 = A2 - Y",
            "dZ2 = Y - A2",
            "dZ2 = A2 - Y",
        ),
    ],
)
def test_the_right_line_is_in_the_learners_names(
    style: str, old: str, new: str, right: str
) -> None:
    text = (STYLES / f"{style}.txt").read_text(encoding="utf-8").replace(old, new)
    assert check_source(Source(Path("network.py"), text)).right_line == right


def test_from_python_and_from_the_command_line(tmp_path: Path) -> None:
    path = tmp_path / "network.py"
    text = (STYLES / "truth_table_class.txt").read_text(encoding="utf-8")
    path.write_text(text.replace("self.weights1 += ", "self.weights1 -= "), encoding="utf-8")
    verdict = cr.check(path)
    run = subprocess.run(
        [sys.executable, "-c", "from chainrule.cli import main; main()", "check", path, "--json"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 1
    assert json.loads(run.stdout) == json.loads(verdict.to_json())
    assert list(json.loads(run.stdout)) == [
        "verdict", "cause", "layer", "line", "right_line", "convention", "message",
    ]  # fmt: skip
    assert (verdict.cause, verdict.layer, verdict.line) == ("sign_turned", 1, 24)

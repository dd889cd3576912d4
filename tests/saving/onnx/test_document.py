"""The Python in docs/onnx.md is run, so that it stays true, and its table is complete."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from chainrule.saving.onnx import load, operators

DOCUMENT = Path(__file__).parents[3] / "docs" / "onnx.md"


def test_the_examples(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    examples = re.findall(r"```python\n(.*?)```", DOCUMENT.read_text("utf-8"), re.DOTALL)
    exec("\n".join(examples), {})  # noqa: S102 - our own document
    assert sorted(path.name for path in tmp_path.iterdir()) == ["iris.onnx", "net.onnx"]


def test_every_operator_that_is_read_is_listed() -> None:
    assert load.READERS
    named = set(re.findall(r"\w+", DOCUMENT.read_text("utf-8")))
    known = {name for name in operators.READS if "." not in name}
    told_in_general = {"Exp", "Sub", "Div", "Mul", "Upsample"}
    assert known - named <= told_in_general

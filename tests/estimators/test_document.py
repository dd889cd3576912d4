"""The Python in docs/estimators.md is run, so that it stays true; every parameter stands there."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import sklearn.neural_network

import chainrule as cr

DOCUMENT = (Path(__file__).parents[2] / "docs" / "estimators.md").read_text("utf-8")


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_the_examples(capsys: pytest.CaptureFixture[str]) -> None:
    names: dict[str, Any] = {}
    for example in re.findall(r"```python\n(.*?)```", DOCUMENT, re.DOTALL):
        exec(example, names)  # noqa: S102 - our own document
    score, best, *_ = capsys.readouterr().out.split("\n")
    assert float(score) > 0.95
    assert float(best.split()[0]) > 0.9


def test_every_parameter_that_is_more_is_told() -> None:
    theirs = set(sklearn.neural_network.MLPClassifier().get_params())
    for name in set(cr.MLPClassifier().get_params()) - theirs:
        assert f"{name}=" in DOCUMENT

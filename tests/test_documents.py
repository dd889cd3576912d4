"""The Python in README.md and CONTRIBUTING.md is run, so that it stays true."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
import pytest

import chainrule as cr
from chainrule.checker import check_source
from chainrule.checker.source import Source

ROOT = Path(__file__).parent.parent
CONTEXT = """
import numpy as np
from chainrule import Activation, Layer, Parameter, Trace, checks
from chainrule.activations import _sigmoid, _softplus
from chainrule.layer import Array, Shape
"""


def python_in(name: str) -> list[str]:
    """Return the fenced blocks of Python."""
    return re.findall(r"```python\n(.*?)```", (ROOT / name).read_text("utf-8"), re.DOTALL)


def test_the_ten_lines_of_the_readme(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    mpl.use("Agg")
    ten_lines, every_number, why, not_learning, estimators, fast = python_in("README.md")
    names: dict[str, Any] = {}
    exec(ten_lines, names)  # noqa: S102 - our own README
    assert len(ten_lines.strip().splitlines()) == 10
    np.testing.assert_allclose(names["net"].predict(names["X"])[:, 0], [0, 1, 1, 0], atol=0.05)
    assert "[0. 1. 1. 0.]" in capsys.readouterr().out
    exec(every_number, names)  # noqa: S102
    assert names["trace"]["layer 1"].z.shape == (4, 4)
    exec(why, names)  # noqa: S102
    assert_shown(capsys.readouterr().out)
    exec(not_learning, names)  # noqa: S102
    printed = capsys.readouterr().out
    assert "nothing found" in printed
    assert "Update 300" in printed
    assert names["branch"].first_step == 300
    exec(estimators, names)  # noqa: S102
    assert names["classifier"].score(names["flowers"], names["species"]) > 0.9
    assert names["search"].best_score_ > 0.9
    assert "{'width': 16} NeuralNetwork(" in capsys.readouterr().out
    exec(fast, names)  # noqa: S102
    assert len(names["many"]) == 10
    assert "engine" in capsys.readouterr().out
    import matplotlib.pyplot as plt

    plt.close("all")


def test_the_answer_that_the_readme_shows_is_what_the_check_says() -> None:
    _, shown = re.findall(r"```text\n(.*?)```", (ROOT / "README.md").read_text("utf-8"), re.DOTALL)
    right = (ROOT / "tests/checker/styles/parameter_tuples.txt").read_text("utf-8")
    line = next(line for line in right.splitlines() if line.strip().startswith("eh = "))
    wrong = right.replace(line.strip(), "eh = e @ v.T")
    assert check_source(Source(Path("network.py"), wrong)).message == shown.strip()


def assert_shown(printed: str) -> None:
    """The lines that the README shows are printed so, but for the last digits of the numbers."""
    shown, _ = re.findall(r"```text\n(.*?)```", (ROOT / "README.md").read_text("utf-8"), re.DOTALL)
    number = r"-?\d+\.\d+"
    pattern = re.escape(re.sub(number, "NUMBER", shown)).replace("NUMBER", f"({number})")
    found = re.search(pattern, printed)
    assert found is not None
    numbers = [float(text) for text in re.findall(number, shown)]
    assert [float(text) for text in found.groups()] == pytest.approx(numbers, rel=0.01)


def test_the_activation_and_the_layer_of_the_contributing_guide() -> None:
    activation, layer = python_in("CONTRIBUTING.md")
    names: dict[str, Any] = {}
    exec(CONTEXT + activation + layer, names)  # noqa: S102 - our own guide
    net = cr.NeuralNetwork(
        cr.Dense(8, activation="warm_softplus"), names["Scale"](), cr.Dense(1), inputs=3
    )
    x = np.random.default_rng(0).normal(size=(5, 3))
    assert net.check_gradients(x, x[:, 0])


def test_every_path_that_a_document_names_is_there() -> None:
    for name in (
        "README.md",
        "CONTRIBUTING.md",
        "docs/architecture.md",
        "docs/explanation.md",
        "docs/results.md",
    ):
        page = ROOT / name
        for link in re.findall(r"\]\(([^)#]+)\)", page.read_text("utf-8")):
            if not link.startswith("http"):
                assert (page.parent / link).exists(), f"{name} names {link}"

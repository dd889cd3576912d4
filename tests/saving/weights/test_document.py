"""The Python in docs/weights.md is run, so that it stays true, and its lists are complete."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from saving.weights.files import KERAS, TORCH, channels_last, expected

from chainrule.saving.weights.keras_layers import READS

DOCUMENT = Path(__file__).parents[3] / "docs" / "weights.md"


def test_the_examples(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    shutil.copy(KERAS / "perceptron.keras", "model.keras")
    shutil.copy(KERAS / "functional.keras", "functional.keras")
    shutil.copy(TORCH / "images.safetensors", "model.safetensors")
    text = DOCUMENT.read_text("utf-8")
    sklearn, keras, functional, torch, names = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    found: dict[str, Any] = {}
    for example in (sklearn, keras):
        exec(example, found)  # noqa: S102 - our own document
    told = capsys.readouterr().out
    assert "∂L/∂" in told
    assert "Dense(5, activation='relu')" in told
    exec(functional, found)  # noqa: S102
    x, y = expected(KERAS, "functional")
    np.testing.assert_allclose(found["net"].predict(x), y, atol=1e-5)
    exec(torch, found)  # noqa: S102
    x, y = expected(TORCH, "images")
    np.testing.assert_allclose(found["net"].predict(channels_last(x)), y, atol=1e-5)
    exec(names, found)  # noqa: S102


def test_every_layer_of_keras_that_is_read_is_listed() -> None:
    named = set(re.findall(r"\w+", DOCUMENT.read_text("utf-8")))
    pools = {kind for kind in READS if "Pooling" in kind}
    assert set(READS) - named - pools == {"InputLayer"}


def test_nothing_of_this_is_loaded_before_it_is_used() -> None:
    program = (
        "import sys, chainrule as cr; cr.from_sklearn, cr.load_weights; "
        "print({'h5py', 'sklearn', 'onnx', 'torch', 'keras'} & set(sys.modules))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], check=True, capture_output=True, text=True
    )
    assert done.stdout == "set()\n"

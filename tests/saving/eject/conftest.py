from __future__ import annotations

import runpy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import chainrule as cr
from chainrule.layer import Array
from chainrule.saving.eject import to_python

Eject = Callable[..., Any]


@pytest.fixture
def eject(tmp_path: Path) -> Eject:
    """Eject a network and return an object of the module's class; its text is ``.source``."""

    def ejected(network: cr.NeuralNetwork) -> Any:
        path = to_python(network, tmp_path / "ejected.py")
        twin = runpy.run_path(str(path))["NeuralNetwork"]()
        twin.source = path.read_text("utf-8")
        return twin

    return ejected


@pytest.fixture
def compare(eject: Eject) -> Callable[[cr.NeuralNetwork, Array, Array], None]:
    """Train a network a little, eject it, and train both on: the same predictions and losses."""

    def compared(network: cr.NeuralNetwork, x: Array, y: Array, *, iterations: int = 50) -> None:
        settings: Any = {"batch_size": None, "progress": False}
        network.fit(x, y, epochs=3, **settings)
        twin = eject(network)
        np.testing.assert_allclose(twin.predict(x), network.predict(x), rtol=1e-12, atol=1e-12)
        losses = network.fit(x, y, epochs=iterations, **settings).losses
        scale = max(1.0, float(np.abs(losses).max()))
        np.testing.assert_allclose(twin.train(x, y, iterations), losses, rtol=0, atol=1e-9 * scale)
        np.testing.assert_allclose(twin.predict(x), network.predict(x), rtol=1e-8, atol=1e-8)

    return compared

"""Pictures are drawn into memory, and none stays open after its test."""

from __future__ import annotations

from collections.abc import Iterator

import matplotlib as mpl
import pytest
from matplotlib import pyplot as plt


@pytest.fixture(autouse=True)
def _no_screen_and_nothing_left_open() -> Iterator[None]:
    mpl.use("Agg")
    yield
    plt.close("all")

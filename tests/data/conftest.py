from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest


@pytest.fixture
def csv(tmp_path: Path) -> Callable[..., Path]:
    """Write text or bytes into a file and return its path."""

    def write(content: str | bytes, name: str = "table.csv") -> Path:
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return write


@pytest.fixture
def column() -> Callable[..., pd.Series]:
    """Make a column of text, as ``read_csv`` gives it."""

    def make(*values: str, name: str = "size") -> pd.Series:
        return pd.Series(list(values), name=name, dtype=str)

    return make

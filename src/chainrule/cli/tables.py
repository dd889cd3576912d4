"""Finding the table that a command line names: a CSV file, or one of scikit-learn's sets."""

from __future__ import annotations

import difflib
from pathlib import Path
from typing import TYPE_CHECKING

from chainrule.data import bundled
from chainrule.data.csv import read_csv
from chainrule.errors import UnreadableFile

if TYPE_CHECKING:
    import pandas as pd


def open_table(source: str) -> pd.DataFrame:
    """Read the CSV file, or load the bundled set, of that name.

    Raises
    ------
    UnreadableFile
        With the nearest bundled set, where there is no such file.
    """
    if source in bundled.NAMES:
        return bundled.load_table(source)
    path = Path(source)
    if not path.exists():
        nearest = difflib.get_close_matches(path.stem, bundled.NAMES, n=1, cutoff=0.7)
        hint = f" For scikit-learn's data set write {nearest[0]} alone." if nearest else ""
        raise UnreadableFile(
            f"There is no file {source}.{hint} Expected a CSV file, or one of the names "
            f"{', '.join(bundled.NAMES)}."
        )
    return read_csv(path)


def shadowed_file(source: str) -> str:
    """Say so where a bundled set is taken although a file has the same name; empty otherwise."""
    if source in bundled.NAMES and Path(source).exists():
        return f"Taking scikit-learn's data set {source}. For the file of that name: ./{source}"
    return ""

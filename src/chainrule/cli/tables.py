"""Opening the table that a command line names: a CSV file, or one of scikit-learn's sets."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from chainrule.cli.sources import TABLES, no_such_file, set_name
from chainrule.data import bundled
from chainrule.data.csv import read_csv

if TYPE_CHECKING:
    import pandas as pd


def open_table(source: str) -> pd.DataFrame:
    """Read the CSV file, or load the bundled set, of that name.

    Raises
    ------
    UnreadableFile
        With the nearest bundled set, where there is no such file.
    """
    name = set_name(source)
    if name in TABLES:
        return bundled.load_table(name.replace("-", "_"))
    path = Path(source)
    if not path.exists():
        raise no_such_file(source)
    return read_csv(path)

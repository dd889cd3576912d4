"""Reading CSV files. pandas does the parsing; what can be wrong with a file is told from here."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

from chainrule.errors import InvalidData, UnreadableFile, optional_package

if TYPE_CHECKING:
    import pandas as pd

_SEPARATORS = ",;\t|"
_DECIMAL_COMMA = r"^([-+]?\d*),(\d+(?:[eE][-+]?\d+)?)$"


def read_csv(path: str | Path) -> pd.DataFrame:
    """Read a table whose first line names the columns, leaving every cell the text it is.

    Columns may be separated by commas, semicolons, tabs or ``|``: whichever the first line holds
    most of. In files with semicolons a comma inside a number is a decimal point.

    Parameters
    ----------
    path : str or Path

    Returns
    -------
    DataFrame
        Text throughout: what is a number, a category or missing is for
        ``chainrule.data.columns`` to say, the same way each time. At least one row.

    Raises
    ------
    UnreadableFile
        When the file is absent, a folder, empty, or no table of text in UTF-8.
    InvalidData
        When two columns have the same name, or there are no rows below the names.
    """
    path = Path(path)
    separator = _separator(_first_line(path))
    pandas = optional_package("pandas", "Reading a CSV file")
    try:
        # The names are read as a row like all others: pandas would rename doubled ones silently.
        cells = pandas.read_csv(
            path,
            sep=separator,
            header=None,
            dtype=str,
            keep_default_na=False,
            skipinitialspace=True,
            encoding="utf-8-sig",
        )
    except UnicodeDecodeError as error:
        raise UnreadableFile(_not_utf8(path, error)) from error
    except pandas.errors.EmptyDataError as error:
        raise UnreadableFile(f"{path} holds nothing but empty lines.") from error
    except pandas.errors.ParserError as error:
        reason = str(error).rpartition("C error: ")[2].strip()
        raise UnreadableFile(
            f"{path} is not a regular table: {reason}. Expected a CSV file whose lines all have "
            "as many cells as the first, which names the columns."
        ) from error
    cells = cells.fillna("").apply(lambda column: column.str.strip())
    names = [name or f"column {n}" for n, name in enumerate(cells.iloc[0], start=1)]
    _refuse_doubled(path, names)
    table: pd.DataFrame = cells.iloc[1:].set_axis(names, axis="columns").reset_index(drop=True)
    if table.empty:
        raise InvalidData(
            f"{path} holds one line, which names the columns ({', '.join(names[:8])}), and no rows "
            "below it."
        )
    if separator == ";":
        table = table.replace(_DECIMAL_COMMA, r"\1.\2", regex=True)
    return table


def _first_line(path: Path) -> str:
    try:
        with path.open("rb") as file:
            start = file.read(65536)
    except FileNotFoundError as error:
        raise UnreadableFile(f"There is no file {path}.") from error
    except IsADirectoryError as error:
        raise UnreadableFile(f"{path} is a folder; expected a CSV file.") from error
    except OSError as error:
        raise UnreadableFile(f"{path} cannot be read: {error.strerror}.") from error
    if not start.strip():
        raise UnreadableFile(f"{path} is empty; expected a CSV file.")
    if start.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise UnreadableFile(
            f"{path} is text in UTF-16; expected UTF-8. Save it again as 'CSV UTF-8'."
        )
    if b"\0" in start:
        raise UnreadableFile(
            f"{path} is not a text file; expected a CSV file. From a spreadsheet, save the table "
            "as 'CSV UTF-8' first."
        )
    lines = re.split(r"[\r\n]+", start.decode("utf-8-sig", errors="replace").strip())
    return lines[0]


def _separator(line: str) -> str:
    outside_quotes = re.sub(r'"[^"]*"', "", line)
    return max(_SEPARATORS, key=outside_quotes.count)


def _not_utf8(path: Path, error: UnicodeDecodeError) -> str:
    return (
        f"{path} is not text in UTF-8 (byte 0x{error.object[error.start]:02x} does not belong "
        "there). If it is a table, save it again as 'CSV UTF-8'."
    )


def _refuse_doubled(path: Path, names: list[str]) -> None:
    name, count = Counter(names).most_common(1)[0]
    if count > 1:
        places = [str(n) for n, other in enumerate(names, start=1) if other == name]
        raise InvalidData(
            f"{path} has {count} columns called {name!r} (columns {', '.join(places)}); expected "
            "each name once. Rename or delete one of them."
        )

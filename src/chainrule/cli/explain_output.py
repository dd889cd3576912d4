"""Where an explanation is written: looked at before anything is computed."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from rich.console import Console

from chainrule.errors import InvalidSetting
from chainrule.explain.shown import Shown
from chainrule.files import check_writable

_FORMS = (".html", ".md", ".tex", ".txt")


def check_files(html: Path | None, output: Path | None, *, json: bool) -> list[Path]:
    """Check where the explanation is to go, before anything is computed."""
    files = []
    if html is not None:
        files.append(check_writable(html, suffixes=(".html",)))
    if output is not None:
        if output.suffix.lower() == ".json" and not json:
            raise InvalidSetting(
                f"{output} cannot be written: JSON holds a whole step. Leave out --weight and "
                "--general, or choose .html, .md, .tex or .txt."
            )
        suffixes = (*_FORMS, ".json") if json else _FORMS
        files.append(check_writable(output, suffixes=suffixes))
    return files


def refuse_overwriting(file: Path, sources: Sequence[str | Path | None]) -> None:
    """Keep what is read as it is: the model, the data, and images in a folder of them.

    Raises
    ------
    InvalidSetting
    """
    for source in [Path(source) for source in sources if source is not None]:
        inside = source.is_dir() and file.resolve().is_relative_to(source.resolve())
        if file.exists() and source.exists() and (inside or file.samefile(source)):
            raise InvalidSetting(f"{file} is a file to read; choose another name to write to.")


def write_files(out: Console, shown: Shown, files: Sequence[Path]) -> None:
    """Write an explanation to each of them, and say so."""
    for file in files:
        out.print(f"Explanation: {shown.save(file)}", soft_wrap=True)

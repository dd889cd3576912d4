"""What a command line names: a table, or images; a file, a folder, or a set with a name."""

from __future__ import annotations

import difflib
import re
from pathlib import Path
from typing import Literal, TypeAlias

from chainrule.data import bundled
from chainrule.errors import UnreadableFile

Kind: TypeAlias = Literal["table", "images"]

TABLES = tuple(name.replace("_", "-") for name in bundled.NAMES)
IMAGES = ("digits", "fashion-mnist", "mnist-5k")


def set_name(source: str) -> str | None:
    """Name of a set, with hyphens, however it was written; None where it is a path."""
    name = source.replace("_", "-")
    return name if name in TABLES or name in IMAGES else None


def kind_of(source: str, model: str | None) -> Kind:
    """Tell images from tables.

    Parameters
    ----------
    source : str
    model : str, optional
        What was asked for with ``--model``: digits are images for it, and a table without.

    Raises
    ------
    UnreadableFile
        When there is nothing of that name.
    """
    name = set_name(source)
    if name is not None:
        only_images = name not in TABLES
        return "images" if only_images or (model is not None and name in IMAGES) else "table"
    path = Path(source)
    if not path.exists():
        raise no_such_file(source)
    return "images" if path.is_dir() else "table"


def no_such_file(source: str) -> UnreadableFile:
    """Error for a path that leads nowhere, with the nearest set, if one is near."""
    known = sorted({*TABLES, *IMAGES})
    wanted = Path(source).stem.replace("_", "-")
    nearest = difflib.get_close_matches(wanted, known, n=1, cutoff=0.7)
    hint = ""
    if nearest:
        whose = "the" if nearest[0] not in TABLES else "scikit-learn's"
        hint = f" For {whose} data set write {nearest[0]} alone."
    return UnreadableFile(
        f"There is no file {source}.{hint} Expected a CSV file, a folder with one sub-folder of "
        f"images for each class, or one of the names {', '.join(known)}."
    )


def shadowed_file(source: str) -> str:
    """Say so where a set is taken although a file has the same name; empty otherwise."""
    name = set_name(source)
    if name is None or not Path(source).exists():
        return ""
    whose = "scikit-learn's" if name in TABLES else "the"
    what = "folder" if Path(source).is_dir() else "file"
    return f"Taking {whose} data set {name}. For the {what} of that name: ./{source}"


def file_stem(*parts: str) -> str:
    """What the files of a training are called: chainrule-penguins-species."""
    return re.sub(r"[^\w.-]+", "_", "-".join(["chainrule", *parts]))

"""``chainrule eject``: a trained network as Python source that needs NumPy alone."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated

import typer

from chainrule import saving
from chainrule.cli.image_model import ImageModel
from chainrule.cli.table_model import TableModel
from chainrule.cli.terminal import console
from chainrule.data.columns import NumberColumn, counted
from chainrule.data.preprocessing import Preprocessing
from chainrule.data.target import ClassTarget
from chainrule.errors import InvalidSetting
from chainrule.saving.eject import to_python


def eject(
    model: Annotated[
        Path, typer.Argument(metavar="MODEL", help="Made by chainrule train or saving.save.")
    ],
    output: Annotated[
        Path | None,
        typer.Option(metavar="FILE.py", help="Where the module goes; beside the model without it."),
    ] = None,
) -> None:
    """Write a network as a Python module to read: feedforward, backprop and training in NumPy."""
    saved = saving.load(model)
    if output is None:
        output = _beside(model)
    about = ""
    if "images" in saved.extra:
        about = about_images(ImageModel.from_saved(saved, model))
    elif "table" in saved.extra:
        about = about_table(TableModel.from_saved(saved, model).preprocessing)
    to_python(saved.network, output, about=about)
    out = console()
    lines = len(output.read_text("utf-8").splitlines())
    out.print(f"{counted(lines, 'line')} of Python: {output}", soft_wrap=True)
    numbers = output.with_name(f"{output.stem}_numbers.npz")
    if numbers.name in output.read_text("utf-8"):
        out.print(f"Its weights: {numbers}", soft_wrap=True)


def about_images(model: ImageModel) -> str:
    """What stands in the module's docstring about images and classes."""
    classes = ", ".join(f"{number} {name}" for number, name in enumerate(model.classes))
    return f"x holds images whose numbers go from 0 to 1, or bytes. The classes: {classes}."


def about_table(preprocessing: Preprocessing) -> str:
    """What stands in the module's docstring about the columns and the target."""
    inputs = []
    for column in preprocessing.columns:
        if isinstance(column, NumberColumn):
            steps = f" (less {column.mean:.6g}, divided by {column.standard_deviation:.6g})"
            inputs += [column.features[0] + steps, *column.features[1:]]
        else:
            inputs += column.features
    target = preprocessing.target
    if isinstance(target, ClassTarget):
        classes = ", ".join(f"{number} {name}" for number, name in enumerate(target.classes))
        told = f"It predicts {target.name}: {classes}."
    else:
        told = (
            f"It predicts {target.name}, less {target.mean:.6g} and divided by "
            f"{target.standard_deviation:.6g}."
        )
    return f"The numbers of a row of x are: {'; '.join(inputs)}.\n\n{told}"


def _beside(model: Path) -> Path:
    """A name that Python can import, where no file is yet."""
    stem = re.sub(r"\W", "_", model.stem)
    output = model.with_name(f"{stem if stem.isidentifier() else f'network_{stem}'}.py")
    if output.exists():
        raise InvalidSetting(f"{output} is there already. Say where to write: --output FILE.py")
    return output

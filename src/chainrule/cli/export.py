"""``chainrule export``: a trained network, with what prepares its data, for other programs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from chainrule import saving
from chainrule.cli.image_model import ImageModel
from chainrule.cli.table_model import TableModel
from chainrule.cli.terminal import console
from chainrule.data.columns import counted, listed
from chainrule.errors import InvalidSetting
from chainrule.files import check_writable
from chainrule.saving.onnx.export import to_onnx
from chainrule.saving.onnx.export_trained import export_images, export_table, imprecise_columns


def export(
    model: Annotated[
        Path, typer.Argument(metavar="MODEL", help="Made by chainrule train or saving.save.")
    ],
    output: Annotated[
        Path | None,
        typer.Argument(
            metavar="FILE.onnx", help="Where the ONNX file goes; beside the model without it."
        ),
    ] = None,
    double: Annotated[
        bool, typer.Option("--double", help="Take a table's numbers as float64, not float32.")
    ] = False,
    zipmap: Annotated[
        bool, typer.Option("--zipmap", help="Probabilities as maps, which is skl2onnx's default.")
    ] = False,
) -> None:
    """Write a network as an ONNX file: a table's with an input for each column, images as bytes."""
    if output is None:
        output = model.with_suffix(".onnx")
        if output.exists():
            raise InvalidSetting(f"{output} is there already. Say where to write: FILE.onnx")
    check_writable(output, suffixes=(".onnx",))
    if output.exists() and model.exists() and output.samefile(model):
        raise InvalidSetting(f"{output} is the model itself; choose another name.")
    saved = saving.load(model)
    out = console()
    if "images" in saved.extra:
        _refuse_double(double, model)
        image_model = ImageModel.from_saved(saved, model)
        export_images(image_model.network, image_model.classes, output, zipmap=zipmap)
        told = f"bytes in, {counted(len(image_model.classes), 'class', 'classes')} out"
    elif "table" in saved.extra:
        table_model = TableModel.from_saved(saved, model)
        preprocessing = table_model.preprocessing
        export_table(table_model.network, preprocessing, output, double=double, zipmap=zipmap)
        columns = counted(len(preprocessing.columns), "column")
        told = f"{columns} in, {preprocessing.target.name} out"
        imprecise = imprecise_columns(preprocessing)
        if imprecise and not double:
            console(error=True).print(
                f"Note: float32 rounds {listed(tuple(imprecise), 3)} by more than 1/10,000 of what "
                "the values usually differ by. Where they are not whole numbers, use --double.",
                soft_wrap=True,
            )
    else:
        _refuse_double(double, model)
        if zipmap:
            raise InvalidSetting(
                f"{model} does not say what its outputs are called, which --zipmap needs; expected "
                "a model made by chainrule train."
            )
        to_onnx(saved.network, output)
        told = "x in, prediction out"
    out.print(f"ONNX, {told}: {output}", soft_wrap=True)


def _refuse_double(double: bool, model: Path) -> None:
    if double:
        raise InvalidSetting(
            f"--double is for the numbers of a table, and {model} was not trained on one."
        )

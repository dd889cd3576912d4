"""``chainrule predict``: use a trained network on a table or on images."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from chainrule import saving
from chainrule.cli.image_model import ImageModel
from chainrule.cli.predict_images import predict_images
from chainrule.cli.predict_table import predict_table
from chainrule.cli.table_model import TableModel
from chainrule.data.columns import listed
from chainrule.errors import InvalidSetting

_IMAGE_ENDINGS = (".png", ".jpg", ".jpeg", ".bmp", ".gif", ".tif", ".tiff", ".webp")
_TABLE_ENDINGS = (".csv", ".tsv", ".txt", ".xlsx", ".parquet")


def predict(
    model: Annotated[Path, typer.Argument(metavar="MODEL", help="Made by chainrule train.")],
    sources: Annotated[
        list[str],
        typer.Argument(metavar="FILE...", help="A CSV file; or images, or folders of images."),
    ],
    output: Annotated[
        Path | None, typer.Option(help="A CSV file for the rows or images with their predictions.")
    ] = None,
) -> None:
    """Predict the rows of a table, or what images show, with a trained network."""
    saved = saving.load(model)
    if "images" in saved.extra:
        _refuse_tables(model, sources)
        loaded = ImageModel.from_saved(saved, model)
        if not predict_images(loaded, [Path(source) for source in sources], output):
            raise typer.Exit(1)
        return
    table_model = TableModel.from_saved(saved, model)
    _refuse_images(model, sources)
    if len(sources) > 1:
        raise InvalidSetting(
            f"{model} predicts the rows of one table; received {len(sources)} files "
            f"({listed(tuple(sources), 3)}). Predict them one by one."
        )
    predict_table(table_model, sources[0], output)


def _refuse_tables(model: Path, sources: list[str]) -> None:
    for source in sources:
        if source.lower().endswith(_TABLE_ENDINGS):
            raise InvalidSetting(
                f"{model} was trained on images, and {source} is a table; expected images, or "
                "folders of images."
            )


def _refuse_images(model: Path, sources: list[str]) -> None:
    for source in sources:
        if source.lower().endswith(_IMAGE_ENDINGS):
            raise InvalidSetting(
                f"{model} was trained on a table, and {source} is an image; expected a CSV file "
                "with the same columns."
            )

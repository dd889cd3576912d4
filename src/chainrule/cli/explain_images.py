"""Images to explain a step on: one file, a folder by class, or a set with a name."""

from __future__ import annotations

import base64
import io
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from chainrule.cli.explain_rows import (
    Rows,
    forgotten,
    outputs_in_order,
    places,
    source_of,
    title_of,
    unknown_actual,
)
from chainrule.cli.image_model import ImageModel
from chainrule.cli.image_sets import open_images
from chainrule.cli.sources import IMAGES, set_name
from chainrule.data.columns import listed
from chainrule.errors import InvalidData, InvalidSetting, UnreadableFile, optional_package
from chainrule.explain.document import Block, Picture, Table, Text
from chainrule.layer import Array

_TABLE_ENDINGS = (".csv", ".tsv", ".xlsx", ".parquet")
_MOST_PICTURES = 4
_SIDE = 140  # of a picture on a page, in pixels


def image_rows(
    model: ImageModel,
    path: Path,
    data: str | None,
    numbers: Sequence[int],
    actual: str | None,
) -> Rows:
    """Take images out of a set or folder, or read one.

    Parameters
    ----------
    model : ImageModel
    path : Path
        Where the model was, for messages.
    data : str, optional
        An image file, a folder with one sub-folder for each class, or a set with a name; without
        it what the model was trained on.
    numbers : sequence of int
        Which images, from 1.
    actual : str, optional
        The class that is right, in place of what the data say.

    Raises
    ------
    ChainruleError
        When there are no such images, or nobody says what they show.
    """
    source = source_of(data, model.training, path)
    name = set_name(source)
    if name in IMAGES:
        x, classes = _of_set(name, numbers)
        names = [f"{number:,}" for number in numbers]
    else:
        if data is None and not Path(source).exists():
            raise forgotten(source, path)
        paths, classes = _of_files(model, source, path, numbers)
        x = np.stack([model.read(file) for file in paths])
        names = [str(file) for file in paths]
    if x.shape[1:] != model.network.input_shape:
        raise InvalidData(
            f"{source} holds images of {x.shape[1]} x {x.shape[2]} pixels, and {path} was trained "
            f"on images of {' x '.join(map(str, model.network.shapes[0][:2]))}."
        )
    labels = [_class_number(model, names[n], actual or classes[n]) for n in range(len(x))]
    y = np.array(labels, dtype=np.int64)
    told: list[Block] = [_what_they_show(model, x, y, names), *_pictures(x, names)]
    told.append(Text([outputs_in_order(model.classes)], tone="quiet"))
    is_file = name not in IMAGES and Path(source).is_file()
    return Rows(x, y, f"Image {source}" if is_file else title_of("image", numbers, source), told)


def _of_set(name: str, numbers: Sequence[int]) -> tuple[Array, list[str | None]]:
    images = open_images(name, size=None, strict=False, limit=None).images
    chosen = places(numbers, len(images), "image", name)
    return images.x[chosen], [images.classes[label] for label in images.y[chosen]]


def _of_files(
    model: ImageModel, source: str, path: Path, numbers: Sequence[int]
) -> tuple[list[Path], list[str | None]]:
    """Chosen files and the class of each, None where no folder names it."""
    if source.lower().endswith(_TABLE_ENDINGS) or (
        set_name(source) is not None and not Path(source).exists()
    ):
        raise InvalidSetting(
            f"{path} was trained on images, and {source} is a table; expected an image, or a "
            f"folder with one sub-folder of images for each class ({listed(model.classes, 6)})."
        )
    place = Path(source)
    if not place.exists():
        raise UnreadableFile(f"There is no file {source}. Expected an image, or a folder of them.")
    found = _in_folder(place) if place.is_dir() else [(place, None)]
    if not found:
        raise UnreadableFile(f"The folder {source} holds no images.")
    chosen = [found[n] for n in places(numbers, len(found), "image", source)]
    return [file for file, _ in chosen], [name for _, name in chosen]


def _in_folder(folder: Path) -> list[tuple[Path, str | None]]:
    """Images that lie in the folder itself, then class by class, in the order of their names."""
    endings = optional_package("PIL.Image", "Reading images").registered_extensions()
    inside: list[tuple[Path, str | None]] = []
    classes = sorted(p for p in folder.iterdir() if p.is_dir() and not p.name.startswith("."))
    for place, name in [(folder, None), *((place, place.name) for place in classes)]:
        inside += [
            (file, name)
            for file in sorted(place.iterdir())
            if file.suffix.lower() in endings and not file.name.startswith(".") and file.is_file()
        ]
    return inside


def _class_number(model: ImageModel, image: str, name: str | None) -> int:
    expected = f"one of {listed(model.classes, 12)}"
    if name is None:
        raise unknown_actual(f"Nothing says what the image {image} shows", expected)
    if name not in model.classes:
        raise InvalidData(f"The network knows no class {name!r}; expected {expected}.")
    return model.classes.index(name)


def _what_they_show(model: ImageModel, x: Array, y: Array, names: Sequence[str]) -> Table:
    lines: list[list[str | float]] = []
    for name, label, row in zip(names, y, model.network.predict(x), strict=True):
        best = int(row.argmax())
        lines.append([name, model.classes[label], model.classes[best], float(row[best])])
    return Table(["image", "actual", "prediction", "its probability"], lines)


def _pictures(x: Array, names: Sequence[str]) -> list[Block]:
    """Draw the first of them, enlarged; a terminal shows only what they are."""
    pillow = optional_package("PIL.Image", "A picture of the image")
    drawn: list[Block] = []
    for pixels, name in zip(x[:_MOST_PICTURES], names, strict=False):
        height, width, channels = pixels.shape
        grey_or_not = pixels if pixels.dtype == np.uint8 else (255 * pixels.clip(0, 1))
        image = pillow.fromarray(np.squeeze(grey_or_not.astype(np.uint8)))
        written = io.BytesIO()
        image.save(written, "PNG")
        data = base64.b64encode(written.getvalue()).decode()
        size = f'width="{_SIDE * width / height:g}" height="{_SIDE}"'
        colours = "grey" if channels == 1 else "in colour"
        drawn.append(
            Picture(
                f'<svg xmlns="http://www.w3.org/2000/svg" {size}><image {size} '
                f'style="image-rendering:pixelated" href="data:image/png;base64,{data}"/></svg>',
                f"image {name}, {height} x {width} pixels, {colours}",
            )
        )
    return drawn

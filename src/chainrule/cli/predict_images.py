"""Predicting what images show: what ``chainrule predict MODEL image.png ...`` does."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from rich.console import Console

from chainrule.cli.image_model import ImageModel
from chainrule.cli.terminal import console, print_error, table
from chainrule.data.columns import counted
from chainrule.errors import InvalidSetting, UnreadableFile, optional_package
from chainrule.files import check_writable, write_atomically
from chainrule.layer import Array

_IMAGES_IN_A_TERMINAL = 40
_IMAGES_IN_A_PIPE = 1000
_IMAGES_AT_ONCE = 256  # so that memory holds the probabilities of all images, not their pixels


def predict_images(model: ImageModel, sources: Sequence[Path], output: Path | None) -> bool:
    """Print what the images show, or write it to a file; name each that cannot be read.

    Parameters
    ----------
    model : ImageModel
    sources : sequence of Path
        Image files, and folders of them.
    output : Path, optional
        A CSV file to write.

    Returns
    -------
    bool
        Whether all of them could be read.
    """
    paths, failed = _image_paths(sources)
    if output is not None:
        if output.exists() and any(path.exists() and output.samefile(path) for path in paths):
            raise InvalidSetting(f"--output {output} is an image to read; choose another name.")
        check_writable(output)
    readable: list[Path] = []
    probabilities = [np.empty((0, len(model.classes)), dtype=np.float32)]
    for start in range(0, len(paths), _IMAGES_AT_ONCE):
        images = []
        for path in paths[start : start + _IMAGES_AT_ONCE]:
            try:
                images.append(model.read(path))
            except UnreadableFile as error:
                failed.append(str(error))
                continue
            readable.append(path)
        if images:
            probabilities.append(model.network.predict(np.stack(images)))
    together = np.concatenate(probabilities)
    if readable and output is None:
        _print_images(console(), model, readable, together)
    elif readable and output is not None:
        # Paths may hold bytes that are no text; they are written as they are.
        text = _as_csv(model, readable, together)
        write_atomically(output, text.encode(errors="surrogateescape"))
        told = f"{counted(len(readable), 'image')} with predictions: {output}"
        console().print(told, soft_wrap=True)
    for sentence in failed:
        print_error(sentence)
    return not failed


def _image_paths(sources: Sequence[Path]) -> tuple[list[Path], list[str]]:
    """Paths of all images, those of a folder in the order of their names, and what went wrong."""
    paths: list[Path] = []
    wrong: list[str] = []
    for source in sources:
        if not source.is_dir():
            paths.append(source)
            continue
        endings = optional_package("PIL.Image", "Reading images").registered_extensions()
        inside = sorted(
            path
            for path in source.rglob("*")
            if path.suffix.lower() in endings and not path.name.startswith(".") and path.is_file()
        )
        if not inside:
            wrong.append(f"The folder {source} holds no images.")
        paths += inside
    return paths, wrong


def _print_images(
    out: Console, model: ImageModel, paths: Sequence[Path], probabilities: Array
) -> None:
    shown = min(len(paths), _IMAGES_IN_A_TERMINAL if out.is_terminal else _IMAGES_IN_A_PIPE)
    rows = [
        [str(path), model.classes[row.argmax()], f"{row.max():.3f}"]
        for path, row in zip(paths[:shown], probabilities, strict=False)
    ]
    out.print(table("What the images show", ["file", "class", "probability"], rows, right=[2]))
    if shown < len(paths):
        out.print(f"... and {len(paths) - shown:,} more images; --output out.csv writes all.\n")


def _as_csv(model: ImageModel, paths: Sequence[Path], probabilities: Array) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    each = [f"probability_{name}" for name in model.classes]
    writer.writerow(["file", "class", "probability", *each])
    for path, row in zip(paths, probabilities, strict=True):
        writer.writerow([str(path), model.classes[row.argmax()], row.max(), *row])
    return text.getvalue()

"""Training on images: what ``chainrule train FOLDER/`` and ``chainrule train mnist-5k`` do."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from rich.console import Console

from chainrule.cli.image_choices import (
    ImageWishes,
    check_names,
    choose_augmentations,
    choose_image_batch_size,
    choose_image_epochs,
    choose_image_network,
    choose_validation,
)
from chainrule.cli.image_model import ImageModel
from chainrule.cli.image_report import tell_image_scores, tell_images, tell_unreadable
from chainrule.cli.image_sets import ImageSet, Size, open_images
from chainrule.cli.sources import file_stem, set_name, shadowed_file
from chainrule.cli.terminal import PICTURES, console
from chainrule.cli.train_kept import fit_or_resume
from chainrule.cli.training import tell_diagnosis, tell_files, tell_next, tell_training
from chainrule.data.columns import counted
from chainrule.data.images import LabelledImages
from chainrule.data.split import split_rows
from chainrule.diagnosis import diagnose
from chainrule.errors import InvalidData
from chainrule.files import check_writable
from chainrule.layer import Array
from chainrule.network import NeuralNetwork
from chainrule.summary import summary_text
from chainrule.training.callbacks import EarlyStopping
from chainrule.training.history import History

_PATIENCE = 10


def train_images(
    source: str,
    wishes: ImageWishes,
    *,
    size: Size | None,
    strict: bool,
    limit: int | None,
    resume: Path | None,
    output: Path | None,
    plot: Path | None,
    quiet: bool,
) -> None:
    """Train a network on images and keep it in a file.

    Parameters
    ----------
    source : str
        A folder with one sub-folder for each class, or a set with a name.
    wishes : ImageWishes
    size : (height, width), optional
        Resize the images of a folder to it.
    strict : bool
        Stop at a file of the folder that cannot be read.
    limit : int, optional
        Take only so many images.
    resume : Path, optional
        A folder to keep the training in, and to go on from.
    output, plot : Path, optional
        Where model and loss graph go; into the present folder without them.
    quiet : bool
        Print scores and files only.
    """
    check_names(wishes)
    stem = file_stem(set_name(source) or Path(source).resolve().name, wishes.model)
    output = check_writable(output or Path(f"{stem}.safetensors"))
    plot = check_writable(plot or Path(f"{stem}-loss.png"), suffixes=PICTURES)
    found = open_images(source, size=size, strict=strict, limit=limit)
    parts = _split(found, wishes)
    network = choose_image_network(
        wishes, len(found.images.classes), found.images.x.shape[1:], len(parts[0])
    )
    out = console()
    talk = console(quiet=quiet)
    if note := shadowed_file(source):
        talk.print(note, soft_wrap=True)
    tell_unreadable(console(error=True), found.images)
    tell_images(talk, found, *parts)
    model, history = _fit(talk, network, found.images, parts, wishes, resume, progress=not quiet)
    model.training["source"] = source
    model.training["scores"] = tell_image_scores(out, model, found, *parts, details=not quiet)
    if not quiet:
        x, y = found.images.x[parts[0]], found.images.y[parts[0]]
        tell_diagnosis(talk, diagnose(model.network, x, y, history=history))
    model.save(output)
    tell_files(out, output, history, plot)
    tell_next(talk, output, "IMAGE.png")


def _split(found: ImageSet, wishes: ImageWishes) -> tuple[Array, Array]:
    """Numbers of the images to learn from, and of those to measure on."""
    images = found.images
    part = choose_validation(wishes, has_test=found.test is not None)
    try:
        return split_rows(len(images), part, wishes.seed, images.y)
    except InvalidData as error:
        raise InvalidData(
            f"{counted(len(images), 'image')} of {len(images.classes)} classes (the fewest of one "
            f"class: {np.bincount(images.y).min()}) are too few to set a part of {part:g} aside "
            "for validation and learn from the rest. Add images, or change --validation."
        ) from error


def _fit(
    talk: Console,
    network: NeuralNetwork,
    images: LabelledImages,
    parts: tuple[Array, Array],
    wishes: ImageWishes,
    resume: Path | None,
    *,
    progress: bool,
) -> tuple[ImageModel, History]:
    training, aside = parts
    augmentations = choose_augmentations(wishes)
    talk.print(summary_text(network), soft_wrap=True)
    if augmentations:
        talk.print(f"changed in training: {', '.join(map(repr, augmentations))}", soft_wrap=True)
    talk.print()
    stopping = EarlyStopping(patience=_PATIENCE)
    history = fit_or_resume(
        talk,
        network,
        resume,
        wishes,
        (images.x[training], images.y[training]),
        stopping,
        epochs=choose_image_epochs(wishes, len(training)),
        batch_size=choose_image_batch_size(wishes, len(training)),
        validation=(images.x[aside], images.y[aside]),
        augment=augmentations,
        metrics=["accuracy"],
        progress="auto" if progress else False,
    )
    told = tell_training(talk, history, stopping, "images")
    return ImageModel(history.network, images.classes, {"model": wishes.model, **told}), history

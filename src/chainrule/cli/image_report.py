"""What ``chainrule train`` prints about images before training, and about the scores after it."""

from __future__ import annotations

import numpy as np
from rich.console import Console

from chainrule.cli.image_model import ImageModel
from chainrule.cli.image_sets import ImageSet
from chainrule.cli.scores import class_scores, confusion_table, score_table
from chainrule.cli.terminal import table
from chainrule.data.columns import counted
from chainrule.data.images import LabelledImages
from chainrule.layer import Array

_MOST_CLASSES_SHOWN = 25
_MOST_FILES_SHOWN = 10


def tell_unreadable(notes: Console, images: LabelledImages) -> None:
    """Name the files that were left out."""
    left_out = images.unreadable
    for sentence in left_out[:_MOST_FILES_SHOWN]:
        notes.print(f"Note: left out: {sentence}", soft_wrap=True)
    if len(left_out) > _MOST_FILES_SHOWN:
        notes.print(f"Note: ... and {len(left_out) - _MOST_FILES_SHOWN:,} more files.")


def tell_images(out: Console, found: ImageSet, training: Array, validation: Array) -> None:
    """Print how many images each class has, what they look like, and how they are split."""
    images = found.images
    counts = np.bincount(images.y, minlength=len(images.classes))
    rows = [
        [name, f"{count:,}"]
        for name, count in zip(images.classes[:_MOST_CLASSES_SHOWN], counts, strict=False)
    ]
    out.print(table("Classes", ["class", "images"], rows, right=[1]))
    if len(counts) > _MOST_CLASSES_SHOWN:
        out.print(f"... and {len(counts) - _MOST_CLASSES_SHOWN:,} more classes.\n")
    _, height, width, channels = images.x.shape
    colours = "grey" if channels == 1 else "in colour"
    scaled = (
        "bytes, divided by 255"
        if images.x.dtype == np.uint8
        else f"numbers from {images.x.min():g} to {images.x.max():g}, taken as they are"
    )
    out.print(
        f"Each {height} x {width} pixels (height x width), {colours}; {scaled}.", soft_wrap=True
    )
    tested = "" if found.test is None else f", {len(found.test):,} to test on at the end"
    out.print(
        f"Images: {len(training):,} to learn from, {len(validation):,} aside for validation "
        f"(classes kept in proportion){tested}.\n",
        soft_wrap=True,
    )


def tell_image_scores(
    out: Console,
    model: ImageModel,
    found: ImageSet,
    training: Array,
    validation: Array,
    *,
    details: bool,
) -> dict[str, dict[str, float]]:
    """Print the scores beside the most frequent class, and return them.

    Returns
    -------
    dict
        The network's scores on "validation" and, where the set has them, "test" images.
    """
    images = found.images
    always = int(np.bincount(images.y[training]).argmax())
    parts = {"validation": (images.x[validation], images.y[validation])}
    if found.test is not None:
        parts["test"] = (found.test.x, found.test.y)
    scores = {}
    for part, (x, actual) in parts.items():
        predicted = model.network.predict_classes(x)
        scores[part] = class_scores(actual, predicted)
        plain = class_scores(actual, np.full_like(actual, always))
        columns = {"this network": scores[part], f"always {model.classes[always]}": plain}
        title = f"Score on the {counted(len(actual), f'{part} image')}"
        out.print(score_table(title, columns))
    if details:
        out.print(confusion_table(actual, predicted, model.classes))
    if scores[part]["accuracy"] <= plain["accuracy"]:
        out.print(
            "The network does no better than always naming the most frequent class: it may need "
            "more images, more --epochs or another --learning-rate.\n",
            soft_wrap=True,
        )
    return scores

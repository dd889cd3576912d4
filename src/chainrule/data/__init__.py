"""Data to learn from.

``truth_table`` needs NumPy alone; ``load`` takes scikit-learn's bundled sets. CSV files are read by
``chainrule.data.csv`` and turned into numbers by ``chainrule.data.preprocessing``. Images come from
``digits``, ``mnist_5k``, ``fashion_mnist``, ``image_folder`` and ``read_idx``, and are varied in
training by what ``chainrule.data.augmentation`` lists.
"""

from chainrule.data.augmentation import Augmentation, Crop, Flip, MixUp, Noise, Rotate, Shift
from chainrule.data.bundled import load
from chainrule.data.idx import read_idx
from chainrule.data.image_files import image_folder, read_image
from chainrule.data.images import LabelledImages, digits, fashion_mnist, mnist_5k
from chainrule.data.truth_table import reference_weights, truth_table

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

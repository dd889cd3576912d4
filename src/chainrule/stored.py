"""Inputs that stay where they are, on disk or as bytes, until a batch needs some of them.

Everything else is converted to the network's numbers once, where it enters. For images that are
kept as bytes that would take four times their memory, and for an array that is mapped from a file
(``np.load(path, mmap_mode="r")``, ``np.memmap``) all of it. So these are converted as they are
taken, and a set larger than memory trains in the memory of one batch.
"""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np

from chainrule.errors import InvalidData
from chainrule.layer import Array, Shape
from chainrule.targets import numeric_array

_ROWS_AT_ONCE = 1024


class StoredInputs:
    """Rows of an array, turned into numbers of the network's dtype when they are asked for.

    uint8 arrays of three axes or more are taken for images: their numbers 0 ... 255 become
    0 ... 1. All other numbers stay what they are.

    Parameters
    ----------
    source : ndarray (samples, *input shape)
    dtype : numpy dtype
        The network's.
    chosen : ndarray of int, optional
        Which rows of the source, and in what order; all of them without it.

    Raises
    ------
    InvalidData
        When the source holds something else than finite numbers.
    """

    def __init__(self, source: Array, dtype: np.dtype[Any], chosen: Array | None = None) -> None:
        self.source = source
        self.dtype = dtype
        self.chosen = chosen
        if chosen is None:
            self._check()

    @property
    def shape(self) -> Shape:
        """(samples, *input shape)."""
        return (len(self), *self.source.shape[1:])

    @property
    def scaling(self) -> str:
        """What happens to the numbers, in words."""
        return "uint8 images / 255" if is_image(self.source) else "none"

    def __len__(self) -> int:
        return len(self.source) if self.chosen is None else len(self.chosen)

    def __getitem__(self, rows: slice | Array) -> Array:
        """Take some rows (batch, *input shape) as numbers."""
        taken = self.source[rows if self.chosen is None else self.chosen[rows]]
        if is_image(self.source):
            return np.divide(taken, 255, dtype=self.dtype)
        return np.array(taken, dtype=self.dtype)

    def subset(self, rows: Array) -> StoredInputs:
        """Choose some of the rows, without reading them."""
        chosen = rows if self.chosen is None else self.chosen[rows]
        return StoredInputs(self.source, self.dtype, chosen)

    def _check(self) -> None:
        numeric_array("x", self.source[:1], np.dtype(np.float64))  # refuses text and the like
        if self.source.dtype.kind != "f":
            return
        for start in range(0, len(self), _ROWS_AT_ONCE):
            with np.errstate(over="ignore"):  # what does not fit becomes infinite
                finite = np.isfinite(self[start : start + _ROWS_AT_ONCE])
            if not finite.all():
                row = start + int(np.argwhere(~finite)[0][0])
                raise InvalidData(
                    f"x holds NaN, infinity, or a number too large for {self.dtype} in row {row}; "
                    "expected finite numbers. Fill in or drop the missing values first."
                )


Inputs: TypeAlias = "Array | StoredInputs"


def is_image(array: Array) -> bool:
    """Whether numbers 0 ... 255 stand for brightness: uint8, (samples, height, width, ...)."""
    return array.dtype == np.uint8 and array.ndim >= 3


def stays_stored(x: Any) -> bool:
    """Whether inputs are converted batch by batch instead of once."""
    return isinstance(x, np.ndarray) and x.ndim > 0 and (isinstance(x, np.memmap) or is_image(x))

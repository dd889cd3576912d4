"""Sparse inputs: dense only as far as a batch needs them."""

from __future__ import annotations

from typing import Any

import numpy as np

from chainrule.layer import Array, Shape
from chainrule.stored import StoredInputs


class SparseInputs(StoredInputs):
    """Rows of a sparse matrix, made dense when they are asked for.

    A network multiplies dense rows, so a set that fits in memory only because it is sparse is
    trained on in the memory of a few batches.

    Parameters
    ----------
    source : scipy sparse matrix or array (samples, inputs)
        Checked, in the form of rows (CSR).
    dtype : numpy dtype
        The network's.
    chosen : ndarray of int, optional
        Which rows, and in what order; all of them without it.
    """

    source: Any

    def __init__(self, source: Any, dtype: np.dtype[Any], chosen: Array | None = None) -> None:
        self.source = source
        self.dtype = dtype
        self.chosen = chosen

    @property
    def shape(self) -> Shape:
        """(samples, inputs)."""
        return (len(self), int(self.source.shape[1]))

    @property
    def scaling(self) -> str:
        """What happens to the numbers: nothing."""
        return "none"

    def __len__(self) -> int:
        return int(self.source.shape[0]) if self.chosen is None else len(self.chosen)

    def __getitem__(self, rows: slice | Array) -> Array:
        """Take some rows (batch, inputs) as numbers."""
        taken = self.source[rows if self.chosen is None else self.chosen[rows]]
        return np.ascontiguousarray(taken.toarray(), self.dtype)

    def subset(self, rows: Array) -> SparseInputs:
        """Choose some of the rows, without reading them."""
        chosen = rows if self.chosen is None else self.chosen[rows]
        return SparseInputs(self.source, self.dtype, chosen)

"""In which order a side goes through the samples."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

from chainrule.randomness import generator

Array = npt.NDArray[Any]


def chainrules(rows: int, epochs: int) -> Iterator[Array]:
    """The orders in which a chainrule network with seed 0 goes through so many rows."""
    for epoch in range(epochs):
        yield generator(0, "shuffle", epoch).permutation(rows)


def numpys(rows: int, epochs: int) -> Iterator[Array]:
    """New orders each time, as NumPy draws them."""
    random = np.random.default_rng()
    return (random.permutation(rows) for _ in range(epochs))


def torchs(rows: int, epochs: int) -> Iterator[Any]:
    """New orders each time, as PyTorch draws them."""
    import torch

    return (torch.randperm(rows) for _ in range(epochs))

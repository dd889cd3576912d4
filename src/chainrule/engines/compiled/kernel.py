"""What a kernel is: one small compiled function that does one layer's work on a block of samples.

All kernels take the same seven things, so that the loop over a network's steps can call any of them
by its address, without Python:

op : pointer to int64
    The kernel's settings in this network: where its numbers stand, and how many. They begin at
    ``op[FIRST_SETTING]``; what is not a whole number stands there as its bits (``number``).
context : pointer to int64
    What changes from block to block and from step to step; see the names below.
arena : pointer
    The intermediate numbers of the network. A buffer of ``size`` numbers for each sample begins at
    an offset that the kernel finds in its settings.
parameters : pointer
    Weights and biases, then statistics.
gradients : pointer
    Of the same shape, without the statistics. Kernels *add* to them.
first, rows : int
    The samples to work on: ``rows`` of them, from ``first`` on. ``tensor`` makes of that a view of
    a buffer. (Kernels that work on a part of a vector get the part: ``rows`` numbers from
    ``first`` on.)

Kernels are written once for both dtypes, and compiled for a dtype when a network first needs them.
The machine code is kept on disk for the next process (``cache.py``).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numba
import numpy as np
from numba import types
from numba.extending import register_jitable

from chainrule.engines.compiled import blas, cache
from chainrule.engines.compiled.native import bits_of_float64, float64_of_bits, shift

blas.make_known()
CAN_CACHE = cache.use()

# Places in an op.
ADDRESS = 0  # of the kernel
OWNER = 1  # number of the layer, for the report
TOTAL = 2  # length of the vector that a kernel over parts of it goes through
PART = 3  # length of one part
TICKS = 4  # time it took in the last step that was timed
FIRST_SETTING = 5
OP_LENGTH = 32

# Places in a context.
X = 0  # address of the samples, in the network's dtype
Y = 1  # address of the actual values
LABELS = 2  # 1 where these are class numbers (int64), 0 where numbers of the network's dtype
ORDER = 3  # address of the samples' order (int64), or 0: as they stand
WEIGHT = 4  # address of one weight per sample, or 0
START = 5  # place in the order of the batch's first sample
BATCH = 6  # samples in this batch
SAMPLE = 7  # place in the batch of the block's first sample
STEP = 8  # number of the step, from 0
RATE = 9  # learning rate, as bits
UPDATE = 10  # number of the optimizer's update, from 1
SHRINK = 11  # what clipping multiplies the gradient with, as bits
SHARD = 12  # number of the part of the batch that this block belongs to
SHARDS = 13  # of how many
PARTIALS = 14  # address of float64 sums, PARTIALS_LENGTH for each shard
PARTIALS_LENGTH = 15
SCRATCH = 16  # address of working memory of this thread
LOSS_SCALE = 17  # what one term of the loss is multiplied with, as bits
SEED = 18  # address of the seed's words, see randomness.py
NORMS = 19  # address of float64 sums of squared gradients, one for each part
OUTPUT = 20  # address where predictions go
SHARD_ROOM = 21  # address of this thread's memory that lasts from a shard's first block to its last
BEGINS = 22  # 1 in the first block of a shard
ENDS = 23  # 1 in the last block of a shard
PENALTY_SCALE = 24  # what the penalties are multiplied with in this batch, as bits
CONTEXT_LENGTH = 32

_OPTIONS: dict[str, Any] = {
    "nopython": True,
    "cache": CAN_CACHE,
    "error_model": "numpy",
    # Sums may be taken in any order, so that they can be vectorised; nothing is assumed about NaN.
    "fastmath": {"reassoc", "nsz", "contract"},
}

_NUMBERS = {np.dtype(np.float32): types.float32, np.dtype(np.float64): types.float64}


class Kernel:
    """A function in the form above, compiled on demand.

    Parameters
    ----------
    function : callable
    keep : bool, default True
        Whether the machine code may be kept on disk.
    """

    def __init__(self, function: Callable[..., None], *, keep: bool = True) -> None:
        self.function = function
        self.options = _OPTIONS if keep else _OPTIONS | {"cache": False}
        self.name = function.__name__
        self._compiled: dict[np.dtype[Any], Any] = {}

    def address(self, dtype: np.dtype[Any]) -> int:
        """Machine address of the kernel for that dtype; compiles it the first time."""
        if dtype not in self._compiled:
            self._compiled[dtype] = numba.cfunc(_signature(dtype), **self.options)(self.function)
        return int(self._compiled[dtype].address)

    def __repr__(self) -> str:
        return f"Kernel({self.name})"


def _signature(dtype: np.dtype[Any]) -> Any:
    whole, numbers = types.CPointer(types.int64), types.CPointer(_NUMBERS[dtype])
    return types.void(whole, whole, numbers, numbers, numbers, types.int64, types.int64)


def kernel(function: Callable[..., None]) -> Kernel:
    """Make a kernel of a function."""
    return Kernel(function)


# Marks a function that kernels call.
helper = register_jitable(error_model="numpy", fastmath=_OPTIONS["fastmath"])


@helper
def rows_of(pointer: Any, offset: int, first: int, rows: int, size: int) -> Any:
    """View of the block's rows of a buffer: (rows, size)."""
    return numba.carray(shift(pointer, offset + first * size), (rows, size))


@helper
def flat(pointer: Any, offset: int, count: int) -> Any:
    """View of ``count`` numbers from ``offset`` on."""
    return numba.carray(shift(pointer, offset), (count,))


@helper
def number(bits: int) -> float:
    """Turn a setting back into the float64 that it was."""
    return float64_of_bits(bits)


@helper
def bits(value: float) -> int:
    """Turn a float64 into a setting."""
    return bits_of_float64(value)


def as_setting(value: float) -> int:
    """Bits of a float64 as a whole number, to stand among an op's settings; for Python."""
    return int(np.float64(value).view(np.int64))

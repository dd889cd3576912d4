"""Whether data are those that a training began with: a fingerprint of every number."""

from __future__ import annotations

import hashlib

import numpy as np

from chainrule.layer import Array
from chainrule.samples import Samples
from chainrule.stored import StoredInputs

_ROWS_AT_ONCE = 1024
_MOST_STORED_BYTES = 2**30  # of arrays in files; of larger ones so much is read, evenly spread


def fingerprint(samples: Samples, validation: Samples | None) -> str:
    """Return 64 digits that other data would not have (BLAKE2b over shapes, dtypes and bytes).

    Of inputs that stay in a file and are larger than 1 GB, rows of about that size are read,
    spread evenly.
    """
    digest = hashlib.blake2b(digest_size=32)
    for part in (samples, validation):
        for array in (None, None, None) if part is None else (part.x, part.y, part.weight):
            if array is None:
                digest.update(b"none")
            elif isinstance(array, StoredInputs):
                _add_stored(digest, array)
            else:
                _add(digest, array, np.arange(len(array)))
    return digest.hexdigest()


def _add_stored(digest: hashlib.blake2b, inputs: StoredInputs) -> None:
    rows = np.arange(len(inputs.source)) if inputs.chosen is None else inputs.chosen
    size = len(rows) * inputs.source[:1].nbytes
    _add(digest, inputs.source, rows[:: max(1, -(-size // _MOST_STORED_BYTES))])


def _add(digest: hashlib.blake2b, array: Array, rows: Array) -> None:
    digest.update(f"{array.dtype.str} {array.shape[1:]} {len(rows)};".encode())
    for start in range(0, len(rows), _ROWS_AT_ONCE):
        piece = np.ascontiguousarray(array[rows[start : start + _ROWS_AT_ONCE]])
        digest.update(piece.reshape(-1).view(np.uint8).data)

"""Randomness that can be replayed.

Numbers are never drawn from one moving global state. Each use has its own generator, made from
the seed and from what the numbers are for. Whoever asks again for ``("shuffle", epoch 7)`` of seed
0 gets the same permutation, whatever happened in between: a step can be replayed, a run resumed,
and two engines see the same shuffles.
"""

from __future__ import annotations

import zlib

import numpy as np


def generator(seed: int, purpose: str, *position: int) -> np.random.Generator:
    """Return the random generator that belongs to one purpose at one place.

    Parameters
    ----------
    seed : int
        The network's seed, not negative.
    purpose : str
        What the numbers are for, as ``"weights"`` or ``"shuffle"``.
    *position : int
        Where: epoch, step, layer, ... as far as the purpose has them.

    Notes
    -----
    The key goes through NumPy's ``SeedSequence``, whose hash makes streams of different keys
    independent (O'Neill, "Developing a seed_seq alternative", 2015).
    """
    key = (zlib.crc32(purpose.encode()), *position)
    return np.random.Generator(np.random.PCG64(np.random.SeedSequence(seed, spawn_key=key)))

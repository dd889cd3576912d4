"""Compiled twin of ``randomness.py``: the very numbers of NumPy's generators, from any place on.

The reference engine draws a mask for the whole batch, from one generator that it makes from a key.
A kernel has a block of the batch. It makes the same generator, jumps over what belongs to the
samples before, and draws the numbers of its own. So no thread waits for another, and none for
Python.

The key is hashed as in NumPy's ``SeedSequence`` (O'Neill, "Developing a seed_seq alternative",
2015). The generator is PCG64 (O'Neill, "PCG: A family of simple fast space-efficient statistically
good algorithms for random number generation", 2014): s ← s · M + c, modulo 2^128, and what is drawn
is the upper half of s mixed with the lower one, turned round.
"""

from __future__ import annotations

import zlib
from typing import Any

import numpy as np
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from chainrule.engines.compiled.kernel import SCRATCH, SEED, STEP, flat, helper
from chainrule.engines.compiled.native import int64_at
from chainrule.layer import Array

KEY_SCRATCH = 32  # numbers of scratch memory that ``generator_of`` needs

_WORD = 0xFFFFFFFF
_POOL = 4  # words that the key is hashed into

# M, upper and lower half; LLVM knows numbers of 128 bits, numba does not.
_M_HIGH, _M_LOW = 0x2360ED051FC65DA4, 0x4385DF649FCCF645


def seed_words(seed: int) -> Array:
    """Write the seed as ``SeedSequence`` sees it: how many words, and the words of 32 bits."""
    count = max(_POOL, -(-seed.bit_length() // 32))
    words = [seed >> 32 * number & _WORD for number in range(count)]
    return np.array([count, *words], np.int64)


def key_settings(purpose: str, path: tuple[int, ...]) -> tuple[int, ...]:
    """What a kernel must know of a key besides seed and step, among its settings."""
    return (zlib.crc32(purpose.encode()), len(path), *path)


@intrinsic
def multiply_add(
    typing: Any, high: Any, low: Any, by_high: Any, by_low: Any, plus_high: Any, plus_low: Any
) -> Any:
    """State · factor + term modulo 2^128; each of them as its upper and lower half."""
    i = types.int64

    def build(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        long, short = ir.IntType(128), ir.IntType(64)

        def joined(high: Any, low: Any) -> Any:
            upper = builder.shl(builder.zext(high, long), long(64))
            return builder.or_(upper, builder.zext(low, long))

        state, factor, term = (joined(*arguments[n : n + 2]) for n in (0, 2, 4))
        found = builder.add(builder.mul(state, factor), term)
        halves = [builder.trunc(builder.lshr(found, long(64)), short), builder.trunc(found, short)]
        return cgutils.pack_array(builder, halves)

    return types.UniTuple(i, 2)(i, i, i, i, i, i), build


@intrinsic
def drawn_from(typing: Any, high: Any, low: Any) -> Any:
    """The 64 random bits of a state: its halves, one flipped by the other, turned round."""
    i = types.int64

    def build(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        high, low = arguments
        mixed = builder.xor(high, low)
        right = builder.lshr(high, high.type(58))
        left = builder.and_(builder.neg(right), high.type(63))
        return builder.or_(builder.lshr(mixed, right), builder.shl(mixed, left))

    return i(i, i), build


@helper
def _hashed(word: int, constant: int, factor: int) -> tuple[int, int]:
    """Mix a word of 32 bits with the hash's constant; returns it and the next constant."""
    word ^= constant
    constant = constant * factor & _WORD
    word = word * constant & _WORD
    return word ^ word >> 16, constant


@helper
def _absorb(pool: Any, place: int, word: int, constant: int) -> int:
    """Mix one word into one place of the pool; returns the next constant."""
    word, constant = _hashed(word, constant, 0x931E8875)
    mixed = pool[place] * 0xCA01F9DD - word * 0x4973F715 & _WORD
    pool[place] = mixed ^ mixed >> 16
    return constant


@helper
def _absorb_everywhere(pool: Any, word: int, constant: int) -> int:
    for place in range(_POOL):
        constant = _absorb(pool, place, word, constant)
    return constant


@helper
def _fill_pool(pool: Any, context: Any, key: Any) -> None:
    """Hash (seed, purpose, step, path), as ``SeedSequence.mix_entropy``."""
    seed, step = int64_at(context[SEED]), context[STEP]
    constant = 0x43B0D7E5
    for place in range(_POOL):
        pool[place], constant = _hashed(seed[1 + place], constant, 0x931E8875)
    for source in range(_POOL):
        for place in range(_POOL):
            if place != source:
                constant = _absorb(pool, place, pool[source], constant)
    for number in range(_POOL, seed[0]):
        constant = _absorb_everywhere(pool, seed[1 + number], constant)
    constant = _absorb_everywhere(pool, key[0], constant)
    constant = _absorb_everywhere(pool, step & _WORD, constant)
    if step >> 32 != 0:
        constant = _absorb_everywhere(pool, step >> 32, constant)
    for number in range(key[1]):
        constant = _absorb_everywhere(pool, key[2 + number], constant)


@helper
def _generated(pool: Any, state: Any) -> None:
    """Four numbers of 64 bits out of the pool, as ``SeedSequence.generate_state``."""
    constant = 0x8B51F9DD
    for place in range(8):
        word, constant = _hashed(pool[place % _POOL], constant, 0x58F38DED)
        if place % 2 == 0:
            state[place // 2] = word
        else:
            state[place // 2] |= word << 32


@helper
def generator_of(context: Any, key: Any, skip: int) -> tuple[int, int, int, int]:
    """Make the generator of a key and jump over its first ``skip`` draws of 64 bits.

    Returns
    -------
    tuple of int
        State and increment, the upper and the lower half of each.
    """
    room = flat(int64_at(context[SCRATCH]), 0, _POOL + 4)
    pool, start = room[:_POOL], room[_POOL:]
    _fill_pool(pool, context, key)
    _generated(pool, start)
    c_high, c_low = start[2] << 1 | (start[3] >> 63 & 1), start[3] << 1 | 1
    # From s = 0 it takes a step, adds what the key gave, and takes another step.
    high, low = multiply_add(c_high, c_low, 0, 1, start[0], start[1])
    high, low = multiply_add(high, low, _M_HIGH, _M_LOW, c_high, c_low)
    # n steps are one with other constants, which are squared and multiplied together (Brown,
    # "Random number generation with arbitrary strides", 1994).
    by_high, by_low, plus_high, plus_low = _M_HIGH, _M_LOW, c_high, c_low
    while skip > 0:
        if skip & 1 != 0:
            high, low = multiply_add(high, low, by_high, by_low, plus_high, plus_low)
        plus_high, plus_low = multiply_add(
            plus_high, plus_low, by_high, by_low, plus_high, plus_low
        )
        by_high, by_low = multiply_add(by_high, by_low, by_high, by_low, 0, 0)
        skip >>= 1
    return high, low, c_high, c_low


@helper
def fill_mask(context: Any, key: Any, mask: Any, before: int, rate: Any) -> None:
    """Fill with 0 and 1 / (1 - rate): numbers ``before``, ``before`` + 1, ... of a whole mask.

    NumPy makes two float32 of each draw, of 24 bits each, the lower half first. Such a number is
    below the rate where the 24 bits, as a whole number, are.
    """
    of = mask.dtype.type
    kept, zero = of(1 / (1 - rate)), of(0)
    limit = np.int64(np.ceil(np.float64(np.float32(rate)) * 16777216.0))
    high, low, c_high, c_low = generator_of(context, key, before >> 1)
    count = len(mask)
    place = -(before & 1)
    # Two states, two draws apart, take turns, so that the one need not wait for the other.
    by_high, by_low = multiply_add(_M_HIGH, _M_LOW, _M_HIGH, _M_LOW, 0, 0)
    plus_high, plus_low = multiply_add(c_high, c_low, _M_HIGH, _M_LOW, c_high, c_low)
    high, low = multiply_add(high, low, _M_HIGH, _M_LOW, c_high, c_low)
    next_high, next_low = multiply_add(high, low, _M_HIGH, _M_LOW, c_high, c_low)
    while place < count:
        one, two = drawn_from(high, low), drawn_from(next_high, next_low)
        high, low = multiply_add(high, low, by_high, by_low, plus_high, plus_low)
        next_high, next_low = multiply_add(
            next_high, next_low, by_high, by_low, plus_high, plus_low
        )
        numbers = (one >> 8, one >> 40, two >> 8, two >> 40)
        if place >= 0 and place + 4 <= count:
            for i in range(4):
                mask[place + i] = kept if numbers[i] & 0xFFFFFF >= limit else zero
        else:
            for i in range(4):
                if 0 <= place + i < count:
                    mask[place + i] = kept if numbers[i] & 0xFFFFFF >= limit else zero
        place += 4

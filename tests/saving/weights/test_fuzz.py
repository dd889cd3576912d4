"""Random damage: a file is read as what it then says, or refused by one kind of error."""

from __future__ import annotations

import random as dice
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from conftest import FULL_SWEEP
from saving.weights.files import KERAS, TORCH

import chainrule as cr
from chainrule.errors import ChainruleError
from chainrule.saving.weights import hdf5_file

random_numbers = dice.Random(0)  # noqa: S311 - not a secret


def damaged(whole: bytes, marks: bytes = b"") -> bytes:
    """Change some bytes, more often where the file says what it holds, or cut it off."""
    found = bytearray(whole)
    told = [at for at, byte in enumerate(whole) if byte in marks] or range(len(whole))
    for _ in range(random_numbers.choice((1, 1, 2, 5))):
        near = random_numbers.random() < 0.7
        at = random_numbers.choice(told) if near else random_numbers.randrange(len(whole))
        found[at] = random_numbers.choice((0, 255, whole[at] ^ 1, random_numbers.randrange(256)))
    end = random_numbers.randrange(len(whole)) if random_numbers.random() < 0.1 else len(whole)
    return bytes(found[:end])


def perceptron() -> cr.NeuralNetwork:
    return cr.NeuralNetwork(*(cr.Dense(3, "tanh") for _ in range(12)), inputs=3, engine="reference")


def try_all(
    path: Path, whole: bytes, count: int, opened: Callable[[], object], marks: bytes
) -> int:
    """How many of them were refused; the network is never half changed."""
    told = []
    for _ in range(count):
        path.write_bytes(damaged(whole, marks))
        try:
            opened()
        except ChainruleError as error:
            told.append(str(error))
    assert not any("\n" in sentence for sentence in told)
    return len(told)


def test_damaged_state_dicts(tmp_path: Path) -> None:
    path, net = tmp_path / "m.safetensors", perceptron()
    whole = (TORCH / "deep.safetensors").read_bytes()
    before = net.parameters.copy()

    def opened() -> None:
        try:
            cr.load_weights(net, path)
        except ChainruleError:
            assert np.array_equal(net.parameters, before)
            raise
        net.parameters[...] = before

    marks = bytes(range(0x21, 0x7F))
    assert try_all(path, whole, 20_000 if FULL_SWEEP else 400, opened, marks) > 100


def test_damaged_archives(tmp_path: Path) -> None:
    """Whatever the archive's own checksums do not catch."""
    path = tmp_path / "m.keras"
    whole = (KERAS / "perceptron.keras").read_bytes()
    count = 1000 if FULL_SWEEP else 10
    refused = try_all(path, whole, count, lambda: cr.from_keras(path), b"PK\x01\x02\x03\x04")
    assert refused > count // 2


@pytest.mark.parametrize("seed", range(1000 if FULL_SWEEP else 6))
def test_damaged_hdf5(seed: int, tmp_path: Path) -> None:
    """Through the other process, which may crash."""
    random_numbers.seed(seed)
    path, net = tmp_path / "m.weights.h5", perceptron()
    whole = (KERAS / "deep.weights.h5").read_bytes()
    try_all(path, whole, 1, lambda: cr.load_weights(net, path), bytes(range(1, 256)))


@pytest.mark.parametrize(
    ("script", "said"),
    [
        ("import os; os.abort()", "HDF5's library crashed on it"),
        ("import time; time.sleep(60)", "was not done with it after 0.2 seconds"),
        ("print('[')", "crashed on it"),
    ],
)
def test_what_the_library_may_do(
    script: str, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    listing = tmp_path / "listing.py"
    listing.write_text(script)
    monkeypatch.setattr(hdf5_file, "_LISTING", listing)
    monkeypatch.setattr(hdf5_file, "SECONDS", 0.2 if "sleep" in script else 20)
    with pytest.raises(cr.UnreadableFile, match=said):
        cr.load_weights(perceptron(), KERAS / "deep.weights.h5")

"""What a model file is made of, and everything that may be wrong with one."""

from __future__ import annotations

import hashlib
import json
import pickle
import struct
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import safetensors.numpy

import chainrule as cr
from chainrule import saving
from chainrule.errors import InvalidSetting, UnreadableFile
from chainrule.saving.model_file_container import pieces, read

X, Y = cr.data.truth_table()


def trained() -> cr.NeuralNetwork:
    network = cr.NeuralNetwork(
        cr.Dense(4, "sigmoid"), cr.BatchNorm(), cr.Dense(1), seed=1, dtype="float64"
    )
    network.fit(X, Y, epochs=3, batch_size=2)
    return network


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    path = tmp_path_factory.mktemp("model") / "model.safetensors"
    return saving.save(trained(), path, {"classes": ["a", "ü"]}).read_bytes()


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    folder = tmp_path_factory.mktemp("checkpoints")
    network = cr.NeuralNetwork(cr.Dense(3, "tanh"), cr.Dense(1), seed=1)
    keeper = saving.Checkpoint(folder, steps=3)
    network.fit(X, Y, epochs=4, batch_size=2, callbacks=[keeper])
    return (folder / "step-00000006.safetensors").read_bytes()


def made(header: bytes, numbers: bytes = b"") -> bytes:
    return struct.pack("<Q", len(header)) + header + numbers


# --- the format ---------------------------------------------------------------------------------


def test_bytes_worked_out_by_hand() -> None:
    """Length of the header, header, numbers; BLAKE2b with zeros where its digits will stand."""
    content = b"".join(pieces("{}", {"a": np.array([1.5], np.float32)}))
    header = (
        '{"__metadata__":{"chainrule":"{}","checksum":"%s"},'
        '"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}'
    )
    blank = (header % ("0" * 64)).encode()
    blank += b" " * (-len(blank) % 8)
    number = bytes([0, 0, 0xC0, 0x3F])  # 1.5 = 2^0 x 1.1 in binary, the last byte first
    digits = hashlib.blake2b(made(blank, number), digest_size=32).hexdigest()
    assert content == made(blank.replace(b"0" * 64, digits.encode()), number)


def test_the_safetensors_package_reads_what_is_written(tmp_path: Path) -> None:
    arrays = {
        "a": np.arange(3, dtype=np.float32),
        "b": np.arange(6.0).reshape(2, 3),
        "c": np.array(3),
        "empty": np.empty((0, 2)),
        "turned": np.arange(6.0).reshape(2, 3).T,
    }
    path = tmp_path / "file"
    path.write_bytes(b"".join(pieces("text", arrays)))
    found = safetensors.numpy.load_file(path)
    assert {name: array.tolist() for name, array in found.items()} == {
        name: array.tolist() for name, array in arrays.items()
    }
    assert read(path).text == "text"
    assert all(np.array_equal(read(path).arrays[name], arrays[name]) for name in arrays)


def test_what_others_write_is_read_without_a_checksum(tmp_path: Path) -> None:
    path = tmp_path / "file"
    arrays = {"größe": np.arange(3.0), "b": np.arange(4, dtype=np.float32)}
    safetensors.numpy.save_file(arrays, path, metadata={"chainrule": "text"})
    found = read(path)
    assert not found.is_checked
    assert {name: array.tolist() for name, array in found.arrays.items()} == {
        name: array.tolist() for name, array in arrays.items()
    }


def test_the_same_network_gives_the_same_bytes(tmp_path: Path, model: bytes) -> None:
    again = saving.save(trained(), tmp_path / "again", {"classes": ["a", "ü"]})
    assert again.read_bytes() == model


def test_a_text_that_looks_like_the_checksum(tmp_path: Path) -> None:
    extra = {"a": f'"checksum":"{"0" * 64}"'}
    path = saving.save(trained(), tmp_path / "model", extra)
    assert saving.load(path).extra == extra


def test_too_much_beside_a_network(tmp_path: Path) -> None:
    for extra in ({"a": "x" * 5_000_000}, {"a": list(range(300_000))}):
        with pytest.raises(InvalidSetting, match="is too much for a model file"):
            saving.save(trained(), tmp_path / "model", extra)
    assert not list(tmp_path.iterdir())


# --- damage -------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["model", "checkpoint"])
@pytest.mark.parametrize("part", range(8))
def test_single_bits_that_flip(
    kind: str, part: int, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    """50 bits each, spread over the whole file: 400 of either kind."""
    content = request.getfixturevalue(kind)
    bits = np.random.default_rng(part).choice(8 * len(content), 50, replace=False)
    damaged, silent = tmp_path / "damaged", []
    for bit in bits.tolist():
        changed = bytearray(content)
        changed[bit // 8] ^= 1 << bit % 8
        damaged.write_bytes(changed)
        silent += [bit] if loads(damaged) else []
    assert silent == []


@pytest.mark.parametrize("kind", ["model", "checkpoint"])
def test_bits_of_the_first_bytes_and_of_the_checksum(
    kind: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    """Where the checksum itself stands, and what says that there is one."""
    content = request.getfixturevalue(kind)
    start = content.index(b'"checksum"')
    damaged = tmp_path / "damaged"
    for bit in (*range(0, 8 * 30, 3), *range(8 * start, 8 * (start + 80), 5)):
        changed = bytearray(content)
        changed[bit // 8] ^= 1 << bit % 8
        damaged.write_bytes(changed)
        assert not loads(damaged), bit


@pytest.mark.parametrize("kind", ["model", "checkpoint"])
def test_files_cut_off_anywhere(kind: str, request: pytest.FixtureRequest, tmp_path: Path) -> None:
    content = request.getfixturevalue(kind)
    lengths = np.random.default_rng(1).choice(len(content), 196, replace=False)
    for length in (0, 7, 8, len(content) - 1, *lengths.tolist()):
        (tmp_path / "cut").write_bytes(content[:length])
        assert not loads(tmp_path / "cut"), length


@pytest.mark.parametrize("kind", ["model", "checkpoint"])
@pytest.mark.parametrize("more", [b"\0", b" ", b"}", b"\xff" * 4096])
def test_bytes_after_the_end(
    kind: str, more: bytes, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    (tmp_path / "long").write_bytes(request.getfixturevalue(kind) + more)
    with pytest.raises(UnreadableFile, match="it goes on after its end"):
        saving.load(tmp_path / "long")


def test_a_checksum_that_was_taken_away(tmp_path: Path, model: bytes) -> None:
    """A file of format 2 without one is damaged, however well the rest fits."""
    (tmp_path / "model").write_bytes(model)
    found = read(tmp_path / "model")
    bare = tmp_path / "bare"
    safetensors.numpy.save_file(found.arrays, bare, metadata={"chainrule": found.text})
    with pytest.raises(UnreadableFile, match="its checksum is gone"):
        saving.load(bare)


@pytest.mark.parametrize("digits", ["", "0" * 63, "g" * 64, "0" * 64, 3, None])
def test_checksums_that_are_none(tmp_path: Path, digits: Any) -> None:
    header = json.dumps({"__metadata__": {"chainrule": "{}", "checksum": digits}})
    (tmp_path / "model").write_bytes(made(header.encode()))
    assert not loads(tmp_path / "model")


def loads(path: Path) -> bool:
    """Whether a file loads; it can be refused by one kind of error only."""
    try:
        saving.load(path)
    except UnreadableFile:
        return False
    return True


# --- files of other kinds -----------------------------------------------------------------------


def test_files_of_other_kinds_with_the_right_ending(tmp_path: Path) -> None:
    path = tmp_path / "model.safetensors"
    path.write_bytes(pickle.dumps({"weights": 1}))
    with pytest.raises(UnreadableFile, match="a pickle, which is never opened here"):
        saving.load(path)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("model.json", "{}")
    with pytest.raises(UnreadableFile, match="a zip archive"):
        saving.load(path)
    with path.open("wb") as file:
        np.save(file, np.zeros(3))
    with pytest.raises(UnreadableFile, match="a NumPy array"):
        saving.load(path)


# --- hostile headers; memory and time are measured in test_model_file_hostile.py -----------------


def entry(shape: Any, offsets: Any, dtype: Any = "F32", **more: Any) -> Any:
    return {"dtype": dtype, "shape": shape, "data_offsets": offsets, **more}


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"a": entry([1], [0, 4]), "b": entry([1], [0, 4])}, "its arrays overlap"),
        ({"a": entry([2], [0, 8]), "b": entry([1], [4, 8])}, "its arrays overlap"),
        ({"a": entry([1], [4, 8])}, "or there are gaps between them"),
        ({"a": entry([3], [0, 12])}, "it was cut off: its arrays take 12 bytes"),
        ({"a": entry([1], [0, 4])}, "it goes on after its end"),
        ({"a": entry([2**62, 8], [0, 8])}, "does not fit its place"),
        ({"a": entry([2**32, 2**32], [0, 0])}, "does not fit its place"),
        ({"a": entry([2**63], [0, 8])}, "is not a whole number"),
        ({"a": entry([10**12], [0, 4 * 10**12])}, "it was cut off"),
        ({"a": entry([-1, -2], [0, 8])}, "is not a whole number"),
        ({"a": entry([2.0], [0, 8])}, "is not a whole number"),
        ({"a": entry([True, 2], [0, 8])}, "is not a whole number"),
        ({"a": entry([2], [8, 0])}, "does not fit its place"),
        ({"a": entry([2], [-8, 0])}, "is not a whole number"),
        ({"a": entry([2], [0, 8, 8])}, "a damaged one"),
        ({"a": entry([2], [0])}, "a damaged one"),
        ({"a": entry("2", [0, 8])}, "is described wrongly"),
        ({"a": entry([1] * 33 + [2], [0, 8])}, "is described wrongly"),
        ({"a": entry([2], [0, 8], "F16")}, "a damaged one"),
        ({"a": entry([2], [0, 8], ["F32"])}, "a damaged one"),
        ({"a": entry([2], [0, 8], more=1)}, "is described wrongly"),
        ({"a": 3}, "a damaged one"),
        ({"a": None}, "a damaged one"),
    ],
)
def test_arrays_that_lie_about_their_place(tmp_path: Path, arrays: Any, message: str) -> None:
    header = json.dumps({"__metadata__": {"chainrule": "{}"}, **arrays})
    (tmp_path / "model").write_bytes(made(header.encode(), bytes(8)))
    with pytest.raises(UnreadableFile, match=message):
        saving.load(tmp_path / "model")


@pytest.mark.parametrize(
    ("header", "message"),
    [
        (b"", "a damaged one"),
        (b"[]", "its header is no JSON object"),
        (b"3", "its header is no JSON object"),
        (b"{", "a damaged one"),
        (b"\xff\xfe", "a damaged one"),
        (b'{"__metadata__": 3}', "a damaged one"),
        (b'{"__metadata__": {"chainrule": 3}}', "chainrule did not write it"),
        (b'{"__metadata__": {}}', "chainrule did not write it"),
        (b"{}", "chainrule did not write it"),
        (b'{"a": 1, "a": 1}', "the key 'a' stands twice"),
        (b'{"__metadata__": {"chainrule": "{}", "chainrule": "{}"}}', "stands twice"),
        (b'{"a": NaN}', "it holds NaN"),
        (b'{"a": 1e400}', "it holds 1e400"),
        (b'{"a": ' + b"1" * 5000 + b"}", "a damaged one"),
        (b"[" * 100_000, "nested too deeply"),
        (b'{"a":' * 50_000, "nested too deeply"),
        (b"[" + b"[]," * 120_000, "more than 200,000 parts"),
    ],
)
def test_headers_that_are_none(tmp_path: Path, header: bytes, message: str) -> None:
    (tmp_path / "model").write_bytes(made(header))
    with pytest.raises(UnreadableFile, match=message):
        saving.load(tmp_path / "model")


@pytest.mark.parametrize("name", ["../weights", "/etc/passwd", "..\\weights", "a\0b", "\ud800"])
def test_names_are_never_paths(tmp_path: Path, name: str, model: bytes) -> None:
    (tmp_path / "model").write_bytes(model)
    found = read(tmp_path / "model")
    arrays = found.arrays | {name: np.zeros(2)}
    (tmp_path / "model").write_bytes(b"".join(pieces(found.text, arrays)))
    with pytest.raises(UnreadableFile, match="the network needs the shape None for"):
        saving.load(tmp_path / "model")
    assert [path.name for path in tmp_path.iterdir()] == ["model"]


@pytest.mark.parametrize(
    "name", ["os.system", "builtins.eval", "__class__", "Dense", "../dense", "dense.Dense"]
)
def test_only_what_is_registered_is_built(tmp_path: Path, name: str, model: bytes) -> None:
    (tmp_path / "model").write_bytes(model)
    found = read(tmp_path / "model")
    text = found.text.replace('"name": "dense"', f'"name": "{name}"')
    (tmp_path / "model").write_bytes(b"".join(pieces(text, found.arrays)))
    with pytest.raises(UnreadableFile, match="There is no layer called"):
        saving.load(tmp_path / "model")

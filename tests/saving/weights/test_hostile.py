"""Files made to do harm: refused in one sentence, at once, and without taking memory."""

from __future__ import annotations

import io
import json
import struct
import sys
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from saving.hostile import Opener
from saving.weights.files import KERAS, raw

from chainrule.saving.weights import hdf5_file, hdf5_listing

OPENING = """
def opened(path):
    if path.endswith(".keras"):
        return cr.from_keras(path)
    return cr.load_weights(cr.NeuralNetwork(cr.Dense(2), inputs=3), path)
"""


@pytest.fixture(scope="module")
def opener() -> Iterator[Opener]:
    with Opener(OPENING, KERAS / "double.keras") as process:
        yield process


def tensors(*entries: tuple[str, list[int], int, int], numbers: bytes = bytes(32)) -> bytes:
    """A state dict whose arrays say of themselves what they like."""
    header = {
        f"{number}.weight": {"dtype": dtype, "shape": shape, "data_offsets": [start, stop]}
        for number, (dtype, shape, start, stop) in enumerate(entries)
    }
    return raw(header, numbers)


def weights(fill: Callable[[h5py.File], object]) -> bytes:
    """An HDF5 file."""
    file = io.BytesIO()
    with h5py.File(file, "w") as root:
        fill(root)
    return file.getvalue()


def linked(link: Any) -> bytes:
    return weights(lambda root: root.__setitem__("layers/dense/vars/0", link))


def circle(root: h5py.File) -> None:
    group = root.create_group("layers/dense")
    group["again"] = root["layers"]


def deep(root: h5py.File) -> None:
    root.create_group("/".join("a" * 400))


def elsewhere(root: h5py.File) -> None:
    root.create_dataset("layers/dense/vars/0", (3, 2), "f4", external=[("/etc/hostname", 0, 24)])


def virtual(root: h5py.File) -> None:
    layout = h5py.VirtualLayout((3, 2), "f4")
    layout[:] = h5py.VirtualSource("/etc/hostname", "x", (3, 2))
    root.create_virtual_dataset("layers/dense/vars/0", layout)
    root["layers/dense/vars/1"] = np.ones(2, np.float32)


def never_written(root: h5py.File) -> None:
    root.create_dataset("layers/dense/vars/0", (2**20, 2**20), "f4")
    root["layers/dense/vars/1"] = np.ones(2, np.float32)


def compressed_zeros(root: h5py.File) -> None:
    """Two billion numbers in some kilobytes: its pieces are not there."""
    root.create_dataset("layers/dense/vars/0", (3, 2), "f4", chunks=(3, 2), compression="gzip")
    root.create_dataset("layers/dense/vars/1", (2**31,), "f4", chunks=(2**20,), compression="gzip")


def good(root: h5py.File) -> None:
    root["layers/dense/vars/0"] = np.ones((3, 2), np.float32)
    root["layers/dense/vars/1"] = np.ones(2, np.float32)


def network(layers: Any) -> dict[str, Any]:
    first = {"class_name": "InputLayer", "config": {"name": "x", "batch_shape": [None, 3]}}
    return {"class_name": "Sequential", "config": {"name": "s", "layers": [first, *layers]}}


def dense(units: Any) -> dict[str, Any]:
    return {"class_name": "Dense", "config": {"name": "d", "units": units}}


def within(depth: int) -> bytes:
    """Networks inside of one another; as text, because json does not write them either."""
    before, after = json.dumps(network(["HERE"])).split('"HERE"')
    return (before * depth + json.dumps(dense(2)) + after * depth).encode()


def archive(config: Any = None, fill: Callable[[h5py.File], object] = good, **more: bytes) -> bytes:
    """A .keras file; further files by name, where "_" is "/" and "DOT" is "."."""
    file = io.BytesIO()
    text = json.dumps(network([dense(2)]) if config is None else config)
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as zipped:
        files = {"config.json": text.encode(), "model.weights.h5": weights(fill)}
        for name, content in (files | more).items():
            zipped.writestr(name, content)
    return file.getvalue()


def lying() -> bytes:
    """An archive whose list says that a file is small, which it is not."""
    whole = bytearray(archive(**{"config.json": b"[" + b" " * 2**26 + b"]"}))
    for place, at in ((whole.find(b"PK\x01\x02"), 24), (whole.find(b"PK\x03\x04"), 22)):
        whole[place + at : place + at + 4] = struct.pack("<I", 100)
    return bytes(whole)


def crowd() -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as zipped:
        for number in range(2000):
            zipped.writestr(f"{number}", b"")
    return file.getvalue()


def twice() -> bytes:
    return archive(**{"kodfig.json": b"{}"}).replace(b"kodfig.json", b"config.json")


HOSTILE: dict[str, tuple[str, Callable[[], bytes], str]] = {
    "a header of 2 GB": (
        "safetensors",
        lambda: struct.pack("<Q", 2**31) + b"{}" + bytes(99),
        "holds no weights that are known here, or it is damaged",
    ),
    "a header of 30 MB": (
        "safetensors",
        lambda: raw(b"{" + b" " * 30_000_000 + b"}"),
        "expected at most 16 MB",
    ),
    "a header of lists": (
        "safetensors",
        lambda: raw(b'{"a":[' + b"[]," * 1_300_000 + b"[]]}"),
        "more than 200,000 parts",
    ),
    "a header of brackets": (
        "safetensors",
        lambda: raw(b'{"a":' + b"[" * 190_000),
        "nested too deeply",
    ),
    "an integer of a million digits": (
        "safetensors",
        lambda: raw(b'{"a": ' + b"9" * 1_000_000 + b"}"),
        "Exceeds the limit",
    ),
    "a name twice": ("safetensors", lambda: raw(b'{"a":{},"a":{}}'), "stands twice"),
    "an array that overlaps": (
        "safetensors",
        lambda: tensors(("F32", [4], 0, 16), ("F32", [4], 8, 24)),
        "its arrays overlap",
    ),
    "an array beyond the end": (
        "safetensors",
        lambda: tensors(("F32", [4], 2**40, 2**40 + 16)),
        "it was cut off",
    ),
    "a shape of terabytes": (
        "safetensors",
        lambda: tensors(("F32", [2**40], 0, 16)),
        "does not fit its place",
    ),
    "a shape whose product overflows": (
        "safetensors",
        lambda: tensors(("F64", [2**33, 2**33], 0, 0)),
        "does not fit its place",
    ),
    "a shape of a thousand axes": (
        "safetensors",
        lambda: tensors(("F32", [1] * 1000, 0, 4)),
        "sizes that are no whole numbers",
    ),
    "a negative size": ("safetensors", lambda: tensors(("F32", [-4], 0, 16)), "no whole numbers"),
    "an end before the beginning": (
        "safetensors",
        lambda: tensors(("F32", [4], 16, 0)),
        "ends before it begins",
    ),
    "an unknown type": ("safetensors", lambda: tensors(("F3", [4], 0, 16)), "unknown type 'F3'"),
    "NaN among eight million": (
        "safetensors",
        lambda: raw(
            {
                "weight": {"dtype": "F32", "shape": [2, 3], "data_offsets": [0, 24]},
                "bias": {"dtype": "F32", "shape": [2], "data_offsets": [24, 32]},
            },
            np.array([np.nan] * 8, "<f4").tobytes(),
        ),
        "holds NaN or infinity",
    ),
    "a soft link": (
        "weights.h5",
        lambda: linked(h5py.SoftLink("/somewhere")),
        "'layers/dense/vars/0' links to another place or file; links are refused",
    ),
    "a link to another file": (
        "weights.h5",
        lambda: linked(h5py.ExternalLink("/etc/hostname", "/x")),
        "links to another place or file",
    ),
    "a group in itself": ("weights.h5", lambda: weights(circle), "stands at two places"),
    "groups 400 deep": ("weights.h5", lambda: weights(deep), "more than 50 deep"),
    "numbers in another file": (
        "weights.h5",
        lambda: weights(elsewhere),
        "stand in another file, which is refused",
    ),
    "numbers out of other files": (
        "weights.h5",
        lambda: weights(virtual),
        "is stored compressed or in pieces",
    ),
    "a shape of terabytes in HDF5": (
        "weights.h5",
        lambda: weights(never_written),
        "kernel (1048576, 1048576)",
    ),
    "gigabytes of compressed zeros": (
        "weights.h5",
        lambda: weights(compressed_zeros),
        "bias (2147483648,)",
    ),
    "an HDF5 file cut off": (
        "weights.h5",
        lambda: weights(good)[:1000],
        "it is no HDF5 file, or a damaged one",
    ),
    "nothing but a signature": (
        "weights.h5",
        lambda: hdf5_file.SIGNATURE + bytes(5000),
        "it is no HDF5 file, or a damaged one",
    ),
    "a configuration of 64 MB of blanks": (
        "keras",
        lambda: archive(**{"config.json": b"[" + b" " * 2**26 + b"]"}),
        "config.json in it would have",
    ),
    "weights of 64 MB of zeros": (
        "keras",
        lambda: archive(**{"model.weights.h5": bytes(64 * 2**20)}),
        "model.weights.h5 in it would have",
    ),
    "an archive that lies about a size": ("keras", lying, "damaged archive"),
    "2,000 files": ("keras", crowd, "an archive of more than 1,000 files"),
    "a name twice in an archive": ("keras", twice, "two files called 'config.json'"),
    "a way out of the archive": (
        "keras",
        lambda: archive(**{"../../escape": b""}),
        "'../../escape', which leads out of it",
    ),
    "an absolute name": (
        "keras",
        lambda: archive(**{"/etc/passwd": b""}),
        "'/etc/passwd', which leads out of it",
    ),
    "an archive without a network": (
        "keras",
        lambda: archive(**{"config.json": b"{"}),
        "config.json in it is damaged",
    ),
    "a model of PyTorch": (
        "keras",
        lambda: archive(**{"m/data.pkl": b""}).replace(b"config.json", b"confug.json"),
        "It is PyTorch's own file, a pickle",
    ),
    "weights that are none": (
        "keras",
        lambda: archive(**{"model.weights.h5": b"\x80\x04."}),
        "the weights in it are no HDF5 file",
    ),
    "a layer of terabytes": (
        "keras",
        lambda: archive(network([dense(10**12)])),
        "needs kernel (3, 1000000000000)",
    ),
    "a layer of 10^300 numbers": (
        "keras",
        lambda: archive(network([dense(10**300)])),
        "needs kernel (3, 1000000",
    ),
    "networks within networks": (
        "keras",
        lambda: archive(**{"config.json": within(2000)}),
        "nested too deeply",
    ),
    "a class that runs code": (
        "keras",
        lambda: archive(
            network([{"class_name": "Lambda", "module": "os", "config": {"function": "system"}}])
        ),
        "(Lambda) is of a kind that cannot be built here",
    ),
}


@pytest.mark.skipif(sys.platform != "linux", reason="needs RLIMIT_AS and /proc")
@pytest.mark.parametrize("what", HOSTILE)
def test_hostile_files(what: str, opener: Opener, tmp_path: Path) -> None:
    ending, make, said = HOSTILE[what]
    path = tmp_path / f"hostile.{ending}"
    path.write_bytes(make())
    told, seconds = opener.told(path)
    assert told.startswith(("UnreadableFile: ", "InvalidShape: ")), told
    assert said in told
    assert seconds < 1


# --- what the other process answers, seen from inside -------------------------------------------


@pytest.mark.parametrize("what", [w for w in HOSTILE if HOSTILE[w][0] == "weights.h5"])
def test_listings(what: str) -> None:
    """It refuses, or lists what cannot be read without saying where it stands."""
    _, make, said = HOSTILE[what]
    found = hdf5_listing.answer(make())
    if "tensors" in found:
        assert any(place is None for _, _, _, place, _ in found["tensors"])
    else:
        assert "damaged" in found or said in found["refused"]


def test_a_crowd_of_groups(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hdf5_listing, "MOST_OBJECTS", 3)
    assert "more than 3 groups and arrays" in hdf5_listing.answer(weights(good))["refused"]


def test_arrays_without_numbers() -> None:
    content = weights(lambda root: root.create_dataset("a", (0, 4), "f8"))
    assert hdf5_listing.answer(content)["tensors"] == [["a", "float64", [0, 4], [0, 0], True]]
    assert hdf5_file.read_hdf5(content).tensors[0].count == 0

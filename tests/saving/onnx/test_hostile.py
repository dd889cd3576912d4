"""Damaged, huge and hostile files: one sentence, at once, and nothing is loaded."""

from __future__ import annotations

import gc
import os
import random as dice
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from conftest import FULL_SWEEP
from onnx import TensorProto
from saving.onnx.graphs import node, random, save
from saving.onnx.runners import by_onnxruntime, relative_error

import chainrule as cr
from chainrule.errors import UnreadableFile
from chainrule.saving import from_onnx, to_onnx

MEGABYTES = 1_000_000


@pytest.fixture
def model(tmp_path: Path) -> Path:
    network = cr.NeuralNetwork(
        cr.Conv2D(3, 3, cr.PReLU(), padding="same"),
        cr.Residual(cr.Conv2D(3, 1), cr.BatchNorm(), activation="gelu"),
        cr.MaxPool2D(),
        cr.GroupNorm(3),
        cr.Flatten(),
        cr.Dense(3),
        loss="softmax_cross_entropy",
        inputs=(4, 4, 2),
    )
    return to_onnx(network, tmp_path / "model.onnx")


def refused(path: Path, said: str) -> None:
    with pytest.raises(UnreadableFile, match=said) as caught:
        from_onnx(path)
    assert "\n" not in str(caught.value)


# --- damaged --------------------------------------------------------------------------------------


def test_what_is_no_file(tmp_path: Path) -> None:
    refused(tmp_path / "none.onnx", "none.onnx cannot be loaded: there is no such file")
    refused(tmp_path, "it is a folder or a device; expected a file")


@pytest.mark.skipif(not Path("/dev/zero").exists(), reason="this system has no such device")
def test_a_device_without_end() -> None:
    refused(Path("/dev/zero"), "it is a folder or a device")


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\x08",
        b"PK\x03\x04" + bytes(40),
        b"a,b\n1,2\n",
        b"\x80\x04\x95junk.",
        bytes(99),
        b"\x0b",
    ],
)
def test_files_of_another_kind(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "m.onnx").write_bytes(content)
    refused(tmp_path / "m.onnx", "is not an ONNX file, or a damaged one|is cut off")


def test_a_file_that_cannot_be_opened(model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(self: Path) -> bytes:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "read_bytes", refuse)
    refused(model, r"it cannot be opened \(Permission denied\)")


def test_every_file_that_is_cut_off(model: Path) -> None:
    whole = model.read_bytes()
    for length in range(0, len(whole), 7):
        model.write_bytes(whole[:length])
        with pytest.raises(UnreadableFile):
            from_onnx(model)


def test_random_damage_is_read_as_what_it_says_or_refused(model: Path) -> None:
    """No error but UnreadableFile, whatever the bytes. (ONNX has no checksum to find all.)"""
    whole, random_numbers = model.read_bytes(), dice.Random(0)  # noqa: S311  not a secret
    refusals = 0
    for _ in range(20_000 if FULL_SWEEP else 400):
        damaged = bytearray(whole)
        for _ in range(random_numbers.choice((1, 1, 2, 5))):
            damaged[random_numbers.randrange(len(damaged))] = random_numbers.randrange(256)
        model.write_bytes(damaged)
        try:
            from_onnx(model)
        except UnreadableFile:
            refusals += 1
    assert refusals > 100


# --- constants that lie ---------------------------------------------------------------------------


def with_constant(path: Path, tensor: Any) -> Path:
    """A graph x W whose matrix is that tensor."""
    save(path, [node("MatMul", "x w", "y")], [4], {"w": random(4, 2)})
    whole = onnx.load(path)
    tensor.name = "w"
    whole.graph.initializer[0].CopyFrom(tensor)
    path.write_bytes(whole.SerializeToString())
    return path


@pytest.mark.parametrize(
    ("shape", "said"),
    [
        ([4, 3], r"should have the shape \(4, 3\), 12 numbers, and holds 8"),
        ([1 << 40, 1 << 40], r"has a shape \(1099511627776, 1099511627776\) or parts"),
        ([8] + [1] * 70, r"has a shape \(8, 1, .*\) or parts"),
        ([-4, -2], r"has a shape \(-4, -2\) or parts"),
        ([0, 1 << 50, 1 << 50], r"has a shape \(0, 1125899906842624, 1125899906842624\) or parts"),
        ([0, 2], r"should have the shape \(0, 2\), 0 numbers, and holds 8"),
    ],
)
@pytest.mark.parametrize("raw", [False, True])
def test_shapes_that_do_not_fit(shape: list[int], said: str, raw: bool, tmp_path: Path) -> None:
    tensor = TensorProto(data_type=TensorProto.FLOAT, dims=shape)
    if raw:
        tensor.raw_data = random(4, 2).tobytes()
    else:
        tensor.float_data.extend(range(8))
    refused(with_constant(tmp_path / "m.onnx", tensor), said)


def test_raw_bytes_that_are_no_whole_numbers(tmp_path: Path) -> None:
    tensor = TensorProto(data_type=TensorProto.FLOAT, dims=[4, 2], raw_data=bytes(31))
    refused(with_constant(tmp_path / "m.onnx", tensor), "8 numbers, and holds 7.75")


def test_sparse_constants(model: Path) -> None:
    whole = onnx.load(model)
    whole.graph.sparse_initializer.add()
    model.write_bytes(whole.SerializeToString())
    refused(model, "it holds sparse constants")


# --- files beside it ------------------------------------------------------------------------------


def external(path: Path, **entries: str) -> Path:
    tensor = TensorProto(data_type=TensorProto.FLOAT, dims=[4, 2])
    tensor.data_location = TensorProto.EXTERNAL
    for key, value in entries.items():
        tensor.external_data.add(key=key, value=value)
    return with_constant(path, tensor)


def test_numbers_in_a_file_beside_it(tmp_path: Path) -> None:
    (tmp_path / "parts").mkdir()
    (tmp_path / "parts" / "m.data").write_bytes(bytes(8) + random(4, 2).tobytes())
    path = external(tmp_path / "m.onnx", location="parts/m.data", offset="8", length="32")
    x = random(3, 4)
    assert relative_error(from_onnx(path).predict(x), x @ random(4, 2)) < 1e-6
    assert relative_error(from_onnx(path).predict(x), by_onnxruntime(path, x)) < 1e-6


@pytest.mark.parametrize(
    "location",
    ["../m.data", "a/../../m.data", "/etc/hostname", "C:/m.data", "..\\m.data", "link", ""],
)
def test_files_outside_of_the_folder_are_not_opened(location: str, tmp_path: Path) -> None:
    inside = tmp_path / "inside"
    inside.mkdir()
    (tmp_path / "m.data").write_bytes(bytes(32))
    (inside / "link").symlink_to(tmp_path / "m.data")
    path = external(inside / "m.onnx", location=location)
    refused(path, "outside of the model's folder; such files are not opened")


@pytest.mark.parametrize(
    ("entries", "said"),
    [
        ({"location": "none.data"}, "there is no such file. Copy it there"),
        ({"location": "m.data", "offset": "20"}, r"from byte 20 on and has 40"),
        ({"location": "m.data", "length": "31"}, r"takes 32 bytes"),
        ({"location": "m.data", "offset": "-8"}, r"from byte -8 on"),
        ({"location": "m.data", "offset": "x"}, r"which cannot be read \(invalid literal"),
        ({"location": "m.data\0"}, r"which cannot be read \(embedded null"),
        ({"location": "n" * 5000}, r"which cannot be read \(.*name too long"),
    ],
)
def test_files_beside_it_that_do_not_fit(
    entries: dict[str, str], said: str, tmp_path: Path
) -> None:
    (tmp_path / "m.data").write_bytes(bytes(40))
    refused(external(tmp_path / "m.onnx", **entries), said)


# --- bombs ----------------------------------------------------------------------------------------

LENGTH = 2  # the wire type of what has a length


def field(number: int, content: bytes) -> bytes:
    """Write one field of a protocol buffer, with its length."""
    found, length = bytearray([number << 3 | LENGTH]), len(content)
    while length > 127:
        found.append(length & 127 | 128)
        length >>= 7
    return bytes(found) + bytes([length]) + content


def nested(depth: int) -> bytes:
    """Graphs in attributes of nodes of graphs in attributes ..."""
    content = b""
    for _ in range(depth):
        content = field(1, field(5, field(6, content)))
    return field(7, content)


BOMBS = {
    "empty nodes": (lambda: field(7, field(1, b"") * 5_000_000), "far more small parts"),
    "empty names": (lambda: field(7, field(1, field(1, b"") * 5_000_000)), "far more small parts"),
    "packed numbers": (
        lambda: field(7, field(5, field(7, bytes(30 * MEGABYTES)))),
        "far more small parts",
    ),
    "depth": (lambda: nested(500), "lie inside one another more than 64 deep"),
    "a length of two gigabytes": (lambda: b"\x3a\xff\xff\xff\xff\x07", "is cut off"),
    "a length without end": (lambda: b"\x3a" + b"\xff" * 30, "not an ONNX file"),
    "names that are no text": (lambda: field(2, b"\xff\xfe"), "a name in it is no text"),
}


@pytest.mark.parametrize("name", BOMBS)
def test_bombs_are_refused_in_little_time(name: str, tmp_path: Path) -> None:
    make, said = BOMBS[name]
    path = tmp_path / "m.onnx"
    path.write_bytes(make())
    # Processor time, whatever else the machine does; tracing for coverage takes several times it.
    most = 1 if sys.gettrace() is None else 10
    gc.freeze()  # what thousands of other tests have left is not to be looked through
    started = time.process_time()
    refused(path, said)
    taken = time.process_time() - started
    gc.unfreeze()
    assert taken < most


def test_very_many_nodes(tmp_path: Path) -> None:
    nodes = [node("Relu", f"h{i}", f"h{i + 1}") for i in range(10_001)]
    refused(save(tmp_path / "m.onnx", nodes, [3]), "it has 10,001 nodes; expected at most 10,000")


def test_constants_that_grow(tmp_path: Path) -> None:
    nodes = [node("Constant", "", "c0", value_floats=[0.5] * 1000)]
    nodes += [node("Concat", f"c{i} c{i}", f"c{i + 1}", axis=0) for i in range(40)]
    path = save(tmp_path / "m.onnx", [*nodes, node("Add", "x c40", "y")], [3])
    refused(path, "puts large constants together")
    nodes = [node("Cast", "w", f"c{i}", to=11) for i in range(60)]
    nodes += [node("Add", f"s{i} c{i}", f"s{i + 1}") for i in range(60)]
    constants = {"w": random(1_000_000), "s0": np.float64(0)}
    path = save(tmp_path / "m.onnx", [*nodes, node("Add", "x s60", "y")], [1_000_000], constants)
    refused(path, "would become many times as large as they are")


def test_blocks_inside_blocks_without_end(tmp_path: Path) -> None:
    """Each sum goes around everything before it."""
    nodes = []
    for i in range(900):
        nodes.append(node("Tanh", "x" if i == 0 else f"s{i}", f"t{i}"))
        nodes.append(node("Add", f"t{i} x", f"s{i + 1}"))
    nodes.append(node("Relu", "s900", "y"))
    refused(save(tmp_path / "m.onnx", nodes, [3]), "blocks lie inside one another too deep")


MEMORY = """
import resource, sys
import numpy, onnx, google.protobuf.message
from chainrule.errors import UnreadableFile
from chainrule.saving import from_onnx
from chainrule.saving.onnx import from_onnx
used = int(open("/proc/self/statm").read().split()[0]) * resource.getpagesize()
resource.setrlimit(resource.RLIMIT_AS, (used + int(sys.argv[2]),) * 2)
try:
    from_onnx(sys.argv[1])
except UnreadableFile as error:
    print(error)
"""


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="needs Linux's /proc")
@pytest.mark.parametrize("name", ["empty nodes", "packed numbers", "a shape", "external"])
def test_refusals_take_little_memory(name: str, tmp_path: Path) -> None:
    """At most twice the file's size and 50 MB, by the kernel's own limit."""
    path = tmp_path / "m.onnx"
    if name in BOMBS:
        path.write_bytes(BOMBS[name][0]())
    elif name == "a shape":
        content = bytes(20 * MEGABYTES)
        with_constant(path, TensorProto(data_type=1, dims=[1 << 30, 1 << 10], raw_data=content))
    else:
        with (tmp_path / "m.data").open("wb") as data:
            data.truncate(1 << 40)  # a terabyte that takes no room
        external(path, location="m.data", offset=str(1 << 39), length=str(1 << 38))
    limit = 2 * path.stat().st_size + 50 * MEGABYTES
    told = subprocess.run(
        [sys.executable, "-c", MEMORY, str(path), str(limit)],
        check=True,
        capture_output=True,
        text=True,
        env={**os.environ, "OPENBLAS_NUM_THREADS": "1"},
    )
    assert "cannot be loaded" in told.stdout

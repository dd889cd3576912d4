"""Hostile files are refused in under a second and under twice their size plus 50 MB of memory."""

from __future__ import annotations

import json
import struct
import sys
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from saving.hostile import Opener

import chainrule as cr
from chainrule import saving
from chainrule.saving.model_file_container import pieces, read

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="needs RLIMIT_AS and /proc")


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    network = cr.NeuralNetwork(cr.Dense(4, "relu"), cr.Dense(1), inputs=3)
    return saving.save(network, tmp_path_factory.mktemp("model") / "model.safetensors")


@pytest.fixture(scope="module")
def opener(model: Path) -> Iterator[Opener]:
    with Opener("opened = cr.load", model) as process:
        yield process


def raw(header: bytes, numbers: bytes = b"") -> bytes:
    return struct.pack("<Q", len(header)) + header + numbers


def described(change: Callable[[Any], None], arrays: Any = None) -> Callable[[Path], bytes]:
    """Return what makes a file with a right checksum and another description."""

    def make(model: Path) -> bytes:
        found = read(model)
        content = json.loads(found.text)
        change(content)
        return b"".join(pieces(json.dumps(content), found.arrays if arrays is None else arrays))

    return make


OURS = {"__metadata__": {"chainrule": "{}"}}


def layer(name: str, **settings: Any) -> dict[str, Any]:
    return {"family": "layer", "name": name, "settings": settings}


def zip_bomb(model: Path) -> bytes:
    path = model.with_name("bomb")
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("weights.npy", bytes(200 * 2**20))
    return path.read_bytes()


def large(change: Callable[[np.ndarray], object]) -> Callable[[Path], bytes]:
    """Return what makes a model of 32 MB whose weights were changed before its checksum."""

    def make(model: Path) -> bytes:
        network = cr.NeuralNetwork(
            cr.Dense(2048, use_bias=False, weights_initializer="zeros"), inputs=4096
        )
        path = saving.save(network, model.with_name("large"))
        found = read(path)
        arrays = {name: array.copy() for name, array in found.arrays.items()}
        change(arrays["layer 1 weights"])
        return b"".join(pieces(found.text, arrays))

    return make


def nested(depth: int) -> Any:
    found: Any = {"family": "activation", "name": "relu", "settings": {}}
    for _ in range(depth):
        found = layer("residual", layers=[found])
    return found


BILLIONS = [{"family": "activation", "name": "relu", "settings": {}}] + [
    layer("residual", layers=[{"same": number}, {"same": number}]) for number in range(60)
]

HOSTILE: dict[str, Callable[[Path], bytes]] = {
    "a header of 2 GB": lambda _: struct.pack("<Q", 2**31) + b"{}" + bytes(100),
    "a header of 2^64 bytes": lambda _: b"\xff" * 8 + b"{}",
    "a header of 4 MB of lists": lambda _: raw(b"[" + b"[]," * 1_300_000 + b"[]]"),
    "a header of 4 MB of keys": lambda _: raw(
        b"{" + b",".join(b'"%d":{}' % number for number in range(300_000)) + b"}"
    ),
    "a text of 4 MB in four bytes each": lambda _: raw(
        '{{"__metadata__":{{"chainrule":"{}😀"}}}}'.format("a" * 4_100_000).encode()
    ),
    "as many parts as are allowed": lambda _: raw(b"[" + b"{}," * 99_000 + b"{}]"),
    "a million brackets": lambda _: raw(b"[" * 190_000),
    "an integer of 4 million digits": lambda _: raw(b'{"a": ' + b"9" * 4_100_000 + b"}"),
    "a shape of terabytes": lambda _: raw(
        json.dumps(
            {**OURS, "a": {"dtype": "F64", "shape": [2**40], "data_offsets": [0, 2**43]}}
        ).encode(),
        bytes(8),
    ),
    "a shape whose product overflows": lambda _: raw(
        json.dumps(
            {**OURS, "a": {"dtype": "F64", "shape": [2**33, 2**33], "data_offsets": [0, 8]}}
        ).encode(),
        bytes(8),
    ),
    "a layer of terabytes": described(
        lambda c: c["network"]["layers"][0]["settings"].update(outputs=10**12)
    ),
    "a layer of 10^300 numbers": described(
        lambda c: c["network"]["layers"][0]["settings"].update(outputs=10**300)
    ),
    "an image of 10^18 pixels": described(
        lambda c: c["network"].update(
            layers=[layer("flatten"), layer("dense", outputs=1)], input_shape=[10**9, 10**9, 3]
        )
    ),
    "an enlargement by 10^9": described(
        lambda c: c["network"].update(
            layers=[layer("up_sample", factor=10**9), layer("flatten"), layer("dense", outputs=1)],
            input_shape=[2, 2, 1],
        )
    ),
    "more dimensions than there are": described(
        lambda c: c["network"].update(input_shape=[1] * 60_000)
    ),
    "layers within layers": described(lambda c: c["network"].update(layers=[nested(300)])),
    "layers within layers, deeper": described(lambda c: c["network"].update(layers=[nested(80)])),
    "layers used billions of times": described(lambda c: c["network"].update(layers=BILLIONS)),
    "60,000 layers": described(
        lambda c: c["network"].update(
            layers=[{"family": "activation", "name": "relu", "settings": {}}]
            + [{"same": 0}] * 60_000
        )
    ),
    "an array nobody needs": described(lambda c: None, {"a": np.zeros(2**21)}),
    "NaN among 8 million weights": large(lambda weights: weights.__setitem__((-1, -1), np.nan)),
    "infinity among 8 million weights": large(lambda weights: weights.fill(np.inf)),
    "a zip that would be 200 MB": zip_bomb,
    "zeros": lambda _: bytes(2**20),
    "nothing": lambda _: b"",
}

TOLD = {  # what stops each
    "a header of 2 GB": "one that was cut off",
    "a header of 2^64 bytes": "one that was cut off",
    "a header of 4 MB of lists": "more than 200,000 parts",
    "a header of 4 MB of keys": "more than 200,000 parts",
    "a text of 4 MB in four bytes each": "its description is damaged",
    "as many parts as are allowed": "its header is no JSON object",
    "a million brackets": "nested too deeply",
    "an integer of 4 million digits": "Exceeds the limit",
    "a shape of terabytes": "was cut off",
    "a shape whose product overflows": "does not fit its place",
    "a layer of terabytes": "needs the shape (1000000000000,)",
    "a layer of 10^300 numbers": "needs the shape (1000000",
    "an image of 10^18 pixels": "needs the shape None",
    "an enlargement by 10^9": "needs the shape None",
    "more dimensions than there are": "described wrongly",
    "layers within layers": "maximum recursion depth",
    "layers within layers, deeper": "needs the shape None",
    "layers used billions of times": "more than 100,000 parts",
    "60,000 layers": "needs the shape None",
    "an array nobody needs": "needs the shape None",
    "NaN among 8 million weights": "does not hold finite numbers",
    "infinity among 8 million weights": "does not hold finite numbers",
    "a zip that would be 200 MB": "a zip archive",
    "zeros": "is not a model file",
    "nothing": "one that was cut off",
}


@pytest.mark.parametrize("what", HOSTILE)
def test_hostile_files(what: str, model: Path, opener: Opener, tmp_path: Path) -> None:
    path = tmp_path / "hostile.safetensors"
    path.write_bytes(HOSTILE[what](model))
    told, seconds = opener.told(path)
    assert told.startswith("UnreadableFile: "), told
    assert TOLD[what] in told
    assert seconds < 1

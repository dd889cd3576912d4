"""Whatever stands in a file, it loads or is refused by one kind of error.

Hypothesis changes files on three levels: bytes, the header, and the JSON of network, training and
checkpoint, the last two with a right checksum, so that what lies behind it is reached.
CHAINRULE_FUZZ=100000 makes so many of each; docs/reliability.md has the figures.
"""

from __future__ import annotations

import contextlib
import copy
import json
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import chainrule as cr
from chainrule import saving
from chainrule.errors import InvalidInput, UnreadableFile
from chainrule.saving.model_file_container import pieces, read

X, Y = np.arange(24.0).reshape(12, 2) / 24, np.arange(12) % 3
many = settings(
    max_examples=int(os.environ.get("CHAINRULE_FUZZ", "100")),
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
    database=None,
)


def _files() -> dict[str, bytes]:
    network = cr.NeuralNetwork(
        cr.Dense(4, cr.PReLU()),
        cr.Residual(cr.Dense(4, "tanh"), cr.Dropout(0.1)),
        cr.BatchNorm(),
        cr.Dense(3),
        loss=cr.SoftmaxCrossEntropy(label_smoothing=0.1),
        optimizer=cr.RMSProp(cr.ReduceOnPlateau(0.01)),
        inputs=2,
    )
    with tempfile.TemporaryDirectory() as folder:
        keeper = saving.Checkpoint(folder, steps=3, keep=9)
        stopping = cr.EarlyStopping("loss")
        look = cr.Diagnose()
        network.fit(100 * X, Y, epochs=2, batch_size=6, callbacks=[keeper, stopping, look])
        assert look.findings  # which are to be read again
        model = saving.save(network, Path(folder) / "model", {"classes": ["a"]})
        kept = Path(folder) / "step-00000003.safetensors"
        return {"model": model.read_bytes(), "checkpoint": kept.read_bytes()}


FILES = _files()


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("fuzz") / "step-00000003.safetensors"


def meet(path: Path, content: bytes, *, resumes: bool = False) -> None:
    """Load the file, and go on from it; nothing but UnreadableFile may come of it.

    A description that fits together but has other settings may disagree with the data.
    """
    path.write_bytes(content)
    try:
        saving.load(path)
        if resumes:
            saving.resume(path, 100 * X, Y, progress=False)
    except UnreadableFile:
        pass
    except (InvalidInput, cr.LossNotFinite):
        assert resumes
    finally:
        for other in path.parent.iterdir():
            other.unlink()


@many
@given(data=st.data(), kind=st.sampled_from(sorted(FILES)))
def test_changed_bytes(data: st.DataObject, kind: str, place: Path) -> None:
    content = bytearray(FILES[kind])
    for _ in range(data.draw(st.integers(1, 4))):
        start = data.draw(st.integers(0, len(content)))
        stop = start + data.draw(st.integers(0, 12))
        content[start:stop] = data.draw(st.binary(max_size=12))
    meet(place, bytes(content))


@many
@given(content=st.binary(max_size=200))
def test_any_bytes(content: bytes, place: Path) -> None:
    meet(place, content)


VALUES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-2, 9),
    st.sampled_from([2**31, 2**63, 10**30, -(10**18)]),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(max_size=4),
    st.sampled_from(sorted({*cr.Layer.names(), *cr.Optimizer.names(), *cr.Schedule.names()})),
    st.sampled_from(["float32", "inf", "nan", "layer", "activation", "optimizer", "F32", "F64"]),
)
TREES = st.recursive(
    VALUES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=5,
)


def places(value: Any) -> Iterator[tuple[Any, Any]]:
    """Every key of every dictionary and every index of every list, at any depth."""
    keys = list(value) if isinstance(value, dict) else range(len(value))
    for key in keys:
        yield value, key
        if isinstance(value[key], dict | list):
            yield from places(value[key])


def changed(data: st.DataObject, value: Any) -> Any:
    """Return a copy in which some entries are others, gone, or what stands elsewhere."""
    value = copy.deepcopy(value)
    for _ in range(data.draw(st.integers(1, 3))):
        found = list(places(value))
        if not found:
            break
        holder, key = data.draw(st.sampled_from(found))
        what = data.draw(st.sampled_from(["other", "gone", "moved", "doubled"]))
        if what == "gone":
            del holder[key]
        elif what == "moved":
            other, index = data.draw(st.sampled_from(found))
            try:
                holder[key] = copy.deepcopy(other[index])
            except (KeyError, IndexError):  # which is gone already
                continue
        elif what == "doubled" and isinstance(holder, list):
            holder.append(copy.deepcopy(holder[key]))
        else:
            holder[key] = data.draw(TREES)
    return value


@many
@given(data=st.data(), kind=st.sampled_from(sorted(FILES)))
def test_changed_descriptions(data: st.DataObject, kind: str, place: Path) -> None:
    place.write_bytes(FILES[kind])
    found = read(place)
    content = changed(data, json.loads(found.text))
    with contextlib.suppress(KeyError, TypeError):  # a plan of 10^30 epochs is one, but not for now
        plan = content["checkpoint"]["plan"]
        plan["epochs"] = plan["epochs"] % 9
    text = json.dumps(content)
    meet(place, b"".join(pieces(text, found.arrays)), resumes=kind == "checkpoint")


@many
@given(data=st.data(), kind=st.sampled_from(sorted(FILES)))
def test_changed_headers(data: st.DataObject, kind: str, place: Path) -> None:
    content = FILES[kind]
    length = int.from_bytes(content[:8], "little")
    header = changed(data, json.loads(content[8 : 8 + length]))
    if isinstance(header.get("__metadata__"), dict):
        header["__metadata__"].pop("checksum", None)  # so that the rest decides
    encoded = json.dumps(header).encode()
    meet(place, len(encoded).to_bytes(8, "little") + encoded + content[8 + length :])


@many
@given(data=st.data(), kind=st.sampled_from(sorted(FILES)))
def test_changed_arrays(data: st.DataObject, kind: str, place: Path) -> None:
    place.write_bytes(FILES[kind])
    found = read(place)
    arrays = dict(found.arrays)
    name = data.draw(st.sampled_from(sorted(arrays)))
    numbers = st.sampled_from([0.0, 1.0, np.nan, np.inf, -1e300])
    shape = data.draw(st.lists(st.integers(0, 5), max_size=3))
    dtype = data.draw(st.sampled_from([np.float32, np.float64, np.int64]))
    new = np.full(shape, data.draw(numbers))
    with np.errstate(all="ignore"):
        arrays[data.draw(st.sampled_from([name, "more", "training callback 0 x"]))] = (
            np.full_like(arrays[name], data.draw(numbers))
            if data.draw(st.booleans())
            else np.nan_to_num(new).astype(dtype)
        )
    meet(place, b"".join(pieces(found.text, arrays)), resumes=kind == "checkpoint")

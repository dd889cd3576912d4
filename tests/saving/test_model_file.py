from __future__ import annotations

import json
import struct
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import safetensors
import safetensors.numpy

import chainrule as cr
from chainrule import saving
from chainrule.errors import InvalidData, InvalidSetting, MissingPackage, NotBuilt, UnreadableFile

X, Y = cr.data.truth_table()


def trained(dtype: str = "float64") -> cr.NeuralNetwork:
    network = cr.NeuralNetwork(
        cr.Dense(4, "sigmoid"), cr.Dense(1, "sigmoid"), loss="sum_of_squares", dtype=dtype
    )
    network.fit(X, Y, epochs=20)
    return network


@pytest.fixture
def model(tmp_path: Path) -> Path:
    return saving.save(trained(), tmp_path / "model.safetensors")


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_predictions_are_the_same_bit_for_bit(tmp_path: Path, dtype: str) -> None:
    network = trained(dtype)
    extra = {"classes": ["a", "ü"], "training": {"rows": 4}}
    path = saving.save(network, tmp_path / "model.safetensors", extra)
    loaded = saving.load(str(path))
    assert np.array_equal(loaded.network.predict(X), network.predict(X))
    assert loaded.network.predict(X).dtype == dtype
    assert repr(loaded.network) == repr(network)
    assert loaded.extra == extra


def test_it_is_a_plain_safetensors_file(model: Path) -> None:
    with safetensors.safe_open(model, framework="numpy") as file:
        assert list(file.metadata()) == ["chainrule"]
        content = json.loads(file.metadata()["chainrule"])
    assert content["format"] == 1
    assert content["extra"] == {}
    arrays = safetensors.numpy.load_file(model)
    assert {name: array.shape for name, array in arrays.items()} == {
        "layer 1 weights": (3, 4),
        "layer 1 bias": (4,),
        "layer 2 weights": (4, 1),
        "layer 2 bias": (1,),
    }


def test_a_loaded_network_can_be_trained_on(model: Path) -> None:
    network = saving.load(model).network
    before = network.evaluate(X, Y)["loss"]
    network.fit(X, Y, epochs=50)
    assert network.evaluate(X, Y)["loss"] < before


def test_networks_without_parameters(tmp_path: Path) -> None:
    network = cr.NeuralNetwork(cr.ReLU(), inputs=2)
    loaded = saving.load(saving.save(network, tmp_path / "model"))
    assert loaded.network.predict([[-1.0, 2.0]]).tolist() == [[0, 2]]


def test_what_cannot_be_saved(tmp_path: Path) -> None:
    path = tmp_path / "model.safetensors"
    with pytest.raises(NotBuilt):
        saving.save(cr.NeuralNetwork(cr.Dense(1)), path)
    with pytest.raises(InvalidSetting, match="cannot be stored as JSON"):
        saving.save(trained(), path, {"a": {1, 2}})
    with pytest.raises(InvalidSetting, match="cannot be stored as JSON"):
        saving.save(trained(), path, {"a": float("nan")})
    with pytest.raises(InvalidSetting, match="there is no folder"):
        saving.save(trained(), tmp_path / "nope" / "model")
    broken = trained()
    broken.parameters[3] = np.inf
    with pytest.raises(InvalidData, match="layer 1 weights holds NaN or infinity"):
        saving.save(broken, path)
    assert not list(tmp_path.iterdir())


def test_without_safetensors(model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "safetensors.numpy", None)
    monkeypatch.setitem(sys.modules, "safetensors", None)
    with pytest.raises(MissingPackage, match="Loading a model needs the package 'safetensors'"):
        saving.load(model)
    with pytest.raises(MissingPackage, match="Saving a model needs"):
        saving.save(trained(), model)


# --- files that are no models, or damaged ones --------------------------------------------------


def test_paths_that_are_no_file(tmp_path: Path) -> None:
    with pytest.raises(UnreadableFile, match="There is no model file"):
        saving.load(tmp_path / "nope")
    with pytest.raises(UnreadableFile, match="is a folder; expected a model file"):
        saving.load(tmp_path)


@pytest.mark.parametrize("kept", [0, 4, 50, -8])
def test_a_file_cut_off(model: Path, kept: int) -> None:
    content = model.read_bytes()
    model.write_bytes(content[:kept])
    with pytest.raises(UnreadableFile, match="is not a model file, or a damaged one"):
        saving.load(model)


def test_a_file_of_another_kind(tmp_path: Path) -> None:
    (tmp_path / "table.csv").write_text("a,b\n1,2\n" * 10)
    with pytest.raises(UnreadableFile, match="is not a model file"):
        saving.load(tmp_path / "table.csv")
    safetensors.numpy.save_file({"a": np.zeros(3)}, tmp_path / "other")
    with pytest.raises(UnreadableFile, match="chainrule did not write it"):
        saving.load(tmp_path / "other")


def test_numbers_that_numpy_has_no_type_for(tmp_path: Path) -> None:
    header = json.dumps(
        {
            "a": {"dtype": "BF16", "shape": [2], "data_offsets": [0, 4]},
            "__metadata__": {"chainrule": "{}"},
        }
    ).encode()
    (tmp_path / "model").write_bytes(struct.pack("<Q", len(header)) + header + bytes(4))
    with pytest.raises(UnreadableFile, match="is not a model file"):
        saving.load(tmp_path / "model")


def test_a_file_that_cannot_be_opened(model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(safetensors, "safe_open", refuse)
    with pytest.raises(UnreadableFile, match="cannot be read: Permission denied"):
        saving.load(model)


def rewrite(
    path: Path,
    change: Callable[[Any], Any] = lambda content: content,
    arrays: Callable[[dict[str, Any]], object] = lambda arrays: None,
) -> None:
    """Change a model file's description (or replace it by text) and its arrays."""
    with safetensors.safe_open(path, framework="numpy") as file:
        content = json.loads(file.metadata()["chainrule"])
    found = safetensors.numpy.load_file(path)
    arrays(found)
    changed = change(content)
    text = changed if isinstance(changed, str) else json.dumps(changed)
    safetensors.numpy.save_file(found, path, metadata={"chainrule": text})


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda content: "{", "its description is damaged"),
        (lambda content: "[1]", "its description is damaged"),
        (lambda content: {"format": 1}, "its description is damaged"),
        (lambda content: "[" * 100_000, "recursion"),
        (lambda content: content | {"format": 2}, "has format 2 and this chainrule reads format 1"),
        (lambda content: content | {"extra": 3}, "is not complete"),
        (lambda content: {"format": 1, "extra": {}}, "is not complete"),
        (lambda content: content | {"network": 3}, "the network is described wrongly"),
        (lambda content: content | {"network": {}}, "the network is described wrongly"),
    ],
)
def test_a_damaged_description(model: Path, change: Callable[[Any], Any], message: str) -> None:
    rewrite(model, change)
    with pytest.raises(UnreadableFile, match=message) as caught:
        saving.load(model)
    assert str(caught.value).startswith(f"{model} cannot be loaded: ")


def test_layers_of_any_size_are_refused_before_anything_is_made(model: Path) -> None:
    def enlarge(content: Any) -> Any:
        content["network"]["layers"][0]["settings"]["outputs"] = 10**12
        return content

    rewrite(model, enlarge)
    with pytest.raises(UnreadableFile, match=r"needs the shape \(1000000000000,\) for 'layer 1 bi"):
        saving.load(model)


def test_layers_that_do_not_fit_each_other(model: Path) -> None:
    def add_axis(content: Any) -> Any:
        content["network"]["input_shape"] = [3, 3]
        return content

    rewrite(model, add_axis)
    with pytest.raises(UnreadableFile, match="the network is described wrongly"):
        saving.load(model)


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        (lambda arrays: arrays.pop("layer 1 bias"), "holds None"),
        (lambda arrays: arrays.update(more=np.zeros(2)), "needs the shape None for 'more'"),
        (
            lambda arrays: arrays.update({"layer 1 bias": np.zeros(5)}),
            r"needs the shape \(4,\) for 'layer 1 bias', and the file holds \(5,\)",
        ),
        (
            lambda arrays: arrays["layer 1 bias"].__setitem__(0, np.nan),
            "layer 1 bias does not hold finite numbers of float64",
        ),
        (
            lambda arrays: arrays.update({"layer 1 bias": np.zeros(4, dtype=np.float32)}),
            "layer 1 bias does not hold finite numbers of float64",
        ),
    ],
)
def test_wrong_arrays(
    model: Path, arrays: Callable[[dict[str, Any]], object], message: str
) -> None:
    rewrite(model, arrays=arrays)
    with pytest.raises(UnreadableFile, match=message):
        saving.load(model)

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
from chainrule.errors import InvalidData, InvalidSetting, NotBuilt, UnreadableFile
from chainrule.saving.model_file_container import pieces, read

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
        assert set(file.metadata()) == {"chainrule", "checksum"}
        content = json.loads(file.metadata()["chainrule"])
    assert content["format"] == 2
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


def test_training_goes_on_as_if_it_had_not_been_saved(tmp_path: Path) -> None:
    def network() -> cr.NeuralNetwork:
        return cr.NeuralNetwork(
            cr.Dense(4, "tanh"), cr.Dense(1), optimizer=cr.Adam(cr.ReduceOnPlateau(0.1, patience=1))
        )

    whole = network()
    whole.fit(X, Y, epochs=30, batch_size=2)
    half = network()
    half.fit(X, Y, epochs=15, batch_size=2)
    path = saving.save(half, tmp_path / "model", training=True)
    loaded = saving.load(path).network
    loaded.fit(X, Y, epochs=15, batch_size=2)
    assert loaded.parameters.tobytes() == whole.parameters.tobytes()
    assert loaded.training_state.schedule == whole.training_state.schedule
    assert loaded.training_state.step == 60
    saving.save(half, path)
    assert saving.load(path).network.training_state.step == 0


def test_what_a_schedule_remembers_may_be_infinite(tmp_path: Path) -> None:
    network = trained()
    network.training_state.schedule = {"best": float("inf"), "worst": -float("inf"), "waited": 3}
    loaded = saving.load(saving.save(network, tmp_path / "model", training=True)).network
    assert loaded.training_state.schedule == network.training_state.schedule


def test_the_base_install_is_enough(model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "safetensors", None)
    assert saving.load(saving.save(trained(), model)).network.is_built


# --- files that are no models, or damaged ones --------------------------------------------------


def test_paths_that_are_no_file(tmp_path: Path) -> None:
    with pytest.raises(UnreadableFile, match="There is no model file"):
        saving.load(tmp_path / "nope")
    with pytest.raises(UnreadableFile, match="it is a folder; expected a model file"):
        saving.load(tmp_path)


@pytest.mark.parametrize("kept", [0, 4, 50, -8])
def test_a_file_cut_off(model: Path, kept: int) -> None:
    content = model.read_bytes()
    model.write_bytes(content[:kept])
    with pytest.raises(
        UnreadableFile, match=r"is not a model file, or one that was|it was cut off"
    ):
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

    monkeypatch.setattr(Path, "open", refuse)
    with pytest.raises(UnreadableFile, match="it cannot be read: Permission denied"):
        saving.load(model)


def rewrite(
    path: Path,
    change: Callable[[Any], Any] = lambda content: content,
    arrays: Callable[[dict[str, Any]], object] = lambda arrays: None,
) -> None:
    """Change a model file's description (or replace it by text) and its arrays; sum up anew."""
    container = read(path)
    found = {name: array.copy() for name, array in container.arrays.items()}
    arrays(found)
    changed = change(json.loads(container.text))
    text = changed if isinstance(changed, str) else json.dumps(changed)
    path.write_bytes(b"".join(pieces(text, found)))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda content: "{", "its description is damaged"),
        (lambda content: "[1]", "its description is damaged"),
        (lambda content: {"format": 2}, "is not complete"),
        (lambda content: "[" * 100_000, "it is nested too deeply"),
        (lambda content: '{"format": 2, "format": 1}', "the key 'format' stands twice"),
        (lambda content: '{"format": NaN}', "it holds NaN"),
        (lambda content: '{"format": 1e999}', "it holds 1e999"),
        (lambda content: content | {"format": 3}, "format 3 and this chainrule reads formats 1 to"),
        (lambda content: content | {"format": True}, "it does not say its format"),
        (lambda content: content | {"extra": 3}, "is not complete"),
        (lambda content: {"format": 2, "extra": {}}, "is not complete"),
        (lambda content: content | {"network": 3}, "the network is described wrongly"),
        (lambda content: content | {"network": {}}, "the network is described wrongly"),
    ],
)
def test_a_damaged_description(model: Path, change: Callable[[Any], Any], message: str) -> None:
    rewrite(model, change)
    with pytest.raises(UnreadableFile, match=message) as caught:
        saving.load(model)
    assert str(caught.value).startswith(f"{model} cannot be loaded: ")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda training: 3, "its content does not fit together"),
        (lambda training: {}, "its content does not fit together"),
        (lambda training: training | {"epoch": -1}, "holds -1 where a count is expected"),
        (lambda training: training | {"schedule": {"best": []}}, "where a number is expected"),
    ],
)
def test_a_damaged_training(tmp_path: Path, change: Callable[[Any], Any], message: str) -> None:
    path = saving.save(trained(), tmp_path / "model", training=True)
    rewrite(path, lambda content: content | {"training": change(content["training"])})
    with pytest.raises(UnreadableFile, match=message):
        saving.load(path)


def test_another_optimizer_than_the_one_that_remembers(tmp_path: Path) -> None:
    path = saving.save(trained(), tmp_path / "model", training=True)
    rewrite(path, arrays=lambda arrays: arrays.pop("training optimizer squares"))
    with pytest.raises(UnreadableFile, match="is not what its optimizer remembers"):
        saving.load(path)


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

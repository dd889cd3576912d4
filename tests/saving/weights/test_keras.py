"""Keras's files: networks and weights out of them, on files that Keras itself wrote."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from saving.weights.files import KERAS, expected, random

import chainrule as cr
from chainrule.errors import MissingPackage, UnreadableFile
from chainrule.layer import Array
from chainrule.saving.weights import hdf5_file
from chainrule.saving.weights.hdf5_listing import answer


@pytest.fixture(autouse=True)
def _in_this_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """Half a second less for each test; test_hostile.py has the other process."""
    monkeypatch.setattr(hdf5_file, "_answer", answer)


LAYERS = {
    "perceptron": "(Dense(5, activation='relu'), Dropout(rate=0.3), Dense(2))",
    "images": "(Conv2D(4, 3, activation='relu', stride=2, padding='same'), "
    "BatchNorm(momentum=0.99, epsilon=0.001), MaxPool2D(stride=1), "
    "Conv2D(6, (2, 3), groups=2, use_bias=False), LeakyReLU(slope=0.1), "
    "AveragePool2D(padding='same'), Flatten(), Dense(5), LayerNorm(epsilon=0.001), GELU(), "
    "Dense(1))",
    "sequences": "(Conv1D(4, 3, padding=(4, 0), dilation=2), PReLU(), "
    "BatchNorm(momentum=0.99, epsilon=0.001), MaxPool1D(), GlobalAveragePool(), "
    "Dense(3, activation=LeakyReLU(slope=0.2)))",
    "double": "(Dense(2),)",
    "halves": "(Dense(3, activation='tanh'), Dense(2))",
}


def hdf5(arrays: dict[str, Array]) -> bytes:
    """Weights as Keras writes them: ``dense/0`` stands in ``layers/dense/vars/0``."""
    file = io.BytesIO()
    with h5py.File(file, "w") as root:
        for name, values in arrays.items():
            path, number = name.rsplit("/", 1)
            root[f"layers/{path}/vars/{number}"] = values
    return file.getvalue()


def layer(kind: str, **settings: Any) -> dict[str, Any]:
    return {"class_name": kind, "config": {"name": kind.lower(), **settings}}


def dense(units: Any = 2, **settings: Any) -> dict[str, Any]:
    return layer("Dense", units=units, **{"activation": "linear", "use_bias": True} | settings)


def sequential(*layers: Any, inputs: Any = (None, 3)) -> dict[str, Any]:
    first = layer("InputLayer", batch_shape=list(inputs))
    return {"class_name": "Sequential", "config": {"name": "s", "layers": [first, *layers]}}


DENSE = {"dense/0": random(3, 2), "dense/1": random(2)}


def archive(path: Path, config: Any, arrays: dict[str, Array] | None = None) -> Path:
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("config.json", config if isinstance(config, str) else json.dumps(config))
        file.writestr("model.weights.h5", hdf5(DENSE if arrays is None else arrays))
    return path


# --- whole networks -------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["perceptron", "images", "sequences", "double"])
def test_the_same_predictions(name: str) -> None:
    x, y = expected(KERAS, name)
    net = cr.from_keras(KERAS / f"{name}.keras")
    np.testing.assert_allclose(net.predict(x), y, rtol=1e-5, atol=1e-6)
    assert repr(net.layers) == LAYERS[name]


def test_half_precision_is_widened() -> None:
    """Keras computes this model in bfloat16, with two or three digits; here float32 does."""
    x, y = expected(KERAS, "halves")
    net = cr.from_keras(KERAS / "halves.keras")
    np.testing.assert_allclose(net.predict(x), y, atol=0.02)
    assert net.dtype == np.float32
    shortened = net.layers[0].weights.view(np.uint32) & 0xFFFF
    assert not shortened.any()  # whatever stands behind the 16 bits of bfloat16


@pytest.mark.parametrize(
    ("activation", "loss", "chosen", "last"),
    [
        ("softmax", None, "softmax_cross_entropy", "Dense(2)"),
        ("sigmoid", None, "sigmoid_cross_entropy", "Dense(2)"),
        ("tanh", None, "mean_squared_error", "Dense(2, activation='tanh')"),
        ("softmax", "mean_squared_error", "mean_squared_error", "Dense(2, activation='softmax')"),
    ],
)
def test_losses(activation: str, loss: str | None, chosen: str, last: str, tmp_path: Path) -> None:
    path = archive(tmp_path / "m.keras", sequential(dense(activation=activation)))
    net = cr.from_keras(path, loss=loss)
    assert (net.loss.name, repr(net.layers[-1])) == (chosen, last)


def test_it_can_be_trained_on() -> None:
    x, _ = expected(KERAS, "perceptron")
    net = cr.from_keras(KERAS / "perceptron.keras")
    before = net.evaluate(x, [0, 1, 1, 0])["loss"]
    net.fit(x, [0, 1, 1, 0], epochs=20)
    assert net.evaluate(x, [0, 1, 1, 0])["loss"] < before


def test_nothing_but_activations(tmp_path: Path) -> None:
    kinds = [
        layer("ReLU", negative_slope=0.0, max_value=None, threshold=0.0),
        layer("LeakyReLU", negative_slope=0.3),
        layer("ELU", alpha=0.5),
        layer("Activation", activation="softplus"),
        layer("Softmax", axis=1) | {"build_config": {"input_shape": [None, 3]}},
        layer("Flatten", data_format="channels_last"),
    ]
    net = cr.from_keras(archive(tmp_path / "m.keras", sequential(*kinds), {}), loss="huber")
    told = "ReLU(), LeakyReLU(slope=0.3), ELU(alpha=0.5), Softplus(), Softmax(), Flatten()"
    assert repr(net.layers) == f"({told})"
    empty = cr.from_keras(archive(tmp_path / "m.keras", sequential(), {}))
    assert empty.predict([[1, 2, 3]]).tolist() == [[1, 2, 3]]


CONV = {"filters": 1, "kernel_size": [2, 2], "strides": [1, 1], "activation": "linear"}


@pytest.mark.parametrize(
    ("config", "said"),
    [
        (sequential(layer("LSTM", units=3)), r"its layer 'lstm' \(LSTM\) is of a kind that cannot"),
        (sequential(layer("Lambda", function="x")), r"\(Lambda\) is of a kind .* load_weights"),
        (sequential(dense(activation={"class_name": "f"})), "has the activation {'class_name"),
        (sequential(dense(activation="relu6")), "has the activation 'relu6'; known are linear"),
        (sequential(dense(lora_rank=4)), "has lora_rank=4, which is not known here"),
        (sequential(dense(quantization_config={"a": 1})), "has quantization_config="),
        (sequential(dense(units="two")), "outputs must be a whole number"),
        (sequential(dense(use_bias="no")), "has use_bias='no'; expected true or false"),
        (sequential(layer("Dropout", rate="half")), "has rate='half'; expected a number"),
        (sequential(layer("Flatten", data_format="channels_first")), "expected 'channels_last'"),
        (sequential(layer("ReLU", max_value=6.0)), "has max_value=6.0; expected None"),
        (sequential(layer("BatchNormalization", axis=1)), "has axis=1; expected -1"),
        (sequential(layer("Conv2D", **CONV | {"strides": [1, 1, 1]})), "expected 2 whole numbers"),
        (sequential(layer("Conv2D", **CONV)), r"received samples of shape \(3,\); expected \(heig"),
        (sequential(dense(units=10**12)), r"needs kernel \(3, 1000000000000\)"),
        (sequential(dense(), dense()), "has 2 layers with parameters .* file 1"),
        (sequential(), "its weights hold 'dense', and its configuration describes no such layer"),
        (sequential(dense(), inputs=(None, None)), r"the shape \[None, None\]; expected fixed"),
        (sequential(dense(), inputs=(None,)), "does not say the shape of its inputs"),
        (sequential(dense(), inputs=(None, 2**41)), "which is too large"),
        ({"class_name": "Sequential", "config": {"layers": [dense()]}}, "does not say the shape"),
        ({"class_name": "Functional", "config": {"layers": []}}, "a 'Functional' model; a Sequ"),
        ({"class_name": "Wizard", "module": "os"}, "its network is a 'Wizard' model"),
        ({"class_name": "Sequential"}, r"does not fit together \(KeyError\('config'\)\)"),
        (sequential({"class_name": ["Dense"], "config": {}}), "is described wrongly"),
        ([], "config.json in it is no JSON object"),
        ('{"class_name": "a", "class_name": "b"}', "the key 'class_name' stands twice"),
        ("{", "config.json in it is damaged"),
    ],
)  # fmt: skip
def test_what_cannot_be_built_is_named(config: Any, said: str, tmp_path: Path) -> None:
    path = archive(tmp_path / "m.keras", config)
    with pytest.raises(UnreadableFile, match=said) as caught:
        cr.from_keras(path)
    assert str(caught.value).startswith(f"{path} cannot be loaded: ")
    assert "\n" not in str(caught.value)


def test_weights_alone_are_no_network(tmp_path: Path) -> None:
    with pytest.raises(UnreadableFile, match=r"does not say how the network is built"):
        cr.from_keras(KERAS / "deep.weights.h5")
    with pytest.raises(UnreadableFile, match=r"there is no such file"):
        cr.from_keras(tmp_path / "m.keras")


# --- weights into a network that is there ---------------------------------------------------------


def conv_network(**settings: Any) -> cr.NeuralNetwork:
    return cr.NeuralNetwork(
        cr.Conv2D(3, 3),
        cr.BatchNorm(**settings),
        cr.Flatten(),
        cr.Dense(2),
        inputs=(6, 6, 1),
        engine="reference",
    )


def test_weights_of_a_functional_model() -> None:
    """Keras flattens images channels-last, as we do: nothing changes places."""
    x, y = expected(KERAS, "functional")
    net = cr.load_weights(conv_network(epsilon=1e-4), KERAS / "functional.keras")
    np.testing.assert_allclose(net.predict(x), y, rtol=1e-5, atol=1e-5)


def test_another_epsilon_is_noticed() -> None:
    net = conv_network()
    before = net.parameters.copy()
    with pytest.raises(
        cr.InvalidSetting, match=r"epsilon=0.0001, and layer 2, BatchNorm\(\), 1e-0"
    ):
        cr.load_weights(net, KERAS / "functional.keras")
    assert np.array_equal(net.parameters, before)


def test_layers_by_the_names_of_their_owner() -> None:
    net = conv_network()
    before = net.layers[1].scale.copy()
    cr.load_weights(net, KERAS / "functional.keras", names=["eyes", None, "head"])
    assert np.array_equal(net.layers[1].scale, before)
    with pytest.raises(cr.InvalidSetting, match=r"holds 'dense'.*It has: 'eyes' \(kernel"):
        cr.load_weights(net, KERAS / "functional.keras", names=["eyes", None, "dense"])


def test_twelve_layers_alike() -> None:
    """``dense_10`` must come after ``dense_9``, and not after ``dense_1``."""
    x, y = expected(KERAS, "deep")
    layers = [cr.Dense(3, "tanh") for _ in range(12)]
    net = cr.load_weights(cr.NeuralNetwork(*layers, inputs=3), KERAS / "deep.weights.h5")
    np.testing.assert_allclose(net.predict(x), y, rtol=1e-5, atol=1e-6)


def test_classes_in_an_order_that_shapes_tell(tmp_path: Path) -> None:
    path = tmp_path / "m.weights.h5"
    arrays = {"dense_1/0": random(4, 2), "dense_1/1": random(2), "layer_normalization/0": random(4),
              "layer_normalization/1": random(4), "dense/0": random(3, 4), "dense/1": random(4),
              "p_re_lu/0": random(4), "seed_generator/0": np.array([0, 1], np.uint32)}  # fmt: skip
    path.write_bytes(hdf5(arrays))
    net = cr.NeuralNetwork(cr.Dense(4, "prelu"), cr.LayerNorm(1e-3), cr.Dense(2), inputs=3)
    cr.load_weights(net, path)
    np.testing.assert_array_equal(net.layers[0].activation.slope, random(4))
    np.testing.assert_array_equal(net.layers[2].weights, random(4, 2))


def test_weights_that_do_not_fit() -> None:
    net = cr.NeuralNetwork(cr.Dense(4), inputs=3)
    with pytest.raises(
        cr.InvalidShape, match=r"has 1 layer .* and the file 12 \('dense_8' \(kernel"
    ):
        cr.load_weights(net, KERAS / "deep.weights.h5")


@pytest.mark.parametrize(
    ("arrays", "said"),
    [
        ({"lstm/0": random(3, 3)}, "its layer 'lstm' is of the kind 'lstm', which has weights"),
        ({"dense/0": random(3, 2), "dense/2": random(2)}, "has 2 arrays; expected 2: kernel, bias"),
        ({f"dense/{n}": random(3, 2) for n in range(3)}, "has 3 arrays; expected 2"),
        ({f"batch_normalization/{n}": random(3) for n in range(3)}, "stands only in a .keras file"),
        ({"dense/first": random(3)}, "holds 'layers/dense/vars/first', which is not where Keras"),
    ],
)
def test_layers_that_are_not_known(arrays: dict[str, Array], said: str, tmp_path: Path) -> None:
    (tmp_path / "m.weights.h5").write_bytes(hdf5(arrays))
    with pytest.raises(UnreadableFile, match=said):
        cr.load_weights(cr.NeuralNetwork(cr.Dense(2), inputs=3), tmp_path / "m.weights.h5")


def changed(change: Callable[[h5py.File], object]) -> bytes:
    file = io.BytesIO(hdf5(DENSE))
    with h5py.File(file, "r+") as root:
        change(root)
    return file.getvalue()


def compressed(root: h5py.File) -> None:
    del root["layers/dense/vars/0"]
    root.create_dataset("layers/dense/vars/0", data=random(3, 2), compression="gzip")


def nan(root: h5py.File) -> None:
    root["layers/dense/vars/1"][0] = np.nan


def big_endian(root: h5py.File) -> None:
    del root["layers/dense/vars/0"]
    root["layers/dense/vars/0"] = random(3, 2).astype(">f4")


def text(root: h5py.File) -> None:
    del root["layers/dense/vars/1"]
    root["layers/dense/vars/1"] = ["a", "b"]


def old_layout(root: h5py.File) -> None:
    root["dense/dense/kernel:0"] = random(3, 2)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (compressed, "'layers/dense/vars/0' is stored compressed or in pieces"),
        (nan, "'layers/dense/vars/1' holds NaN or infinity"),
        (text, "'layers/dense/vars/1' holds numbers of type other; weights are"),
        (old_layout, "'dense/dense/kernel:0', which is not where Keras 3 keeps weights"),
    ],
)
def test_arrays_that_are_not_read(
    change: Callable[[h5py.File], object], said: str, tmp_path: Path
) -> None:
    (tmp_path / "m.weights.h5").write_bytes(changed(change))
    net = cr.NeuralNetwork(cr.Dense(2), inputs=3)
    before = net.parameters.copy()
    with pytest.raises(UnreadableFile, match=said):
        cr.load_weights(net, tmp_path / "m.weights.h5")
    assert np.array_equal(net.parameters, before)


def test_the_other_order_of_bytes(tmp_path: Path) -> None:
    (tmp_path / "m.weights.h5").write_bytes(changed(big_endian))
    net = cr.load_weights(cr.NeuralNetwork(cr.Dense(2), inputs=3), tmp_path / "m.weights.h5")
    np.testing.assert_array_equal(net.layers[0].weights, random(3, 2))


def test_containers_of_someones_own(tmp_path: Path) -> None:
    net = cr.NeuralNetwork(cr.Dense(2), inputs=3)
    path = archive(tmp_path / "m.keras", {"class_name": "MyModel", "config": {}})
    with pytest.raises(
        UnreadableFile, match="its network is a 'MyModel'; expected a Sequential or"
    ):
        cr.load_weights(net, path)
    path = archive(tmp_path / "m.keras", sequential(dense(), *[layer("Dropout")] * 10_000))
    with pytest.raises(UnreadableFile, match="more than 10,000 layers"):
        cr.load_weights(net, path)


def test_names_of_the_package() -> None:
    with pytest.raises(AttributeError, match="has no 'from_torch'; it has from_keras, from_skl"):
        _ = cr.saving.weights.from_torch
    assert dir(cr.saving.weights) == ["from_keras", "from_sklearn", "load_weights"]


def test_h5py_is_optional(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "h5py", None)
    with pytest.raises(MissingPackage, match=r'pip install "chainrule\[keras\]"'):
        cr.from_keras(KERAS / "double.keras")

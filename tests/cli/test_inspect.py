"""``chainrule inspect``: what is in a file of each kind, without running anything of it."""

from __future__ import annotations

import json
import shutil
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import Result

import chainrule as cr
from chainrule import saving
from chainrule.cli.inspect_weights import _with_numbers
from chainrule.layer import Array
from chainrule.saving.model_file import FORMAT
from chainrule.saving.model_file_container import pieces, read

Run = Callable[..., Result]
FILES = Path(__file__).parent.parent / "saving" / "files"


def words(result: Result) -> str:
    """What was printed, in one line."""
    assert result.exit_code == 0, result.output
    return " ".join(result.output.replace("─", " ").split())


def as_json(run: Run, *arguments: Any) -> dict[str, Any]:
    result = run("inspect", *arguments, "--json")
    assert result.exit_code == 0, result.output
    assert result.output.count("\n") == 1
    return json.loads(result.output)


@pytest.fixture
def network() -> cr.NeuralNetwork:
    return cr.NeuralNetwork(
        cr.Conv2D(2, 3, "prelu"),
        cr.BatchNorm(),
        cr.Residual(cr.Conv2D(2, 3, padding="same")),
        cr.Flatten(),
        cr.Dense(3),
        inputs=(6, 6, 1),
        loss="softmax_cross_entropy",
        l2=0.01,
        engine="reference",
    )


def data() -> tuple[Array, Array]:
    x = np.random.default_rng(0).normal(size=(40, 3))
    return x, x[:, :1] ** 2


# --- models ---------------------------------------------------------------------------------------


def test_a_model(run: Run, network: cr.NeuralNetwork) -> None:
    """3·3·1·2 + 2 + 2 slopes = 22; 4 + 4 statistics; 3·3·2·2 + 2 = 38; 32·3 + 3 = 99."""
    path = network.save("m.safetensors")
    told = words(run("inspect", path))
    size = f"{path.stat().st_size:,}"
    assert told.startswith(
        f"m.safetensors: a model of chainrule, {size} bytes Format {FORMAT}, its"
    )
    assert "its checksum is right. Parameters: 163, and 4 statistics, in float32." in told
    assert "Loss: SoftmaxCrossEntropy(), l2=0.01. Optimizer: Adam(). Seed: 0." in told
    assert (
        "1 Conv2D(2, 3, activation='prelu') (batch, 4, 4, 2) weights (3, 3, 1, 2), bias (2,), "
        "slope (2,) 22 2 BatchNorm()" in told
    )
    assert "(batch, 4, 4, 2) 3.1 weights (3, 3, 2, 2), 3.1 bias (2,) 38" in told
    found = as_json(run, path)
    assert (found["kind"], found["parameters"], found["statistics"]) == ("model", 163, 4)
    assert (found["format"], found["checksum"], found["loads"]) == (FORMAT, "right", True)
    assert found["layers"][4] == {
        "layer": "Dense(3)",
        "output_shape": [3],
        "parameters": {"weights": [32, 3], "bias": [3]},
    }
    assert sum(p.size for p in network.parameters.reshape(1, -1)) == found["parameters"]


def test_a_model_whose_training_goes_on(run: Run) -> None:
    net = cr.NeuralNetwork(cr.Dense(1), engine="reference")
    net.fit(*data(), epochs=3, batch_size=20)
    net.save("m.safetensors", training=True)
    assert "Training can go on: epoch 3, step 6;" in words(run("inspect", "m.safetensors"))
    assert as_json(run, "m.safetensors")["training"]["step"] == 6


def test_a_model_for_a_table(run: Run, models: dict[str, Path]) -> None:
    told = words(run("inspect", models["species"]))
    assert "Predicts species, one of 3 classes (Adelie, Chinstrap, Gentoo), from a table." in told
    assert "island 3 categories Biscoe, Dream, Torgersen" in told
    assert "best epoch" in told
    assert "score: accuracy" in told
    found = as_json(run, models["species"])
    assert found["preprocessing"]["table"]["target"]["classes"] == ["Adelie", "Chinstrap", "Gentoo"]
    assert 0 < found["record"]["scores"]["accuracy"] <= 1
    assert "Predicts body_mass_g, a number, from a table." in words(
        run("inspect", models["body_mass_g"])
    )


def test_a_model_for_images(run: Run, network: cr.NeuralNetwork) -> None:
    images = {"classes": ["cat", "dog", "eel"], "size": [6, 6], "channels": 1, "scaling": "0 ... 1"}
    saving.save(network, "m.safetensors", {"images": images, "note": [1, 2]})
    told = words(run("inspect", "m.safetensors"))
    assert "Predicts one of 3 classes (cat, dog, eel) from grey images of 6 x 6." in told
    assert "Kept beside it: 'note'." in told
    found = as_json(run, "m.safetensors")
    assert found["preprocessing"] == {"images": images}
    assert found["extra"] == {"note": [1, 2]}


def test_a_class_that_is_not_here(run: Run) -> None:
    """Nothing is imported or guessed: the file's own words are shown, and its shapes."""

    class Wobble(cr.Layer):
        def __init__(self, by: float, inside: cr.Activation) -> None:
            self.by, self.inside = by, inside

    cr.NeuralNetwork(cr.Dense(2), Wobble(0.5, cr.ReLU()), inputs=3).save("m.safetensors")
    for known in (cr.Layer._members, cr.Activation._members):
        known.pop("wobble", None)
    told = words(run("inspect", "m.safetensors"))
    assert "2 wobble(by=0.5, inside=relu()) ? 0" in told
    assert "? weights (3, 2), bias (2,) 8" in told
    found = as_json(run, "m.safetensors")
    assert [layer["output_shape"] for layer in found["layers"]] == [None, None]
    assert found["parameters"] == 8
    assert found["loads"] is False
    assert "It cannot be loaded here: the layer 'wobble' cannot be built here" in told


def test_files_of_each_format(run: Run) -> None:
    """The first one had no checksum."""
    told = words(run("inspect", FILES / "format-1-dense.safetensors"))
    assert "Format 1, without a checksum." in told
    assert as_json(run, FILES / "format-1-images.safetensors")["checksum"] == "none"
    assert as_json(run, FILES / "format-2-images.safetensors")["checksum"] == "right"


# --- checkpoints ----------------------------------------------------------------------------------


@pytest.fixture
def trained() -> Path:
    net = cr.NeuralNetwork(
        cr.Dense(4, "tanh"),
        cr.Dense(1),
        optimizer=cr.Adam(cr.ReduceOnPlateau(0.1)),
        engine="reference",
    )
    keeper = saving.Checkpoint("run", steps=1)
    net.fit(
        *data(), epochs=4, batch_size=16, validation=0.2, callbacks=[keeper, cr.EarlyStopping()]
    )
    return Path("run")


def test_a_checkpoint(run: Run, trained: Path) -> None:
    told = words(run("inspect", trained / "step-00000007.safetensors"))
    assert "run/step-00000007.safetensors: a checkpoint of chainrule," in told
    assert "Stands after 3 of 4 epochs, and 1 batch of the next;" in told
    assert "Callbacks: EarlyStopping." in told
    assert "epoch loss learning rate gradient norm validation loss 1 " in told
    found = as_json(run, trained / "step-00000007.safetensors")
    assert found["kind"] == "checkpoint"
    checkpoint = found["checkpoint"]
    assert (checkpoint["epochs_done"], checkpoint["epochs_planned"], checkpoint["step"]) == (
        3,
        4,
        7,
    )
    assert len(checkpoint["history"]["validation_loss"]) == 3
    assert checkpoint["best_epoch"] == np.argmin(checkpoint["history"]["validation_loss"]) + 1
    assert checkpoint["schedule_remembers"]["best"] > 0
    assert checkpoint["settings"]["samples"] == 32


def test_a_folder_of_checkpoints(run: Run, trained: Path) -> None:
    told = words(run("inspect", trained))
    assert "run: a folder of checkpoints of one training 3 checkpoints." in told
    assert "What follows is the latest, step-00000008.safetensors." in told
    assert "file epochs step loss validation loss step-00000006.safetensors 3 6 " in told
    found = as_json(run, trained)
    assert (found["kind"], found["bytes"], found["count"]) == ("checkpoints", None, 3)
    assert [one["step"] for one in found["checkpoints"][:3]] == [6, 7, 8]
    assert found["checkpoints"][3]["file"] == "best.safetensors"
    assert found["latest"]["checkpoint"]["step"] == 8


def test_a_damaged_checkpoint_among_others(run: Run, trained: Path) -> None:
    (trained / "step-00000007.safetensors").write_bytes(b"nothing")
    assert "step-00000007.safetensors (damaged) " in words(run("inspect", trained))
    assert [one["damaged"] for one in as_json(run, trained)["checkpoints"]] == [
        False, True, False, False
    ]  # fmt: skip
    (trained / "step-00000008.safetensors").write_bytes(b"nothing")
    assert "step-00000008.safetensors cannot be loaded" in run("inspect", trained).stderr


def test_a_training_that_had_not_begun(run: Run) -> None:
    net = cr.NeuralNetwork(cr.Dense(1), engine="reference")
    net.fit(*data(), epochs=0, callbacks=[saving.Checkpoint("run")])
    assert "Stands after 0 of 0 epochs;" in words(run("inspect", "run"))


# --- files of other programs ----------------------------------------------------------------------


def test_an_onnx_file(run: Run, network: cr.NeuralNetwork) -> None:
    network.to_onnx("m.onnx")
    told = words(run("inspect", "m.onnx"))
    assert "m.onnx: an ONNX file" in told
    assert "Opset: ai.onnx 18. IR version 8. Made by: chainrule" in told
    assert "Inputs: x (batch, 6, 6, 1). Outputs: prediction (batch, 3)." in told
    assert "It can become a network here: chainrule.from_onnx(path)." in told
    assert "2 BatchNorm() (batch, 4, 4, 2)" in told
    found = as_json(run, "m.onnx")
    assert found["operators"]["Conv"] == 2
    assert found["becomes_network"] is True
    assert found["layers"][1] == {"layer": "BatchNorm()", "output_shape": [4, 4, 2]}
    shutil.copy("m.onnx", "renamed")
    assert as_json(run, "renamed")["kind"] == "onnx"


def test_an_onnx_file_that_cannot_become_a_network(run: Run) -> None:
    onnx = pytest.importorskip("onnx")
    value = onnx.helper.make_tensor_value_info
    shape = [None, 3]
    graph = onnx.helper.make_graph(
        [onnx.helper.make_node("Cos", ["x"], ["y"], name="wave")],
        "g",
        [value("x", onnx.TensorProto.FLOAT, shape)],
        [value("y", onnx.TensorProto.FLOAT, shape)],
    )
    onnx.save(onnx.helper.make_model(graph), "m.onnx")
    told = words(run("inspect", "m.onnx"))
    assert "cannot become a network here: its node 'wave' (Cos) is of an operator that no" in told
    found = as_json(run, "m.onnx")
    assert found["becomes_network"] is False
    assert found["reason"].startswith("its node 'wave' (Cos)")
    assert found["inputs"] == [{"name": "x", "shape": ["?", 3]}]


def test_a_state_dict_of_pytorch(run: Run) -> None:
    path = FILES / "torch" / "deep.safetensors"
    told = words(run("inspect", path))
    assert "24 arrays with 144 numbers, in float32." in told
    assert told.index(" 2.weight ") < told.index(" 10.weight ")
    assert "chainrule.load_weights(network, path) fills one." in told
    found = as_json(run, path)
    assert found["kind"] == "safetensors"
    assert {"name": "10.weight", "shape": [3, 3], "dtype": "float32"} in found["arrays"]
    assert (
        as_json(run, FILES / "torch" / "bfloat16.safetensors")["arrays"][0]["dtype"] == "bfloat16"
    )
    assert _with_numbers("a2.b") < _with_numbers("a10.b")


def test_a_model_of_keras(run: Run) -> None:
    path = FILES / "keras" / "perceptron.keras"
    told = words(run("inspect", path))
    assert "a model of Keras" in told
    assert "4 arrays with 32 numbers, in float32. 10 more are the optimizer's." in told
    assert "It can become a network here: chainrule.from_keras(path)." in told
    assert "dense Dense (3, 5), (5,) 20 dropout Dropout 0" in told
    assert "1 Dense(5, activation='relu') (batch, 5)" in told
    found = as_json(run, path)
    assert [layer["class"] for layer in found["keras_layers"]] == [
        "InputLayer", "Dense", "Dropout", "Dense"
    ]  # fmt: skip
    assert found["becomes_network"] is True


def test_models_of_keras_that_become_none(run: Run) -> None:
    found = as_json(run, FILES / "keras" / "functional.keras")
    assert found["becomes_network"] is False
    assert "a 'Functional' model" in found["reason"]
    told = words(run("inspect", FILES / "keras" / "deep.weights.h5"))
    assert "an HDF5 file, as Keras keeps weights" in told
    assert told.index("layers/dense_2/vars/0") < told.index("layers/dense_10/vars/0")


def test_an_ejected_module(run: Run) -> None:
    cr.NeuralNetwork(cr.Dense(4, "tanh"), cr.Dense(1), inputs=3).to_python("net.py")
    text = Path("net.py").read_text("utf-8")
    Path("net.py").write_text(f"{text}\nraise SystemExit('it was run')\n", "utf-8")
    told = words(run("inspect", "net.py"))
    assert "net.py: a module of Python that chainrule eject wrote" in told
    assert "layer 1 (batch, 4) Dense(4, activation='tanh')" in told
    assert "lines, which were not run." in told
    found = as_json(run, "net.py")
    assert found["layers"] == ["Dense(4, activation='tanh')", "Dense(1)"]
    assert found["shapes"] == {"x": "(batch, 3)", "layer 1": "(batch, 4)", "layer 2": "(batch, 1)"}
    assert found["version"] == cr.__version__
    assert found["numbers_beside_it"] is None


def test_an_ejected_module_with_its_numbers_beside_it(run: Run) -> None:
    cr.NeuralNetwork(cr.Dense(80), cr.Dense(50), inputs=60).to_python("net.py")
    assert "stand in net_numbers.npz, which is there." in words(run("inspect", "net.py"))
    Path("net_numbers.npz").unlink()
    assert "which is NOT there" in words(run("inspect", "net.py"))
    assert as_json(run, "net.py")["numbers_are_there"] is False


# --- what is nothing of that ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("empty", b"", "holds no weights that are known here"),
        ("table.csv", b"a,b\n1,2\n", "holds no weights that are known here"),
        ("m.pt", b"\x80\x02}q\x00.", "it is a pickle, which is never opened here"),
        ("m.safetensors", b"\xff" * 20, "it is not a model file, or one that was cut off"),
        ("m.safetensors", b"\x02\0\0\0\0\0\0\0{}", "arrays in safetensors"),
        ("m.safetensors", b"\x02\0\0\0\0\0\0\0{]", "its header is damaged"),
        ("m.onnx", b"nothing", "it is not an ONNX file, or a damaged one"),
        ("m.onnx", b"\x08\x08", "it is not an ONNX file, or a damaged one"),
        ("m.zip", b"PK\x03\x04 and so on", "it is a damaged archive"),
        ("m.h5", b"\x89HDF\r\n\x1a\n and so on", "it is no HDF5 file, or a damaged one"),
        ("own.py", b"print('hello')\n", "chainrule eject did not write"),
        ("bad.py", b"def (:\n", "cannot be read as Python (SyntaxError)"),
        ("bytes.py", bytes(range(256)), "cannot be read as Python"),
        ("deep.py", b"(" * 5000, "cannot be read as Python"),
    ],
)
def test_files_of_other_kinds(run: Run, name: str, content: bytes, said: str) -> None:
    Path(name).write_bytes(content)
    result = run("inspect", name)
    if said == "arrays in safetensors":  # none at all
        assert "0 arrays with 0 numbers, in none." in words(result)
        return
    assert result.exit_code == 1
    assert said in result.stderr
    assert result.stderr.count("\n") == 1
    assert run("inspect", name, "--json").stderr == result.stderr


def test_names_that_would_steer_a_terminal(run: Run) -> None:
    header = {"\x1b[2Jfc\n1": {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]}}
    encoded = json.dumps(header).encode()
    Path("m.safetensors").write_bytes(struct.pack("<Q", len(encoded)) + encoded + bytes(4))
    result = run("inspect", "m.safetensors")
    assert "\x1b" not in result.output
    assert " ?[2Jfc?1 (1,) float32 1" in words(result)
    assert as_json(run, "m.safetensors")["arrays"][0]["name"] == "\x1b[2Jfc\n1"


def test_what_is_no_file(run: Run) -> None:
    assert "There is no file nope." in run("inspect", "nope").stderr
    Path("folder").mkdir()
    assert "folder is a folder without checkpoints" in run("inspect", "folder").stderr
    assert run("inspect").exit_code == 2


def test_a_flipped_bit(run: Run, network: cr.NeuralNetwork) -> None:
    content = bytearray(network.save("m.safetensors").read_bytes())
    content[-1] ^= 1
    Path("m.safetensors").write_bytes(content)
    result = run("inspect", "m.safetensors")
    assert result.exit_code == 1
    assert "it is damaged: its content does not fit its checksum" in result.stderr


@pytest.mark.parametrize(
    "change",
    [
        lambda c: c.pop("network"),
        lambda c: c["network"].pop("loss"),
        lambda c: c["network"].update(layers=7),
        lambda c: c["network"].update(input_shape=None),
        lambda c: c.update(training=3),
        lambda c: c.update(checkpoint={}, training={"epoch": 1, "step": 1}),
        lambda c: c["extra"].update(table={"columns": 3}),
        lambda c: c["extra"].update(images={"size": 4}),
    ],
)
def test_descriptions_that_do_not_fit(
    run: Run, network: cr.NeuralNetwork, change: Callable[[dict[str, Any]], object]
) -> None:
    """With a right checksum, as only somebody who wants to writes them."""
    found = read(network.save("m.safetensors"))
    described = json.loads(found.text)
    change(described)
    Path("m.safetensors").write_bytes(b"".join(pieces(json.dumps(described), found.arrays)))
    result = run("inspect", "m.safetensors")
    assert result.exit_code == 1
    assert result.stderr.count("\n") == 1
    assert result.stderr.startswith("Error: m.safetensors cannot be loaded: ")


def test_a_layer_of_terabytes_takes_no_memory(run: Run, network: cr.NeuralNetwork) -> None:
    found = read(network.save("m.safetensors"))
    described = json.loads(found.text)
    described["network"]["layers"][4]["settings"]["outputs"] = 10**12
    Path("m.safetensors").write_bytes(b"".join(pieces(json.dumps(described), found.arrays)))
    told = words(run("inspect", "m.safetensors"))
    assert "Dense(1000000000000) (batch, 1000000000000) weights (32, 3)" in told
    assert "It cannot be loaded here: the network needs the shape (1000000000000,)" in told

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import numpy_helper
from saving.onnx.runners import by_onnxruntime, by_reference, operators, relative_error, stir

import chainrule as cr
from chainrule import models, saving
from chainrule.errors import InvalidData, InvalidSetting, MissingPackage, NotBuilt
from chainrule.layer import Array
from chainrule.saving.onnx import Onnx, to_onnx

MAKERS = [
    (lambda: models.mlp(3, hidden=(8,)), (4, 4)),
    (lambda: models.lenet5(10), (28, 28, 1)),
    (lambda: models.small_cnn(10), (8, 8, 1)),
    (lambda: models.resnet8(10, width=4), (9, 8, 3)),
]


def constants(path: Path) -> dict[str, Array]:
    return {t.name: numpy_helper.to_array(t) for t in onnx.load(path).graph.initializer}


# --- the numbers ----------------------------------------------------------------------------------


def test_a_dense_layer_by_hand(tmp_path: Path) -> None:
    network = cr.NeuralNetwork(cr.Dense(2, "relu"), inputs=3, dtype="float64")
    network.layers[0].weights = [[1, 0], [2, -1], [0, 3]]
    network.layers[0].bias = [0.5, -1]
    path = to_onnx(network, tmp_path / "m.onnx")
    # For x = (1, 2, 3): 1·1 + 2·2 + 0·3 + 0.5 = 5.5 and 0·1 - 1·2 + 3·3 - 1 = 6.
    x = np.array([[1.0, 2.0, 3.0], [0.0, 1.0, 0.0]])
    assert by_onnxruntime(path, x).tolist() == [[5.5, 6.0], [2.5, 0.0]]
    assert by_reference(path, x).tolist() == [[5.5, 6.0], [2.5, 0.0]]
    assert operators(path) == ["Gemm", "Relu"]


def test_a_convolution_by_hand(tmp_path: Path) -> None:
    network = cr.NeuralNetwork(cr.Conv2D(1, 2, use_bias=False), inputs=(2, 3, 1))
    network.layers[0].weights = np.array([[1, 2], [3, 4]]).reshape(2, 2, 1, 1)
    path = to_onnx(network, tmp_path / "m.onnx")
    x = np.arange(6, dtype=np.float32).reshape(1, 2, 3, 1)
    # 0 + 2·1 + 3·3 + 4·4 = 27, and each pixel is one more one step on: 27 + 10
    assert by_onnxruntime(path, x).ravel().tolist() == [27.0, 37.0]


@pytest.mark.parametrize(("make", "shape"), MAKERS)
def test_named_models(make: object, shape: tuple[int, ...], tmp_path: Path) -> None:
    network = make()  # type: ignore[operator]  # one of MAKERS
    network.build(shape)
    stir(network, np.random.default_rng(0))
    network.parameters[...] *= 0.3
    x = np.random.default_rng(1).normal(size=(4, *shape)).astype(np.float32)
    path = to_onnx(network, tmp_path / "m.onnx")
    expected = network.predict(x)
    assert relative_error(by_onnxruntime(path, x), expected) < 1e-5
    assert relative_error(by_reference(path, x), expected) < 1e-5
    assert relative_error(saving.from_onnx(path).predict(x), expected) < 1e-5
    assert np.allclose(by_onnxruntime(path, x).sum(axis=1), 1, atol=1e-5)


def test_the_same_layer_twice_keeps_its_weights_once(tmp_path: Path) -> None:
    layer = cr.Dense(3, cr.PReLU())
    network = cr.NeuralNetwork(layer, cr.Dense(3), layer, inputs=3)
    path = to_onnx(network, tmp_path / "m.onnx")
    assert set(constants(path)) == {
        *("layer_1_weights", "layer_1_bias", "layer_1_slope"),
        *("layer_2_weights", "layer_2_bias"),
    }
    x = np.random.default_rng(0).normal(size=(4, 3)).astype(np.float32)
    assert relative_error(by_onnxruntime(path, x), network.predict(x)) < 1e-6


# --- what the file looks like ---------------------------------------------------------------------


def test_names_shapes_and_where_it_comes_from(tmp_path: Path) -> None:
    network = cr.NeuralNetwork(
        cr.Conv2D(4, 3, "relu"),
        cr.Residual(cr.Conv2D(4, 1), activation="tanh"),
        cr.GlobalAveragePool(),
        cr.Dense(2),
        loss="softmax_cross_entropy",
        inputs=(6, 5, 2),
    )
    path = to_onnx(network, str(tmp_path / "m.onnx"))
    model = onnx.load(path)
    onnx.checker.check_model(model, full_check=True)
    assert model.ir_version == 8
    assert [(entry.domain, entry.version) for entry in model.opset_import] == [("", 18)]
    assert (model.producer_name, model.producer_version) == ("chainrule", cr.__version__)
    assert {entry.key: entry.value for entry in model.metadata_props} == {
        "chainrule_version": cr.__version__
    }
    assert model.graph.doc_string == (
        "x (batch, 6, 5, 2) -> prediction (batch, 2), float32, trained with the loss "
        "softmax_cross_entropy. Written by chainrule."
    )
    sizes = [
        [size.dim_param or size.dim_value for size in entry.type.tensor_type.shape.dim]
        for entry in (model.graph.input[0], model.graph.output[0])
    ]
    assert sizes == [["batch", 6, 5, 2], ["batch", 2]]
    assert [node.name for node in model.graph.node] == [
        *("x_channels_first", "layer_1_z", "layer_1_a", "layer_2_1_z", "layer_2_z", "layer_2_a"),
        *("layer_3_reducemean", "layer_4_z", "layer_5_a"),
    ]
    assert {name: array.shape for name, array in constants(path).items()} == {
        "layer_1_weights": (4, 2, 3, 3),
        "layer_1_bias": (4,),
        "layer_2_1_weights": (4, 4, 1, 1),
        "layer_2_1_bias": (4,),
        "layer_3_axes": (2,),
        "layer_4_weights": (4, 2),
        "layer_4_bias": (2,),
    }


def test_layouts_are_changed_once_and_only_where_it_matters(tmp_path: Path) -> None:
    network = cr.NeuralNetwork(
        cr.Dropout(),
        cr.ReLU(),  # takes images as they come
        cr.Conv2D(4, 3, "relu", padding="same"),
        cr.BatchNorm(),
        cr.PReLU(),
        cr.MaxPool2D(2),
        cr.ZeroPad(1),
        cr.UpSample(2),
        cr.Softmax(),
        cr.Conv2D(4, 3),
        cr.LayerNorm(),  # the last axis in ONNX
        cr.Flatten(),  # in our order
        cr.Dense(2),
        inputs=(4, 4, 2),
    )
    used = operators(to_onnx(network, tmp_path / "m.onnx"))
    assert used.count("Transpose") == 2
    assert used.index("Transpose") == 1
    assert used[-4:] == ["Transpose", "LayerNormalization", "Flatten", "Gemm"]


def test_a_residual_block_shares_one_change_of_layout(tmp_path: Path) -> None:
    block = cr.Residual(cr.Conv2D(2, 3, padding="same"))
    network = cr.NeuralNetwork(block, inputs=(4, 4, 2))
    assert operators(to_onnx(network, tmp_path / "m.onnx")) == [
        *("Transpose", "Conv", "Add", "Transpose")
    ]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_network_that_does_nothing(dtype: str, tmp_path: Path) -> None:
    network = cr.NeuralNetwork(cr.Dropout(0.5), inputs=(3, 2), dtype=dtype)
    path = to_onnx(network, tmp_path / "m.onnx")
    x = np.arange(12, dtype=dtype).reshape(2, 3, 2)
    assert operators(path) == ["Identity"]
    assert np.array_equal(by_onnxruntime(path, x), x)


def test_predictions_of_logarithms_are_probabilities(tmp_path: Path) -> None:
    network = cr.NeuralNetwork(cr.Dense(3, "log_softmax"), inputs=2, loss="negative_log_likelihood")
    path = to_onnx(network, tmp_path / "m.onnx")
    assert operators(path) == ["Gemm", "LogSoftmax", "Exp"]
    read = saving.from_onnx(path)
    assert isinstance(read.loss, cr.losses.NegativeLogLikelihood)


def test_predictions_of_logarithms_of_counts(tmp_path: Path) -> None:
    network = cr.NeuralNetwork(cr.Dense(3), inputs=2, loss="poisson_deviance")
    path = to_onnx(network, tmp_path / "m.onnx")
    assert operators(path) == ["Gemm", "Exp"]
    x = np.random.default_rng(0).normal(size=(4, 2)).astype(np.float32)
    read = saving.from_onnx(path)
    assert isinstance(read.loss, cr.losses.PoissonDeviance)
    for found in (by_onnxruntime(path, x), read.predict(x)):
        assert relative_error(found, network.predict(x)) < 1e-6


# --- a layer of one's own -------------------------------------------------------------------------


class Half(cr.Layer):
    """Half of x, for these tests."""

    def feedforward(self, x: Array, trace: cr.Trace) -> Array:
        return x / 2


def test_a_layer_that_nothing_writes_is_named(tmp_path: Path) -> None:
    class Quarter(Half):
        pass

    inside = cr.Residual(cr.Dense(2), Quarter())
    network = cr.NeuralNetwork(cr.Dense(2), inside, inputs=2)
    with pytest.raises(InvalidSetting, match=r"Layer 2\.2, Quarter\(\), cannot be written as ONNX"):
        to_onnx(network, tmp_path / "m.onnx")
    assert not list(tmp_path.iterdir())


def test_a_layer_of_ones_own_is_written_by_a_class_of_ones_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Onnx, "_known", dict(Onnx._known))

    class HalfOnnx(Onnx, of=Half):
        def write(self, x: object) -> object:
            return self.then("Mul", x, self.graph.number("half", 0.5))  # type: ignore[arg-type]

    network = cr.NeuralNetwork(Half(), cr.GELU(), inputs=2)
    path = to_onnx(network, tmp_path / "m.onnx")
    x = np.array([[1, -3]], np.float32)
    assert relative_error(by_onnxruntime(path, x), network.predict(x)) < 1e-6


# --- errors ---------------------------------------------------------------------------------------


def test_without_weights(tmp_path: Path) -> None:
    with pytest.raises(NotBuilt, match="This network has no weights yet"):
        to_onnx(cr.NeuralNetwork(cr.Dense(1)), tmp_path / "m.onnx")


def test_parameters_that_are_not_finite(tmp_path: Path) -> None:
    network = cr.NeuralNetwork(cr.Dense(1), inputs=2)
    network.parameters[1] = np.nan
    with pytest.raises(InvalidData, match="layer 1 weights holds NaN or infinity"):
        to_onnx(network, tmp_path / "m.onnx")


def test_a_loss_with_predictions_of_its_own(tmp_path: Path) -> None:
    class Doubled(cr.Loss):
        def prediction(self, output: Array) -> Array:
            return 2 * output

    network = cr.NeuralNetwork(cr.Dense(1), inputs=2, loss=Doubled())
    with pytest.raises(InvalidSetting, match=r"loss Doubled\(\) makes predictions"):
        to_onnx(network, tmp_path / "m.onnx")


def test_where_nothing_can_be_written(tmp_path: Path) -> None:
    network = cr.NeuralNetwork(cr.Dense(1), inputs=2)
    with pytest.raises(InvalidSetting, match="there is no folder"):
        to_onnx(network, tmp_path / "none" / "m.onnx")


def test_a_file_that_was_there_stays_when_writing_fails(tmp_path: Path) -> None:
    path = tmp_path / "m.onnx"
    path.write_text("before")
    network = cr.NeuralNetwork(Half(), inputs=2)
    with pytest.raises(InvalidSetting):
        to_onnx(network, path)
    assert path.read_text() == "before"
    assert [file.name for file in tmp_path.iterdir()] == ["m.onnx"]


def test_more_than_a_file_can_hold(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("chainrule.saving.onnx.graph.MOST_BYTES", 10_000)
    network = cr.NeuralNetwork(cr.Dense(100), inputs=100)
    with pytest.raises(InvalidSetting, match=r"take 40,400 bytes; an ONNX file holds at most"):
        to_onnx(network, tmp_path / "m.onnx")


def test_without_onnx(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    network = cr.NeuralNetwork(cr.Dense(1), inputs=2)
    path = to_onnx(network, tmp_path / "m.onnx")
    monkeypatch.setitem(sys.modules, "onnx", None)
    for use in (lambda: to_onnx(network, path), lambda: saving.from_onnx(path)):
        with pytest.raises(MissingPackage, match=r'pip install "chainrule\[onnx\]"'):
            use()


def test_the_package_knows_its_names() -> None:
    assert dir(saving.onnx) == [
        *("Onnx", "export_classifier", "export_images", "export_regressor", "export_table"),
        *("from_onnx", "to_onnx"),
    ]
    assert "to_onnx" in dir(saving)
    for module in (saving, saving.onnx):
        with pytest.raises(AttributeError, match=r"has no 'to_pickle'; it has .*from_onnx"):
            _ = module.to_pickle  # type: ignore[attr-defined]  # which is what this is about

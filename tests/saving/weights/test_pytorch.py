"""State dicts of PyTorch: weights (outputs, inputs), images channels-first, names sorted."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from saving.weights.files import TORCH, channels_last, expected, random, raw, state_dict

import chainrule as cr
from chainrule.errors import UnreadableFile
from chainrule.layer import Array, Layer
from chainrule.saving.weights.places import channels_first_index


def network(*layers: Layer, inputs: int | tuple[int, ...] = 3) -> cr.NeuralNetwork:
    return cr.NeuralNetwork(*layers, inputs=inputs, dtype="float64", engine="reference")


def tanh_layers(count: int) -> cr.NeuralNetwork:
    return network(*(cr.Dense(3, "tanh") for _ in range(count)))


def images() -> cr.NeuralNetwork:
    return network(
        cr.Conv2D(4, 3, padding=1),
        cr.BatchNorm(),
        cr.ReLU(),
        cr.MaxPool2D(),
        cr.Conv2D(6, (2, 3), groups=2, use_bias=False),
        cr.BatchNorm(),
        cr.ReLU(),
        cr.Flatten(),
        cr.BatchNorm(),
        cr.Dense(5, "tanh"),
        cr.Dense(3),
        inputs=(6, 8, 2),
    )


def enlarging() -> cr.NeuralNetwork:
    return network(
        cr.ConvTranspose2D(6, 3, stride=2, groups=2),
        cr.GroupNorm(3),
        cr.PReLU(),
        cr.Conv2D(2, 2, "prelu", dilation=2),
        inputs=(3, 4, 4),
    )


def sequences() -> cr.NeuralNetwork:
    return network(
        cr.Conv1D(4, 3),
        cr.Flatten(),
        cr.Dropout(),
        cr.LayerNorm(),
        cr.PReLU(),
        cr.Dense(2),
        inputs=(9, 2),
    )


def one() -> cr.NeuralNetwork:
    return tanh_layers(1)


def twelve() -> cr.NeuralNetwork:
    return tanh_layers(12)


# --- the mathematics ------------------------------------------------------------------------------


def test_a_linear_module_by_hand(tmp_path: Path) -> None:
    """W (outputs, inputs) there, (inputs, outputs) here."""
    path = state_dict(
        tmp_path / "m.safetensors",
        {"fc.weight": np.float32([[1, 2, 3], [4, 5, 6]]), "fc.bias": np.float32([0.5, -0.5])},
    )
    net = cr.load_weights(network(cr.Dense(2)), path)
    assert net.layers[0].weights.tolist() == [[1, 4], [2, 5], [3, 6]]
    assert net.predict([[1, 0, 0], [0, 0, 1]]).tolist() == [[1.5, 3.5], [3.5, 5.5]]


def test_a_flattened_image_by_hand(tmp_path: Path) -> None:
    """Two pixels of three channels: PyTorch has them as c0 c0' c1 c1' c2 c2', we as c0 c1 c2 ..."""
    assert channels_first_index((1, 2, 3)).tolist() == [0, 2, 4, 1, 3, 5]
    arrays = {"weight": np.float32([[1, 2, 3, 4, 5, 6]]), "bias": np.zeros(1, np.float32)}
    path = state_dict(tmp_path / "m.safetensors", arrays)
    net = cr.load_weights(network(cr.Flatten(), cr.Dense(1), inputs=(1, 2, 3)), path)
    assert net.layers[1].weights[:, 0].tolist() == [1, 3, 5, 2, 4, 6]


@pytest.mark.parametrize("make", [images, enlarging, sequences])
def test_the_same_predictions(make: Callable[[], cr.NeuralNetwork]) -> None:
    name = make.__name__
    x, y = expected(TORCH, name)
    net = cr.load_weights(make(), TORCH / f"{name}.safetensors")
    y = channels_last(y) if y.ndim > 2 else y
    np.testing.assert_allclose(net.predict(channels_last(x)), y, rtol=0, atol=1e-12)


@pytest.mark.parametrize(
    ("name", "make"), [("deep", twelve), ("bfloat16", one), ("float16", one), ("double", one)]
)
def test_the_same_predictions_on_rows(name: str, make: Callable[[], cr.NeuralNetwork]) -> None:
    """In "deep" all shapes are alike: "10" must come after "8", not after "0"."""
    x, y = expected(TORCH, name)
    net = cr.load_weights(make(), TORCH / f"{name}.safetensors")
    np.testing.assert_allclose(net.predict(x), y, rtol=0, atol=1e-12)


def test_training_begins_anew() -> None:
    net = cr.NeuralNetwork(cr.Dense(3, "tanh"), inputs=3, dtype="float64", engine="reference")
    x, y = expected(TORCH, "double")
    net.fit(x, y, epochs=3)
    assert cr.load_weights(net, str(TORCH / "double.safetensors")) is net
    assert (net.training_state.step, net.training_state.optimizer.step) == (0, 0)
    assert net.fit(x, y, epochs=1).losses[0] == pytest.approx(0, abs=1e-20)


def test_normalization_without_scale_and_shift(tmp_path: Path) -> None:
    """affine=False leaves γ = 1 and β = 0; what counts batches is not needed."""
    arrays = {"n.running_mean": random(3), "n.running_var": random(3) ** 2}
    path = state_dict(
        tmp_path / "m.safetensors", {**arrays, "n.num_batches_tracked": np.array(7, np.int64)}
    )
    net = network(cr.BatchNorm())
    net.layers[0].scale[...] = 5
    cr.load_weights(net, path)
    x = random(4, 3)
    y = (x - random(3)) / np.sqrt(random(3) ** 2 + 1e-5)
    np.testing.assert_allclose(net.predict(x), y, atol=1e-6)


def test_a_slope_for_all(tmp_path: Path) -> None:
    path = state_dict(tmp_path / "m.safetensors", {"a.weight": np.float32([0.25])})
    net = cr.load_weights(network(cr.PReLU(0.1)), path)
    assert net.layers[0].slope.tolist() == [0.25] * 3


def test_residual_blocks(tmp_path: Path) -> None:
    """Layers inside of layers, in the order that data pass them."""
    net = network(
        cr.Residual(
            cr.Conv2D(3, 3, padding=1), cr.BatchNorm(), projection=cr.Conv2D(3, 1, use_bias=False)
        ),
        cr.GlobalAveragePool(),
        cr.Dense(2),
        inputs=(4, 4, 2),
    )
    arrays = {
        "block1.conv1.weight": random(3, 2, 3, 3),
        "block1.conv1.bias": random(3),
        "block1.bn1.weight": random(3),
        "block1.bn1.bias": random(3),
        "block1.bn1.running_mean": random(3),
        "block1.bn1.running_var": random(3) ** 2,
        "block1.shortcut.0.weight": random(3, 2, 1, 1),
        "fc.weight": random(2, 3),
        "fc.bias": random(2),
    }
    cr.load_weights(net, state_dict(tmp_path / "m.safetensors", arrays))
    block = net.layers[0]
    np.testing.assert_array_equal(block.projection.weights[0, 0], random(3, 2, 1, 1)[:, :, 0, 0].T)
    np.testing.assert_array_equal(block.layers[0].weights, random(3, 2, 3, 3).transpose(2, 3, 1, 0))


# --- whose weights are whose ----------------------------------------------------------------------


def linear(name: str, inputs: int, outputs: int, seed: int = 0) -> dict[str, Array]:
    return {
        f"{name}.weight": random(outputs, inputs, seed=seed),
        f"{name}.bias": random(outputs, seed=seed),
    }


def test_shapes_tell_an_order_that_names_do_not(tmp_path: Path) -> None:
    path = state_dict(
        tmp_path / "m.safetensors",
        linear("start", 3, 8) | linear("middle", 8, 4) | linear("end", 4, 2),
    )
    net = cr.load_weights(network(cr.Dense(8), cr.Dense(4), cr.Dense(2)), path)
    np.testing.assert_array_equal(net.layers[1].weights, random(4, 8).T)


def test_an_order_that_is_not_known_must_be_named(tmp_path: Path) -> None:
    arrays = linear("start", 3, 3, 1) | linear("middle", 3, 3, 2) | linear("end", 3, 3, 3)
    path = state_dict(tmp_path / "m.safetensors", arrays)
    net = tanh_layers(3)
    before = net.parameters.copy()
    with pytest.raises(cr.InvalidSetting, match="fit the network in more than one order") as caught:
        cr.load_weights(net, path)
    assert "'end' (weight (3, 3), bias (3,))" in str(caught.value)
    assert "names=[...]" in str(caught.value)
    assert np.array_equal(net.parameters, before)
    cr.load_weights(net, path, names=["start", "middle", "end"])
    np.testing.assert_array_equal(net.layers[0].bias, random(3, seed=1))
    np.testing.assert_array_equal(net.layers[2].bias, random(3, seed=3))


def test_a_layer_may_stay_as_it_is(tmp_path: Path) -> None:
    """A new last layer on trained ones."""
    path = state_dict(tmp_path / "m.safetensors", linear("a", 3, 4) | linear("b", 4, 9))
    net = network(cr.Dense(4), cr.Dense(2))
    before = net.layers[1].weights.copy()
    cr.load_weights(net, path, names=["a", None])
    np.testing.assert_array_equal(net.layers[0].bias, random(4))
    np.testing.assert_array_equal(net.layers[1].weights, before)


@pytest.mark.parametrize(
    ("names", "said"),
    [
        ([], "a list with one name for each of 2 layers with parameters"),
        ("ab", "received 'ab'"),
        (["a", "c"], r"holds 'c', and the file has no such layer.*It has: 'a' \(weight"),
        (["alph", "b"], "holds 'alph'"),
        (["a", 3], "holds 3"),
        (["a", "a"], "holds 'a' twice"),
    ],
)
def test_wrong_names(names: list[str], said: str, tmp_path: Path) -> None:
    path = state_dict(tmp_path / "m.safetensors", linear("a", 3, 3) | linear("b", 3, 3))
    net = tanh_layers(2)
    before = net.parameters.copy()
    with pytest.raises(cr.InvalidSetting, match=said):
        cr.load_weights(net, path, names=names)
    assert np.array_equal(net.parameters, before)


def test_names_whose_shapes_do_not_fit(tmp_path: Path) -> None:
    path = state_dict(tmp_path / "m.safetensors", linear("a", 3, 4) | linear("b", 4, 2))
    with pytest.raises(
        cr.InvalidShape,
        match=r"Layer 1, Dense\(4\), needs weight \(4, 3\), bias \(4,\); the file has 'b' "
        r"\(weight \(2, 4\), bias \(2,\)\)",
    ):
        cr.load_weights(network(cr.Dense(4), cr.Dense(2)), path, names=["b", "a"])


def test_so_many_orders_that_they_are_not_tried(tmp_path: Path) -> None:
    words = [f"{a}{b}" for a in "abcdef" for b in "ghijk"]
    arrays = {name: values for word in words for name, values in linear(word, 3, 3).items()}
    path = state_dict(tmp_path / "m.safetensors", arrays)
    with pytest.raises(cr.InvalidSetting, match=r"do not say in which order.*and 24 more"):
        cr.load_weights(tanh_layers(30), path)


# --- what does not fit ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("layers", "said"),
    [
        (
            [cr.Dense(5), cr.Dense(2)],
            r"Layer 1, Dense\(5\), needs weight \(5, 3\), bias \(5,\); what comes next in the file "
            r"is 'a' \(weight \(4, 3\), bias \(4,\)\), or 'b' \(weight \(2, 4\), bias \(2,\)\)",
        ),
        ([cr.Dense(4), cr.Dense(3)], r"Layer 2, Dense\(3\), needs weight \(3, 4\), bias \(3,\)"),
        ([cr.Dense(4), cr.Dense(2, use_bias=False)], r"needs weight \(2, 4\); what comes next"),
        ([cr.Dense(4), cr.BatchNorm(), cr.Dense(2)], "has 3 layers with parameters .* file 2"),
        ([cr.Dense(4)], r"has 1 layer with parameters \(layer 1, Dense\(4\)\), and the file 2"),
    ],
)
def test_shapes_that_do_not_fit(layers: list[Layer], said: str, tmp_path: Path) -> None:
    path = state_dict(tmp_path / "m.safetensors", linear("a", 3, 4) | linear("b", 4, 2))
    net = network(*layers)
    before = net.parameters.copy()
    with pytest.raises(cr.InvalidShape, match=said):
        cr.load_weights(net, path)
    assert np.array_equal(net.parameters, before)


@pytest.mark.parametrize(
    "name",
    ["lstm.weight_ih_l0", "embedding.weight", "attention.in_proj_weight", "fc.weight_g", "alone"],
)
def test_modules_that_no_layer_is_like(name: str, tmp_path: Path) -> None:
    path = state_dict(tmp_path / "m.safetensors", {name: random(3, 3)})
    with pytest.raises(UnreadableFile, match=f"it holds '{name}' .* kind of module that no layer"):
        cr.load_weights(tanh_layers(1), path)


def test_layers_that_no_module_is_like(tmp_path: Path) -> None:
    path = state_dict(tmp_path / "m.safetensors", linear("a", 3, 4))
    net = network(cr.Residual(cr.Dense(4), projection="auto"))
    with pytest.raises(cr.InvalidShape, match=r"Layer 1, Residual.* has no counterpart in PyTorch"):
        cr.load_weights(net, path)


@pytest.mark.parametrize(
    "layers",
    [
        [cr.Dense(18), cr.Reshape((3, 3, 2)), cr.Conv2D(1, 2)],
        [cr.Reshape((2, 2, 3)), cr.Flatten(), cr.GroupNorm(3), cr.Dense(1)],
        [cr.Reshape((2, 2, 3)), cr.Flatten(), cr.Residual(cr.Dense(12)), cr.Dense(1)],
    ],
)
def test_images_whose_order_cannot_be_kept(layers: list[Layer]) -> None:
    net = network(*layers, inputs=12)
    with pytest.raises(cr.InvalidShape, match="has the numbers of images in another order"):
        cr.load_weights(net, TORCH / "double.safetensors")


@pytest.mark.parametrize("shape", [(4, 1, 1), (1, 1, 4)])
def test_reshaping_where_the_order_is_the_same(shape: tuple[int, ...], tmp_path: Path) -> None:
    """One channel, or one pixel."""
    rows = int(np.prod(shape))
    path = state_dict(tmp_path / "m.safetensors", linear("a", 3, rows) | linear("b", rows, 2))
    net = network(cr.Dense(rows), cr.Reshape(shape), cr.Flatten(), cr.Dense(2))
    cr.load_weights(net, path)
    np.testing.assert_array_equal(net.layers[-1].weights, random(2, rows).T)


def test_float64_is_not_rounded() -> None:
    net = cr.NeuralNetwork(cr.Dense(3), inputs=3)
    with pytest.raises(cr.InvalidSetting, match=r'would round them. Build it with dtype="float64"'):
        cr.load_weights(net, TORCH / "double.safetensors")


@pytest.mark.parametrize("bad", [np.nan, np.inf])
@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
def test_numbers_that_are_not_finite(bad: float, dtype: str, tmp_path: Path) -> None:
    arrays = linear("a", 3, 3) | linear("b", 3, 3)
    arrays["b.bias"] = np.array([0, bad, 0], dtype)
    net = tanh_layers(2)
    before = net.parameters.copy()
    path = state_dict(tmp_path / "m.safetensors", arrays)
    with pytest.raises(UnreadableFile, match=r"'b.bias' holds NaN or infinity"):
        cr.load_weights(net, path, names=["a", "b"])
    assert np.array_equal(net.parameters, before)


def test_quantized_weights(tmp_path: Path) -> None:
    header = {
        "weight": {"dtype": "I8", "shape": [3, 3], "data_offsets": [0, 9]},
        "bias": {"dtype": "F8_E4M3", "shape": [3], "data_offsets": [9, 12]},
    }
    (tmp_path / "m.safetensors").write_bytes(raw(header, bytes(12)))
    with pytest.raises(UnreadableFile, match=r"'weight' holds numbers of type int8; weights are"):
        cr.load_weights(tanh_layers(1), tmp_path / "m.safetensors")


def test_a_network_that_is_not_built() -> None:
    with pytest.raises(cr.NotBuilt, match="no weights yet"):
        cr.load_weights(cr.NeuralNetwork(cr.Dense(3)), TORCH / "double.safetensors")


def test_arguments_in_the_other_order() -> None:
    with pytest.raises(cr.InvalidInput, match=r"received 'm.safetensors' as network; expected a"):
        cr.load_weights("m.safetensors", tanh_layers(1))


def test_files_of_another_kind(tmp_path: Path) -> None:
    path = tmp_path / "m.safetensors"
    net = tanh_layers(1)
    with pytest.raises(UnreadableFile, match=r"m.safetensors cannot be loaded: there is no such"):
        cr.load_weights(net, path)
    with pytest.raises(UnreadableFile, match="it is a folder or a device"):
        cr.load_weights(net, tmp_path)
    net.save(path)
    with pytest.raises(UnreadableFile, match=r"it is a model file of chainrule.*chainrule.load"):
        cr.load_weights(net, path)
    path.write_bytes(b"\x80\x02}q\x00.")
    with pytest.raises(UnreadableFile, match=r"it is a pickle.*safetensors.torch.save_file"):
        cr.load_weights(net, path)
    path.write_bytes(b"something else")
    with pytest.raises(UnreadableFile, match="holds no weights that are known here"):
        cr.load_weights(net, path)

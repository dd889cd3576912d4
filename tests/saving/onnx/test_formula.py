"""Activations that are written by their formula: one's own, and ours that ONNX has no operator for.

Every activation of ours is also written this way here, with its own class taken away: its formula
is one that somebody might have registered.
"""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from contracts.examples import examples
from saving.onnx.runners import (
    FLOAT32_OPERATORS,
    by_onnxruntime,
    by_reference,
    operators,
    relative_error,
    stir,
)
from scipy import special

import chainrule as cr
from chainrule.activation import VectorActivation
from chainrule.errors import InvalidSetting
from chainrule.layer import Array, Shape
from chainrule.saving.onnx import from_onnx, to_onnx
from chainrule.saving.onnx.write_formula import FormulaOnnx
from chainrule.saving.onnx.writer import Onnx

FAR = np.array([-1e4, -700, -50, -3, -1, -0.0, 0.0, 0.5, 1, 3, 50, 700, 1e4])


@pytest.fixture
def by_formula(monkeypatch: pytest.MonkeyPatch) -> None:
    """Take away what says how activations are written, but for their formulas."""
    others = {
        layer: writer
        for layer, writer in Onnx._known.items()
        if writer is FormulaOnnx or not issubclass(layer, cr.Activation)
    }
    monkeypatch.setattr(Onnx, "_known", others)


def numbers(shape: Shape, dtype: str) -> Array:
    """Some near zero, and some so far away that exponentials overflow."""
    near = np.random.default_rng(0).normal(0, 3, (20, *shape))
    far = np.broadcast_to(FAR.reshape(-1, *[1] * len(shape)), (len(FAR), *shape))
    return np.concatenate([near, far]).astype(dtype)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("activation", examples(cr.Activation), ids=repr)
@pytest.mark.usefixtures("by_formula")
def test_every_activation_by_its_formula(
    activation: cr.Activation, dtype: str, tmp_path: Path
) -> None:
    fresh = type(activation).from_settings(activation.settings())
    net = cr.NeuralNetwork(fresh, inputs=(2, 3), dtype=dtype)
    stir(net, np.random.default_rng(1))
    path = to_onnx(net, tmp_path / "m.onnx")
    x = numbers((2, 3), dtype)
    expected, used = net.predict(x), set(operators(path))
    assert not np.isnan(expected).any()
    if dtype == "float32" or not used & FLOAT32_OPERATORS:
        assert relative_error(by_onnxruntime(path, x), expected) < 1e-6
    with np.errstate(all="ignore"):  # which onnx's own evaluator does not
        assert relative_error(by_reference(path, x), expected) < 1e-6


@pytest.mark.parametrize("loss", ["mean_squared_error", "softmax_cross_entropy"])
@pytest.mark.usefixtures("by_formula")
def test_images_stand_channels_first_inside(loss: str, tmp_path: Path) -> None:
    """Slopes and sums over channels go along the axis where the channels are."""
    net = cr.NeuralNetwork(
        *(cr.Conv2D(3, 2), cr.PReLU(), cr.Conv2D(3, 1, "softmax"), cr.LogSoftmax()),
        *(cr.Flatten(), cr.Dense(2, "gelu")),
        inputs=(4, 3, 1), loss=loss,
    )  # fmt: skip
    stir(net, np.random.default_rng(1))
    path = to_onnx(net, tmp_path / "m.onnx")
    x = np.random.default_rng(0).normal(size=(5, 4, 3, 1)).astype(np.float32)
    assert relative_error(by_onnxruntime(path, x), net.predict(x)) < 1e-6
    assert operators(path).count("Transpose") == 2


# --- of one's own ---------------------------------------------------------------------------------


class BumpForOnnx(cr.Activation):
    """a = e^(-(z/width)²), for these tests."""

    formula = "exp(-(z / width)**2)"
    derivative_formula = "-2 * z / width**2 * a"

    def __init__(self, width: float = 1.0) -> None:
        self.width = width

    def value(self, z: Array) -> Array:
        return np.exp(-((z / self.width) ** 2))

    def derivative(self, z: Array, a: Array) -> Array:
        return -2 * z / self.width**2 * a


def make(text: str, value: Any, base: type = cr.Activation, **more: Any) -> cr.Activation:
    """An activation with that formula, which computes ``value``."""
    contents = {"formula": text, "derivative_formula": "0", "value": value, **more}
    return type("Made", (base,), contents)()  # type: ignore[no-any-return]


def test_by_hand(tmp_path: Path) -> None:
    net = cr.NeuralNetwork(BumpForOnnx(2.0), inputs=3, dtype="float64")
    path = to_onnx(net, tmp_path / "m.onnx")
    # e^0, e^-(2/2)² = e^-1, e^-(-4/2)² = e^-4
    expected = [[1, 1 / np.e, np.e**-4]]
    x = np.array([[0.0, 2.0, -4.0]])
    np.testing.assert_allclose(by_onnxruntime(path, x), expected, rtol=1e-15)
    assert operators(path) == ["Mul", "Pow", "Neg", "Exp"]  # half of z, exactly


@pytest.mark.parametrize(
    ("formula", "value"),
    [
        ("z**3 - 2 * z**2 + 1", lambda self, z: z**3 - 2 * z**2 + 1),
        ("log(1 + exp(z)) - log(2)", lambda self, z: np.logaddexp(0, z) - np.log(2)),
        ("log(cosh(z))", lambda self, z: np.logaddexp(z, -z) - np.log(2)),
        ("Max(z, -1, z / 4)", lambda self, z: np.maximum(np.maximum(z, -1), z / 4)),
        ("Min(Max(z, 0), 6) / 6", lambda self, z: np.clip(z, 0, 6) / 6),
        ("sqrt(1 + Abs(z)) * sign(z)", lambda self, z: np.sqrt(1 + np.abs(z)) * np.sign(z)),
        ("sin(pi * z) + cos(z / 2)", lambda self, z: np.sin(np.pi * z) + np.cos(z / 2)),
        ("log(1 + exp(atan(1) - z))", lambda self, z: np.logaddexp(0, np.pi / 4 - z)),
        ("z * (1 + erf(-z))", lambda self, z: z * special.erfc(z)),
        ("z * (1 + erf(z + 1))", lambda self, z: z * special.erfc(-z - 1)),
        ("atan(z) + Rational(1, 3)", lambda self, z: np.arctan(z) + 1 / 3),
        ("tanh(z) * tanh(z) + 2**z", lambda self, z: np.tanh(z) ** 2 + 2**z),
        ("z * level", lambda self, z: z * 3),
        (
            "Piecewise((-1, z < -1), (z**2, z <= 1), (exp(-z), z >= 2), (0, True))",
            lambda self, z: np.select([z < -1, z <= 1, z >= 2], [-1 + 0 * z, z * z, np.exp(-z)]),
        ),
    ],
)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_what_formulas_are_made_of(formula: str, value: Any, dtype: str, tmp_path: Path) -> None:
    def computed(self: cr.Activation, z: Array) -> Array:
        return np.asarray(value(self, z), z.dtype)

    own = make(formula, computed, level=3)
    net = cr.NeuralNetwork(cr.Dense(4), own, inputs=3, dtype=dtype)
    path = to_onnx(net, tmp_path / "m.onnx")
    x = np.random.default_rng(0).normal(0, 2, (20, 3)).astype(dtype)
    assert relative_error(by_reference(path, x), net.predict(x)) < 1e-6
    if dtype == "float32":
        assert relative_error(by_onnxruntime(path, x), net.predict(x)) < 1e-6


def test_what_a_formula_says_twice_is_computed_once(tmp_path: Path) -> None:
    twice = make("tanh(z) * tanh(z)", lambda self, z: np.tanh(z) ** 2)
    path = to_onnx(cr.NeuralNetwork(twice, inputs=2), tmp_path / "m.onnx")
    assert operators(path) == ["Tanh", "Mul"]


def test_sums_over_the_numbers_of_a_sample(tmp_path: Path) -> None:
    """z_i / Σ_j |z_j|, by a formula with indices."""

    def value(self: cr.Activation, z: Array) -> Array:
        return z / np.abs(z).sum(axis=-1, keepdims=True)

    own = make("z[i] / Sum(Abs(z[j]), (j, 1, K))", value, VectorActivation)
    net = cr.NeuralNetwork(cr.Conv2D(3, 1), own, inputs=(2, 2, 2))
    path = to_onnx(net, tmp_path / "m.onnx")
    x = np.random.default_rng(0).normal(size=(4, 2, 2, 2)).astype(np.float32)
    assert relative_error(by_onnxruntime(path, x), net.predict(x)) < 1e-6


def test_a_class_that_changes_nothing_of_ours(tmp_path: Path) -> None:
    class Steeper(cr.LeakyReLU):
        pass

    net = cr.NeuralNetwork(Steeper(0.5), inputs=2)
    path = to_onnx(net, tmp_path / "m.onnx")
    assert by_onnxruntime(path, np.array([[-4, 4]], np.float32)).tolist() == [[-2, 4]]


def test_formulas_of_ours_are_read_back(tmp_path: Path) -> None:
    for dtype in ("float32", "float64"):
        for name in ("gelu", "gelu_tanh", "softplus"):
            net = cr.NeuralNetwork(cr.Dense(2, name), inputs=2, dtype=dtype)
            read = from_onnx(to_onnx(net, tmp_path / "m.onnx"))
            assert read.layers[0].activation.name == name


# --- errors ---------------------------------------------------------------------------------------


def nothing(self: cr.Activation, z: Array) -> Array:
    return 0 * z


@pytest.mark.parametrize(
    ("formula", "told"),
    [
        ("", r"it does not say in a formula what it computes\. Give Made a formula"),
        ("z *", r"its formula 'z \*' cannot be read"),
        ("z == 1", r"its formula 'z == 1' cannot be read"),
        ("erfinv(z)", r"its formula holds the function erfinv, which has no form in ONNX here"),
        ("z * slope", r"its formula holds 'slope', which is None and no number"),
        ("z * words", r"its formula holds 'words', which is 'some' and no number"),
        ("z @ z", r"its formula cannot be computed \("),
        ("z.T", r"its formula holds a Transposed, which has no form in ONNX here"),
        ("total(z)", r"its formula gives \(1,\), and the layer \(2,\)"),
        ("0 * z + exp(z) - exp(z)", r"its formula gives nan for 1\d+, and the layer 0"),
        ("Piecewise((0, z < 1))", r"its formula holds cases without a last one"),
        ("1 / 3", r"its formula holds no z"),
        ("z / 2", r"its formula gives 0\.\d+ for 0\.\d+, and the layer 0\."),
    ],
)
def test_what_cannot_be_written_is_named(formula: str, told: str, tmp_path: Path) -> None:
    own = make(formula, nothing, words="some")
    net = cr.NeuralNetwork(cr.Dense(2), own, inputs=2)
    with pytest.raises(InvalidSetting, match=rf"Layer 2, Made\(\), cannot be written .*{told}"):
        to_onnx(net, tmp_path / "m.onnx")
    assert not list(tmp_path.iterdir())


def test_a_class_that_computes_something_else_than_its_base_says(tmp_path: Path) -> None:
    class Odd(cr.Tanh):
        def value(self, z: Array) -> Array:
            return np.tanh(z) ** 3

    with pytest.raises(InvalidSetting, match="does not say in a formula what it computes"):
        to_onnx(cr.NeuralNetwork(Odd(), inputs=2), tmp_path / "m.onnx")


class EverywhereForOnnx(cr.Activation):
    """A factor for each number of a sample, for these tests."""

    formula, derivative_formula = "z * level", "level"
    level = cr.Parameter()

    def parameter_shapes(self, input_shape: Shape) -> dict[str, Shape]:
        return {"level": input_shape}

    def initial_value(self, name: str, shape: Shape, random: np.random.Generator) -> Array:
        return random.normal(size=shape)

    def value(self, z: Array) -> Array:
        return z * self.level

    def derivative(self, z: Array, a: Array) -> Array:
        return self.level


def test_a_parameter_that_is_not_one_for_each_channel(tmp_path: Path) -> None:
    net = cr.NeuralNetwork(EverywhereForOnnx(), inputs=(2, 3))
    path = to_onnx(net, tmp_path / "m.onnx")
    x = np.random.default_rng(0).normal(size=(4, 2, 3)).astype(np.float32)
    assert relative_error(by_onnxruntime(path, x), net.predict(x)) < 1e-6
    net = cr.NeuralNetwork(cr.Conv2D(3, 1), EverywhereForOnnx(), inputs=(2, 3, 1))
    with pytest.raises(InvalidSetting, match=r"parameter 'level' of shape \(2, 3, 3\), not \(chan"):
        to_onnx(net, tmp_path / "m.onnx")  # where channels stand first
    assert to_onnx(cr.NeuralNetwork(EverywhereForOnnx(), cr.Conv2D(1, 1), inputs=(2, 3, 1)), path)


# --- layers of one's own --------------------------------------------------------------------------


class ScaledForOnnx(cr.Layer):
    """The example of CONTRIBUTING.md: y = x s."""

    factors = cr.Parameter()

    def parameter_shapes(self, input_shape: Shape) -> dict[str, Shape]:
        return {"factors": input_shape}

    def initial_value(self, name: str, shape: Shape, random: np.random.Generator) -> Array:
        return random.normal(size=shape)

    def equations(self, training: bool) -> dict[str, str]:
        return {
            "y": "x * factors",
            "d_factors": "batch_sum(x * d_y)",
            "d_x": "factors * d_y",
        }

    def feedforward(self, x: Array, trace: cr.Trace) -> Array:
        return x * self.factors


class MixedForOnnx(cr.Layer):
    """Matrices there and back, in several steps, with an activation at the end."""

    weights = cr.Parameter()

    def __init__(self, power: float = 2.0, activation: str = "gelu") -> None:
        self.power = power
        self.activation = cr.Activation.get(activation)

    def parameter_shapes(self, input_shape: Shape) -> dict[str, Shape]:
        return {"weights": (input_shape[-1], 5)}

    def initial_value(self, name: str, shape: Shape, random: np.random.Generator) -> Array:
        return random.normal(size=shape)

    def equations(self, training: bool) -> dict[str, str]:
        return {
            "hidden": "Abs(x @ weights)**power",
            "z": "hidden @ weights.T / (1 + total(hidden)) - channel_average(x)",
            "d_x": "d_z",
        }

    def feedforward(self, x: Array, trace: cr.Trace) -> Array:
        hidden = np.abs(x @ self.weights) ** self.power
        shares = hidden @ self.weights.T / (1 + hidden.sum(axis=-1, keepdims=True))
        trace.z = shares - x.mean(axis=-1, keepdims=True)
        assert self.activation is not None
        return self.activation.feedforward(trace.z, trace)


@pytest.mark.parametrize(
    "layer", [ScaledForOnnx(), MixedForOnnx(), MixedForOnnx(3.0, "identity")], ids=repr
)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_layer_by_its_equations(layer: cr.Layer, dtype: str, tmp_path: Path) -> None:
    """Inside a residual block, and behind a convolution that leaves channels first."""
    own = [copy.deepcopy(layer) for _ in range(2)]
    rows = cr.NeuralNetwork(cr.Dense(4), cr.Residual(own[0]), inputs=3, dtype=dtype)
    images = cr.NeuralNetwork(cr.Conv2D(4, 2), own[1], inputs=(4, 3, 1), dtype=dtype)
    for net in (rows, images):
        path = to_onnx(net, tmp_path / "m.onnx")
        x = np.random.default_rng(0).normal(size=(4, *net.shapes[0])).astype(dtype)
        assert relative_error(by_reference(path, x), net.predict(x)) < 1e-6
        if dtype == "float32":
            assert relative_error(by_onnxruntime(path, x), net.predict(x)) < 1e-6


def test_equations_of_another_class_are_not_believed(tmp_path: Path) -> None:
    class Shifted(ScaledForOnnx):
        def feedforward(self, x: Array, trace: cr.Trace) -> Array:
            return x * self.factors + 1

    class Wrong(ScaledForOnnx):
        def equations(self, training: bool) -> dict[str, str]:
            return {**super().equations(training), "y": "x + factors"}

    with pytest.raises(InvalidSetting, match="does not say in equations what it computes"):
        to_onnx(cr.NeuralNetwork(Shifted(), inputs=2), tmp_path / "m.onnx")
    with pytest.raises(InvalidSetting, match=r"its formula gives .* for .*, and the layer"):
        to_onnx(cr.NeuralNetwork(Wrong(), inputs=2), tmp_path / "m.onnx")


def test_a_layer_that_leaves_nothing_to_compare(tmp_path: Path) -> None:
    class Silent(MixedForOnnx):
        def equations(self, training: bool) -> dict[str, str]:
            return super().equations(training)

        def feedforward(self, x: Array, trace: cr.Trace) -> Array:
            return super().feedforward(x, cr.Trace())

    with pytest.raises(InvalidSetting, match="it leaves no z in the trace to compare"):
        to_onnx(cr.NeuralNetwork(Silent(), inputs=2), tmp_path / "m.onnx")


def test_large_samples_are_few(tmp_path: Path) -> None:
    net = cr.NeuralNetwork(ScaledForOnnx(), inputs=(700, 800, 1))
    assert operators(to_onnx(net, tmp_path / "m.onnx")) == ["Mul"]


def test_a_convolution_of_ones_own_is_named(tmp_path: Path) -> None:
    class Convolution(cr.Conv2D):
        pass

    with pytest.raises(InvalidSetting, match=r"its formula holds the function correlate, which"):
        to_onnx(cr.NeuralNetwork(Convolution(1, 2), inputs=(3, 3, 1)), tmp_path / "m.onnx")

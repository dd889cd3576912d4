"""What cannot be ejected is refused with its name, and nothing is written."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from saving.eject import kinds

import chainrule as cr
from chainrule.errors import InvalidData, InvalidSetting, NotBuilt
from chainrule.layer import Array
from chainrule.saving.eject import to_python


def refused(network: cr.NeuralNetwork, path: Path, message: str) -> None:
    path.write_text("as it was")
    with pytest.raises(InvalidSetting, match=message):
        to_python(network, path)
    assert path.read_text() == "as it was"
    assert [found.name for found in path.parent.iterdir()] == [path.name]


def with_activation(activation: cr.Activation) -> cr.NeuralNetwork:
    return kinds.network(cr.Dense(3, activation), cr.Dense(1), inputs=2)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "net.py"


def test_scipys_optimizer(path: Path) -> None:
    net = kinds.network(cr.Dense(1), inputs=2, optimizer="lbfgs")
    refused(net, path, r"The optimizer LBFGS\(\) cannot be ejected: it is SciPy's")


def test_a_rate_that_depends_on_the_loss(path: Path) -> None:
    rate = cr.ReduceOnPlateau(0.1)
    net = kinds.network(cr.Dense(1), inputs=2, optimizer=cr.GradientDescent(rate))
    refused(net, path, r"ReduceOnPlateau\(0\.1\) cannot be ejected: it depends on more than time")


def test_an_activation_without_formulas(path: Path) -> None:
    class Sine(cr.Activation):
        def value(self, z: Array) -> Array:
            return np.sin(z)

        def derivative(self, z: Array, a: Array) -> Array:
            return np.cos(z)

    refused(with_activation(Sine()), path, r"Layer 1, Sine\(\), cannot be ejected: .* in formulas")


def test_an_activation_whose_formula_is_wrong(path: Path) -> None:
    class Sine(cr.Activation):
        formula = "sin(2 * z)"
        derivative_formula = "cos(z)"

        def value(self, z: Array) -> Array:
            return np.sin(z)

        def derivative(self, z: Array, a: Array) -> Array:
            return np.cos(z)

    refused(with_activation(Sine()), path, "predictions of the module would differ")


def test_a_derivative_that_is_wrong(path: Path) -> None:
    class Sine(cr.Activation):
        formula = "sin(z)"
        derivative_formula = "1 - cos(z)"

        def value(self, z: Array) -> Array:
            return np.sin(z)

        def derivative(self, z: Array, a: Array) -> Array:
            return np.cos(z)

    refused(with_activation(Sine()), path, "the gradient of layer 1 weights of the module would")


@pytest.mark.parametrize(
    ("formula", "message"),
    [
        ("gamma(z)", "calls 'gamma', for which there is no function in NumPy"),
        ("z +", "its equation 'z \\+' cannot be read"),
        ("z if z else 0", "cannot be read"),
        ("z * strength", "its formula names 'strength', which is no number"),
    ],
)
def test_a_formula_that_nobody_can_compute(path: Path, formula: str, message: str) -> None:
    class Odd(cr.Activation):
        derivative_formula = "1"

        def value(self, z: Array) -> Array:
            return z

        def derivative(self, z: Array, a: Array) -> Array:
            return np.ones_like(z)

    Odd.formula = formula
    refused(with_activation(Odd()), path, message)


def test_a_layer_without_equations(path: Path) -> None:
    class TwiceAsMuch(cr.Layer):
        def feedforward(self, x: Array, trace: cr.Trace) -> Array:
            return 2 * x

        def backprop(self, d_y: Array, trace: cr.Trace) -> Array:
            return 2 * d_y

    net = kinds.network(cr.Residual(cr.Tanh(), TwiceAsMuch()), inputs=2)
    refused(net, path, r"Layer 1\.2, TwiceAsMuch\(\), cannot be ejected: .* in equations")


def test_a_layer_that_does_something_else_than_its_base(path: Path) -> None:
    class Halved(cr.Dense):
        def feedforward(self, x: Array, trace: cr.Trace) -> Array:
            return super().feedforward(x / 2, trace)

    refused(kinds.network(Halved(1), inputs=2), path, r"Layer 1, Halved\(1\), cannot be ejected")


def test_a_loss_without_formulas(path: Path) -> None:
    class Fourth(cr.Loss):
        def terms(self, y_hat: Array, y: Array) -> Array:
            return (y_hat - y) ** 4

        def terms_gradient(self, y_hat: Array, y: Array) -> Array:
            return 4 * (y_hat - y) ** 3

    net = kinds.network(cr.Dense(1), inputs=2, loss=Fourth())
    refused(net, path, r"The loss Fourth\(\) cannot be ejected")


def test_a_loss_that_predicts_in_a_way_of_its_own(path: Path) -> None:
    class Rounded(cr.MeanSquaredError):
        def prediction(self, output: Array) -> Array:
            return output.round()

    net = kinds.network(cr.Dense(1), inputs=2, loss=Rounded())
    refused(net, path, r"The loss Rounded\(\) cannot be ejected: it makes predictions")


def test_an_optimizer_without_equations(path: Path) -> None:
    class Signs(cr.Optimizer):
        def update(self, parameters: Array, gradients: Array, state: object, rate: float) -> None:
            parameters -= rate * np.sign(gradients)

    net = kinds.network(cr.Dense(1), inputs=2, optimizer=Signs(0.1))
    refused(net, path, r"The optimizer Signs\(.*\) cannot be ejected: it does not say in equations")


def test_numbers_that_are_not_finite(path: Path) -> None:
    net = kinds.network(cr.Dense(1), inputs=2)
    net.parameters[0] = np.nan
    with pytest.raises(InvalidData, match="layer 1 weights holds NaN or infinity"):
        to_python(net, path)
    assert not path.exists()


def test_places_where_nothing_can_be_written(tmp_path: Path) -> None:
    net = kinds.network(cr.Dense(1), inputs=2)
    with pytest.raises(InvalidSetting, match="received 'net' as network; expected a NeuralNetw"):
        to_python("net", tmp_path / "net.py")  # type: ignore[arg-type]
    with pytest.raises(NotBuilt):
        to_python(cr.NeuralNetwork(cr.Dense(1)), tmp_path / "net.py")
    with pytest.raises(InvalidSetting, match=r"expected a name that ends in \.py"):
        to_python(net, tmp_path / "net.txt")
    with pytest.raises(InvalidSetting, match="there is no folder"):
        to_python(net, tmp_path / "absent" / "net.py")
    assert list(tmp_path.iterdir()) == []


def test_the_network_stays_as_it_was(path: Path) -> None:
    net = kinds.network(cr.Dense(3, "tanh"), cr.BatchNorm(), cr.Dense(1), inputs=2)
    before, state = net.parameter_vector.storage.copy(), net.training_state.optimizer.step
    to_python(net, path)
    assert np.array_equal(net.parameter_vector.storage, before)
    assert net.training_state.optimizer.step == state


def test_classes_of_your_own(compare: Callable[..., None]) -> None:
    class MySine(cr.Activation):
        """a = sin(s z), which has no upper end."""

        name = "my sine!"  # no name for a function
        formula = "sin(strength * z) + exp(-z**2)"
        derivative_formula = "strength * cos(strength * z) - 2 * z * exp(-z**2)"

        def __init__(self, strength: float = 2.0) -> None:
            self.strength = strength

        def value(self, z: Array) -> Array:
            return np.sin(self.strength * z) + np.exp(-z * z)

        def derivative(self, z: Array, a: Array) -> Array:
            return self.strength * np.cos(self.strength * z) - 2 * z * np.exp(-z * z)

    class Average(cr.Activation):
        """Named like a function that ejected modules have: the identity, doubled."""

        formula = "2 * z"
        derivative_formula = "2"

        def value(self, z: Array) -> Array:
            return 2 * z

        def derivative(self, z: Array, a: Array) -> Array:
            return np.full_like(z, 2)

    class Scale(cr.Layer):
        factors = cr.Parameter(penalized=True)

        def parameter_shapes(self, input_shape: tuple[int, ...]) -> dict[str, tuple[int, ...]]:
            return {"factors": input_shape}

        def initial_value(
            self, name: str, shape: tuple[int, ...], random: np.random.Generator
        ) -> Array:
            return np.ones(shape)

        def equations(self, training: bool) -> dict[str, str]:
            return {
                "y": "x * factors",
                "d_factors": "batch_sum(x * d_y)",
                "d_x": "factors * d_y",
            }

        def feedforward(self, x: Array, trace: cr.Trace) -> Array:
            trace.x = x
            trace.y = x * self.factors
            return trace.y

        def backprop(self, d_y: Array, trace: cr.Trace) -> Array:
            trace.d_factors = (d_y * trace.x).sum(axis=0)
            return d_y * self.factors

    class FourthPower(cr.Loss):
        """Mean of (ŷ - y)⁴."""

        formula = "(y_hat - y)**4"
        gradient_formula = "4 * (y_hat - y)**3"

        def terms(self, y_hat: Array, y: Array) -> Array:
            return (y_hat - y) ** 4

        def terms_gradient(self, y_hat: Array, y: Array) -> Array:
            return 4 * (y_hat - y) ** 3

    net = kinds.network(
        cr.Dense(3, MySine()), cr.Dense(3, MySine(0.5)), Average(), cr.LayerNorm(), Scale(),
        cr.Dense(2), inputs=2, loss=FourthPower(), optimizer=cr.GradientDescent(0.001), l2=0.1,
    )  # fmt: skip
    compare(net, *kinds.data_for(net))


def test_statistics_that_are_counted_in_a_way_of_ones_own(path: Path) -> None:
    class Slow(cr.BatchNorm):
        def update_statistics(self, trace: cr.Trace) -> None:
            """Count nothing."""

    net = kinds.network(cr.Dense(2), Slow(), inputs=2)
    refused(net, path, r"Layer 2, Slow\(\), cannot be ejected: how it counts its statistics")


class Signed(cr.Optimizer):
    """Steps of one length, as Rprop begins."""

    remembers = {"total": 0.0}
    strength = 0.5

    def equations(self) -> dict[str, str]:
        return {
            "new_total": "total + gradient",
            "new_parameter": "parameter - rate * 0.5 * new_total / sqrt(1 + new_total**2)",
        }

    def update(self, parameters: Array, gradients: Array, state: Any, rate: float) -> None:
        total = state.vectors["total"]
        total += gradients
        parameters -= rate * 0.5 * total / np.sqrt(1 + total**2)


def test_an_optimizer_of_your_own(compare: Callable[..., None]) -> None:
    net = kinds.network(cr.Dense(2), inputs=2, optimizer=Signed(0.01))
    compare(net, *kinds.data_for(net))


@pytest.mark.parametrize(
    ("rule", "message"),
    [
        ("parameter - rate * gradient", "the update of layer 1 weights of the module would differ"),
        ("parameter - rate * strong * gradient", "would not run .NameError"),
        ("parameter -", "an equation cannot be read"),
        ("parameter - rate * gamma(gradient)", "calls 'gamma'"),
    ],
)
def test_an_optimizer_whose_equations_are_wrong(path: Path, rule: str, message: str) -> None:
    class Wrong(Signed):
        def equations(self) -> dict[str, str]:
            return {"new_parameter": rule}

    refused(kinds.network(cr.Dense(1), inputs=2, optimizer=Wrong(0.1)), path, message)


@pytest.mark.parametrize(
    ("formula", "message"),
    [
        ("(y_hat - y)**2", "the loss of the module would differ"),
        ("(y_hat - y", "cannot be read"),
        ("(y_hat - strange)**2", r"The loss Half\(\) cannot be ejected"),
    ],
)
def test_a_loss_whose_formula_is_wrong(path: Path, formula: str, message: str) -> None:
    class Half(cr.Loss):
        gradient_formula = "y_hat - y"

        def terms(self, y_hat: Array, y: Array) -> Array:
            return (y_hat - y) ** 2 / 2

        def terms_gradient(self, y_hat: Array, y: Array) -> Array:
            return y_hat - y

    Half.formula = formula
    refused(kinds.network(cr.Dense(1), inputs=2, loss=Half()), path, message)

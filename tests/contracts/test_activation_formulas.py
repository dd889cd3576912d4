"""The formula is the code: of every activation, by SymPy.

Three things stand beside each other in each class: the formula, its derivative's formula, and the
code. SymPy differentiates the first, which must give the second, and both must give what the code
computes.
"""

from __future__ import annotations

import copy

import numpy as np
import pytest
import sympy

import chainrule as cr
from chainrule.layer import Array
from contracts.examples import examples, random_for
from contracts.formulas import (
    CLASSES,
    assert_code_equals,
    assert_same,
    at,
    components,
    is_indexed,
    number_of,
    parse,
    real,
)

ACTIVATIONS = examples(cr.Activation)
ELEMENTWISE = [a for a in ACTIVATIONS if not is_indexed(a.formula)]
VECTOR = [a for a in ACTIVATIONS if is_indexed(a.formula)]
SEVERAL = range(1, CLASSES + 1)


def with_parameters(example: cr.Activation) -> cr.Activation:
    """Return a copy that has its learned numbers, one of each kind."""
    activation = copy.deepcopy(example)
    random = np.random.default_rng(0)
    for name, shape in activation.parameter_shapes((1,)).items():
        activation.bind(name, np.array(activation.initial_value(name, shape, random)))
    return activation


@pytest.mark.parametrize("activation", ACTIVATIONS, ids=repr)
def test_every_activation_shows_its_formula(activation: cr.Activation) -> None:
    assert activation.formula
    assert activation.derivative_formula


@pytest.mark.parametrize("activation", ELEMENTWISE, ids=repr)
def test_formula_derivative_and_code_agree(activation: cr.Activation) -> None:
    assert_formulas_are_the_code(with_parameters(activation))


def assert_formulas_are_the_code(activation: cr.Activation) -> None:
    """Compare formula, derivative's formula and code at random places."""
    formula = parse(activation.formula, activation)
    value = number_of(formula, activation)
    differentiated = number_of(sympy.diff(formula, real("z")), activation)
    derivative = number_of(parse(activation.derivative_formula, activation), activation)

    z = random_for(activation).uniform(-6, 6, (60, 1))
    values, derivatives = [], []
    for number in z.ravel():
        values.append(value({"z": number}))
        derivatives.append(derivative({"z": number, "a": values[-1]}))
        assert_same(differentiated({"z": number}), derivatives[-1])

    a = activation.value(z)
    assert_code_equals(a, values)
    assert_code_equals(np.asarray(activation.derivative(z, a), dtype=np.float64), derivatives)


class Wave(cr.Activation, register=False):
    """a = sin(2 z), right in every way."""

    formula = "sin(2 * z)"
    derivative_formula = "2 * cos(2 * z)"

    def value(self, z: Array) -> Array:
        return np.asarray(np.sin(2 * z))

    def derivative(self, z: Array, a: Array) -> Array:
        return np.asarray(2 * np.cos(2 * z))


@pytest.mark.parametrize("wrong", ["formula", "derivative_formula", "value", "derivative"])
def test_the_comparison_finds_whichever_of_the_four_is_wrong(
    wrong: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert_formulas_are_the_code(Wave())
    if wrong.endswith("formula"):
        monkeypatch.setattr(Wave, wrong, f"{getattr(Wave, wrong)} * 1.000001")
    else:
        right = getattr(Wave, wrong)
        monkeypatch.setattr(Wave, wrong, lambda *given: right(*given) * 1.000001)
    with pytest.raises(AssertionError):
        assert_formulas_are_the_code(Wave())


@pytest.mark.parametrize(
    "activation", [a for a in ELEMENTWISE if a.parameter_shapes((1,))], ids=repr
)
def test_the_gradient_of_a_learned_number_is_the_formulas(activation: cr.Activation) -> None:
    """∂L/∂slope = Σ ∂L/∂a · ∂a/∂slope, for every parameter an activation has."""
    activation = with_parameters(activation)
    formula = parse(activation.formula, activation)
    random = random_for(activation, "parameters")
    z, d_a = random.uniform(-6, 6, (2, 40, 1))
    trace = cr.Trace()
    activation.feedforward(z, trace)
    activation.backprop(d_a, trace)
    for name in activation.parameter_shapes((1,)):
        slope = number_of(sympy.diff(formula, real(name)), activation)
        slopes = np.array([float(slope({"z": number})) for number in z.ravel()])
        assert_code_equals(getattr(trace, f"d_{name}"), slopes @ d_a)


@pytest.mark.parametrize("activation", VECTOR, ids=repr)
def test_formula_jacobian_and_code_agree(activation: cr.Activation) -> None:
    formula = parse(activation.formula, activation)
    derivative_formula = parse(activation.derivative_formula, activation)
    outputs = [at(formula, i=i) for i in SEVERAL]
    values = [number_of(output, activation) for output in outputs]
    differentiated = [
        [number_of(sympy.diff(output, z_k), activation) for z_k in components("z")]
        for output in outputs
    ]
    derivatives = [
        [number_of(at(derivative_formula, i=i, k=k), activation) for k in SEVERAL] for i in SEVERAL
    ]

    random = random_for(activation)
    z, d_a = random.uniform(-6, 6, (2, 20, CLASSES))
    expected_a, expected_d_z = np.empty_like(z), np.empty_like(z)
    for row in range(len(z)):
        numbers = numbered("z", z[row])
        a = [value(numbers) for value in values]
        numbers |= numbered("a", a)
        jacobian = np.empty((CLASSES, CLASSES))
        for i in range(CLASSES):
            for k in range(CLASSES):
                entry = derivatives[i][k](numbers)
                assert_same(differentiated[i][k](numbers), entry)
                jacobian[i, k] = entry
        expected_a[row], expected_d_z[row] = a, d_a[row] @ jacobian

    trace = cr.Trace()
    assert_code_equals(activation.feedforward(z, trace), expected_a)
    np.testing.assert_allclose(
        activation.backprop(d_a, trace), expected_d_z, rtol=1e-12, atol=1e-14
    )


def numbered(name: str, numbers: Array | list[object]) -> dict[str, object]:
    """Name the numbers of one sample: z1, z2, z3."""
    return {f"{name}{index}": number for index, number in enumerate(numbers, start=1)}

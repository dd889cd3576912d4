"""Is what an explanation says true? Comparisons of its numbers with everything they must equal."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from typing import Any

import numpy as np
import sympy

import chainrule as cr
from chainrule.explain import Explanation, Quantity, Tensor
from chainrule.explain.evaluation import evaluate
from chainrule.explain.expression import (
    Derivative,
    Expression,
    Name,
    Negative,
    Power,
    Product,
    Quotient,
    Sum,
    parts,
)
from chainrule.explain.layout import WHOLE
from chainrule.layer import Array, Index

ROUNDING = {"float64": 1e-9, "float32": 1e-4}  # of the size of what is added up


def explained(
    net: cr.NeuralNetwork,
    x: Any,
    y: Any,
    sample_weight: Any = None,
    *,
    training: bool = True,
) -> Explanation:
    """Explain a step, once it is known that its arrays are those of the network itself."""
    explanation = net.explain(x, y, sample_weight=sample_weight, training=training)
    assert_it_is_the_network(explanation, net, x, y, sample_weight, training=training)
    return explanation


def assert_it_is_the_network(
    explanation: Explanation,
    net: cr.NeuralNetwork,
    x: Any,
    y: Any,
    sample_weight: Any = None,
    *,
    training: bool = True,
) -> None:
    """Every array that the network's own passes leave behind is there, with the same bits."""
    step = explanation.step
    trace = net.new_trace(training=training)
    trace.shared.step = net.training_state.step
    output = net.feedforward(x, trace)
    loss = net.measure(y, trace, sample_weight)
    gradients = net.backprop(y, trace, sample_weight)
    has_penalty = bool(net.l1 or net.l2)
    np.testing.assert_array_equal(explanation.output.values, output)
    np.testing.assert_array_equal(step.arrays[WHOLE, "d_y_hat"], trace.d_output)
    np.testing.assert_array_equal(step.arrays[WHOLE, "d_x"], trace.d_x)
    for path in step.places:
        for field, values in trace.at(path).fields().items():
            name = step.resolve(path, field)
            if has_penalty and (path, field) in step.totals:
                continue  # the network adds the penalty to this very array: compared below
            assert (name.path, name.field) in step.arrays, f"{field} of layer {path} is missing"
            np.testing.assert_array_equal(
                step.arrays[name.path, name.field], values, err_msg=f"{field} of layer {path}"
            )
    # Sums of several parts may be added in another order.
    tolerance = 1e-6 if net.dtype == np.float32 else 1e-13
    for slot in net.parameter_vector.slots:
        np.testing.assert_allclose(
            step.arrays[slot.path, f"d_{slot.name}"],
            slot.view(gradients),
            rtol=tolerance,
            atol=tolerance * max(1.0, float(np.abs(gradients).max())),
            err_msg=slot.label,
        )
    assert abs(explanation.loss.value - loss) <= tolerance * max(1.0, abs(loss))


def arrays(explanation: Explanation) -> Iterator[Tensor]:
    """Every array of the step that has numbers in it."""
    for path, field in list(explanation.step.arrays):
        tensor = explanation.tensor(Name(path, field))
        if tensor.values.size:
            yield tensor


def chosen(values: Array, at_most: int, random: np.random.Generator) -> list[Index]:
    """Some indices of an array: all of a small one."""
    places = np.arange(values.size)
    if values.size > at_most:
        places = random.choice(values.size, at_most, replace=False)
    return [tuple(map(int, np.unravel_index(place, values.shape))) for place in places]


def equations(
    explanation: Explanation, at_most: int, random: np.random.Generator
) -> Iterator[Quantity]:
    """Some numbers of each array that has equations."""
    for tensor in arrays(explanation):
        for index in chosen(tensor.values, at_most, random):
            quantity = tensor[index]
            if quantity.expression is not None:
                yield quantity


def given(explanation: Explanation) -> set[str]:
    """Names of the arrays that have no equations."""
    return {t.symbol.field for t in arrays(explanation) if t[t.first].expression is None}


def assert_formula_gives_value(quantity: Quantity, rounding: float = ROUNDING["float64"]) -> None:
    """What the formula gives is what the network computed."""
    expression = quantity.expression
    assert expression is not None
    size = max(size_of(expression, quantity.explanation.step.value), abs(quantity.value))
    assert np.isfinite(quantity.value), quantity.name
    smallest = float(np.finfo(np.float32).tiny)  # below which float32 holds nothing
    assert abs(quantity.computed - quantity.value) <= rounding * size + smallest, (
        f"{quantity.name} is {quantity.value!r}; its formula gives {quantity.computed!r}"
    )


def assert_every_number(explanation: Explanation) -> None:
    """Some numbers of each array are what their formulas give."""
    for quantity in equations(explanation, 5, np.random.default_rng(0)):
        assert_formula_gives_value(quantity)


def assert_sympy_agrees(quantity: Quantity, rounding: float = ROUNDING["float64"]) -> None:
    """SymPy reads formula and substitution, and finds the value in both."""
    expression, step = quantity.short_expression, quantity.explanation.step
    assert expression is not None
    size = max(size_of(expression, step.value), abs(quantity.value))
    values = {**symbols(expression, step.value), **quantity.rests}
    assert {part.symbol.identifier for part in quantity.short_parts} <= set(values)
    formula = sympy.sympify(quantity.formula, locals={name: sympy.Symbol(name) for name in values})
    assert {str(symbol) for symbol in formula.free_symbols} <= set(values)
    by_formula = float(formula.subs({sympy.Symbol(n): sympy.Float(v) for n, v in values.items()}))
    by_substitution = float(sympy.sympify(quantity.substitution))
    for found in (by_formula, by_substitution):
        assert abs(found - quantity.value) <= rounding * size + np.finfo(np.float32).tiny, (
            f"{quantity.name} is {quantity.value!r}; SymPy finds {found!r} in {quantity.formula} "
            f"= {quantity.substitution}"
        )


def symbols(expression: Expression, value: Any) -> dict[str, float]:
    """Value of every name and local derivative in an expression, as SymPy calls it."""
    match expression:
        case Name():
            return {expression.identifier: value(expression)}
        case Derivative(of, by):
            return {f"d_{of.identifier}_by_{by.identifier}": value(expression)}
    found: dict[str, float] = {}
    for part in parts(expression):
        found |= symbols(part, value)
    return found


def size_of(expression: Expression, value: Any) -> float:
    """How large the numbers are that an expression adds up: rounding errors are parts of it.

    Where large numbers cancel, the result is small and its error is not.
    """
    match expression:
        case Sum(terms):
            return sum(size_of(term, value) for term in terms)
        case Product(factors):
            return float(np.prod([size_of(factor, value) for factor in factors]))
        case Negative(of):
            return size_of(of, value)
        case Quotient(top, bottom):
            return size_of(top, value) / abs(evaluate(bottom, value))
        case Power(base, exponent):
            power = evaluate(exponent, value)
            if power > 0:
                return float(size_of(base, value) ** power)
    return abs(evaluate(expression, value))


def assert_differences_agree(explanation: Explanation, at_most: int, seed: int = 0) -> int:
    """Gradients equal finite differences; returns how many were compared.

    What a difference cannot resolve is its own rounding error: that of the loss, divided by the
    step of 1e-5.
    """
    random, compared = np.random.default_rng(seed), 0
    noise = 1e-9 * max(1.0, abs(explanation.loss.value))
    for tensor in arrays(explanation):
        if not tensor.symbol.field.startswith("d_"):
            continue
        largest = float(np.abs(tensor.values).max())
        for index in chosen(tensor.values, at_most, random):
            quantity = tensor[index]
            difference = quantity.finite_difference
            if difference is not None:
                compared += 1
                assert abs(quantity.value - difference) <= 1e-6 * largest + noise, (
                    f"{quantity.name} is {quantity.value!r}; finite differences give {difference!r}"
                )
    return compared


def derivative_by_moving(explanation: Explanation, of: Name, by: Name) -> float:
    """∂of/∂by within one layer: run that layer alone, with one number moved both ways."""
    step, twin = explanation.step, explanation.differences.network
    place, field = step.homes[of.path, of.field]
    layer, shape = twin.layers[place.path[0]], twin.shapes[place.path[0]]
    for inside in place.path[1:]:
        layer, shape = layer.inner_layers(shape)[inside]
    source = step.resolve(place.path, place.input)
    x = np.array(step.arrays[source.path, source.field], dtype=np.float64, order="C")
    by = dataclasses.replace(step.resolve(by.path, by.field), index=by.index)
    if (by.path, by.field) == (source.path, source.field):
        values = x
    elif (by.path, by.field) == (place.path, "z"):
        values = np.array(step.arrays[by.path, by.field], dtype=np.float64, order="C")
        activation = layer.activation
        assert activation is not None
        return _slope(values, by.index or (), lambda: activation.value(values)[of.index or ()])
    else:
        owner = layer if by.field in type(layer)._declared else layer.activation
        values = getattr(owner, by.field)

    def computed() -> Any:
        trace = cr.Trace(step.shared, place.path)
        output = layer.feedforward(x, trace)
        return (output if field == place.output else getattr(trace, field))[of.index or ()]

    return _slope(values, by.index or (), computed)


def _slope(values: Array, index: Index, computed: Any) -> float:
    """(f(v + h) - f(v - h)) / 2h for one number of an array; put back."""
    start, step = values[index], 1e-6
    values[index] = start + step
    above = computed()
    values[index] = start - step
    below = computed()
    values[index] = start
    return float((above - below) / (2 * step))

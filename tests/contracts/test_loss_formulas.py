"""The formula is the code: of every loss, by SymPy.

As for the activations: SymPy's derivative of the formula must be the gradient's formula, and both
must be what the code computes.
"""

from __future__ import annotations

import numpy as np
import pytest
import sympy

import chainrule as cr
from chainrule.layer import Array
from chainrule.losses import SmoothedLoss
from contracts.examples import examples, outputs_for, random_for, targets_for
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

LOSSES = examples(cr.Loss)
ELEMENTWISE = [loss for loss in LOSSES if not is_indexed(loss.formula)]
OVER_CLASSES = [loss for loss in LOSSES if is_indexed(loss.formula)]


def output_name(loss: cr.Loss) -> str:
    """Formulas on logits are written in z, all others in y_hat."""
    return "z" if loss.outputs == "logits" else "y_hat"


def seen(loss: cr.Loss, y: Array) -> Array:
    """Actual values as the formula sees them: smoothed where the loss smooths them."""
    return loss.smoothed(y) if isinstance(loss, SmoothedLoss) else y


@pytest.mark.parametrize("loss", LOSSES, ids=repr)
def test_every_loss_shows_its_formula(loss: cr.Loss) -> None:
    assert loss.formula
    assert loss.gradient_formula


@pytest.mark.parametrize("loss", ELEMENTWISE, ids=repr)
def test_formula_gradient_and_code_agree(loss: cr.Loss) -> None:
    name = output_name(loss)
    formula = parse(loss.formula, loss)
    term = number_of(formula, loss)
    differentiated = number_of(sympy.diff(formula, real(name)), loss)
    gradient = number_of(parse(loss.gradient_formula, loss), loss)

    random = random_for(loss)
    y_hat, y = outputs_for(loss, (60, 1), random), targets_for(loss, (60, 1), random)
    terms, gradients = [], []
    for output, actual in zip(y_hat.ravel(), seen(loss, y).ravel(), strict=True):
        numbers = {name: output, "y": actual}
        terms.append(term(numbers))
        gradients.append(gradient(numbers))
        assert_same(differentiated(numbers), gradients[-1])

    assert_code_equals(loss.terms(y_hat, y), terms)
    assert_code_equals(loss.terms_gradient(y_hat, y), gradients)


@pytest.mark.parametrize("loss", OVER_CLASSES, ids=repr)
def test_formula_gradient_and_code_agree_over_classes(loss: cr.Loss) -> None:
    name = output_name(loss)
    formula = at(parse(loss.formula, loss))
    gradient_formula = parse(loss.gradient_formula, loss)
    # Actual values sum to one: the last of them is what the others leave, to the last digit.
    *others, last = components("y")
    summing_to_one = {last: 1 - sum(others)}
    term = number_of(formula.subs(summing_to_one), loss)
    differentiated = [
        number_of(sympy.diff(formula, output).subs(summing_to_one), loss)
        for output in components(name)
    ]
    gradients = [
        number_of(at(gradient_formula, k=k).subs(summing_to_one), loss)
        for k in range(1, CLASSES + 1)
    ]

    random = random_for(loss)
    y_hat, y = outputs_for(loss, (20, CLASSES), random), targets_for(loss, (20, CLASSES), random)
    expected_terms, expected_gradients = np.empty(len(y)), np.empty_like(y)
    for row, (outputs, actual) in enumerate(zip(y_hat, seen(loss, y), strict=True)):
        numbers = {f"{name}{k + 1}": outputs[k] for k in range(CLASSES)}
        numbers |= {f"y{k + 1}": actual[k] for k in range(CLASSES)}
        expected_terms[row] = term(numbers)
        for k in range(CLASSES):
            expected_gradients[row, k] = gradients[k](numbers)
            assert_same(differentiated[k](numbers), gradients[k](numbers))

    np.testing.assert_allclose(loss.terms(y_hat, y).sum(axis=-1), expected_terms, rtol=1e-12)
    np.testing.assert_allclose(
        loss.terms_gradient(y_hat, y), expected_gradients, rtol=1e-12, atol=1e-14
    )

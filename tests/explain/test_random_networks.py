"""Every number of every explanation is true, whatever the network.

Three things must agree wherever they can be compared: the number that the network computed, what
its formula gives (by our own arithmetic and by SymPy's), and, for gradients, what the loss does
when one number is moved.
"""

from __future__ import annotations

import numpy as np
import pytest
from conftest import FULL_SWEEP
from hypothesis import HealthCheck, assume, settings
from hypothesis import given as for_all

from chainrule.explain import Explanation
from chainrule.explain.expression import Derivative
from chainrule.layers import Residual
from explain.agreement import (
    ROUNDING,
    arrays,
    assert_differences_agree,
    assert_formula_gives_value,
    assert_sympy_agrees,
    chosen,
    derivative_by_moving,
    equations,
    explained,
)
from explain.random_networks import Case, cases


def networks(sample: int, full: int) -> settings:
    """So many random networks; a full run takes many."""
    return settings(
        max_examples=full if FULL_SWEEP else sample, suppress_health_check=[HealthCheck.too_slow]
    )


def explain(case: Case) -> Explanation:
    return explained(case.net, case.x, case.y, case.sample_weight, training=case.training)


@networks(sample=60, full=800)
@for_all(cases())
def test_every_number_is_what_its_formula_gives(case: Case) -> None:
    """And the numbers are those of the network itself, bit for bit."""
    explanation, random = explain(case), np.random.default_rng(0)
    rounding = ROUNDING[str(case.net.dtype)]
    found = list(equations(explanation, 3, random))
    for quantity in found:
        assert_formula_gives_value(quantity, rounding)
    for place in random.choice(len(found), min(len(found), 5), replace=False):
        assert_sympy_agrees(found[place], rounding)


@networks(sample=40, full=400)
@for_all(cases(dtypes=("float64",)))
def test_every_gradient_is_what_moving_one_number_does_to_the_loss(case: Case) -> None:
    explanation = explain(case)
    if case.net.loss.outputs in ("probabilities", "positive"):
        output = explanation.output.values
        assume(output.min() > 0.05)  # where the loss is so curved that a step is too long
    assert assert_differences_agree(explanation, at_most=3) > 0


@networks(sample=40, full=400)
@for_all(cases(dtypes=("float64",)))
def test_every_factor_of_a_chain_is_what_moving_one_number_does_to_the_next(case: Case) -> None:
    explanation, random = explain(case), np.random.default_rng(0)
    step = explanation.step
    for tensor in arrays(explanation):
        if not tensor.symbol.field.startswith("d_"):
            continue
        for index in chosen(tensor.values, 2, random):
            chain = tensor[index].chain
            penalized = (tensor.symbol.path, tensor.symbol.field) in step.penalized
            if chain is None:  # no way leads there, but for the penalty's
                assert penalized or not tensor.values[index], tensor[index].name
                continue
            if chain.of_terms == 1:
                assert chain.product == pytest.approx(chain.together, rel=1e-9)
            if not penalized:
                rounding = 1e-12 * max(1.0, abs(explanation.loss.value))
                assert chain.together == pytest.approx(tensor.values[index], rel=1e-9, abs=rounding)
            for factor in chain.factors[1:]:
                assert isinstance(factor.symbol, Derivative)
                of, by = factor.symbol.of, factor.symbol.by
                home, _ = step.homes.get((of.path, of.field), (None, ""))
                if home is None or isinstance(home.layer, Residual):
                    continue  # both ways begin with the same x, so that it does not move alone
                moved = derivative_by_moving(explanation, of, by)
                assert factor.value == pytest.approx(moved, rel=1e-5, abs=1e-6), (of, by)

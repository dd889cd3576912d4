"""The chain of factors: along which way a weight reaches the loss, and how strongly.

A gradient is a sum over all ways from a number to the loss, and along each way it is a product of
local derivatives. ``strongest_chain`` follows, from the number to the loss, at each sum the term
that counts most. Where no sum on the way has a second term, this product is the gradient itself.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from chainrule.explain.evaluation import evaluate
from chainrule.explain.expression import (
    Derivative,
    Expression,
    Name,
    Negative,
    Number,
    Product,
    Quotient,
    Sum,
    multiply,
    names,
)

if TYPE_CHECKING:
    from chainrule.explain.step import Step

_WHOLE: tuple[int, ...] = ()


@dataclass(frozen=True)
class Factor:
    """One local derivative of a chain.

    Attributes
    ----------
    symbol : Expression
        ∂a₁[0, 2]/∂z₁[0, 2], or ∂L/∂ŷ[0, 0] for the first.
    value : float
    """

    symbol: Expression
    value: float


@dataclass(frozen=True)
class Chain:
    """Factors from the loss to a number.

    Attributes
    ----------
    factors : list of Factor
        ∂L/∂ŷ first.
    way : list of Name
        The gradients that it passes, from the number to ∂L/∂ŷ.
    together : float
        What all ways give.
    of_terms : int
        How many terms the longest sum on the way has; 1: this chain is the whole gradient.
    """

    factors: list[Factor]
    way: list[Name]
    together: float
    of_terms: int

    @property
    def product(self) -> float:
        """What the factors give."""
        product = 1.0
        for factor in self.factors:
            product *= factor.value
        return product

    @property
    def symbols(self) -> Expression:
        """The product of symbols."""
        return multiply(*(factor.symbol for factor in self.factors))

    @property
    def numbers(self) -> Expression:
        """The product with the numbers put in."""
        return multiply(*(Number(factor.value, is_given=True) for factor in self.factors))


def strongest_chain(step: Step, name: Name) -> Chain | None:
    """Follow a gradient back to the loss.

    Parameters
    ----------
    step : Step
    name : Name
        Of one number of a gradient: ``d_weights`` with an index.

    Returns
    -------
    Chain or None
        None where a layer on the way does not say how its gradients come about.
    """
    factors: list[Factor] = []
    way: list[Name] = []
    longest, together = 1, step.value(name)
    while (name.path, name.field) != (_WHOLE, "d_y_hat"):
        expression = step.equation_of(name)
        if expression is None:
            return None
        found = list(local_derivatives(step, expression))
        if not found:
            return None  # nothing reaches it: the gradient is zero
        longest = max(longest, len(found))
        if not way:
            together = sum(step.value(following) * local for following, local in found)
        following, local = max(found, key=lambda pair: abs(step.value(pair[0]) * pair[1]))
        of, by = _differentiated(step, following), _differentiated(step, name)
        if of != by:  # a residual block's x is the same x on both ways
            factors.append(Factor(Derivative(of, by), local))
        way.append(name)
        name = following
    factors.append(Factor(name, step.value(name)))
    return Chain(factors[::-1], [*way, name], together, longest)


def local_derivatives(step: Step, expression: Expression) -> Iterator[tuple[Name, float]]:
    """Gradients that an expression adds up, each with its factor: ∂(that one)/∂(this one)."""
    match expression:
        case Sum(terms):
            gathered: dict[Name, float] = {}
            for term in terms:
                for name, factor in local_derivatives(step, term):
                    gathered[name] = gathered.get(name, 0.0) + factor
            yield from gathered.items()
        case Name():
            if _is_gradient(expression):
                yield from _beyond_parameters(step, expression)
        case Negative(of):
            yield from ((name, -factor) for name, factor in local_derivatives(step, of))
        case Quotient(top, bottom):
            by = evaluate(bottom, step.value)
            yield from ((name, factor / by) for name, factor in local_derivatives(step, top))
        case Product(factors):
            inside = [factor for factor in factors if any(map(_is_gradient, names(factor)))]
            if len(inside) == 1:
                rest = [factor for factor in factors if factor is not inside[0]]
                by = evaluate(Product(tuple(rest)), step.value)
                for name, factor in local_derivatives(step, inside[0]):
                    yield name, factor * by


def _beyond_parameters(step: Step, name: Name) -> Iterator[tuple[Name, float]]:
    """Nothing is a function of a parameter's gradient: it only stands for the sum that it is.

    Where batch normalization takes ∂L/∂β from its ∂L/∂x, what counts is each ∂L/∂z in it.
    """
    expression = step.equation_of(name) if step.is_parameter(_differentiated(step, name)) else None
    if expression is None:
        yield name, 1.0
    else:
        yield from local_derivatives(step, expression)


def _is_gradient(name: Name) -> bool:
    return name.field.startswith("d_")


def _differentiated(step: Step, gradient: Name) -> Name:
    """Return what a gradient is the derivative by: W of ∂L/∂W."""
    field = gradient.field.removeprefix("d_").removesuffix("_here")
    name = step.resolve(gradient.path, field)
    return Name(name.path, name.field, gradient.index)

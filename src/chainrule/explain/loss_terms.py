"""How the loss comes about, term by term, and where backprop starts."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import numpy as np

from chainrule.explain.expression import (
    Call,
    Expression,
    Index,
    More,
    Name,
    Number,
    Power,
    Product,
    Quotient,
    Sum,
    add,
    multiply,
    rebuilt,
)
from chainrule.explain.reading import read_at, read_whole
from chainrule.layer import Shape
from chainrule.loss import Loss

if TYPE_CHECKING:
    from chainrule.explain.step import Step

_MOST_WEIGHTS = 2_000  # of which the penalty is written out

_WHOLE: tuple[int, ...] = ()


class LossTerms:
    """Equations of the numbers between ŷ and the loss.

    There are three arrays: ``term``, what each output adds (each sample, where the loss mixes the
    outputs of a sample); ``loss``; ``d_y_hat``. With sample weights there is ``share``, what a
    sample counts.

    Parameters
    ----------
    step : Step
        Its forward pass is done.
    """

    def __init__(self, step: Step) -> None:
        self.step = step
        self.loss = step.network.loss
        self.mixes = re.search(r"\w\[", self.loss.formula) is not None
        output = step.arrays[_WHOLE, "y_hat"]
        y, weight = step.arrays[_WHOLE, "y"], step.samples.weight
        encoded = self.loss.encode(step.samples.y, output.shape[-1], output.dtype)
        terms = self.loss.terms(output, encoded)
        self.count = {"sum": 1, "mean": terms.size}.get(self.loss.reduction, len(terms))
        step.arrays[_WHOLE, "term"] = terms.sum(axis=-1) if self.mixes else terms
        if weight is not None:
            ones = np.ones((len(output), *[1] * (output.ndim - 1)), output.dtype)
            scaled = self.loss.scaled(np.broadcast_to(ones, output.shape), weight)
            step.arrays[_WHOLE, "share"] = scaled.reshape(len(output), -1)[:, 0]
        self.shape: Shape = y.shape

    def equation_of(self, name: Name) -> Expression | None:
        """Expression of a number that has to do with the loss; None for others."""
        if name.path != _WHOLE or name.index is None:
            return None
        match name.field:
            case "loss":
                return self._loss()
            case "penalty":
                return self._penalty()
            case "term" if self.loss.formula:
                return self._read(self.loss.formula, name.index)
            case "d_y_hat" if self.loss.gradient_formula:
                gradient = self._read(self.loss.gradient_formula, name.index)
                return self._scaled(gradient, name.index[0])
        return None

    def _loss(self) -> Expression:
        terms = self.step.arrays[_WHOLE, "term"]
        listed = [Name(_WHOLE, "term", tuple(index)) for index in np.ndindex(terms.shape)]
        data: Expression
        if (_WHOLE, "share") in self.step.arrays:
            data = add(self._scaled(term, (term.index or ())[0]) for term in listed)
        else:
            data = self._scaled(add(listed), 0)
        return add([data, Name(_WHOLE, "penalty", ())]) if self.step.penalized else data

    def _scaled(self, expression: Expression, sample: int) -> Expression:
        """Multiply by what the reduction makes of a term."""
        if (_WHOLE, "share") in self.step.arrays:
            return multiply(Name(_WHOLE, "share", (sample,)), expression)
        if self.count == 1:
            return expression
        return Quotient(expression, Number(float(self.count)))

    def _penalty(self) -> Expression | None:
        network = self.step.network
        names = [
            Name(slot.path, slot.name, tuple(index))
            for slot in network.parameter_vector.slots
            if slot.owner.declared(slot.name).penalized
            for index in np.ndindex(slot.shape)
        ]
        if len(names) > _MOST_WEIGHTS:
            return None
        parts = []
        if network.l1:
            absolute = add(Call("Abs", (name,)) for name in names)
            parts.append(multiply(Name(_WHOLE, "l1"), absolute))
        if network.l2:
            squares = add(Power(name, Number(2.0)) for name in names)
            parts.append(multiply(Name(_WHOLE, "l2"), squares))
        return add(parts)

    def _read(self, formula: str, index: Index) -> Expression:
        """Put the outputs and actual values of one sample into a formula."""
        outputs = {"y_hat", "z"}  # losses on logits write z for what the network gives
        leading = index if self.mixes and len(index) < len(self.shape) else index[:-1]

        def array(name: str) -> str:
            return "y_hat" if name in outputs else name

        def plain(name: str) -> Expression:
            return Name(_WHOLE, array(name), index if name in {*outputs, "y"} else None)

        def indexed(name: str, number: int) -> Expression:
            return Name(_WHOLE, array(name), (*leading, number - 1))

        k = index[-1] + 1 if index else 1
        read = read_at(formula, plain, indexed=indexed, count=self.shape[-1], k=k)
        return self._without_absent_classes(read)

    def _without_absent_classes(self, expression: Expression) -> Expression:
        """Leave out what is multiplied by a target of zero: it adds nothing, even where 0 log 0."""
        if not isinstance(expression, Sum):
            return rebuilt(expression, self._without_absent_classes)
        present = [term for term in expression.terms if not self._is_absent(term)]
        left_out = len(expression.terms) - len(present)
        kept = [rebuilt(term, self._without_absent_classes) for term in present]
        return add([*kept, More(left_out, 0.0)] if left_out else kept)

    def _is_absent(self, term: Expression) -> bool:
        return isinstance(term, Product) and any(
            isinstance(factor, Name) and factor.field == "y" and not self.step.value(factor)
            for factor in term.factors
        )


def general_loss(loss: Loss, field: str) -> Expression | None:
    """Equation between whole arrays of ``term``, ``loss`` or ``d_y_hat``, for any batch.

    ``n`` counts what the reduction averages over: terms, or samples.
    """
    match field:
        case "term" if loss.formula:
            return read_whole(loss.formula, _whole)
        case "loss" if loss.formula:
            return _averaged(loss, Call("total", (_whole("term"),)))
        case "d_y_hat" if loss.gradient_formula:
            return _averaged(loss, read_whole(loss.gradient_formula, _whole))
    return None


def _averaged(loss: Loss, expression: Expression) -> Expression:
    return expression if loss.reduction == "sum" else Quotient(expression, _whole("n"))


def _whole(name: str) -> Expression:
    """Losses on logits write z for what the network gives."""
    return Name(_WHOLE, "y_hat" if name == "z" else name)

"""Quantities: one number of the step with everything that can be said about it; arrays of them."""

from __future__ import annotations

import operator
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from chainrule.checks import shown
from chainrule.errors import InvalidInput
from chainrule.explain.abbreviation import abbreviated, rests, with_rests_named
from chainrule.explain.chain import Chain, strongest_chain
from chainrule.explain.evaluation import evaluate, with_numbers
from chainrule.explain.expression import Expression, Name, Number, names, symbols
from chainrule.explain.forms.sympy import to_sympy
from chainrule.explain.forms.text import to_text
from chainrule.explain.shown import Shown
from chainrule.explain.source import Source, source_of
from chainrule.layer import Array, Index, Shape

if TYPE_CHECKING:
    from chainrule.explain.document import Document
    from chainrule.explain.explanation import Explanation


class Quantity(Shown):
    """One number of a step: what it is, how it comes about, what it is made of.

    Printing it shows the formula, the formula with the numbers put in, and the value; of a
    gradient also the chain of factors and the finite difference.

    Attributes
    ----------
    symbol : Name
        What it is, by layer, array and index.
    """

    def __init__(self, explanation: Explanation, symbol: Name) -> None:
        self.explanation = explanation
        self.symbol = symbol

    @property
    def name(self) -> str:
        """How it is written: ``"∂L/∂W₁[0, 2]"``."""
        return to_text(self.symbol)

    @cached_property
    def value(self) -> float:
        """The number itself, as the network computed it."""
        return self.explanation.step.value(self.symbol)

    @cached_property
    def expression(self) -> Expression | None:
        """What it is made of, with every term; None for data, parameters and settings."""
        return self.explanation.step.equation_of(self.symbol)

    @cached_property
    def short_expression(self) -> Expression | None:
        """The same with long sums shortened: the terms that count most, and the rest as one."""
        if self.expression is None:
            return None
        return abbreviated(self.expression, self.explanation.step.value)

    @property
    def formula(self) -> str:
        """The formula in symbols, as SymPy reads it; "" for what is given."""
        if self.short_expression is None:
            return ""
        return to_sympy(with_rests_named(self.short_expression))

    @property
    def rests(self) -> dict[str, float]:
        """What ``more_terms``, ``more_terms_2`` and so on stand for in the formula."""
        found = {} if self.short_expression is None else rests(self.short_expression)
        return {name: more.value for name, more in found.items()}

    @property
    def short_parts(self) -> list[Quantity]:
        """Those of its parts that stand in the short formula."""
        if self.short_expression is None:
            return []
        return [Quantity(self.explanation, name) for name in names(self.short_expression)]

    @property
    def numbers(self) -> dict[str, float]:
        """What to put in the place of each identifier in ``formula``."""
        if self.short_expression is None:
            return {}
        value = self.explanation.step.value
        found = {to_sympy(symbol): value(symbol) for symbol in symbols(self.short_expression)}
        return found | self.rests

    @property
    def substitution(self) -> str:
        """The formula with the numbers put in, as SymPy reads it; "" for what is given."""
        if self.short_expression is None:
            return ""
        return to_sympy(with_numbers(self.short_expression, self.explanation.step.value))

    @property
    def computed(self) -> float:
        """What the formula gives with the numbers put in; the value itself where there is none."""
        if self.expression is None:
            return self.value
        return evaluate(self.expression, self.explanation.step.value)

    @property
    def parts(self) -> list[Quantity]:
        """The quantities that its formula is made of, in the order of reading."""
        if self.expression is None:
            return []
        return [Quantity(self.explanation, name) for name in names(self.expression)]

    @property
    def source(self) -> Source | None:
        """The line of code that computed it; None for what is given."""
        return source_of(self.explanation.step, self.symbol)

    @property
    def is_gradient(self) -> bool:
        """Whether it is ∂loss/∂something."""
        return self.symbol.field.startswith("d_")

    @property
    def gradient(self) -> Quantity:
        """∂loss/∂(this number)."""
        return self.explanation.tensor(self.symbol).gradient[self.symbol.index or ()]

    @property
    def updated(self) -> Quantity:
        """The parameter after the update."""
        return self.explanation.tensor(self.symbol).updated[self.symbol.index or ()]

    @property
    def finite_difference(self) -> float | None:
        """(L(w + h) - L(w - h)) / 2h for a gradient; None where nothing can be moved by itself."""
        if not self.is_gradient:
            return None
        field = self.symbol.field.removeprefix("d_")
        of = Name(self.symbol.path, field, self.symbol.index)
        return self.explanation.differences.of(of)

    @property
    def chain(self) -> Chain | None:
        """Of a gradient: the product of local derivatives along the strongest way to the loss."""
        return strongest_chain(self.explanation.step, self.symbol) if self.is_gradient else None

    @property
    def number(self) -> Number:
        """The value as part of an expression."""
        return Number(self.value, is_given=True)

    def document(self) -> Document:
        """Everything about it, for any form."""
        return self.explanation.telling.about(self)

    def __float__(self) -> float:
        return self.value

    def __format__(self, how: str) -> str:
        return format(self.value, how) if how else str(self)


class Tensor(Shown):
    """An array of quantities: ``e["layer 1"].weights``, of which ``[0, 2]`` is one.

    Attributes
    ----------
    symbol : Name
        Without index.
    values : ndarray
        The numbers; a copy.
    """

    def __init__(self, explanation: Explanation, symbol: Name) -> None:
        self.explanation = explanation
        self.symbol = symbol
        self.values: Array = explanation.step.arrays[symbol.path, symbol.field].copy()

    @property
    def name(self) -> str:
        """How it is written: ``"W₁"``."""
        return to_text(self.symbol)

    @property
    def shape(self) -> Shape:
        """Shape of the array."""
        return self.values.shape

    @property
    def first(self) -> Index:
        """Index of the first number."""
        return (0,) * self.values.ndim

    @property
    def norm(self) -> float:
        """Length of the array as one vector."""
        with np.errstate(over="ignore", invalid="ignore"):  # the result tells
            return float(np.linalg.norm(self.values.astype(np.float64)))

    @property
    def gradient(self) -> Tensor:
        """∂loss/∂(this array)."""
        return self._beside(f"d_{self.symbol.field}", "gradient")

    @property
    def updated(self) -> Tensor:
        """The parameters after the update."""
        return self._beside(f"new_{self.symbol.field}", "update")

    @property
    def equation(self) -> Expression | None:
        """The general equation between arrays; None where no layer gives one."""
        return self.explanation.step.general(self.symbol)

    @property
    def source(self) -> Source | None:
        """The line of code that computed it; None for what is given."""
        return source_of(self.explanation.step, self.symbol)

    def __getitem__(self, index: Any) -> Quantity:
        whole = index if isinstance(index, tuple) else (index,)
        try:
            if len(whole) != self.values.ndim:
                raise IndexError
            place = tuple(
                range(size)[operator.index(i)] for size, i in zip(self.shape, whole, strict=True)
            )
        except (IndexError, TypeError):
            last = ", ".join(str(size - 1) for size in self.shape)
            raise InvalidInput(
                f"{self.name} received the index {shown(index)}; expected one number for each "
                f"of its axes {self.shape}, at most [{last}]."
            ) from None
        return Quantity(self.explanation, Name(self.symbol.path, self.symbol.field, place))

    def document(self) -> Document:
        """Everything about it, for any form."""
        return self.explanation.telling.about_array(self)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Array:
        return np.array(self.values, dtype=dtype)

    def _beside(self, field: str, what: str) -> Tensor:
        if (self.symbol.path, field) not in self.explanation.step.arrays:
            raise InvalidInput(
                f"{self.name} has no {what} of its own in this step. "
                f"{self.explanation.what_there_is(self.symbol.path)}"
            )
        return Tensor(self.explanation, Name(self.symbol.path, field))

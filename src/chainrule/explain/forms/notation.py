"""What forms for the eye have in common: calls take the shapes of mathematics, |z| and √z.

Which function has which shape stands in ``chainrule.explain.forms.looks``.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from typing import ClassVar

from chainrule.explain.expression import Call, Expression, parts
from chainrule.explain.forms.looks import Kind, Look, look
from chainrule.explain.forms.printer import Level, Printer


class Notation(Printer):
    """Base of the forms that are looked at.

    Attributes
    ----------
    longest_exponent : int
        So many parts may z have where exp(z) is shown as e to the power of z.
    """

    longest_exponent: ClassVar[int] = 4

    def call_level(self, call: Call, *, leads: bool) -> Level:
        """How tightly a call holds together, in the shape it has here."""
        match self._kind(call):
            case Kind.EXPONENTIAL:
                return Level.POWER
            case Kind.ROOT:
                return Level.ATOM if self.stacks else Level.POWER
            case Kind.BETWEEN | Kind.SUM:
                return Level.QUOTIENT
            case Kind.NOTHING:
                return self.level(call.arguments[0], leads=leads)
        return Level.ATOM

    def _kind(self, call: Call) -> Kind:
        """Shape of a call; with other arguments than the shape has room for, that of a function."""
        kind = look(call.function).kind
        if kind is not Kind.BETWEEN and len(call.arguments) != 1:
            return Kind.FUNCTION
        if kind is Kind.EXPONENTIAL and _size(call.arguments[0]) > self.longest_exponent:
            return Kind.FUNCTION
        return kind

    def call(self, call: Call, *, leads: bool) -> str:
        """Write a call in its shape."""
        found = look(call.function)
        arguments = call.arguments
        match self._kind(call):
            case Kind.EXPONENTIAL:
                raised = self.show(arguments[0]) if self.stacks else self.exponent(arguments[0])
                return self.exponential(raised)
            case Kind.BARS:
                return self.bars(self.show(arguments[0]))
            case Kind.ROOT:
                return self.root(self.show(arguments[0]))
            case Kind.BETWEEN:
                shown = [self.inside(argument, Level.POWER) for argument in arguments]
                return self.between(shown, found)
            case Kind.SUM:
                return self.sum_over(self.inside(arguments[0], Level.MATRIX), found)
            case Kind.NOTHING:
                return self.show(arguments[0], leads=leads)
        return self.function(found, [self.show(argument) for argument in arguments])

    @abstractmethod
    def exponential(self, exponent: str) -> str:
        """Write e to the exponent."""

    @abstractmethod
    def bars(self, shown: str) -> str:
        """Absolute value."""

    @abstractmethod
    def root(self, shown: str) -> str:
        """Square root."""

    @abstractmethod
    def between(self, arguments: Sequence[str], found: Look) -> str:
        """Operation with a sign that stands between its arguments."""

    @abstractmethod
    def sum_over(self, shown: str, found: Look) -> str:
        """Sum of something over an axis."""

    @abstractmethod
    def function(self, found: Look, arguments: Sequence[str]) -> str:
        """Name and arguments."""


def _size(expression: Expression) -> int:
    return 1 + sum(map(_size, parts(expression)))

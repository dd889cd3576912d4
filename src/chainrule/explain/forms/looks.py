"""How functions and operations look: one table for all forms.

What stands in no entry is shown as its own name, upright, with its arguments in parentheses.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto


class Kind(Enum):
    """The shapes that a call can take on the page."""

    FUNCTION = auto()  # tanh(z)
    EXPONENTIAL = auto()  # e to a power, where the power is short
    BARS = auto()  # |z|
    ROOT = auto()  # √z
    BETWEEN = auto()  # x ⋆ W
    SUM = auto()  # Σ x
    NOTHING = auto()  # the argument itself


@dataclass(frozen=True, slots=True)
class Look:
    """How one function or operation is written.

    Attributes
    ----------
    kind : Kind
    word : str
        The function's name or the operation's sign, as text.
    latex : str
        The same in LaTeX.
    over : str
        What a sum or a function runs over: stands under it, or as a subscript.
    """

    kind: Kind
    word: str = ""
    latex: str = ""
    over: str = ""


def look(function: str) -> Look:
    """Find how a function is written."""
    known = LOOKS.get(function)
    return known or Look(Kind.FUNCTION, function.replace("_", " ").strip() or function)


LOOKS = {
    "exp": Look(Kind.EXPONENTIAL, "exp", r"\exp"),
    "log": Look(Kind.FUNCTION, "log", r"\log"),
    "tanh": Look(Kind.FUNCTION, "tanh", r"\tanh"),
    "cosh": Look(Kind.FUNCTION, "cosh", r"\cosh"),
    "sin": Look(Kind.FUNCTION, "sin", r"\sin"),
    "cos": Look(Kind.FUNCTION, "cos", r"\cos"),
    "Max": Look(Kind.FUNCTION, "max", r"\max"),
    "Min": Look(Kind.FUNCTION, "min", r"\min"),
    "sqrt": Look(Kind.ROOT, "√", r"\sqrt"),
    "Abs": Look(Kind.BARS, "|"),
    "correlate": Look(Kind.BETWEEN, "⋆", r"\star"),
    "d_kernel": Look(Kind.BETWEEN, "⋆", r"\star"),
    "d_image": Look(Kind.BETWEEN, "∗", r"\ast"),  # with the flipped kernel: a true convolution
    "batch_sum": Look(Kind.SUM, "Σ", r"\sum", "batch"),
    "total": Look(Kind.SUM, "Σ", r"\sum"),
    "channel_sum": Look(Kind.SUM, "Σ", r"\sum", "batch"),
    "block_sum": Look(Kind.SUM, "Σ", r"\sum", "block"),
    "channel_mean": Look(Kind.FUNCTION, "mean", over="batch"),
    "channel_average": Look(Kind.FUNCTION, "mean", over="channels"),
    "group_mean": Look(Kind.FUNCTION, "mean", over="group"),
    "position_mean": Look(Kind.FUNCTION, "mean", over="positions"),
    "window_mean": Look(Kind.FUNCTION, "mean", over="window"),
    "largest": Look(Kind.FUNCTION, "max", r"\max", "window"),
    "position_largest": Look(Kind.FUNCTION, "max", r"\max", "positions"),
    "group": Look(Kind.NOTHING),
    "everywhere": Look(Kind.NOTHING),
}

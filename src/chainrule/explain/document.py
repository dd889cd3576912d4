"""What an explanation consists of when it is shown, whatever it is shown in.

Explanations, derivations and single numbers are turned into these few kinds of blocks once, and
each form (terminal, Markdown, LaTeX, HTML) knows how to show a block. ``Text`` may hold expressions
between its words, so that a sentence can speak of ∂L/∂W₁[0, 2] in the notation of the form.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from chainrule.explain.expression import Expression

Words: TypeAlias = str | Expression


@dataclass(frozen=True)
class Text:
    """A paragraph: words and expressions in turn.

    Attributes
    ----------
    words : sequence of str or Expression
    tone : str
        "normal", "quiet" (less important, as where something was computed), "good" or "bad".
    """

    words: Sequence[Words]
    tone: str = "normal"


@dataclass(frozen=True)
class Equation:
    """One left side and what it equals, step after step: one step to a line, aligned at the signs.

    Attributes
    ----------
    left : Expression
    steps : sequence of Expression
        Each stands after its own equals sign: the formula, the numbers put in, the value.
    note : str
        A few words that belong to it, as its shapes.
    """

    left: Expression
    steps: Sequence[Expression]
    note: str = ""


@dataclass(frozen=True)
class Table:
    """Rows under headings; a cell is words, an expression, or a number (shown to four digits).

    Attributes
    ----------
    headings : sequence of str
    rows : sequence of sequence of str, Expression or float
    caption : str
    """

    headings: Sequence[str]
    rows: Sequence[Sequence[Words | float]]
    caption: str = ""


@dataclass(frozen=True)
class Picture:
    """A drawing as SVG; forms without pictures show the words that describe it.

    Attributes
    ----------
    svg : str
    description : str
    """

    svg: str
    description: str


@dataclass(frozen=True)
class Section:
    """A heading and what stands under it.

    Attributes
    ----------
    title : sequence of str or Expression
    blocks : list of blocks
    is_open : bool
        Whether forms that can fold sections show this one unfolded.
    """

    title: Sequence[Words]
    blocks: list[Block] = field(default_factory=list)
    is_open: bool = True


@dataclass(frozen=True)
class Document:
    """A whole explanation.

    Attributes
    ----------
    title : str
    blocks : list of blocks
    """

    title: str
    blocks: list[Block] = field(default_factory=list)


Block: TypeAlias = Text | Equation | Table | Picture | Section

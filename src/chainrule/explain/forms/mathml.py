"""Expressions as presentation MathML, which browsers show by themselves.

Only elements of MathML Core are used (W3C, "MathML Core", 2023). Of the attributes that it leaves
out there is ``columnalign``, which puts cases to the left where style sheets do not reach them.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from html import escape

from chainrule.explain.expression import Expression, Name, Number
from chainrule.explain.forms.looks import Look
from chainrule.explain.forms.notation import Notation
from chainrule.explain.forms.numbers import Digits, digits_of
from chainrule.explain.forms.printer import Level
from chainrule.explain.symbols import Symbol, symbol_of

NO_BREAK = "\u00a0"
_APPLIED = "<mo>\u2061</mo>"  # a function to what follows
_SIGNS = {"<=": "≤", ">=": "≥"}
_SPECIAL = {"inf": "<mi>∞</mi>", "nan": "<mtext>NaN</mtext>"}
_HIGH = re.compile("<mfrac|<mtable|<munder")
_FRACTION_HEIGHT = 1.9
_ROW_HEIGHT = 1.25  # of one case
_WITH_SUBSCRIPT = re.compile(r"<msub>(<mi>[^<]*</mi><mn>[^<]*</mn>)</msub>")
_ONE_ELEMENT = re.compile(r"<(m[in]|mtext)>[^<]*</\1>")


def to_mathml(expression: Expression) -> str:
    """Write an expression as one ``math`` element, to stand between words.

    >>> from chainrule.explain.reading import read
    >>> to_mathml(read("z**2"))
    '<math><msup><mi>z</mi><mn>2</mn></msup></math>'
    """
    return f"<math>{MathmlPrinter(in_words=True).show(expression)}</math>"


class MathmlPrinter(Notation):
    """Elements inside ``math``.

    Parameters
    ----------
    in_words : bool, default False
        Whether they stand between words, where ∂L/∂z keeps its size on one line.
    """

    stacks = True
    longest_exponent = 6
    slash = "<mo>/</mo>"
    parentheses = ('<mo stretchy="false">(</mo>', '<mo stretchy="false">)</mo>')

    def __init__(self, *, in_words: bool = False) -> None:
        self.in_words = in_words

    def number(self, number: Number) -> str:
        return self.digits(digits_of(number))

    def digits(self, digits: Digits) -> str:
        """Write a rounded number."""
        sign = "<mo>−</mo>" if digits.is_negative else ""
        written = sign + (_SPECIAL[digits.special] if digits.special else _digits(digits))
        return f"<mrow>{written}</mrow>" if sign or digits.exponent is not None else written

    def name(self, name: Name) -> str:
        symbol = symbol_of(name)
        written = _without_derivative(symbol)
        if symbol.is_derivative:
            written = self._change(_without_derivative(symbol.loss), written)
        clipped = f"<mtext>clipped{NO_BREAK}</mtext>"
        return f"<mrow>{clipped}{written}</mrow>" if symbol.is_clipped else written

    def derivative(self, of: Name, by: Name) -> str:
        top, bottom = self.show(of, Level.ATOM), self.show(by, Level.ATOM)
        return self._change(top, bottom)

    def _change(self, top: str, bottom: str) -> str:
        top, bottom = f"<mi>∂</mi>{top}", f"<mi>∂</mi>{bottom}"
        return f"<mrow>{top}<mo>/</mo>{bottom}</mrow>" if self.in_words else _fraction(top, bottom)

    def term(self, shown: str, *, is_negative: bool, is_first: bool) -> str:
        if is_first:
            return f"<mo>−</mo>{shown}" if is_negative else shown
        return f"<mo>{'−' if is_negative else '+'}</mo>{shown}"

    def factor(self, shown: str, *, is_spaced: bool) -> str:
        return f"<mo>·</mo>{shown}"

    def quotient(self, top: str, bottom: str) -> str:
        return _fraction(top, bottom)

    def power(self, base: str, exponent: str) -> str:
        return _raised(base, _one(exponent))

    def exponential(self, exponent: str) -> str:
        return self.power("<mi>e</mi>", exponent)

    def matrix_product(self, left: str, right: str) -> str:
        return f'{left}<mspace width="0.25em"/>{right}'

    def transposed(self, of: str) -> str:
        return _raised(of, '<mi mathvariant="normal">T</mi>')

    def bracketed(self, shown: str) -> str:
        return f"<mrow>{_fence('(', shown)}{shown}{_fence(')', shown)}</mrow>"

    def bars(self, shown: str) -> str:
        return f"<mrow>{_fence('|', shown)}{shown}{_fence('|', shown)}</mrow>"

    def root(self, shown: str) -> str:
        return f"<msqrt>{shown}</msqrt>"

    def between(self, arguments: Sequence[str], found: Look) -> str:
        return f"<mo>{found.word}</mo>".join(arguments)

    def sum_over(self, shown: str, found: Look) -> str:
        return f"{_under('<mo>∑</mo>', found)}{shown}"

    def function(self, found: Look, arguments: Sequence[str]) -> str:
        word = _under(f"<mi>{_words(found.word)}</mi>", found)
        return f"<mrow>{word}{_APPLIED}{self.bracketed('<mo>,</mo>'.join(arguments))}</mrow>"

    def comparison(self, left: str, sign: str, right: str) -> str:
        return f"{left}<mo>{escape(_SIGNS.get(sign, sign))}</mo>{right}"

    def cases(self, cases: Sequence[tuple[str, str | None]]) -> str:
        rows = "".join(
            f"<mtr><mtd>{value}</mtd><mtd>{_condition(when)}</mtd></mtr>" for value, when in cases
        )
        brace = _enlarged("{", _ROW_HEIGHT * len(cases))
        return f'<mrow>{brace}<mtable columnalign="left">{rows}</mtable></mrow>'

    def more(self, count: int) -> str:
        return f"<mrow><mi>⋯</mi><mtext>{NO_BREAK}({count}{NO_BREAK}more)</mtext></mrow>"


def _digits(digits: Digits) -> str:
    if digits.exponent is None:
        return f"<mn>{digits.digits}</mn>"
    mantissa = f"<mn>{digits.digits}</mn><mo>·</mo>" if digits.digits else ""
    sign = "<mo>−</mo>" if digits.exponent < 0 else ""
    exponent = _one(f"{sign}<mn>{abs(digits.exponent)}</mn>")
    return f"{mantissa}<msup><mn>10</mn>{exponent}</msup>"


def _without_derivative(symbol: Symbol) -> str:
    written = f"<mi>{_words(symbol.letter)}</mi>"
    if symbol.accent:
        over = f'<mo stretchy="false">{symbol.accent}</mo>'
        written = f'<mover accent="true">{written}{over}</mover>'
    prime = "<mo>′</mo>"
    below = f"<mn>{escape(symbol.subscript)}</mn>" if symbol.subscript else ""
    if symbol.about:
        kind = "mn" if symbol.about.isdecimal() else "mi"
        about = f"<{kind}>{_words(symbol.about)}</{kind}>"
        below = f"<msub>{about}{below}</msub>" if below else about
    if below and symbol.prime:
        written = f"<msubsup>{written}{below}{prime}</msubsup>"
    elif below:
        written = f"<msub>{written}{below}</msub>"
    elif symbol.prime:
        written = f"<msup>{written}{prime}</msup>"
    if symbol.index is None:
        return written
    index = f",{NO_BREAK}".join(map(str, symbol.index))
    return f'<mrow>{written}<mtext class="index">[{index}]</mtext></mrow>'


def _words(words: str) -> str:
    return escape(words.replace(" ", NO_BREAK))


def _condition(when: str | None) -> str:
    return "<mtext>otherwise</mtext>" if when is None else f"<mtext>if{NO_BREAK}</mtext>{when}"


def _under(sign: str, found: Look) -> str:
    return f"<munder>{sign}<mtext>{found.over}</mtext></munder>" if found.over else sign


def _raised(base: str, exponent: str) -> str:
    """Raise something over a letter, and over its subscript, not behind it."""
    letter = _WITH_SUBSCRIPT.fullmatch(base)
    if letter:
        return f"<msubsup>{letter[1]}{exponent}</msubsup>"
    return f"<msup>{_one(base)}{exponent}</msup>"


def _fence(sign: str, inside: str) -> str:
    return _enlarged(sign, _FRACTION_HEIGHT) if _HIGH.search(inside) else f"<mo>{sign}</mo>"


def _enlarged(sign: str, size: float) -> str:
    """Write a larger sign, its middle where it was.

    Browsers stretch signs only with a font made for mathematics, which few telephones have.
    """
    down = (size - 1) / 4  # signs reach from a quarter below the line to three quarters above
    return (
        f'<mpadded voffset="-{down:.2f}em">'
        f'<mo stretchy="false" style="font-size:{size:g}em">{sign}</mo></mpadded>'
    )


def _fraction(top: str, bottom: str) -> str:
    return f"<mfrac>{_one(top)}{_one(bottom)}</mfrac>"


def _one(written: str) -> str:
    """Make one element of what may be several."""
    return written if _ONE_ELEMENT.fullmatch(written) else f"<mrow>{written}</mrow>"

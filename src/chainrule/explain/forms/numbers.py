"""How many digits of a number are shown, the same in all forms."""

from __future__ import annotations

import math
from dataclasses import dataclass

from chainrule.explain.expression import Number

DIGITS_GIVEN = 5  # of a number that was put in
DIGITS_IN_TABLES = 4

_SMALLEST, _LARGEST = 1e-4, 1e6  # what lies outside is written with a power of ten


@dataclass(frozen=True, slots=True)
class Digits:
    """A number as it is written: sign, digits, power of ten.

    Attributes
    ----------
    is_negative : bool
    digits : str
        ``"0.25"``, ``"1.2346"``; empty where the power of ten is all there is (10⁻⁸).
    exponent : int or None
        None without a power of ten.
    special : str
        ``"inf"`` or ``"nan"``, where there are no digits.
    """

    is_negative: bool
    digits: str
    exponent: int | None = None
    special: str = ""


def digits_of(number: Number) -> Digits:
    """Write a number: what was put in is rounded, what belongs to the formula is not."""
    return rounded(number.value, DIGITS_GIVEN) if number.is_given else _as_written(number.value)


def rounded(value: float, digits: int) -> Digits:
    """Round to so many significant digits, without zeros at the end; -0.0 is 0.

    Between 0.0001 and a million there is no power of ten, and no digit before the point is lost.
    """
    special = _special(value)
    if special:
        return special
    shown = f"{abs(value):.{digits - 1}e}"
    mantissa, _, exponent = shown.partition("e")
    if value and not _SMALLEST <= float(shown) < _LARGEST:
        return _with_power(value < 0, _without_end(mantissa), int(exponent))
    return Digits(value < 0, _without_end(f"{abs(value):.{max(digits - 1 - int(exponent), 0)}f}"))


def _as_written(value: float) -> Digits:
    special = _special(value)
    if special:
        return special
    mantissa, _, exponent = repr(abs(value)).partition("e")
    mantissa = mantissa.removesuffix(".0")
    return (
        _with_power(value < 0, mantissa, int(exponent)) if exponent else Digits(value < 0, mantissa)
    )


def _with_power(is_negative: bool, mantissa: str, exponent: int) -> Digits:
    return Digits(is_negative, "" if mantissa == "1" else mantissa, exponent)


def _special(value: float) -> Digits | None:
    if math.isfinite(value):
        return None
    return Digits(value < 0, "", special="nan" if math.isnan(value) else "inf")


def _without_end(digits: str) -> str:
    return digits.rstrip("0").rstrip(".") if "." in digits else digits

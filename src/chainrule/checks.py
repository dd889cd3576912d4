"""Checks of hyperparameters, made where the value enters, so that no error comes from deep inside.

Each returns the value it was given (as a plain Python number), or raises ``InvalidSetting`` saying
what was received, what was expected, and by which name to pass it.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Collection
from typing import Any

import numpy as np

from chainrule.errors import InvalidSetting


def shown(value: object) -> str:
    """Show a value in a message: arrays by their shape, everything else in one short line."""
    if isinstance(value, np.ndarray):
        return f"an array of shape {value.shape}"
    text = " ".join(repr(value).split())
    return text if len(text) <= 80 else f"{text[:77]}..."


def did_you_mean(name: str, known: Collection[str]) -> str:
    """``"Did you mean 'relu'? "`` for a misspelt name; nothing where none is near."""
    import difflib  # 4 ms that only a message needs

    nearest = difflib.get_close_matches(name.lower(), known, n=1, cutoff=0.5)
    return f"Did you mean {nearest[0]!r}? " if nearest else ""


def number(
    name: str,
    value: Any,
    *,
    at_least: float | None = None,
    above: float | None = None,
    at_most: float | None = None,
    below: float | None = None,
) -> float:
    """Check a finite real number within bounds."""
    expected = ["a finite number"]
    if at_least is not None:
        expected.append(f"of at least {at_least:g}")
    if above is not None:
        expected.append(f"above {above:g}")
    if at_most is not None:
        expected.append(f"of at most {at_most:g}")
    if below is not None:
        expected.append(f"below {below:g}")
    described = " ".join(expected)
    is_many = isinstance(value, np.ndarray) and value.ndim > 0
    if is_many or isinstance(value, bool | np.bool_ | str | bytes | complex):
        raise InvalidSetting(f"{name} must be {described}; received {shown(value)}.")
    try:
        converted = float(value)
    except (TypeError, ValueError, OverflowError) as error:
        raise InvalidSetting(f"{name} must be {described}; received {shown(value)}.") from error
    inside = (
        math.isfinite(converted)
        and (at_least is None or converted >= at_least)
        and (above is None or converted > above)
        and (at_most is None or converted <= at_most)
        and (below is None or converted < below)
    )
    if not inside:
        raise InvalidSetting(f"{name} must be {described}; received {shown(value)}.")
    return converted


def whole_number(name: str, value: Any, *, at_least: int = 1) -> int:
    """Check a whole number from ``at_least`` upwards."""
    if not isinstance(value, bool | np.bool_):
        try:
            converted = operator.index(value)
        except TypeError:
            pass
        else:
            if converted >= at_least:
                return converted
    raise InvalidSetting(
        f"{name} must be a whole number of at least {at_least}; received {shown(value)}."
    )


def flag(name: str, value: Any) -> bool:
    """Check True or False."""
    if isinstance(value, bool | np.bool_):
        return bool(value)
    raise InvalidSetting(f"{name} must be True or False; received {shown(value)}.")


def one_of(name: str, value: Any, choices: Collection[str]) -> str:
    """Check one word out of a few."""
    if isinstance(value, str) and value in choices:
        return value
    listed = ", ".join(repr(choice) for choice in choices)
    raise InvalidSetting(f"{name} must be one of {listed}; received {shown(value)}.")

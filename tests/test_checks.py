"""The checks of hyperparameters: what passes comes back as a plain number, the rest is told."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

from chainrule import checks
from chainrule.errors import InvalidSetting


@pytest.mark.parametrize("value", [2, 2.0, np.float32(2), np.int64(2), Fraction(4, 2), np.array(2)])
def test_any_kind_of_number_becomes_a_float(value: object) -> None:
    number = checks.number("rate", value)
    assert number == 2.0
    assert type(number) is float


@pytest.mark.parametrize(
    "value",
    [
        True,
        np.True_,
        "2",
        b"2",
        None,
        [1.0],
        1j,
        float("nan"),
        float("inf"),
        -float("inf"),
        10**400,
    ],
)
def test_what_is_no_finite_number_is_refused(value: object) -> None:
    with pytest.raises(InvalidSetting, match="rate must be a finite number; received "):
        checks.number("rate", value)


def test_bounds_include_or_exclude_their_ends() -> None:
    assert checks.number("n", 0, at_least=0) == 0
    assert checks.number("n", 1, at_most=1) == 1
    assert checks.number("n", 0.5, above=0, below=1) == 0.5
    for bounds, outside in [
        ({"at_least": 0}, -0.1),
        ({"above": 0}, 0),
        ({"at_most": 1}, 1.1),
        ({"below": 1}, 1),
    ]:
        with pytest.raises(InvalidSetting):
            checks.number("n", outside, **bounds)


def test_the_message_names_all_bounds_and_what_was_received() -> None:
    with pytest.raises(
        InvalidSetting, match=r"^n must be a finite number of at least 0 below 1; received 2\.$"
    ):
        checks.number("n", 2, at_least=0, below=1)
    with pytest.raises(InvalidSetting, match="above 0 of at most 1; received 'x'"):
        checks.number("n", "x", above=0, at_most=1)


@pytest.mark.parametrize("value", [3, np.int32(3), np.array(3)])
def test_whole_numbers_become_an_int(value: object) -> None:
    whole = checks.whole_number("epochs", value)
    assert whole == 3
    assert type(whole) is int


@pytest.mark.parametrize("value", [0, -1, 2.0, 2.5, True, np.True_, "3", None])
def test_what_is_no_whole_number_is_refused(value: object) -> None:
    with pytest.raises(InvalidSetting, match="epochs must be a whole number of at least 1; rec"):
        checks.whole_number("epochs", value)


def test_zero_is_whole_where_it_is_allowed() -> None:
    assert checks.whole_number("seed", 0, at_least=0) == 0


@pytest.mark.parametrize("value", [True, False, np.True_, np.False_])
def test_flags_become_a_bool(value: object) -> None:
    assert checks.flag("shuffle", value) is bool(value)


@pytest.mark.parametrize("value", [0, 1, "yes", None])
def test_what_is_no_flag_is_refused(value: object) -> None:
    with pytest.raises(InvalidSetting, match=f"shuffle must be True or False; received {value!r}."):
        checks.flag("shuffle", value)


def test_one_of_a_few_words() -> None:
    assert checks.one_of("dtype", "float32", ("float32", "float64")) == "float32"
    for value in ("float16", 32, None, ["float32"]):
        with pytest.raises(InvalidSetting, match="dtype must be one of 'float32', 'float64'; rec"):
            checks.one_of("dtype", value, ("float32", "float64"))

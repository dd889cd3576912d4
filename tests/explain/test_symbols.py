"""Names of the code and the letters they have in formulas."""

from __future__ import annotations

import pytest

from chainrule.explain.expression import Name
from chainrule.explain.symbols import Symbol, symbol_of


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        (Name((0,), "weights"), Symbol("W", subscript="1")),
        (Name((1, 0), "weights", (0, 2)), Symbol("W", subscript="2.1", index=(0, 2))),
        (Name((), "x"), Symbol("x")),
        (Name((), "y_hat", (3,)), Symbol("y", hat=True, index=(3,))),
        (Name((2,), "x_hat"), Symbol("x", hat=True, subscript="3")),
        (Name((0,), "d_z"), Symbol("z", subscript="1", is_derivative=True)),
        (Name((0,), "d_x_hat"), Symbol("x", hat=True, subscript="1", is_derivative=True)),
        (Name((), "new_theta"), Symbol("θ", prime=True)),
        (Name((0,), "new_weights"), Symbol("W", prime=True, subscript="1")),
        (Name((), "mean_decay"), Symbol("β", subscript="1")),
        (Name((), "loss", ()), Symbol("L")),
        (Name((4,), "pi"), Symbol("π")),
        (Name((0,), "running_mean"), Symbol("running mean", subscript="1")),
        (Name((), "temperature"), Symbol("temperature")),
    ],
)
def test_a_name_has_its_symbol(name: Name, expected: Symbol) -> None:
    assert symbol_of(name) == expected


def test_one_word_may_mean_different_things_in_layers_and_in_the_optimizer() -> None:
    assert symbol_of(Name((), "rate")).letter == "η"  # the learning rate
    assert symbol_of(Name((0,), "rate")).letter == "p"  # what dropout leaves out
    assert symbol_of(Name((), "mean")).letter == "m"
    assert symbol_of(Name((0,), "mean")).letter == "μ"
    assert symbol_of(Name((), "momentum")).letter == "μ"
    assert symbol_of(Name((0,), "momentum")).letter == "momentum"  # μ is the mean there


@pytest.mark.parametrize("field", ["_", "d_", "new_", "__", "_hat", "<b>&"])
def test_any_field_has_a_letter(field: str) -> None:
    assert symbol_of(Name((0,), field)).letter


def test_words_stand_upright() -> None:
    assert symbol_of(Name((), "temperature")).is_word
    assert not symbol_of(Name((), "z")).is_word

"""Names of the code and the letters they have in formulas."""

from __future__ import annotations

import pytest

from chainrule.explain.expression import Name
from chainrule.explain.forms.text import to_text
from chainrule.explain.symbols import Symbol, symbol_of


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        (Name((0,), "weights"), Symbol("W", subscript="1")),
        (Name((1, 0), "weights", (0, 2)), Symbol("W", subscript="2.1", index=(0, 2))),
        (Name((), "x"), Symbol("x")),
        (Name((), "y_hat", (3,)), Symbol("y", accent="^", index=(3,))),
        (Name((2,), "x_hat"), Symbol("x", accent="^", subscript="3")),
        (Name((0,), "d_z"), Symbol("z", subscript="1", is_derivative=True)),
        (Name((0,), "d_x_hat"), Symbol("x", accent="^", subscript="1", is_derivative=True)),
        (Name((), "new_theta"), Symbol("θ", prime=True)),
        (Name((0,), "new_weights"), Symbol("W", prime=True, subscript="1")),
        (Name((), "mean_decay"), Symbol("β", about="1")),
        (Name((), "loss", ()), Symbol("L")),
        (Name((4,), "pi"), Symbol("π")),
        (Name((0,), "running_mean"), Symbol("running mean", subscript="1")),
        (Name((), "temperature"), Symbol("temperature")),
        (Name((2,), "decayed_weights"), Symbol("W", accent="~", subscript="3")),
        (
            Name((2,), "clipped_d_weights", (1,)),
            Symbol("W", subscript="3", index=(1,), is_derivative=True, is_clipped=True),
        ),
        (
            Name((2,), "new_velocity_of_weights"),
            Symbol("v", prime=True, about="W", subscript="3"),
        ),
        (Name((2,), "mean_hat_of_bias"), Symbol("m", accent="^", about="b", subscript="3")),
        (Name((), "sum_of_squares"), Symbol("S")),
        (Name((0,), "sum_of_squares_of_bias"), Symbol("S", about="b", subscript="1")),
        (
            Name((0,), "largest_squares_of_kernel"),
            Symbol("M", about="kernel", subscript="1"),
        ),
        (
            Name((3,), "d_weights_here"),
            Symbol("W", subscript="4", is_derivative=True, is_part=True),
        ),
        (Name((0,), "d_x_of_f"), Symbol("x", about="f", subscript="1", is_derivative=True)),
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


@pytest.mark.parametrize(
    "field", ["_", "d_", "new_", "__", "_hat", "_of_", "d_new_", "_here", "<b>&"]
)
def test_any_field_has_a_letter(field: str) -> None:
    assert symbol_of(Name((0,), field)).letter


def test_a_part_of_a_derivative_is_of_the_data_alone() -> None:
    assert to_text(Name((3,), "d_weights_here", (0, 1))) == "∂D/∂W₄[0, 1]"
    assert to_text(Name((3,), "d_weights", (0, 1))) == "∂L/∂W₄[0, 1]"

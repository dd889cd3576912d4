from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest

from chainrule.data.target import ClassTarget, Kind, NumberTarget, has_value, target_kind
from chainrule.errors import InvalidData, InvalidSetting

Make = Callable[..., pd.Series]


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        (["a", "b", "a", "b"], "classes"),
        (["0", "1", "1", "0"], "classes"),
        (["1", "2", "3"] * 5, "classes"),
        (["1", "2", "3"] * 4, "numbers"),  # fewer than five rows each
        ([*map(str, range(11))] * 9, "numbers"),  # more than ten
        (["0.5", "1", "0.5", "1"], "numbers"),
        (["True", "False", "True"], "classes"),
        (["1.5", "2.5", *["3"] * 17, "n.a."], "numbers"),
    ],
)
def test_what_a_target_holds(column: Make, values: list[str], kind: Kind) -> None:
    assert target_kind(column(*values)) == kind


def test_the_loss_may_say_which(column: Make) -> None:
    assert target_kind(column(*["0", "1"] * 5), "numbers") == "numbers"
    assert target_kind(column(*["1.5", "2.5", "3.5"] * 5), "classes") == "classes"


@pytest.mark.parametrize(
    ("values", "wanted", "kind", "message"),
    [
        (["", "NA"], None, InvalidData, "has no values: all 2 are missing"),
        (["x", "x", ""], None, InvalidData, "is 'x' in every row"),
        (["a", "b", "c"], None, InvalidData, "3 different values in 3 rows: too many .* Name"),
        (["a", "b", "a"], "numbers", InvalidSetting, r"learns numbers, but .* text \(a, b\)"),
        (["1.5", "2", "3"] * 4, "classes", InvalidSetting, "Use a loss for numbers"),
    ],
)
def test_targets_that_cannot_be_learned(
    column: Make, values: list[str], wanted: Kind | None, kind: type[Exception], message: str
) -> None:
    with pytest.raises(kind, match=message):
        target_kind(column(*values), wanted)


def test_classes_are_numbered_in_order(column: Make) -> None:
    assert ClassTarget.learn(column("b", "", "a")).classes == ("a", "b")
    numbers = ClassTarget.learn(column("10", "9", "NA", "9"))
    assert numbers.classes == ("9", "10")
    assert numbers.encode(column("10", "", "11", "9")).tolist() == [1, -1, -1, 0]


def test_numbers_go_there_and_back(column: Make) -> None:
    target = NumberTarget.learn(column("1", "", "3", "5"))
    assert (target.mean, target.standard_deviation) == (3, pytest.approx(np.sqrt(8 / 3)))
    encoded = target.encode(column("3", "5", "x"))
    assert encoded[:2] == pytest.approx([0, 2 / np.sqrt(8 / 3)])
    assert np.isnan(encoded[2])
    assert target.decode(encoded[:2].astype(np.float32)) == pytest.approx([3, 5])


def test_counts_are_only_divided(column: Make) -> None:
    assert NumberTarget.learn(column("0", "4", "8"), counts=True) == NumberTarget("size", 0.0, 4.0)
    assert NumberTarget.learn(column("-1", "-3"), counts=True).encode(column("-1")).tolist() == [-1]


def test_numbers_that_hardly_differ(column: Make) -> None:
    with pytest.raises(InvalidData, match="hardly differs between the training rows"):
        NumberTarget.learn(column("2", "2.0"))


def test_which_rows_have_a_target(column: Make) -> None:
    mixed = column("1", "x", "", "inf")
    assert has_value(mixed, "numbers").tolist() == [True, False, False, False]
    assert has_value(mixed, "classes").tolist() == [True, True, False, True]

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest

from chainrule.data.columns import (
    MOST_CATEGORIES,
    CategoryColumn,
    LeftOut,
    NumberColumn,
    dates,
    numbers,
    recognise,
    texts,
)

Make = Callable[..., pd.Series]


# --- by hand ------------------------------------------------------------------------------------


def test_numbers_are_standardised_after_filling_in_the_median(column: Make) -> None:
    """1, 3, ?, 3, 3: the median of the four known is 3, the mean of all five then 13/5."""
    learned = recognise(column("1", "3", "", "3", "3"))
    deviation = np.sqrt((4 * 0.4**2 + 1.6**2) / 5)
    assert isinstance(learned, NumberColumn)
    assert (learned.median, learned.marks_missing) == (3, True)
    assert learned.mean == pytest.approx(2.6)
    assert learned.standard_deviation == pytest.approx(deviation)
    values, told = learned.encode(column("2.6", "NA"))
    assert values == pytest.approx(np.array([[0, 0], [0.4 / deviation, 1]]))
    assert learned.features == ["size", "size is missing"]
    assert told == []


def test_categories_become_a_one_in_their_place(column: Make) -> None:
    learned = recognise(column("b", "a", "b", "?", "a"))
    assert learned == CategoryColumn("size", ("a", "b"), marks_missing=True)
    values, told = learned.encode(column("a", "b", "", "c"))
    assert values.tolist() == [[1, 0, 0], [0, 1, 0], [0, 0, 1], [0, 0, 0]]
    assert learned.features == ["size = a", "size = b", "size is missing"]
    assert told == [
        "'size': 1 value ('c') outside the 2 categories of training counted as none of them."
    ]


def test_dates_are_days(column: Make) -> None:
    learned = recognise(column("1970-01-02", "1970-01-04 12:00", "", "1970-01-03T00:00:00"))
    assert isinstance(learned, NumberColumn)
    assert learned.is_date
    assert learned.median == 2
    assert learned.mean == pytest.approx((1 + 3.5 + 2 + 2) / 4)
    assert dates(column("1970-01-11", "11.1.1970"))[0] == 10
    _, told = learned.encode(column("1970-01-11", "11.1.1970"))
    assert told == [
        "'size': 1 value ('11.1.1970') that cannot be read as a date counted as missing."
    ]


# --- what is what -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        (["1", "2", "1", "2"], NumberColumn),  # few different numbers are still numbers
        (["1e3", "-2.5", "0", "7"], NumberColumn),
        ([*"123456789", "unknown"], NumberColumn),  # nine in ten
        (["1", "2", "x", "x", "x", "y", "y", "y"], CategoryColumn),
        (["True", "False", "True", "True"], CategoryColumn),
        (["5", "", "5", ""], CategoryColumn),  # that it is missing is all it says
        (["2024-01-01", "soon", "soon", "soon"], CategoryColumn),
        (["a", "a", "a"], LeftOut),
        (["", "NA", "?"], LeftOut),
        (["ann", "bob", "cid", "dan"], LeftOut),
        (["1e308", "-1e308", "1e308"], LeftOut),
    ],
)
def test_recognise(column: Make, values: list[str], kind: type) -> None:
    assert isinstance(recognise(column(*values)), kind)


@pytest.mark.parametrize("name", ["id", "ID", "PassengerId", "customer_id", "column 1", "Row"])
def test_numbers_that_name_the_rows_are_left_out(column: Make, name: str) -> None:
    left_out = recognise(column("0", "1", "3", "2", name=name))
    assert isinstance(left_out, LeftOut)
    assert left_out.reason.startswith("names the rows")
    assert isinstance(recognise(column("0", "1", "3", "3", name=name)), NumberColumn)
    assert isinstance(recognise(column("0", "1", "3", "2.5", name=name)), NumberColumn)


@pytest.mark.parametrize("name", ["humid", "time", "rows", "width"])
def test_numbers_under_another_name_stay(column: Make, name: str) -> None:
    assert isinstance(recognise(column("0", "1", "2", "3", name=name)), NumberColumn)


def test_numbers_can_be_taken_for_categories(column: Make) -> None:
    learned = recognise(column("3", "1", "2"), as_category=True)
    assert learned == CategoryColumn("size", ("1", "2", "3"), marks_missing=False)


def test_only_the_most_frequent_categories_get_a_feature(column: Make) -> None:
    rare = [f"r{n:03}" for n in range(MOST_CATEGORIES)]
    learned = recognise(column(*["often"] * 300, *rare))
    assert isinstance(learned, CategoryColumn)
    assert len(learned.categories) == MOST_CATEGORIES
    assert "often" in learned.categories
    assert "r099" not in learned.categories


# --- text and numbers ---------------------------------------------------------------------------


def test_the_same_value_is_the_same_text_whatever_pandas_made_of_it() -> None:
    whole = pd.Series([1, 2], dtype="int64")
    with_gap = pd.Series([1.0, np.nan, 2.5])
    nullable = pd.Series([1, None], dtype="Int64")
    assert texts(whole).tolist() == ["1", "2"]
    assert texts(with_gap).tolist() == ["1", None, "2.5"]
    assert texts(nullable).tolist() == ["1", None]
    assert texts(pd.Series([True, False])).tolist() == ["True", "False"]
    assert texts(pd.Series([" a ", None, "NA"])).tolist() == ["a", None, None]
    assert texts(pd.Series(["b", "a"], dtype="category")).tolist() == ["b", "a"]


def test_infinity_is_missing(column: Make) -> None:
    assert np.isnan(numbers(pd.Series([np.inf, 1.0]))).tolist() == [True, False]
    assert np.isnan(numbers(column("-inf", "1e400", "1"))).tolist() == [True, True, False]
    assert texts(pd.Series([np.inf, 1.0])).tolist() == [None, "1"]


def test_what_is_told_about_unusual_values(column: Make) -> None:
    learned = recognise(column("1", "2", "3"))
    assert isinstance(learned, NumberColumn)
    values, told = learned.encode(column("x", "", "y", "z", "w", "2"))
    assert values.ravel()[:5].tolist() == [0] * 5  # the median 2 is also the mean
    assert told == [
        "'size': 4 values ('x', 'y', 'z', ... (4 in all)) that cannot be read as a number counted "
        "as missing.",
        "'size': 5 values missing here and none in training; the median 2 stands in.",
    ]
    category = recognise(column("a", "b", "a", "b"))
    assert isinstance(category, CategoryColumn)
    assert "1 value (missing) outside" in category.encode(column("")).told[0]


def test_descriptions(column: Make) -> None:
    assert recognise(column("1", "3", "")).describe() == (
        "number",
        "mean 2, standard deviation 0.8165; missing values become 2 and are marked",
    )
    kind, detail = recognise(column(*"ab" * 9, "", "x" * 40, "x" * 40)).describe()
    assert kind == "3 categories"
    assert detail == f"a, b, {'x' * 27}...; missing values are a category of their own"
    assert recognise(column(*"abab")).describe() == ("2 categories", "a, b")
    assert recognise(column("a", "a")).describe() == ("left out", "always 'a'")
    assert recognise(column("2024-01-01", "2024-01-02")).describe()[0].startswith("date")

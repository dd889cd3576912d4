"""The columns of a table in ONNX: one input for each, and what makes features of them.

``chainrule.data.columns`` says how a column becomes features; this says the same in operators. All
columns of numbers are standardized together, in float64 as there, so the graph stays short however
many there are.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from chainrule.data.columns import MISSING, CategoryColumn, Column, NumberColumn
from chainrule.data.preprocessing import Preprocessing
from chainrule.errors import InvalidSetting
from chainrule.saving.onnx.graph import TABLES, Graph, Tensor


def check_names(preprocessing: Preprocessing) -> list[str]:
    """Return what the inputs are called: the columns' names.

    Raises
    ------
    InvalidSetting
        When two are the same, or one is empty.
    """
    names = [column.name for column in preprocessing.columns]
    for name in names:
        if not name or names.count(name) > 1:
            raise InvalidSetting(
                f"The model's columns are called {', '.join(map(repr, names))}; expected a name "
                "for each, and no two alike. Name them in the table and train again."
            )
    return names


def write_features(graph: Graph, preprocessing: Preprocessing, dtype: np.dtype[Any]) -> Tensor:
    """Append the inputs of all columns, and what makes features of them.

    Parameters
    ----------
    graph : Graph
    preprocessing : Preprocessing
    dtype : numpy dtype
        In which columns of numbers come in.

    Returns
    -------
    Tensor
        (batch, features), in the graph's dtype.
    """
    inputs = {column.name: _input(graph, column, dtype) for column in preprocessing.columns}
    numbers = [column for column in preprocessing.columns if isinstance(column, NumberColumn)]
    parts: list[str] = []
    order: list[tuple[str, int]] = []  # each feature by its column, and its number there
    if numbers:
        parts += _write_numbers(graph, numbers, [inputs[column.name].name for column in numbers])
        order += [(column.name, 0) for column in numbers]
        order += [(column.name, 1) for column in numbers if column.marks_missing]
    for column in preprocessing.columns:
        if isinstance(column, CategoryColumn):
            parts.append(_write_categories(graph, column, inputs[column.name].name))
            order += [(column.name, number) for number in range(len(column.features))]
    name = parts[0] if len(parts) == 1 else graph.node("Concat", parts, "all_features", axis=1)
    places = [
        order.index((column.name, number))
        for column in preprocessing.columns
        for number in range(len(column.features))
    ]
    if places != sorted(places):
        wanted = graph.whole_numbers("order_of_features", places)
        name = graph.node("Gather", [name, wanted], "features", axis=1)
    return Tensor(name, (len(places),))


def _input(graph: Graph, column: Column, dtype: np.dtype[Any]) -> Tensor:
    if isinstance(column, CategoryColumn):
        told = "Text without spaces around it; empty where it is missing."
        return graph.input(column.name, (1,), str, told)
    kind = "Days since 1970-01-01" if column.is_date else "Numbers"
    return graph.input(column.name, (1,), dtype, f"{kind}; NaN where one is missing.")


def _write_numbers(graph: Graph, columns: Sequence[NumberColumn], names: list[str]) -> list[str]:
    """Append (value - mean) / deviation, with the median for what is missing; and the marks."""
    wide = np.dtype(np.float64)
    together = names[0] if len(names) == 1 else graph.node("Concat", names, "numbers", axis=1)
    values = graph.cast(Tensor(together, (len(names),)), wide).name
    unknown = [graph.node(operator, [values], operator.lower()) for operator in ("IsNaN", "IsInf")]
    missing = graph.node("Or", unknown, "is_missing")
    medians = graph.constant("medians", [column.median for column in columns], wide)
    filled = graph.node("Where", [missing, medians, values], "filled")
    means = graph.constant("means", [column.mean for column in columns], wide)
    spreads = [column.standard_deviation for column in columns]
    deviations = graph.constant("standard_deviations", spreads, wide)
    centred = graph.node("Sub", [filled, means], "centred")
    standard = Tensor(graph.node("Div", [centred, deviations], "standardized"), (len(names),))
    parts = [graph.cast(standard, graph.dtype).name]
    marked = [place for place, column in enumerate(columns) if column.marks_missing]
    if marked:
        places = graph.whole_numbers("columns_with_marks", marked)
        marks = Tensor(graph.node("Gather", [missing, places], "marks", axis=1), (len(marked),))
        parts.append(graph.cast(marks, graph.dtype).name)
    return parts


def _write_categories(graph: Graph, column: CategoryColumn, name: str) -> str:
    """Append a 1 for the row's category; all 0 for one that was not there in training."""
    places = {category: number for number, category in enumerate(column.categories)}
    if column.marks_missing:
        places |= dict.fromkeys(sorted(MISSING), len(column.categories))
    number = graph.node(
        "LabelEncoder",
        [name],
        f"{name}_number",
        domain=TABLES,
        keys_strings=list(places),
        values_int64s=list(places.values()),
        default_int64=-1,
    )
    count = len(column.features)
    numbers = graph.whole_numbers("category_numbers", range(count))
    is_it = Tensor(graph.node("Equal", [number, numbers], f"{name}_is"), (count,))
    return graph.cast(is_it, graph.dtype).name

"""The exercise mini-batches."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from chainrule.exercises.exercise import Case, Exercise, Mistake
from chainrule.layer import Array
from chainrule.samples import Samples


def _batch_cases(random: np.random.Generator) -> list[Case]:
    cases: list[Case] = []
    for samples, batch_size in [(7, 3), (6, 2), (5, 5), (4, 10), (9, 4)]:
        x = random.normal(size=(samples, 2))
        y = random.normal(size=(samples, 1))
        cases.append((x, y, random.permutation(samples), batch_size))
    return cases


def _batch_truth(x: Array, y: Array, order: Array, batch_size: int) -> Any:
    """The rows that ``Samples`` gathers, as the training loop asks for them."""
    samples = Samples(x, y)
    batches = []
    for start in range(0, len(x), batch_size):
        rows = samples.rows(order[start : start + batch_size])
        batches.append([rows.x[:], rows.y])
    return batches


def _cut(
    of_x: Callable[[Array, Array], Array],
    of_y: Callable[[Array, Array], Array],
    starts: Callable[[int, int], Sequence[int]] = lambda n, size: range(0, n, size),
    length: Callable[[int], int] = lambda size: size,
) -> Callable[..., Any]:
    """A way of cutting that differs from the right one in what is given."""

    def batches(x: Array, y: Array, order: Array, size: int) -> Any:
        x, y = of_x(x, order), of_y(y, order)
        return [
            [x[start : start + length(size)], y[start : start + length(size)]]
            for start in starts(len(x), size)
        ]

    return batches


def _ordered(rows: Array, order: Array) -> Array:
    return rows[order]


def _as_they_stand(rows: Array, order: Array) -> Array:
    return rows


def _unordered(rows: Array, order: Array) -> Array:
    return rows[np.argsort(order)]


_LAST_MISSING = (
    "The last, smaller batch is missing. Its samples would never be used with this order."
)


MINI_BATCHES = Exercise(
    name="mini-batches",
    title="a few samples for each step",
    function="batches",
    arguments=("x", "y", "order", "batch_size"),
    outputs=("batches",),
    cases=_batch_cases,
    truth=_batch_truth,
    source="the training loop's own samples",
    mistakes=[
        Mistake(
            "x_shuffled_without_y",
            _cut(_ordered, _as_they_stand),
            "x is put in order, y is not. Each sample then gets somebody else's answer.",
        ),
        Mistake(
            "x_shuffled_without_y",
            _cut(_as_they_stand, _ordered),
            "y is put in order, x is not. Each sample then gets somebody else's answer.",
        ),
        Mistake(
            "not_shuffled",
            _cut(_as_they_stand, _as_they_stand),
            "The order is not used: the samples come as they stand in x.",
        ),
        Mistake(
            "order_inverted",
            _cut(_unordered, _unordered),
            "The order is used the wrong way round. order[0] says which row comes first; yours "
            "takes it for the place where row 0 goes.",
        ),
        Mistake(
            "last_batch_missing",
            _cut(_ordered, _ordered, lambda n, size: range(0, n - size + 1, size)),
            _LAST_MISSING,
        ),
        Mistake(
            "last_batch_missing",
            _cut(_ordered, _ordered, lambda n, size: range(0, n - size, size)),
            "The last batch is missing, even where it is full.",
        ),
        Mistake(
            "rows_dropped",
            _cut(_ordered, _ordered, length=lambda size: size - 1),
            "Each batch is one row short. A slice [start:stop] leaves out stop itself, so nothing "
            "needs to be taken off.",
        ),
        Mistake(
            "rows_repeated",
            _cut(_ordered, _ordered, length=lambda size: size + 1),
            "Each batch is one row too long, so that row comes twice in an epoch.",
        ),
        Mistake(
            "rows_repeated",
            _cut(_ordered, _ordered, lambda n, size: range(n)),
            "The batches overlap: each begins one row after the one before. It should begin "
            "where that one ended.",
        ),
        Mistake(
            "empty_batch",
            _cut(_ordered, _ordered, lambda n, size: range(0, n + 1, size)),
            "Where the samples divide evenly, there is an empty batch at the end.",
        ),
        Mistake(
            "empty_batch",
            _cut(_ordered, _ordered, lambda n, size: range(0, n + size, size)),
            "There is an empty batch at the end.",
        ),
        Mistake(
            "first_batch_only",
            _cut(_ordered, _ordered, lambda n, size: range(1)),
            "Only the first batch is there. Does the function return inside the loop?",
        ),
        Mistake(
            "count_for_size",
            lambda x, y, order, size: [
                [a, b]
                for a, b in zip(
                    np.array_split(x[order], size), np.array_split(y[order], size), strict=True
                )
            ],
            "batch_size is taken for the number of batches. It is the number of samples in one.",
        ),
        Mistake(
            "x_alone",
            lambda x, y, order, size: [
                x[order[start : start + size]] for start in range(0, len(x), size)
            ],
            "These are the batches of x alone. Each item should be a pair, x and its y.",
        ),
    ],
    hints=[
        "Two things: bring x and y into the given order, then cut both into pieces.",
        "NumPy takes rows by a list of indices: x[indices]. Use the same indices for x and y.",
        "range(0, len(x), batch_size) gives where each batch starts. A slice that goes beyond the "
        "end is no error; it just stops there.",
        "For each start: indices are order[start : start + batch_size]. Append the pair of x and y "
        "at these indices.",
    ],
)

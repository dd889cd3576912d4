"""Rows that a program reads number by number: of ``X[p, i]``, the sample is X[p].

A program that computes number by number may never hold a sample in a variable. Where it reads
numbers out of a matrix, the record says of the matrix's name that the whole was seen; here it
becomes the row (or column) that the numbers are taken from.
"""

from __future__ import annotations

import ast
import itertools
from collections import Counter, defaultdict
from dataclasses import replace

import numpy as np

from chainrule.checker.instrument import Place
from chainrule.checker.process import Record
from chainrule.layer import Array

_NEAR = 8  # events between a matrix's name and its two indices


def with_rows_read(record: Record, places: list[Place]) -> Record:
    """Return the record with rows in place of the matrices that single numbers are read from."""
    readers = _readers(places)
    if not readers:
        return record
    reads: dict[int, list[tuple[int, int, int]]] = defaultdict(list)
    for event, (place, value) in enumerate(record.events):
        if place in readers and record.values[value].ndim == 2:
            indices = _indices(record, event, readers[place])
            if indices is not None:
                reads[place].append((event, *indices))
    events, values = list(record.events), list(record.values)
    known: dict[tuple[int, int, int], int] = {}
    for place, seen in reads.items():
        axis = _axis_of_samples(seen)
        for event, sample, number in seen:
            matrix = events[event][1]
            key = (matrix, axis, (sample, number)[axis])
            if key not in known:
                known[key] = len(values)
                values.append(_line_of(record.values[matrix], *key[1:]))
            events[event] = (place, known[key])
    return replace(record, events=events, values=values)


def _readers(places: list[Place]) -> dict[int, tuple[int, int]]:
    """For the place of X in each X[p, i], the places of p and i."""
    numbers = {id(place.node): place.number for place in places}
    found = {}
    for place in places:
        around = place.parent
        if not isinstance(around, ast.Subscript) or around.value is not place.node:
            continue
        index = around.slice
        if isinstance(index, ast.Tuple) and len(index.elts) == 2:
            first, second = (numbers.get(id(element)) for element in index.elts)
            if first is not None and second is not None:
                found[place.number] = (first, second)
    return found


def _indices(record: Record, event: int, wanted: tuple[int, int]) -> tuple[int, int] | None:
    """The numbers p and i that were read after X was."""
    found: dict[int, int] = {}
    for place, value in record.events[event + 1 : event + _NEAR]:
        number = record.values[value]
        if place in wanted and place not in found and number.ndim == 0 and number == int(number):
            found[place] = int(number)
    if len(found) < len(set(wanted)):
        return None
    return found[wanted[0]], found[wanted[1]]


def _axis_of_samples(seen: list[tuple[int, int, int]]) -> int:
    """Which of the two indices counts the samples: the one that changes less often."""
    changes = Counter(
        axis
        for before, after in itertools.pairwise(seen)
        for axis in (0, 1)
        if before[1 + axis] != after[1 + axis]
    )
    return 0 if changes[0] <= changes[1] else 1


def _line_of(matrix: Array, axis: int, index: int) -> Array:
    """A row or a column; the matrix itself where the index was out of range and Python said so."""
    if not -matrix.shape[axis] <= index < matrix.shape[axis]:
        return matrix
    return np.ascontiguousarray(matrix[index] if axis == 0 else matrix[:, index])

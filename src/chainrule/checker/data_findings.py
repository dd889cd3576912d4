"""Mistakes with the samples: pairs torn apart, rows left out, rows used twice.

Every batch is looked up in the learner's own table of samples, by its numbers: which rows were
they, and do the targets that went with them stand in the same rows?
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from itertools import pairwise

import numpy as np

from chainrule.checker.evidence import Evidence
from chainrule.checker.forward import Network
from chainrule.checker.instrument import Place
from chainrule.checker.judged import Judged
from chainrule.checker.other_findings import Structural
from chainrule.checker.steps import Step
from chainrule.checker.targets import as_targets
from chainrule.layer import Array

_EPOCHS = 3


def with_the_samples(
    evidence: Evidence, network: Network, steps: list[Step], judged: list[Judged]
) -> Structural | None:
    """Look for torn pairs, and for rows that an epoch leaves out or repeats."""
    if not judged:
        return None
    used = [part.h[0] for one in judged for part in one.parts]
    table = _table(evidence, used, larger=False)
    if table is not None:
        torn = _torn_pairs(evidence, judged, table)
        if torn is not None:
            return torn
    used = [done.h[0] for step in steps for done in step.passes[-1:]]
    table = _table(evidence, used, larger=True)
    if table is None or len(judged[0].batch.h[0]) >= len(table):
        return None
    return _rows_of_epochs(evidence, steps, judged[0], table)


def _key(row: Array) -> bytes:
    return np.round(row, 9).tobytes()


def _table(evidence: Evidence, batches: list[Array], *, larger: bool) -> Array | None:
    """The smallest array of the run that holds all rows of some batches, and each row once.

    The smallest, because rows that are kept for testing are meant to be left out. ``larger`` says
    whether it must be more than one batch.
    """
    wanted = {_key(row) for batch in batches for row in batch}
    width = batches[0].shape[1]
    one_batch = len(batches[0]) if larger and len(wanted) == len(batches[0]) else 0
    best: Array | None = None
    for value in evidence.values:
        if value.ndim < 2 or value.size < len(wanted) * width or value.size % width:
            continue
        layouts = [value.reshape(-1, width)] if value.shape[-1] == width else []
        if value.ndim == 2 and value.shape[0] == width:
            layouts.append(value.T)
        if value.ndim == 3 and value.shape[1:] == (width, 1):
            layouts.append(value[:, :, 0])
        for table in layouts:
            if len(table) == one_batch or (best is not None and len(table) >= len(best)):
                continue
            keys = [_key(row) for row in table]
            if wanted <= set(keys) and len(set(keys)) == len(keys) > 1:
                best = np.ascontiguousarray(table)
    return best


def _torn_pairs(evidence: Evidence, judged: list[Judged], table: Array) -> Structural | None:
    """Whether no table of targets agrees with the pairs that were trained on."""
    at = {_key(row): number for number, row in enumerate(table)}
    pairs: list[tuple[int, Array]] = []
    for one in judged:
        for x, y in zip(one.batch.h[0], one.targets.y, strict=True):
            if _key(x) not in at:
                return None
            pairs.append((at[_key(x)], y))
    outputs = judged[0].batch.output.shape[1]
    tables = [
        known
        for known in _target_tables(evidence, len(table), outputs)
        if {_key(y) for _, y in pairs} <= {_key(row) for row in known}
    ]
    fits = [all(np.allclose(y, known[row]) for row, y in pairs) for known in tables]
    if not tables or any(fits) or len(table) < 4:
        return None
    line = _line_of_shuffle(evidence)
    return None if line is None else Structural("x_shuffled_without_y", 0, line)


def _target_tables(evidence: Evidence, rows: int, outputs: int) -> Iterator[Array]:
    """Arrays of the run that may be all targets: whole numbers for classes, one for each row."""
    seen: set[bytes] = set()
    for value in evidence.values:
        for table in as_targets(value, (rows, outputs), columns=True):
            key = np.ascontiguousarray(table).tobytes()
            if key not in seen and bool((table == np.round(table)).all()) and table.any():
                seen.add(key)
                yield table


def _line_of_shuffle(evidence: Evidence) -> int | None:
    for place in evidence.places:
        if place.kind in ("Call", "Subscript") and any(
            word in place.text for word in ("shuffle", "permut")
        ):
            shuffling, order = place.line, _order_of(evidence, place)
            break
    else:
        return None
    # Where an order is drawn first and applied later, the line that applies it is the one.
    for place in evidence.places:
        soon = shuffling < place.line <= shuffling + 4
        applied = re.search(rf"\[[^\]]*\b{re.escape(order)}\b", place.text)
        if place.kind == "Assign" and soon and applied:
            return place.line
    return shuffling


def _order_of(evidence: Evidence, place: Place) -> str:
    """What a shuffled order is called: what is shuffled in place, assigned, or gone through."""
    node = place.node
    for loop in evidence.places:
        if isinstance(loop.node, ast.For) and loop.line == place.line:
            return ast.unparse(loop.node.target)
    if isinstance(place.parent, ast.Assign):
        return ast.unparse(place.parent.targets[0])
    return ast.unparse(node.args[0]) if isinstance(node, ast.Call) and node.args else ""


def _rows_of_epochs(
    evidence: Evidence, steps: list[Step], first: Judged, table: Array
) -> Structural | None:
    at = {_key(row): number for number, row in enumerate(table)}
    batches: list[list[int]] = []
    for step in steps:
        rows = [at.get(_key(row), -1) for done in step.passes[-1:] for row in done.h[0]]
        if len(step.passes) > 1 and len(step.passes[-1].h[0]) == 1:
            rows = [at.get(_key(done.h[0][0]), -1) for done in step.passes]
        if -1 in rows:
            return None
        batches.append(rows)
    line = _line_of_batches(evidence, first)
    size = len(batches[0])
    shared = [_overlap(one, other) for one, other in pairwise(batches)]
    if size > 1 and len(shared) >= _EPOCHS and sum(n > 0 for n in shared) > 0.5 * len(shared):
        words = {"factor": f"{max(shared)} of {size} in each batch"}
        return Structural("batches_repeat_rows", 0, line, words=words)
    growing = sum(set(one) < set(other) for one, other in pairwise(batches))
    if size > 1 and growing >= _EPOCHS and growing > 0.4 * (len(batches) - 1):
        words = {"factor": "each batch has the rows of the one before, too"}
        return Structural("batches_repeat_rows", 0, line, words=words)
    epochs = _epochs(batches)
    whole = epochs[:-1]
    if len(whole) >= _EPOCHS and len({len(epoch) for epoch in whole}) == 1:
        missing = len(table) - len(whole[0])
        if 0 < missing <= len(table) / 2 and size > 1:
            words = {"factor": f"{missing} of {len(table)} in each epoch"}
            return Structural("batches_drop_rows", 0, line, words=words)
        if size == 1 and 0 < missing <= 2 and all(epoch == whole[0] for epoch in whole):
            words = {"factor": f"{missing} of {len(table)} in each epoch"}
            return Structural("batches_drop_rows", 0, line, words=words)
    return None


def _overlap(one: list[int], other: list[int]) -> int:
    """How many rows at the end of one batch stand at the beginning of the next."""
    for count in range(min(len(one), len(other)) - 1, 0, -1):
        if one[-count:] == other[:count]:
            return count
    return 0


def _epochs(batches: list[list[int]]) -> list[list[int]]:
    """Cut the batches where a row comes back."""
    epochs: list[list[int]] = [[]]
    for rows in batches:
        if set(rows) & set(epochs[-1]):
            epochs.append([])
        epochs[-1] += rows
    return epochs


def _line_of_batches(evidence: Evidence, first: Judged) -> int | None:
    """The loop around the step, or the line that cuts the batch out."""
    part = first.parts[0]
    for sighting in evidence.find(part.h[0], max(first.step.begin - 200, 0), part.event + 1):
        if sighting.place.kind == "Subscript":
            loop = _loop_before(evidence, sighting.place.line)
            return sighting.place.line if loop is None else loop
    return None


def _loop_before(evidence: Evidence, line: int) -> int | None:
    """The nearest loop above a line that counts in steps."""
    loops = [
        place.line
        for place in evidence.places
        if place.kind in ("For", "While") and line - 6 <= place.line <= line
    ]
    return loops[-1] if loops else None

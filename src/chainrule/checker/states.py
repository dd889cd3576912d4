"""What every variable held at any time of a run; numbers that are kept apart are put together."""

from __future__ import annotations

import bisect
from collections import defaultdict

import numpy as np

from chainrule.checker.paths import Path, starred
from chainrule.checker.process import Record
from chainrule.checker.recorder import GONE
from chainrule.checker.scattered import Scattered
from chainrule.layer import Array


class States:
    """The variables of a record, and how they lie together as matrices where they stand apart."""

    def __init__(self, record: Record, scattered: list[Scattered]) -> None:
        self._record = record
        self._scattered = scattered
        self._change_times = [change[0] for change in record.changes]
        self._states: dict[int, dict[Path, int]] = {}
        self._arrays: dict[int, dict[Path, Array]] = {}

    def state(self, event: int) -> dict[Path, int]:
        """Every variable's value (by number) at the time of an event."""
        count = bisect.bisect_right(self._change_times, event)
        if count not in self._states:
            start = max((known for known in self._states if known <= count), default=0)
            state = dict(self._states.get(start, {}))
            for _, path, value, _ in self._record.changes[start:count]:
                if value == GONE:
                    state.pop(self._record.paths[path], None)
                else:
                    state[self._record.paths[path]] = value
            self._states[count] = state
        return self._states[count]

    def arrays(self, event: int) -> dict[Path, Array]:
        """Every variable at the time of an event; numbers kept one by one are put together.

        Weights of neurons that stand in a list, as ``neurons[i].weights`` or
        ``layer[i]["weights"]``, become one array; its path has "*" in place of i.
        """
        count = bisect.bisect_right(self._change_times, event)
        if count not in self._arrays:
            self._arrays[count] = self._put_together(event)
        return self._arrays[count]

    def _put_together(self, event: int) -> dict[Path, Array]:
        single = {path: self._record.values[number] for path, number in self.state(event).items()}
        grouped: dict[Path, dict[int, Array]] = defaultdict(dict)
        for path, value in single.items():
            if value.ndim > 1:
                continue
            whole = starred(path)
            if whole != path:
                index = path[whole.index("*")]
                assert isinstance(index, int)  # noqa: S101 - that is what a star stands for
                grouped[whole][index] = value
        together = _joined(grouped)
        # Neurons that keep a list of objects each, as layers[0][i].w[j].data, take a second round.
        rows: dict[Path, dict[int, Array]] = defaultdict(dict)
        for path, value in together.items():
            whole = starred(path)
            if whole != path:
                index = path[whole.index("*")]
                assert isinstance(index, int)  # noqa: S101 - that is what a star stands for
                rows[whole][index] = value
        return self._gathered(single) | _joined(rows) | together | single

    def _gathered(self, single: dict[Path, Array]) -> dict[Path, Array]:
        """Matrices of parameters that stand apart."""
        found: dict[Path, Array] = {}
        for layer in self._scattered:
            names = [*layer.biases, *(path for row in layer.weights for path in row)]
            if all(name in single and single[name].ndim == 0 for name in names):
                found[layer.name] = np.array([[single[w] for w in row] for row in layer.weights])
                if layer.biases:
                    found[layer.bias_name] = np.array([single[b] for b in layer.biases])
        return found


def _joined(grouped: dict[Path, dict[int, Array]]) -> dict[Path, Array]:
    """Put numbers or rows of one shape together that are numbered from 0."""
    return {
        path: np.stack([parts[index] for index in sorted(parts)])
        for path, parts in grouped.items()
        if sorted(parts) == list(range(len(parts)))
        and len({part.shape for part in parts.values()}) == 1
    }

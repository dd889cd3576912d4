"""The sizes at which growth is measured, along four axes."""

from __future__ import annotations

from dataclasses import dataclass

CLASSES = 10
_INPUTS, _HIDDEN, _BATCH, _ROWS = 784, 128, 128, 8192


@dataclass(frozen=True)
class Point:
    """One size: a network of dense layers, and an epoch over some rows.

    Attributes
    ----------
    axis : str
        What grows: "batch", "width", "depth" or "samples".
    size : int
        How far it has grown.
    hidden : tuple of int
        Units of each hidden layer.
    """

    axis: str
    size: int
    inputs: int = _INPUTS
    hidden: tuple[int, ...] = (_HIDDEN,)
    batch: int = _BATCH
    rows: int = _ROWS


AXES = {
    "batch": f"batch size ({_INPUTS}-{_HIDDEN}-{CLASSES})",
    "width": f"width of the hidden layer (batches of {_BATCH})",
    "depth": f"hidden layers of {_HIDDEN} (batches of {_BATCH})",
    "samples": f"samples (32-{_HIDDEN}-{CLASSES}, batches of {_BATCH})",
}

POINTS: tuple[Point, ...] = (
    *(Point("batch", 2**power, batch=2**power) for power in range(3, 13)),
    *(Point("width", 2**power, hidden=(2**power,), rows=4096) for power in range(4, 13)),
    *(Point("depth", 2**power, hidden=(_HIDDEN,) * 2**power) for power in range(7)),
    *(Point("samples", 10**power, inputs=32, rows=10**power) for power in range(3, 7)),
)

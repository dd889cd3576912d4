"""The numbers of an ejected module: in its text where they are few, else in a file beside it.

The file is NumPy's own ``.npz``, read with ``allow_pickle=False``: NumPy alone reads it, it holds
every number to the last bit and a checksum of each array, and nothing in it can run. As JSON the
same numbers would take more than twice the room.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from chainrule.errors import InvalidData
from chainrule.layer import Array
from chainrule.saving.eject.layout import INDENT, WIDTH, indented
from chainrule.saving.eject.source import Source

_FEW = 400  # numbers that a reader still scrolls past
_WIDTH = 100  # of lines of numbers: four to a line


@dataclass(frozen=True)
class EjectedNumbers:
    """What ``__init__`` sets its arrays to.

    Attributes
    ----------
    lines : list of str
        For ``__init__``.
    content : bytes or None
        Of the file beside the module; None where there is none.
    """

    lines: list[str]
    content: bytes | None


def eject_numbers(source: Source, remembers: Sequence[str]) -> EjectedNumbers:
    """Gather parameters, statistics and what the optimizer remembers.

    Raises
    ------
    InvalidData
        When one of them is not finite.
    """
    network = source.network
    vector = network.parameter_vector
    names = [*source.parameters, *source.statistics]
    arrays = {
        name: slot.view(vector.storage) for name, slot in zip(names, vector.all_slots, strict=True)
    }
    memory = {
        remembered: {
            name: slot.view(network.training_state.optimizer.vectors[remembered])
            for name, slot in zip(source.parameters, vector.slots, strict=True)
        }
        for remembered in remembers
    }
    labels = {name: slot.label for name, slot in zip(names, vector.all_slots, strict=True)}
    for name, array in arrays.items():
        if not np.isfinite(array).all():
            raise InvalidData(
                f"{labels[name]} holds NaN or infinity; ejecting takes finite numbers. Restore the "
                "parameters that training went wrong from, or call net.restart()."
            )
    fresh = [name for name, kept in memory.items() if not any(a.any() for a in kept.values())]
    kept = {name: arrays_of for name, arrays_of in memory.items() if name not in fresh}
    count = sum(array.size for array in arrays.values()) * (1 + len(kept))
    is_float32 = str(network.dtype) == "float32"
    if count <= _FEW:
        lines = _literals(arrays, kept, is_float32)
        content = None
    else:
        lines = _from_file(arrays, kept, is_float32)
        content = _file(arrays, kept)
    for name in fresh:
        zeros = "name: np.zeros_like(getattr(self, name)) for name in PARAMETERS"
        lines += _dictionary(f"self.{name}", zeros, 2)
    return EjectedNumbers(lines, content)


def _literals(
    arrays: dict[str, Array], memory: dict[str, dict[str, Array]], is_float32: bool
) -> list[str]:
    lines = ["# fmt: off"]
    for name, array in arrays.items():
        lines += _literal(f"self.{name} = ", array, is_float32)
    for name, kept in memory.items():
        lines.append(f"self.{name} = {{")
        for parameter, array in kept.items():
            written = _literal(f'"{parameter}": ', array, is_float32)
            lines += ["    " + line for line in [*written[:-1], written[-1] + ","]]
        lines.append("}")
    return [*lines, "# fmt: on"] if arrays else []


def _literal(start: str, array: Array, is_float32: bool) -> list[str]:
    """An array as Python; of float32 numbers the few digits that say them exactly."""
    if not array.any():
        shape = array.shape if array.ndim > 1 else array.size
        return [f"{start}np.zeros({shape})"]
    ending = ", np.float32).astype(float)" if is_float32 else ")"
    rows = _rows(array)
    inside = ", ".join(rows)
    if len(start) + len(inside) + len(ending) + 20 <= _WIDTH:
        return [f"{start}np.array([{inside}]{ending}"]
    filled = [""]
    for row in rows:
        if filled[-1] and len(filled[-1]) + len(row) + 13 > _WIDTH:
            filled.append("")
        filled[-1] += f"{row}, "
    return [f"{start}np.array([", *(f"    {line.rstrip()}" for line in filled), f"]{ending}"]


def _rows(array: Array) -> list[str]:
    """What stands in the outermost brackets of an array: its numbers, or its rows."""
    if array.ndim == 1:
        exact = array.dtype == np.float64
        return [repr(value.item()) if exact else str(value) for value in array]
    return [f"[{', '.join(_rows(part))}]" for part in array]


def _from_file(
    arrays: dict[str, Array], memory: dict[str, dict[str, Array]], is_float32: bool
) -> list[str]:
    exact = ".astype(float)" * is_float32
    lines = ["with np.load(NUMBERS, allow_pickle=False) as numbers:"]
    lines += [f'    self.{name} = numbers["{name}"]{exact}' for name in arrays]
    for name in memory:
        loaded = f'name: numbers[f"{name} {{name}}"]{exact} for name in PARAMETERS'
        lines += indented(_dictionary(f"self.{name}", loaded, 3))
    return lines


def _dictionary(target: str, inside: str, depth: int) -> list[str]:
    """A dictionary comprehension on one line, three, or four."""
    room = WIDTH - len(INDENT) * depth
    if len(f"{target} = {{{inside}}}") <= room:
        return [f"{target} = {{{inside}}}"]
    lines = [inside]
    if len(INDENT + inside) > room:
        value, _, over = inside.partition(" for name in")
        lines = [value, f"for name in{over}"]
    return [f"{target} = {{", *indented(lines), "}"]


def _file(arrays: dict[str, Array], memory: dict[str, dict[str, Array]]) -> bytes:
    everything = dict(arrays)
    for name, kept in memory.items():
        everything.update({f"{name} {parameter}": array for parameter, array in kept.items()})
    file = io.BytesIO()
    np.savez(file, allow_pickle=False, **everything)
    return file.getvalue()

"""The settings of one layer in a ``.keras`` file, each of them asked for or known not to matter."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from chainrule.checks import shown
from chainrule.errors import UnreadableFile

# How weights began, how they were held during training, and in which precision Keras computes.
_NOT_NEEDED = re.compile(
    r"name|trainable|dtype|autocast|seed|batch_shape|batch_input_shape|synchronized|renorm_momentum"
    r"|\w+_(initializer|regularizer|constraint)"
)


class Settings:
    """Reads settings by name and type.

    A setting that nobody has asked for could change what the layer means, so ``check`` refuses it
    unless it is off.

    Parameters
    ----------
    kind : str
        Keras's class, as ``"Conv2D"``.
    values : dict
        Its configuration.
    axes : int
        How many its inputs have, with the batch; 0 where that is not known.
    """

    def __init__(self, kind: str, values: Mapping[str, Any], axes: int = 0) -> None:
        self.kind = kind
        self.axes = axes
        self._values = values
        self._asked: set[str] = set()

    def refuse(self, why: str) -> UnreadableFile:
        """Make the error that says why this layer cannot be one of ours."""
        return UnreadableFile(f"its layer {shown(self._values.get('name'))} ({self.kind}) {why}")

    def get(self, name: str, default: Any = None) -> Any:
        """Value of a setting, of whatever type."""
        self._asked.add(name)
        return self._values.get(name, default)

    def number(self, name: str, default: float | None = None) -> float:
        """Value of a setting that is a number."""
        found = self.get(name, default)
        if isinstance(found, bool) or not isinstance(found, int | float):
            raise self._wrong(name, found, "a number")
        return found

    def flag(self, name: str, *, default: bool) -> bool:
        """Value of a setting that is true or false."""
        found = self.get(name, default)
        if not isinstance(found, bool):
            raise self._wrong(name, found, "true or false")
        return found

    def sizes(self, name: str, count: int, default: Any = None) -> Any:
        """Value of a setting that is one whole number for each of ``count`` axes."""
        found = self.get(name)
        found = default if found is None else found
        listed = found if isinstance(found, list) else [found] * count
        if len(listed) != count or not all(type(size) is int for size in listed):
            raise self._wrong(name, found, f"{count} whole numbers")
        return listed[0] if len(set(listed)) == 1 else tuple(listed)

    def need(self, name: str, *expected: Any) -> None:
        """Refuse a setting that has another value than those there is a layer for."""
        found = self.get(name, expected[0])
        if found not in expected or isinstance(found, bool) is not isinstance(expected[0], bool):
            raise self._wrong(name, found, " or ".join(map(repr, expected)))

    def check(self) -> None:
        """Refuse settings that nobody has asked for.

        Raises
        ------
        UnreadableFile
        """
        for name, value in self._values.items():
            known = name in self._asked or _NOT_NEEDED.fullmatch(name)
            if not known and value not in (None, False):
                raise self.refuse(f"has {name}={shown(value)}, which is not known here.")

    def _wrong(self, name: str, found: Any, expected: str) -> UnreadableFile:
        return self.refuse(f"has {name}={shown(found)}; expected {expected}.")

"""JSON that comes from elsewhere: read as data, when it is known not to take much memory."""

from __future__ import annotations

import json
import math
from typing import Any, NoReturn

from chainrule.checks import shown
from chainrule.errors import UnreadableFile

MOST_PARTS = 200_000  # each of which takes about a hundred bytes once it is read


def read_object(encoded: bytes, what: str) -> dict[str, Any]:
    """Read a JSON object out of a file.

    Parameters
    ----------
    encoded : bytes
    what : str
        What it is called in messages: ``"its header"``.

    Raises
    ------
    UnreadableFile
        Without the path: when it has too many parts, is damaged, or is no object.
    """
    check_parts(encoded, what)
    try:
        found = read_json(encoded)
    except ValueError as error:
        raise UnreadableFile(f"{what} is damaged ({shown(str(error))}).") from error
    if not isinstance(found, dict):
        raise UnreadableFile(f"{what} is no JSON object.")
    return found


def check_parts(encoded: bytes, what: str) -> None:
    """See that it has no more than ``MOST_PARTS``, before it is read.

    Raises
    ------
    UnreadableFile
    """
    if count_parts(encoded) > MOST_PARTS:
        raise UnreadableFile(f"{what} has more than {MOST_PARTS:,} parts.")


def count_parts(encoded: bytes) -> int:
    """At most so many values and keys stand in this JSON, also in texts that are JSON again."""
    return sum(encoded.count(sign) for sign in (b",", b":", b"[", b"{"))


def read_json(text: str | bytes) -> Any:
    """Read JSON strictly.

    Raises
    ------
    ValueError
        Also where a key stands twice, and for numbers that are not finite.
    """

    def no_constant(name: str) -> NoReturn:
        raise ValueError(f"it holds {name}")

    def finite(digits: str) -> float:
        number = float(digits)
        return number if math.isfinite(number) else no_constant(digits[:40])

    return json.loads(
        text, object_pairs_hook=_no_doubles, parse_constant=no_constant, parse_float=finite
    )


def _no_doubles(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        doubled = next(name for number, name in enumerate(names) if name in names[:number])
        raise ValueError(f"the key {doubled[:80]!r} stands twice")
    return found

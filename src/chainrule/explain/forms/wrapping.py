"""Long lines of text: where sentences and formulas go on in the next line."""

from __future__ import annotations

import re
import unicodedata

GLUE = "\ue000"  # stands for a space in a formula, where a sentence should not be broken

_OPENING, _CLOSING = "([", ")]"

# Where a formula may be broken, the best places first. The sign goes on to the next line.
_BREAKS = (
    re.compile(r" (?=[+-] )|(?<=,) (?=else |\S+.* if )"),
    re.compile(r" (?=· )|(?=·)"),
    re.compile(r" "),
    re.compile(r"(?=[/^])"),
)
_LEAST_FILLED = 3  # a line is not broken in its first third


def width_of(text: str) -> int:
    """How many places text takes up: accents that stand over a letter take none."""
    return sum(not unicodedata.combining(character) for character in text)


def padded(text: str, width: int, *, right: bool = False) -> str:
    """Fill text up with spaces."""
    space = " " * (width - width_of(text))
    return space + text if right else text + space


def wrap_sentence(text: str, width: int) -> list[str]:
    """Break words at spaces, and only what is wider than a line inside."""
    lines: list[str] = []
    line = ""
    for word in text.split():
        extended = f"{line} {word}" if line else word
        if width_of(extended) <= width:
            line = extended
            continue
        if line:
            lines.append(line)
        *whole, line = wrap_formula(word.replace(GLUE, " "), width)
        lines += whole
    return [part.replace(GLUE, " ") for part in (*lines, line)]


def wrap_formula(text: str, width: int) -> list[str]:
    """Break a formula before its signs, outside of parentheses where there is such a place."""
    lines: list[str] = []
    while width_of(text) > width:
        place = _best_break(text, width)
        if place is None:
            *whole, text = _cut(text, width)
            return [*lines, *whole, text]
        lines.append(text[:place].rstrip())
        text = text[place:].lstrip()
    return [*lines, text]


def _best_break(text: str, width: int) -> int | None:
    text = text[: 2 * width + 2]  # with an accent over each letter
    depths, inside_index = _depths(text)
    found = [
        (depths[place], rank, -place)
        for rank, pattern in enumerate(_BREAKS)
        for match in pattern.finditer(text)
        if (place := match.start()) > 0
        and not inside_index[place]
        and width // _LEAST_FILLED <= width_of(text[:place]) <= width
    ]
    return -min(found)[2] if found else None


def _depths(text: str) -> tuple[list[int], list[bool]]:
    """How many parentheses stand around each character, and whether it belongs to an index."""
    depths, inside_index = [], []
    depth, is_index = 0, False
    for character in text:
        depth -= character in _CLOSING
        is_index = (is_index or character == "[") and character != "]"
        depths.append(depth)
        inside_index.append(is_index and character != "[")
        depth += character in _OPENING
    return depths, inside_index


def _cut(text: str, width: int) -> list[str]:
    """Cut where nothing better is left; accents stay with their letter."""
    pieces = [""]
    for character in text:
        if width_of(pieces[-1] + character) > max(width, 1):
            pieces.append("")
        pieces[-1] += character
    return pieces

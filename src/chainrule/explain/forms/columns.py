"""Tables as text: columns that fit into a width, or rows one below the other where none do."""

from __future__ import annotations

from collections.abc import Sequence

from chainrule.explain.forms.wrapping import padded, width_of, wrap_sentence

_BETWEEN = "  "
_NARROWEST = 8  # a column narrower than that is not read


def fitted(
    headings: Sequence[str],
    rows: Sequence[Sequence[str]],
    is_right: Sequence[bool],
    width: int,
) -> list[tuple[str, bool]]:
    """Lay out a table in lines, each with whether it belongs to the headings.

    Parameters
    ----------
    headings : sequence of str
    rows : sequence of sequence of str
    is_right : sequence of bool
        Which columns stand to the right.
    width : int
    """
    if not headings:
        return []
    widths = _widths(headings, rows, width)
    if widths is None:
        return _one_below_the_other(headings, rows, width)
    lines = [(line, True) for line in _row(headings, widths, is_right)]
    lines.append((_BETWEEN.join("─" * column for column in widths), True))
    for row in rows:
        lines += [(line, False) for line in _row(row, widths, is_right)]
    return lines


def _widths(headings: Sequence[str], rows: Sequence[Sequence[str]], width: int) -> list[int] | None:
    """Widths of the columns, the widest made narrower first; None where they cannot fit."""
    widths = [
        max(1, *(width_of(cells[column]) for cells in (headings, *rows)))
        for column in range(len(headings))
    ]
    room = width - len(_BETWEEN) * (len(widths) - 1)
    if sum(min(column, _NARROWEST) for column in widths) > room:
        return None
    while sum(widths) > room:
        widths[widths.index(max(widths))] -= 1
    return widths


def _row(cells: Sequence[str], widths: Sequence[int], is_right: Sequence[bool]) -> list[str]:
    wrapped = [wrap_sentence(text, column) for text, column in zip(cells, widths, strict=True)]
    height = max(map(len, wrapped))
    lines = []
    for number in range(height):
        shown = (
            padded(
                lines_of_cell[number] if number < len(lines_of_cell) else "", column, right=right
            )
            for lines_of_cell, column, right in zip(wrapped, widths, is_right, strict=True)
        )
        lines.append(_BETWEEN.join(shown).rstrip())
    return lines


def _one_below_the_other(
    headings: Sequence[str], rows: Sequence[Sequence[str]], width: int
) -> list[tuple[str, bool]]:
    lines: list[tuple[str, bool]] = []
    for row in rows:
        if lines:
            lines.append(("", False))
        for heading, text in zip(headings, row, strict=True):
            lines += [(line, False) for line in wrap_sentence(f"{heading}: {text}", width)]
    return lines

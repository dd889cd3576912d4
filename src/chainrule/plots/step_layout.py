"""Where the boxes of a step stand: in columns, on a page of usual proportions."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise

from chainrule.plots.canvas import matplotlib_module, shorten
from chainrule.plots.step_parts import Box, Flow, StepFlow

# Inches, which are also the units of the picture's coordinates; y points downwards.
LINE = 0.19  # from line to line
PADDING = 0.1  # between a box's edge and its words
GAP = 0.56  # between boxes: two lines, and the arrows beside them
OFFSET = 0.13  # of an arrow from the middle of the box
TURN = 0.45  # what an arrow to the next column needs under a box, or over one
WAY = 0.6  # what a way around needs at the side
GUTTER = 0.8  # between columns
FONT_SIZE = 9.0  # points

_NARROWEST = 2.6
TITLE = 0.12  # between a title and what follows it
_WIDEST_TEXT = 3.0
_MOST_LINES = 3  # of a description
_LONGEST_ROW = 44  # characters
_MOST_COLUMNS = 12
USUAL = 1.35  # width over height


@dataclass
class Placed:
    """A box with its place.

    Attributes
    ----------
    box : Box
    lines : list of str
        Its text, broken into lines.
    height : float
    column : int
    x, top : float
        Its middle and its upper edge.
    """

    box: Box
    lines: list[str]
    height: float
    column: int = 0
    x: float = 0.0
    top: float = 0.0

    @property
    def bottom(self) -> float:
        """Lower edge."""
        return self.top + self.height


@dataclass
class Layout:
    """The whole page.

    Attributes
    ----------
    boxes : list of Placed
    box_width, width, height : float
    deepest : int
        How many residual layers stand in each other, at most.
    """

    boxes: list[Placed]
    box_width: float
    width: float
    height: float
    deepest: int

    def left(self, placed: Placed) -> float:
        """Left edge of a box."""
        return placed.x - self.box_width / 2

    def right(self, placed: Placed) -> float:
        """Right edge of a box."""
        return placed.x + self.box_width / 2


def lay_out(found: StepFlow, at_least: float, proportion: float = USUAL) -> Layout:
    """Give every box its place, in as many columns as make a page of that width over height.

    Parameters
    ----------
    found : StepFlow
    at_least : float
        Width of the page that the words around the boxes need.
    proportion : float
    """
    boxes = [_measured(box) for box in found.boxes]
    box_width = _box_width(boxes, found.flows)
    deepest = max((way.depth for way in found.ways), default=0)
    pitch = box_width + GUTTER + deepest * WAY
    # A column begins with a box that stands in no residual layer, or at the head of one.
    heads = {way.first for way in found.ways if way.depth == 1}
    begins = [n for n, box in enumerate(found.boxes) if box.depth == 0 or n in heads]
    heights = [placed.height + GAP for placed in boxes]
    pages = [_divide(heights, begins, columns) for columns in range(1, _MOST_COLUMNS + 1)]

    def miss(starts: list[int]) -> float:
        width, height = len(starts) * pitch, max(_column_heights(heights, starts))
        return abs(math.log(width / height / proportion))

    starts = min(pages, key=miss)
    width = len(starts) * pitch - GUTTER
    margin = max(0.0, at_least - width) / 2
    for column, (start, stop) in enumerate(pairwise([*starts, len(boxes)])):
        top = GAP + TURN if column else 0.0  # the flow from the column before comes in there
        for placed in boxes[start:stop]:
            placed.column, placed.top = column, top
            placed.x = margin + column * pitch + deepest * WAY + box_width / 2
            top = placed.bottom + GAP
    last = len(starts) - 1
    height = max(placed.bottom + (TURN if placed.column < last else 0.0) for placed in boxes)
    return Layout(boxes, box_width, width + 2 * margin, height, deepest)


def _column_heights(heights: list[float], starts: list[int]) -> list[float]:
    ends = [*starts[1:], len(heights)]
    return [sum(heights[start:end]) for start, end in zip(starts, ends, strict=True)]


def _divide(heights: list[float], begins: list[int], columns: int) -> list[int]:
    """Where each of at most so many columns begins, the highest of them as low as possible."""
    blocks = _column_heights(heights, begins)

    def starts(limit: float) -> list[int]:
        found, filled = [0], 0.0
        for begin, block in zip(begins, blocks, strict=True):
            if filled and filled + block > limit:
                found.append(begin)
                filled = 0.0
            filled += block
        return found

    # A column ends after some block, so the lowest limit is the height of some run of blocks.
    limits = sorted({sum(blocks[i:j]) for j in range(len(blocks) + 1) for i in range(j)})
    return starts(next(limit for limit in limits if len(starts(limit)) <= columns))


def _measured(box: Box) -> Placed:
    """Break its text into lines, beside the title and under it, and measure what it all takes."""
    room = _WIDEST_TEXT - text_width(box.title, bold=True)
    lines = [""]
    for word in shorten(box.text, _MOST_LINES * _LONGEST_ROW).split(" "):
        longer = f"{lines[-1]} {word}".strip()
        if lines[-1] and text_width(longer) > room:
            lines.append(word)
        else:
            lines[-1] = longer
    lines = [shorten(line, _LONGEST_ROW) for line in lines[:_MOST_LINES]]
    box.rows = [(shorten(left, _LONGEST_ROW), right) for left, right in box.rows]
    return Placed(box, lines, (len(lines) + len(box.rows)) * LINE + 2 * PADDING)


def _box_width(boxes: list[Placed], flows: list[Flow]) -> float:
    """Width with which every line finds room, and the labels of arrows stay beside them."""
    needed = [_NARROWEST]
    for placed in boxes:
        title = text_width(placed.box.title, bold=True) + TITLE
        needed += [2 * PADDING + title + text_width(line) for line in placed.lines]
        needed += [
            2 * PADDING + text_width(left) + 2 * TITLE + text_width(right)
            for left, right in placed.box.rows
        ]
    for flow in flows:
        labels = flow.forward_label, flow.shape, flow.back_label
        needed += [2 * (2 * OFFSET + text_width(label)) for label in labels]
    return max(needed)


def text_width(text: str, *, bold: bool = False) -> float:
    """Inches that a line takes, and a little more: how much depends on where it is drawn."""
    font = matplotlib_module("font_manager").FontProperties(
        size=FONT_SIZE, weight="bold" if bold else "normal"
    )
    words = matplotlib_module("textpath").TextToPath()
    return float(words.get_text_width_height_descent(text, font, ismath=False)[0]) / 72 * 1.03

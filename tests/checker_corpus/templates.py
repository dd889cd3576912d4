"""Read a style file: a hand-written network with knobs, and the edits that make it wrong.

It has a head of ``key: value`` lines, the source, and the mistakes that make sense in it::

    architecture: 2-$hidden$-1
    activations: sigmoid sigmoid
    loss: squared
    convention: rows, sum, half, y - a added
    parameters: W1 ; None ; W2 ; None
    data: X ; y
    knob hidden = 3 | 4
    === source
    ...
    === mistakes
    @ sign_turned
    - W1 += X.T @ d1
    + W1 -= X.T @ d1

``$hidden$`` is replaced by one of the knob's choices; knobs declared together
(``knob diff, op = y - a ; += | a - y ; -=``) choose together. ``@ mistake hidden=2`` holds a knob
at a value. In an edit, ``-`` lines stand together in the source, once; ``+`` lines take their
place, indented like the first. ``! line`` is a ``+`` line to blame (without one, all that changed),
and ``? line`` one that stays and may be blamed too. A section ``=== proof`` has edits that only the
tests make, such as a training set of one row. ``parameters`` and ``data`` are expressions that find
weights, biases, inputs and targets (in rows) in the program's variables, or in those of the
function that ``locals`` names. ``penalty`` is the factor of the sum of squared weights beside the
loss of the whole batch.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

FOLDER = Path(__file__).parent / "styles"
UNSEEN = Path(__file__).parent / "unseen"  # written when the checker stood, by others


@dataclass
class Hunk:
    """Lines of the source and what takes their place; which of these are to blame."""

    old: list[str] = field(default_factory=list)
    new: list[str] = field(default_factory=list)
    blamed: list[bool] = field(default_factory=list)


@dataclass
class Edit:
    """One mistake: its hunks, the lines outside them that may be blamed, and the knobs it needs."""

    mistake: str
    knobs: dict[str, str]
    hunks: list[Hunk] = field(default_factory=list)
    also: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Line:
    """A line of the source, and whether a teacher would point at it."""

    text: str
    blame: int = 0  # 2: here it is; 1: one would accept this too


class Style:
    """A way to write a network, with its knobs and its mistakes."""

    def __init__(self, path: Path) -> None:
        self.name = path.stem
        self.head: dict[str, str] = {}
        self.knobs: list[tuple[list[str], list[list[str]]]] = []
        sections = re.split(r"^=== (\w+)\n", path.read_text(encoding="utf-8"), flags=re.MULTILINE)
        for line in sections[0].splitlines():
            self._read_head(line)
        parts = dict(zip(sections[1::2], sections[2::2], strict=True))
        self.source = [Line(line) for line in parts["source"].rstrip("\n").split("\n")]
        self.edits = _read_edits(parts["mistakes"])
        self.proof = _read_edits("@ proof\n" + parts.get("proof", ""))[0]

    def _read_head(self, line: str) -> None:
        if line.startswith("knob "):
            names, _, choices = line.removeprefix("knob ").partition(" = ")
            rows = [choice.split(" ; ") for choice in choices.split(" | ")]
            self.knobs.append((names.split(", "), [[c.strip() for c in row] for row in rows]))
        elif line:
            key, _, value = line.partition(": ")
            self.head[key] = value.strip()

    @property
    def is_notebook(self) -> bool:
        return self.head.get("notebook") == "yes"

    def draw(self, chance: np.random.Generator, held: Mapping[str, str]) -> dict[str, str]:
        """Choose a value for every knob, with some of them held."""
        values = {"seed": str(chance.integers(100))}
        for names, rows in self.knobs:
            fitting = [
                row
                for row in rows
                if all(held.get(n, v) == v for n, v in zip(names, row, strict=True))
            ]
            values.update(zip(names, _one_of(fitting or rows, chance), strict=True))
        return values | dict(held)

    def lines(self, knobs: Mapping[str, str], *edits: Edit) -> list[Line]:
        """Write the source with some edits made and every knob replaced."""
        lines = self.source
        for edit in edits:
            lines = self._edited(lines, edit)
        return [Line(fill(line.text, knobs), line.blame) for line in lines]

    def _edited(self, lines: list[Line], edit: Edit) -> list[Line]:
        if not edit.hunks:
            held = [f"${name}$" for name in edit.knobs]
            guilty = [any(name in line.text for name in held) for line in lines]
            lines = [Line(x.text, 2 if g else x.blame) for x, g in zip(lines, guilty, strict=True)]
        blamed = _blamed(edit)
        for hunk, guilty in zip(edit.hunks, blamed, strict=True):
            start = self._find(lines, hunk.old, edit.mistake)
            before, after = lines[:start], lines[start + len(hunk.old) :]
            if not any(map(any, blamed)):
                # Something is gone: what stands around the gap is as near as anyone can point.
                before = _first_blamed(before[::-1], 1 if hunk.new else 2)[::-1]
                if _indent(after[0].text) >= _indent(lines[start].text):
                    after = _first_blamed(after, 1)
                guilty = [bool(text) for text in hunk.new]
            new = _indented(hunk.new, guilty, lines[start : start + len(hunk.old)])
            lines = [*before, *new, *after]
        for text in edit.also:
            start = self._find(lines, [text], edit.mistake)
            lines[start] = Line(lines[start].text, max(1, lines[start].blame))
        return lines

    def _find(self, lines: list[Line], old: list[str], mistake: str) -> int:
        wanted = [text.strip() for text in old]
        texts = [line.text.strip() for line in lines]
        starts = [i for i in range(len(texts)) if texts[i : i + len(wanted)] == wanted]
        if len(starts) != 1:
            raise ValueError(f"{self.name}, {mistake}: {old} stands {len(starts)} times, not once")
        return starts[0]


def chance(seed: int, name: str) -> np.random.Generator:
    """Random numbers that belong to a seed and a case, so that a new case does not move others."""
    return np.random.default_rng([seed, zlib.crc32(name.encode())])


def _one_of(rows: list[list[str]], chance: np.random.Generator) -> list[str]:
    return rows[int(chance.integers(len(rows)))]


def fill(text: str, knobs: Mapping[str, str]) -> str:
    """Replace every ``$knob$``; a knob's value may name another."""
    while re.search(r"\$\w+\$", text):
        text = re.sub(r"\$(\w+)\$", lambda match: knobs[match[1]], text)
    return text


def _blamed(edit: Edit) -> list[list[bool]]:
    """Which new lines are to blame: those marked; or all that changed; or all that moved."""
    if any(any(hunk.blamed) for hunk in edit.hunks):
        return [hunk.blamed for hunk in edit.hunks]
    changed = []
    for hunk in edit.hunks:
        stays = {text.strip() for text in hunk.old}
        changed.append([text.strip() not in stays for text in hunk.new])
    if any(map(any, changed)):
        return changed
    return [[len(hunk.new) == len(hunk.old)] * len(hunk.new) for hunk in edit.hunks]


def _indented(new: list[str], guilty: list[bool], old: list[Line]) -> list[Line]:
    """Indent new lines like the first old one; what stood further left and stays, stays there."""
    first = old[0].text
    indent = first[: _indent(first)]
    left = {x.text.strip(): x.text for x in old if x.text and not x.text.startswith(indent)}
    return [
        Line(left.get(text, indent + text if text else ""), 2 if g else 0)
        for text, g in zip(new, guilty, strict=True)
    ]


def _indent(text: str) -> int:
    return len(text) - len(text.lstrip())


def _first_blamed(lines: list[Line], blame: int) -> list[Line]:
    """Blame the first line that is not empty."""
    for i, line in enumerate(lines):
        if line.text.strip():
            return [*lines[:i], Line(line.text, max(blame, line.blame)), *lines[i + 1 :]]
    return lines


def _read_edits(text: str) -> list[Edit]:
    edits: list[Edit] = []
    last = ""
    for line in text.splitlines():
        mark, content = line[:1], line[2:]
        if mark == "@":
            mistake, *held = content.split()
            edits.append(Edit(mistake, dict(item.split("=", 1) for item in held)))
        elif mark == "-":
            if last != "-":
                edits[-1].hunks.append(Hunk())
            edits[-1].hunks[-1].old.append(content)
        elif mark in ("+", "!") and mark:
            edits[-1].hunks[-1].new.append(content)
            edits[-1].hunks[-1].blamed.append(mark == "!")
        elif mark == "?":
            edits[-1].also.append(content)
        elif line.strip():
            raise ValueError(f"a line of an edit starts with @, -, +, ! or ?, not {line!r}")
        last = mark
    for edit in edits:
        for hunk in edit.hunks:
            if [x.strip() for x in hunk.old] == [x.strip() for x in hunk.new]:
                raise ValueError(f"{edit.mistake}: {hunk.old} is replaced by itself")
    return edits


def styles(folder: Path = FOLDER) -> list[Style]:
    """All styles of a folder, by name."""
    return [Style(path) for path in sorted(folder.glob("*.style"))]

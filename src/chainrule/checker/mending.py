"""Mends a learner's file in the ways that fit the mistake, and takes the first that proves right.

A line is named for sure only when the file with that line mended makes right steps. The ways are
tried likeliest first; they run together in one process that splits for each.
"""

from __future__ import annotations

import ast
import itertools
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import numpy as np

from chainrule.checker import process
from chainrule.checker.factor_repairs import factor_repairs
from chainrule.checker.instrument import instrument
from chainrule.checker.lines import find_spot
from chainrule.checker.memory_repairs import memory_repairs
from chainrule.checker.mended import is_mended
from chainrule.checker.order_repairs import later, order_repairs
from chainrule.checker.product_repairs import product_repairs
from chainrule.checker.repairs import Repair, is_program
from chainrule.checker.scene import Scene
from chainrule.checker.sign_repairs import sign_repairs
from chainrule.checker.slope_repairs import missing_slope_repairs, wrong_slope_repairs
from chainrule.checker.sum_repairs import sum_repairs
from chainrule.checker.update_repairs import missing_update_repairs

_AT_MOST = 10
_OF_ONE_LINE = 5
_ALONE = 3  # ways for one layer that are tried together with those for others
_SECONDS = 4.0  # no new version is looked at after so long, on a busy machine
_MARGIN = 400  # events beyond four steps

PROPOSALS: dict[str, Callable[[Scene], Iterator[Repair]]] = {
    "early_update": order_repairs,
    "output_derivative_missing": missing_slope_repairs,
    "hidden_derivative_missing": missing_slope_repairs,
    "sigmoid_prime_on_activation_twice": wrong_slope_repairs,
    "sigmoid_prime_of_z_as_a": wrong_slope_repairs,
    "other_activation_derivative": wrong_slope_repairs,
    "sign_turned": sign_repairs,
    "momentum_sign": memory_repairs,
    "regularisation_sign": memory_repairs,
    "factor_mismatch": factor_repairs,
    "bias_gradient_axis": sum_repairs,
    "bias_gradient_not_summed": sum_repairs,
    "bias_never_updated": missing_update_repairs,
    "wrong_layer_error": product_repairs,
    "summed_weights": product_repairs,
    "transposed": product_repairs,
    "elementwise_for_matrix": product_repairs,
    "weight_for_input": product_repairs,
    "wrong_input": product_repairs,
}


@dataclass(frozen=True)
class Mended:
    """A line, as it should be.

    Attributes
    ----------
    line : int
    right_line : str
    is_proved : bool
        Whether the mended file was run, and its steps were right.
    is_new : bool
        Whether ``right_line`` is to be written after the line, not in its place.
    also : tuple of (int, str)
        Other lines that must change with it, as they should be.
    """

    line: int
    right_line: str
    is_proved: bool
    is_new: bool = False
    also: tuple[tuple[int, str], ...] = ()


def point_at(scene: Scene) -> Mended | None:
    """The line of a mistake, and how it should be.

    A right line that did not prove right is not told: it would send the learner astray.
    """
    try:
        mended = mend(scene)
    except Exception:  # noqa: BLE001 - a file too odd to be mended still has its cause told
        mended = None
    if mended is not None and (mended.is_proved or PROPOSALS[scene.slip.cause] is product_repairs):
        return mended  # where a product is wrong, the first way is better than what find_spot sees
    spot = find_spot(scene.evidence, scene.judged, scene.slip)
    if spot is None:
        return None
    is_early = scene.slip.cause == "early_update"
    right = later(scene, scene.source.line(spot.line)) if is_early else ""
    return Mended(spot.line, right, is_proved=False)


def mend(scene: Scene) -> Mended | None:
    """The first way to mend a mistake that proves right, or the line of the first that did not."""
    if scene.slip.detail == "further down":  # what the layer before receives is to be mended
        slip = replace(scene.slip, cause="wrong_layer_error", layer=scene.slip.layer - 1)
        scene = Scene(scene.source, scene.evidence, scene.judged, slip)
    propose = PROPOSALS.get(scene.slip.cause)
    if propose is None:
        return None
    repairs = _distinct(scene, _with_others(scene, propose))
    repair = _first_that_proves_right(scene, repairs) if repairs else None
    if repair is None:
        return Mended(repairs[0].line, "", is_proved=False) if repairs else None
    lines = scene.writer.right_lines(repair)
    also = tuple((line, text) for line, text in lines.items() if line != repair.line)
    return Mended(repair.line, lines[repair.line], is_proved=True, is_new=repair.is_new, also=also)


def _with_others(scene: Scene, propose: Callable[[Scene], Iterator[Repair]]) -> Iterator[Repair]:
    """Ways for one mistake; where other layers have the same one, also for all of them together."""
    slips = [s for s in scene.judged.explanation.slips if s.cause == scene.slip.cause]
    others = [s for s in slips if s is not scene.slip and s.layer != scene.slip.layer]
    ways = list(itertools.islice(propose(scene), 8 * _AT_MOST))
    if not others:
        yield from ways
        return
    theirs = [itertools.islice(propose(replace(scene, slip=other)), _ALONE) for other in others]
    for alone, *rest in zip(ways, *theirs, strict=False):
        yield alone
        if not _overlap((alone, *rest)):
            yield scene.writer.together([alone, *rest])
    yield from ways


def _overlap(repairs: tuple[Repair, ...]) -> bool:
    edits = sorted({edit for one in repairs for edit in one.edits}, key=lambda e: e.start)
    return any(one.end > other.start for one, other in itertools.pairwise(edits))


def _distinct(scene: Scene, repairs: Iterator[Repair]) -> list[Repair]:
    """The first few that change the text, and leave it a program."""
    found: dict[str, Repair] = {}
    of_line: Counter[int] = Counter()
    for repair in repairs:
        text = scene.writer.mended(repair)
        if of_line[repair.line] == _OF_ONE_LINE or text == scene.source.text or text in found:
            continue
        if is_program(text):
            found[text] = repair
            of_line[repair.line] += 1
        if len(found) == _AT_MOST:
            break
    return list(found.values())


def _first_that_proves_right(scene: Scene, repairs: list[Repair]) -> Repair | None:
    versions = [scene.writer.mended(repair) for repair in repairs]
    stop = 4 * scene.judged.step.end + _MARGIN
    records = process.run_versions(scene.source, scene.evidence.record, versions, stop)
    deadline = time.monotonic() + _SECONDS
    for repair, version, record in zip(repairs, versions, records, strict=False):
        places = instrument(version, ast.parse(version))
        with np.errstate(all="ignore"):
            if is_mended(record, places, scene.judged, scene.slip, scene.evidence.places):
                return repair
        if time.monotonic() > deadline:
            break
    return None

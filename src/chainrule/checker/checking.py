"""The whole check: read, run, find the networks, explain their steps, say what was found."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import numpy as np

from chainrule.checker import process
from chainrule.checker.evidence import Evidence
from chainrule.checker.forward import Network
from chainrule.checker.instrument import Place, instrument
from chainrule.checker.judged import Finding
from chainrule.checker.judgement import Judgement, judgement
from chainrule.checker.later_code import has_more_training, seen_lines
from chainrule.checker.no_network import shapes_that_do_not_fit, zeros_only
from chainrule.checker.other_findings import before_the_network
from chainrule.checker.process import Record
from chainrule.checker.saying import said, structural
from chainrule.checker.search import another_network, find_network, networks, shortened
from chainrule.checker.source import Source
from chainrule.checker.troubles import trouble
from chainrule.checker.verdict import Verdict

_READINGS = 3
_NOT_TO_BE_DRIVEN = ("time_limit", "asks_input", "exits", "not_understood")
_ENDED_EARLY = ("time_limit", "asks_input", "exits")


def check_source(source: Source) -> Verdict:
    """Check one program."""
    try:
        with np.errstate(all="ignore"):  # the learner's numbers may be anything
            return _check(source)
    except Exception as error:  # noqa: BLE001 - whatever a learner writes, there is an answer
        return Verdict(
            "unchecked",
            "The checker could not follow this file, and that is a fault of the checker "
            f"({type(error).__name__}: {error}). So there is no verdict.",
            cause="checker_failed",
        )


def _check(source: Source) -> Verdict:
    try:
        tree = source.parse()
        compile(tree, "<learner>", "exec")
    except (SyntaxError, ValueError, RecursionError) as error:
        return trouble_with_syntax(error)
    places = instrument(source.text, tree)
    record = process.run(source)
    first = _verdict_of(source, places, record)
    if first.verdict == "wrong" or first.cause in _ENDED_EARLY:
        return first
    later = _of_later_code(source, places, record)
    if later is not None and later.verdict != "unchecked":
        return later if later.verdict == "wrong" or first.verdict != "correct" else first
    if first.verdict == "correct" or first.cause in _NOT_TO_BE_DRIVEN:
        return first
    return _driven(source, places) or first


def _of_later_code(source: Source, places: list[Place], record: Record) -> Verdict | None:
    """Watch what the first run did not come to: the second network of a lesson, say."""
    if not has_more_training(record, places):
        return None
    later = process.run(source, unwatched=seen_lines(record, places))
    if not later.events:
        return None
    found = _judgement_of(source, places, later, Evidence(later, places))
    return said(source, found) if found and isinstance(found.found, Finding) else None


def _verdict_of(source: Source, places: list[Place], record: Record) -> Verdict:
    """Judge what a run left behind."""
    if not record.events:
        return _no_network(source, record, places)
    evidence = Evidence(record, places)
    broadcast = before_the_network(record, places)
    if broadcast is not None:
        return structural(source, find_network(evidence), broadcast, evidence)
    found = _judgement_of(source, places, record, evidence)
    if found is None:
        return _no_network(source, record, places)
    if found.verdict == "correct" and not evidence.number_by_number:
        other = another_network(evidence, found.network)
        second = other and judgement(source, places, record, evidence, other)
        found = second if second and second.verdict == "wrong" else found
    return said(source, found)


def _judgement_of(
    source: Source, places: list[Place], record: Record, evidence: Evidence
) -> Judgement | None:
    """Take the first reading of the numbers that explains the steps, else the likeliest one.

    Of further readings nothing but an explained step is believed.
    """
    likeliest = None
    for network in _readings(evidence):
        judged = judgement(source, places, record, evidence, network)
        likeliest = likeliest or judged
        is_explained = isinstance(judged.found, Finding) and judged.verdict != "unchecked"
        if is_explained or (judged is likeliest and judged.verdict == "wrong"):
            return judged
    return likeliest


def _readings(evidence: Evidence) -> Iterator[Network]:
    """Networks that the run may be of; the last layers of each may be there by chance."""
    found = []
    for network in itertools.islice(networks(evidence), _READINGS):
        found.append(network)
        yield network
    for network in found[:1]:
        yield from shortened(network)


def _driven(source: Source, places: list[Place]) -> Verdict | None:
    """Call the learner's network with data of our own, in several layouts.

    A layout that the network was not written for gives nonsense, so the first one in which it is
    correct counts; only if there is none, the first one in which its mistake has a name.
    """
    verdicts = []
    for layout in _layouts(source.text):
        verdict = _verdict_of(source, places, process.run(source, mode="drive", layout=layout))
        if verdict.verdict == "correct":
            return verdict
        if verdict.verdict == "wrong":
            verdicts.append(verdict)
    return verdicts[0] if verdicts else None


def _no_network(source: Source, record: Record, places: list[Place]) -> Verdict:
    found = shapes_that_do_not_fit(record, places, source) or zeros_only(record, places)
    if found is not None:
        return structural(source, None, found)
    return trouble(record)


def _layouts(text: str) -> list[str]:
    """Layouts of the data, likeliest first."""
    if "softmax" in text.lower():
        return ["labels", "one-hot", "columns one-hot"]
    return ["column", "columns column", "flat"]


def trouble_with_syntax(error: Exception) -> Verdict:
    """What Python cannot read."""
    line = getattr(error, "lineno", None)
    where = f"line {line}: " if line else ""
    message = getattr(error, "msg", None) or str(error)
    return Verdict(
        "unchecked",
        f"Python cannot read the file: {where}{message}. Nothing can be checked before that is "
        "mended.",
        cause="syntax_error",
        line=line,
    )

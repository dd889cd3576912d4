"""Model files: the network, what stands in front of it, and how it was trained."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from chainrule.checks import shown
from chainrule.cli.inspect_checkpoint import tell_checkpoint
from chainrule.cli.inspect_findings import Findings, Rows, number
from chainrule.cli.inspect_network import tell_network
from chainrule.data.columns import counted, listed
from chainrule.data.preprocessing import Preprocessing
from chainrule.data.target import ClassTarget
from chainrule.errors import UnreadableFile
from chainrule.saving.model_file import Content, naming, network_of, open_model

_MOST_CLASSES = 20


def inspect_model(path: Path) -> Findings:
    """Read a model file or a checkpoint.

    Raises
    ------
    UnreadableFile
    """
    content = open_model(path)
    findings = Findings("model", "a model of chainrule")
    with naming(path):
        extra = content.described["extra"]
        tell_network(content, findings)
        _tell_whether_it_loads(content, findings)
        training = content.described.get("training")
        if training is not None:
            findings.facts["training"] = training
            findings.sentences.append(
                f"Training can go on: epoch {training['epoch']}, step {training['step']}; what the "
                "optimizer remembers is kept."
            )
        if "table" in extra:
            _tell_table(Preprocessing.from_dict(extra["table"]), findings)
        if "images" in extra:
            _tell_images(extra["images"], findings)
        if isinstance(extra.get("training"), dict):
            _tell_record(extra["training"], findings)
        others = {name: value for name, value in extra.items() if name not in _TOLD}
        if others:
            findings.facts["extra"] = others
            findings.sentences.append(f"Kept beside it: {', '.join(map(shown, others))}.")
        if "checkpoint" in content.described:
            tell_checkpoint(content, findings)
    return findings


def _tell_whether_it_loads(content: Content, findings: Findings) -> None:
    """A right checksum says that the file is as it was written, not that it can be a network."""
    try:
        network_of(content)
    except UnreadableFile as error:
        findings.facts |= {"loads": False, "reason": str(error)}
        findings.sentences.append(f"It cannot be loaded here: {error}")
    else:
        findings.facts["loads"] = True


_TOLD = ("table", "images", "training")


def _tell_table(preprocessing: Preprocessing, findings: Findings) -> None:
    target = preprocessing.target
    columns = [*preprocessing.columns, *preprocessing.left_out]
    rows = [[column.name, *column.describe()] for column in columns]
    findings.tables.append(Rows("Columns", ["column", "taken as", "particulars"], rows))
    told = "a number"
    if isinstance(target, ClassTarget):
        told = f"one of {_classes(target.classes)}"
    findings.sentences.append(f"Predicts {target.name}, {told}, from a table.")
    findings.facts["preprocessing"] = {"table": preprocessing.to_dict()}


def _tell_images(images: Any, findings: Findings) -> None:
    height, width = images["size"]
    colours = {1: "grey", 3: "coloured"}.get(images["channels"], f"{images['channels']}-channel")
    classes = tuple(map(str, images["classes"]))
    findings.sentences.append(
        f"Predicts one of {_classes(classes)} from {colours} images of {height} x {width}."
    )
    findings.facts["preprocessing"] = {"images": images}


def _tell_record(record: dict[str, Any], findings: Findings) -> None:
    """How ``chainrule train`` made it; what stands in the network itself is left out."""
    findings.facts["record"] = record
    plain = {name: value for name, value in record.items() if not isinstance(value, dict | list)}
    rows = [[name.replace("_", " "), number(value)] for name, value in plain.items()]
    scores = record.get("scores")
    for name, value in scores.items() if isinstance(scores, dict) else ():
        rows.append([f"score: {name}", number(value)])
    findings.tables.append(Rows("How it was trained", ["", ""], rows))


def _classes(classes: tuple[str, ...]) -> str:
    return f"{counted(len(classes), 'class', 'classes')} ({listed(classes, _MOST_CLASSES)})"

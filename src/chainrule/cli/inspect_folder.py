"""Folders of checkpoints: which there are, and all of the latest."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from chainrule.cli.inspect_checkpoint import history
from chainrule.cli.inspect_findings import Findings, Rows, finite, number
from chainrule.cli.inspect_model import inspect_model
from chainrule.data.columns import counted
from chainrule.errors import UnreadableFile
from chainrule.saving.checkpoint import checkpoints
from chainrule.saving.model_file import naming, open_model

_MOST = 20  # of the latest


def inspect_folder(folder: Path) -> Findings:
    """Read the checkpoints in a folder.

    Raises
    ------
    UnreadableFile
        When there are none, or the latest is damaged.
    """
    found = checkpoints(folder)
    if not found:
        raise UnreadableFile(
            f"{folder} is a folder without checkpoints (step-....safetensors); expected a file, or "
            "a folder that chainrule.Checkpoint has written to."
        )
    best = folder / "best.safetensors"
    listed = [_listed(path) for path in [*found[-_MOST:], *([best] if best.exists() else [])]]
    findings = inspect_model(found[-1])
    findings.kind, findings.called = "checkpoints", "a folder of checkpoints of one training"
    findings.facts = {
        "count": len(found),
        "checkpoints": listed,
        "latest": {"file": found[-1].name, **findings.facts},
    }
    findings.sentences = [
        f"{counted(len(found), 'checkpoint')}. What follows is the latest, {found[-1].name}.",
        *findings.sentences,
    ]
    header = ["file", "epochs", "step", "loss", "validation loss"]
    rows = [[number(one[name.replace(" ", "_")]) for name in header] for one in listed]
    for row, one in zip(rows, listed, strict=True):
        row[0] = f"{one['file']}{' (damaged)' if one['damaged'] else ''}"
    shown = [[cell.replace("None", "") for cell in row] for row in rows]
    findings.tables.insert(0, Rows("Checkpoints", header, shown, (1, 2, 3, 4)))
    return findings


def _listed(path: Path) -> dict[str, Any]:
    """One line about a checkpoint, which may be damaged."""
    line: dict[str, Any] = {"file": path.name, "damaged": False}
    line |= dict.fromkeys(("epochs", "step", "loss", "validation_loss"))
    try:
        content = open_model(path)
        with naming(path):
            columns = history(content)
            line["step"] = content.described["training"]["step"]
            line["epochs"] = max(map(len, columns.values()), default=0)
            for name in ("loss", "validation_loss"):
                line[name] = finite(columns[name][-1]) if columns.get(name) else None
    except UnreadableFile:
        line["damaged"] = True
    return line

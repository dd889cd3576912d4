"""Checkpoints: where a training stands, and how it went."""

from __future__ import annotations

from typing import Any

from chainrule.cli.inspect_findings import Findings, Rows, finite, number
from chainrule.cli.inspect_network import told
from chainrule.data.columns import counted
from chainrule.saving.model_file import Content
from chainrule.saving.model_file_training import TRAINING

_LAST = 5  # epochs to show


def tell_checkpoint(content: Content, findings: Findings) -> None:
    """Add position, plan, callbacks, the best epoch, and the last lines of the history."""
    checkpoint, training = content.described["checkpoint"], content.described["training"]
    plan, keeper = checkpoint["plan"], checkpoint["keeper"]
    columns = history(content)
    done = max((len(values) for values in columns.values()), default=0)
    best = keeper["best_epoch"] or None
    findings.kind, findings.called = "checkpoint", "a checkpoint of chainrule"
    findings.facts["checkpoint"] = {
        "epochs_done": done,
        "epochs_planned": plan["epochs"],
        "step": training["step"],
        "batches_of_next_epoch_done": checkpoint["begun"]["batches"],
        "batch_size": plan["batch_size"],
        "shuffle": plan["shuffle"],
        "augment": [told(one) for one in plan["augment"]],
        "metrics": [told(one) for one in plan["metrics"]],
        "callbacks": [
            {"class": one["class"], "settings": one["settings"]} for one in checkpoint["callbacks"]
        ],
        "schedule_remembers": training["schedule"],
        "best_epoch": best,
        "best_value": keeper["best_value"] if best else None,
        "stopped_because": checkpoint["stopped_because"],
        "seconds": finite(checkpoint["seconds"]),
        "settings": checkpoint["settings"],
        "history": {name: [finite(v) for v in values] for name, values in columns.items()},
    }
    batches = checkpoint["begun"]["batches"]
    under_way = f", and {counted(batches, 'batch', 'batches')} of the next" if batches else ""
    findings.sentences.append(
        f"Stands after {done} of {plan['epochs']} epochs{under_way}; "
        f"{number(checkpoint['seconds'])} seconds of training so far."
    )
    if checkpoint["stopped_because"]:
        findings.sentences.append(f"Training had ended: {checkpoint['stopped_because']}.")
    if best:
        findings.sentences.append(
            f"Best epoch: {best}, with {number(keeper['best_value'])} (best.safetensors)."
        )
    callbacks = ", ".join(str(one["class"]) for one in checkpoint["callbacks"])
    if callbacks:
        findings.sentences.append(f"Callbacks: {callbacks}.")
    if done:
        findings.tables.append(_last_epochs(columns, done))


def history(content: Content) -> dict[str, list[Any]]:
    """Columns of the history, a value for each epoch; those with tables as values are left out."""
    found = {}
    for name, rows in content.described["checkpoint"]["epochs"].items():
        if rows is not None:
            found[name] = [value for value in rows if not isinstance(value, list | dict)]
        else:
            array = content.arrays[f"{TRAINING}epochs {name}"]
            found[name] = array.tolist() if array.ndim == 1 else []
    return {name: values for name, values in found.items() if values}


def _last_epochs(columns: dict[str, list[Any]], done: int) -> Rows:
    whole = {name: values for name, values in columns.items() if len(values) == done}
    rows = [
        [str(epoch + 1), *(number(values[epoch]) for values in whole.values())]
        for epoch in range(max(0, done - _LAST), done)
    ]
    header = ["epoch", *(name.replace("_", " ") for name in whole)]
    return Rows("Last epochs", header, rows, tuple(range(len(header))))

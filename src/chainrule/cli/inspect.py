"""``chainrule inspect``: what is in a file, without running anything of it."""

from __future__ import annotations

import json as json_format
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer

from chainrule.cli.inspect_findings import Findings
from chainrule.cli.inspect_folder import inspect_folder
from chainrule.cli.inspect_model import inspect_model
from chainrule.cli.inspect_onnx import inspect_onnx
from chainrule.cli.inspect_python import inspect_python
from chainrule.cli.inspect_weights import inspect_weights
from chainrule.cli.terminal import console
from chainrule.data.columns import counted
from chainrule.errors import UnreadableFile
from chainrule.saving.weights.hdf5_file import SIGNATURE
from chainrule.saving.weights.keras_file import ZIP
from chainrule.saving.weights.safetensors_file import is_of_chainrule, looks_like_safetensors

_ONNX = b"\x08"  # the field ir_version, with which exporters begin


def inspect(
    file: Annotated[
        Path,
        typer.Argument(
            metavar="FILE",
            help="A model, a checkpoint or a folder of them; .onnx; .keras or .h5 of Keras; "
            ".safetensors of PyTorch; a module that chainrule eject wrote.",
        ),
    ],
    json: Annotated[bool, typer.Option("--json", help="Print one object of JSON.")] = False,
) -> None:
    """Show what is in a file: layers, shapes, counts, training. Nothing of it is run."""
    findings = look_into(file)
    size = None if file.is_dir() else file.stat().st_size
    if json:
        facts = {"file": str(file), "kind": findings.kind, "bytes": size, **findings.facts}
        print(json_format.dumps(facts, ensure_ascii=False, allow_nan=False))
        return
    out = console()
    bytes_told = "" if size is None else f", {counted(size, 'byte')}"
    out.print(f"{file}: {findings.called}{bytes_told}", style="bold", soft_wrap=True)
    findings.print(out)


def look_into(path: Path) -> Findings:
    """Find out of which kind a file is, by its content, and read it.

    Raises
    ------
    UnreadableFile
        Also for files of unknown kinds.
    """
    if not path.exists():
        raise UnreadableFile(f"There is no file {path}.")
    if path.is_dir():
        return inspect_folder(path)
    return _reader(path)(path)


def _reader(path: Path) -> Callable[[Path], Findings]:
    if not path.is_file():
        raise UnreadableFile(f"{path} is no regular file; expected a file with a network in it.")
    try:
        with path.open("rb") as file:
            start = file.read(64)
    except OSError as error:
        raise UnreadableFile(f"{path} cannot be read: {error.strerror or error}.") from error
    ending = path.suffix.lower()
    if start.startswith((ZIP, SIGNATURE)):
        return inspect_weights
    if looks_like_safetensors(start, path.stat().st_size):
        return inspect_model if is_of_chainrule(path) else inspect_weights
    if ending == ".safetensors":
        return inspect_model  # which says how it is damaged
    if ending == ".onnx" or start.startswith(_ONNX):
        return inspect_onnx
    if ending == ".py":
        return inspect_python
    return inspect_weights  # which says what it is not

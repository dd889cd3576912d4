"""Fuzzing guided by coverage, with atheris, where that is installed: run by hand, no test.

    python tests/saving/fuzz_files.py KIND FOLDER -max_total_time=600

KIND is ``model`` (any bytes as a model file, whose checksum is not compared), ``description`` (any
text as the JSON inside one, with a right checksum) or ``onnx``. FOLDER, which need not be there,
keeps what was found to reach new lines; the next run goes on from it. Whatever is loaded or refused
by ``UnreadableFile`` is right; everything else ends the run and leaves its input in a file. The
figures stand in docs/reliability.md.
"""

from __future__ import annotations

import contextlib
import sys
import tempfile
from pathlib import Path

import atheris
import numpy as np

with atheris.instrument_imports(include=["chainrule"]):
    import chainrule as cr
    from chainrule import saving
    from chainrule.errors import InvalidSetting, UnreadableFile
    from chainrule.saving import model_file_container
    from chainrule.saving.onnx import load

FILES = Path(__file__).parent / "files"
PLACE = Path(tempfile.mkdtemp()) / "file"

NETWORKS = [
    cr.NeuralNetwork(cr.Dense(2, "relu"), cr.Dense(1), inputs=2),
    cr.NeuralNetwork(
        *(cr.Conv2D(2, 2, "gelu"), cr.MaxPool2D(2), cr.BatchNorm(), cr.Flatten(), cr.Dense(2)),
        inputs=(5, 5, 1), loss="softmax_cross_entropy",
    ),
    cr.NeuralNetwork(
        *(cr.Residual(cr.Dense(3, cr.PReLU()), cr.LayerNorm()), cr.RMSNorm(), cr.GroupNorm(1)),
        cr.Dense(1), inputs=3, loss="sigmoid_cross_entropy",
    ),
    cr.NeuralNetwork(
        *(cr.ConvTranspose2D(2, 2), cr.UpSample(2), cr.ZeroPad(1), cr.AveragePool2D(2)),
        *(cr.GlobalAveragePool(), cr.Dense(2, "log_softmax")),
        inputs=(3, 3, 1), loss="negative_log_likelihood",
    ),
]  # fmt: skip


def load_model(data: bytes) -> None:
    """Any bytes as a model file."""
    PLACE.write_bytes(data)
    saving.load(PLACE)


def load_description(data: bytes) -> None:
    """Any text as what a model file says."""
    with contextlib.suppress(InvalidSetting, UnicodeDecodeError):
        content = b"".join(model_file_container.pieces(data.decode(), ARRAYS))
        load_model(content)


def load_onnx(data: bytes) -> None:
    """Any bytes as an ONNX file."""
    PLACE.write_bytes(data)
    load.from_onnx(PLACE)


def write_seeds(kind: str, folder: Path) -> None:
    """Begin with files that are right."""
    models = sorted(FILES.glob("*.safetensors"))
    for number, network in enumerate(NETWORKS):
        if kind == "onnx":
            saving.to_onnx(network, folder / f"seed-{number}")
        else:
            models.append(saving.save(network, PLACE.with_name(f"seed-{number}")))
    for path in [] if kind == "onnx" else models:
        content = path.read_bytes()
        if kind == "description":
            content = model_file_container.read(path).text.encode()
        (folder / path.name).write_bytes(content)


ARRAYS = model_file_container.read(FILES / "format-2-dense.safetensors").arrays
KINDS = {"model": load_model, "description": load_description, "onnx": load_onnx}

if __name__ == "__main__":
    _, chosen, place, *options = sys.argv
    Path(place).mkdir(exist_ok=True)
    write_seeds(chosen, Path(place))
    np.seterr(all="ignore")
    if chosen == "model":  # what is changed at random would never get past it
        model_file_container._check_digest = lambda *_: None

    def try_one(data: bytes) -> None:
        with contextlib.suppress(UnreadableFile):
            KINDS[chosen](data)

    atheris.Setup([sys.argv[0], *options, place], try_one)
    atheris.Fuzz()

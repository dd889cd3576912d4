"""Opening a file with weights, of whichever kind it is by its content."""

from __future__ import annotations

from pathlib import Path

from chainrule.errors import UnreadableFile
from chainrule.saving.content import read_content
from chainrule.saving.weights.hdf5_file import SIGNATURE, read_hdf5
from chainrule.saving.weights.keras_file import ZIP, read_keras
from chainrule.saving.weights.safetensors_file import looks_like_safetensors, read_safetensors
from chainrule.saving.weights.tensors import TensorFile

_PICKLE = b"\x80"
_MOST_BYTES = 16 * 2**30


def open_weights(path: Path) -> TensorFile:
    """Read a file and list its arrays.

    Raises
    ------
    UnreadableFile
        Without the path.
    MissingPackage
        When it is one of Keras and h5py is not installed.
    """
    content = read_content(path, _MOST_BYTES)
    if content.startswith(ZIP):
        return read_keras(content)
    if content.startswith(SIGNATURE):
        return read_hdf5(content)
    if looks_like_safetensors(content, len(content)):
        return read_safetensors(content)
    if content.startswith(_PICKLE):
        raise UnreadableFile(
            "it is a pickle, which is never opened here, because it can run code. Where it was "
            "made, write the weights as safetensors: safetensors.torch.save_file("
            "model.state_dict(), path)."
        )
    raise UnreadableFile(
        "it holds no weights that are known here, or it is damaged; expected a .keras or "
        ".weights.h5 file of Keras, or a state dict of PyTorch as safetensors."
    )

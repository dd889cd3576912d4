"""Why each layer does what it does, in one line for each way."""

from __future__ import annotations

import re

from chainrule.layer import Layer
from chainrule.saving.eject.layout import WIDTH
from chainrule.saving.eject.source import Path, suffix

# By a layer's name: what it does on the way forward, and what its error goes through on the way
# back. Layers of someone's own are told by their names alone.
_WORDS = {
    "dense": (
        "every unit weighs all inputs and adds its bias",
        "a weight's gradient is its input times the error of its unit",
    ),
    "conv2_d": (
        "the same small kernels look at every window",
        "a weight was used in every window, so its gradient sums over all",
    ),
    "conv1_d": (
        "the same small kernels look at every window",
        "a weight was used in every window, so its gradient sums over all",
    ),
    "conv_transpose2_d": (
        "every pixel paints the kernels, times its own value, onto a larger image",
        "the error goes back the way that a convolution goes forward",
    ),
    "max_pool2_d": (
        "only the largest number of each window goes on",
        "the others changed nothing, so the largest gets all of the error",
    ),
    "max_pool1_d": (
        "only the largest number of each window goes on",
        "the others changed nothing, so the largest gets all of the error",
    ),
    "average_pool2_d": (
        "the average of each window goes on",
        "all numbers of a window share its error alike",
    ),
    "average_pool1_d": (
        "the average of each window goes on",
        "all numbers of a window share its error alike",
    ),
    "global_average_pool": (
        "how much there is of each channel in the whole image",
        "all positions share the error alike",
    ),
    "global_max_pool": (
        "whether each channel is anywhere in the image",
        "the largest number gets all of the error",
    ),
    "flatten": ("each sample becomes one row of numbers", "rows become what they were"),
    "reshape": ("the same numbers in another shape", "and back"),
    "zero_pad": ("a border of zeros around each image", "nothing in the border can change"),
    "up_sample": ("each pixel becomes a block", "a pixel gets the errors of its whole block"),
    "batch_norm": (
        "each channel gets mean 0 and deviation 1 over the batch",
        "each x also moved mean and deviation, hence the corrections",
    ),
    "layer_norm": (
        "the numbers of each sample get mean 0 and deviation 1",
        "each x also moved mean and deviation, hence the corrections",
    ),
    "group_norm": (
        "each group of channels gets mean 0 and deviation 1",
        "each x also moved mean and deviation, hence the corrections",
    ),
    "rmsnorm": (
        "the numbers of each sample get mean square 1",
        "each x also moved the mean square, hence the correction",
    ),
    "dropout": (
        "in training some numbers are left out, so that no unit relies on another",
        "what was left out had no part in the error",
    ),
    "spatial_dropout": (
        "in training whole channels are left out, so that none relies on another",
        "what was left out had no part in the error",
    ),
    "residual": (
        "layers that learn only what to add to their inputs",
        "the error comes back on both ways",
    ),
}


def comment(layer: Layer, path: Path, *, is_back: bool = False) -> str:
    """Say in a comment which layer follows, and why it does what it does."""
    place = f"# Layer {suffix(path).replace('_', '.')}"
    title = re.sub(r"(\d)_d$", r" \1D", layer.name).replace("_", " ")
    if layer.name not in _WORDS:
        return f"{place}, {title}"
    words = _WORDS[layer.name][is_back]
    text = f"{place}, {title}: {words}"
    return text if len(text) <= WIDTH - 8 else f"{place}: {words}"

"""PyTorch's state dicts: names such as ``"features.0.weight"``, weights (outputs, inputs)."""

from __future__ import annotations

import re
from collections.abc import Sequence

from chainrule.activations import PReLU
from chainrule.errors import UnreadableFile
from chainrule.layers import (
    BatchNorm,
    Conv1D,
    Conv2D,
    ConvTranspose2D,
    Dense,
    GroupNorm,
    LayerNorm,
    RMSNorm,
)
from chainrule.saving.weights.groups import Framework, Group, Source
from chainrule.saving.weights.tensors import Tensor

_KERNEL = (2, 3, 1, 0)  # (filters, channels, height, width) -> (height, width, channels, filters)
_NORM = {"scale": Source("weight", default=1.0), "shift": Source("bias", default=0.0)}

PYTORCH = Framework(
    "PyTorch",
    {
        Dense: {"weights": Source("weight", (1, 0)), "bias": Source("bias", of_inputs=False)},
        Conv2D: {"weights": Source("weight", _KERNEL), "bias": Source("bias")},
        Conv1D: {"weights": Source("weight", (2, 1, 0)), "bias": Source("bias")},
        ConvTranspose2D: {"weights": Source("weight", _KERNEL), "bias": Source("bias")},
        BatchNorm: {
            **_NORM,
            "running_mean": Source("running_mean"),
            "running_variance": Source("running_var"),
        },
        LayerNorm: _NORM,
        GroupNorm: _NORM,
        RMSNorm: {"scale": Source("weight", default=1.0)},
        PReLU: {"slope": Source("weight", spreads=True)},
    },
    channels_first=True,
)

_KNOWN = {"weight", "bias", "running_mean", "running_var"}
# How many batches a BatchNorm has seen: PyTorch needs it only where momentum=None, and then as the
# count of a plain average, which the BatchNorm here does not keep.
_NOT_NEEDED = "num_batches_tracked"


def pytorch_groups(tensors: Sequence[Tensor]) -> list[Group]:
    """Gather the arrays by modules, and order these by the numbers in their names.

    safetensors sorts names as text, which puts layer 10 before layer 2. Names that differ by
    their numbers alone are a chain; which chain comes first is not known.

    Raises
    ------
    UnreadableFile
        For arrays of modules that no layer here is like.
    """
    modules: dict[str, dict[str, Tensor]] = {}
    for tensor in tensors:
        module, _, name = tensor.name.rpartition(".")
        if name == _NOT_NEEDED:
            continue
        if name not in _KNOWN or "embed" in module.rpartition(".")[2].lower():
            raise UnreadableFile(
                f"it holds {tensor.name!r} {tensor.shape}, which is of a kind of module that no "
                "layer here is like. Known are Linear, Conv1d, Conv2d, ConvTranspose2d, BatchNorm, "
                "LayerNorm, GroupNorm, RMSNorm and PReLU, without parametrizations."
            )
        modules.setdefault(module, {})[name] = tensor
    in_order = sorted(modules, key=_numbers)
    return [Group(name, _sorted(modules[name]), (_pattern(name),)) for name in in_order]


def _sorted(tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    """Weights first, as one reads them."""
    order = ("weight", "bias", "running_mean", "running_var")
    return {name: tensors[name] for name in order if name in tensors}


def _pattern(name: str) -> str:
    return re.sub(r"\d+", "#", name)


def _numbers(name: str) -> tuple[list[int], str]:
    return [int(digits[:18]) for digits in re.findall(r"\d+", name)], name

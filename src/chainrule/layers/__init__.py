"""The layers, one idea per file. ``chainrule.layer`` says what a layer is: read that first."""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from chainrule.layers.batch_normalization import BatchNorm
    from chainrule.layers.convolution import Conv1D, Conv2D
    from chainrule.layers.dense import Dense
    from chainrule.layers.dropout import Dropout, SpatialDropout
    from chainrule.layers.feature_normalization import GroupNorm, LayerNorm, RMSNorm
    from chainrule.layers.global_pooling import GlobalAveragePool, GlobalMaxPool
    from chainrule.layers.pooling import AveragePool1D, AveragePool2D, MaxPool1D, MaxPool2D
    from chainrule.layers.residual import Residual
    from chainrule.layers.shape import Flatten, Reshape, UpSample, ZeroPad
    from chainrule.layers.transposed import ConvTranspose2D

__all__ = [
    "AveragePool1D",
    "AveragePool2D",
    "BatchNorm",
    "Conv1D",
    "Conv2D",
    "ConvTranspose2D",
    "Dense",
    "Dropout",
    "Flatten",
    "GlobalAveragePool",
    "GlobalMaxPool",
    "GroupNorm",
    "LayerNorm",
    "MaxPool1D",
    "MaxPool2D",
    "RMSNorm",
    "Reshape",
    "Residual",
    "SpatialDropout",
    "UpSample",
    "ZeroPad",
]

# A network of dense layers needs none of the others, so a file loads on use. (No file may be called
# like one of these names: once loaded, it would stand in its place.)
_FILES = {
    "AveragePool1D": "pooling",
    "AveragePool2D": "pooling",
    "BatchNorm": "batch_normalization",
    "Conv1D": "convolution",
    "Conv2D": "convolution",
    "ConvTranspose2D": "transposed",
    "Dense": "dense",
    "Dropout": "dropout",
    "Flatten": "shape",
    "GlobalAveragePool": "global_pooling",
    "GlobalMaxPool": "global_pooling",
    "GroupNorm": "feature_normalization",
    "LayerNorm": "feature_normalization",
    "MaxPool1D": "pooling",
    "MaxPool2D": "pooling",
    "RMSNorm": "feature_normalization",
    "Reshape": "shape",
    "Residual": "residual",
    "SpatialDropout": "dropout",
    "UpSample": "shape",
    "ZeroPad": "shape",
}


def load_all() -> None:
    """Import every layer, so that all are known by name."""
    for file in _FILES.values():
        importlib.import_module(f"chainrule.layers.{file}")


def __getattr__(name: str) -> Any:
    if name in _FILES:
        return getattr(importlib.import_module(f"chainrule.layers.{_FILES[name]}"), name)
    raise AttributeError(f"chainrule.layers has no {name!r}; it has {', '.join(__all__)}.")


def __dir__() -> list[str]:
    return __all__

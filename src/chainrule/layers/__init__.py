"""The layers, one idea per file. ``chainrule.layer`` says what a layer is: read that first."""

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

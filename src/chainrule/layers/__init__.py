"""The layers, one idea per file. ``chainrule.layer`` says what a layer is: read that first."""

from chainrule.layers.convolution import Conv1D, Conv2D
from chainrule.layers.dense import Dense
from chainrule.layers.dropout import Dropout, SpatialDropout
from chainrule.layers.residual import Residual
from chainrule.layers.shape import Flatten, Reshape, UpSample, ZeroPad
from chainrule.layers.transposed import ConvTranspose2D

__all__ = [
    "Conv1D",
    "Conv2D",
    "ConvTranspose2D",
    "Dense",
    "Dropout",
    "Flatten",
    "Reshape",
    "Residual",
    "SpatialDropout",
    "UpSample",
    "ZeroPad",
]

"""The layers, one idea per file. ``chainrule.layer`` says what a layer is: read that first."""

from chainrule.layers.dense import Dense
from chainrule.layers.dropout import Dropout, SpatialDropout
from chainrule.layers.residual import Residual
from chainrule.layers.shape import Flatten, Reshape, UpSample, ZeroPad

__all__ = [
    "Dense",
    "Dropout",
    "Flatten",
    "Reshape",
    "Residual",
    "SpatialDropout",
    "UpSample",
    "ZeroPad",
]

"""The layers, one idea per file. ``chainrule.layer`` says what a layer is: read that first."""

from chainrule.layers.dense import Dense

__all__ = ["Dense"]

"""Reading a picture back, and networks to draw."""

from __future__ import annotations

from typing import Any

from matplotlib.axes import Axes

import chainrule as cr


def written(axes: Axes) -> list[str]:
    """Return the words and numbers in the picture itself."""
    return [text.get_text() for text in axes.texts]


def legend_of(axes: Axes) -> list[str]:
    """Return the lines of the legend, none without one."""
    legend = axes.get_legend()
    return [] if legend is None else [text.get_text() for text in legend.get_texts()]


def network(*layers: cr.Layer, inputs: Any = 2, **settings: Any) -> cr.NeuralNetwork:
    """Build a network at once, for two inputs where nothing else is said."""
    return cr.NeuralNetwork(*layers, inputs=inputs, dtype="float64", **settings)

"""Small networks and data that tests of explanations share."""

from __future__ import annotations

from typing import Any

import numpy as np

import chainrule as cr

X = np.random.default_rng(0).normal(size=(4, 3))
Y = np.random.default_rng(1).normal(size=(4, 2))


def network(*layers: cr.Layer, **settings: Any) -> cr.NeuralNetwork:
    """Build a network of three inputs in float64; without layers, of two dense ones."""
    layers = layers or (cr.Dense(4, activation="tanh"), cr.Dense(2))
    return cr.NeuralNetwork(*layers, **{"inputs": 3, "dtype": "float64", **settings})

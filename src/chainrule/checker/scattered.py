"""Weights that stand apart: w1, w2, ... in variables of their own become the matrix they are.

A neuron is found in the text of the program, as a sum of products ``w1 * x[0] + w2 * x[1] + b1``
in which each product has one factor that is a parameter. Neurons with the same inputs are a layer.
"""

from __future__ import annotations

import ast
from collections.abc import Callable
from dataclasses import dataclass

from chainrule.checker.instrument import Place
from chainrule.checker.paths import Path


@dataclass(frozen=True)
class Scattered:
    """One layer's parameters, as they lie in single variables.

    Attributes
    ----------
    weights : tuple of tuple
        For each neuron the paths of its weights, in the order of its inputs.
    biases : tuple
        The path of each neuron's bias; empty where they have none.
    """

    weights: tuple[tuple[Path, ...], ...]
    biases: tuple[Path, ...]

    @property
    def name(self) -> Path:
        """A path that stands for the matrix: ("w1 w2 | w3 w4",)."""
        return (" | ".join(" ".join(map(_last, row)) for row in self.weights),)

    @property
    def bias_name(self) -> Path:
        """A path that stands for all biases."""
        return (" ".join(map(_last, self.biases)),)


def scattered(places: list[Place], path_of: Callable[[ast.expr], Path | None]) -> list[Scattered]:
    """Find the layers of neurons that are written out.

    Parameters
    ----------
    places : list of Place
    path_of : callable
        The path of a parameter that an expression names, None for anything else.
    """
    layers: dict[tuple[str, ...], dict[tuple[Path, ...], Path | None]] = {}
    for place in places:
        if place.kind != "BinOp" or _is_part_of_a_sum(place):
            continue
        neuron = _neuron(place.node, path_of)
        if neuron is not None:
            inputs, weights, bias = neuron
            layers.setdefault(inputs, {}).setdefault(weights, bias)
    found: dict[Path, Scattered] = {}
    for neurons in layers.values():
        biases = tuple(bias for bias in neurons.values() if bias is not None)
        layer = Scattered(tuple(neurons), biases if len(biases) == len(neurons) else ())
        found.setdefault(layer.name, layer)
    return list(found.values())


def _is_part_of_a_sum(place: Place) -> bool:
    parent = place.parent
    return isinstance(parent, ast.BinOp) and isinstance(parent.op, ast.Add)


def _neuron(
    node: ast.AST, path_of: Callable[[ast.expr], Path | None]
) -> tuple[tuple[str, ...], tuple[Path, ...], Path | None] | None:
    inputs: list[str] = []
    weights: list[Path] = []
    bias: Path | None = None
    for term in _terms(node):
        if isinstance(term, ast.BinOp) and isinstance(term.op, ast.Mult):
            factors = [(term.left, term.right), (term.right, term.left)]
            pair = next(((w, x) for w, x in factors if path_of(w) and not path_of(x)), None)
            if pair is None:
                return None
            path = path_of(pair[0])
            assert path is not None  # noqa: S101 - asked for above
            weights.append(path)
            inputs.append(ast.unparse(pair[1]))
        elif bias is None and path_of(term):
            bias = path_of(term)
        else:
            return None
    if len(weights) < 1 or len(weights) + (bias is not None) < 2:
        return None
    return tuple(inputs), tuple(weights), bias


def _terms(node: ast.AST) -> list[ast.expr]:
    """The terms of a sum."""
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        return [*_terms(node.left), *_terms(node.right)]
    assert isinstance(node, ast.expr)  # noqa: S101 - a part of an expression
    return [node]


def _last(path: Path) -> str:
    return str(path[-1]).lstrip(".")

"""A network as it was found in a record, and its forward pass from the learner's own numbers."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from chainrule.checker.evidence import Evidence
from chainrule.checker.functions import KNOWN
from chainrule.checker.paths import Path
from chainrule.layer import Array

WINDOW = 6000  # events from a layer's input to its output


@dataclass(frozen=True)
class FoundLayer:
    """One layer of a learner's network, in the notation z = h W + b, a = f(z).

    Attributes
    ----------
    weights : tuple
        The path of W.
    turned : bool
        Whether the learner keeps W as (outputs, inputs).
    bias : tuple or None
        The path of b.
    bias_row : str
        Where b stands within W: "first" or "last", or "" where it does not.
    activations : frozenset of str
        The known activations that computed what was seen; more than one where they agree.
    reads : str
        What of the layer before it takes: its "a", or, by mistake, its "z".
    subtracts : bool
        Whether the learner keeps thresholds, -b, and subtracts them.
    """

    weights: Path
    turned: bool
    bias: Path | None
    bias_row: str
    activations: frozenset[str]
    reads: str = "a"
    subtracts: bool = False

    @property
    def activation(self) -> str:
        """The activation; of several that agree, the likeliest."""
        for name in ("sigmoid", "tanh", "relu", "softmax"):
            if name in self.activations:
                return name
        return min(self.activations)


@dataclass(frozen=True)
class Network:
    """The layers, and the place at which the inputs of the first one are read."""

    layers: tuple[FoundLayer, ...]
    columns: bool  # samples stand in columns
    place: int


@dataclass
class Pass:
    """One forward pass with the learner's own numbers.

    ``h[l]`` (batch, inputs) is what layer l reads, ``weights[l]`` (inputs, outputs), ``z[l]`` and
    ``a[l]`` (batch, outputs).
    """

    event: int
    h: list[Array] = field(default_factory=list)
    weights: list[Array] = field(default_factory=list)
    biases: list[Array | None] = field(default_factory=list)
    z: list[Array] = field(default_factory=list)
    a: list[Array] = field(default_factory=list)

    @property
    def output(self) -> Array:
        """ŷ (batch, outputs)."""
        return self.a[-1]

    def rows(self) -> int:
        """Samples in the batch."""
        return len(self.h[0])


def canonical(layer: FoundLayer, arrays: dict[Path, Array]) -> Array:
    """Return a layer's W as (inputs, outputs)."""
    array = arrays[layer.weights]
    if array.ndim == 1:
        return array[None, :] if layer.turned else array[:, None]
    return array.T if layer.turned else array


def split(layer: FoundLayer, arrays: dict[Path, Array]) -> tuple[Array, Array | None]:
    """Return a layer's W (inputs, outputs) and b (1, outputs), also where b is a row of W."""
    weights = canonical(layer, arrays)
    if layer.bias_row == "first":
        return weights[1:], weights[:1]
    if layer.bias_row == "last":
        return weights[:-1], weights[-1:]
    if layer.bias is None:
        return weights, None
    bias = arrays[layer.bias].reshape(1, -1)
    return weights, -bias if layer.subtracts else bias


def _without_ones(layer: FoundLayer, arrays: dict[Path, Array], rows: Array) -> Array:
    """Inputs without the column of ones that a bias within W is multiplied by."""
    if not layer.bias_row or layer.weights not in arrays:
        return rows
    at = 0 if layer.bias_row == "first" else -1
    has_ones = rows.shape[1] == canonical(layer, arrays).shape[0] and (rows[:, at] == 1).all()
    return np.delete(rows, at, axis=1) if has_ones else rows


def forward(network: Network, arrays: dict[Path, Array], x: Array, event: int) -> Pass | None:
    """Compute the learner's forward pass from its own parameters; None where they do not fit."""
    done = Pass(event)
    rows = x[None, :] if x.ndim == 1 else (x.T if network.columns else x)
    rows = _without_ones(network.layers[0], arrays, rows)
    previous = {"a": rows, "z": rows}
    for layer in network.layers:
        if layer.weights not in arrays or (layer.bias is not None and layer.bias not in arrays):
            return None
        h = previous[layer.reads]
        weights, bias = split(layer, arrays)
        if h.shape[1] != weights.shape[0]:
            return None
        if bias is not None and bias.size not in (1, weights.shape[1]):
            return None
        z = h @ weights if bias is None else h @ weights + bias
        a = KNOWN[layer.activation].value(z)
        previous = {"a": a, "z": z}
        done.h.append(h)
        done.weights.append(weights)
        done.biases.append(bias)
        done.z.append(z)
        done.a.append(a)
    return done


def parameter_paths(network: Network) -> set[Path]:
    """Paths of all weights and biases."""
    paths = {layer.weights for layer in network.layers}
    return paths | {layer.bias for layer in network.layers if layer.bias is not None}


def passes(evidence: Evidence, network: Network, at_most: int = 200) -> list[Pass]:
    """All forward passes of the record, as far as they were really computed so."""
    found = []
    for event, (place, value) in enumerate(evidence.events):
        if place != network.place:
            continue
        x = evidence.values[value]
        if x.ndim not in (1, 2):
            continue
        done = forward(network, evidence.arrays(event), x, event)
        if done is None:
            continue
        end = event + WINDOW
        if all(evidence.has(z, event, end) for z in (*done.z, done.output)):
            found.append(done)
            if len(found) == at_most:
                break
    return found

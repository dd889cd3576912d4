"""Biases that are updated and not used, or whose updates come to nothing."""

from __future__ import annotations

import ast
from dataclasses import replace

import numpy as np

from chainrule.checker.comparing import same
from chainrule.checker.evidence import Evidence
from chainrule.checker.expressions import last_name
from chainrule.checker.forward import Network, parameter_paths
from chainrule.checker.functions import KNOWN
from chainrule.checker.judged import Judged
from chainrule.checker.other_findings import Structural, line_of
from chainrule.checker.paths import Path
from chainrule.checker.slips import Slip
from chainrule.layer import Array

_OFF = 0.05


def unused_bias(evidence: Evidence, network: Network, known: list[Judged]) -> Structural | None:
    """Find a variable that moves by -c Σ δ of a layer that has no bias."""
    for number, layer in enumerate(network.layers):
        if layer.bias is not None or layer.bias_row or _adds_something(evidence, known, number):
            continue
        paths = [_moving_like(evidence, network, judged, number) for judged in known[:2]]
        # One number is a multiple of any other, so it takes two steps; of momentum only the first
        # step is free.
        alone = known and known[0].batch.z[number].shape[1] == 1
        if paths and (set.intersection(*paths) if alone else set.union(*paths)):
            z = known[0].batch.z[number]
            line = line_of(evidence, z[-known[0].parts[-1].rows() :], known[0].parts[-1].event)
            return Structural("bias_missing", number, line)
    return None


def _adds_something(evidence: Evidence, known: list[Judged], number: int) -> bool:
    """Whether one number for each neuron is added to the weighted sum, whatever that is."""
    numbers = {id(place.node): place.number for place in evidence.places}
    for judged in known[:1]:
        part = judged.parts[-1]
        for sighting in evidence.find(part.z[number], part.event, judged.step.end):
            node, around = sighting.place.node, sighting.place.parent
            if not isinstance(around, ast.BinOp) or not isinstance(around.op, ast.Add):
                continue
            other = numbers.get(id(around.right if around.left is node else around.left))
            shapes = [
                evidence.values[value].shape
                for place, value in evidence.events[sighting.event : judged.step.end]
                if place == other
            ]
            if any(int(np.prod(shape)) == part.z[number].shape[1] for shape in shapes[:1]):
                return True
    return False


def needed_bias(evidence: Evidence, network: Network, known: list[Judged]) -> Structural | None:
    """Find a sample of zeros whose answer no weights can change, because there is no bias at all.

    Through tanh and ReLU a zero stays zero, so the output is f(0) for ever.
    """
    layers = network.layers
    if not known or any(layer.bias is not None or layer.bias_row for layer in layers):
        return None
    if any(_adds_something(evidence, known, number) for number in range(len(layers))):
        return None
    zero = np.zeros((1, 1))
    if any(KNOWN[layer.activation].value(zero).any() for layer in layers[:-1]):
        return None
    judged = known[0]
    stuck = ~judged.batch.h[0].any(axis=1)
    off = np.abs(judged.batch.output - judged.targets.y)[stuck]
    if not off.size or float(off.max()) < _OFF:
        return None
    z, part = judged.batch.z[0], judged.parts[-1]
    return Structural("bias_missing", 0, line_of(evidence, z[-part.rows() :], part.event))


def cancelled(evidence: Evidence, judged: Judged, slip: Slip) -> Slip:
    """Look again at a bias that never moved: is it updated with a sum that is always zero?

    The deltas of a softmax add up to zero over all outputs, so a bias gradient that is summed over
    both axes moves nothing.
    """
    bias = judged.network.layers[slip.layer].bias
    delta = judged.explanation.deltas[slip.layer].delta
    if slip.cause != "bias_never_updated" or bias is None:
        return slip
    if abs(float(delta.sum())) > 1e-9 * float(np.abs(delta).max()):
        return slip
    for number, _ in evidence.events[judged.parts[-1].event : judged.step.end]:
        place = evidence.places[number]
        parent = place.parent
        if isinstance(parent, ast.Assign | ast.AugAssign):
            targets = parent.targets if isinstance(parent, ast.Assign) else [parent.target]
            if any(last_name(target) == str(bias[-1]).lstrip(".") for target in targets):
                return replace(slip, cause="bias_gradient_axis", detail="bias")
    return slip


def _moving_like(evidence: Evidence, network: Network, judged: Judged, number: int) -> set[Path]:
    """Variables outside of the network whose change in a step is proportional to Σ δ."""
    before = evidence.arrays(judged.parts[-1].event)
    after = evidence.arrays(judged.step.end)
    gradient = judged.explanation.deltas[number].delta.sum(axis=0)
    updated = evidence.updated()
    return {
        path
        for path, array in after.items()
        if path not in parameter_paths(network)
        and path in updated
        and array.size == gradient.size
        and path in before
        and before[path].shape == array.shape
        and _is_step(array - before[path], gradient, abs(judged.explanation.scale))
    }


def _is_step(change: Array, gradient: Array, scale: float) -> bool:
    """Whether a variable takes the step that a bias would: the same rate as the weights'."""
    change = change.reshape(-1)
    if not gradient.any() or not change.any():
        return False
    ratio = float(change @ gradient) / float(gradient @ gradient)
    return bool(np.isclose(abs(ratio), scale, rtol=1e-5)) and same(change, ratio * gradient)

"""Biases that are updated and not used, or whose updates come to nothing."""

from __future__ import annotations

import ast
from dataclasses import replace

import numpy as np

from chainrule.checker.evidence import Evidence, Path, last_name, same
from chainrule.checker.forward import Network
from chainrule.checker.judged import Judged
from chainrule.checker.other_findings import Structural, line_of
from chainrule.checker.slips import Slip
from chainrule.checker.steps import parameter_paths
from chainrule.layer import Array


def unused_bias(evidence: Evidence, network: Network, known: list[Judged]) -> Structural | None:
    """Find a variable that moves by -c Σ δ of a layer that has no bias."""
    for number, layer in enumerate(network.layers):
        if layer.bias is not None or layer.bias_row:
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
        if isinstance(place.parent, ast.Assign | ast.AugAssign):
            targets = getattr(place.parent, "targets", None) or [place.parent.target]
            if any(last_name(target) == str(bias[-1]).lstrip(".") for target in targets):
                return replace(slip, cause="bias_gradient_axis", detail="bias")
    return slip


def _moving_like(evidence: Evidence, network: Network, judged: Judged, number: int) -> set[Path]:
    """Variables outside of the network whose change in a step is proportional to Σ δ."""
    before = evidence.arrays(judged.parts[-1].event)
    after = evidence.arrays(judged.step.end)
    gradient = judged.explanation.deltas[number].delta.sum(axis=0)
    return {
        path
        for path, array in after.items()
        if path not in parameter_paths(network)
        and array.size == gradient.size
        and path in before
        and before[path].shape == array.shape
        and _is_step(array - before[path], gradient, abs(judged.explanation.scale))
    }


def _is_step(change: Array, gradient: Array, scale: float) -> bool:
    change = change.reshape(-1)
    if not gradient.any() or not change.any():
        return False
    if gradient.size == 1:  # one number is a multiple of any other: the rate must agree
        return bool(np.isclose(abs(change[0]), scale * abs(gradient[0]), rtol=1e-6))
    ratio = float(change @ gradient) / float(gradient @ gradient)
    return ratio != 0 and same(change, ratio * gradient)

"""Momentum and regularisation: updates that remember the last one, or pull at the weights.

The update is then not -c g alone but -c g + m (the update before) + r W, with m between 0 and 1 and
r below zero where both are right. One least-squares fit over all parameters finds c, m and r.
"""

from __future__ import annotations

import numpy as np

from chainrule.checker.explain import Explanation, Fit
from chainrule.checker.forward import Network, Pass
from chainrule.checker.slips import Delta, Slip, deltas_before, last_deltas
from chainrule.checker.steps import Step
from chainrule.layer import Array

_TOLERANCE = 1e-6


def explain_with_memory(
    network: Network, step: Step, done: Pass, y: Array, previous: Step | None
) -> Explanation | None:
    """Fit the right gradients together with momentum and regularisation."""
    last = len(network.layers) - 1
    for output in last_deltas(network.layers[last], done, y):
        if output.slips:
            continue
        chain = _right_chain(network, step, done, output)
        if chain is None:
            continue
        for kinds in ("momentum", "decay", "both", "l1", "decay everywhere"):
            found = _fit(network, step, done, chain, previous, kinds)
            if found is not None:
                return found
    return None


def _right_chain(
    network: Network, step: Step, done: Pass, output: Delta
) -> tuple[Delta, ...] | None:
    chain: tuple[Delta, ...] = (output,)
    for number in range(len(network.layers) - 2, -1, -1):
        right = [
            delta
            for delta in deltas_before(network.layers, done, number, chain[0], step.weights)
            if not delta.slips
        ]
        if not right:
            return None
        chain = (right[0], *chain)
    return chain


def _fit(
    network: Network,
    step: Step,
    done: Pass,
    chain: tuple[Delta, ...],
    previous: Step | None,
    kinds: str,
) -> Explanation | None:
    columns: list[list[Array]] = [[], [], []]
    target: list[Array] = []
    needs_previous = kinds in ("momentum", "both")
    if needs_previous and previous is None:
        return None
    for number in range(len(network.layers)):
        h, delta = done.h[number], chain[number].delta
        parts = [(step.weight_changes()[number], h.T @ delta, done.weights[number], "weights")]
        bias, change = done.biases[number], step.bias_changes()[number]
        if bias is not None and change is not None:
            parts.append((change, delta.sum(axis=0).reshape(1, -1), bias, "bias"))
        for change_here, gradient, parameter, kind in parts:
            if change_here.size == 1 and gradient.size > 1:
                gradient = gradient.sum().reshape(1, 1)
            before = np.zeros_like(change_here)
            if needs_previous and previous is not None:
                befores = (
                    previous.weight_changes() if kind == "weights" else previous.bias_changes()
                )
                earlier = befores[number]
                before = before if earlier is None else earlier
            pull = np.zeros_like(change_here)
            if kind == "weights" or kinds == "decay everywhere":
                pull = np.sign(parameter) if kinds == "l1" else parameter
            target.append(change_here.reshape(-1))
            for column, values in zip(columns, (-gradient, before, pull), strict=True):
                column.append(values.reshape(-1))
    chosen = {"momentum": [0, 1], "both": [0, 1, 2]}.get(kinds, [0, 2])
    matrix = np.stack([np.concatenate(columns[i]) for i in chosen], axis=1)
    wanted = np.concatenate(target)
    if len(wanted) < 2 * len(chosen) + 2 or not np.isfinite(matrix).all():
        return None
    solution = np.linalg.lstsq(matrix, wanted, rcond=None)[0]
    off = float(np.abs(matrix @ solution - wanted).max())
    if off > _TOLERANCE * float(np.abs(wanted).max()):
        return None
    found: dict[int, float] = dict(zip(chosen, solution.tolist(), strict=True))
    before_last = tuple(previous.weight_changes()) if previous is not None else ()
    return _as_explanation(
        chain, found.get(0, 0.0), found.get(1, 0.0), found.get(2, 0.0), kinds, before_last
    )


def _as_explanation(
    chain: tuple[Delta, ...],
    scale: float,
    momentum: float,
    pull: float,
    kinds: str,
    before: tuple[Array, ...],
) -> Explanation | None:
    slips: list[Slip] = []
    said = []
    last = len(chain) - 1
    if scale == 0:
        return None
    if scale < 0:
        slips.append(Slip("sign_turned", last, detail="all"))
    if momentum:
        if abs(momentum - 1) < 1e-5:
            slips.append(Slip("gradients_not_reset", last))
        elif momentum < 0:
            slips.append(Slip("momentum_sign", last, detail=f"{-momentum:.3g}", follows=before))
        elif momentum > 1:
            return None
        said.append(f"momentum {momentum:.3g}")
    if pull:
        # r = -c λ for the penalty ½ λ w²: with the wrong sign weights are pushed away from zero.
        if pull / scale > 0:
            slips.append(Slip("regularisation_sign", last, detail=f"{pull / scale:.3g}"))
        said.append(f"{'L1' if kinds == 'l1' else 'L2'} penalty {abs(pull / scale):.3g}")
    gradients = tuple(
        Fit(number, "weights", scale, delta.delta, ()) for number, delta in enumerate(chain)
    )
    return Explanation(tuple(slips), chain[-1].loss, scale, chain, gradients, " and ".join(said))

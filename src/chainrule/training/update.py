"""Looking at one update of a training: the facts that ``Why`` tells."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from chainrule.engines.reference import NetworkTrace
from chainrule.layer import Array
from chainrule.training.rewinding import check_step, loop_at
from chainrule.training.units import watched_units
from chainrule.training.why import LayerUpdate, Move, Why

if TYPE_CHECKING:
    from chainrule.training.history import History
    from chainrule.training.recording import Recording

_MOST_MOVED = 5


def why(recording: Recording, history: History, step: Any) -> Why:
    """Look at one update; see ``History.why``."""
    step = check_step(step, history.iterations - 1)
    loop, later = (loop_at(recording, history, at) for at in (step, step + 1))
    network, state = loop.network, loop.network.training_state
    epoch = state.epoch - 1 if loop.batches_done else state.epoch
    batch = next(loop.batches.epoch(epoch, loop.batches_done))
    trace, trace_after = (_trace(at.network, batch, state.step) for at in (loop, later))
    before, after = network.parameters, later.network.parameters
    return Why(
        step=step,
        epoch=epoch + 1,
        batch=loop.batches_done + 1,
        batches=loop.batches.per_epoch,
        optimizer=type(network.optimizer).__name__,
        learning_rate=float(history.learning_rates[step]),
        samples=len(batch),
        loss_before=trace.loss,
        loss_after=trace_after.loss,
        moves=_moves(network.parameter_vector, before, after, trace.gradients),
        layers=_layers(network, before, after, trace.gradients),
        units=list(watched_units(network.layers, network.shapes, trace)),
    )


def _trace(network: Any, batch: Any, step: int) -> NetworkTrace:
    """Pass forwards and back as in training at that step."""
    trace: NetworkTrace = network.new_trace(training=True)
    trace.shared.step = step
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        trace.loss = sum(network.loss_and_gradients(batch, trace))
    return trace


def _moves(vector: Any, before: Array, after: Array, gradients: Array) -> list[Move]:
    with np.errstate(over="ignore", invalid="ignore"):
        distance = np.abs(after - before)
    farthest = np.argsort(-distance, kind="stable")[:_MOST_MOVED]
    return [
        Move(_name(vector, int(index)), *(float(v[index]) for v in (before, after, gradients)))
        for index in farthest
        if distance[index] != 0
    ]


def _name(vector: Any, index: int) -> str:
    slot = next(slot for slot in vector.slots if slot.start <= index < slot.stop)
    place = ", ".join(map(str, map(int, np.unravel_index(index - slot.start, slot.shape))))
    return f"{slot.label}[{place}]"


def _layers(network: Any, before: Array, after: Array, gradients: Array) -> list[LayerUpdate]:
    found = []
    for position in range(len(network.layers) - 1, -1, -1):
        pieces = [
            slice(slot.start, slot.stop)
            for slot in network.parameter_vector.slots
            if slot.layer == position
        ]
        if not pieces:
            continue
        weights, moved, gradient = (
            np.concatenate([vector[piece] for piece in pieces]).astype(np.float64)
            for vector in (before, after, gradients)
        )
        with np.errstate(over="ignore", invalid="ignore"):
            length, change = np.linalg.norm(weights), float(np.linalg.norm(moved - weights))
        update = change / length if length else (np.inf if change else 0.0)
        name = f"layer {position + 1} {type(network.layers[position]).__name__}"
        found.append(LayerUpdate(name, float(np.linalg.norm(gradient)), float(update)))
    return found

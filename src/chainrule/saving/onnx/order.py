"""Rows of numbers that should stand in another order: the dense layer that gives them turns."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from chainrule.activation import Activation
from chainrule.layer import Array
from chainrule.layers import BatchNorm, Dense, Dropout
from chainrule.saving.onnx.chain import Chain, Order, Step, Value
from chainrule.saving.onnx.node import Node
from chainrule.saving.onnx.reader import Reader

_MOST = 100_000_000  # numbers of one sample, for which this is still worth while


def in_order(reader: Reader, node: Node, value: Value, wanted: Order | None) -> Value:
    """See rows as numbers of an image in that order; None is chainrule's own.

    Where they stand otherwise, the units of the dense layer before are exchanged, and with them
    what works on each unit by itself on the way.

    Raises
    ------
    UnreadableFile
        When no dense layer gives the rows.
    """
    count = value.shape[0]
    if value.order is None and wanted is None:
        return value
    if count > _MOST:
        raise node.refuse(f"takes images of {count:,} numbers apart; that is too many.")
    now, then = (
        np.arange(count) if order is None else order.index() for order in (value.order, wanted)
    )
    if not np.array_equal(now, then):
        source = np.empty(count, np.intp)
        source[then] = now  # number i of the graph stands at now[i], and should at then[i]
        value = replace(value, chain=_turned(reader, node, value.chain, source))
    return replace(value, order=wanted)


def _turned(reader: Reader, node: Node, chain: Chain, source: Array) -> Chain:
    """Let the numbers come in another order: the one at ``source[i]`` comes to i."""
    step, before = chain.step, chain.before
    if step is not None and before is not None and not reader.is_shared(chain):
        if step.kind is Dense:
            return before.then(_with(step, lambda values: values[..., source]))
        if issubclass(step.kind, Activation | BatchNorm | Dropout):
            turned = _turned(reader, node, before, source)
            return turned.then(_with(step, lambda values: values[source]))
    raise node.refuse(
        "takes images apart, or puts them together, with their channels first. Here channels come "
        "last, so the numbers would have to change places, and no dense layer gives them."
    )


def _with(step: Step, change: Callable[[Array], Array]) -> Step:
    return replace(step, arrays={name: change(values) for name, values in step.arrays.items()})

"""Sums of two ways from the same array, out of ONNX."""

from __future__ import annotations

from dataclasses import replace

from chainrule.layers import BatchNorm, Residual
from chainrule.saving.onnx.affine import WEIGHTED, normalized_step
from chainrule.saving.onnx.chain import Chain, Step, Value
from chainrule.saving.onnx.node import Node
from chainrule.saving.onnx.reader import Reader


def read_sum(reader: Reader, node: Node) -> Value:
    """F(x) + x, or F(x) + P(x) where the way around is one layer P.

    A convolution with a batch normalization after it counts as one layer there: the normalization
    goes into its weights.
    """
    first, second = reader.flow(node, 0), reader.flow(node, 1)
    if (first.shape, first.axes, first.order) != (second.shape, second.axes, second.order):
        raise node.refuse(
            f"adds (batch, {_sizes(first)}) and (batch, {_sizes(second)}), which do not stand the "
            "same way; expected two arrays of one shape and layout."
        )
    start, ways = _ways(reader, node, first.chain, second.chain)
    layers, around = sorted(ways, key=len, reverse=True)
    around = _as_one(around)
    if not layers:
        raise node.refuse("adds an array to itself; expected a layer on one of the ways.")
    if len(around) > 1:
        raise node.refuse(
            f"adds two ways of {len(layers)} and {len(around)} layers; expected at most one layer "
            "on one of them."
        )
    step = Step(Residual, inner=tuple(layers), projection=around[0] if around else None)
    return replace(first, chain=start.then(step))


def _ways(
    reader: Reader, node: Node, first: Chain, second: Chain
) -> tuple[Chain, list[list[Step]]]:
    """Where two chains part, and the steps of each from there on."""
    links = [first.links(), second.links()]
    met = set(links[0])
    start = [link for link in links[1] if link in met][-1]
    ways: list[list[Step]] = []
    for chain in links:
        own = chain[chain.index(start) + 1 :]
        if any(reader.is_shared(link) for link in own):
            raise node.refuse(
                "adds what other nodes use as well; expected each way to lead to this sum alone."
            )
        ways.append([link.step for link in own if link.step is not None])
    return start, ways


def _as_one(steps: list[Step]) -> list[Step]:
    """Let a batch normalization go into the layer before it."""
    match steps:
        case [Step(kind=kind) as weighted, Step() as normalization] if (
            kind in WEIGHTED
            and normalization.kind is BatchNorm
            and "activation" not in weighted.settings
        ):
            return [normalized_step(weighted, normalization)]
    return steps


def _sizes(value: Value) -> str:
    return ", ".join(map(str, value.standing))

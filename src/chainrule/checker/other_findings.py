"""Mistakes that stand outside of backprop: starting values, data, shapes, numbers too large."""

from __future__ import annotations

from dataclasses import dataclass, field

from chainrule.checker.evidence import Evidence
from chainrule.checker.forward import Network
from chainrule.checker.source import Source
from chainrule.checker.steps import Step


@dataclass(frozen=True)
class Structural:
    """A mistake found without explaining a step."""

    cause: str
    layer: int
    line: int | None
    right_line: str | None = None
    words: dict[str, str] = field(default_factory=dict)


def look_around(
    evidence: Evidence, network: Network, steps: list[Step], source: Source
) -> Structural | None:
    """Look for each of them."""
    for number, layer in enumerate(network.layers):
        if layer.reads == "z":
            return Structural("forward_through_z", number, None)
    return None

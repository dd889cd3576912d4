"""Updates that are more than a gradient: momentum, and penalties that pull at the weights.

The update of W is then -c g + m (the update before) + r W, with m between 0 and 1 and r below zero
where both are right. One least-squares fit for each W finds c, m and r; m and the size of r must be
the same in all layers.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from chainrule.checker.slips import Slip
from chainrule.checker.steps import Step
from chainrule.layer import Array

_TOLERANCE = 1e-6
_ALIKE = 1e-4
_SHARE = 1e-4  # of an update that is its gradient; with less, any gradient would do
_NOTHING_FORGOTTEN = 0.009  # m is 1 less rate times penalty where gradients pile up
KINDS = ("momentum", "decay", "both", "l1", "decay everywhere")


@dataclass(frozen=True, eq=False)
class Memory:
    """What an update may consist of beside its gradient.

    Attributes
    ----------
    kind : str
        One of ``KINDS``.
    previous : Step or None
        The step before.
    earlier : tuple of ndarray
        The sum of all earlier gradients of each W, for the kinds "piled up" and "all piled up".
    earlier_weights : tuple of ndarray
        The sum of each W before all earlier steps, for the kind "all piled up".
    """

    kind: str
    previous: Step | None
    earlier: tuple[Array, ...] = ()
    earlier_weights: tuple[Array, ...] = ()

    @property
    def is_piled_up(self) -> bool:
        """Whether the gradients of all earlier steps count, in the last case with penalties."""
        return self.kind in ("piled up", "all piled up")

    @property
    def has_momentum(self) -> bool:
        """Whether the update before counts."""
        return self.kind in ("momentum", "both") or self.is_piled_up

    @property
    def has_pull(self) -> bool:
        """Whether the parameter itself counts."""
        return self.kind not in ("momentum", "piled up")

    def weights_before(self, layer: int) -> Array | None:
        """The update before, of a layer's weights."""
        return self.previous.weight_changes()[layer] if self.previous else None

    def bias_before(self, layer: int) -> Array | None:
        """The update before, of a layer's bias."""
        return self.previous.bias_changes()[layer] if self.previous else None

    def pulls_at(self, weights: Array) -> Array:
        """What a penalty adds to the gradient, but for its factor."""
        return np.sign(weights) if self.kind == "l1" else weights

    def pulled(self, layer: int, weights: Array) -> Array:
        """The weights that a penalty pulls at, those of earlier steps too where all piles up."""
        return weights + self.earlier_weights[layer] if self.earlier_weights else weights

    def fit(self, layer: int, change: Array, gradient: Array, weights: Array) -> Parts | None:
        """Return c, m and r, or None where they do not give the change.

        Of a W with too few numbers nothing can be said by itself: c is NaN then.
        """
        columns = [-gradient - self.earlier[layer] if self.earlier else -gradient]
        if self.has_momentum:
            before = self.weights_before(layer)
            columns.append(np.zeros_like(change) if before is None else before)
        if self.has_pull:
            columns.append(self.pulls_at(self.pulled(layer, weights)))
        matrix = np.stack([column.reshape(-1) for column in columns], axis=1)
        if not np.isfinite(matrix).all() or not change.any():
            return None
        if change.size <= len(columns) or not gradient.any():
            return Parts(np.nan, np.nan, np.nan)
        found, _, rank, _ = np.linalg.lstsq(matrix, change.reshape(-1), rcond=None)
        off = float(np.abs(matrix @ found - change.reshape(-1)).max())
        largest = float(np.abs(change).max())
        share = float(np.abs(found[0] * gradient).max())
        if rank < len(columns) or off > _TOLERANCE * largest or share < _SHARE * largest:
            return None
        momentum = float(found[1]) if self.has_momentum else 0.0
        return Parts(float(found[0]), momentum, float(found[-1]) if self.has_pull else 0.0)

    def rest(self, change: Array, before: Array | None, pulled: Array, parts: Parts) -> Array:
        """What is left of an update when momentum and pull are taken away."""
        if self.has_momentum and before is not None:
            change = change - parts.momentum * before
        return change - parts.pull * self.pulls_at(pulled) if self.has_pull else change


@dataclass(frozen=True)
class Parts:
    """c, m and r of an update -c g + m (the update before) + r W."""

    scale: float
    momentum: float
    pull: float


def in_common(parts: list[Parts]) -> Parts | None:
    """What all layers have in common, or None where they differ by more than a sign of r.

    r is a multiple of c, unless a gradient has another factor than its penalty has.
    """
    known = [part for part in parts if np.isfinite(part.scale) and part.scale]
    if not known:
        return None
    momentum = np.array([part.momentum for part in known])
    multiples = np.abs([part.pull / part.scale for part in known])
    pulls = np.abs([part.pull for part in known])
    if float(np.ptp(momentum)) > _ALIKE or not (_are_alike(multiples) or _are_alike(pulls)):
        return None
    if abs(momentum[0]) > 1 + _ALIKE:
        return None
    most = max(known, key=lambda part: abs(part.pull))
    return Parts(most.scale, float(momentum[0]), most.pull)


def _are_alike(pulls: Array) -> bool:
    """Whether penalties are the same, but for layers that have none."""
    pulls = pulls[pulls > _ALIKE * pulls.max()]
    return not pulls.size or float(np.ptp(pulls)) <= _ALIKE * float(pulls.max())


def slips_of(memory: Memory, parts: list[Parts], common: Parts) -> tuple[tuple[Slip, ...], str]:
    """Mistakes of momentum and penalty, and what to call them in a certificate."""
    slips: list[Slip] = []
    said: list[str] = []
    last = len(parts) - 1
    if memory.is_piled_up:
        slips.append(Slip("gradients_not_reset", last))
    elif memory.has_momentum:
        before = tuple(memory.previous.weight_changes()) if memory.previous else ()
        if abs(common.momentum - 1) < _NOTHING_FORGOTTEN:
            slips.append(Slip("gradients_not_reset", last))
        elif common.momentum < 0:
            slips.append(
                Slip("momentum_sign", last, detail=f"{-common.momentum:.3g}", follows=before)
            )
        said.append(f"momentum {common.momentum:.3g}")
    if memory.has_pull:
        # r = -c λ for the penalty ½ λ w²: with the wrong sign weights are pushed away from zero.
        # Where all gradients are turned, that is the mistake.
        turned = all(part.scale <= 0 for part in parts)
        nothing = _ALIKE * abs(common.pull / common.scale)
        for layer, part in enumerate(parts):
            if part.scale and part.pull / part.scale > nothing and not turned:
                ratio = f"{part.pull / part.scale:.3g}"
                slips.append(Slip("regularisation_sign", layer, detail=ratio))
        name = "L1" if memory.kind == "l1" else "L2"
        said.append(f"{name} penalty {abs(common.pull / common.scale):.3g}")
    return tuple(slips), " and ".join(said)

"""Compiled twin of ``activation.py``: what the twins of all activations have in common."""

from __future__ import annotations

from typing import Any, ClassVar

from chainrule.engines.compiled.kernel import Kernel
from chainrule.engines.compiled.plan import Buffer
from chainrule.engines.compiled.twin import Twin


class ActivationTwin(Twin):
    """Base of the twins of activations.

    Attributes
    ----------
    value, slope : Kernel
        Settings of ``value``: where z stands, where a goes, numbers for each sample, and the
        activation's own settings. Of ``slope``: ∂L/∂a, z, a, where ∂L/∂z goes, and the same.
    needs_z : bool
        Whether the derivative is computed from z. Without that a may take its place.
    """

    value: Kernel
    slope: Kernel
    needs_z: ClassVar[bool] = False

    def own_settings(self) -> tuple[Any, ...]:
        """What the kernels need to know of the activation's settings."""
        return ()

    def feedforward(self, x: Buffer) -> Buffer:
        """Plan a = f(x), with x left as it is if anybody else will read it."""
        if x.spare:
            return self.feedforward_in_place(x.kept())
        return self._plan_value(x, self.plan.buffer(x.shape))

    def feedforward_in_place(self, z: Buffer) -> Buffer:
        """Plan a = f(z) for a z that nobody else will read."""
        keep = self.needs_z or self.plan.traced
        return self._plan_value(z, self.plan.buffer(z.shape) if keep else z)

    def _plan_value(self, z: Buffer, a: Buffer) -> Buffer:
        self.plan.rows(self.value, z, a, z.size, *self.own_settings())
        self.fields = {"z": z, "a": a}
        return a

    def backprop(self, d_output: Buffer, needs_d_x: bool) -> Buffer:
        z, a = self.fields["z"], self.fields["a"]
        d_z = self.plan.buffer(z.shape) if self.plan.traced else d_output
        self.plan.rows(self.slope, d_output, z, a, d_z, z.size, *self.own_settings())
        return d_z

"""What a twin is: the one who says how a layer is computed by kernels."""

from __future__ import annotations

from typing import Any, ClassVar

from chainrule.engines.compiled.plan import Buffer, Plan
from chainrule.layer import Layer, Shape


class Twin:
    """Says how one layer, at one place of a network, is computed by kernels.

    ``class DenseTwin(Twin, of=Dense)`` is the twin of every ``Dense`` layer.

    Parameters
    ----------
    layer : Layer
    path : tuple of int
        Its place in the network.
    input_shape : tuple of int
        Shape of one sample of its inputs.
    plan : Plan

    Attributes
    ----------
    fields : dict of str to Buffer
        What the layer leaves in a trace, by name.
    """

    _known: ClassVar[dict[type[Layer], type[Twin]]] = {}

    def __init_subclass__(cls, of: type[Layer] | None = None) -> None:
        if of is not None:
            cls._known[of] = cls

    def __init__(self, layer: Any, path: tuple[int, ...], input_shape: Shape, plan: Plan) -> None:
        self.layer = layer
        self.path = path
        self.input_shape = input_shape
        self.output_shape = layer.output_shape(input_shape)
        self.plan = plan
        self.fields: dict[str, Buffer] = {}
        self.inner: dict[int, Twin] = {}

    def feedforward(self, x: Buffer) -> Buffer:
        """Plan the way forward; returns where the outputs will stand. ``x`` stays as it is."""
        raise NotImplementedError(f"{type(self).__name__} defines no feedforward")

    def backprop(self, d_output: Buffer, needs_d_x: bool) -> Buffer | None:
        """Plan the way back; returns where ∂loss/∂x will stand.

        ``d_output`` is the twin's own from here on: it may be overwritten, returned, or released.
        """
        raise NotImplementedError(f"{type(self).__name__} defines no backprop")

    def gradient(self, start: int) -> int:
        """Offset of a parameter whose gradient this twin's kernels sum up over shards."""
        self.plan.sums_gradient(start)
        return start

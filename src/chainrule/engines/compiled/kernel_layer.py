"""What the compiled twins of all convolutions have in common; see ``layers/kernel.py``."""

from __future__ import annotations

from typing import Any

from chainrule.engines.compiled.activations import activation_twin
from chainrule.engines.compiled.geometry import geometry
from chainrule.engines.compiled.plan import Twin
from chainrule.engines.compiled.winograd import GAP, NUMBERS, winograd_suits
from chainrule.layers.windows import Pair

_PRODUCTS = 150_000
_MATRIX = 60_000  # numbers of the windows' matrix that stay in the cache beside all else


class KernelTwin(Twin):
    """Base of the twins: offsets of the parameters, the activation, and the kernels' settings.

    Attributes
    ----------
    settings : tuple
        From the weights' offset on.
    """

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.weights = self.plan.parameter(self.path, "weights")
        self.bias = self.plan.parameter(self.path, "bias")
        self.activation = activation_twin(
            self.layer.activation, self.path, self.output_shape, self.plan
        )

    def describe(self, image: Pair, channels: int, output: Pair, filters: int) -> None:
        """Choose how a convolution from such an image to such an output is computed."""
        layer, plan = self.layer, self.plan
        self.geometry = geometry(layer.windows, image, channels, output, filters, layer.groups)
        places = output[0] * output[1]
        columns = layer.windows.size[0] * layer.windows.size[1] * channels // layer.groups
        plan.work += 3 * places * columns * filters
        self.winograd = winograd_suits(layer, channels, filters)
        if self.winograd:
            self.kernel_size = NUMBERS * channels * filters
            tiles = -(-output[0] // 2) * -(-output[1] // 2)
            each = NUMBERS * tiles * (channels + filters)
            padded = 4 * (-(-output[0] // 2) + 1) * (-(-output[1] // 2) + 1) * channels
            self.together = max(1, _PRODUCTS // each)
            plan.need_scratch(padded + self.together * each + 2 * NUMBERS * GAP)
        else:
            each = places * columns
            self.together = max(1, _MATRIX // each)
            plan.need_scratch(self.together * each)

"""chainrule's networks in PyTorch, with the same starting weights.

resnet8 sees every image mirrored in both directions, and all its kernels are mirrored too. Where a
stride of 2 leaves one column to pad, chainrule pads after the image (as TensorFlow and Keras do)
and PyTorch before it. Mirrored, before is after, and PyTorch need not pad in an extra pass. What
goes around a block with a stride then needs the other half of the pixels, a copy that costs up to
5 %. So there is a form without it too, which learns as well, but not the very same.
"""

from __future__ import annotations

from typing import Any

from benchmarks import with_torch
from chainrule import BatchNorm, Conv2D, Dense, GlobalAveragePool, NeuralNetwork, ReLU, Residual

MIRRORED = ("resnet8",)


def torch_network(name: str, network: NeuralNetwork, *, exact: bool = True) -> Any:
    """Return a built network as PyTorch's, for images (batch, channels, height, width).

    Parameters
    ----------
    name : str
        A key of ``chainrule.models.MODELS``.
    network : NeuralNetwork
    exact : bool, default True
        False lets resnet8's blocks take the pixels around that PyTorch's stride meets.
    """
    return _resnet(network, exact) if name in MIRRORED else with_torch.translated(network)


def _resnet(network: NeuralNetwork, exact: bool) -> Any:
    import torch

    modules: list[Any] = []
    for layer in network.layers:
        if isinstance(layer, Residual):
            projects = any(slot.owner is layer for slot in network.parameter_vector.slots)
            modules += [_block(layer, projects, exact)]
        elif isinstance(layer, Dense):
            modules += [with_torch._dense(layer, layer.weights)]
        else:
            modules += _modules(layer)
    return torch.nn.Sequential(*modules)


def _modules(layer: Any) -> list[Any]:
    import torch

    if isinstance(layer, Conv2D):
        return [_convolution(layer.weights, layer.stride)]
    if isinstance(layer, BatchNorm):
        made = torch.nn.BatchNorm2d(
            len(layer.scale), eps=layer.epsilon, momentum=1 - layer.momentum
        )
        return [made]  # scale 1 and shift 0 in both libraries
    if isinstance(layer, ReLU):
        return [torch.nn.ReLU()]
    if isinstance(layer, GlobalAveragePool):
        return [torch.nn.AdaptiveAvgPool2d(1), torch.nn.Flatten()]
    raise with_torch.NotTranslated(f"{type(layer).__name__} is not compared")


def _block(layer: Residual, projects: bool, exact: bool) -> Any:
    import torch

    class Block(torch.nn.Module):  # type: ignore[misc]  # PyTorch has no types here
        """relu(F(x) + x), where a 1 x 1 convolution takes x along if its shape changes."""

        def __init__(self) -> None:
            super().__init__()
            inner = [module for one in layer.layers for module in _modules(one)]
            self.inner = torch.nn.Sequential(*inner)
            if projects:
                self.projection = _convolution(
                    layer.projection_weights[None, None], 1 if exact else 2
                )

        def forward(self, x: Any) -> Any:
            around = x
            if projects:  # chainrule's pixels 0, 2, 4 ... in the mirror
                around = self.projection(x[:, :, 1::2, 1::2] if exact else x)
            return torch.relu(self.inner(x) + around)

    return Block()


def _convolution(weights: Any, stride: Any) -> Any:
    """A 3 x 3 or 1 x 1 convolution without biases that keeps the image, or halves it."""
    import torch

    height, width, channels, filters = weights.shape
    made = torch.nn.Conv2d(
        channels, filters, (height, width), stride, padding=height // 2, bias=False
    )
    mirrored = weights[::-1, ::-1].transpose(3, 2, 0, 1).copy()
    with torch.no_grad():
        made.weight.copy_(torch.from_numpy(mirrored))
    return made

"""The same network in PyTorch: its layers, its starting weights, its batches, its optimizer.

What differs: PyTorch draws its own dropout masks, and sums in another order.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from benchmarks.image_data import Split, accuracy
from benchmarks.image_runs import Run
from chainrule import AveragePool2D, Conv2D, Dense, Dropout, Flatten, MaxPool2D, NeuralNetwork
from chainrule.layer import Shape
from chainrule.optimizers import Adam, AdamW
from chainrule.samples import Samples, check_inputs, check_samples
from chainrule.training.batches import Batches

_AT_ONCE = 1000  # images of the test part that are predicted together

Say = Callable[[int, float], object]


class NotTranslated(Exception):
    """The network or its optimizer has something that this module does not know in PyTorch."""


def translated(network: NeuralNetwork) -> Any:
    """Return a built network as a ``torch.nn.Sequential`` with the same parameters.

    It takes images as PyTorch has them, (batch, channels, height, width).
    """
    import torch

    modules: list[Any] = []
    for layer, shape in zip(network.layers, network.shapes[:-1], strict=True):
        if isinstance(layer, Conv2D):
            modules += [_convolution(layer), *_activation(layer)]
        elif isinstance(layer, MaxPool2D | AveragePool2D) and layer.padding == "valid":
            kind = torch.nn.MaxPool2d if isinstance(layer, MaxPool2D) else torch.nn.AvgPool2d
            modules += [kind(layer.window, layer.stride)]
        elif isinstance(layer, Flatten):
            flattened = shape
            modules += [torch.nn.Flatten()]
        elif isinstance(layer, Dropout):
            modules += [torch.nn.Dropout(layer.rate)]
        elif isinstance(layer, Dense):
            first = not any(isinstance(module, torch.nn.Linear) for module in modules)
            weights = _channels_first(layer.weights, flattened) if first else layer.weights
            modules += [_dense(layer, weights), *_activation(layer)]
        else:
            raise NotTranslated(f"{type(layer).__name__} is not compared")
    return torch.nn.Sequential(*modules)


def train(run: Run, split: Split, seed: int, say: Say) -> tuple[float, float]:
    """Train with PyTorch as ``run`` says; return the accuracy on the test part, and the seconds.

    Parameters
    ----------
    run : Run
    split : Split
    seed : int
    say : callable
        Called with the number of each finished epoch, from 1, and its mean loss.
    """
    import torch

    torch.manual_seed(seed)  # for dropout
    network = run.network(seed).build(split.x.shape[1:])
    twin, samples = translated(network), _samples(network, split.x, split.y)
    optimizer = _optimizer(network, twin)
    batches = Batches(samples, run.batch_size, seed=seed, shuffle=True, augment=run.augmentation)
    began = time.perf_counter()
    for epoch in range(run.epochs):
        total = 0.0
        for number, batch in enumerate(batches.epoch(epoch)):
            rate = network.optimizer.schedule.rate(epoch + number / batches.per_epoch, {})
            for group in optimizer.param_groups:
                group["lr"] = rate
            loss = torch.nn.functional.cross_entropy(
                twin(_images(batch.x[:])), torch.from_numpy(batch.y)
            )
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            total += loss.item() * len(batch)
        say(epoch + 1, total / batches.count)
    seconds = time.perf_counter() - began
    return _accuracy(twin, _samples(network, split.test_x, split.test_y)), seconds


def _samples(network: NeuralNetwork, x: Any, y: Any) -> Samples:
    """Check and scale as chainrule does: bytes are divided by 255, batch by batch."""
    inputs = check_inputs(x, network.input_shape, network.dtype, "PyTorch")
    return check_samples(inputs, y, None, network.loss, network.output_shape)


def _optimizer(network: NeuralNetwork, twin: Any) -> Any:
    """AdamW whose decay leaves the biases alone, as chainrule's does."""
    import torch

    ours = network.optimizer
    if not isinstance(ours, Adam) or type(ours) not in (Adam, AdamW):
        raise NotTranslated(f"{type(ours).__name__} is not compared")
    if ours.clip_norm is not None or ours.clip_value is not None or network.l1 or network.l2:
        raise NotTranslated("clipping and penalties are not compared")
    weights = [parameter for parameter in twin.parameters() if parameter.ndim > 1]
    biases = [parameter for parameter in twin.parameters() if parameter.ndim == 1]
    return torch.optim.AdamW(
        [
            {"params": weights, "weight_decay": ours.weight_decay},
            {"params": biases, "weight_decay": 0.0},
        ],
        betas=(ours.mean_decay, ours.square_decay),
        eps=ours.epsilon,
    )


def _accuracy(twin: Any, samples: Samples) -> float:
    import torch

    twin.eval()
    with torch.inference_mode():
        found = [
            twin(_images(samples.x[start : start + _AT_ONCE])).argmax(dim=1)
            for start in range(0, len(samples), _AT_ONCE)
        ]
    return accuracy(torch.cat(found).numpy(), samples.y)


def _images(x: Any) -> Any:
    """(batch, height, width, channels) -> a tensor (batch, channels, height, width)."""
    import torch

    return torch.from_numpy(x).permute(0, 3, 1, 2)


def _convolution(layer: Conv2D) -> Any:
    import torch

    plain = layer.dilation == 1 and layer.groups == 1
    if not plain or not isinstance(layer.padding, str):
        raise NotTranslated(f"{layer!r} is not compared")
    height, width, channels, filters = layer.weights.shape
    made = torch.nn.Conv2d(
        channels, filters, (height, width), layer.stride, layer.padding, bias=layer.use_bias
    )
    _fill(made, layer.weights.transpose(3, 2, 0, 1), layer)
    return made


def _dense(layer: Dense, weights: Any) -> Any:
    import torch

    made = torch.nn.Linear(*weights.shape, bias=layer.use_bias)
    _fill(made, weights.T, layer)
    return made


def _channels_first(weights: Any, shape: Shape) -> Any:
    """Rows of W in the order in which PyTorch flattens an image: channel by channel."""
    outputs = weights.shape[1]
    return weights.reshape(*shape, outputs).transpose(2, 0, 1, 3).reshape(-1, outputs)


def _fill(made: Any, weights: Any, layer: Conv2D | Dense) -> None:
    import torch

    with torch.no_grad():
        made.weight.copy_(torch.from_numpy(weights.copy()))
        if layer.use_bias:
            made.bias.copy_(torch.from_numpy(layer.bias.copy()))


def _activation(layer: Conv2D | Dense) -> list[Any]:
    import torch

    known = {"identity": [], "relu": [torch.nn.ReLU], "tanh": [torch.nn.Tanh]}
    name = layer.activation.name
    if name not in known:
        raise NotTranslated(f"the activation {name!r} is not compared")
    return [kind() for kind in known[name]]

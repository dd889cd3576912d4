"""Keras's layers as layers here, each by the function that is registered for its class."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from chainrule import activations
from chainrule.activation import Activation
from chainrule.checks import shown
from chainrule.layer import Layer
from chainrule.layers import (
    AveragePool1D,
    AveragePool2D,
    BatchNorm,
    Conv1D,
    Conv2D,
    Dense,
    Dropout,
    Flatten,
    GlobalAveragePool,
    GlobalMaxPool,
    LayerNorm,
    MaxPool1D,
    MaxPool2D,
)
from chainrule.saving.onnx.chain import Step
from chainrule.saving.weights.keras import Described
from chainrule.saving.weights.keras_settings import Settings

Read = Callable[[Settings], Step | None]  # None for a layer that does nothing
READS: dict[str, Read] = {}

_ACTIVATIONS: dict[str, Callable[[], Activation]] = {
    "linear": activations.Identity,
    "relu": activations.ReLU,
    "sigmoid": activations.Sigmoid,
    "tanh": activations.Tanh,
    "softmax": activations.Softmax,
    "log_softmax": activations.LogSoftmax,
    "leaky_relu": lambda: activations.LeakyReLU(0.2),
    "elu": activations.ELU,
    "selu": activations.SELU,
    "gelu": activations.GELU,
    "silu": activations.SiLU,
    "swish": activations.SiLU,
    "mish": activations.Mish,
    "softplus": activations.Softplus,
    "softsign": activations.Softsign,
    "hard_sigmoid": activations.HardSigmoid,
    "hard_tanh": activations.HardTanh,
}


def reads(*kinds: str) -> Callable[[Read], Read]:
    """Register a function as what reads these classes."""

    def register(read: Read) -> Read:
        READS.update(dict.fromkeys(kinds, read))
        return read

    return register


def step_of(layer: Described) -> Step | None:
    """Turn a described layer into one of ours, without its weights.

    Raises
    ------
    UnreadableFile
        For a class or a setting that has no counterpart.
    """
    settings = Settings(layer.kind, layer.settings, len(layer.build.get("input_shape") or ()))
    if layer.kind not in READS:
        raise settings.refuse(
            f"is of a kind that cannot be built here; known are {', '.join(READS)}. Build the "
            "network yourself and fill it by load_weights."
        )
    step = READS[layer.kind](settings)
    settings.check()
    return step


@reads("Dense")
def read_dense(settings: Settings) -> Step:
    """On rows of numbers."""
    return Step(
        Dense,
        {
            "outputs": settings.get("units"),
            "activation": _activation(settings),
            "use_bias": settings.flag("use_bias", default=True),
        },
    )


@reads("Conv1D", "Conv2D")
def read_convolution(settings: Settings) -> Step:
    """Channels last."""
    axes = 1 if settings.kind == "Conv1D" else 2
    settings.need("data_format", "channels_last")
    size = settings.sizes("kernel_size", axes)
    dilation = settings.sizes("dilation_rate", axes, 1)
    padding: Any = settings.get("padding", "valid")
    if padding == "causal" and axes == 1:
        padding = (dilation * (size - 1), 0)
    return Step(
        Conv1D if axes == 1 else Conv2D,
        {
            "filters": settings.get("filters"),
            "kernel_size": size,
            "activation": _activation(settings),
            "stride": settings.sizes("strides", axes, 1),
            "padding": padding,
            "dilation": dilation,
            "groups": settings.get("groups", 1),
            "use_bias": settings.flag("use_bias", default=True),
        },
    )


@reads("MaxPooling1D", "MaxPooling2D", "AveragePooling1D", "AveragePooling2D")
def read_pooling(settings: Settings) -> Step:
    """Windows whose padding takes no part."""
    axes = 1 if settings.kind.endswith("1D") else 2
    kinds: dict[str, type[Layer]] = {
        "MaxPooling1D": MaxPool1D,
        "MaxPooling2D": MaxPool2D,
        "AveragePooling1D": AveragePool1D,
        "AveragePooling2D": AveragePool2D,
    }
    settings.need("data_format", "channels_last")
    window = settings.sizes("pool_size", axes, 2)
    stride = settings.sizes("strides", axes, window)
    found: dict[str, Any] = {"window": window, "padding": settings.get("padding", "valid")}
    if stride != window:
        found["stride"] = stride
    return Step(kinds[settings.kind], found)


@reads(
    "GlobalAveragePooling1D", "GlobalAveragePooling2D", "GlobalMaxPooling1D", "GlobalMaxPooling2D"
)
def read_global_pooling(settings: Settings) -> Step:
    """One number for each channel."""
    settings.need("data_format", "channels_last")
    settings.need("keepdims", False)
    return Step(GlobalMaxPool if "Max" in settings.kind else GlobalAveragePool)


@reads("BatchNormalization")
def read_batch_normalization(settings: Settings) -> Step:
    """Over the last axis."""
    _need_last_axis(settings)
    settings.get("scale"), settings.get("center")  # γ = 1 and β = 0 where they are off
    momentum = min(settings.number("momentum", 0.99), 0.999999)  # 1 would never change
    return Step(BatchNorm, {"momentum": momentum, "epsilon": settings.number("epsilon", 1e-3)})


@reads("LayerNormalization")
def read_layer_normalization(settings: Settings) -> Step:
    """Over the last axis."""
    _need_last_axis(settings)
    settings.get("scale"), settings.get("center")
    return Step(LayerNorm, {"epsilon": settings.number("epsilon", 1e-3)})


@reads("Dropout")
def read_dropout(settings: Settings) -> Step:
    """Of single numbers."""
    return Step(Dropout, {"rate": settings.number("rate")})


@reads("Flatten")
def read_flatten(settings: Settings) -> Step:
    """Channels last, as here."""
    settings.need("data_format", "channels_last")
    return Step(Flatten)


@reads("InputLayer")
def read_input(settings: Settings) -> None:
    """Says the shape of a sample, which is read elsewhere."""
    settings.get("sparse"), settings.get("ragged"), settings.get("optional")


@reads("Activation")
def read_activation(settings: Settings) -> Step:
    """By its name."""
    activation = _activation(settings)
    return Step(type(activation), activation.settings())


@reads("ReLU")
def read_relu(settings: Settings) -> Step:
    """Also with a slope for negative numbers."""
    settings.need("max_value", None)
    settings.need("threshold", 0.0)
    slope = settings.number("negative_slope", 0.0)
    return Step(activations.LeakyReLU, {"slope": slope}) if slope else Step(activations.ReLU)


@reads("LeakyReLU")
def read_leaky_relu(settings: Settings) -> Step:
    """With its slope."""
    return Step(activations.LeakyReLU, {"slope": settings.number("negative_slope", 0.3)})


@reads("PReLU")
def read_prelu(settings: Settings) -> Step:
    """One slope for each channel."""
    settings.get("shared_axes")  # the shape of its weights tells whether they fit
    return Step(activations.PReLU)


@reads("ELU")
def read_elu(settings: Settings) -> Step:
    """Down to -alpha."""
    return Step(activations.ELU, {"alpha": settings.number("alpha", 1.0)})


@reads("Softmax")
def read_softmax(settings: Settings) -> Step:
    """Over the last axis."""
    _need_last_axis(settings)
    return Step(activations.Softmax)


def _activation(settings: Settings) -> Activation:
    name = settings.get("activation")
    name = "linear" if name is None else name
    if not isinstance(name, str) or name not in _ACTIVATIONS:
        raise settings.refuse(
            f"has the activation {shown(name)}; known are {', '.join(_ACTIVATIONS)}."
        )
    return _ACTIVATIONS[name]()


def _need_last_axis(settings: Settings) -> None:
    """Keras writes -1, or the number that it stands for, which the rank of the input tells."""
    last = settings.axes - 1 if settings.axes else -1
    settings.need("axis", -1, [-1], last, [last])

"""Activations out of ONNX."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from chainrule import activations
from chainrule.activation import Activation
from chainrule.saving.onnx.chain import Value
from chainrule.saving.onnx.channels import per_channel
from chainrule.saving.onnx.node import Node
from chainrule.saving.onnx.operators import reads
from chainrule.saving.onnx.reader import Reader

_PLAIN: dict[str, type[Activation]] = {
    "Relu": activations.ReLU,
    "Sigmoid": activations.Sigmoid,
    "Tanh": activations.Tanh,
    "Softplus": activations.Softplus,
    "Softsign": activations.Softsign,
    "Mish": activations.Mish,
    "chainrule.SiLU": activations.SiLU,
    "chainrule.GELU": activations.GELU,
    "chainrule.GELUTanh": activations.GELUTanh,
    "chainrule.Mish": activations.Mish,
    "chainrule.Softplus": activations.Softplus,
    "chainrule.Softsign": activations.Softsign,
}


@reads(*_PLAIN, any_layout=True)
def read_plain(reader: Reader, node: Node) -> Value:
    """Those without settings."""
    node.ignore("parts", "names")
    return reader.activated(reader.flow(node), _PLAIN[node.operator]())


@reads("LeakyRelu", any_layout=True)
def read_leaky_relu(reader: Reader, node: Node) -> Value:
    """One slope for all."""
    activation = activations.LeakyReLU(node.number("alpha", 0.01))
    return reader.activated(reader.flow(node), activation)


@reads("Elu", any_layout=True)
def read_elu(reader: Reader, node: Node) -> Value:
    """Down to -alpha."""
    return reader.activated(reader.flow(node), activations.ELU(node.number("alpha", 1.0)))


@reads("PRelu", any_layout=True)
def read_prelu(reader: Reader, node: Node) -> Value:
    """One slope for each channel; a single one becomes as many."""
    value = reader.flow(node)
    slope = per_channel(node, value, reader.constant(node, 1, "slope"))
    return reader.activated(value, activations.PReLU(), slope=slope)


@reads("Selu", any_layout=True)
def read_selu(reader: Reader, node: Node) -> Value:
    """With the two numbers of its paper, and no others."""
    selu = activations.SELU()
    _need(node, "alpha", selu.alpha, selu.alpha)
    _need(node, "gamma", selu.scale, selu.scale)
    return reader.activated(reader.flow(node), selu)


@reads("HardSigmoid", any_layout=True)
def read_hard_sigmoid(reader: Reader, node: Node) -> Value:
    """With the slope 1/6; ONNX's own default, 0.2, is another function."""
    _need(node, "alpha", 1 / 6, 0.2)
    _need(node, "beta", 0.5, 0.5)
    return reader.activated(reader.flow(node), activations.HardSigmoid())


@reads("Gelu", any_layout=True)
def read_gelu(reader: Reader, node: Node) -> Value:
    """By the error function, or by tanh."""
    forms: dict[str, Callable[[], Activation]] = {
        "none": activations.GELU,
        "tanh": activations.GELUTanh,
    }
    form = node.text("approximate", "none")
    if form not in forms:
        raise node.refuse(f'has the attribute approximate="{form}"; expected "none" or "tanh".')
    return reader.activated(reader.flow(node), forms[form]())


@reads("Swish", any_layout=True)
def read_swish(reader: Reader, node: Node) -> Value:
    """With the factor 1, SiLU."""
    _need(node, "alpha", 1.0, 1.0)
    return reader.activated(reader.flow(node), activations.SiLU())


@reads("Clip", any_layout=True)
def read_clip(reader: Reader, node: Node) -> Value:
    """From -1 to 1, the hard tanh; from 0 on, ReLU."""
    bounds = []
    for index, (name, default) in enumerate((("min", -math.inf), ("max", math.inf)), start=1):
        found = reader.optional(node, index, f"{name}imum")
        attribute = node.number(name, default)
        if found is not None and found.size != 1:
            raise node.refuse(f"has {found.size} numbers for {name}; expected one.")
        bound = attribute if found is None else float(found.item())
        bounds.append(math.copysign(math.inf, bound) if abs(bound) > 3e38 else bound)
    known = {(-1.0, 1.0): activations.HardTanh, (0.0, math.inf): activations.ReLU}
    if tuple(bounds) not in known:
        raise node.refuse(
            f"cuts off below {bounds[0]:g} and above {bounds[1]:g}; the activations here cut off "
            "at -1 and 1 (hard tanh), or below 0 (ReLU)."
        )
    return reader.activated(reader.flow(node), known[bounds[0], bounds[1]]())


@reads("Softmax", "LogSoftmax")
def read_softmax(reader: Reader, node: Node) -> Value:
    """Over the channels; up to opset 12 over everything from an axis on."""
    value = reader.flow(node)
    rank = len(value.axes) + 1
    axis = node.whole("axis", -1 if reader.opset >= 13 else 1) % rank
    last = len(value.shape) - 1
    several = reader.opset < 13 and axis != rank - 1
    if axis == 0 or value.axes[axis - 1] != last or several:
        raise node.refuse(f"has the attribute axis={axis}, which is not the axis of the channels.")
    kind = activations.Softmax if node.operator == "Softmax" else activations.LogSoftmax
    return reader.activated(value, kind())


def _need(node: Node, name: str, value: float, default: float) -> None:
    """Refuse an attribute that has another value than the one there is an activation for."""
    found = node.number(name, default)
    if not np.isclose(found, value, rtol=1e-5):
        raise node.refuse(f"has the attribute {name}={found:g}; here it is always {value:g}.")


@reads("Exp")
def read_exponential(reader: Reader, node: Node) -> Value:
    """At the end, of logarithms: what losses on them predict."""
    value = reader.flow(node)
    if reader.exponentials_of is not None:
        raise node.refuse("takes e to some power a second time; expected that once, at the end.")
    reader.exponentials_of = value.chain
    return value

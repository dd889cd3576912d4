"""Keras's weights: how they are named in its files, and which array is what.

In ``model.weights.h5`` a layer stands under its class's name in snake_case with a number for each
further one, ``layers/dense_1``, whatever it is called itself. Its arrays are ``vars/0``,
``vars/1``, in the order in which the class makes them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from chainrule.activations import PReLU
from chainrule.checks import shown
from chainrule.errors import UnreadableFile
from chainrule.layers import (
    BatchNorm,
    Conv1D,
    Conv2D,
    ConvTranspose2D,
    Dense,
    GroupNorm,
    LayerNorm,
    RMSNorm,
)
from chainrule.saving.weights.groups import Framework, Group, Source
from chainrule.saving.weights.tensors import Tensor, TensorFile

_WEIGHTED = {"weights": Source("kernel"), "bias": Source("bias")}
_NORM = {"scale": Source("gamma", default=1.0), "shift": Source("beta", default=0.0)}

KERAS = Framework(
    "Keras",
    {
        Dense: _WEIGHTED,
        Conv2D: _WEIGHTED,
        Conv1D: _WEIGHTED,
        ConvTranspose2D: _WEIGHTED,
        BatchNorm: {
            **_NORM,
            "running_mean": Source("moving_mean"),
            "running_variance": Source("moving_variance"),
        },
        LayerNorm: _NORM,
        GroupNorm: _NORM,
        RMSNorm: {"scale": Source("scale")},
        PReLU: {"slope": Source("alpha", squeezed=True)},
    },
    channels_first=False,
)

# The arrays of each class in the order of its vars.
_VARS = {
    "dense": ("kernel", "bias"),
    "conv1d": ("kernel", "bias"),
    "conv2d": ("kernel", "bias"),
    "conv2d_transpose": ("kernel", "bias"),
    "batch_normalization": ("gamma", "beta", "moving_mean", "moving_variance"),
    "layer_normalization": ("gamma", "beta"),
    "group_normalization": ("gamma", "beta"),
    "rms_normalization": ("scale",),
    "p_re_lu": ("alpha",),
}
_CONTAINERS = ("Sequential", "Functional", "Model")
_MOST_LAYERS = 10_000
# What stands beside the layers: the optimizer, and what random layers draw their numbers from.
_NO_LAYERS = ("optimizer", "_optimizer", "seed_generator")


class Described(NamedTuple):
    """A layer as a ``.keras`` file describes it: where its arrays stand, and its settings."""

    path: str
    kind: str
    settings: dict[str, Any]
    build: dict[str, Any]


def keras_groups(file: TensorFile) -> list[Group]:
    """Gather the arrays by layers.

    With a configuration their order is known. Without one, layers of one class stand in their
    order, and the classes are chains.

    Raises
    ------
    UnreadableFile
        For layers that none here is like.
    """
    layers: dict[str, dict[int, Tensor]] = {}
    for tensor in file.tensors:
        path, _, number = tensor.name.rpartition("/vars/")
        if not path and not tensor.name.startswith("vars/"):
            raise UnreadableFile(
                f"it holds {shown(tensor.name)}, which is not where Keras 3 keeps weights. Older "
                'files (.h5) must be saved anew: model.save("model.keras").'
            )
        if not any(part in _NO_LAYERS for part in path.split("/")):
            layers.setdefault(path, {})[_number(tensor.name, number)] = tensor
    if file.config is None:
        return [_group(file, path, layers[path]) for path in sorted(layers, key=_in_class)]
    found = [
        _group(file, layer.path, layers.pop(layer.path), layer.settings)
        for layer in described_layers(file.config)
        if layer.path in layers
    ]
    if layers:
        raise UnreadableFile(
            f"its weights hold {shown(_readable(next(iter(layers))))}, and its configuration "
            "describes no such layer."
        )
    return found


def described_layers(config: Mapping[str, Any]) -> list[Described]:
    """List the layers of a configuration that are no containers, in their order.

    Raises
    ------
    UnreadableFile
        When it is not made of known containers.
    """
    if config.get("class_name") not in _CONTAINERS:
        raise UnreadableFile(
            f"its network is a {shown(config.get('class_name'))}; expected a Sequential or "
            "Functional one of layers that come with Keras."
        )
    found: list[Described] = []
    for layer in _walk(config, ""):
        found.append(layer)
        if len(found) > _MOST_LAYERS:
            raise UnreadableFile(f"it has more than {_MOST_LAYERS:,} layers.")
    return found


def _walk(container: Mapping[str, Any], path: str) -> Iterator[Described]:
    """Go through a container; paths are those that Keras makes while it saves."""
    met: dict[str, int] = {}
    for layer in container["config"]["layers"]:
        kind = layer["class_name"]
        if not isinstance(kind, str) or not isinstance(layer["config"], dict):
            raise UnreadableFile("one of its layers is described wrongly.")
        name = _snake_case(kind)
        met[name] = met.get(name, -1) + 1
        here = f"{path}layers/{name}" + (f"_{met[name]}" if met[name] else "")
        if kind in _CONTAINERS:
            yield from _walk(layer, f"{here}/")
        else:
            yield Described(here, kind, layer["config"], layer.get("build_config") or {})


def _group(
    file: TensorFile,
    path: str,
    variables: Mapping[int, Tensor],
    settings: Mapping[str, Any] | None = None,
) -> Group:
    kind = re.sub(r"_\d+$", "", path.rpartition("/")[2])
    if kind not in _VARS:
        raise UnreadableFile(
            f"its layer {_name(file, path)!r} is of the kind {kind!r}, which has weights and is "
            f"like no layer here; known are {', '.join(_VARS)}."
        )
    names = _VARS[kind]
    if settings is not None:  # what a layer does without has no variable
        absent = {"gamma": "scale", "beta": "center", "bias": "use_bias"}
        names = tuple(name for name in names if settings.get(absent.get(name, ""), True))
    if len(variables) > len(names) or sorted(variables) != list(range(len(variables))):
        raise UnreadableFile(
            f"its layer {_name(file, path)!r} has {len(variables)} arrays; expected {len(names)}: "
            f"{', '.join(names)}."
        )
    if settings is None and kind == "batch_normalization" and len(variables) < len(names):
        raise UnreadableFile(
            f"its layer {_name(file, path)!r} has {len(variables)} arrays, and which of "
            f"{', '.join(names)} they are stands only in a .keras file; save that."
        )
    tensors = {names[number]: variables[number] for number in sorted(variables)}
    chain = ("",) if settings is not None else (_pattern(path),)
    return Group(_name(file, path), tensors, chain, settings or {})


def _name(file: TensorFile, path: str) -> str:
    """What its owner calls a layer, unless several are called so."""
    names = {p.removesuffix("/vars"): name for p, name in file.layer_names.items()}
    called = names.get(path)
    if called is None or list(names.values()).count(called) > 1:
        return _readable(path)
    return called


def _readable(path: str) -> str:
    return "/".join(part for part in path.split("/") if part != "layers")


def _number(name: str, number: str) -> int:
    if not number.isascii() or not number.isdigit() or len(number) > 9:
        raise UnreadableFile(f"it holds {shown(name)}, which is not where Keras keeps weights.")
    return int(number)


def _pattern(path: str) -> str:
    return "/".join(re.sub(r"_\d+$", "", part) for part in path.split("/"))


def _in_class(path: str) -> list[tuple[str, int]]:
    """Sort ``dense`` before ``dense_1``, and ``dense_2`` before ``dense_10``."""
    found = []
    for part in path.split("/"):
        match = re.fullmatch(r"(.*?)(?:_(\d{1,9}))?", part, re.DOTALL)
        found.append((match[1], int(match[2] or 0)) if match else (part, 0))
    return found


def _snake_case(name: str) -> str:
    """As Keras does it: ``Conv2DTranspose`` -> ``conv2d_transpose``, ``PReLU`` -> ``p_re_lu``."""
    name = re.sub(r"\W+", "", name)
    name = re.sub(r"(.)([A-Z][a-z]+)", r"\1_\2", name)
    return re.sub(r"([a-z])([A-Z])", r"\1_\2", name).lower()

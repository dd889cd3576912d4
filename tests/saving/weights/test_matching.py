"""Whose weights are whose: found, or asked for, but never guessed."""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np
from hypothesis import given
from hypothesis import strategies as some
from saving.weights.files import random, state_dict

import chainrule as cr
from chainrule.layer import Array, Layer

WORDS = ["encoder", "decoder", "head", "body", "stem", "tail"]


def named(kinds: list[tuple[str, int]], style: str) -> list[str]:
    """Names of modules as people give them: by position, by kind and number, or in words."""
    if style == "position":
        return [f"net.{position}" for position in range(len(kinds))]
    if style == "kind":
        found = []
        for position, (kind, _) in enumerate(kinds):
            number = sum(earlier == kind for earlier, _ in kinds[: position + 1])
            found.append(f"{'fc' if kind == 'dense' else 'bn'}{number}")
        return found
    return WORDS[: len(kinds)]


def network(kinds: list[tuple[str, int]]) -> cr.NeuralNetwork:
    layers: list[Layer] = [
        cr.Dense(units) if kind == "dense" else cr.BatchNorm() for kind, units in kinds
    ]
    return cr.NeuralNetwork(*layers, inputs=3, engine="reference")


def arrays_of(net: cr.NeuralNetwork, names: list[str]) -> dict[str, Array]:
    """What PyTorch would keep of such a network, with random numbers, and put them into it."""
    found: dict[str, Array] = {}
    for number, (layer, name) in enumerate(zip(net.layers, names, strict=True)):
        if isinstance(layer, cr.Dense):
            layer.weights = random(*layer.weights.shape, seed=number)
            layer.bias = random(*layer.bias.shape, seed=number)
            found |= {f"{name}.weight": layer.weights.T, f"{name}.bias": layer.bias}
            continue
        for there, ours in (
            ("weight", "scale"),
            ("bias", "shift"),
            ("running_mean", "running_mean"),
            ("running_var", "running_variance"),
        ):
            values = random(*layer.parameter_shapes((3,))[ours], seed=number) ** 2
            values = np.resize(values, vars(layer)[ours].shape)
            setattr(layer, ours, values)
            found[f"{name}.{there}"] = values
    return found


@given(
    some.lists(
        some.tuples(some.sampled_from(["dense", "norm"]), some.sampled_from([3, 4])),
        min_size=1,
        max_size=6,
    ),
    some.sampled_from(["position", "kind", "words"]),
)
def test_never_guessed(kinds: list[tuple[str, int]], style: str) -> None:
    """Right, or refused; and right wherever numbers tell the order of all of a kind."""
    net = network(kinds)
    names = named(kinds, style)
    twin = network(kinds)
    with tempfile.TemporaryDirectory() as folder:
        path = state_dict(Path(folder) / "m.safetensors", arrays_of(net, names))
        told = ""
        try:
            cr.load_weights(twin, path)
        except cr.InvalidSetting as error:
            told = str(error)
            cr.load_weights(twin, path, names=names)
    assert not told or (style == "words" and "more than one order" in told)
    assert np.array_equal(twin.parameter_vector.storage, net.parameter_vector.storage), (
        f"{kinds} {names}"
    )

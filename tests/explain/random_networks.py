"""Random networks of every kind of layer, with data to explain."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from contracts.examples import examples, targets_for
from hypothesis import strategies as st

import chainrule as cr
from chainrule.layer import Array, Shape
from explain.random_layers import Draw, layers_one_after_another

OPTIMIZERS = [o for o in examples(cr.Optimizer) if not isinstance(o, cr.LBFGS)]
LOSSES = examples(cr.Loss)
LAST = {
    "probabilities": "sigmoid",
    "logarithms of probabilities": "log_softmax",
    "positive": "softplus",
}


@dataclass
class Case:
    """A network and what to explain it with."""

    net: cr.NeuralNetwork
    x: Array
    y: Array
    sample_weight: Array | None
    training: bool


@st.composite
def cases(draw: Draw, dtypes: tuple[str, ...] = ("float64", "float64", "float32")) -> Case:
    """Networks of up to six layers, with data, loss, penalties and an optimizer that has run."""
    random = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    shape = draw(st.sampled_from([(3,), (1,), (5, 2), (4, 3, 2), (3, 4, 1), (2, 2, 4)]))
    layers = layers_one_after_another(draw, shape)
    loss = draw(st.sampled_from(LOSSES))
    last = LAST.get(loss.outputs, draw(st.sampled_from(["identity", "tanh"])))
    if loss.targets == "classes" and last == "sigmoid":
        last = "softmax"
    output = _shapes(layers, shape)[-1]
    fewest = 2 if loss.targets == "classes" else 1
    if len(output) > 1 and (output[-1] < fewest or draw(st.booleans())):
        layers.append(cr.Flatten())
    if len(_shapes(layers, shape)[-1]) == 1:
        layers.append(cr.Dense(draw(st.integers(fewest, 3)), last))
    elif last != "identity":
        layers.append(cr.Activation.get(last))
    else:
        layers.append(cr.Reshape(output))  # so that no activation is the last layer
    net = cr.NeuralNetwork(
        *layers,
        loss=loss,
        optimizer=draw(st.sampled_from(OPTIMIZERS)),
        l1=draw(st.sampled_from([0.0, 0.0, 0.1])),
        l2=draw(st.sampled_from([0.0, 0.0, 0.2])),
        dtype=draw(st.sampled_from(dtypes)),
        seed=draw(st.integers(0, 9)),
        inputs=shape,
        engine="reference",
    )
    _move(net, random)
    batch = draw(st.integers(2, 4))
    x = random.normal(size=(batch, *shape)).astype(net.dtype)
    y = targets_for(loss, (batch, *net.output_shape), random).astype(net.dtype)
    if draw(st.booleans()):
        net.fit(x, y, epochs=draw(st.integers(1, 3)), batch_size=None, progress=False)
    training = draw(st.booleans())
    if draw(st.booleans()) and not (training and any(map(_needs_a_batch, net.layers))):
        x, y, batch = x[:1], y[:1], 1
    weight = random.uniform(0.2, 2, batch).astype(net.dtype) if draw(st.booleans()) else None
    return Case(net, x, y, weight, training)


def _needs_a_batch(layer: cr.Layer) -> bool:
    inside = getattr(layer, "layers", ())
    return isinstance(layer, cr.BatchNorm) or any(map(_needs_a_batch, inside))


def _move(net: cr.NeuralNetwork, random: np.random.Generator) -> None:
    """Take parameters and statistics off the special values that they start from."""
    net.parameters[...] += random.normal(0, 0.3, net.parameters.size)
    for slot in net.parameter_vector.statistics:
        values = slot.view(net.parameter_vector.storage)
        values[...] = random.uniform(0.5, 2, values.shape)


def _shapes(layers: list[cr.Layer], shape: Shape) -> list[Shape]:
    found = [shape]
    for layer in layers:
        found.append(layer.output_shape(found[-1]))
    return found

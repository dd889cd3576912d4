"""Random layers that fit one after another.

A function with a corner has no derivative there. Numbers drawn at random do not meet corners, but
some layers make equal numbers, or zeros: what dropout leaves out, borders, enlarged pixels, the
flat half of ReLU. So layers with corners do not follow those until a dense layer has mixed the
numbers again.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from contracts.examples import OTHER_SETTINGS
from hypothesis import strategies as st

import chainrule as cr
from chainrule.layer import Shape

Draw = Callable[[st.SearchStrategy[Any]], Any]
Maker = Callable[[Draw, Shape], cr.Layer]

SMOOTH = (
    *("identity", "sigmoid", "tanh", "gelu", "gelu_tanh", "silu", "mish", "softplus"),
    *("softmax", "log_softmax"),
)
WITH_CORNERS = (  # in the function, or in its derivative
    *("relu", "leaky_relu", "prelu", "elu", "selu", "softsign", "hard_sigmoid", "hard_tanh"),
)


def layers_one_after_another(draw: Draw, shape: Shape) -> list[cr.Layer]:
    """Layers one after another, each of which can take what the one before gives."""
    layers: list[cr.Layer] = []
    has_ties = False
    for _ in range(draw(st.integers(1, 5))):
        corners, makers = _fitting(shape, allow_corners=not has_ties)
        maker = draw(st.sampled_from(makers))
        layer = maker(draw, shape)
        layers.append(layer)
        if isinstance(layer, cr.Dense) and layer.use_bias:
            has_ties = False
        if maker in corners or _makes_ties(layer):
            has_ties = True
        output = layer.output_shape(shape)
        if output == shape and not has_ties and draw(st.integers(0, 4)) == 0:
            layers.append(layer)  # the same layer, and so the same parameters, once more
        shape = output
    return layers


def _makes_ties(layer: cr.Layer) -> bool:
    """Whether equal numbers may come out: of a window that lies on padding alone, for one."""
    if isinstance(layer, cr.Conv1D | cr.Conv2D):
        return layer.padding != "same"
    return isinstance(layer, cr.Dropout | cr.ZeroPad | cr.UpSample)


def _fitting(shape: Shape, *, allow_corners: bool) -> tuple[list[Maker], list[Maker]]:
    """What can follow numbers of this shape: makers with corners, and all."""
    corners: list[Maker] = [_activation_with_corner]
    smooth: list[Maker] = [_activation, _dropout, _batch_norm, _rms_norm]
    smooth += [_layer_norm] * (shape[-1] > 1)
    if len(shape) == 1:
        corners += [_dense_with_corner]
        smooth += [_dense, _dense, _residual_of_rows, _reshape]
    else:
        corners += [_global_max_pool]
        smooth += [_flatten, _global_average_pool, _spatial_dropout]
        smooth += [_group_norm] * (math.prod(shape[:-1]) > 1)
    if len(shape) == 2:
        corners += [_max_pool_1d]
        smooth += [_conv_1d, _average_pool_1d]
    if len(shape) == 3:
        corners += [_max_pool_2d]
        smooth += [_conv_2d, _average_pool_2d, _residual_of_images]
        if shape[0] * shape[1] <= 12:
            smooth += [_transposed, _zero_pad, _up_sample]
    return corners, smooth + corners * allow_corners


# --- layers ---------------------------------------------------------------------------------------


def _smooth(draw: Draw, channels: int = 2) -> cr.Activation:
    """Softmax of one number is 1 whatever the number."""
    fitting = SMOOTH if channels > 1 else SMOOTH[:-2]
    return cr.Activation.get(draw(st.sampled_from(fitting)))


def _with_corner(draw: Draw) -> cr.Activation:
    chosen = cr.Activation.get(draw(st.sampled_from(WITH_CORNERS)))
    return draw(st.sampled_from([chosen, *OTHER_SETTINGS.get(type(chosen), [])]))


def _activation(draw: Draw, shape: Shape) -> cr.Layer:
    return _smooth(draw, shape[-1])


def _activation_with_corner(draw: Draw, shape: Shape) -> cr.Layer:
    return _fresh(_with_corner(draw))


def _fresh(activation: cr.Activation) -> cr.Activation:
    return type(activation).from_settings(activation.settings())


def _dense(draw: Draw, shape: Shape) -> cr.Layer:
    outputs = draw(st.sampled_from([1, 2, 3, 4, shape[0], 12]))
    return cr.Dense(outputs, _smooth(draw, outputs), use_bias=draw(st.booleans()))


def _dense_with_corner(draw: Draw, shape: Shape) -> cr.Layer:
    return cr.Dense(draw(st.integers(1, 4)), _fresh(_with_corner(draw)))


def _dropout(draw: Draw, shape: Shape) -> cr.Layer:
    return cr.Dropout(draw(st.sampled_from([0.2, 0.5])))


def _spatial_dropout(draw: Draw, shape: Shape) -> cr.Layer:
    return cr.SpatialDropout(draw(st.sampled_from([0.2, 0.5])))


def _batch_norm(draw: Draw, shape: Shape) -> cr.Layer:
    return cr.BatchNorm(epsilon=draw(st.sampled_from([0.01, 0.1])))


def _layer_norm(draw: Draw, shape: Shape) -> cr.Layer:
    return cr.LayerNorm(epsilon=0.1)


def _rms_norm(draw: Draw, shape: Shape) -> cr.Layer:
    return cr.RMSNorm(epsilon=0.1)


def _group_norm(draw: Draw, shape: Shape) -> cr.Layer:
    groups = draw(st.sampled_from([n for n in range(1, shape[-1] + 1) if shape[-1] % n == 0]))
    return cr.GroupNorm(groups, epsilon=0.1)


def _flatten(draw: Draw, shape: Shape) -> cr.Layer:
    return cr.Flatten()


def _reshape(draw: Draw, shape: Shape) -> cr.Layer:
    return cr.Reshape(draw(st.sampled_from([(-1,), (1, -1), (-1, 1), (1, 1, -1)])))


def _global_average_pool(draw: Draw, shape: Shape) -> cr.Layer:
    return cr.GlobalAveragePool()


def _global_max_pool(draw: Draw, shape: Shape) -> cr.Layer:
    return cr.GlobalMaxPool()


def _conv_1d(draw: Draw, shape: Shape) -> cr.Layer:
    groups = draw(st.sampled_from([1, shape[-1]]))
    filters = groups * draw(st.integers(1, 2))
    return cr.Conv1D(
        filters,
        draw(st.integers(1, 3)),
        _smooth(draw, filters),
        stride=draw(st.integers(1, 2)),
        padding=draw(st.sampled_from(["same", (2, 1)])),
        dilation=draw(st.integers(1, 2)),
        groups=groups,
        use_bias=draw(st.booleans()),
    )


def _conv_2d(draw: Draw, shape: Shape) -> cr.Layer:
    groups = draw(st.sampled_from([1, shape[-1]]))
    filters = groups * draw(st.integers(1, 2))
    return cr.Conv2D(
        filters,
        draw(st.sampled_from([1, 2, (2, 3)])),
        _smooth(draw, filters),
        stride=draw(st.sampled_from([1, (1, 2)])),
        padding=draw(st.sampled_from(["same", 1, ((1, 0), (2, 1))])),
        dilation=1,
        groups=groups,
        use_bias=draw(st.booleans()),
    )


def _transposed(draw: Draw, shape: Shape) -> cr.Layer:
    stride = draw(st.sampled_from([1, 2, (1, 2)]))
    return cr.ConvTranspose2D(2, draw(st.sampled_from([2, 3])), _smooth(draw), stride=stride)


def _pooling(draw: Draw) -> tuple[Any, ...]:
    return draw(st.integers(2, 3)), draw(st.integers(1, 2)), "same"


def _max_pool_1d(draw: Draw, shape: Shape) -> cr.Layer:
    return cr.MaxPool1D(*_pooling(draw))


def _max_pool_2d(draw: Draw, shape: Shape) -> cr.Layer:
    return cr.MaxPool2D(*_pooling(draw))


def _average_pool_1d(draw: Draw, shape: Shape) -> cr.Layer:
    return cr.AveragePool1D(*_pooling(draw))


def _average_pool_2d(draw: Draw, shape: Shape) -> cr.Layer:
    return cr.AveragePool2D(*_pooling(draw))


def _zero_pad(draw: Draw, shape: Shape) -> cr.Layer:
    return cr.ZeroPad(draw(st.sampled_from([1, ((0, 1), (1, 0))])))


def _up_sample(draw: Draw, shape: Shape) -> cr.Layer:
    return cr.UpSample(draw(st.sampled_from([(1, 2), (2, 1)])))


def _residual_of_rows(draw: Draw, shape: Shape) -> cr.Layer:
    outputs = draw(st.sampled_from([shape[0], 2]))
    inside: list[cr.Layer] = [cr.Dense(3, _smooth(draw)), cr.Dense(outputs)]
    if draw(st.booleans()):
        inside.insert(1, cr.BatchNorm(epsilon=0.1))
    around = draw(st.sampled_from(["auto", cr.Dense(outputs, "tanh")]))
    return cr.Residual(*inside, projection=around, activation=_smooth(draw, outputs))


def _residual_of_images(draw: Draw, shape: Shape) -> cr.Layer:
    filters = draw(st.sampled_from([shape[-1], 2]))
    strides = draw(st.sampled_from([1, 2]))
    inside: list[cr.Layer] = [
        cr.Conv2D(filters, 3, _smooth(draw, filters), stride=strides, padding="same")
    ]
    if draw(st.booleans()):
        inside.append(cr.RMSNorm(epsilon=0.1))
    around = draw(st.sampled_from(["auto", "layer"]))
    projection = (
        cr.Conv2D(filters, 1, stride=strides, padding="same") if around == "layer" else "auto"
    )
    return cr.Residual(*inside, projection=projection, activation=_smooth(draw, filters))

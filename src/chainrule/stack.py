"""Layers one after another: their shapes, their parameters, and the engine that runs them."""

from __future__ import annotations

from typing import Any

import numpy as np

from chainrule.activation import Activation
from chainrule.checks import shown
from chainrule.engines.reference import ReferenceEngine
from chainrule.errors import InvalidSetting, InvalidShape, NotBuilt
from chainrule.layer import Layer, Shape
from chainrule.parameters import ParameterVector


class LayerStack:
    """What a network is made of, apart from its loss and its training.

    Parameters
    ----------
    *layers : Layer
        In the order the data pass through.
    dtype : numpy dtype
        Of all parameters.

    Attributes
    ----------
    layers : tuple of Layer
    input_shape : tuple of int or None
        Shape of one sample; None until ``build``.
    shapes : list of tuple of int
        Shape of one sample before the first layer and after each.
    parameters : ParameterVector
    engine : ReferenceEngine
    """

    def __init__(self, *layers: Layer, dtype: np.dtype[Any]) -> None:
        self.layers = _check_layers(layers)
        self.dtype = dtype
        self.input_shape: Shape | None = None

    @property
    def last_activation(self) -> Activation | None:
        """What the outputs have passed through, if anything."""
        last = self.layers[-1]
        return last if isinstance(last, Activation) else last.activation

    def shapes_for(self, input_shape: Shape) -> list[Shape]:
        """Shape before the first layer and after each, for such inputs; changes nothing.

        Raises
        ------
        InvalidShape
            When a layer cannot take what it would be given.
        """
        shapes = [input_shape]
        for number, layer in enumerate(self.layers, start=1):
            shapes.append(layer.output_shape(shapes[-1]))
            owners = layer.parameter_owners(shapes[-2])
            if self.input_shape is None and any(owner.is_bound for _, _, owner, _ in owners):
                raise InvalidSetting(
                    f"Layer {number}, {layer!r}, already belongs to another network. Give this "
                    "one a layer of its own: copy.deepcopy(layer) has the same settings."
                )
        return shapes

    def build(self, input_shape: Shape, seed: int) -> None:
        """Settle all shapes and draw the starting weights; on any error nothing has changed."""
        if self.input_shape is not None:
            raise InvalidShape(
                f"This network is built for samples of shape {self.input_shape}; received "
                f"{input_shape}. Make a new network for other data."
            )
        shapes = self.shapes_for(input_shape)
        parameters = ParameterVector(self.layers, shapes[:-1], self.dtype)
        parameters.initialize(seed)
        self.shapes, self.parameters = shapes, parameters
        self._attach()
        self.input_shape = input_shape

    def need_built(self) -> None:
        """Raise NotBuilt while the shapes are not known."""
        if self.input_shape is None:
            raise NotBuilt(
                "This network has no weights yet: their shape follows from the number of inputs. "
                "Give NeuralNetwork(..., inputs=N), or call net.build(N) or net.fit(X, y) first."
            )

    def _attach(self) -> None:
        self.parameters.bind()
        self.engine = ReferenceEngine(self.layers, self.parameters)

    def __setstate__(self, state: dict[str, Any]) -> None:
        """After copying or unpickling, tie the layers to the copied vector again."""
        self.__dict__.update(state)
        if self.input_shape is not None:
            self._attach()


def _check_layers(layers: tuple[Any, ...]) -> tuple[Layer, ...]:
    if len(layers) == 1 and isinstance(layers[0], list | tuple):
        layers = tuple(layers[0])
    if not layers:
        raise InvalidSetting("NeuralNetwork received no layers; expected at least one: Dense(1).")
    for number, layer in enumerate(layers, start=1):
        if isinstance(layer, type) and issubclass(layer, Layer):
            raise InvalidSetting(
                f"Layer {number} is the class {layer.__name__}; expected an object of it: "
                f"{layer.__name__}(...)."
            )
        if not isinstance(layer, Layer):
            raise InvalidSetting(
                f"Layer {number} is {shown(layer)}; expected a layer such as Dense(4) or ReLU()."
            )
    return tuple(layers)

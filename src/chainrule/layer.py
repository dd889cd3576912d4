"""Layer and Trace: start reading here.

A layer is three things: hyperparameters, parameters, and two methods. ``feedforward`` turns the
layer's inputs into its outputs. ``backprop`` takes the derivative of the loss with respect to those
outputs and applies the chain rule twice: once for the parameters, once for the inputs, so that the
layer before can go on.

What ``backprop`` needs to remember of the forward pass stands in a *trace* that the caller owns,
never in the layer itself. So a validation pass cannot overwrite what training is about to use, two
threads can share a network, and every intermediate number is there to be looked at afterwards.

One naming rule holds everywhere: ``d_name`` is ∂loss/∂name and has the shape of ``name``. It is
the gradient itself, so an update *subtracts* it. (Many tutorials keep the negative gradient and add
it.)
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Self, TypeAlias, overload

import numpy as np

from chainrule.errors import BackpropBeforeFeedforward, InvalidData, InvalidShape, NotBuilt
from chainrule.randomness import generator
from chainrule.registry import Registered

if TYPE_CHECKING:
    import numpy.typing as npt

    from chainrule.activation import Activation

Array: TypeAlias = "npt.NDArray[Any]"
Shape: TypeAlias = tuple[int, ...]
Index: TypeAlias = tuple[int, ...]  # of one number in an array


@dataclass
class Pass:
    """What all traces of one pass share.

    Attributes
    ----------
    training : bool
        Whether the pass belongs to training. Dropout drops only then, and batch normalization
        uses the batch's own mean only then.
    seed, step : int
        Key of the pass's random numbers, so that any step can be replayed.
    """

    training: bool = False
    seed: int = 0
    step: int = 0


class Trace:
    """What one pass leaves behind at one position of the network.

    Layers write their intermediate values into it as attributes and read them back in
    ``backprop``. Reading one that no pass has written raises ``BackpropBeforeFeedforward``.

    Parameters
    ----------
    shared : Pass, optional
        What this trace has in common with the others of the same pass.
    position : tuple of int
        Where in the network: (3,) is the fourth layer, (3, 0) the first one inside it.

    Attributes
    ----------
    needs_d_x : bool
        Whether anyone will use ∂loss/∂x of this layer. Training never asks the first layer for
        it (the data are not updated), and a layer may then return None instead of computing it.
    """

    needs_d_x: bool = True

    def __init__(self, shared: Pass | None = None, position: tuple[int, ...] = ()) -> None:
        vars(self).update(_shared=shared or Pass(), _position=position, _rooms={}, _inner={})

    @property
    def training(self) -> bool:
        """Whether this pass belongs to training."""
        return self._shared.training

    def random(self, purpose: str) -> np.random.Generator:
        """Random numbers of this pass at this position; the same whenever they are asked for."""
        shared = self._shared
        return generator(shared.seed, purpose, shared.step, *self._position)

    def inner(self, index: int) -> Trace:
        """Return the trace of the layer that stands at ``index`` inside this one."""
        if index not in self._inner:
            self._inner[index] = Trace(self._shared, (*self._position, index))
        return self._inner[index]

    def room(self, name: str) -> Array | None:
        """Where the engine would like the gradient ``name`` to be written, or None: anywhere.

        ``trace.d_weights = np.dot(..., out=trace.room("d_weights"))`` puts it straight into its
        place in the network's vector of gradients. A layer that ignores the room and assigns an
        array of its own is as right; the engine then copies it.
        """
        return self._rooms.get(name)

    def reserve(self, name: str, room: Array) -> None:
        """Offer ``room`` for a gradient; for engines."""
        self._rooms[name] = room

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        pass_name = "backprop" if name.startswith("d_") else "feedforward"
        raise BackpropBeforeFeedforward(
            f"This trace holds no {name!r} (it holds: {', '.join(self.fields()) or 'nothing'}). "
            f"Run {pass_name} with this same trace first; each pass fills the trace it is given."
        )

    if TYPE_CHECKING:  # tells type checkers that layers may write whatever they need

        def __setattr__(self, name: str, value: Any) -> None: ...

    def fields(self) -> dict[str, Any]:
        """Return the values written so far, by name, in the order they were first written."""
        return {
            name: value
            for name, value in vars(self).items()
            if not name.startswith("_") and name != "needs_d_x"
        }

    def tensors(self, prefix: str) -> Iterator[tuple[str, str, Any]]:
        """Yield place, name and value of everything here and in the traces inside."""
        for name, value in self.fields().items():
            yield prefix, name, value
        for index, inner in self._inner.items():
            yield from inner.tensors(f"{prefix}.{index + 1}")

    def __repr__(self) -> str:
        shown = (
            f"{name} {value.shape}" if isinstance(value, np.ndarray) else name
            for name, value in self.fields().items()
        )
        return f"Trace({', '.join(shown)})"


class Parameter:
    """A trainable array of a layer, declared in the class body: ``weights = Parameter()``.

    The array itself is a view into the one flat vector that holds all parameters of the network.
    Therefore assigning copies the new values *into* that view (after checking them) instead of
    replacing it: ``layer.weights = W`` and ``layer.weights[0, 2] = 0.5`` both do what they say.

    Parameters
    ----------
    penalized : bool
        Whether weight decay and L1/L2 penalties apply. They are meant for weights: pulling a
        bias towards zero does not make the function smoother.
    trainable : bool
        False for what a layer counts up instead of learning by gradient, as the running mean of
        batch normalization. It has no gradient and changes only in ``update_statistics``.
    """

    def __init__(self, *, penalized: bool = False, trainable: bool = True) -> None:
        self.penalized = penalized
        self.trainable = trainable

    def __set_name__(self, owner: type, name: str) -> None:
        self.name = name

    @overload
    def __get__(self, layer: None, owner: type) -> Self: ...
    @overload
    def __get__(self, layer: Layer, owner: type) -> Array: ...
    def __get__(self, layer: Layer | None, owner: type) -> Self | Array:
        if layer is None:
            return self
        try:
            return layer.__dict__[self.name]
        except KeyError:
            raise NotBuilt(
                f"{layer!r} has no {self.name} yet: their shape follows from the number of inputs. "
                "Give it with NeuralNetwork(..., inputs=N), or call net.build(N) or net.fit first."
            ) from None

    def __set__(self, layer: Layer, value: npt.ArrayLike) -> None:
        array = self.__get__(layer, type(layer))
        try:
            new = np.asarray(value)
        except ValueError:
            new = np.empty(0)  # rows of different lengths have no shape
        if new.shape != array.shape:
            raise InvalidShape(
                f"{layer!r}: received {self.name} of shape {new.shape}; expected {array.shape}."
            )
        if new.dtype.kind not in "biufO":
            raise InvalidData(
                f"{layer!r}: received {self.name} of dtype {new.dtype}; expected numbers."
            )
        try:
            with np.errstate(over="ignore"):  # what does not fit becomes infinite, refused below
                converted = new.astype(array.dtype)
        except (TypeError, ValueError, OverflowError) as error:
            raise InvalidData(
                f"{layer!r}: received {self.name} that are not numbers ({error})."
            ) from error
        if not np.isfinite(converted).all():
            raise InvalidData(
                f"{layer!r}: received {self.name} with NaN, infinity, or numbers too large for "
                f"{array.dtype}; expected finite numbers."
            )
        array[...] = converted


class Layer(Registered, family="layer", home="chainrule.layers"):
    """One step of the network: hyperparameters, parameters, ``feedforward``, ``backprop``.

    To write one: derive from this class, declare each trainable array as a ``Parameter``, and
    define ``output_shape``, ``parameter_shapes`` (where there are parameters), ``feedforward``
    and ``backprop``. Neither of the two passes may assign to ``self``.

    Attributes
    ----------
    activation : Activation or None
        A layer that ends in an activation keeps it here. The activation works in the trace of its
        layer (as ``z`` and ``a``), and its parameters, if it has any, count as the layer's.
    """

    activation: Activation | None = None
    _declared: ClassVar[dict[str, Parameter]] = {}

    def __init_subclass__(cls, **keywords: Any) -> None:
        super().__init_subclass__(**keywords)
        own = {name: p for name, p in vars(cls).items() if isinstance(p, Parameter)}
        cls._declared = cls._declared | own

    def output_shape(self, input_shape: Shape) -> Shape:
        """Shape of one output sample for one input sample (both without the batch axis).

        Raises
        ------
        InvalidShape
            When the layer cannot take such an input.
        """
        return input_shape

    def parameter_shapes(self, input_shape: Shape) -> dict[str, Shape]:
        """Shape of each parameter for that input; only those this layer really has."""
        return {}

    def initial_value(self, name: str, shape: Shape, random: np.random.Generator) -> Array:
        """Value a parameter starts training from."""
        return np.zeros(shape)

    def feedforward(self, x: Array, trace: Trace) -> Array:
        """Compute the layer's outputs and leave in the trace what backprop will need."""
        raise NotImplementedError(f"{type(self).__name__} defines no feedforward")

    def backprop(self, d_output: Array, trace: Trace) -> Array | None:
        """Turn ∂loss/∂output into ∂loss/∂x, leaving ∂loss/∂parameter in the trace on the way.

        Returns None where ``trace.needs_d_x`` is False and the layer saved itself the work.
        """
        raise NotImplementedError(f"{type(self).__name__} defines no backprop")

    def equations(self, training: bool) -> dict[str, str]:
        """How each array of the two passes follows from the others, for explanations.

        By the array's name, its equation in Python's syntax: ``{"z": "x @ weights + bias"}``.
        Names are trace fields, parameters and settings; ``x`` is what the layer receives, ``d_x``
        and ``d_z`` are gradients. The forward pass comes first, and the last of its arrays is the
        layer's output (before its activation, which adds its own equations). Beside Python's
        operators there are the operations listed in ``chainrule.explain.operations``.

        A layer that gives none is explained by its numbers alone.
        """
        return {}

    def update_statistics(self, trace: Trace) -> None:
        """Count the pass in the trace into what the layer keeps by counting; once per step.

        The training loop calls it for layers that define it. Nothing else changes statistics.
        """

    def inner_layers(self, input_shape: Shape) -> list[tuple[Layer, Shape]]:
        """Layers that this one is made of, each with its input shape; ``trace.inner(i)`` is i's."""
        return []

    def parameter_owners(
        self, input_shape: Shape, path: tuple[int, ...] = ()
    ) -> Iterator[tuple[tuple[int, ...], str, Layer, Shape]]:
        """Path, name, owner and shape of each parameter.

        First the layer's own, then its activation's (which has the layer's path, because it works
        in the layer's trace), then those of the layers inside.
        """
        for name, shape in self.parameter_shapes(input_shape).items():
            yield path, name, self, shape
        if self.activation is not None:
            yield from self.activation.parameter_owners(self.output_shape(input_shape), path)
        for index, (layer, shape) in enumerate(self.inner_layers(input_shape)):
            yield from layer.parameter_owners(shape, (*path, index))

    def declared(self, name: str) -> Parameter:
        """Return the declaration of a parameter."""
        return self._declared[name]

    def bind(self, name: str, view: Array) -> None:
        """Let a parameter live in ``view``, a piece of the network's flat vector."""
        self.__dict__[name] = view

    @property
    def is_bound(self) -> bool:
        """Whether the parameters live in a network's flat vector already."""
        own = any(name in self.__dict__ for name in self._declared)
        return own or (self.activation is not None and self.activation.is_bound)

    def __getstate__(self) -> dict[str, Any]:
        """Copy and pickle the hyperparameters; the values belong to the network that binds them."""
        return {name: value for name, value in self.__dict__.items() if name not in self._declared}

"""An ejected module is run before it is written: it must compute what the network computes."""

from __future__ import annotations

import runpy
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from chainrule.errors import InvalidSetting
from chainrule.layer import Array, Shape
from chainrule.saving.eject.module import EjectedModule

if TYPE_CHECKING:
    from chainrule.network import NeuralNetwork

_SAMPLES = 4
_TOLERANCE = 1e-8


def check_module(network: NeuralNetwork, module: EjectedModule, file_name: str) -> None:
    """Compare predictions and gradients of a module with those of its float64 network.

    Parameters
    ----------
    network : NeuralNetwork
        Of float64, with the parameters that the module was made from.
    module : EjectedModule
    file_name : str
        Of its numbers.

    Raises
    ------
    InvalidSetting
        When they differ: a class of someone's own computes something else than its formulas say.
    """
    random = np.random.default_rng(0)
    x = random.normal(size=(_SAMPLES, *network.shapes[0]))
    y = targets_for(network.loss.targets, network.output_shape, random)
    expected = network.loss.prediction(network.feedforward(x))
    with tempfile.TemporaryDirectory() as folder, np.errstate(all="ignore"):
        path = Path(folder) / "ejected.py"
        path.write_text(module.text, encoding="utf-8")
        if module.numbers is not None:
            (Path(folder) / file_name).write_bytes(module.numbers)
        try:
            twin: Any = runpy.run_path(str(path))["NeuralNetwork"]()
            found = twin.predict(x)
            if not module.is_random:
                gradients = _gradients(module, twin, x, y)
        except (
            ArithmeticError,
            LookupError,
            NameError,
            SyntaxError,
            TypeError,
            ValueError,
        ) as error:
            raise InvalidSetting(
                f"This network cannot be ejected: its module would not run ({error!r}). A layer, "
                "activation or loss of your own has formulas or equations that do not fit it."
            ) from error
    _compare("predictions", expected, found, float(np.abs(expected).max()))
    if not module.is_random:
        _compare_gradients(network, gradients, x, y)


def _gradients(module: EjectedModule, twin: Any, x: Array, y: Array) -> list[Array]:
    """What the module's backprop gives, for each parameter."""
    if module.trains:
        twin.feedforward(x, training=True)
    else:
        twin.feedforward(x)
    twin.backprop(y)
    return [getattr(twin, f"d_{name}") for name in module.parameters]


def _compare_gradients(network: NeuralNetwork, found: list[Array], x: Array, y: Array) -> None:
    trace = network.new_trace(training=True)
    network.feedforward(x, trace)
    gradients = network.backprop(y, trace)
    length = float(np.sqrt(np.vdot(gradients, gradients)))
    for slot, gradient in zip(network.parameter_vector.slots, found, strict=True):
        _compare(f"the gradient of {slot.label}", slot.view(gradients), gradient, length)


def _compare(what: str, expected: Array, found: Array, length: float) -> None:
    """Refuse what differs by more than rounding: ``length`` is that of all such numbers."""
    if not np.isfinite(expected).all():
        return  # numbers drawn at random may be too large for the network
    same_shape = expected.shape == found.shape
    if same_shape and np.abs(expected - found).max(initial=0) <= _TOLERANCE * length:
        return
    raise InvalidSetting(
        f"This network cannot be ejected: {what} of the module would differ from the network's. "
        "A layer, activation or loss of your own computes something else than its formulas or "
        "equations say; net.explain and the contract tests show where."
    )


def targets_for(kind: str, shape: Shape, random: np.random.Generator) -> Array:
    """Draw actual values such as a loss takes."""
    size = (_SAMPLES, *shape)
    match kind:
        case "classes":
            return random.integers(0, shape[-1], size[:-1])
        case "probabilities":
            return random.uniform(0, 1, size)
        case "signs":
            return random.choice([-1.0, 1.0], size)
        case "counts":
            return random.poisson(3, size).astype(np.float64)
    return random.normal(size=size)

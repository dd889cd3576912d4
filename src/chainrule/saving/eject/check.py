"""An ejected module is run before it is written: it must compute what the network computes."""

from __future__ import annotations

import copy
import math
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
# A gradient that should be 0 is only rounding, and some optimizers make a whole step of its sign.
_ROUNDING = 1e-9

_WILL_NOT_RUN = (ArithmeticError, AttributeError, LookupError, NameError, SyntaxError, TypeError)


def check_module(network: NeuralNetwork, module: EjectedModule, file_name: str) -> None:
    """Compare predictions, loss, gradients and one update of a module with the network's.

    Parameters
    ----------
    network : NeuralNetwork
        Of float64, the one that the module was made from; it stays as it is.
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
    network = copy.deepcopy(network)
    with np.errstate(all="ignore"):
        expected = network.loss.prediction(network.feedforward(x))
        try:
            twin = _run(module, file_name)
            found = twin.predict(x)
            _step(module, twin, x, y)
        except (*_WILL_NOT_RUN, ValueError) as error:
            raise InvalidSetting(
                f"This network cannot be ejected: its module would not run ({error!r}). A layer, "
                "activation, loss or optimizer of your own has formulas or equations that do not "
                "fit it."
            ) from error
        _compare("predictions", expected, found, float(np.abs(expected).max()))
        if not module.is_random:
            _compare_step(network, module, twin, x, y)


def _run(module: EjectedModule, file_name: str) -> Any:
    """Return an object of the module's class."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "ejected.py"
        path.write_text(module.text, encoding="utf-8")
        if module.numbers is not None:
            (Path(folder) / file_name).write_bytes(module.numbers)
        return runpy.run_path(str(path))["NeuralNetwork"]()


def _step(module: EjectedModule, twin: Any, x: Array, y: Array) -> None:
    """One step of training, keeping its loss and its gradients beside it."""
    if module.trains:
        twin.feedforward(x, training=True)
    else:
        twin.feedforward(x)
    twin.loss_before = twin.loss(y)
    twin.backprop(y)
    twin.gradients = [getattr(twin, f"d_{name}").copy() for name in module.parameters]
    twin.update()


def _compare_step(
    network: NeuralNetwork, module: EjectedModule, twin: Any, x: Array, y: Array
) -> None:
    trace = network.new_trace(training=True)
    network.feedforward(x, trace)
    loss = np.array(network.measure(y, trace))
    _compare("the loss", loss, np.array(twin.loss_before), abs(float(loss)))
    gradients = network.backprop(y, trace)
    length = math.sqrt(np.vdot(gradients, gradients))
    vector = network.parameter_vector
    for slot, found in zip(vector.slots, twin.gradients, strict=True):
        _compare(f"the gradient of {slot.label}", slot.view(gradients), found, length)
    certain = np.abs(gradients) > _ROUNDING * length
    before = network.parameters.copy()
    _update(network, gradients, length)
    change = np.where(certain, network.parameters - before, 0)
    longest = float(np.abs(before).max(initial=0) + np.abs(change).max(initial=0))
    for slot, name in zip(vector.slots, module.parameters, strict=True):
        expected = slot.view(change)
        found = np.where(slot.view(certain), getattr(twin, name) - slot.view(before), 0)
        _compare(f"the update of {slot.label}", expected, found, longest)


def _update(network: NeuralNetwork, gradients: Array, length: float) -> None:
    """Let the network's optimizer make a step."""
    optimizer, state = network.optimizer, network.training_state
    rate = float(optimizer.schedule.rate(state.epoch, state.schedule))
    optimizer.clip(gradients, length)
    optimizer.step(
        network.parameters, gradients, state.optimizer, rate, network.parameter_vector.penalized
    )


def _compare(what: str, expected: Array, found: Array, length: float) -> None:
    """Refuse what differs by more than rounding: ``length`` is that of all such numbers."""
    if not np.isfinite(expected).all():
        return  # numbers drawn at random may be too large for the network
    same_shape = expected.shape == found.shape
    if same_shape and np.abs(expected - found).max(initial=0) <= _TOLERANCE * length:
        return
    raise InvalidSetting(
        f"This network cannot be ejected: {what} of the module would differ from the network's. "
        "A layer, activation, loss or optimizer of your own computes something else than its "
        "formulas or equations say; net.explain and the contract tests show where."
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

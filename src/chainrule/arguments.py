"""What a person passes to ``NeuralNetwork`` and its methods, checked before anything happens."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from chainrule import checks, data
from chainrule.errors import InvalidSetting, InvalidShape
from chainrule.layer import Array, Shape
from chainrule.loss import Loss
from chainrule.metrics import Metric
from chainrule.optimizer import Optimizer
from chainrule.optimizers import LBFGS
from chainrule.targets import numeric_array
from chainrule.training.callbacks import Callback

if TYPE_CHECKING:
    from chainrule.data.augmentation import Augmentation


def check_dtype(dtype: Any) -> np.dtype[Any]:
    """Check "float32" or "float64", as a name or as NumPy's type."""
    try:
        name = dtype if dtype is None else np.dtype(dtype).name  # NumPy takes None for float64
    except TypeError:
        name = dtype
    return np.dtype(checks.one_of("dtype", name, ("float32", "float64")))


def check_input_shape(inputs: Any) -> Shape:
    """Make ``3`` the shape (3,); check the sizes of a tuple."""
    if isinstance(inputs, tuple | list):
        return tuple(checks.whole_number("inputs", size) for size in inputs)
    return (checks.whole_number("inputs", inputs),)


def check_batch_size(batch_size: int | None) -> int | None:
    """Check a number of samples, or None for all of them."""
    return None if batch_size is None else checks.whole_number("batch_size", batch_size)


def check_metrics(metrics: str | Metric | Sequence[str | Metric], loss: Loss) -> list[Metric]:
    """Turn names into metrics and refuse those that say nothing about what the loss learns."""
    listed = [metrics] if isinstance(metrics, str | Metric) else metrics
    if not isinstance(listed, list | tuple):
        raise InvalidSetting(
            f"metrics received {checks.shown(metrics)}; expected a list of names such as "
            "['accuracy', 'f1'], or of Metric objects."
        )
    checked = [Metric.get(metric) for metric in listed]
    names = [metric.name for metric in checked]
    for metric in checked:
        metric.check(loss)
        if names.count(metric.name) > 1:
            raise InvalidSetting(
                f"metrics holds two metrics called {metric.name!r}; expected each name once, "
                "because it is the column in the history."
            )
    return checked


def check_callbacks(callbacks: Callback | Sequence[Callback]) -> list[Callback]:
    """Check that each is a Callback."""
    listed = callbacks if isinstance(callbacks, list | tuple) else [callbacks]
    for callback in listed:
        if not isinstance(callback, Callback):
            raise InvalidSetting(
                f"callbacks holds {checks.shown(callback)}; expected Callback objects, such as "
                "EarlyStopping(patience=10). A plain function goes in as OnEpoch(function)."
            )
    return list(listed)


def check_augment(
    augment: str | Augmentation | Sequence[str | Augmentation], optimizer: Optimizer
) -> list[Augmentation]:
    """Turn names into augmentations."""
    listed: list[Any] = list(augment) if isinstance(augment, list | tuple) else [augment]
    if listed and isinstance(optimizer, LBFGS):
        raise InvalidSetting(
            "fit received augment, and the optimizer is 'lbfgs', which needs the same samples in "
            "every iteration. Use another optimizer, such as 'adam', or no augmentation."
        )
    return [data.Augmentation.get(augmentation) for augmentation in listed]


def unpack_validation(validation: Sequence[Any]) -> tuple[Any, Any, Any]:
    """(X, y) or (X, y, sample_weight) -> all three, the weight None where there is none."""
    if len(validation) not in (2, 3):
        raise InvalidSetting(
            f"validation received {len(validation)} things; expected (X, y), "
            "(X, y, sample_weight), or a fraction such as 0.2."
        )
    x, y, weight = (*validation, None)[:3]
    return x, y, weight


def check_seeds(seeds: Any) -> list[int] | None:
    """Check a seed for each of many trainings; a number N means 0 ... N-1."""
    if seeds is None:
        return None
    if isinstance(seeds, int | np.integer) and not isinstance(seeds, bool):
        return list(range(checks.whole_number("seeds", seeds, at_least=1)))
    if not isinstance(seeds, Sequence | np.ndarray) or isinstance(seeds, str) or not len(seeds):
        raise InvalidSetting(
            f"seeds received {checks.shown(seeds)}; expected whole numbers, one for each training, "
            "as range(1000), or how many."
        )
    return [checks.whole_number("seeds", seed, at_least=0) for seed in seeds]


def check_rates(rates: Any) -> list[float] | None:
    """Check a learning rate for each of many trainings."""
    if rates is None:
        return None
    if not isinstance(rates, Sequence | np.ndarray) or isinstance(rates, str) or not len(rates):
        raise InvalidSetting(
            f"learning_rates received {checks.shown(rates)}; expected a number for each training."
        )
    return [checks.number("learning_rates", rate, at_least=0) for rate in rates]


def check_starts(starts: Any, count: int) -> Array | None:
    """Check a row of ``count`` parameters for each of many trainings."""
    if starts is None:
        return None
    found = numeric_array("starts", starts, np.dtype(np.float64))
    if found.ndim != 2 or found.shape[1] != count or not len(found):
        raise InvalidShape(
            f"starts received an array of shape {found.shape}; expected (networks, {count}): the "
            "parameters of each network in a row."
        )
    return found


def common_length(**given: Any) -> int:
    """How many trainings, which all lists that were given must agree on."""
    lengths = {name: len(values) for name, values in given.items() if values is not None}
    if not lengths:
        raise InvalidSetting(
            "train_many received neither seeds nor learning_rates nor starts, so there is nothing "
            "to tell the networks apart. Give seeds=100, say."
        )
    if len(set(lengths.values())) > 1:
        told = ", ".join(f"{name} of {length}" for name, length in lengths.items())
        raise InvalidSetting(f"train_many received {told}; expected lists of one length.")
    return next(iter(lengths.values()))

"""What a person passes to ``NeuralNetwork`` and its methods, checked before anything happens."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from chainrule import checks
from chainrule.data.augmentation import Augmentation
from chainrule.errors import InvalidSetting
from chainrule.layer import Shape
from chainrule.loss import Loss
from chainrule.metrics import Metric
from chainrule.optimizer import Optimizer
from chainrule.optimizers import LBFGS
from chainrule.training.callbacks import Callback


def check_dtype(dtype: Any) -> np.dtype[Any]:
    """Check "float32" or "float64", as a name or as NumPy's type."""
    try:
        name = np.dtype(dtype).name
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
    listed = [metrics] if isinstance(metrics, str | Metric) else list(metrics)
    checked = [Metric.get(metric) for metric in listed]
    for metric in checked:
        metric.check(loss)
    return checked


def check_callbacks(callbacks: Callback | Sequence[Callback]) -> list[Callback]:
    """Check that each is a Callback."""
    listed = [callbacks] if isinstance(callbacks, Callback) else list(callbacks)
    for callback in listed:
        if not isinstance(callback, Callback):
            raise InvalidSetting(
                f"callbacks holds {callback!r}; expected Callback objects, such as "
                "EarlyStopping(patience=10). A plain function goes in as OnEpoch(function)."
            )
    return listed


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
    return [Augmentation.get(augmentation) for augmentation in listed]


def unpack_validation(validation: Sequence[Any]) -> tuple[Any, Any, Any]:
    """(X, y) or (X, y, sample_weight) -> all three, the weight None where there is none."""
    if len(validation) not in (2, 3):
        raise InvalidSetting(
            f"validation received {len(validation)} things; expected (X, y), "
            "(X, y, sample_weight), or a fraction such as 0.2."
        )
    x, y, weight = (*validation, None)[:3]
    return x, y, weight

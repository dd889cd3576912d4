"""One pass of the compiled engine with every value kept, to compare with the reference engine's."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from chainrule.engines.compiled.plan import Buffer
from chainrule.engines.compiled.training import CompiledTraining
from chainrule.engines.compiled.twin import Twin
from chainrule.engines.compiled.workers import Workers
from chainrule.layer import Array, Layer, Shape
from chainrule.loss import Loss
from chainrule.optimizers import GradientDescent
from chainrule.parameters import ParameterVector
from chainrule.samples import Samples


class TracedPass:
    """Forward and back over one batch.

    Parameters
    ----------
    layers, shapes, parameters, loss
        The network's.
    x, y : ndarray
        Checked samples, all in one batch.
    weight : ndarray or None
    seed, step : int
        Key of the random masks.
    threads : int

    Attributes
    ----------
    fields : dict
        By path of the layer and name, as ``fields[(0,), "x"]``: what the layer's twin has left.
    output, d_output, d_x : ndarray
    loss : float
    gradients : ndarray (count,)
    """

    def __init__(
        self,
        layers: tuple[Layer, ...],
        shapes: list[Shape],
        parameters: ParameterVector,
        loss: Loss,
        x: Array,
        y: Array,
        weight: Array | None = None,
        *,
        seed: int = 0,
        step: int = 0,
        threads: int = 1,
    ) -> None:
        standing_still = GradientDescent(0.0)
        training = CompiledTraining(
            layers, shapes, parameters, loss, standing_still,
            standing_still.start(parameters.values),
            l1=0.0, l2=0.0, seed=seed, batch=len(x), threads=threads, traced=True,
        )  # fmt: skip
        training.take(Samples(x, y, weight))
        with Workers(threads) as workers:
            _, losses, _ = training.steps(workers, 0, np.zeros(1), None, step)
        rows = len(x)

        def values(buffer: Buffer | None) -> Array | None:
            return None if buffer is None else training.program.values(buffer, rows).copy()

        self.loss = float(losses[0].sum())
        self.gradients = training.gradients
        self.output, self.d_output = values(training.output), values(training.d_output)
        self.d_x = values(training.d_x)
        self.fields = {
            (twin.path, name): values(buffer)
            for twin in _all(training.twins)
            for name, buffer in twin.fields.items()
        }


def _all(twins: list[Twin]) -> Iterator[Twin]:
    for twin in twins:
        yield twin
        yield from _all(list(twin.inner.values()))

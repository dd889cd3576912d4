"""L-BFGS on the whole data set, through SciPy."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

import numpy as np

from chainrule.errors import optional_package
from chainrule.layer import Array
from chainrule.optimizers import LBFGS
from chainrule.samples import Samples
from chainrule.training.compiled_descent import ready

Measure = Callable[[], tuple[float, Array]]

CONVERGED = "L-BFGS: the gradient is below its tolerance"
STANDS_STILL = "L-BFGS: the loss goes down by less than its tolerance"
ALL_DONE = "L-BFGS: all iterations done"
NO_WAY_DOWN = "L-BFGS: no step goes further down at this precision"


class Ending(NamedTuple):
    """How L-BFGS ended.

    Attributes
    ----------
    loss : float
        At the parameters it came to.
    reason : str
    """

    loss: float
    reason: str


def descend_by_scipy(loop: Any) -> None:
    """Run one training by L-BFGS: SciPy decides the steps, this records them.

    Parameters
    ----------
    loop : TrainingLoop
        Whose books it keeps; its ``ending`` says how it ended.
    """

    def after_iteration(loss: float, norm: float) -> bool:
        np.copyto(loop.last_finite, loop.storage)
        if loop.counts:
            loop.network.update_statistics(loop.trace)
        loop.state.epoch += 1
        loop.state.step += 1
        loop.history.record_step(loss, 1.0, norm)
        loop.bar.step(loss)
        loop.epoch_loss = loss
        if loop.after_step:
            loop.call("after_step", loop.after_step)
        loop.end_epoch()
        loop.heed_interrupt()
        return not loop.history.stopped_because

    with _measure(loop) as measure:
        loss, gradients = measure()
        if not (math.isfinite(loss) and np.isfinite(gradients).all()):
            loop.stop_at_non_finite(loss, 1.0)
        loop.ending = minimize_with_scipy(
            loop.optimizer,
            loop.parameters,
            measure,
            after_iteration,
            loop.plan.epochs,
            start=(loss, gradients),
        )
    if not loop.history.stopped_because:
        loop.history.stop(loop.ending.reason)


@contextmanager
def _measure(loop: Any) -> Iterator[Measure]:
    """What gives loss and gradient over all samples, by the engine that the loop has chosen."""
    batch, network = next(loop.batches.epoch(0)), loop.network
    # Labels become one-hot rows once, and not for each of hundreds of evaluations.
    y = network.loss.encode(batch.y, network.output_shape[-1], network.dtype)
    batch = Samples(batch.x, y, batch.weight)

    def by_reference() -> tuple[float, Array]:
        return sum(loop.loss_and_gradients(batch)), loop.trace.gradients

    compiled = loop.compiled
    if compiled is None:
        yield by_reference
        return
    compiled.take(ready(loop.samples.row_range(0, len(loop.samples)), network.dtype))
    with compiled.workers() as workers:

        def by_compiled() -> tuple[float, Array]:
            loss = compiled.measure(workers)
            # The reference engine says what stands where something is not finite.
            return by_reference() if loss is None else (loss, compiled.gradients)

        yield by_compiled


def minimize_with_scipy(
    optimizer: LBFGS,
    parameters: Array,
    measure: Measure,
    after_iteration: Callable[[float, float], bool],
    iterations: int,
    start: tuple[float, Array] | None = None,
) -> Ending:
    """Let SciPy's L-BFGS-B move the parameters downhill.

    Parameters
    ----------
    optimizer : LBFGS
    parameters : ndarray (count,)
        Changed in place.
    measure : callable
        Returns loss and gradient at the present parameters.
    after_iteration : callable
        Gets loss and gradient norm at the start of each iteration that has just ended; returns
        whether to go on.
    iterations : int
        At most so many.
    start : (float, ndarray), optional
        Loss and gradient at the start, where they are known already.
    """
    scipy_optimize = optional_package("scipy.optimize", "The optimizer 'lbfgs'")
    latest = (math.inf, math.inf)
    known: tuple[float, Array] | None = None

    def taken(loss: float, gradient: Array) -> tuple[float, Array]:
        nonlocal latest
        latest = (loss, math.sqrt(np.vdot(gradient, gradient)))
        return loss, gradient.astype(np.float64)

    def loss_and_gradient(position: Array) -> tuple[float, Array]:
        nonlocal known
        found, known = known, None  # SciPy begins by asking for the start
        if found is not None:
            return found
        parameters[...] = position
        return taken(*measure())

    known = taken(*(measure() if start is None else start))
    accepted = latest

    def callback(intermediate_result: Any) -> None:
        nonlocal accepted
        parameters[...] = intermediate_result.x
        before, accepted = accepted, latest
        if not after_iteration(*before):
            raise StopIteration

    result = scipy_optimize.minimize(
        loss_and_gradient,
        parameters.astype(np.float64),
        jac=True,
        method="L-BFGS-B",
        callback=callback,
        options={
            "maxiter": iterations,
            "maxfun": optimizer.evaluations or iterations * 20,
            "maxcor": optimizer.memory,
            "gtol": optimizer.tolerance,
            "ftol": optimizer.loss_tolerance,
        },
    )
    parameters[...] = result.x
    return Ending(float(result.fun), _reason(optimizer, result))


def _reason(optimizer: LBFGS, result: Any) -> str:
    if result.status == 0:
        small = np.abs(result.jac).max() <= optimizer.tolerance
        return CONVERGED if small else STANDS_STILL
    endings = {1: ALL_DONE, 2: NO_WAY_DOWN}
    return endings.get(result.status, f"L-BFGS: {result.message}")

"""L-BFGS on the whole data set, through SciPy."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from chainrule.errors import optional_package
from chainrule.layer import Array
from chainrule.optimizers import LBFGS

_ENDINGS = {
    0: "L-BFGS: the gradient is below its tolerance",
    1: "L-BFGS: all iterations done",
    2: "L-BFGS: no step goes further down at this precision",
}


def descend_by_scipy(loop: Any) -> None:
    """Run one training by L-BFGS: SciPy decides the steps, this records them.

    Parameters
    ----------
    loop : TrainingLoop
        Whose books it keeps.
    """
    batch = next(loop.batches.epoch(0))

    def measure() -> tuple[float, Array]:
        data_loss, penalty = loop.network.loss_and_gradients(batch, loop.trace)
        return data_loss + penalty, loop.trace.gradients

    loss, gradients = measure()
    if not (math.isfinite(loss) and np.isfinite(gradients).all()):
        loop.stop_at_non_finite(loss, 1.0)

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

    reason = minimize_with_scipy(
        loop.optimizer, loop.parameters, measure, after_iteration, loop.plan.epochs
    )
    if not loop.history.stopped_because:
        loop.history.stop(reason)


def minimize_with_scipy(
    optimizer: LBFGS,
    parameters: Array,
    measure: Callable[[], tuple[float, Array]],
    after_iteration: Callable[[float, float], bool],
    iterations: int,
) -> str:
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

    Returns
    -------
    str
        Why it ended.
    """
    scipy_optimize = optional_package("scipy.optimize", "The optimizer 'lbfgs'")
    latest = (math.inf, math.inf)

    def loss_and_gradient(position: Array) -> tuple[float, Array]:
        nonlocal latest
        parameters[...] = position
        loss, gradient = measure()
        latest = (loss, math.sqrt(np.vdot(gradient, gradient)))
        return loss, gradient.astype(np.float64)

    accepted = loss_and_gradient(parameters.astype(np.float64)) and latest

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
            "maxfun": iterations * 20,
            "maxcor": optimizer.memory,
            "gtol": optimizer.tolerance,
            "ftol": 0.0,  # the gradient alone decides
        },
    )
    parameters[...] = result.x
    return _ENDINGS.get(result.status, f"L-BFGS: {result.message}")

"""Many networks of one shape at once: the same training from many starts.

One training tells little about a network: another start may end elsewhere. With many of them one
sees what is luck. Each core trains one network after another, and each of them ends with the same
numbers as if it were trained alone.
"""

from __future__ import annotations

import itertools
import math
import time
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from typing import TYPE_CHECKING, Any

import numpy as np

from chainrule import arguments, checks
from chainrule.engines.choice import Compiled, Reference, reference_seconds
from chainrule.errors import InvalidSetting, LossNotFinite
from chainrule.many_trainings import ManyTrainings
from chainrule.network import NeuralNetwork
from chainrule.optimizers import LBFGS
from chainrule.schedules import ConstantRate
from chainrule.training.batches import Batches
from chainrule.training.compiled_descent import ready
from chainrule.training.interrupt import GracefulInterrupt
from chainrule.training.progress import Progress, ProgressBar, check_progress

if TYPE_CHECKING:
    from chainrule.engines.compiled.training import CompiledTraining

_SECONDS_BETWEEN_LOOKS = 0.05
_FIRST_LOT = 16  # tiny networks in the first call, from which the pace is learned
_SECONDS_OF_A_LOT = 0.1


def train_many(
    network: NeuralNetwork,
    x: Any,
    y: Any,
    *,
    seeds: Sequence[int] | int | None = None,
    learning_rates: Sequence[float] | None = None,
    starts: Any = None,
    epochs: int = 100,
    batch_size: int | None = 32,
    shuffle: bool = True,
    sample_weight: Any = None,
    progress: Progress = "auto",
) -> ManyTrainings:
    """Train many networks of one shape, each from a start of its own.

    Parameters
    ----------
    network : NeuralNetwork
        The network to train again and again; it stays as it is. Without ``seeds`` and ``starts``
        all begin where it stands.
    x, y, sample_weight, epochs, batch_size, shuffle
        As for ``NeuralNetwork.fit``.
    seeds : sequence of int, or int, optional
        One for each training: new starting weights and new shuffles. A number N means 0 ... N-1.
    learning_rates : sequence of float, optional
        One for each training, in place of the optimizer's.
    starts : array_like (networks, count), optional
        Starting parameters of each, in the order of ``network.parameters``.
    progress : bool or "auto", default "auto"

    Returns
    -------
    ManyTrainings
        After Ctrl-C with the networks that were finished.

    Raises
    ------
    InvalidSetting, InvalidShape
        Before anything is trained.

    Examples
    --------
    >>> import chainrule as cr
    >>> X, y = cr.data.truth_table()
    >>> net = cr.NeuralNetwork(
    ...     cr.Dense(4, activation="sigmoid"),
    ...     cr.Dense(1, activation="sigmoid"),
    ...     loss="sum_of_squares",
    ...     optimizer=cr.GradientDescent(1.0),
    ...     dtype="float64",
    ... )
    >>> many = cr.train_many(net, X, y, seeds=5, epochs=200, batch_size=None)
    >>> many.losses.shape
    (5, 200)
    """
    if not isinstance(network, NeuralNetwork):
        raise InvalidSetting(
            f"train_many received {checks.shown(network)} as network; expected a NeuralNetwork."
        )
    checked_progress = check_progress(progress)
    samples = network._check_samples(x, y, sample_weight)  # also the shapes, before any training
    template = network.copy()
    template.build(samples.x.shape[1:])
    job = _Job(
        template, (x, y), seeds, learning_rates, starts,
        {
            "epochs": checks.whole_number("epochs", epochs, at_least=1),
            "batch_size": arguments.check_batch_size(batch_size),
            "shuffle": checks.flag("shuffle", shuffle),
            "sample_weight": sample_weight,
            "progress": False,
        },
        len(samples),
    )  # fmt: skip
    return job.run(checked_progress)


class _Job:
    """All trainings of one call."""

    def __init__(
        self,
        template: NeuralNetwork,
        data: tuple[Any, Any],
        seeds: Any,
        rates: Any,
        starts: Any,
        settings: dict[str, Any],
        samples: int,
    ) -> None:
        self.template, self.data, self.settings = template, data, settings
        self.starts = arguments.check_starts(starts, len(template.parameters))
        self.rates = arguments.check_rates(rates)
        checked = arguments.check_seeds(seeds)
        self.new_seeds = checked is not None
        self.count = arguments.common_length(
            seeds=checked, learning_rates=self.rates, starts=self.starts
        )
        self.samples = samples
        self.samples_per_step = min(settings["batch_size"] or samples, samples)
        steps = -(-samples // self.samples_per_step)
        self.iterations = settings["epochs"] * steps
        self.found = ManyTrainings(template, self.count, self.iterations)
        if checked is not None:
            self.found.seeds = np.array(checked)
        if self.rates is not None:
            self.found.learning_rates = np.array(self.rates)
        vector = template.parameter_vector
        seconds = self.count * reference_seconds(
            template.shapes, vector.slots, samples * settings["epochs"], self.iterations
        )
        self.compiled = template.engine.is_compiled(seconds)

    def run(self, progress: Progress) -> ManyTrainings:
        began = time.perf_counter()
        self.bar = ProgressBar(self.count, progress, "networks")
        self.counter = itertools.count()  # the next network that nobody has taken yet
        self.stop = False
        with GracefulInterrupt() as interrupt:
            if self.compiled:
                self.found.engine = "compiled"
                threads = self.template.engine.threads
                threads = threads or self.template.engine.compiled("workers").available_threads()
                threads = min(threads, self.count)
                with ThreadPoolExecutor(threads) as pool:
                    if self._may_be_made_in_lots():
                        self._train_lots(pool, threads, interrupt)
                    waiting = {pool.submit(self._work) for _ in range(threads)}
                    self._watch(waiting, interrupt)
            else:
                self._work()
        self.bar.close(math.nan)
        if not self.found.done.all():
            self.found.keep(self.found.done)
            self.found.stopped_because = "interrupted by Ctrl-C"
        self.found.seconds = time.perf_counter() - began
        return self.found

    def _may_be_made_in_lots(self) -> bool:
        """Whether nothing is asked for that changes from step to step, as shuffles do."""
        optimizer = self.template.optimizer
        constant = isinstance(optimizer.schedule, ConstantRate) and not isinstance(optimizer, LBFGS)
        return constant and self.samples_per_step == self.samples

    def _network(self) -> NeuralNetwork:
        """Return a network to train again and again, on one thread."""
        network = self.template.copy()
        network.engine = Compiled(threads=1) if self.compiled else Reference()
        return network

    def _trainer(self, network: NeuralNetwork) -> CompiledTraining:
        """What trains a network on all samples at once."""
        x, y, weight = *self.data, self.settings["sample_weight"]
        samples = network._check_samples(x, y, weight)
        batches = Batches(samples, self.samples, seed=0, shuffle=False)
        found = network.compiled_training(batches, 1)
        assert found is not None  # noqa: S101  # the compiled engine was just asked for
        return found

    def _train_lots(
        self, pool: ThreadPoolExecutor, threads: int, interrupt: GracefulInterrupt
    ) -> None:
        """Train tiny networks, so many in a call as take about a tenth of a second.

        Those whose numbers stop being finite are left for ``_work``, which says where; and so are
        all networks that are not tiny.
        """
        found, template = self.found, self.template
        networks = [self._network()]
        trainers = [self._trainer(networks[0])]
        if not trainers[0].tiny:
            return
        networks += [self._network() for _ in range(1, threads)]
        trainers += [self._trainer(network) for network in networks[1:]]
        x, y, weight = *self.data, self.settings["sample_weight"]
        samples = ready(template._check_samples(x, y, weight), template.dtype)
        lots = template.engine.compiled("many").ManyTinyTrainings(trainers, samples)
        rate = template.optimizer.schedule.rate(0.0, {})
        rates = np.full(self.count, rate) if self.rates is None else np.array(self.rates)
        size, start = _FIRST_LOT, 0
        while start < self.count and not interrupt.requested:
            began = time.perf_counter()
            rows = slice(start, min(start + size, self.count))
            for number in range(rows.start, rows.stop):
                self._begin(networks[0], number)
                found.parameters[number] = networks[0].parameter_vector.storage
            made = lots.train(pool, found.parameters[rows], rates[rows], found.losses[rows])
            found.done[rows] = np.isfinite(found.parameters[rows]).all(axis=1) & (
                made == self.iterations
            )
            found.losses[rows][~found.done[rows]] = np.nan
            self.bar.step(math.nan, int(found.done[rows].sum()))
            start = rows.stop
            each = (time.perf_counter() - began) / (rows.stop - rows.start)
            size = max(threads, int(_SECONDS_OF_A_LOT / each))
        self.stop = interrupt.requested

    def _watch(self, waiting: set[Future[None]], interrupt: GracefulInterrupt) -> None:
        """Wait for the threads, look for Ctrl-C and move the bar."""
        shown = int(self.found.done.sum())
        while waiting:
            finished, waiting = wait(waiting, timeout=_SECONDS_BETWEEN_LOOKS)
            self.stop = self.stop or interrupt.requested
            done = int(self.found.done.sum())
            self.bar.step(math.nan, done - shown)
            shown = done
            for future in finished:
                future.result()

    def _work(self) -> None:
        """Train one network after another until none is left."""
        network = self._network()
        for number in self.counter:
            if number >= self.count or self.stop:
                return
            if self.found.done[number]:
                continue
            interrupted = self._train(network, number)
            if interrupted:
                self.stop = True
                return
            self.found.done[number] = True
            if not self.compiled:
                self.bar.step(float(self.found.losses[number, -1]))

    def _begin(self, network: NeuralNetwork, number: int) -> None:
        """Put a network at the start of its training."""
        network.restart(int(self.found.seeds[number]))
        if not self.new_seeds:
            network.parameter_vector.storage[...] = self.template.parameter_vector.storage
        if self.starts is not None:
            network.parameters[...] = self.starts[number]

    def _train(self, network: NeuralNetwork, number: int) -> bool:
        """Train one network from its start; returns whether Ctrl-C came in between."""
        found = self.found
        self._begin(network, number)
        if self.rates is not None:
            network.optimizer.learning_rate = self.rates[number]
        try:
            history = network.fit(*self.data, **self.settings)
        except LossNotFinite as error:
            history = error.history
            found.failures[number] = str(error)
        found.losses[number, : history.iterations] = history.losses
        found.parameters[number] = network.parameter_vector.storage
        return history.stopped_because.startswith("interrupted")

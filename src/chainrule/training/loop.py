"""The training loop: feedforward, loss, backprop, update, and again.

``TrainingLoop.step`` is gradient descent itself, in a few lines; the rest keeps the books.
"""

from __future__ import annotations

import math
import time
from functools import partial
from typing import TYPE_CHECKING, Any, NoReturn

import numpy as np

from chainrule.engines.reference import NetworkTrace
from chainrule.optimizers import LBFGS
from chainrule.samples import Samples
from chainrule.training.batches import Batches
from chainrule.training.callbacks import Keeper, may_change_the_network, overriding
from chainrule.training.compiled_descent import CompiledDescent
from chainrule.training.divergence import length, loss_not_finite
from chainrule.training.full_batch import Ending, descend_by_scipy
from chainrule.training.history import History
from chainrule.training.interrupt import INTERRUPTED, GracefulInterrupt
from chainrule.training.plan import Plan, columns
from chainrule.training.progress import ProgressBar
from chainrule.training.recording import Recording
from chainrule.training.settings import Settings

if TYPE_CHECKING:
    from chainrule.engines.compiled.training import CompiledTraining


class TrainingLoop:
    """Trains one network on one set of samples.

    Parameters
    ----------
    network : NeuralNetwork
        Built. The loop uses its ``loss_and_gradients``, ``scores``, ``optimizer`` and state.
    samples : Samples
        Checked.
    validation : Samples or None
    plan : Plan
    """

    def __init__(
        self, network: Any, samples: Samples, validation: Samples | None, plan: Plan
    ) -> None:
        self.network = network
        self.samples = samples
        self.validation = validation
        self.plan = plan
        self.state = network.training_state
        self.optimizer = network.optimizer
        self.full_batch = isinstance(self.optimizer, LBFGS)
        self.penalized = network.parameter_vector.penalized
        self.counts = bool(network.parameter_vector.statistics)
        self.trace: NetworkTrace = network.new_trace(training=True)
        self.trace.layers[0].needs_d_x = False  # nobody updates the data
        self.parameters = network.parameters
        self.storage = network.parameter_vector.storage  # the parameters and the statistics
        self.last_finite = self.storage.copy()
        self.batches = Batches(
            samples,
            len(samples) if self.full_batch else plan.batch_size or len(samples),
            seed=network.seed,
            shuffle=plan.shuffle,
            augment=plan.augment,
            encode=lambda y: network.loss.encode(y, network.output_shape[-1], network.dtype),
            order_of=plan.order,
            penalties_for=plan.penalties_for,
        )
        self.batches_done, self.epoch_loss = plan.begun.batches, plan.begun.loss
        self.epoch_penalty = 0.0  # the penalties' part of the epoch's loss
        self.ending: Ending | None = None  # of L-BFGS
        self.compiled: CompiledTraining | None = None
        self.engine = "reference"
        self._read_settings()
        settings = Settings.of(network, plan.augment)
        self.history = History(
            columns(plan, validation is not None),
            self._settings(settings.texts),
            first_step=self.state.step - (0 if plan.past is None else len(plan.past.losses)),
            norms_before=plan.begun.norms,
        )
        if plan.past is not None:
            self.history.go_on_from(plan.past)
        self.iterations_before = self.history.iterations
        self.epochs_left = plan.epochs - len(self.history.epochs["loss"])
        self.keepers = [callback for callback in plan.callbacks if isinstance(callback, Keeper)]
        self.recording = Recording(self, settings) if plan.steps is None else None
        self.next_look: float = self.state.step + (plan.steps or 0)
        self._changed = False
        self.after_step = overriding(plan.callbacks, "after_step")
        self.after_epoch = overriding(plan.callbacks, "after_epoch")
        self._may_change: dict[str, bool] = {}

    def _read_settings(self) -> None:
        """Note what a step needs of the settings, which callbacks may change."""
        optimizer = self.optimizer
        self.schedule = self.plan.schedule or optimizer.schedule
        self.sums = self.network.loss.reduction == "sum"
        self.clips = not (optimizer.clip_norm is None and optimizer.clip_value is None)

    def run(self) -> History:
        """Train until the epochs are done, a callback stops it, or Ctrl-C."""
        by_steps = self.batches.per_epoch > 1
        steps = self.epochs_left * self.batches.per_epoch - self.batches_done
        self.bar = ProgressBar(steps, self.plan.progress, "steps" if by_steps else "epochs")
        self._choose_engine()
        for callback in self.plan.callbacks:
            callback.take_samples(self.samples)
        if self.plan.callbacks:
            self.call("before_training", self._beginning())
        if self.recording is not None:
            self.recording.start(self)
            self.history.keep(self.recording)
            self._changed = False  # what happened before is part of the start
        self.began = time.perf_counter() - self.history.seconds
        if self.recording is not None:
            for keeper in self.keepers:
                keeper.begin(self)
            self.next_look = self._step_of_next_look()
        # Overflow and NaN are looked for in every step and told with their place; NumPy's own
        # warnings would only come before that, without it.
        with (
            np.errstate(over="ignore", invalid="ignore", divide="ignore"),
            GracefulInterrupt() as self.interrupt,
        ):
            try:
                self._try_smallest_batch()
                if self.history.stopped_because:
                    pass  # had ended before the checkpoint that it goes on from
                elif self.plan.epochs == 0:
                    self.history.stop("no epochs asked for")
                elif self.full_batch:
                    descend_by_scipy(self)
                elif self.compiled is not None:
                    CompiledDescent(self, self.compiled).run()
                else:
                    self._descend()
                if self.plan.steps is None:
                    self._check_last_update()
                for keeper in self.keepers:
                    keeper.end(self)
            finally:
                self.history.seconds = time.perf_counter() - self.began
                self.bar.close(self.history.last_loss)
                if self.recording is not None:
                    self.recording.end()
        for callback in self.plan.callbacks:
            callback.after_training(self.network, self.history)
        return self.history

    def call(self, method: str, functions: list[Any]) -> None:
        """Call that method of the callbacks, and go on with what they have changed."""
        if method not in self._may_change:
            self._may_change[method] = may_change_the_network(self.plan.callbacks, method)
        recording = self.recording if self._may_change[method] else None
        if recording is not None:
            recording.look(self)
        for function in functions:
            function(self.network, self.history)
        if recording is None:
            return
        settings, numbers = recording.changed(self)
        if settings:
            self._read_settings()
            if self.compiled is not None:
                self.compiled = self.network.compiled_training(self.batches, self.plan.epochs)
        if settings or numbers:
            self._changed, self.next_look = True, 0

    def change_engine(self, engine: str) -> None:
        """Say what makes the next steps; the next look takes a snapshot that says so too."""
        if self.recording is not None:
            self.engine, self._changed, self.next_look = engine, True, 0

    def look(self) -> None:
        """When a look is due: take a snapshot, or end where the plan says so."""
        if self.recording is None:
            self.history.stop("all steps made")
            return
        if self._changed or self.history.iterations >= self.recording.snapshots.next:
            self.recording.take(self, needed=self._changed)
            self._changed = False
        for keeper in self.keepers:
            if self.state.step >= keeper.next_step:
                keeper.keep(self)
        self.next_look = self._step_of_next_look()

    def _step_of_next_look(self) -> float:
        assert self.recording is not None  # noqa: S101  # steps that are made again end before
        snapshot = self.history.first_step + self.recording.snapshots.next
        return min([snapshot, *(keeper.next_step for keeper in self.keepers)])

    @property
    def must_look_at(self) -> float:
        """The step that no engine may go past without a look."""
        if self.recording is None:
            return self.next_look
        exact = (keeper.next_step for keeper in self.keepers if keeper.counts_steps)
        return min(exact, default=math.inf)

    def heed_interrupt(self) -> None:
        """End after Ctrl-C; what had ended by itself at that moment has ended for good."""
        if self.interrupt.requested and not self.history.stopped_because:
            self.history.stop(INTERRUPTED)

    def _beginning(self) -> list[Any]:
        """What to call of the callbacks before the first step."""
        if self.plan.past is None:
            return overriding(self.plan.callbacks, "before_training")
        return [
            partial(callback.before_resuming, kept=kept)
            for callback, kept in zip(self.plan.callbacks, self.plan.kept, strict=True)
        ]

    def _choose_engine(self) -> None:
        """Let the compiled engine make ready, where it is the one; its first time takes seconds."""
        try:
            self.compiled = self.network.compiled_training(
                self.batches, self.plan.epochs, lambda: self.bar.tell("compiling")
            )
        except BaseException:
            self.bar.close(math.nan)
            raise
        self.engine = "reference" if self.compiled is None else "compiled"
        self.history.settings["engine"] = self.engine

    def _try_smallest_batch(self) -> None:
        """Let layers that need several samples (batch normalization) refuse before any step."""
        if self.counts:
            rest = self.batches.count % self.batches.batch_size or self.batches.batch_size
            self.network.loss_and_gradients(self.samples.row_range(0, rest), self.trace)

    def _descend(self) -> None:
        for _ in range(self.epochs_left):
            self._epoch()
            self.heed_interrupt()
            if self.history.stopped_because:
                return
        self.history.stop(f"all {self.plan.epochs} epochs done")

    def begin_epoch(self) -> tuple[int, int]:
        """Begin the next epoch, or go on in one that has begun: its number, the next batch's."""
        if not self.batches_done:
            self.state.epoch += 1
            self.epoch_loss = self.epoch_penalty = 0.0
        return self.state.epoch - 1, self.batches_done

    def _epoch(self) -> None:
        state, history, steps = self.state, self.history, self.batches.per_epoch
        epoch, first = self.begin_epoch()
        for number, batch in enumerate(self.batches.epoch(epoch, first), start=first):
            # A NumPy number from someone's own schedule would make float32 steps in float64.
            rate = float(self.schedule.rate(epoch + number / steps, state.schedule))
            self.epoch_loss += self.step(batch, rate)
            self.batches_done = number + 1
            if self.after_step:
                self.call("after_step", self.after_step)
            self.heed_interrupt()
            if number + 1 < steps:
                if state.step >= self.next_look:
                    self.look()
                if history.stopped_because:
                    return  # in the middle of an epoch: it gets no row
        self.end_epoch()

    def loss_and_gradients(self, batch: Samples) -> tuple[float, float]:
        """Pass over a batch, forward and back: the loss of the data, and the penalty's part."""
        scale = self.batches.penalty_scale(batch)
        return self.network.loss_and_gradients(batch, self.trace, scale)

    def step(self, batch: Samples, rate: float) -> float:
        """One iteration. Returns the batch's part of the epoch's loss."""
        self.trace.shared.step = self.state.step
        data_loss, penalty = self.loss_and_gradients(batch)
        loss, gradients = data_loss + penalty, self.trace.gradients
        norm = length(gradients)
        if not (math.isfinite(loss) and math.isfinite(norm)):
            self.stop_at_non_finite(loss, rate)
        np.copyto(self.last_finite, self.storage)
        if self.counts:
            self.network.update_statistics(self.trace)
        if self.clips:
            self.optimizer.clip(gradients, norm)
        self.optimizer.step(self.parameters, gradients, self.state.optimizer, rate, self.penalized)
        self.state.step += 1
        self.history.record_step(loss, rate, norm)
        self.bar.step(loss)
        part = len(batch) / self.batches.count
        if self.sums:
            self.epoch_penalty += penalty / self.batches.per_epoch
            return data_loss + penalty / self.batches.per_epoch
        self.epoch_penalty += penalty * part
        return loss * part

    def end_epoch(self) -> None:
        """Measure, write down the epoch's row, and let callbacks see it."""
        loss = self.epoch_loss
        self.batches_done = 0
        scores = self._scores()
        self.history.record_epoch(loss, self.batches.per_epoch, scores)
        self.schedule.observe(scores.get("validation_loss", loss), self.state.schedule)
        if self.after_epoch:
            self.call("after_epoch", self.after_epoch)
        if self.state.step >= self.next_look:
            self.look()

    def _scores(self) -> dict[str, Any]:
        """What is measured at the end of an epoch, by the name of its column."""
        metrics = self.plan.metrics
        if self.validation is None and not metrics:
            return {}
        samples = self.samples if self.validation is None else self.validation
        scores = self.network.scores(samples, metrics)
        if not math.isfinite(scores["loss"]):
            self.stop_where_not_finite(samples)
        if self.validation is not None:
            return {f"validation_{name}": value for name, value in scores.items()}
        return {f"training_{metric.name}": scores[metric.name] for metric in metrics}

    def _check_last_update(self) -> None:
        """No further step would notice what the last update did, so look once more."""
        if self.ending is not None and math.isfinite(self.ending.loss):
            return  # L-BFGS measures after its steps
        made = self.history.iterations > self.iterations_before
        by_compiled = self.compiled is not None and not self.full_batch and made
        if self.history.iterations and not by_compiled:  # which has looked already
            some = self.samples.row_range(0, self.batches.batch_size)
            if not math.isfinite(sum(self.loss_and_gradients(some))):
                self.stop_where_not_finite(some)

    def stop_where_not_finite(self, samples: Samples) -> NoReturn:
        """Stop for a loss that was found outside of a step: pass through it once more to see."""
        loss = sum(self.loss_and_gradients(samples))
        self.stop_at_non_finite(loss, self.history.last_rate)

    def stop_at_non_finite(self, loss: float, rate: float) -> NoReturn:
        error = loss_not_finite(self.trace, loss, rate, self.state, self.history)
        self.storage[...] = self.last_finite
        self.state.optimizer = self.optimizer.start(self.parameters)
        self.history.stop(f"the loss or its gradient was not finite at step {error.step + 1}")
        raise error

    def _settings(self, texts: dict[str, str]) -> dict[str, Any]:
        return {
            "engine": "",
            "seed": self.network.seed,
            "dtype": str(self.network.dtype),
            **texts,
            "samples": len(self.samples),
            "validation_samples": 0 if self.validation is None else len(self.validation),
            "batch_size": self.batches.batch_size,
            "batches_per_epoch": self.batches.per_epoch,
            "epochs": self.plan.epochs,
            "shuffle": self.plan.shuffle,
            "augment": [repr(augmentation) for augmentation in self.plan.augment],
            "scaling": self.samples.scaling,
        }

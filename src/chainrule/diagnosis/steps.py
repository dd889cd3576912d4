"""Steps that are too long, or too short."""

from __future__ import annotations

import numpy as np

from chainrule.diagnosis.evidence import Evidence
from chainrule.diagnosis.symptom import Finding, Symptom

# All losses on the scale on which 1 is that of a constant guess and 0 perfection.
LARGEST_STEP_UP = 4.0  # by one update, on the very samples it was made for; times
LEAST_STEP_UP = 0.5  # and at least so much
# The first updates of adaptive optimizers are of full length in every weight, whatever the
# gradient, and often go wrong without harm.
LARGEST_FIRST_STEP_UP = 50.0
LARGEST_RISE = 1.5  # from the first quarter of the curve to its last
LARGEST_SPIKE = 5.0  # times what training began with
STILL_HIGH = 3.0  # times what training began with, at the end of a first epoch
RECOVERED = 0.5  # of what training began with: up to here a spike on the way did no harm, except
LARGEST_HARMLESS_SPIKE = 100.0  # where it has thrown the starting weights away
LARGEST_BOUNCE = 0.1  # upwards, from one epoch to the next, on average over the latter half
LEARNED = 0.2  # so little left: whatever the steps are, they work
FEWEST_EPOCHS = 10
FEWEST_STEPS = 3
FEWEST_IN_A_QUARTER = 10  # steps, so that the noise of their batches averages out

# An update changes weights by about a thousandth of their size in trainings that go well (a rule of
# thumb; Karpathy, notes to Stanford's course CS231n, 2015). This is a tenth of that.
SMALLEST_RATIO = 1e-4
# Near a minimum updates are small too. There longer ones do not help; where steps are too short
# those so many times as long make a difference of so much at once.
SHORT_BY = 30.0
SMALLEST_GAIN = 0.005
LARGEST_FALL = 0.2  # of the loss over the history: more, and training is on its way


class LearningRateTooHigh(Symptom):
    """The loss curve bounces or rises, or the next update makes things worse."""

    why = "Each step overshoots the valley that the gradient points into and lands higher up."

    def look(self, evidence: Evidence) -> Finding | None:
        trial = evidence.trial
        if trial is None or not evidence.scale.is_known:
            return None
        told = _of_the_curve(evidence)
        after = evidence.scale.unexplained(trial.loss_after())
        before = evidence.scale.unexplained(trial.loss)
        most = (LARGEST_STEP_UP if evidence.has_trained else LARGEST_FIRST_STEP_UP) * before
        if told is None and after > max(most, before + LEAST_STEP_UP, 1.0):
            told = (
                f"The next update would take the loss from {trial.loss:.3g} to "
                f"{trial.loss_after():.3g} on the very samples it is made for."
            )
        if told is None:
            return None
        return self.finding(
            ["learning rate"],
            f"{told} An update changes the weights by {trial.largest_ratio:.2g} of their size.",
            f"Begin anew (net.restart()) with a learning rate of {_rounded(trial.rate / 10)}, a "
            f"tenth of {trial.rate:.3g}.",
            ratio=trial.largest_ratio,
            after=after,
            before=before,
        )


class LearningRateTooLow(Symptom):
    """The loss hardly falls, and far longer steps in the same direction would bring it down."""

    why = "At this pace the weights hardly move in all the time that training is given."

    def look(self, evidence: Evidence) -> Finding | None:
        trial, curve = evidence.trial, evidence.curve
        if trial is None or not evidence.scale.is_known:
            return None
        at_the_end = evidence.has_trained and evidence.history is None  # of a schedule, perhaps
        if trial.rate == 0 and not at_the_end:
            return self.finding(
                ["learning rate"],
                "The learning rate is 0, so that no update changes anything.",
                "Leave it out: every optimizer has one that suits it.",
            )
        if not 0 < trial.largest_ratio <= SMALLEST_RATIO or evidence.unexplained < LEARNED:
            return None
        if curve is not None and curve.fall > LARGEST_FALL:
            return None
        factors = 10.0 ** np.arange(1, 11)
        losses = [evidence.scale.unexplained(trial.loss_after(factor)) for factor in factors]
        best = int(np.argmin(losses))
        gain = evidence.scale.unexplained(trial.loss) - losses[best]
        if factors[best] < SHORT_BY or gain < SMALLEST_GAIN:
            return None
        return self.finding(
            ["learning rate"],
            f"An update changes the weights by {trial.largest_ratio:.2g} of their size (about "
            f"0.001 is usual); one {factors[best]:g} times as long would take the loss from "
            f"{trial.loss:.3g} to {trial.loss_after(factors[best]):.3g} at once.",
            f"Use a learning rate of {_rounded(trial.rate * factors[best] / 10)} instead of "
            f"{trial.rate:.3g}.",
            ratio=trial.largest_ratio,
            factor=factors[best],
            gain=gain,
        )


def _of_the_curve(evidence: Evidence) -> str | None:
    """What the loss curve says of steps that are too long."""
    curve, history = evidence.curve, evidence.history
    if curve is None or history is None or len(curve.steps) < FEWEST_STEPS:
        return None
    steps, losses = curve.steps, history.losses
    quarter = max(len(steps) // 4, 1)
    start, end = float(np.median(steps[:quarter])), float(steps[-quarter:].mean())
    first = max(float(steps[0]), 1.0)
    recovers = end < first * (RECOVERED if len(curve.epochs) > 1 else STILL_HIGH)
    if steps.max() > first * (LARGEST_HARMLESS_SPIKE if recovers else LARGEST_SPIKE):
        return (
            f"The loss rose from {losses[0]:.3g} to {losses.max():.3g} in step "
            f"{int(losses.argmax()) + 1}."
        )
    if quarter >= FEWEST_IN_A_QUARTER and end > LARGEST_RISE * max(start, 1.0):
        return f"The loss rose from {losses[0]:.3g} to {losses[-quarter:].mean():.3g}."
    epochs = curve.epochs[len(curve.epochs) // 2 :]
    if end > LEARNED and len(curve.epochs) >= FEWEST_EPOCHS:
        bounce = float(np.diff(epochs).clip(0).mean())
        if bounce > LARGEST_BOUNCE * max(float(np.median(epochs)), 1.0):
            return (
                f"The loss bounces: an epoch in the latter half raises it by {bounce:.2g} of what "
                "a constant guess gives, on average."
            )
    return None


def _rounded(rate: float) -> str:
    """Write with one digit, which is precise enough."""
    return f"{float(f'{rate:.0e}'):g}"

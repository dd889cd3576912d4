"""A learning-rate schedule as a method of an ejected module."""

from __future__ import annotations

from chainrule.errors import InvalidSetting
from chainrule.saving.eject.code import number
from chainrule.saving.eject.layout import docstring, indented
from chainrule.schedules import Cosine, ExponentialDecay, InverseScaling, Schedule, StepDecay


def learning_rate(schedule: Schedule) -> list[str]:
    """Write a schedule as a method that returns the rate at ``self.epoch``.

    Raises
    ------
    InvalidSetting
        When the rate depends on more than time, or nobody says how.
    """
    described = (
        "Learning rate at self.epoch, which counts one for each iteration. With mini-batches set "
        "it yourself: after 3 of 10 batches of epoch 7 it is 7.3."
    )
    match schedule:
        case StepDecay() if type(schedule) is StepDecay:
            start, factor, every = map(number, (schedule.initial, schedule.factor, schedule.every))
            body = [f"return {start} * {factor} ** (self.epoch // {every})"]
        case ExponentialDecay() if type(schedule) is ExponentialDecay:
            body = [f"return {number(schedule.initial)} * {number(schedule.factor)}**self.epoch"]
        case InverseScaling() if type(schedule) is InverseScaling:
            power = number(schedule.power)
            body = [f"return {number(schedule.initial)} / (1 + self.epoch) ** {power}"]
        case Cosine() if type(schedule) is Cosine:
            body = _cosine(schedule)
        case _:
            raise InvalidSetting(
                f"The learning rate {schedule!r} cannot be ejected: it depends on more than time. "
                "Set net.optimizer.learning_rate to a number."
            )
    return ["def learning_rate(self):", *indented([*docstring(described, 2), *body])]


def _cosine(schedule: Cosine) -> list[str]:
    initial, final = number(schedule.initial), number(schedule.final)
    lines = []
    if schedule.warm_up:
        warm_up = number(schedule.warm_up)
        lines += [
            f"if self.epoch < {warm_up}:  # first the rate rises in a straight line",
            f"    return {initial} * max(self.epoch / {warm_up}, 0.01)",
        ]
    since = f" - {number(schedule.warm_up)}" if schedule.warm_up else ""
    length = number(schedule.epochs - schedule.warm_up)
    if schedule.restarts:
        lines += [f"position, length = self.epoch{since}, {length}", "while position >= length:"]
        lines += ["    position -= length"]
        if schedule.stretch != 1:
            lines += [f"    length *= {number(schedule.stretch)}"]
        lines += ["part = position / length"]
    else:
        at = f"(self.epoch{since})" if since else "self.epoch"
        lines += [f"part = min({at} / {length}, 1)"]
    if schedule.final:
        lines += [
            f"return {final} + ({initial} - {final}) * (1 + np.cos(np.pi * part)) / 2",
        ]
    else:
        lines += [f"return {initial} * (1 + np.cos(np.pi * part)) / 2"]
    return lines

"""The schedules: learning rates worked out by hand, then that they are continuous where they say.

Time is counted in epochs; a fraction is a step within one.
"""

from __future__ import annotations

from collections.abc import Callable
from math import cos, inf, nan, pi, sqrt

import numpy as np
import pytest
from contracts.examples import members

import chainrule as cr
from chainrule.schedules import as_schedule

# Schedule, then pairs of (epoch, learning rate).
BY_HAND: list[tuple[cr.Schedule, list[tuple[float, float]]]] = [
    (cr.ConstantRate(0.1), [(0, 0.1), (7.5, 0.1)]),
    (
        cr.StepDecay(1.0, factor=0.5, every=10),
        [(0, 1), (9.99, 1), (10, 0.5), (19.9, 0.5), (20, 0.25), (35, 0.125)],
    ),
    (cr.ExponentialDecay(2.0, factor=0.25), [(0, 2), (0.5, 1), (1, 0.5), (2, 0.125)]),
    (cr.InverseScaling(1.0), [(0, 1), (3, 1 / 2), (8, 1 / 3), (1, 1 / sqrt(2))]),
    (cr.InverseScaling(1.0, power=1), [(0, 1), (3, 1 / 4)]),
    (
        cr.Cosine(1.0, epochs=12),
        [(0, 1), (4, 3 / 4), (6, 1 / 2), (8, 1 / 4), (12, 0), (100, 0)],
    ),
    (cr.Cosine(1.0, epochs=12, final=0.2), [(0, 1), (6, 0.6), (12, 0.2), (13, 0.2)]),
    (
        cr.Cosine(1.0, epochs=14, warm_up=2),
        [(0, 0.01), (0.5, 0.25), (1, 0.5), (2, 1), (6, 3 / 4), (8, 1 / 2), (14, 0)],
    ),
    (
        cr.Cosine(1.0, epochs=12, restarts=True),
        [(0, 1), (6, 1 / 2), (11.999999, 0), (12, 1), (18, 1 / 2), (24, 1), (32, 1 / 4)],
    ),
    (
        cr.Cosine(1.0, epochs=12, restarts=True, stretch=2),
        [(6, 1 / 2), (12, 1), (24, 1 / 2), (36, 1), (60, 1 / 2), (84, 1)],
    ),
    (
        cr.Cosine(1.0, epochs=14, warm_up=2, restarts=True),
        [(1, 1 / 2), (2, 1), (8, 1 / 2), (14, 1), (20, 1 / 2), (26, 1)],
    ),
    (cr.ReduceOnPlateau(0.4), [(0, 0.4), (100, 0.4)]),
]


@pytest.mark.parametrize(
    ("schedule", "epoch", "rate"),
    [(schedule, *pair) for schedule, pairs in BY_HAND for pair in pairs],
)
def test_rates_by_hand(schedule: cr.Schedule, epoch: float, rate: float) -> None:
    assert schedule.rate(epoch, {}) == pytest.approx(rate, abs=1e-12)


def test_every_schedule_stands_in_the_table_above() -> None:
    assert {type(schedule) for schedule, _ in BY_HAND} == set(members(cr.Schedule))


SMOOTH = [
    cr.ExponentialDecay(1.0, factor=0.5),
    cr.InverseScaling(1.0),
    cr.Cosine(1.0, epochs=10, final=0.1),
    cr.Cosine(1.0, epochs=10, warm_up=3),
]


@pytest.mark.parametrize("schedule", SMOOTH, ids=repr)
def test_small_steps_in_time_are_small_steps_of_the_rate(schedule: cr.Schedule) -> None:
    """No schedule but the stepwise ones jumps, not at the end of the warm-up either."""
    times = np.linspace(0, 12, 12_001)
    rates = np.array([schedule.rate(time, {}) for time in times])
    assert np.abs(np.diff(rates)).max() < 0.001
    assert (rates >= 0).all()


@pytest.mark.parametrize("schedule", [s for s in SMOOTH if "warm_up" not in repr(s)], ids=repr)
def test_rates_only_fall(schedule: cr.Schedule) -> None:
    rates = np.array([schedule.rate(time, {}) for time in np.linspace(0, 12, 121)])
    assert (np.diff(rates) <= 0).all()


def test_the_first_step_of_a_warm_up_moves_already() -> None:
    schedule = cr.Cosine(0.5, epochs=10, warm_up=5)
    assert schedule.rate(0, {}) == pytest.approx(0.005)


def test_a_cosine_starts_anew_at_every_restart() -> None:
    schedule = cr.Cosine(1.0, epochs=4, restarts=True, stretch=1.5)
    starts = np.cumsum([0, 4, 6, 9, 13.5])
    for start, length in zip(starts, [4, 6, 9, 13.5], strict=False):
        assert schedule.rate(start, {}) == pytest.approx(1.0)
        assert schedule.rate(start + length / 3, {}) == pytest.approx((1 + cos(pi / 3)) / 2)


class TestReduceOnPlateau:
    """The rate as the losses of the epochs come in."""

    @staticmethod
    def rates(schedule: cr.ReduceOnPlateau, losses: list[float]) -> list[float]:
        state: dict[str, float] = {}
        found = []
        for epoch, loss in enumerate(losses):
            schedule.observe(loss, state)
            found.append(schedule.rate(epoch + 1, state))
        return found

    def test_it_waits_and_then_halves(self) -> None:
        schedule = cr.ReduceOnPlateau(1.0, patience=2)
        losses = [5.0, 4.0, 4.0, 4.0, 4.0, 4.0, 3.0, 3.0]
        assert self.rates(schedule, losses) == [1, 1, 1, 0.5, 0.5, 0.25, 0.25, 0.25]

    def test_an_improvement_ends_the_wait(self) -> None:
        schedule = cr.ReduceOnPlateau(1.0, factor=0.1, patience=2)
        assert self.rates(schedule, [5, 5, 4, 4, 3, 3, 2, 2]) == [1.0] * 8

    def test_a_fall_within_the_tolerance_is_none(self) -> None:
        schedule = cr.ReduceOnPlateau(1.0, patience=1, tolerance=0.1)
        assert self.rates(schedule, [10.0, 9.5, 8.9]) == [1, 0.5, 0.5]

    def test_losses_below_zero_improve_downwards(self) -> None:
        schedule = cr.ReduceOnPlateau(1.0, patience=1, tolerance=0.1)
        assert self.rates(schedule, [-10.0, -10.5, -11.5]) == [1, 0.5, 0.5]

    @pytest.mark.parametrize("loss", [inf, nan])
    def test_a_loss_that_is_no_number_is_no_improvement(self, loss: float) -> None:
        assert self.rates(cr.ReduceOnPlateau(1.0, patience=1), [1.0, loss]) == [1, 0.5]

    def test_it_never_goes_below_the_minimum(self) -> None:
        schedule = cr.ReduceOnPlateau(1.0, patience=1, minimum=0.3)
        assert self.rates(schedule, [1.0] * 5) == [1, 0.5, 0.3, 0.3, 0.3]

    def test_two_trainings_do_not_share_what_it_remembers(self) -> None:
        schedule = cr.ReduceOnPlateau(1.0, patience=1)
        assert self.rates(schedule, [1.0, 1.0]) == self.rates(schedule, [1.0, 1.0]) == [1, 0.5]


def test_training_follows_the_schedule_step_by_step() -> None:
    """Four steps an epoch: the rate of step n is the schedule's at n / 4."""
    schedule = cr.ExponentialDecay(0.1, factor=0.5)
    net = cr.NeuralNetwork(cr.Dense(1), optimizer=cr.GradientDescent(schedule))
    history = net.fit(np.ones((8, 1)), np.ones(8), epochs=2, batch_size=2)
    np.testing.assert_allclose(
        history.learning_rates, [0.1 * 0.5 ** (step / 4) for step in range(8)], rtol=1e-12
    )


def test_training_reports_each_epochs_loss_to_the_schedule() -> None:
    schedule = cr.ReduceOnPlateau(0.1, patience=1)
    net = cr.NeuralNetwork(cr.Dense(1), optimizer=cr.GradientDescent(schedule), inputs=1)
    net.parameters[...] = 0
    history = net.fit(np.zeros((4, 1)), np.zeros(4), epochs=4)  # a loss of 0 cannot fall
    np.testing.assert_allclose(history.learning_rates, [0.1, 0.1, 0.05, 0.025])


def test_others_schedules_take_no_notice_of_losses() -> None:
    state: dict[str, float] = {}
    cr.StepDecay(1.0).observe(3.0, state)
    assert state == {}


def test_a_number_means_a_constant_rate() -> None:
    assert repr(as_schedule(0.1)) == "ConstantRate(0.1)"
    schedule = cr.StepDecay(1.0)
    assert as_schedule(schedule) is schedule
    assert cr.Adam(schedule).schedule is schedule
    assert cr.Adam(0.5).schedule.rate(3, {}) == 0.5


def test_an_unfinished_schedule_says_what_it_lacks() -> None:
    class Unfinished(cr.Schedule):
        pass

    with pytest.raises(NotImplementedError, match="Unfinished defines no rate"):
        Unfinished().rate(0, {})


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: cr.ConstantRate(-1), "learning_rate must be a finite number of at least 0"),
        (lambda: cr.StepDecay(0), "initial must be a finite number above 0"),
        (lambda: cr.StepDecay(1, factor=1.5), "factor must be a finite number above 0 of at most"),
        (lambda: cr.StepDecay(1, every=0), "every must be a finite number above 0"),
        (lambda: cr.ExponentialDecay(1, factor=0), "factor must be"),
        (lambda: cr.InverseScaling(1, power=-1), "power must be a finite number of at least 0"),
        (lambda: cr.Cosine(1, epochs=0), "epochs must be a finite number above 0"),
        (lambda: cr.Cosine(1, epochs=5, warm_up=5), "warm_up is 5 of 5 epochs; expected less"),
        (lambda: cr.Cosine(1, epochs=5, stretch=0.5), "stretch must be a finite number of at le"),
        (lambda: cr.Cosine(1, epochs=5, restarts="yes"), "restarts must be True or False"),
        (lambda: cr.ReduceOnPlateau(1, factor=1), "factor must be a finite number above 0 below"),
        (lambda: cr.ReduceOnPlateau(1, patience=0), "patience must be a whole number of at least"),
        (lambda: cr.ReduceOnPlateau(1, tolerance=-1), "tolerance must be a finite number of at"),
        (lambda: cr.ReduceOnPlateau(1, minimum=-1), "minimum must be a finite number of at least"),
    ],
)
def test_settings_outside_their_range_are_refused(make: Callable[[], object], message: str) -> None:
    with pytest.raises(cr.InvalidSetting, match=message):
        make()

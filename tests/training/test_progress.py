"""The progress bar: drawn where a person watches, and not too often."""

from __future__ import annotations

import io
import sys
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
import pytest

import chainrule as cr
from chainrule.training import progress
from chainrule.training.progress import ProgressBar

X = np.random.default_rng(0).normal(size=(20, 3))
Y = X.sum(axis=1)


class Terminal(io.StringIO):
    """What a person would watch."""

    def isatty(self) -> bool:
        return True


def watched(monkeypatch: pytest.MonkeyPatch) -> Terminal:
    """A terminal in place of standard error.

    No fixture: pytest puts its own standard error in place after the fixtures have run.
    """
    screen = Terminal()
    monkeypatch.setattr(sys, "stderr", screen)
    return screen


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    """A clock that only moves when told to."""
    chosen = SimpleNamespace(now=100.0)
    monkeypatch.setattr(progress, "time", SimpleNamespace(perf_counter=lambda: chosen.now))
    return chosen


def train(**settings: Any) -> cr.History:
    net = cr.NeuralNetwork(cr.Dense(1))
    chosen = {"epochs": 3, "batch_size": 5} | settings
    return net.fit(X, Y, **chosen)


def frames(output: str) -> list[str]:
    """Each time the bar was drawn."""
    return [frame for frame in output.replace("\n", "").split("\r") if frame.strip()]


@pytest.mark.parametrize("show", ["auto", False])
def test_scripts_stay_quiet(show: Any, capsys: pytest.CaptureFixture[str]) -> None:
    train(progress=show)
    assert capsys.readouterr() == ("", "")


def test_without_a_standard_error_there_is_nobody_to_show_it_to(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """As under pythonw on Windows."""
    monkeypatch.setattr(sys, "stderr", None)
    assert train().iterations == 12
    assert train(progress=True).iterations == 12


def test_on_request_it_is_drawn(capsys: pytest.CaptureFixture[str]) -> None:
    history = train(progress=True)
    printed, drawn = capsys.readouterr()
    assert printed == ""
    last = frames(drawn)[-1]
    assert "12/12" in last
    assert "100%" in last
    assert "steps" in last
    assert f"loss {history.last_loss:.4g}" in last


def test_a_terminal_gets_it_without_asking(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = watched(monkeypatch)
    train()
    assert "12/12" in terminal.getvalue()
    assert terminal.getvalue().endswith("\n")


def test_a_terminal_stays_quiet_on_request(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = watched(monkeypatch)
    train(progress=False)
    assert terminal.getvalue() == ""


def test_a_notebook_gets_it_without_asking(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "ipykernel", ModuleType("ipykernel"))
    train()
    assert "12/12" in capsys.readouterr().err


@pytest.mark.parametrize("settings", [{"batch_size": None}, {"batch_size": 20}])
def test_where_an_epoch_is_one_step_it_counts_epochs(
    settings: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    train(progress=True, **settings)
    last = frames(capsys.readouterr().err)[-1]
    assert "3/3" in last
    assert "epochs" in last


def test_it_stops_where_the_training_stopped(capsys: pytest.CaptureFixture[str]) -> None:
    train(progress=True, callbacks=cr.OnEpoch(lambda net, history: history.stop("enough")))
    assert " 4/12 " in frames(capsys.readouterr().err)[-1]


def test_a_training_that_fails_leaves_a_finished_line(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = watched(monkeypatch)
    with pytest.raises(cr.LossNotFinite):
        cr.NeuralNetwork(cr.Dense(1), optimizer=cr.GradientDescent(1e30)).fit(X, Y)
    assert terminal.getvalue().endswith("\n")


def test_it_is_drawn_at_most_ten_times_a_second(
    clock: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """3,000 steps in three seconds: a frame to begin with, thirty, and the end."""
    terminal = watched(monkeypatch)
    bar = ProgressBar(3000, "auto", "steps")
    for _ in range(3000):
        clock.now += 0.001
        bar.step(0.25)
    bar.close(0.125)
    drawn = frames(terminal.getvalue())
    assert 25 < len(drawn) <= 33
    assert "0/3000" in drawn[0]
    assert "loss 0.25" in drawn[-3]
    assert "3000/3000" in drawn[-1]
    assert "loss 0.125" in drawn[-1]


def test_steps_between_two_frames_are_counted_all_the_same(
    clock: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    terminal = watched(monkeypatch)
    bar = ProgressBar(100, "auto", "steps")
    for _ in range(7):
        bar.step(1.0)
    assert "7/100" not in terminal.getvalue()
    clock.now += 0.2
    bar.step(1.0)
    assert "8/100" in frames(terminal.getvalue())[-1]


def test_slow_steps_are_drawn_one_by_one(clock: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = watched(monkeypatch)
    bar = ProgressBar(3, "auto", "epochs")
    for step in (1, 2, 3):
        clock.now += 60
        bar.step(1.0)
        assert f"{step}/3" in frames(terminal.getvalue())[-1]


def test_without_tqdm_nobody_is_troubled(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = watched(monkeypatch)
    monkeypatch.setitem(sys.modules, "tqdm", None)
    assert train().iterations == 12
    assert terminal.getvalue() == ""


def test_without_tqdm_who_asks_for_it_is_told_how_to_get_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "tqdm", None)
    net = cr.NeuralNetwork(cr.Dense(1))
    with pytest.raises(cr.MissingPackage, match="A progress bar needs the package 'tqdm'"):
        net.fit(X, Y, progress=True)
    assert not net.is_built


def test_nothing_is_drawn_before_everything_is_checked(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = watched(monkeypatch)
    with pytest.raises(cr.InvalidSetting):
        train(callbacks=cr.EarlyStopping("no such column"))
    assert terminal.getvalue() == ""


@pytest.mark.parametrize("show", ["yes", None, 1, 0, X], ids=["yes", "None", "1", "0", "array"])
def test_anything_else_is_refused(show: Any) -> None:
    net = cr.NeuralNetwork(cr.Dense(1))
    with pytest.raises(cr.InvalidSetting, match="progress must be True, False or 'auto'"):
        net.fit(X, Y, progress=show)
    assert not net.is_built

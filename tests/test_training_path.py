"""The path of a training: from a history, from vectors, from networks."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import chainrule as cr
from chainrule.training_path import read_path

X = np.random.default_rng(0).normal(size=(40, 2))
Y = X.sum(axis=1)


def trained(epochs: int, batch_size: int | None = None) -> tuple[cr.NeuralNetwork, cr.History]:
    net = cr.NeuralNetwork(cr.Dense(2, "tanh"), cr.Dense(1), inputs=2, engine="reference")
    return net, net.fit(X, Y, epochs=epochs, batch_size=batch_size)


def test_a_path_of_vectors_or_of_networks() -> None:
    net, _ = trained(0)
    later = net.copy()
    later.parameters[...] += 1
    path = read_path(None, [net.parameters, later.parameters], 9)
    same = read_path(None, (n for n in (net, later)), 9)
    assert path is not None
    assert same is not None
    np.testing.assert_array_equal(path.vectors, [net.parameters, later.parameters])
    np.testing.assert_array_equal(path.vectors, same.vectors)
    assert path.vectors.dtype == np.float64
    assert path.steps is None
    assert read_path(None, None, 9) is None


def test_every_moment_of_a_short_training() -> None:
    seen: list[np.ndarray[Any, Any]] = []
    net = cr.NeuralNetwork(cr.Dense(2, "tanh"), cr.Dense(1), inputs=2, engine="reference")
    start = net.parameters.copy()
    keep = cr.OnEpoch(lambda network, _: seen.append(network.parameters.copy()))
    history = net.fit(X, Y, epochs=6, batch_size=None, callbacks=[keep])
    path = read_path(history, None, 9)
    assert path is not None
    assert path.steps is not None
    assert path.steps.tolist() == [0, 1, 2, 3, 4, 5, 6]
    np.testing.assert_array_equal(path.vectors, [start, *seen])


def test_eighty_moments_of_a_longer_one() -> None:
    net, history = trained(40, batch_size=10)
    path = read_path(history, None, 9)
    assert path is not None
    assert path.steps is not None
    assert len(path.steps) == 80
    assert path.steps[[0, -1]].tolist() == [0, 160]
    assert set(np.diff(path.steps)) == {2, 3}
    np.testing.assert_array_equal(path.vectors[-1], net.parameters)


def test_of_a_long_training_the_snapshots() -> None:
    net, history = trained(501, batch_size=10)
    path = read_path(history, None, 9)
    assert path is not None
    assert path.steps is not None
    assert path.steps.tolist() == [*history.snapshots.steps, 2004]
    np.testing.assert_array_equal(path.vectors[-1], net.parameters)


def test_large_networks_have_fewer_moments(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("chainrule.training_path._NUMBERS_AT_ONCE", 45)
    _, history = trained(20)
    path = read_path(history, None, 9)
    assert path is not None
    assert path.steps is not None
    assert path.steps.tolist() == [0, 5, 10, 15, 20]
    monkeypatch.setattr("chainrule.training_path._NUMBERS_AT_ONCE", 1)
    path = read_path(history, None, 9)
    assert path is not None
    assert path.vectors.shape == (2, 9)


@pytest.mark.parametrize(
    ("path", "error", "message"),
    [
        ([], cr.InvalidShape, "path holds 0 points; expected the parameters at two or more"),
        ([np.ones(9)], cr.InvalidShape, "path holds 1 points"),
        ([np.ones(9), np.ones(8)], cr.InvalidShape, r"path\[1\] has shape \(8,\); expected \(9,\)"),
        ([np.ones(9), np.ones(9)], cr.InvalidData, "All 2 points of path are the same"),
        ([np.ones(9), ["a"] * 9], cr.InvalidData, r"path\[1\] holds text"),
        ([np.ones(9), np.full(9, np.nan)], cr.InvalidData, r"path\[1\]"),
        (7, cr.InvalidSetting, "path received 7; expected a list"),
    ],
)
def test_paths_that_cannot_be(path: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        read_path(None, path, 9)


def test_histories_that_show_no_path() -> None:
    _, history = trained(3)
    with pytest.raises(cr.InvalidSetting, match="two accounts of the same"):
        read_path(history, [np.ones(9), np.zeros(9)], 9)
    with pytest.raises(cr.InvalidSetting, match=r"history received 3; expected what net\.fit"):
        read_path(3, None, 9)
    with pytest.raises(cr.InvalidShape, match="history holds 1 points"):
        read_path(trained(0)[1], None, 9)
    with pytest.raises(cr.InvalidShape, match=r"history\[0\] has shape \(9,\); expected \(5,\)"):
        read_path(history, None, 5)

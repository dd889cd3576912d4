"""The loss graph: where its points lie, and when it changes its scale."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from matplotlib import pyplot as plt

import chainrule as cr
from chainrule import plots
from plots.reading import legend_of, network


def test_each_loss_stands_at_the_number_of_updates_before_it() -> None:
    axes = plots.loss_graph([3.0, 2.0, 1.5])
    (line,) = axes.lines
    np.testing.assert_array_equal(line.get_xydata(), [[0, 3], [1, 2], [2, 1.5]])
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("Iteration", "Loss")
    assert axes.get_title() == "Loss during training"
    assert axes.get_yscale() == "linear"
    assert legend_of(axes) == []


def test_validation_losses_stand_at_the_end_of_their_epochs() -> None:
    axes = plots.loss_graph(np.ones(8), validation_losses=[3.0, 2.0], steps_per_epoch=4)
    np.testing.assert_array_equal(axes.lines[1].get_xydata(), [[4, 3], [8, 2]])
    assert legend_of(axes) == ["Training loss", "Validation loss"]


def test_noisy_epochs_show_their_means_in_their_middles() -> None:
    losses = np.arange(35.0)  # three epochs of ten iterations, and half a one
    raw, means = plots.loss_graph(losses, steps_per_epoch=10).lines
    np.testing.assert_array_equal(means.get_xydata(), [[4.5, 4.5], [14.5, 14.5], [24.5, 24.5]])
    np.testing.assert_array_equal(raw.get_ydata(), losses)
    assert raw.get_alpha() == 0.3
    assert means.get_linewidth() > raw.get_linewidth()


def test_epochs_may_have_a_fractional_number_of_iterations() -> None:
    losses = np.repeat([1.0, 2.0, 3.0], [8, 9, 8])
    means = plots.loss_graph(losses, steps_per_epoch=25 / 3).lines[1]
    np.testing.assert_array_equal(means.get_ydata(), [1, 2, 3])


@pytest.mark.parametrize(("count", "steps"), [(100, 1), (100, 4), (20, 10), (29, 10)])
def test_short_epochs_or_few_of_them_show_no_means(count: int, steps: int) -> None:
    assert len(plots.loss_graph(np.ones(count), steps_per_epoch=steps).lines) == 1


@pytest.mark.parametrize(
    ("losses", "validation", "scale"),
    [
        ([100.0, 1.0], None, "linear"),
        ([101.0, 1.0], None, "log"),
        ([50.0, 1.0], [0.1], "log"),
        ([1000.0, 0.0], None, "linear"),
        ([1000.0, -1.0], None, "linear"),
        ([1000.0, np.nan, 1.0], None, "log"),
        ([1000.0, 1.0], [np.inf], "log"),
    ],
)
def test_a_positive_loss_over_two_decades_has_a_logarithmic_axis(
    losses: list[float], validation: list[float] | None, scale: str
) -> None:
    axes = plots.loss_graph(losses, validation_losses=validation)
    assert axes.get_yscale() == scale
    assert ("logarithmic" in axes.get_ylabel()) == (scale == "log")


def test_a_single_loss_is_a_point() -> None:
    axes = plots.loss_graph([0.5])
    assert axes.lines[0].get_marker() == "o"
    assert list(axes.get_xticks()) == [0]


def test_history_draws_its_losses() -> None:
    X = np.random.default_rng(0).normal(size=(20, 2))
    net = network(cr.Dense(1))
    history = net.fit(X, X.sum(axis=1), epochs=3, batch_size=5, validation=(X, X.sum(axis=1)))
    axes = history.plot()
    np.testing.assert_array_equal(axes.lines[0].get_ydata(), history.losses)
    np.testing.assert_array_equal(axes.lines[1].get_xdata(), [4, 8, 12])
    np.testing.assert_array_equal(axes.lines[1].get_ydata(), history["validation_loss"])


@pytest.mark.parametrize(
    ("losses", "options", "error", "message"),
    [
        ([], {}, cr.InvalidData, "losses holds 0 numbers.*Train first"),
        ([np.nan, np.inf], {}, cr.InvalidData, "none of them finite"),
        (["high"], {}, cr.InvalidData, "losses holds what is no number.*high"),
        ([[1.0, 2.0]], {}, cr.InvalidShape, r"losses has shape \(1, 2\).*one row"),
        (None, {}, cr.InvalidShape, r"losses has shape \(\)"),
        ([1.0], {"steps_per_epoch": 0}, cr.InvalidSetting, "steps_per_epoch.*above 0"),
        ([1.0], {"validation_losses": ["x"]}, cr.InvalidData, "validation_losses holds"),
        (
            [1.0] * 5,
            {"validation_losses": [1.0, 1.0], "steps_per_epoch": 3},
            cr.InvalidShape,
            "2 epochs of 3 iterations, but losses only 5",
        ),
    ],
)
def test_losses_that_cannot_be_drawn(
    losses: Any, options: dict[str, Any], error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        plots.loss_graph(losses, **options)
    assert plt.get_fignums() == []


def test_the_history_of_no_training_says_so() -> None:
    history = network(cr.Dense(1)).fit([[0, 1]], [1], epochs=0)
    with pytest.raises(cr.InvalidData, match=r"net\.fit"):
        history.plot()

"""What is true of every picture: it fits, it is legible, it goes where it is told."""

from __future__ import annotations

from collections.abc import Callable
from itertools import combinations
from typing import Any

import numpy as np
import pytest
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure

import chainrule as cr
from chainrule import plots
from chainrule.landscape import LossLandscape, loss_landscape
from plots.reading import network


def _moons() -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    random = np.random.default_rng(0)
    angle = random.uniform(0, np.pi, (2, 60))
    upper = np.stack([np.cos(angle[0]), np.sin(angle[0])], axis=1)
    lower = np.stack([1 - np.cos(angle[1]), 0.5 - np.sin(angle[1])], axis=1)
    X = np.concatenate([upper, lower]) + random.normal(0, 0.1, (120, 2))
    return X, np.repeat([0, 1], 60)


def _judge() -> cr.NeuralNetwork:
    return network(cr.Dense(4, "tanh"), cr.Dense(1), loss="sigmoid_cross_entropy")


def _landscape(**options: Any) -> LossLandscape:
    return loss_landscape(_judge(), *_moons(), **{"points": 15, **options})


def _step(net: cr.NeuralNetwork, **axes: Any) -> Axes:
    return net.explain(*_moons()).plot(**axes)


LONG = ["a name much too long to stand beside a picture", "b", "c"]
PICTURES: dict[str, Callable[..., Axes]] = {
    "loss": lambda **axes: plots.loss_graph(np.geomspace(1e3, 1e-3, 90), **axes),
    "loss of one iteration": lambda **axes: plots.loss_graph([12345.678], **axes),
    "loss of many": lambda **axes: plots.loss_graph(
        np.linspace(2, 1, 120_000), validation_losses=np.ones(40), steps_per_epoch=3000, **axes
    ),
    "rows": lambda **axes: plots.predictions_against_actual(
        [1e6, 2, 3], [1, 2, 3], labels=LONG, **axes
    ),
    "cloud": lambda **axes: plots.predictions_against_actual(
        np.arange(50) * 1e6, np.arange(50) * 2e6, **axes
    ),
    "confusion": lambda **axes: plots.confusion(np.arange(9).reshape(3, 3) * 999, LONG, **axes),
    "boundary": lambda **axes: plots.decision_boundary(
        network(cr.Dense(4, "tanh"), cr.Dense(1), loss="sigmoid_cross_entropy"), *_moons(), **axes
    ),
    "regions": lambda **axes: plots.decision_boundary(
        network(cr.Dense(11), loss="softmax_cross_entropy"), *_moons(), **axes
    ),
    "landscape": lambda **axes: plots.loss_landscape(_landscape(), **axes),
    "landscape of nearly nothing": lambda **axes: plots.loss_landscape(
        _landscape(extent=1e200, points=9), **axes
    ),
    "landscape with a path": lambda **axes: plots.loss_landscape(
        _landscape(path=[_judge().parameters + 3, _judge().parameters]), **axes
    ),
    "narrow landscape": lambda **axes: plots.loss_landscape(
        _landscape(extent=(-1, 1, -3, 3), at_most=50), **axes
    ),
    "step": lambda **axes: _step(_judge(), **axes),
    "step through many layers": lambda **axes: _step(
        network(*[cr.Dense(4, "hard_sigmoid") for _ in range(20)], cr.Dense(1)), **axes
    ),
    "step through residual layers": lambda **axes: _step(
        network(*[cr.Residual(cr.Dense(2, "relu"), cr.Dense(2)) for _ in range(5)], cr.Dense(1)),
        **axes,
    ),
    "diagram": lambda **axes: plots.network_diagram(
        network(cr.Dense(1, "hard_sigmoid"), inputs=1), **axes
    ),
    "diagram of many": lambda **axes: plots.network_diagram(
        network(*[cr.Dense(20, "hard_sigmoid") for _ in range(7)], cr.LeakyReLU()), **axes
    ),
}
every_picture = pytest.mark.parametrize("draw", PICTURES.values(), ids=list(PICTURES))


@every_picture
def test_nothing_is_cut_off(draw: Callable[..., Axes]) -> None:
    axes = draw()
    figure = axes.figure
    figure.canvas.draw()
    boxes = [figure.get_tightbbox().transformed(figure.dpi_scale_trans)]
    if axes.get_legend() is not None:
        boxes.append(axes.get_legend().get_window_extent())
    for box in boxes:
        assert min(box.x0, box.y0) >= 0
        assert box.x1 <= figure.bbox.width
        assert box.y1 <= figure.bbox.height


@every_picture
def test_no_words_overlap(draw: Callable[..., Axes]) -> None:
    axes = draw()
    axes.figure.canvas.draw()
    legend = axes.get_legend()
    texts = [axes.title, axes.xaxis.label, axes.yaxis.label, *axes.texts]
    texts += [] if legend is None else legend.get_texts()
    upright = [*axes.get_xticklabels(), *axes.get_yticklabels()]
    texts += [text for text in upright if text.get_rotation() == 0]  # of others the box is no frame
    boxes = {text: text.get_window_extent() for text in texts if text.get_text()}
    for (one, first), (other, second) in combinations(boxes.items(), 2):
        overlap = min(first.x1, second.x1) > max(first.x0, second.x0) and (
            min(first.y1, second.y1) > max(first.y0, second.y0)
        )
        assert not overlap, (one.get_text(), other.get_text())


@every_picture
def test_every_picture_goes_where_it_is_told(draw: Callable[..., Axes]) -> None:
    mine = Figure(figsize=(6, 5)).subplots()
    assert draw(axes=mine) is mine
    assert mine.get_title()
    assert plt.get_fignums() == []


@every_picture
def test_axes_must_be_axes(draw: Callable[..., Axes]) -> None:
    with pytest.raises(cr.InvalidSetting, match="Received Figure as axes; expected one matplotlib"):
        draw(axes=Figure())

"""The graph of a step: every length it shows is that of the trace, and every word can be read."""

from __future__ import annotations

from itertools import combinations
from typing import Any

import numpy as np
import pytest
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.colors import to_hex
from matplotlib.figure import Figure
from matplotlib.patches import FancyArrowPatch, FancyBboxPatch, Rectangle

import chainrule as cr
from chainrule import models, plots
from chainrule.explain.flow import flow_of
from chainrule.explain.step import Step
from chainrule.plots.canvas import BLUE, GREY, VERMILION
from plots.reading import legend_of, network, written

RANDOM = np.random.default_rng(0)


def step_of(net: cr.NeuralNetwork, *, batch: int = 6, y: Any = None) -> Step:
    """Make a step over random numbers."""
    x = np.random.default_rng(1).normal(size=(batch, *net.shapes[0]))
    classes = net.loss.targets == "classes"
    actual = np.arange(batch) % 3 if classes else net.feedforward(x) * 0.5 if y is None else y
    return net.explain(x, actual).step


def draw(net: cr.NeuralNetwork, **options: Any) -> Axes:
    return plots.step_graph(flow_of(step_of(net)), **options)


def trace_of(step: Step) -> Any:
    """Make the same step by feedforward and backprop, which leave a trace."""
    trace = step.network.new_trace(training=True)
    trace.shared.step = step.shared.step
    step.network.feedforward(step.samples.x[:], trace)
    step.network.backprop(step.samples.y, trace, step.samples.weight)
    return trace


def deep(layers: int) -> cr.NeuralNetwork:
    hidden = [cr.Dense(8, "sigmoid") for _ in range(layers - 1)]
    return network(*hidden, cr.Dense(3), loss="softmax_cross_entropy")


def norm(array: Any) -> float:
    return float(np.sqrt(np.square(np.asarray(array, np.float64)).sum()))


def corners(arrow: FancyArrowPatch) -> np.ndarray[Any, Any]:
    """Return the points of an arrow, its head's too."""
    path = arrow.get_path()
    assert path.codes is not None
    return np.asarray(path.vertices)[path.codes != path.CLOSEPOLY]


def turns(axes: Axes, colour: str) -> list[np.ndarray[Any, Any]]:
    """Return those that lead to another column."""
    found = [corners(arrow) for arrow in arrows(axes, colour)]
    return [points for points in found if np.ptp(points[:, 0]) > 1]


def boxes(axes: Axes) -> list[FancyBboxPatch]:
    return [patch for patch in axes.patches if isinstance(patch, FancyBboxPatch)]


def arrows(axes: Axes, colour: str) -> list[FancyArrowPatch]:
    found = [patch for patch in axes.patches if isinstance(patch, FancyArrowPatch)]
    return [arrow for arrow in found if to_hex(arrow.get_edgecolor()).upper() == colour.upper()]


# --- numbers ----------------------------------------------------------------------------------


def test_a_step_by_hand() -> None:
    """x = (3, 4), one weight each of 1 and 2: ŷ = 11, y = 10, L = 1, δ = 2."""
    net = network(cr.Dense(1, use_bias=False), loss="sum_of_squares")
    net.layers[0].weights = [[1], [2]]
    axes = net.explain([[3, 4]], [10]).plot()
    assert axes.get_title() == "One step, forward and back: loss 1"
    assert set(written(axes)) == {
        *("x", "1 sample of 2 numbers"),
        *("‖x‖ = 5", "(1, 2)", "‖∂L/∂x‖ = 4.47"),  # δ W = (2, 4)
        *("Layer 1", "Dense(1, use_bias=False)", "W  2 × 1 = 2", "‖∂L/∂W₁‖ = 10"),  # xᵀ δ
        *("‖ŷ‖ = 11", "(1, 1)", "‖∂L/∂ŷ‖ = 2"),
        *("Loss", "SumOfSquares()", "L = 1"),
    }


def test_all_lengths_are_those_of_the_trace() -> None:
    net = network(cr.Dense(4, "tanh"), cr.Dense(3, "relu"), cr.Dense(1, "sigmoid"), l2=0.3)
    step = step_of(net)
    found, trace = flow_of(step), trace_of(step)
    first, second, third = trace.layers
    assert [flow.forward for flow in found.flows] == pytest.approx(
        [norm(array) for array in (first.x, first.a, second.a, third.a)]
    )
    assert [flow.back for flow in found.flows] == pytest.approx(
        [
            norm(first.d_z @ net.layers[0].weights.T),
            norm(second.d_z @ net.layers[1].weights.T),
            norm(third.d_z @ net.layers[2].weights.T),
            norm(trace.d_output),
        ]
    )
    words = written(plots.step_graph(flow_of(step)))
    for slot in net.parameter_vector.slots:
        letter = {"weights": "W", "bias": "b"}[slot.name] + "₁₂₃"[slot.layer]
        assert f"‖∂L/∂{letter}‖ = {norm(slot.view(trace.gradients)):.3g}" in words
    assert "with l2 = 0.3" in words  # whose part is in the gradients and in L
    assert f"L = {trace.loss:.4g}" in words


@pytest.mark.parametrize("name", list(models.MODELS))
def test_what_has_come_back_through_every_layer_is_the_traces_own(name: str) -> None:
    net = models.named(name, 3, inputs=(12, 12, 1), engine="reference", dtype="float64")
    step = step_of(net)
    found, trace = flow_of(step), trace_of(step)
    assert found.flows[0].back == pytest.approx(norm(trace.d_x))
    assert found.flows[-1].forward == pytest.approx(norm(trace.output))
    assert len(found.flows) == len(found.boxes) - 1


def test_dropout_and_batch_statistics_are_those_of_the_pass() -> None:
    net = network(cr.Dense(8), cr.BatchNorm(), cr.Dropout(0.5), cr.Dense(1))
    net.training_state.step = 12
    step = step_of(net)
    dropped = trace_of(step).layers[3].x
    assert (dropped == 0).any()
    assert flow_of(step).flows[3].forward == pytest.approx(norm(dropped))


# --- what stands in the boxes -----------------------------------------------------------------


def test_a_box_for_the_inputs_each_layer_and_the_loss() -> None:
    axes = draw(models.small_cnn(3, inputs=(8, 8, 1)))
    assert len(boxes(axes)) == 1 + 7 + 1
    words = written(axes)
    assert "6 samples of 8 × 8 × 1 numbers" in words
    assert "Conv2D(32, 3, activation='relu'," in words  # and goes on in the next line
    assert "W  3 × 3 × 32 × 64 = 18,432" in words
    assert "(6, 4, 4, 32)" in words
    assert "Flatten()" in words


def test_a_layer_used_twice_has_its_gradient_once() -> None:
    """W₁ is in both places, and ∂L/∂W₁ is the sum of what comes from both."""
    shared = cr.Dense(2, "tanh")
    net = network(shared, shared, cr.Dense(1))
    step = step_of(net)
    trace = trace_of(step)
    words = written(plots.step_graph(flow_of(step)))
    both = norm(trace.layers[0].d_weights + trace.layers[1].d_weights)
    assert f"‖∂L/∂W₁‖ = {both:.3g}" in words
    assert {"W₁ again", "b₁ again"} <= set(words)
    assert not any("W₂" in text for text in words)


class Halves(cr.Layer, register=False):
    """Someone's own layer: the square root of its inputs' sizes, times a factor."""

    factor = cr.Parameter()

    def parameter_shapes(self, input_shape: tuple[int, ...]) -> dict[str, tuple[int, ...]]:
        return {"factor": (1,)}

    def initial_value(self, name: str, shape: Any, random: Any) -> Any:
        return np.full(shape, 2.0)

    def feedforward(self, x: Any, trace: cr.Trace) -> Any:
        trace.x = x
        return x * self.factor

    def backprop(self, d_y: Any, trace: cr.Trace) -> Any:
        trace.d_factor = np.atleast_1d((d_y * trace.x).sum())
        return d_y * self.factor


class Pair(cr.Layer, register=False):
    """Someone's own layer made of layers."""

    def __init__(self) -> None:
        self.inside = cr.Dense(2, "tanh")

    def inner_layers(self, input_shape: Any) -> Any:
        return [(self.inside, input_shape)]

    def feedforward(self, x: Any, trace: cr.Trace) -> Any:
        trace.x = x
        return self.inside.feedforward(x, trace.inner(0))

    def backprop(self, d_y: Any, trace: cr.Trace) -> Any:
        return self.inside.backprop(d_y, trace.inner(0))


def test_layers_of_ones_own() -> None:
    net = network(Halves(), Pair())
    step = step_of(net)
    trace = trace_of(step)
    words = written(plots.step_graph(flow_of(step)))
    assert f"‖∂L/∂factor₁‖ = {norm(trace.layers[0].d_factor):.3g}" in words
    inside = trace.layers[1].inner(0)
    assert f"‖∂L/∂W₂.₁‖ = {norm(inside.d_weights):.3g}" in words
    assert {"factor  1", "Halves()", "Pair()"} <= set(words)


def test_long_descriptions_are_broken_and_cut() -> None:
    class Wordy(cr.ReLU, register=False):
        def __repr__(self) -> str:
            return "word " * 50 + "x" * 100

    axes = draw(network(Wordy(), cr.Dense(1)))
    lines = [text for text in written(axes) if text.startswith("word")]
    assert len(lines) == 3
    _check_legible(axes)


# --- residual layers --------------------------------------------------------------------------


def residual() -> cr.NeuralNetwork:
    return network(
        cr.Dense(4),
        cr.Residual(cr.Dense(5, "relu"), cr.Dense(4), activation="tanh"),
        cr.Residual(cr.Dense(3), projection="auto"),
        cr.Residual(cr.Dense(2, "relu"), projection=cr.Dense(2)),
        cr.Dense(1),
    )


def test_a_residual_layer_shows_its_layers_and_the_way_around() -> None:
    net = residual()
    step = step_of(net)
    found, trace = flow_of(step), trace_of(step)
    around = found.ways[0]
    assert [box.title for box in found.boxes[2:6]] == ["Layer 2", "Layer 2.1", "Layer 2.2", "+"]
    assert (around.first, around.last) == (2, 5)
    assert found.boxes[5].text == "F(x) + x, then tanh"
    outer = trace.layers[1]
    assert around.forward == pytest.approx(norm(outer.x))  # x itself goes around
    assert around.back == pytest.approx(norm(outer.d_z))  # and all of ∂L/∂z comes back
    through = found.flows[2]
    assert through.back == pytest.approx(
        norm(outer.inner(0).d_z @ net.layers[1].layers[0].weights.T)
    )
    assert through.back_label == f"through F: {through.back:.3g}"
    assert found.flows[4].forward == pytest.approx(norm(outer.z - outer.x))  # F(x)
    assert found.flows[4].forward_label.startswith("‖a₂.₂‖ = ")


def test_what_stands_on_the_way_around_has_its_parameters_there() -> None:
    net = residual()
    step = step_of(net)
    found, trace = flow_of(step), trace_of(step)
    matrix, own = (found.boxes[way.last] for way in found.ways[1:])
    assert matrix.text == "F(x) + x P"
    assert own.text == "F(x) + P(x), P = Dense(2)"
    d_matrix = norm(trace.layers[2].d_projection_weights)
    assert matrix.rows == [("P  4 × 3 = 12", f"‖∂L/∂P₃‖ = {d_matrix:.3g}")]
    d_own = norm(trace.layers[3].inner(1).d_weights)
    assert own.rows[0] == ("W  3 × 2 = 6", f"‖∂L/∂W₄.₂‖ = {d_own:.3g}")
    assert found.ways[1].forward == pytest.approx(
        norm(trace.layers[2].x @ net.layers[2].projection_weights)
    )


def test_residual_layers_are_areas_with_arrows_around() -> None:
    net = residual()
    axes = draw(net)
    areas = [patch for patch in axes.patches if isinstance(patch, Rectangle)]
    assert len(areas) == 3
    found = flow_of(step_of(net))
    assert len(arrows(axes, BLUE)) == len(found.flows) + len(found.ways)
    rotated = [text.get_text() for text in axes.texts if text.get_rotation() == 90]
    lengths = [length for way in found.ways for length in (way.forward, way.back)]
    assert rotated == [f"{length:.3g}" for length in lengths]


def test_residual_layers_stay_in_one_column() -> None:
    layers = [cr.Residual(*[cr.Dense(2) for _ in range(5)]) for _ in range(4)]
    axes = draw(network(*layers))
    for area in (patch for patch in axes.patches if isinstance(patch, Rectangle)):
        inside = [
            box
            for box in boxes(axes)
            if area.get_y() < box.get_y() < area.get_y() + area.get_height()
            and area.get_x() < box.get_x() < area.get_x() + area.get_width()
        ]
        assert len(inside) == 7


# --- arrows -----------------------------------------------------------------------------------


def test_widths_are_logarithms_of_the_lengths() -> None:
    net = deep(5)
    found = flow_of(step_of(net))
    axes = plots.step_graph(found)
    for colour, lengths in (
        (BLUE, [flow.forward for flow in found.flows]),
        (VERMILION, [flow.back for flow in found.flows]),
    ):
        points = [arrow.get_linewidth() for arrow in arrows(axes, colour)]
        expected = 4 + 0.8 * np.log10(np.array(lengths) / max(lengths))
        np.testing.assert_allclose(points, expected)


def test_a_vanishing_gradient_is_seen() -> None:
    """Thirty sigmoids: the last arrow back is thick, the first a hair, thinner all the way."""
    back = [arrow.get_linewidth() for arrow in arrows(draw(deep(30)), VERMILION)]
    assert back[-1] > 3.9
    assert back[0] == back[1] == 0.6
    assert back[:-1] == sorted(back[:-1])


def test_lengths_that_have_no_logarithm_are_dotted_and_written() -> None:
    net = network(cr.Dense(3, "relu"), cr.Dense(3), cr.Dense(1))
    net.layers[0].bias = [-1e9] * 3  # dead units
    axes = draw(net)
    dotted = arrows(axes, GREY)
    assert {"‖a₁‖ = 0", "‖∂L/∂x‖ = 0", "‖∂L/∂W₁‖ = 0"} <= set(written(axes))
    assert len(dotted) >= 2
    assert not any(arrow.get_linestyle() == "-" for arrow in dotted)
    net.parameters[-1] = np.nan
    axes = plots.step_graph(flow_of(step_of(net, y=np.zeros(6))))
    assert {"‖ŷ‖ = nan", "‖∂L/∂a₁‖ = nan", "L = nan"} <= set(written(axes))


# --- the page ---------------------------------------------------------------------------------


def _check_legible(axes: Axes) -> None:
    """No two words overlap, none leaves the picture, and none leaves its box."""
    figure = axes.figure
    figure.draw_without_rendering()
    legend = axes.get_legend()
    assert legend is not None
    texts = [axes.title, *axes.texts, *legend.get_texts()]
    extents = [text.get_window_extent() for text in texts]
    for extent in extents:
        assert min(extent.x0, extent.y0) >= 0
        assert extent.x1 <= figure.bbox.width
        assert extent.y1 <= figure.bbox.height
    for (one, first), (other, second) in combinations(zip(texts, extents, strict=True), 2):
        overlap = min(first.x1, second.x1) > max(first.x0, second.x0) and (
            min(first.y1, second.y1) > max(first.y0, second.y0)
        )
        assert not overlap, (one.get_text(), other.get_text())
    frames = [box.get_window_extent() for box in boxes(axes)]
    for text, extent in zip(axes.texts, extents[1:], strict=False):
        middle = (extent.y0 + extent.y1) / 2
        for frame in frames:
            if frame.y0 < middle < frame.y1 and frame.x0 < extent.x0 < frame.x1:
                assert extent.x1 <= frame.x1 + 1, text.get_text()
    for first, second in combinations(frames, 2):
        assert not first.overlaps(second)


@pytest.mark.parametrize("layers", [2, 5, 12, 30])
def test_every_word_can_be_read(layers: int) -> None:
    axes = draw(deep(layers))
    _check_legible(axes)
    width, height = axes.figure.get_size_inches()
    assert 0.5 < width / height < 2
    assert max(width, height) < 18
    assert min(text.get_fontsize() for text in axes.texts) == 9


@pytest.mark.parametrize("name", ["lenet5", "resnet8"])
def test_every_word_of_image_networks_can_be_read(name: str) -> None:
    _check_legible(draw(models.named(name, 3, inputs=(28, 28, 1))))


def test_every_word_of_nested_residual_layers_can_be_read() -> None:
    inner = cr.Residual(cr.Dense(4, "tanh"), cr.Residual(cr.Dense(4)), activation="relu")
    axes = draw(network(cr.Residual(cr.Dense(4), inner, projection="auto"), cr.Dense(1)))
    _check_legible(axes)
    assert "‖∂L/∂W₁.₂.₂.₁‖" in " ".join(written(axes))


def test_long_networks_go_on_in_the_next_column() -> None:
    axes = draw(deep(30))
    columns = sorted({round(box.get_x(), 6) for box in boxes(axes)})
    assert len(columns) == 4
    assert len(turns(axes, BLUE)) == len(turns(axes, VERMILION)) == 3
    for column in columns:  # from top to bottom in each
        heights = [box.get_y() for box in boxes(axes) if round(box.get_x(), 6) == column]
        assert heights == sorted(heights)


def test_the_two_arrows_to_the_next_column_never_cross() -> None:
    axes = draw(deep(12))
    pairs = list(zip(turns(axes, BLUE), turns(axes, VERMILION), strict=True))
    assert len(pairs) == 2
    for forward, back in pairs:
        middles = [(points[:, 1].min() + points[:, 1].max()) / 2 for points in (forward, back)]
        assert forward[:, 1].max() > back[:, 1].max()  # y points downwards: it goes lower
        assert forward[:, 1].min() > back[:, 1].min()  # and does not rise as high
        assert middles[0] > middles[1]


@pytest.mark.parametrize(("size", "columns"), [((4, 12), 1), ((7, 7), 2), ((14, 4), 3)])
def test_the_page_takes_the_shape_of_the_axes_it_is_given(
    size: tuple[float, float], columns: int
) -> None:
    mine = Figure(figsize=size).subplots()
    axes = draw(deep(6), axes=mine)
    assert axes is mine
    assert len({round(box.get_x(), 6) for box in boxes(axes)}) == columns


def test_words_shrink_with_the_axes_they_are_given() -> None:
    axes = draw(deep(12), axes=Figure(figsize=(9, 7)).subplots())
    assert 4 < min(text.get_fontsize() for text in axes.texts) < 8
    _check_legible(axes)


def test_the_legend_says_what_the_arrows_are() -> None:
    assert legend_of(draw(deep(2))) == [
        "Forward: ‖a‖, length of what flows (whole batch)",
        "Back: ‖∂L/∂a‖, length of its gradient",
        "Width: logarithm of the length (dotted: 0 or NaN)",
    ]


# --- what cannot be drawn ---------------------------------------------------------------------


def test_what_cannot_be_drawn() -> None:
    net = network(cr.Dense(3, "tanh"), cr.Dense(1))
    with pytest.raises(
        cr.InvalidInput, match=r"received NeuralNetwork.*net\.explain\(x, y\)\.plot"
    ):
        plots.step_graph(net)  # type: ignore[arg-type]  # which is the point
    assert plt.get_fignums() == []


def test_a_first_layer_that_keeps_no_inputs_is_drawn_too() -> None:
    words = written(draw(network(cr.Dropout(), cr.Dense(1))))
    assert {"Layer 1", "Dropout()"} <= set(words)

"""Residual by hand: y = f(F(x) + x), and what comes back on both ways."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import chainrule as cr
from chainrule import saving
from chainrule.layer import Array, Layer, Shape
from chainrule.layers import Conv2D, Dropout, Flatten, Residual
from chainrule.saving.description import build, describe


class Halve(cr.Layer, register=False):
    """Every second pixel, its channels twice: what a strided convolution does to a shape."""

    def output_shape(self, input_shape: Shape) -> Shape:
        height, width, channels = input_shape
        return (-(-height // 2), -(-width // 2), 2 * channels)

    def feedforward(self, x: Array, trace: cr.Trace) -> Array:
        trace.x = x
        return np.concatenate([x[:, ::2, ::2], 3 * x[:, ::2, ::2]], axis=-1)

    def backprop(self, d_y: Array, trace: cr.Trace) -> Array:
        d_x = np.zeros_like(trace.x)
        first, second = np.split(d_y, 2, axis=-1)
        d_x[:, ::2, ::2] = first + 3 * second
        return d_x


class Scale(cr.Layer, register=False):
    """y = s x, with a gradient that ignores the engine's room."""

    factors = cr.Parameter()

    def parameter_shapes(self, input_shape: Shape) -> dict[str, Shape]:
        return {"factors": input_shape}

    def initial_value(self, name: str, shape: Shape, random: np.random.Generator) -> Array:
        return random.normal(size=shape)

    def feedforward(self, x: Array, trace: cr.Trace) -> Array:
        trace.x = x
        return x * self.factors

    def backprop(self, d_y: Array, trace: cr.Trace) -> Array:
        trace.d_factors = (d_y * trace.x).sum(axis=0)
        return d_y * self.factors


class Counting(cr.Layer, register=False):
    """Counts the passes it is told of, as running statistics do."""

    count = cr.Parameter(trainable=False)

    def parameter_shapes(self, input_shape: Shape) -> dict[str, Shape]:
        return {"count": (1,)}

    def feedforward(self, x: Array, trace: cr.Trace) -> Array:
        trace.one = np.ones(1, dtype=x.dtype)
        return x

    def backprop(self, d_y: Array, trace: cr.Trace) -> Array:
        return d_y

    def update_statistics(self, trace: cr.Trace) -> None:
        self.count += trace.one


def network(*layers: Layer, inputs: int | Shape, **settings: Any) -> cr.NeuralNetwork:
    return cr.NeuralNetwork(*layers, inputs=inputs, **{"dtype": "float64", **settings})


def passes(net: cr.NeuralNetwork, x: Array, d_output: Array) -> tuple[Array, Array, cr.Trace]:
    trace = cr.Trace()
    y = net.layers[0].feedforward(x, trace)
    d_x = net.layers[0].backprop(d_output, trace)
    assert d_x is not None
    return y, d_x, trace


def random_like(shape: Shape, batch: int = 5, seed: int = 0) -> Array:
    return np.random.default_rng(seed).normal(size=(batch, *shape))


class TestMathematics:
    def test_the_sum_and_the_two_ways_back_by_hand(self) -> None:
        dense = cr.Dense(2, use_bias=False)
        net = network(Residual(dense), inputs=2)
        dense.weights = [[1, 2], [0, -1]]
        y, d_x, trace = passes(net, np.array([[3.0, 4.0]]), np.array([[1.0, 10.0]]))
        np.testing.assert_array_equal(y, [[3 + 3, 4 + 6 - 4]])  # x + x W
        np.testing.assert_array_equal(d_x, [[1 + 1 + 20, 10 - 10]])  # δ + δ Wᵀ
        np.testing.assert_array_equal(trace.inner(0).d_weights, [[3, 30], [4, 40]])

    def test_a_block_that_adds_nothing_passes_everything_both_ways(self) -> None:
        """Whatever stands inside, with zero weights the block is the identity."""
        dense = cr.Dense(3, weights_initializer="zeros")
        net = network(Residual(cr.Dense(3, "relu"), dense), inputs=3)
        x, d_output = random_like((3,)), random_like((3,), seed=1)
        y, d_x, _ = passes(net, x, d_output)
        np.testing.assert_array_equal(y, x)
        np.testing.assert_array_equal(d_x, d_output)

    def test_the_activation_comes_after_the_sum(self) -> None:
        net = network(Residual(cr.Identity(), activation="relu"), inputs=2)
        y, d_x, trace = passes(net, np.array([[3.0, -4.0]]), np.array([[1.0, 10.0]]))
        np.testing.assert_array_equal(trace.z, [[6, -8]])
        np.testing.assert_array_equal(y, [[6, 0]])
        np.testing.assert_array_equal(d_x, [[2, 0]])
        np.testing.assert_array_equal(trace.d_z, [[1, 0]])  # not added to by what came back

    def test_a_matrix_brings_rows_of_other_lengths_together(self) -> None:
        dense = cr.Dense(2, use_bias=False, weights_initializer="zeros")
        residual = Residual(dense, projection="auto")
        net = network(residual, inputs=3)
        residual.projection_weights = [[1, 2], [3, 4], [5, 6]]
        y, d_x, trace = passes(net, np.array([[1.0, 0.0, 2.0]]), np.array([[1.0, 10.0]]))
        np.testing.assert_array_equal(y, [[11, 14]])
        np.testing.assert_array_equal(d_x, [[21, 43, 65]])
        np.testing.assert_array_equal(trace.d_projection_weights, [[1, 10], [0, 0], [2, 20]])

    @pytest.mark.parametrize("shape", [(4, 6, 1), (5, 3, 2), (1, 1, 3)])
    def test_for_images_it_is_that_matrix_at_every_second_pixel(self, shape: Shape) -> None:
        residual = Residual(Halve(), projection="auto")
        net = network(residual, inputs=shape)
        x = random_like(shape)
        y, _, trace = passes(net, x, random_like(net.output_shape))
        inside = Halve().feedforward(x, cr.Trace())
        around = np.einsum("bhwc,cd->bhwd", x[:, ::2, ::2], residual.projection_weights)
        np.testing.assert_allclose(y, inside + around, rtol=1e-13)
        assert trace.d_projection_weights.shape == (shape[-1], 2 * shape[-1])

    def test_and_that_is_a_convolution_of_one_pixel_with_a_stride(self) -> None:
        around = Conv2D(4, 1, stride=2, use_bias=False)
        matrix, convolution = (
            Residual(Conv2D(4, 3, "tanh", stride=2, padding="same"), projection=projection)
            for projection in ("auto", around)
        )
        nets = [network(block, inputs=(7, 6, 3)) for block in (matrix, convolution)]
        around.weights = matrix.projection_weights[np.newaxis, np.newaxis]
        x, d_output = random_like((7, 6, 3)), random_like((4, 3, 4), seed=1)
        (y, d_x, trace), (y_too, d_x_too, trace_too) = (passes(net, x, d_output) for net in nets)
        np.testing.assert_allclose(y, y_too, rtol=1e-12)
        np.testing.assert_allclose(d_x, d_x_too, rtol=1e-12, atol=1e-14)
        np.testing.assert_allclose(
            trace.d_projection_weights, trace_too.inner(1).d_weights[0, 0], rtol=1e-12
        )

    def test_a_projection_of_ones_own_is_always_used(self) -> None:
        around = cr.Dense(3, "tanh")
        net = network(Residual(cr.Dense(3), projection=around), inputs=3)
        x, d_output = random_like((3,)), random_like((3,), seed=1)
        y, d_x, trace = passes(net, x, d_output)
        both = [cr.Trace(), cr.Trace()]
        branches = (net.layers[0].layers[0], around)  # type: ignore[attr-defined]  # a Residual
        outputs = [branch.feedforward(x, t) for branch, t in zip(branches, both, strict=True)]
        backs = [branch.backprop(d_output, t) for branch, t in zip(branches, both, strict=True)]
        np.testing.assert_allclose(y, sum(outputs), rtol=1e-14)
        np.testing.assert_allclose(d_x, sum(backs), rtol=1e-14)
        np.testing.assert_array_equal(trace.inner(1).d_weights, both[1].d_weights)


BLOCKS: list[tuple[Residual, Shape]] = [
    (Residual(cr.Dense(4, "tanh"), cr.Dense(4)), (4,)),
    (Residual(cr.Dense(4, cr.PReLU()), cr.Dense(4), activation="tanh"), (4,)),
    (Residual(cr.Dense(2, "tanh"), projection="auto", activation=cr.PReLU()), (4,)),
    (Residual(cr.Dense(4, "tanh"), projection="auto"), (4,)),  # nothing to bring together
    (Residual(cr.Dense(2, "tanh"), projection=cr.Dense(2, "softplus")), (4,)),
    (Residual(Residual(cr.Dense(4, "tanh"), cr.Dense(4)), cr.Dense(4), activation="tanh"), (4,)),
    (Residual(Residual(cr.Dense(3, "tanh"), projection="auto"), projection="auto"), (4,)),
    (Residual(Halve(), cr.Tanh(), projection="auto", activation="softplus"), (5, 4, 2)),
    (Residual(Flatten(), cr.Dense(6, "tanh"), projection=Flatten()), (3, 2, 1)),
]
ALL = pytest.mark.parametrize(
    ("block", "shape"), BLOCKS, ids=[f"{block!r} {shape}" for block, shape in BLOCKS]
)


@ALL
def test_finite_differences(block: Residual, shape: Shape) -> None:
    net = network(copy.deepcopy(block), inputs=shape, loss="sum_of_squares")
    check = net.check_gradients(random_like(shape), random_like(net.output_shape, seed=1))
    assert check.worst.error < 1e-7, check


@ALL
def test_every_parameter_inside_trains(block: Residual, shape: Shape) -> None:
    net = network(copy.deepcopy(block), inputs=shape)
    before = net.parameters.copy()
    x, y = random_like(shape, 20), random_like(net.output_shape, 20, seed=1)
    history = net.fit(x, y, epochs=20)
    assert history.losses[-1] < history.losses[0]
    for slot in net.parameter_vector.slots:
        assert (slot.view(net.parameters) != slot.view(before)).any(), slot.label


@ALL
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_the_dtype_stays(block: Residual, shape: Shape, dtype: str) -> None:
    net = network(copy.deepcopy(block), inputs=shape, dtype=dtype)
    trace = net.new_trace()
    net.feedforward(random_like(shape), trace)
    net.backprop(random_like(net.output_shape), trace)
    assert {value.dtype for _, _, value in trace.tensors()} == {np.dtype(dtype)}


@ALL
def test_copies_are_independent_and_bound_to_their_own_vector(
    block: Residual, shape: Shape
) -> None:
    net = network(copy.deepcopy(block), inputs=shape)
    x = random_like(shape)
    expected = net.predict(x).copy()
    for twin in (copy.deepcopy(net), net.copy()):
        np.testing.assert_array_equal(twin.predict(x), expected)
        twin.parameters[...] = 0
        np.testing.assert_array_equal(net.predict(x), expected)
        assert not np.array_equal(twin.predict(x), expected)


class TestInsideANetwork:
    def test_parameters_have_names_that_say_where_they_are(self) -> None:
        block = Residual(cr.Dense(3, cr.PReLU()), Residual(cr.Dense(3)), projection="auto")
        net = network(cr.Dense(4), block, inputs=2)
        labels = [slot.label for slot in net.parameter_vector.slots]
        assert labels[2:] == [
            "layer 2 projection_weights",
            "layer 2.1 weights",
            "layer 2.1 bias",
            "layer 2.1 slope",
            "layer 2.2.1 weights",
            "layer 2.2.1 bias",
        ]
        assert [
            c.name for c in net.check_gradients(*[np.ones((2, n)) for n in (2, 3)]).comparisons
        ][2:-1] == labels[2:]

    def test_the_summary_counts_them(self, capsys: pytest.CaptureFixture[str]) -> None:
        network(cr.Dense(4), Residual(cr.Dense(3), projection="auto"), inputs=2).summary()
        row = capsys.readouterr().out.splitlines()[4]
        assert row.startswith("2  Residual(Dense(3), projection='auto')  (batch, 3)")
        assert row.endswith(" 27")  # 4 · 3 + 3 and 4 · 3

    def test_where_a_number_stopped_being_finite_is_told_inside_too(self) -> None:
        dense = cr.Dense(2)
        net = network(Residual(dense), inputs=2)
        dense.weights = np.full((2, 2), 1e200)
        dense.bias = [1e308, 0]
        with pytest.raises(cr.LossNotFinite, match=r"'\w+' of layer 1"):
            net.fit(np.full((1, 2), 1e200), np.zeros((1, 2)), epochs=1)

    def test_statistics_inside_are_counted_once_a_step(self) -> None:
        counting, around = Counting(), Counting()
        net = network(Residual(Residual(counting), projection=around), cr.Dense(1), inputs=2)
        net.fit(np.ones((12, 2)), np.ones(12), epochs=3, batch_size=4)
        assert counting.count == around.count == 9
        net.predict(np.ones((12, 2)))
        assert counting.count == around.count == 9

    def test_dropout_inside_draws_for_its_own_position(self) -> None:
        first, second = Dropout(), Dropout()
        net = network(Residual(first, Residual(second)), inputs=50)
        trace = net.new_trace()
        trace.shared.training = True
        net.feedforward(np.ones((10, 50)), trace)
        masks = trace[0].inner(0).mask, trace.at((0, 1, 0)).mask
        assert (masks[0] != masks[1]).mean() == pytest.approx(0.5, abs=0.1)

    def test_as_the_first_layer_it_may_tell_the_data_anything(self) -> None:
        net = network(Residual(cr.Dense(3)), inputs=3)
        x = random_like((3,))
        history = net.fit(x, np.zeros((5, 3)), epochs=30)
        assert history.losses[-1] < history.losses[0]

    @pytest.mark.parametrize("layer", [cr.Dense(4, cr.PReLU()), Scale()])
    def test_one_layer_twice_inside_has_the_sum_of_both_gradients(self, layer: Layer) -> None:
        shared = copy.deepcopy(layer)
        net = cr.NeuralNetwork(Residual(shared, cr.Tanh(), shared), loss="sum_of_squares", inputs=4)
        assert len(net.parameter_vector.uses) == 2 * len(net.parameter_vector.slots)
        x, y = random_like((4,)), random_like((4,), seed=1)
        assert net.check_gradients(x, y)
        net = net.copy(dtype="float64")
        trace, found = net.new_trace(), []
        for _ in range(2):  # a trace that is used again, as in training
            net.feedforward(x, trace)
            found.append(net.backprop(y, trace).copy())
        np.testing.assert_array_equal(found[1], found[0])

    def test_a_layer_inside_may_stand_outside_too(self) -> None:
        shared = cr.Dense(4)
        net = network(shared, Residual(shared, cr.Tanh()), shared, inputs=4)
        assert net.check_gradients(random_like((4,)), random_like((4,), seed=1))

    def test_it_belongs_to_one_network(self) -> None:
        dense, around = cr.Dense(3), cr.Dense(3)
        inside, beside = Residual(Residual(dense)), Residual(cr.Identity(), projection=around)
        network(dense, inputs=3)
        network(around, inputs=3)
        for layer in (inside, beside):
            with pytest.raises(cr.InvalidSetting, match="already belongs to another network"):
                network(layer, inputs=3)


class TestSettings:
    def test_they_are_shown_as_they_are_written(self) -> None:
        block = Residual(cr.Dense(3, "relu"), cr.ReLU(), projection="auto", activation="tanh")
        assert block.setting_names() == ["layers", "projection", "activation"]
        assert repr(block) == (
            "Residual(Dense(3, activation='relu'), ReLU(), projection='auto', activation='tanh')"
        )
        assert repr(Residual(cr.ReLU(), projection=cr.Dense(3))) == (
            "Residual(ReLU(), projection=Dense(3))"
        )

    @ALL
    def test_they_make_the_same_block_again(self, block: Residual, shape: Shape) -> None:
        twin = Residual.from_settings(block.settings())
        assert repr(twin) == repr(block)
        assert twin.layers == block.layers

    @pytest.mark.parametrize("block", [block for block, _ in BLOCKS if "Halve" not in repr(block)])
    def test_they_go_into_plain_data_and_back(self, block: Residual) -> None:
        twin = build(describe(block))
        assert repr(twin) == repr(block)
        assert describe(twin) == describe(block)

    def test_a_model_file_keeps_layers_inside(self, tmp_path: Path) -> None:
        block = Residual(
            cr.Dense(3, cr.PReLU()), Residual(cr.Dense(3)), projection="auto", activation="tanh"
        )
        net = network(block, cr.Dense(1), inputs=2)
        x = random_like((2,))
        net.fit(x, np.ones(5), epochs=2)
        saving.save(net, tmp_path / "model.safetensors")
        again = saving.load(tmp_path / "model.safetensors").network
        np.testing.assert_array_equal(again.predict(x), net.predict(x))
        assert repr(again) == repr(net)

    def test_a_model_file_says_that_one_layer_is_twice_inside(self, tmp_path: Path) -> None:
        shared = cr.Dense(3)
        net = network(Residual(shared, shared), inputs=3)
        saving.save(net, tmp_path / "model.safetensors")
        again = saving.load(tmp_path / "model.safetensors").network
        inside = again.layers[0].layers  # type: ignore[attr-defined]  # of a Residual
        assert inside[0] is inside[1]
        x = np.arange(6.0).reshape(2, 3)
        np.testing.assert_array_equal(again.predict(x), net.predict(x))

    @pytest.mark.parametrize(
        ("make", "message"),
        [
            (lambda: Residual(), "received no layers; expected at least one"),
            (
                lambda: Residual(cr.Dense(3), "relu"),
                "Layer 2 in Residual is 'relu'; expected a layer",
            ),
            (lambda: Residual(cr.Dense), "Layer 1 in Residual is the class Dense; expected"),
            (lambda: Residual([cr.Dense(3)]), r"Layer 1 in Residual is \[Dense\(3\)\]; expected"),
            (
                lambda: Residual(cr.ReLU(), projection="dense"),
                "projection is 'dense'; expected None",
            ),
            (lambda: Residual(cr.ReLU(), projection=True), "projection is True; expected None"),
            (lambda: Residual(cr.ReLU(), activation="rellu"), "Did you mean 'relu'"),
        ],
    )
    def test_wrong_ones_are_refused(self, make: Any, message: str) -> None:
        with pytest.raises(cr.InvalidSetting, match=message):
            make()

    @pytest.mark.parametrize(
        ("block", "shape", "message"),
        [
            (
                Residual(cr.Dense(4)),
                (3,),
                r'make \(4,\) .* around \(3,\).*projection="auto" brings',
            ),
            (Residual(Halve()), (4, 4, 1), r'make \(2, 2, 2\).*projection="auto" brings'),
            (Residual(Flatten()), (4, 4, 1), 'No matrix does it: give the layers padding="same"'),
            (Residual(Flatten(), projection="auto"), (4, 4, 1), "No matrix does it"),
            (
                Residual(cr.Dense(4), projection=cr.Dense(2)),
                (3,),
                r"make \(4,\) .* around \(2,\).*Give the projection the outputs",
            ),
            (Residual(cr.Dense(4)), (3, 2), r"Dense\(4\) received samples of shape \(3, 2\)"),
        ],
    )
    def test_shapes_that_cannot_be_added_are_refused(
        self, block: Residual, shape: Shape, message: str
    ) -> None:
        with pytest.raises(cr.InvalidShape, match=message):
            network(block, inputs=shape)


def test_pytorch_agrees() -> None:
    torch = pytest.importorskip("torch", reason="PyTorch is not installed")
    first, second = cr.Dense(6, "tanh"), cr.Dense(5)
    residual = Residual(first, second, projection="auto", activation="softplus")
    net = network(residual, inputs=4)
    x, d_output = random_like((4,)), random_like((5,), seed=1)
    y, d_x, trace = passes(net, x, d_output)

    leaves = [
        torch.tensor(array.copy(), requires_grad=True)
        for array in (x, first.weights, first.bias, second.weights, second.bias)
    ]
    t_x, w1, b1, w2, b2 = leaves
    around = torch.tensor(residual.projection_weights.copy(), requires_grad=True)
    t_y = torch.nn.functional.softplus(torch.tanh(t_x @ w1 + b1) @ w2 + b2 + t_x @ around)
    t_y.backward(torch.tensor(d_output))
    found = [
        d_x,
        trace.inner(0).d_weights,
        trace.inner(0).d_bias,
        trace.inner(1).d_weights,
        trace.inner(1).d_bias,
        trace.d_projection_weights,
    ]
    np.testing.assert_allclose(y, t_y.detach().numpy(), rtol=1e-10)
    for mine, leaf in zip(found, [*leaves, around], strict=True):
        np.testing.assert_allclose(mine, leaf.grad.numpy(), rtol=1e-10, atol=1e-14)

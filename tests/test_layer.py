"""Trace, Parameter and Layer: what every layer of one's own can rely on."""

from __future__ import annotations

import copy
import pickle

import numpy as np
import pytest
from numpy.typing import ArrayLike

import chainrule as cr
from chainrule.layer import Array, Shape


class Scale(cr.Layer, register=False):
    """z = s x: the smallest layer with a parameter."""

    factors = cr.Parameter(penalized=True)
    shift = cr.Parameter()

    def parameter_shapes(self, input_shape: Shape) -> dict[str, Shape]:
        return {"factors": input_shape}

    def feedforward(self, x: Array, trace: cr.Trace) -> Array:
        trace.x = x
        return x * self.factors

    def backprop(self, d_output: Array, trace: cr.Trace) -> Array:
        trace.d_factors = (d_output * trace.x).sum(axis=0)
        return d_output * self.factors


class TestTrace:
    def test_it_holds_what_a_pass_leaves_in_order(self) -> None:
        trace = cr.Trace()
        trace.x, trace.z = np.zeros((2, 3)), np.ones((2, 4))
        trace.note = "seen"
        assert list(trace.fields()) == ["x", "z", "note"]
        assert repr(trace) == "Trace(x (2, 3), z (2, 4), note)"

    def test_whether_d_x_is_needed_is_no_field(self) -> None:
        trace = cr.Trace()
        assert trace.needs_d_x
        trace.needs_d_x = False
        assert not trace.needs_d_x
        assert trace.fields() == {}
        assert repr(trace) == "Trace()"

    @pytest.mark.parametrize(("name", "first"), [("z", "feedforward"), ("d_z", "backprop")])
    def test_an_unset_field_says_which_pass_to_run(self, name: str, first: str) -> None:
        trace = cr.Trace()
        with pytest.raises(
            cr.BackpropBeforeFeedforward, match=f"no {name!r} \\(it holds: nothing\\). Run {first} "
        ):
            getattr(trace, name)
        trace.x = np.zeros(1)
        with pytest.raises(cr.BackpropBeforeFeedforward, match="it holds: x"):
            getattr(trace, name)

    def test_backprop_before_feedforward_is_told(self) -> None:
        with pytest.raises(cr.BackpropBeforeFeedforward, match="Run feedforward"):
            cr.ReLU().backprop(np.zeros((1, 1)), cr.Trace())

    def test_it_answers_hasattr_copies_and_pickles(self) -> None:
        trace = cr.Trace()
        trace.z = np.ones(3)
        assert hasattr(trace, "z")
        assert not hasattr(trace, "a")
        assert not hasattr(trace, "__array__")
        for again in (copy.copy(trace), copy.deepcopy(trace), pickle.loads(pickle.dumps(trace))):  # noqa: S301 - our own bytes
            np.testing.assert_array_equal(again.z, trace.z)


class TestParameter:
    @pytest.fixture
    def dense(self) -> cr.Dense:
        dense = cr.Dense(2)
        cr.NeuralNetwork(dense, inputs=3)
        return dense

    def test_it_is_declared_in_the_class(self) -> None:
        assert isinstance(cr.Dense.weights, cr.Parameter)
        assert cr.Dense.weights.name == "weights"
        assert cr.Dense.weights.penalized
        assert not cr.Dense.bias.penalized

    def test_weights_before_their_shape_is_known(self) -> None:
        with pytest.raises(cr.NotBuilt, match=r"Dense\(2\) has no weights yet"):
            _ = cr.Dense(2).weights
        with pytest.raises(cr.NotBuilt):
            cr.Dense(2).weights = np.zeros((3, 2))

    def test_it_is_a_view_into_the_networks_vector(self) -> None:
        dense = cr.Dense(2)
        net = cr.NeuralNetwork(dense, inputs=3)
        dense.weights = [[1, 2], [3, 4], [5, 6]]
        dense.bias[1] = 8
        np.testing.assert_array_equal(net.parameters, [1, 2, 3, 4, 5, 6, 0, 8])
        net.parameters[...] = 0
        assert not dense.weights.any()

    def test_assigning_copies_into_the_view(self, dense: cr.Dense) -> None:
        view, new = dense.weights, np.ones((3, 2))
        dense.weights = new
        new[...] = 7
        assert dense.weights is view
        np.testing.assert_array_equal(view, np.ones((3, 2)))
        assert view.dtype == np.float32

    @pytest.mark.parametrize("value", [np.zeros((2, 3)), np.zeros(6), 1.0, []])
    def test_another_shape_is_refused(self, dense: cr.Dense, value: ArrayLike) -> None:
        with pytest.raises(cr.InvalidShape, match=r"received weights of shape .*expected \(3, 2\)"):
            dense.weights = value

    @pytest.mark.parametrize("wrong", [float("nan"), float("inf"), 1e300])
    def test_what_float32_cannot_hold_is_refused_and_nothing_changed(
        self, dense: cr.Dense, wrong: float
    ) -> None:
        before = dense.weights.copy()
        with pytest.raises(cr.InvalidData, match="received weights with NaN, infinity, or numbers"):
            dense.weights = np.full((3, 2), wrong)
        np.testing.assert_array_equal(dense.weights, before)

    @pytest.mark.parametrize("wrong", ["text", 1j, None])
    def test_what_is_no_number_is_refused_and_nothing_changed(
        self, dense: cr.Dense, wrong: object
    ) -> None:
        before = dense.weights.copy()
        with pytest.raises(cr.InvalidData, match="received weights"):
            dense.weights = np.full((3, 2), wrong)
        np.testing.assert_array_equal(dense.weights, before)


class TestLayer:
    def test_declared_parameters_are_inherited(self) -> None:
        class Further(Scale, register=False):
            offset = cr.Parameter()

        assert Further().declared("factors").penalized
        assert not Further().declared("shift").penalized
        assert not Further().declared("offset").penalized

    def test_only_parameters_with_a_shape_exist(self) -> None:
        net = cr.NeuralNetwork(Scale(), inputs=3)
        assert [slot.name for slot in net.parameter_vector.slots] == ["factors"]
        np.testing.assert_array_equal(net.parameters, np.zeros(3))  # where a layer says no more
        np.testing.assert_array_equal(net.parameter_vector.penalized, np.ones(3))

    def test_the_smallest_layer_of_ones_own_trains(self) -> None:
        net = cr.NeuralNetwork(Scale(), optimizer=cr.GradientDescent(0.5))
        x = np.random.default_rng(0).normal(size=(50, 2))
        net.fit(x, x * [2, -3], epochs=100)
        np.testing.assert_allclose(net.parameters, [2, -3], atol=1e-4)
        assert net.check_gradients(x[:4], x[:4])

    def test_an_unfinished_layer_says_what_it_lacks(self) -> None:
        class Unfinished(cr.Layer):
            pass

        with pytest.raises(NotImplementedError, match="Unfinished defines no feedforward"):
            Unfinished().feedforward(np.zeros(1), cr.Trace())
        with pytest.raises(NotImplementedError, match="Unfinished defines no backprop"):
            Unfinished().backprop(np.zeros(1), cr.Trace())
        assert Unfinished().output_shape((4,)) == (4,)
        assert Unfinished().parameter_shapes((4,)) == {}

    def test_the_parameters_of_its_activation_are_its_own(self) -> None:
        prelu = cr.PReLU()
        dense = cr.Dense(2, activation=prelu)
        owners = list(dense.parameter_owners((3,)))
        assert owners == [
            ((), "weights", dense, (3, 2)),
            ((), "bias", dense, (2,)),
            ((), "slope", prelu, (2,)),
        ]

    def test_it_knows_whether_it_belongs_to_a_network(self) -> None:
        layers = [Scale(), cr.Dense(2), cr.Dense(2, cr.PReLU(), use_bias=False), cr.PReLU()]
        assert not any(layer.is_bound for layer in layers)
        cr.NeuralNetwork(*layers, inputs=3)
        assert all(layer.is_bound for layer in layers)
        assert not cr.ReLU().is_bound

    def test_a_copy_has_the_settings_and_no_weights(self) -> None:
        dense = cr.Dense(2, activation="tanh")
        cr.NeuralNetwork(dense, inputs=3)
        for again in (copy.copy(dense), copy.deepcopy(dense), pickle.loads(pickle.dumps(dense))):  # noqa: S301 - our own bytes
            assert repr(again) == repr(dense)
            assert not again.is_bound
        assert dense.is_bound

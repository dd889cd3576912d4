"""A plane through the parameters: directions, projections, and how far a picture goes."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import chainrule as cr
from chainrule.plane import (
    Plane,
    choose_plane,
    principal_components,
    random_directions,
    sides,
)


def network(*layers: cr.Layer, inputs: Any = 3) -> cr.NeuralNetwork:
    return cr.NeuralNetwork(*layers, inputs=inputs, dtype="float64")


def plane(first: list[float], second: list[float], centre: list[float] | None = None) -> Plane:
    directions = np.array([first, second], dtype=np.float64)
    return Plane(np.zeros(len(first)) if centre is None else np.array(centre), directions, "given")


# --- projections ------------------------------------------------------------------------------


def test_a_projection_by_hand() -> None:
    found = plane([2, 0, 0], [0, 1, 0], [1, 1, 1]).project(np.array([[5.0, -2.0, 9.0]]))
    np.testing.assert_allclose(found, [[2, -3]])  # (5 - 1) / 2 and -2 - 1; the 9 lies outside


def test_directions_need_not_stand_at_right_angles() -> None:
    slanted = plane([1, 0, 0], [1, 1, 0])
    point = 3 * slanted.directions[0] - 2 * slanted.directions[1] + np.array([0, 0, 7])
    np.testing.assert_allclose(slanted.project(point[np.newaxis]), [[3, -2]])


def test_what_a_projection_leaves_out_stands_at_right_angles_to_the_plane() -> None:
    random = np.random.default_rng(0)
    some = Plane(random.normal(size=9), random.normal(size=(2, 9)), "given")
    points = random.normal(size=(20, 9))
    left = points - some.centre - some.project(points) @ some.directions
    np.testing.assert_allclose(left @ some.directions.T, 0, atol=1e-12)


def test_the_share_of_the_variance_by_hand() -> None:
    corners = np.array([[3, 0, 0], [-3, 0, 0], [0, 2, 0], [0, -2, 0], [0, 0, 1], [0, 0, -1]])
    flat = plane([1, 0, 0], [0, 1, 0])
    assert flat.share(corners) == pytest.approx((18 + 8) / 28)
    assert flat.shares(corners) == pytest.approx((18 / 28, 8 / 28))
    assert plane([1, 1, 0], [5, 0, 0]).share(corners) == pytest.approx(26 / 28)  # the same plane


# --- random directions ------------------------------------------------------------------------


def test_every_filter_is_as_long_as_the_networks_own() -> None:
    net = network(
        cr.Conv2D(4, 3), cr.BatchNorm(), cr.Flatten(), cr.Dense(3, cr.PReLU()), inputs=(5, 5, 2)
    )
    net.layers[0].bias = [1, 2, 3, 4]
    for direction in random_directions(net.parameter_vector, seed=0):
        for slot in net.parameter_vector.slots:
            values, drawn = slot.view(net.parameters), slot.view(direction)
            if slot.name == "weights":
                axes = tuple(range(values.ndim - 1))
                np.testing.assert_allclose(
                    np.linalg.norm(drawn.reshape(-1, drawn.shape[-1]), axis=0),
                    np.sqrt(np.square(values).sum(axis=axes)),
                )
            else:  # biases, scales and slopes stay as they are
                assert not drawn.any()


def test_scaling_a_filter_scales_its_direction() -> None:
    """What the normalisation is for: x10 in and /10 out of a ReLU is the same picture."""
    net = network(cr.Dense(4, "relu"), cr.Dense(2))
    first = random_directions(net.parameter_vector, seed=3)
    net.layers[0].weights *= 10
    net.layers[1].weights /= 10
    scaled = random_directions(net.parameter_vector, seed=3)
    hidden = net.parameter_vector.slots[0]
    for before, after in zip(first, scaled, strict=True):
        np.testing.assert_allclose(hidden.view(after), 10 * hidden.view(before))


def test_random_directions_are_those_of_the_seed() -> None:
    vector = network(cr.Dense(4)).parameter_vector
    first = random_directions(vector, seed=1)
    np.testing.assert_array_equal(first, random_directions(vector, seed=1))
    assert not np.isclose(first, random_directions(vector, seed=2)).any(where=first != 0)
    assert not np.allclose(first[0], first[1])


class Factors(cr.Layer, register=False):
    """Parameters of one axis that count as weights."""

    factors = cr.Parameter(penalized=True)

    def parameter_shapes(self, input_shape: tuple[int, ...]) -> dict[str, tuple[int, ...]]:
        return {"factors": input_shape}

    def initial_value(
        self, name: str, shape: tuple[int, ...], random: np.random.Generator
    ) -> np.ndarray[Any, Any]:
        return np.array([3.0, 4.0, 12.0])


def test_a_row_of_weights_is_one_filter() -> None:
    directions = random_directions(network(Factors()).parameter_vector, seed=0)
    np.testing.assert_allclose(np.linalg.norm(directions, axis=1), 13)


# --- principal components ---------------------------------------------------------------------


def test_principal_components_by_hand() -> None:
    path = np.array([[0.0, 0.0, 5.0], [3.0, 4.0, 5.0], [6.0, 8.0, 5.0], [2.0, 4.75, 5.0]])
    first, second = principal_components(path, seed=0)
    offsets = path - path.mean(axis=0)
    values, vectors = np.linalg.eigh(offsets.T @ offsets)  # the covariance itself
    assert abs(first @ vectors[:, -1]) == pytest.approx(1)
    assert abs(second @ vectors[:, -2]) == pytest.approx(1)
    assert values[0] == pytest.approx(0)
    assert first[2] == pytest.approx(0)  # nothing moved there


def test_training_goes_to_the_right_and_upwards() -> None:
    for turned in (1, -1):
        path = turned * np.array([[0.0, 0.0], [5.0, 0.0], [9.0, 1.0]])
        first, second = principal_components(path, seed=0)
        assert first @ (path[-1] - path[0]) > 0
        assert second @ (path[-1] - path[0]) >= 0


def test_a_straight_path_takes_a_random_second_direction() -> None:
    path = np.outer(np.arange(4.0), np.ones(9))
    first, second = principal_components(path, seed=5)
    np.testing.assert_allclose(first, 1 / 3)
    assert np.linalg.norm(second) == pytest.approx(1)
    assert first @ second == pytest.approx(0, abs=1e-12)
    np.testing.assert_array_equal(second, principal_components(path, seed=5)[1])


# --- the choice -------------------------------------------------------------------------------


def test_auto_follows_the_path_where_there_is_one() -> None:
    vector = network(cr.Dense(4)).parameter_vector
    path = np.random.default_rng(0).normal(size=(5, len(vector.values)))
    assert choose_plane(vector, "auto", None, 0).kind == "random"
    assert choose_plane(vector, "auto", path, 0).kind == "path"
    assert choose_plane(vector, "random", path, 0).kind == "random"
    given = choose_plane(vector, path[:2], None, 0)
    assert given.kind == "given"
    np.testing.assert_array_equal(given.directions, path[:2])
    np.testing.assert_array_equal(given.centre, vector.values)


@pytest.mark.parametrize(
    ("choice", "error", "message"),
    [
        ("up", cr.InvalidSetting, "directions received 'up'; expected 'auto', 'random', 'path'"),
        ("path", cr.InvalidSetting, "there is none to follow. Give history"),
        (np.ones((2, 3)), cr.InvalidShape, r"shape \(2, 3\); expected \(2, 8\)"),
        (np.ones((2, 8)), cr.InvalidData, "parallel, or zero"),
        (np.eye(8)[:2] * [[1], [0]], cr.InvalidData, "parallel, or zero"),
        (np.eye(8)[:2] * [[0], [1]], cr.InvalidData, "parallel, or zero"),
        ([["a"] * 8] * 2, cr.InvalidData, "directions holds text"),
        (np.full((2, 8), np.nan), cr.InvalidData, "directions"),
        (None, cr.InvalidData, "directions is None"),
    ],
)
def test_directions_that_cannot_be(choice: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        choose_plane(network(cr.Dense(2)).parameter_vector, choice, None, 0)


def test_a_single_parameter_has_no_plane() -> None:
    with pytest.raises(cr.InvalidShape, match="has 1 parameters; a plane has two directions"):
        choose_plane(
            network(cr.Dense(1, use_bias=False), inputs=1).parameter_vector, "auto", None, 0
        )


def test_weights_of_zero_have_no_random_directions() -> None:
    net = network(cr.Dense(2, weights_initializer="zeros"))
    with pytest.raises(cr.InvalidData, match="All weights of this network are 0"):
        choose_plane(net.parameter_vector, "random", None, 0)


# --- how far ----------------------------------------------------------------------------------


def test_sides_without_a_path_are_one_long_or_as_told() -> None:
    assert sides(None, None) == ((-1, 1), (-1, 1))
    assert sides(0.5, None) == ((-0.5, 0.5), (-0.5, 0.5))
    assert sides((-1, 2, -3, 4), None) == ((-1, 2), (-3, 4))
    assert sides(np.array([-1, 2, -3, 4]), None) == ((-1, 2), (-3, 4))


def test_the_path_and_the_centre_lie_well_inside() -> None:
    (left, right), (bottom, top) = sides(None, np.array([[-10.0, 0.0], [-5.0, 9.0]]))
    assert (left, right) == pytest.approx((-12, 2))
    assert (bottom, top) == pytest.approx((-1.8, 10.8))


def test_a_path_that_hardly_bends_gets_a_landscape_too() -> None:
    (left, right), (bottom, top) = sides(None, np.array([[-10.0, 0.1], [0.0, 0.0]]))
    assert top - bottom == pytest.approx(0.75 * (right - left))
    assert (bottom + top) / 2 == pytest.approx(0.05)


def test_a_path_that_projects_to_one_point_is_looked_at_from_a_distance() -> None:
    (left, right), (bottom, top) = sides(None, np.zeros((3, 2)))
    assert left < 0 < right
    assert bottom < 0 < top


@pytest.mark.parametrize(
    ("extent", "message"),
    [
        (0, "extent must be a finite number above 0"),
        ("far", "extent must be a finite number above 0; received 'far'"),
        ((1, 2), r"extent received \(1, 2\); expected one number, or four"),
        ((1, -1, 0, 1), "each first number below its last"),
        ((0, 1, 1, 1), "each first number below its last"),
        ((0, np.inf, 0, 1), "extent must be a finite number"),
    ],
)
def test_sides_that_cannot_be(extent: Any, message: str) -> None:
    with pytest.raises(cr.InvalidSetting, match=message):
        sides(extent, None)

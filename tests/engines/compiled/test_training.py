"""Whole trainings by the compiled engine: the reference engine's, step by step."""

from __future__ import annotations

import copy
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import chainrule as cr
from chainrule.data import Flip, MixUp, Shift
from chainrule.layer import Array

TOLERANCE = {"float32": 1e-4, "float64": 1e-10}
RANDOM = np.random.default_rng(3)
X = RANDOM.normal(size=(90, 6))
LABELS = (X[:, 0] + X[:, 1] ** 2 > 0.5).astype(int) + (X[:, 2] > 1)
NUMBERS = X[:, :2] @ [[1.0, -1], [0.5, 2]] + 0.1 * RANDOM.normal(size=(90, 2))
IMAGES = RANDOM.integers(0, 256, size=(60, 8, 8), dtype=np.uint8)
IMAGE_LABELS = RANDOM.integers(0, 3, size=60)


def classifier(engine: str | cr.Engine, dtype: str = "float64", **settings: Any) -> Any:
    return cr.NeuralNetwork(
        cr.Dense(12, "relu"),
        cr.Dense(7, "tanh"),
        cr.Dense(3),
        **{"loss": "softmax_cross_entropy", "optimizer": "adam", **settings},
        dtype=dtype,
        engine=engine,
    )


def regressor(engine: str | cr.Engine, dtype: str = "float64", **settings: Any) -> Any:
    return cr.NeuralNetwork(
        cr.Dense(200, "sigmoid"), cr.Dense(2), **settings, dtype=dtype, engine=engine
    )


def image_network(engine: str | cr.Engine, dtype: str = "float64", **settings: Any) -> Any:
    return cr.NeuralNetwork(
        cr.Reshape((8, 8, 1)),
        cr.Conv2D(4, 3, "relu", padding="same"),
        cr.BatchNorm(),
        cr.MaxPool2D(),
        cr.Flatten(),
        cr.Dropout(0.3),
        cr.Dense(3),
        **{"loss": "softmax_cross_entropy", "optimizer": "adam", **settings},
        dtype=dtype,
        engine=engine,
    )


def assert_same_training(make: Any, x: Any, y: Any, dtype: str = "float64", **fit: Any) -> Any:
    """Train on both engines, twice in a row, and compare histories, parameters, predictions."""
    nets = [make(engine, dtype) for engine in ("reference", "compiled")]
    for _ in range(2):
        first, second = (net.fit(x, y, **fit) for net in nets)
        assert (first.settings["engine"], second.settings["engine"]) == ("reference", "compiled")
        close = {"rtol": TOLERANCE[dtype], "atol": TOLERANCE[dtype]}
        np.testing.assert_allclose(second.losses, first.losses, **close)
        np.testing.assert_allclose(second.gradient_norms, first.gradient_norms, **close)
        np.testing.assert_array_equal(second.learning_rates, first.learning_rates)
        assert list(second.epochs) == list(first.epochs)
        for column in first.epochs:
            np.testing.assert_allclose(second[column], first[column], **close)
        assert second.stopped_because == first.stopped_because
        vectors = [net.parameter_vector.storage for net in nets]
        np.testing.assert_allclose(vectors[1], vectors[0], **close)
        np.testing.assert_allclose(nets[1].predict(x), nets[0].predict(x), **close)
    assert nets[1].training_state.step == nets[0].training_state.step
    return nets[1]


SETTINGS: list[dict[str, Any]] = [
    {},
    {"l1": 1e-3, "l2": 1e-2},
    {"optimizer": cr.GradientDescent(0.1, momentum=0.9, clip_norm=0.3)},
    {"optimizer": cr.GradientDescent(0.1, clip_value=0.01)},
    {"optimizer": cr.Adam(0.01, clip_value=0.02, clip_norm=0.05, weight_decay=0.1)},
    {"optimizer": cr.AdamW(cr.Cosine(0.02, 4, warm_up=1))},
    {"optimizer": cr.Lion(0.001)},
    {"loss": cr.SoftmaxCrossEntropy(label_smoothing=0.1)},
]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("settings", SETTINGS, ids=str)
def test_settings(settings: dict[str, Any], dtype: str) -> None:
    def make(engine: str, dtype: str) -> Any:
        return classifier(engine, dtype, **copy.deepcopy(settings))

    assert_same_training(make, X, LABELS, dtype, epochs=2, batch_size=16)


FITS: list[dict[str, Any]] = [
    {"batch_size": None, "epochs": 20},
    {"batch_size": 7},
    {"batch_size": 32, "shuffle": False},
    {"batch_size": 200},
    {"sample_weight": np.linspace(0.0, 2.0, 90)},
    {"validation": 0.2, "metrics": ["r2"]},
    {"metrics": ["mae"]},
    {"callbacks": [cr.EarlyStopping(patience=1)], "validation": 0.3, "epochs": 5},
]


@pytest.mark.parametrize("fit", FITS, ids=lambda fit: "-".join(fit))
@pytest.mark.parametrize("make", [regressor, image_network], ids=["dense", "images"])
def test_ways_to_fit(make: Any, fit: dict[str, Any]) -> None:
    x, y = (X, NUMBERS) if make is regressor else (np.resize(IMAGES, (90, 8, 8)) / 255, LABELS)
    if make is image_network and "metrics" in fit:
        fit = {**fit, "metrics": ["accuracy"]}
    assert_same_training(make, x, y, **{"epochs": 2, "batch_size": 16, **copy.deepcopy(fit)})


@pytest.mark.parametrize("loss", ["sum_of_squares", "mean_absolute_error", "huber", "log_cosh"])
def test_losses_that_sum_and_that_average(loss: str) -> None:
    def make(engine: str, dtype: str) -> Any:
        return regressor(engine, dtype, loss=loss, optimizer=cr.GradientDescent(0.001))

    assert_same_training(make, X, NUMBERS, epochs=2, batch_size=40)


@pytest.mark.parametrize(
    "augment", [(), [Flip(), Shift(1)], [MixUp(0.5)]], ids=["", "moved", "mixed"]
)
def test_images_as_bytes(augment: Any) -> None:
    images = IMAGES[..., np.newaxis]
    assert_same_training(
        image_network, images, IMAGE_LABELS, epochs=2, batch_size=16, augment=augment
    )


def test_arrays_mapped_from_a_file(tmp_path: Path) -> None:
    np.save(tmp_path / "x.npy", X)
    mapped = np.load(tmp_path / "x.npy", mmap_mode="r")
    net = assert_same_training(classifier, mapped, LABELS, epochs=2, batch_size=8)
    in_memory = classifier("compiled")
    in_memory.fit(X, LABELS, epochs=2, batch_size=8)
    in_memory.fit(X, LABELS, epochs=2, batch_size=8)
    np.testing.assert_array_equal(net.parameters, in_memory.parameters)


def test_a_callback_sees_every_step() -> None:
    class Watch(cr.Callback):
        def __init__(self) -> None:
            self.seen: list[float] = []

        def after_step(self, network: cr.NeuralNetwork, history: cr.History) -> None:
            self.seen.append(float(network.parameters[0]))

    seen = []
    for engine in ("reference", "compiled"):
        watch = Watch()
        classifier(engine).fit(X, LABELS, epochs=2, batch_size=30, callbacks=[watch])
        seen.append(watch.seen)
    assert len(seen[1]) == 6
    np.testing.assert_allclose(seen[1], seen[0], rtol=1e-10)


def test_pieces_do_not_change_the_numbers() -> None:
    class Look(cr.Callback):
        def after_step(self, network: cr.NeuralNetwork, history: cr.History) -> None: ...

    at_once, one_by_one = regressor("compiled"), regressor("compiled")
    at_once.fit(X, NUMBERS, epochs=3, batch_size=8)
    one_by_one.fit(X, NUMBERS, epochs=3, batch_size=8, callbacks=[Look()])
    np.testing.assert_array_equal(at_once.parameters, one_by_one.parameters)


@pytest.mark.parametrize("make", [regressor, image_network], ids=["dense", "images"])
def test_either_engine_goes_on_where_the_other_stopped(make: Any) -> None:
    x, y = (X, NUMBERS) if make is regressor else (IMAGES / 255, IMAGE_LABELS)
    straight, changing = make("reference"), make("reference")
    straight.fit(x, y, epochs=4, batch_size=16)
    for engine in ("reference", "compiled", "compiled", "reference"):
        changing.engine = engine
        changing.fit(x, y, epochs=1, batch_size=16)
    np.testing.assert_allclose(changing.parameters, straight.parameters, rtol=1e-9, atol=1e-12)


def test_copies_train_on_their_own() -> None:
    net = classifier("compiled")
    net.fit(X, LABELS, epochs=1)
    twins = [copy.deepcopy(net), pickle.loads(pickle.dumps(net))]  # noqa: S301  # our own
    net.fit(X, LABELS, epochs=1)
    for twin in twins:
        assert twin.parameters[0] != net.parameters[0]
        twin.fit(X, LABELS, epochs=1)
        np.testing.assert_array_equal(twin.parameters, net.parameters)


def test_a_changed_setting_is_noticed() -> None:
    nets = [classifier(engine) for engine in ("reference", "compiled")]
    for net in nets:
        net.fit(X, LABELS, epochs=1)
        net.predict(X)
        net.layers[0].activation = cr.Sigmoid()
        net.l2 = 0.1
        net.optimizer.weight_decay = 0.5
        net.loss.label_smoothing = 0.2
        net.fit(X, LABELS, epochs=1)
    np.testing.assert_allclose(nets[1].parameters, nets[0].parameters, rtol=1e-10)
    np.testing.assert_allclose(nets[1].predict(X), nets[0].predict(X), rtol=1e-10)


def test_a_layer_used_twice_gets_both_gradients() -> None:
    def make(engine: str, dtype: str) -> Any:
        shared = cr.Dense(6, "tanh")
        return cr.NeuralNetwork(shared, shared, cr.Dense(2), engine=engine, dtype=dtype)

    assert_same_training(make, X, NUMBERS, epochs=3, batch_size=16)


@pytest.mark.parametrize("engine", ["reference", "compiled"])
def test_numbers_that_stop_being_finite_are_told_alike(engine: str) -> None:
    net = regressor(engine, optimizer=cr.GradientDescent(1e3))
    with pytest.raises(cr.LossNotFinite) as caught:
        net.fit(X * 10, NUMBERS, epochs=400, batch_size=45)
    other = regressor("reference", optimizer=cr.GradientDescent(1e3))
    with pytest.raises(cr.LossNotFinite) as expected:
        other.fit(X * 10, NUMBERS, epochs=400, batch_size=45)
    assert str(caught.value) == str(expected.value)
    np.testing.assert_allclose(net.parameters, other.parameters, rtol=1e-6)
    assert np.isfinite(net.parameters).all()


def test_the_last_update_is_looked_at_too() -> None:
    net = cr.NeuralNetwork(cr.Dense(2), optimizer=cr.GradientDescent(1e300), engine="compiled")
    with pytest.raises(cr.LossNotFinite):
        net.fit(X, NUMBERS, epochs=1, batch_size=None)
    assert np.isfinite(net.parameters).all()


def test_no_rows_no_epochs() -> None:
    net = classifier("compiled")
    history = net.fit(X, LABELS, epochs=0)
    assert history.iterations == 0
    assert history.stopped_because == "no epochs asked for"


def probabilities(net: Any, x: Array) -> Array:
    found: Array = net.predict(x)
    return found


@pytest.mark.parametrize("rows", [1, 2, 7, 300, 5000])
@pytest.mark.parametrize("make", [classifier, image_network], ids=["dense", "images"])
def test_prediction_of_any_number_of_rows(make: Any, rows: int) -> None:
    x = X if make is classifier else IMAGES / 255
    y = LABELS if make is classifier else IMAGE_LABELS
    net = make("reference")
    net.fit(x, y, epochs=1)
    many = np.resize(x, (rows, *x.shape[1:]))
    expected = probabilities(net, many)
    net.engine = "compiled"
    np.testing.assert_allclose(probabilities(net, many), expected, rtol=1e-10, atol=1e-14)


@pytest.mark.parametrize(("dtype", "allowed"), [("float32", 1e-3), ("float64", 1e-9)])
def test_after_a_thousand_steps(dtype: str, allowed: float) -> None:
    """As far apart as docs/architecture.md says, no further."""
    nets = [classifier(engine, dtype) for engine in ("reference", "compiled")]
    for net in nets:
        assert net.fit(X, LABELS, epochs=500, batch_size=45).iterations == 1000
    apart = np.linalg.norm(nets[0].parameters - nets[1].parameters)
    assert apart < allowed * np.linalg.norm(nets[0].parameters)


def test_the_bar_says_that_it_compiles(capsys: pytest.CaptureFixture[str]) -> None:
    classifier("compiled").fit(X, LABELS, epochs=2, progress=True)
    assert "compiling" in capsys.readouterr().err

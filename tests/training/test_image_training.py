"""fit on images: bytes are scaled wherever they enter, files stay on disk, batches change."""

from __future__ import annotations

import tracemalloc
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import chainrule as cr
from chainrule.data import Flip, MixUp, Noise, Shift
from chainrule.data.augmentation import Augmentation
from chainrule.layer import Array
from chainrule.layers import Flatten
from chainrule.samples import Samples
from chainrule.training.batches import Batches

RANDOM = np.random.default_rng(0)
BYTES = RANDOM.integers(0, 256, (50, 6, 5, 1), dtype=np.uint8)
LABELS = RANDOM.integers(0, 3, 50)


def network(**settings: Any) -> cr.NeuralNetwork:
    layers = Flatten(), cr.Dense(4, "tanh"), cr.Dense(3)
    return cr.NeuralNetwork(*layers, **{"loss": "softmax_cross_entropy", **settings})


class Recorder(Augmentation, register=False):
    """Changes nothing and keeps what it was given."""

    needs_images = False

    def __init__(self) -> None:
        self.seen: list[tuple[Array, Array, float]] = []

    def apply(self, x: Array, y: Array, random: np.random.Generator) -> tuple[Array, Array]:
        self.seen.append((x.copy(), y.copy(), random.random()))
        return x, y


class TestBytes:
    @pytest.mark.parametrize("dtype", ["float32", "float64"])
    @pytest.mark.parametrize("batch_size", [7, None])
    @pytest.mark.parametrize("shuffle", [True, False])
    def test_training_on_bytes_is_training_on_numbers_from_0_to_1(
        self, dtype: str, batch_size: int | None, shuffle: bool
    ) -> None:
        numbers = (BYTES / 255).astype(dtype)
        settings = {"epochs": 3, "batch_size": batch_size, "shuffle": shuffle, "validation": 0.2}
        nets = [network(dtype=dtype) for _ in range(2)]
        histories = [
            net.fit(x, LABELS, metrics=["accuracy"], **settings)
            for net, x in zip(nets, (BYTES, numbers), strict=True)
        ]
        np.testing.assert_allclose(nets[0].parameters, nets[1].parameters, rtol=2e-6)
        np.testing.assert_allclose(
            histories[0]["validation_loss"], histories[1]["validation_loss"], rtol=1e-6
        )
        assert histories[0].settings["scaling"] == "uint8 images / 255"
        assert histories[1].settings["scaling"] == "none"

    def test_every_way_in_scales_them_alike(self) -> None:
        net = network(inputs=(6, 5, 1))
        numbers = (BYTES / 255).astype(np.float32)
        np.testing.assert_allclose(net.predict(BYTES), net.predict(numbers), rtol=1e-6)
        np.testing.assert_allclose(net.feedforward(BYTES), net.feedforward(numbers), rtol=1e-5)
        np.testing.assert_array_equal(net.predict_classes(BYTES), net.predict_classes(numbers))
        assert net.evaluate(BYTES, LABELS)["loss"] == pytest.approx(
            net.evaluate(numbers, LABELS)["loss"], rel=1e-6
        )
        check = net.check_gradients(BYTES[:4], LABELS[:4])
        assert check
        expected = net.check_gradients(BYTES[:4] / 255, LABELS[:4])
        assert check.worst.by_backprop == pytest.approx(expected.worst.by_backprop)

    def test_the_full_batch_optimizer_takes_them_too(self) -> None:
        net = network(optimizer="lbfgs")
        history = net.fit(BYTES, LABELS, epochs=5)
        assert history.losses[-1] < history.losses[0]

    def test_what_is_set_aside_is_never_copied(self) -> None:
        whole = network()._check_samples(BYTES, LABELS, None)
        for part in whole.split(0.2, 0):
            assert np.shares_memory(part.x.source, BYTES)  # type: ignore[union-attr]  # it is stored


class TestFiles:
    @pytest.fixture
    def file(self, tmp_path: Path) -> Array:
        """32 MB of float32 on disk."""
        array = np.lib.format.open_memmap(
            tmp_path / "x.npy", mode="w+", dtype=np.float32, shape=(8192, 1024)
        )
        array[:] = np.arange(1024, dtype=np.float32) / 1024
        array.flush()
        return np.load(tmp_path / "x.npy", mmap_mode="r")

    @pytest.mark.parametrize("shuffle", [True, False])
    @pytest.mark.parametrize("validation", [None, 0.25])
    def test_training_takes_the_memory_of_a_batch(
        self, file: Array, shuffle: bool, validation: float | None
    ) -> None:
        net = cr.NeuralNetwork(cr.Dense(1))
        y = np.arange(len(file)) % 2
        tracemalloc.start()
        net.fit(file, y, epochs=2, shuffle=shuffle, validation=validation, metrics=["r2"])
        net.predict(file)
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert peak < file.nbytes / 2.5  # 1,024 rows at once where it measures: 4 MB, some copies

    def test_it_learns_the_same_as_from_memory(self, tmp_path: Path) -> None:
        np.save(tmp_path / "x.npy", BYTES)
        nets = [network(), network()]
        for net, x in zip(nets, (np.load(tmp_path / "x.npy", mmap_mode="r"), BYTES), strict=True):
            net.fit(x, LABELS, epochs=3, batch_size=16, validation=(x, LABELS))
        np.testing.assert_array_equal(nets[0].parameters, nets[1].parameters)


class TestAugmentation:
    def test_the_same_seed_epoch_and_batch_see_the_same_images(self) -> None:
        def epochs(seed: int = 0) -> list[list[Array]]:
            samples = Samples((BYTES / 255).astype(np.float32), LABELS)
            batches = Batches(samples, 20, seed=seed, shuffle=False, augment=[Shift(2), Noise()])
            return [[batch.x.copy() for batch in batches.epoch(n)] for n in (0, 1, 0)]  # type: ignore[union-attr]  # arrays by then

        first, second, again = epochs()
        for one, same, other in zip(first, again, second, strict=True):
            np.testing.assert_array_equal(one, same)
            assert (one != other).any()
        assert (epochs(seed=1)[0][0] != first[0]).any()
        assert (first[0] != first[1]).any()

    def test_each_place_in_the_list_draws_for_itself(self) -> None:
        recorder = Recorder()
        network().fit(BYTES, LABELS, epochs=2, batch_size=30, augment=[recorder, recorder])
        draws = [draw for _, _, draw in recorder.seen]
        assert len(draws) == len(set(draws)) == 2 * 2 * 2

    def test_going_on_is_the_same_as_going_through(self) -> None:
        once, twice = network(seed=5), network(seed=5)
        once.fit(BYTES, LABELS, epochs=4, augment=[Shift(1), MixUp()])
        for _ in range(2):
            twice.fit(BYTES, LABELS, epochs=2, augment=[Shift(1), MixUp()])
        np.testing.assert_array_equal(once.parameters, twice.parameters)

    def test_they_come_after_scaling_one_after_another_and_leave_the_data_alone(self) -> None:
        first, last, before = Recorder(), Recorder(), BYTES.copy()
        network().fit(BYTES, LABELS, epochs=1, augment=[first, Noise(0.5), last], batch_size=None)
        np.testing.assert_allclose(first.seen[0][0], BYTES / 255, rtol=1e-6)
        assert (first.seen[0][0] != last.seen[0][0]).all()
        np.testing.assert_array_equal(BYTES, before)
        numbers = (BYTES / 255).astype(np.float32)
        kept = numbers.copy()
        for batch_size in (16, None):
            network().fit(numbers, LABELS, epochs=1, augment="flip", batch_size=batch_size)
        np.testing.assert_array_equal(numbers, kept)

    def test_measuring_never_sees_them(self) -> None:
        recorder, net = Recorder(), network()
        net.fit(
            BYTES, LABELS, epochs=3, batch_size=25, augment=recorder, validation=(BYTES, LABELS)
        )
        net.evaluate(BYTES, LABELS, metrics=["accuracy"])
        assert len(recorder.seen) == 3 * 2

    def test_mixing_gets_labels_as_rows(self) -> None:
        recorder = Recorder()
        net = network()
        history = net.fit(BYTES, LABELS, epochs=1, augment=[MixUp(1.0), recorder])
        rows = recorder.seen[0][1]
        assert rows.shape == (32, 3)
        np.testing.assert_allclose(rows.sum(axis=1), 1, rtol=1e-6)
        assert ((rows > 0.01) & (rows < 0.99)).any()
        assert np.isfinite(history.losses).all()

    def test_mixing_numbers_to_predict(self) -> None:
        net = cr.NeuralNetwork(cr.Dense(1), optimizer=cr.Adam(0.05))
        x = RANDOM.normal(size=(200, 2))
        y = x @ [2, -3]  # what is linear stays true of every mixture
        net.fit(x, y, epochs=100, augment=MixUp(1.0))
        np.testing.assert_allclose(net.layers[0].weights.ravel(), [2, -3], atol=1e-2)  # type: ignore[attr-defined]  # a Dense

    def test_the_history_says_what_was_done(self) -> None:
        history = network().fit(BYTES, LABELS, epochs=1, augment=["shift", Flip("vertical")])
        assert history.settings["augment"] == ["Shift()", "Flip(direction='vertical')"]
        assert network().fit(BYTES, LABELS, epochs=1).settings["augment"] == []

    @pytest.mark.parametrize(
        ("settings", "message"),
        [
            ({"augment": "shfit"}, "no augmentation called 'shfit'. Did you mean 'shift'"),
            ({"augment": [3]}, "Received 3 as augmentation"),
            ({"augment": Shift}, "Received the class Shift"),
            ({"augment": None}, "Received None as augmentation"),
            ({"augment": "mix_up", "sample_weight": np.ones(50)}, "received samples with weights"),
        ],
    )
    def test_what_cannot_be_done_is_refused(self, settings: dict[str, Any], message: str) -> None:
        net = network()
        with pytest.raises(cr.InvalidSetting, match=message):
            net.fit(BYTES, LABELS, epochs=1, **settings)
        assert not net.is_built

    def test_rows_cannot_be_shifted(self) -> None:
        net = cr.NeuralNetwork(cr.Dense(3), loss="softmax_cross_entropy")
        with pytest.raises(cr.InvalidShape, match=r"Shift\(\) received samples of shape \(30,\)"):
            net.fit(BYTES.reshape(50, 30), LABELS, augment="shift")
        assert not net.is_built

    def test_the_full_batch_optimizer_cannot_be_told_something_else_each_time(self) -> None:
        with pytest.raises(cr.InvalidSetting, match="'lbfgs', which needs the same samples"):
            network(optimizer="lbfgs").fit(BYTES, LABELS, augment="shift")

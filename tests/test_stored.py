"""Inputs that stay stored: bytes and mapped files become numbers a few rows at a time."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import chainrule as cr
from chainrule.layer import Array
from chainrule.samples import Samples, check_inputs
from chainrule.stored import StoredInputs, is_image, stays_stored

FLOAT32 = np.dtype("float32")
BYTES = np.random.default_rng(0).integers(0, 256, (10, 4, 3, 1), dtype=np.uint8)


def mapped(folder: Path, array: Array) -> Array:
    np.save(folder / "array.npy", array)
    return np.load(folder / "array.npy", mmap_mode="r")


def checked(x: Array, input_shape: tuple[int, ...] | None = None) -> StoredInputs:
    found = check_inputs(x, input_shape, FLOAT32, "Dense")
    assert isinstance(found, StoredInputs)
    return found


class TestWhatStaysStored:
    def test_images_of_bytes_do(self) -> None:
        assert stays_stored(BYTES)
        assert stays_stored(BYTES[..., 0])
        assert is_image(BYTES)

    def test_tables_of_bytes_and_other_numbers_do_not(self) -> None:
        for x in (BYTES.reshape(10, -1), BYTES.astype(np.int16), BYTES / 255, BYTES.tolist()):
            assert not stays_stored(x)

    @pytest.mark.parametrize("dtype", ["u1", "f4", "f8", "i4", ">f4", "?"])
    def test_whatever_is_mapped_from_a_file_does(self, tmp_path: Path, dtype: str) -> None:
        array = mapped(tmp_path, BYTES.reshape(10, -1).astype(dtype))
        assert stays_stored(array)
        np.testing.assert_array_equal(checked(array)[:], array.astype(np.float32))


def test_bytes_become_numbers_from_0_to_1() -> None:
    stored = checked(BYTES)
    assert stored.shape == (10, 4, 3, 1)
    assert stored.dtype == FLOAT32
    assert len(stored) == 10
    assert stored.scaling == "uint8 images / 255"
    expected = BYTES.astype(np.float32) / np.float32(255)
    for rows in (slice(None), slice(2, 5), np.array([7, 0, 7])):
        assert stored[rows].dtype == FLOAT32
        np.testing.assert_array_equal(stored[rows], expected[rows])
    assert checked(np.full((1, 2, 2), 255, dtype=np.uint8))[:].max() == 1


def test_other_numbers_stay_what_they_are(tmp_path: Path) -> None:
    stored = checked(mapped(tmp_path, BYTES.astype(np.float64) * 3))
    assert stored.scaling == "none"
    np.testing.assert_array_equal(stored[:], BYTES.astype(np.float32) * 3)


def test_some_of_the_rows_are_chosen_without_reading_them() -> None:
    stored = checked(BYTES)
    some = stored.subset(np.array([9, 4, 2, 0]))
    assert len(some) == 4
    assert some.shape == (4, 4, 3, 1)
    assert some.source is BYTES
    np.testing.assert_array_equal(some[:], stored[np.array([9, 4, 2, 0])])
    np.testing.assert_array_equal(some[1:3], stored[np.array([4, 2])])
    np.testing.assert_array_equal(some.subset(np.array([3, 1]))[:], stored[np.array([0, 4])])


def test_a_split_of_samples_leaves_them_where_they_are() -> None:
    whole = Samples(checked(BYTES), np.arange(10))
    training, aside = whole.split(0.3, seed=0)
    for part in (training, aside):
        assert isinstance(part.x, StoredInputs)
        assert part.x.source is BYTES
        np.testing.assert_array_equal(part.x[:], whole.x[part.y])
    assert sorted([*training.y, *aside.y]) == list(range(10))
    assert training.scaling == "uint8 images / 255"
    assert Samples(np.zeros((2, 3)), np.zeros(2)).scaling == "none"


@pytest.mark.parametrize("wrong", [np.nan, np.inf, 1e300])
def test_what_is_not_finite_is_refused_with_its_row(tmp_path: Path, wrong: float) -> None:
    array = np.zeros((3000, 2))
    array[2345, 1] = wrong
    with pytest.raises(cr.InvalidData, match="too large for float32 in row 2345"):
        checked(mapped(tmp_path, array))


def test_text_is_refused(tmp_path: Path) -> None:
    with pytest.raises(cr.InvalidData, match="x holds text; expected numbers"):
        checked(mapped(tmp_path, np.array([["a", "b"], ["c", "d"]])))


@pytest.mark.parametrize(
    ("array", "input_shape", "message"),
    [
        (np.zeros(5, np.uint8), None, r"shape \(5,\); expected \(batch, inputs\)"),
        (np.zeros((5, 2, 2), np.uint8), (3, 2), r"shape \(5, 2, 2\); expected \(batch, 3, 2\)"),
        (np.zeros((0, 2, 2), np.uint8), None, "no samples"),
        (np.zeros((2, 0, 2), np.uint8), None, "samples without numbers"),
    ],
)
def test_shapes_are_checked_as_ever(
    array: Array, input_shape: tuple[int, ...] | None, message: str
) -> None:
    with pytest.raises((cr.InvalidShape, cr.InvalidData), match=message):
        check_inputs(array, input_shape, FLOAT32, "Dense")

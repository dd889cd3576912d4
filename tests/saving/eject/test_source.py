"""What an ejected module looks like: read by people, taken by ruff, run without chainrule."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from saving.eject import kinds
from saving.eject.test_same_numbers import random_network

import chainrule as cr
from chainrule.saving.eject import to_python

X, Y = cr.data.truth_table()


def truth_table(dtype: str = "float64", epochs: int = 300) -> cr.NeuralNetwork:
    net = cr.NeuralNetwork(
        cr.Dense(4, "sigmoid"), cr.Dense(1, "sigmoid"),
        loss="sum_of_squares", optimizer=cr.GradientDescent(1.0), dtype=dtype, engine="reference",
    )  # fmt: skip
    net.fit(X, Y, epochs=epochs, batch_size=None, progress=False)
    return net


def digits() -> cr.NeuralNetwork:
    return cr.NeuralNetwork(
        cr.Dense(128, "relu"), cr.Dense(10),
        loss="softmax_cross_entropy", inputs=784, engine="reference",
    )  # fmt: skip


def images() -> cr.NeuralNetwork:
    return cr.NeuralNetwork(
        cr.Conv2D(4, 3, "relu", padding="same"), cr.MaxPool2D(), cr.Flatten(), cr.Dropout(0.25),
        cr.Dense(10), loss="softmax_cross_entropy", inputs=(8, 8, 1), engine="reference",
    )  # fmt: skip


def test_the_textbook_network_reads_like_a_textbook(tmp_path: Path) -> None:
    text = to_python(truth_table(), tmp_path / "net.py").read_text("utf-8")
    for line in (
        "self.z_1 = self.x @ self.weights_1 + self.bias_1",
        "self.a_1 = sigmoid(self.z_1)",
        "d_a_2 = 2 * (self.a_2 - y)",
        "d_z_2 = d_a_2 * self.a_2 * (1 - self.a_2)",
        "self.d_weights_2 = self.a_1.T @ d_z_2",
        "d_a_1 = d_z_2 @ self.weights_2.T",
        "self.weights_1 -= self.learning_rate * self.d_weights_1",
        "return np.sum((y_hat - y) ** 2)",
    ):
        assert line in [found.strip() for found in text.splitlines()]
    assert len(text.splitlines()) < 105
    assert [path.name for path in tmp_path.iterdir()] == ["net.py"]  # its weights stand in it
    assert "after 300 steps of training" in text


def test_only_what_the_network_uses_is_there(tmp_path: Path) -> None:
    text = to_python(digits(), tmp_path / "net.py").read_text("utf-8")
    defined = [node.name for node in ast.parse(text).body if isinstance(node, ast.FunctionDef)]
    assert defined == ["relu", "targets", "log_softmax", "softmax_cross_entropy", "softmax"]
    assert "training" not in text
    assert "momentum" not in text
    assert "d_x" not in text  # nobody updates the data
    text = to_python(images(), tmp_path / "images.py").read_text("utf-8")
    assert "def places(shape, window, stride=(1, 1)):" in text
    assert "dilation" not in text
    assert "groups" not in text
    assert "random numbers of its own" in text  # dropout: other losses than here


def test_many_numbers_go_into_a_file_beside_it(tmp_path: Path) -> None:
    net = digits()
    path = to_python(net, tmp_path / "net.py")
    with np.load(tmp_path / "net_numbers.npz", allow_pickle=False) as file:
        assert set(file) == {"weights_1", "bias_1", "weights_2", "bias_2"}
        assert np.array_equal(file["weights_1"], net.layers[0].weights)
        assert file["weights_1"].dtype == np.float32
    assert len(path.read_bytes()) < 6000
    first = (tmp_path / "net_numbers.npz").read_bytes()
    to_python(net, tmp_path / "net.py")
    assert (tmp_path / "net_numbers.npz").read_bytes() == first


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_numbers_in_the_text_are_exact(tmp_path: Path, dtype: str) -> None:
    net = truth_table(dtype)
    names: dict[str, object] = {}
    exec(to_python(net, tmp_path / "net.py").read_text("utf-8"), {"__name__": "net"}, names)  # noqa: S102 - our own text
    twin = names["NeuralNetwork"]
    assert twin is not None
    text = (tmp_path / "net.py").read_text("utf-8")
    assert all(repr(float(w)) in text for w in net.parameters) is (dtype == "float64")


def test_ruff_leaves_every_kind_as_it_is(tmp_path: Path) -> None:
    schedules = [cr.Cosine(0.1, 8, final=0.01, warm_up=5, restarts=True), cr.StepDecay(0.1)]
    several = [
        *(net for _, net in [*kinds.layers(), *kinds.losses(), *kinds.optimizers()]),
        *(random_network(seed) for seed in range(10)),
        *(truth_table(), truth_table("float32"), digits(), images()),
        kinds.network(cr.Residual(cr.Tanh(), activation=cr.PReLU()), inputs=3),
        kinds.network(cr.Tanh(), cr.Flatten(), inputs=(2, 3)),
        *(cr.models.named(name, 3).build((28, 28, 1)) for name in cr.models.MODELS),
        *(
            kinds.network(
                cr.Dense(3), inputs=2, optimizer=cr.Adam(rate, clip_norm=1.0, clip_value=0.5)
            )
            for rate in schedules
        ),
    ]
    for number, net in enumerate(several):
        to_python(net, tmp_path / f"net_{number}.py")
    for command in (["check"], ["format", "--diff"]):
        ruff = [sys.executable, "-m", "ruff", *command, "--isolated", "--no-cache", tmp_path]
        found = subprocess.run(ruff, capture_output=True, text=True, check=False)
        assert found.returncode == 0, found.stdout[:3000]


PROGRAM = """
import runpy, sys
sys.modules["chainrule"] = None  # importing it fails
import numpy as np
path, data, found = sys.argv[1:]
network = runpy.run_path(path)["NeuralNetwork"]()
with np.load(data) as file:
    x, y = file["x"], file["y"]
np.savez(found, predicted=network.predict(x), losses=network.train(x, y, 5))
assert not [name for name in sys.modules if name.startswith("chainrule.")]
"""


@pytest.mark.parametrize("make", [truth_table, lambda: kinds.network(
    cr.Conv2D(2, 3, "gelu"), cr.MaxPool2D(), cr.Flatten(), cr.Dense(40), cr.Dense(3),
    inputs=(6, 6, 1), loss="softmax_cross_entropy",
)], ids=["rows", "images"])  # fmt: skip
def test_it_runs_without_chainrule(tmp_path: Path, make: object) -> None:
    net = make()  # type: ignore[operator]
    x, y = kinds.data_for(net)
    np.savez(tmp_path / "data.npz", x=x, y=y)
    path = to_python(net, tmp_path / "net.py")
    arguments = [path, tmp_path / "data.npz", tmp_path / "found.npz"]
    python = [sys.executable, "-I", "-W", "error"]
    subprocess.run([*python, "-c", PROGRAM, *arguments], env={}, check=True)
    with np.load(tmp_path / "found.npz") as found:
        np.testing.assert_allclose(found["predicted"], net.predict(x), rtol=1e-12, atol=1e-12)
        losses = net.fit(x, y, epochs=5, batch_size=None, progress=False).losses
        np.testing.assert_allclose(found["losses"], losses, rtol=1e-9)
    shown = subprocess.run([*python, path], env={}, check=True, capture_output=True, text=True)
    assert shown.stdout.startswith("[[")  # a prediction


def test_a_training_that_has_not_begun(tmp_path: Path) -> None:
    net = kinds.network(cr.Dense(2), inputs=2, optimizer="adam")
    text = to_python(net, tmp_path / "net.py").read_text("utf-8")
    assert "self.step = 0" in text
    assert "np.zeros_like(getattr(self, name))" in text
    assert "steps of training" not in text


def test_what_is_said_about_the_data_cannot_end_the_docstring(tmp_path: Path) -> None:
    about = 'a """ b \\N{x} \\""" ' + "long " * 40 + '"'
    path = to_python(truth_table(epochs=1), tmp_path / "net.py", about=about)
    told = ast.get_docstring(ast.parse(path.read_text("utf-8")))
    assert told is not None
    assert "a ''' b \\N{x} \\'''" in told

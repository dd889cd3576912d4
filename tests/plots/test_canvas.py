"""Files of pictures, and drawing without matplotlib."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from matplotlib import pyplot as plt
from matplotlib.figure import Figure

import chainrule as cr
from chainrule import plots


def test_without_matplotlib_the_error_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib.pyplot", None)
    with pytest.raises(cr.MissingPackage, match=r"Drawing a picture needs.*'matplotlib'"):
        plots.loss_graph([1.0])


def test_importing_chainrule_does_not_import_matplotlib() -> None:
    code = "import sys, chainrule; sys.exit('matplotlib' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.parametrize(
    ("name", "start"), [("loss.png", b"\x89PNG"), ("LOSS.PNG", b"\x89PNG"), ("a.b.svg", b"<?xml")]
)
def test_the_suffix_decides_the_format(tmp_path: Path, name: str, start: bytes) -> None:
    path = plots.save(plots.loss_graph([2.0, 1.0]), str(tmp_path / name))
    assert path == tmp_path / name
    assert path.read_bytes().startswith(start)
    assert [file.name for file in tmp_path.iterdir()] == [name]


@pytest.mark.parametrize("suffix", ["png", "svg"])
def test_the_same_picture_is_the_same_file(tmp_path: Path, suffix: str) -> None:
    first, second = (
        plots.save(plots.confusion(np.eye(2)), tmp_path / f"{n}.{suffix}").read_bytes()
        for n in (1, 2)
    )
    assert first == second


def test_saving_closes_the_figures_made_here_and_no_others(tmp_path: Path) -> None:
    plots.save(plots.loss_graph([1.0]), tmp_path / "ours.png")
    assert plt.get_fignums() == []
    figure, axes = plt.subplots()
    plots.save(plots.loss_graph([1.0], axes=axes), tmp_path / "theirs.png")
    assert plt.get_fignums() == [figure.number]


def test_the_whole_figure_is_saved_from_a_part_of_it(tmp_path: Path) -> None:
    figure = Figure(figsize=(4, 2))
    left, right = figure.subfigures(1, 2)
    right.subplots()
    plots.save(plots.loss_graph([1.0], axes=left.subplots()), tmp_path / "part.png")
    assert plt.imread(tmp_path / "part.png").shape[:2] == (300, 600)


def test_a_failed_save_leaves_the_old_file_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "loss.png"
    path.write_bytes(b"old")

    def full(self: Path, target: Path) -> None:
        raise OSError("disk full")

    monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(cr.InvalidSetting, match="disk full"):
        plots.save(plots.loss_graph([1.0]), path)
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("loss.jpg", r"loss.jpg.*\.png or \.svg.*\"loss.png\""),
        ("loss", r"\.png or \.svg"),
        (".png", r"\.png or \.svg"),
        ("absent/loss.png", "no folder .*absent"),
    ],
)
def test_files_that_cannot_be_saved(tmp_path: Path, name: str, message: str) -> None:
    axes = plots.loss_graph([1.0])
    with pytest.raises(cr.InvalidSetting, match=message):
        plots.save(axes, tmp_path / name)
    assert list(tmp_path.iterdir()) == []


def test_only_axes_can_be_saved(tmp_path: Path) -> None:
    with pytest.raises(cr.InvalidSetting, match="Received Figure as axes"):
        plots.save(Figure(), tmp_path / "figure.png")  # type: ignore[arg-type] # the error tested

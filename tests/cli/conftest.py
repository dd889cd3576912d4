from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import palmerpenguins
import pytest
from typer.testing import CliRunner, Result

from chainrule.cli.app import app


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Each test works in a folder of its own."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def run() -> Callable[..., Result]:
    """Run a command line; whatever ends it other than an exit is raised here."""

    def invoke(*arguments: str | Path) -> Result:
        result = CliRunner().invoke(app, list(map(str, arguments)))
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        return result

    return invoke


@pytest.fixture(scope="session")
def penguins(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The palmerpenguins table: 344 rows, text columns, missing values."""
    path = tmp_path_factory.mktemp("data") / "penguins.csv"
    palmerpenguins.load_penguins().to_csv(path, index=False)
    return path


@pytest.fixture(scope="session")
def models(penguins: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A trained model for each target."""
    folder = tmp_path_factory.mktemp("models")
    trained = {}
    for target in ("species", "body_mass_g"):
        trained[target] = folder / f"{target}.safetensors"
        arguments = ["train", penguins, "--target", target, "--output", trained[target]]
        plot = ["--plot", folder / "loss.png"]
        result = CliRunner().invoke(app, list(map(str, arguments + plot)))
        assert result.exit_code == 0, result.output
    return trained

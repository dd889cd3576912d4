from __future__ import annotations

import io
import os
import subprocess
import sys
from collections.abc import Callable

import pytest
from typer.testing import Result

import chainrule as cr
from chainrule import cli


def python(
    program: str, *arguments: str, encoding: str = "utf-8"
) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-W", "error", "-c", program, *arguments]
    environment = os.environ | {"PYTHONIOENCODING": encoding}
    return subprocess.run(
        command, capture_output=True, check=False, env=environment, encoding=encoding
    )


def test_help_lists_the_commands(run: Callable[..., Result]) -> None:
    for arguments in (["--help"], ["-h"]):
        result = run(*arguments)
        assert result.exit_code == 0
        assert all(command in result.output for command in ("demo", "train", "predict"))
    assert run().exit_code == 2


def test_version(run: Callable[..., Result]) -> None:
    assert run("--version").output == f"chainrule {cr.__version__}\n"


@pytest.mark.parametrize("package", ["typer", "rich"])
def test_the_base_install_says_what_to_install(package: str) -> None:
    program = f"import sys; sys.modules[{package!r}] = None; from chainrule.cli import main; main()"
    result = python(program)
    assert result.returncode == 1
    assert result.stdout == ""
    assert result.stderr.count("\n") == 1
    assert f"needs the package {package!r}" in result.stderr
    assert 'pip install "chainrule[standard]"' in result.stderr


def test_main_runs_the_commands(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["chainrule", "--version"])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    assert ended.value.code == 0
    assert capsys.readouterr().out == f"chainrule {cr.__version__}\n"


def test_stdout_may_be_any_stream(monkeypatch: pytest.MonkeyPatch) -> None:
    """One that takes text as it is has no encoding to be forgiving about."""
    text = io.StringIO()
    monkeypatch.setattr(sys, "stdout", text)
    monkeypatch.setattr(sys, "argv", ["chainrule", "demo", "--json", "--iterations", "1"])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    assert ended.value.code == 0
    assert text.getvalue().startswith('{"losses": [')


def test_a_terminal_that_knows_no_unicode() -> None:
    program = "from chainrule.cli import main; main()"
    result = python(program, "demo", "--plot", "néant/loss.png", encoding="ascii")
    assert result.returncode == 1
    assert "there is no folder n?ant" in result.stderr
    result = python(program, "demo", "--iterations", "50", encoding="ascii")
    assert result.returncode == 0
    assert "1.24?*" in result.stdout


@pytest.mark.parametrize("arguments", [["--help"], ["demo", "--json", "--iterations", "2"]])
def test_what_is_not_needed_is_not_loaded(arguments: list[str]) -> None:
    program = (
        "import sys, contextlib; from chainrule.cli import main\n"
        "with contextlib.suppress(SystemExit): main()\n"
        "print(*sys.modules, file=sys.stderr)"
    )
    result = python(program, *arguments)
    loaded = {module.partition(".")[0] for module in result.stderr.split()}
    assert "typer" in loaded
    assert not loaded & {"matplotlib", "pandas", "sklearn", "scipy", "plotext", "safetensors"}


def test_a_bug_of_ours_still_shows_its_traceback(
    run: Callable[..., Result], monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise ZeroDivisionError("ours")

    monkeypatch.setattr("chainrule.cli.train_table.open_table", broken)
    with pytest.raises(ZeroDivisionError, match="ours"):
        run("train", "iris")

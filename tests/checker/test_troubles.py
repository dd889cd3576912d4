"""Whatever a file does, the checker ends in time with one clear sentence."""

from __future__ import annotations

import json
import os
import select
import time
from pathlib import Path

import pytest

from chainrule.checker import check, check_source, process
from chainrule.checker.source import Source
from chainrule.errors import UnreadableFile

TROUBLES = {
    "syntax_error": ("def f(:\n    pass\n", "line 1"),
    "missing_import": ("import no_such_package_anywhere\n", "no_such_package_anywhere"),
    "missing_file": ("data = open('titanic.csv').read()\n", "line 1"),
    "asks_input": ("rate = float(input('rate? '))\n", "keyboard"),
    "exits": ("import sys\nsys.exit(3)\n", "sys.exit"),
    "memory_limit": ("import numpy as np\nx = np.ones((50, 10**9))\n", "GB"),
    "recursion": ("def f(n):\n    return f(n + 1)\nf(0)\n", "itself"),
    "raised": ("settings = {}\nx = settings['rate']\n", "KeyError"),
    "process_ended": ("import os\nos._exit(0)\n", "ended its own process"),
    "no_network": ("print('hello')\n", "no network"),
}


@pytest.mark.parametrize("cause", TROUBLES)
def test_each_trouble_has_its_sentence(cause: str) -> None:
    text, said = TROUBLES[cause]
    verdict = check_source(Source(Path("network.py"), text))
    assert (verdict.verdict, verdict.cause) == ("unchecked", cause)
    assert said in verdict.message
    assert "\n" not in verdict.message
    assert verdict.exit_status == 2


def test_an_endless_loop_ends_within_the_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process, "SECONDS", 2)
    started = time.monotonic()
    verdict = check_source(Source(Path("network.py"), "import time\ntime.sleep(1e6)\n"))
    assert time.monotonic() - started < 5
    assert verdict.cause == "time_limit"


def test_a_busy_endless_loop_ends_too() -> None:
    verdict = check_source(Source(Path("network.py"), "while True:\n    x = 1\n"))
    assert verdict.verdict == "unchecked"


@pytest.mark.parametrize(
    "vandalism",
    [
        "np.dot = None",
        "del np.exp",
        "np.asarray = np.zeros",
        "np.ascontiguousarray = lambda *a, **k: 0",
        "import builtins; builtins.isinstance = lambda *a: True",
        "np.seterr(all='raise')",
    ],
)
def test_numpy_may_be_broken(vandalism: str) -> None:
    text = (Path(__file__).parent / "styles/script_two_layers.txt").read_text(encoding="utf-8")
    verdict = check_source(
        Source(Path("n.py"), text.replace("\n\ndef", f"\n{vandalism}\n\ndef", 1))
    )
    assert verdict.verdict in ("correct", "unchecked")


def test_what_a_file_starts_ends_with_it(tmp_path: Path) -> None:
    alive = tmp_path / "alive"
    os.mkfifo(alive)
    reading = os.open(alive, os.O_RDONLY | os.O_NONBLOCK)
    text = (Path(__file__).parent / "styles/script_two_layers.txt").read_text(encoding="utf-8")
    starts = (
        "import subprocess\n"
        f"with open({str(alive)!r}, 'w') as stream:\n"
        "    stream.write('started')\n"
        "    subprocess.Popen(['sleep', '1000'], stdout=stream)\n"
    )
    assert check_source(Source(Path("n.py"), starts + text)).verdict == "correct"
    content = b""
    while select.select([reading], [], [], 5)[0]:  # at its end when nobody can write any more
        content += (more := os.read(reading, 1000))
        if not more:
            break
    else:
        pytest.fail("a process that the file started is still there")
    os.close(reading)
    assert content.startswith(b"started")


def test_a_copy_of_the_process_that_stays_keeps_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process, "SECONDS", 2)
    started = time.monotonic()
    forks = "import os, time\nif os.fork() == 0:\n    time.sleep(1e6)\nx = 1.0\n"
    assert check_source(Source(Path("n.py"), forks)).verdict == "unchecked"
    assert time.monotonic() - started < 6


def test_what_a_file_prints_and_draws_is_not_seen(capfd: pytest.CaptureFixture[str]) -> None:
    text = (Path(__file__).parent / "styles/truth_table_class.txt").read_text(encoding="utf-8")
    verdict = check_source(Source(Path("n.py"), "print('x' * 10**6)\n" + text))
    assert verdict.verdict == "correct"
    assert capfd.readouterr().out == ""


def test_a_file_cannot_write_its_own_verdict() -> None:
    forged = (
        "import os\nfor fd in range(3, 30):\n    try:\n"
        "        os.write(fd, b'\\x02\\x00\\x00\\x00\\x00\\x00\\x00\\x00{}')\n"
        "    except OSError:\n        pass\nos._exit(0)\n"
    )
    assert check_source(Source(Path("n.py"), forged)).cause == "process_ended"


def test_a_notebook(tmp_path: Path) -> None:
    text = (Path(__file__).parent / "styles/script_two_layers.txt").read_text(encoding="utf-8")
    cells = [
        {"cell_type": "markdown", "source": ["# Mein Netz"]},
        {"cell_type": "code", "source": ["%matplotlib inline\n", "import numpy as np"]},
        {"cell_type": "code", "source": text.replace("l2_error = y - l2", "l2_error = l2 - y")},
    ]
    path = tmp_path / "net.ipynb"
    path.write_text(json.dumps({"cells": cells}), encoding="utf-8")
    verdict = check(path)
    assert (verdict.verdict, verdict.cause) == ("wrong", "sign_turned")


@pytest.mark.parametrize("content", ["{}", "[1]", "not json"])
def test_what_is_no_notebook(tmp_path: Path, content: str) -> None:
    path = tmp_path / "net.ipynb"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(UnreadableFile, match="list of cells"):
        check(path)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(UnreadableFile, match=r"Expected a Python file"):
        check(tmp_path / "none.py")

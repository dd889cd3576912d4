"""A learner's program runs apart from ours and ends with everything it started."""

from __future__ import annotations

import signal
import subprocess
from pathlib import Path

import pytest

from chainrule.learner_process import learner_process

ECHO = (
    "import os, sys; said = sys.stdin.read(); "
    "print(said, os.environ['PYTHONHASHSEED'], os.listdir(), os.getsid(0) == os.getpid())"
)
STARTS_ANOTHER = (
    "import os, subprocess, sys, time; sys.stdin.read(); "
    "subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(1000)']); "
    "print(os.getcwd(), flush=True); time.sleep(1000)"
)


def test_it_reads_a_request_in_an_empty_folder_and_a_session_of_its_own() -> None:
    with learner_process(["-c", ECHO], b"the request", stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        with process.stdout as answer:
            assert answer.read().decode().split("\n")[0] == "the request 0 [] True"
        process.wait()
    assert process.returncode == 0


def test_what_it_started_ends_with_it() -> None:
    with learner_process(["-c", STARTS_ANOTHER], b"", stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        folder = Path(process.stdout.readline().decode().strip())
        assert folder.is_dir()
    with process.stdout as answer:
        assert answer.read() == b""  # both held it open; it ends once both are gone
    assert process.returncode == -signal.SIGKILL
    assert not folder.exists()


def test_it_ends_too_where_reading_its_answer_fails() -> None:
    with (
        pytest.raises(RuntimeError, match="unreadable"),
        learner_process(["-c", STARTS_ANOTHER], b"", stdout=subprocess.DEVNULL) as process,
    ):
        raise RuntimeError("unreadable")
    assert process.returncode == -signal.SIGKILL


def test_one_that_does_not_listen_is_no_trouble() -> None:
    request = b"x" * 2**20  # more than a pipe holds
    quits = ["-c", "import os; os.close(0); os._exit(3)"]
    with learner_process(quits, request, stdout=subprocess.DEVNULL) as process:
        process.wait()
    assert process.returncode == 3

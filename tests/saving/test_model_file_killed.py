"""A process that is killed while it saves leaves a whole model, and its litter goes with the next.

Each child saves two models under one name, in turn, as fast as it can, and is killed by SIGKILL at
a moment that no one chooses.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import chainrule as cr
from chainrule import saving

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="kills by SIGKILL")

CHILD = """
import sys
import chainrule as cr
from chainrule import saving
models = [
    cr.NeuralNetwork(cr.Dense(400, bias_initializer=cr.Constant(n)), inputs=100, seed=n)
    for n in (1, 2)
]
saving.save(models[0], sys.argv[1], {"n": 1})
print("saving", flush=True)
while True:
    for n, model in enumerate(models, start=1):
        saving.save(model, sys.argv[1], {"n": n})
"""


def kill_one(path: Path, milliseconds: float) -> None:
    """Start a child that saves on and on, and kill it after so long."""
    child = subprocess.Popen(
        [sys.executable, "-c", CHILD, str(path)],
        stdout=subprocess.PIPE,
        env=os.environ | {"OPENBLAS_NUM_THREADS": "1"},
    )
    with child:
        assert child.stdout is not None
        assert child.stdout.readline() == b"saving\n"
        try:
            child.wait(milliseconds / 1000)
        except subprocess.TimeoutExpired:
            child.send_signal(signal.SIGKILL)
        assert child.wait() == -signal.SIGKILL


@pytest.mark.sweep(sample=5)
@pytest.mark.parametrize("number", range(100))
def test_killed_while_saving(number: int, tmp_path: Path) -> None:
    path = tmp_path / "model.safetensors"
    kill_one(path, np.random.default_rng(number).uniform(0, 30))
    found = saving.load(path)  # whole, and one of the two
    assert np.all(found.network.layers[0].bias == found.extra["n"])
    saving.save(found.network, path)
    assert list(tmp_path.iterdir()) == [path]


def test_what_another_process_is_writing_stays(tmp_path: Path) -> None:
    """Only what nobody holds open is litter."""
    script = (
        "import sys, pathlib; from chainrule.files import _open_beside\n"
        "beside, file = _open_beside(pathlib.Path(sys.argv[1]))\n"
        "print(beside.name, flush=True)\n"
        "sys.stdin.read()\n"
    )
    path = tmp_path / "model.safetensors"
    network = cr.NeuralNetwork(cr.Dense(1), inputs=2)
    with subprocess.Popen(
        [sys.executable, "-c", script, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as child:
        assert child.stdout is not None
        beside = tmp_path / child.stdout.readline().decode().strip()
        saving.save(network, path)
        assert beside.exists()
        child.kill()
    saving.save(network, path)
    assert not beside.exists()
    assert json.dumps([entry.name for entry in tmp_path.iterdir()]) == '["model.safetensors"]'

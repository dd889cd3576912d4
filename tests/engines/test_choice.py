"""Which engine runs a job, and what it says about it."""

from __future__ import annotations

import copy
import subprocess
import sys

import numpy as np
import pytest

import chainrule as cr
from chainrule.engines.choice import Engine

X = np.random.default_rng(0).normal(size=(40, 3))
Y = X.sum(axis=1)


def network(engine: str | Engine = "auto") -> cr.NeuralNetwork:
    return cr.NeuralNetwork(cr.Dense(4, "tanh"), cr.Dense(1), engine=engine)


def test_every_engine_has_its_name() -> None:
    assert Engine.names() == ["auto", "reference", "compiled"]


@pytest.mark.parametrize("engine", ["reference", "compiled"])
def test_the_engine_that_is_asked_for_is_taken(engine: str) -> None:
    net = network(engine)
    assert net.fit(X, Y, epochs=1).settings["engine"] == engine
    assert net.engine.report().startswith(f"{engine} engine")


def test_auto_takes_the_compiled_engine_for_long_jobs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("chainrule.engines.choice._WORTH_SECONDS", 0.05)
    net = network()
    assert net.fit(X, Y, epochs=2).settings["engine"] == "reference"
    assert "too small to compile for" in net.engine.report()
    large = cr.NeuralNetwork(cr.Dense(2000), cr.Dense(1), inputs=3)
    assert large.fit(X, Y, epochs=2000, batch_size=None).settings["engine"] == "compiled"


def test_a_name_or_an_object() -> None:
    net = network(cr.Compiled(threads=1))
    assert repr(net.engine) == "Compiled(threads=1)"
    net.engine = "reference"
    assert net.fit(X, Y, epochs=1).settings["engine"] == "reference"
    with pytest.raises(cr.UnknownName, match="compiled"):
        net.engine = "compield"
    with pytest.raises(cr.InvalidSetting, match="threads"):
        cr.Compiled(threads=0)


def test_networks_do_not_share_reports() -> None:
    engine = cr.Compiled(threads=1)
    one, other = network(engine), network(engine)
    one.fit(X, Y, epochs=1)
    assert "nothing has been trained" in other.engine.report()
    assert "compiled engine" in one.engine.report()
    assert copy.deepcopy(one).engine.latest is None  # a copy has run nothing yet
    assert one.copy().engine.threads == 1


def test_the_report_says_what_ran_where() -> None:
    class Doubling(cr.Layer):
        def feedforward(self, x: cr.layer.Array, trace: cr.Trace) -> cr.layer.Array:
            return 2 * x

        def backprop(self, d_output: cr.layer.Array, trace: cr.Trace) -> cr.layer.Array:
            return 2 * d_output

    net = cr.NeuralNetwork(cr.Dense(4, "tanh"), Doubling(), cr.Dense(1), engine="compiled")
    net.fit(X, Y, epochs=3)
    report = net.engine.report()
    lines = report.splitlines()
    assert "compiled engine, 1 thread" in lines[0]
    assert "MB of buffers" in lines[0]
    assert "matrix products" in lines[0]
    assert [line.split("  ")[-1] for line in lines[1:]] == [
        "compiled",
        "reference (NumPy)",
        "compiled",
        "compiled",
    ]
    shares = [float(line.split("%")[0].split()[-1]) for line in lines[1:]]
    assert sum(shares) == pytest.approx(100, abs=0.5)


def test_without_numba_one_sentence_says_what_to_install() -> None:
    program = """
import sys
sys.modules["numba"] = None  # as if it were not installed
import numpy as np, chainrule as cr
X = np.ones((4, 3))
net = cr.NeuralNetwork(cr.Dense(1))
try:
    net.engine = "compiled"
except cr.MissingPackage as error:
    print(error)
else:
    raise SystemExit("not told")
print(net.fit(X, X[:, 0], epochs=1).settings["engine"])
"""
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    told, engine = done.stdout.splitlines()
    assert 'engine="compiled" needs the package' in told
    assert 'pip install "chainrule[fast]"' in told
    assert engine == "reference"


def test_auto_without_numba_stays_with_the_reference_engine(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("chainrule.engines.choice._WORTH_SECONDS", 0.0)
    monkeypatch.setattr("chainrule.engines.choice._PACKAGES", ("no_such_package",))
    net = network()
    assert net.fit(X, Y, epochs=1).settings["engine"] == "reference"
    assert "chainrule[fast] are not installed" in net.engine.report()


def test_auto_may_be_told_from_when_on_it_is_worth_it() -> None:
    assert cr.Auto(worth_seconds=0.5).is_compiled(0.6)
    assert not cr.Auto(worth_seconds=0.5).is_compiled(0.4)
    assert not cr.Auto().is_compiled(0.6)
    with pytest.raises(cr.InvalidSetting, match="worth_seconds"):
        cr.Auto(worth_seconds=-1)
    net = cr.NeuralNetwork(cr.Dense(1), engine=cr.Auto(worth_seconds=0.0))
    assert net.fit(X, Y, epochs=1).settings["engine"] == "compiled"
    assert copy.deepcopy(net).engine.worth_seconds == 0

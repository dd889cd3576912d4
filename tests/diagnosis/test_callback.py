"""``Diagnose``: looks while a network trains, tells a finding once, changes not a bit."""

from __future__ import annotations

import numpy as np
import pytest

import chainrule as cr
from chainrule.layer import Array

RANDOM = np.random.default_rng(1)
X = RANDOM.normal(size=(120, 4))
Y = (X @ [1.0, -2.0, 0.5, 0.0] > 0).astype(int)


def network(engine: str = "reference", **settings: object) -> cr.NeuralNetwork:
    return cr.NeuralNetwork(
        cr.Dense(8), cr.BatchNorm(), cr.ReLU(), cr.Dropout(0.2), cr.Dense(2),
        loss="softmax_cross_entropy", optimizer=cr.Adam(0.01), engine=engine, **settings,
    )  # type: ignore[arg-type]  # fmt: skip


def trained(engine: str, callbacks: list[cr.Callback]) -> tuple[Array, Array]:
    net = network(engine)
    history = net.fit(
        X, Y, epochs=6, batch_size=16, validation=0.2, callbacks=callbacks, progress=False
    )
    return net.parameter_vector.storage.copy(), history.losses


@pytest.mark.parametrize("engine", ["reference", "compiled"])
def test_the_same_bits_with_and_without_it(engine: str) -> None:
    told: list[str] = []
    plain = trained(engine, [])
    watched = trained(engine, [cr.Diagnose(print=told.append)])
    np.testing.assert_array_equal(watched[0], plain[0])
    np.testing.assert_array_equal(watched[1], plain[1])
    assert told == []


def test_the_same_bits_of_epochs_that_are_one_step() -> None:
    """The compiled engine makes several of these at once, unless someone looks in between."""
    runs = []
    for callbacks in ([], [cr.Diagnose(every=3)]):
        net = cr.NeuralNetwork(
            cr.Dense(8, "tanh"), cr.Dense(2), loss="softmax_cross_entropy", engine="compiled"
        )
        net.fit(X, Y, epochs=20, batch_size=None, callbacks=callbacks, progress=False)
        runs.append(net.parameters.copy())
    np.testing.assert_array_equal(runs[0], runs[1])


def test_a_finding_is_told_when_it_first_appears_and_kept() -> None:
    told: list[str] = []
    net = cr.NeuralNetwork(
        cr.Dense(6, "sigmoid", weights_initializer="zeros"),
        cr.Dense(2, weights_initializer="zeros"),
        loss="softmax_cross_entropy",
    )
    look = cr.Diagnose(print=told.append)
    net.fit(X, Y, epochs=4, callbacks=[look], progress=False)
    assert look.findings[0].name == "identical_units"
    assert look.epochs[0] == 0
    assert len(told) == len(look.findings) == len({found.name for found in look.findings})
    assert told[0].startswith("Before training: Identical units (layer 1)")
    before = len(told)
    net.fit(X, Y, epochs=1, callbacks=[look], progress=False)
    assert look.findings[0].name == "identical_units"  # told again: a training of its own
    assert len(told) == before + len(look.findings)


def test_it_looks_every_so_many_epochs() -> None:
    told: list[str] = []
    net = network()
    ruined = cr.OnEpoch(lambda net, history: _ruin(net))
    look = cr.Diagnose(every=3, print=told.append)
    net.fit(X, Y, epochs=4, callbacks=[ruined, look], progress=False)
    assert look.epochs == [3]
    assert told[0].startswith("After epoch 3: Dead ReLUs (layer 3)")


def _ruin(net: cr.NeuralNetwork) -> None:
    net.layers[1].shift = np.full(8, -50.0)


def test_by_default_it_prints(capsys: pytest.CaptureFixture[str]) -> None:
    net = cr.NeuralNetwork(cr.Dense(3), cr.Dense(2), loss="softmax_cross_entropy")
    net.fit(1000 * X, Y, epochs=1, callbacks=cr.Diagnose(), progress=False)
    assert "Unscaled inputs (column" in capsys.readouterr().out


def test_wrong_settings_are_refused() -> None:
    with pytest.raises(cr.InvalidSetting, match="every must be a whole number"):
        cr.Diagnose(every=0)
    with pytest.raises(cr.InvalidSetting, match="print received 'log'; expected a function"):
        cr.Diagnose(print="log")  # type: ignore[arg-type]  # the mistake

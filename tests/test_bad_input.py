"""Wrong calls: each is refused with an error that helps, and leaves everything as it was.

The calls stand in ``bad_calls``, in tables: what is called, which error it must give, and words
that its message must have.
"""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest
from bad_calls.call import BadCall, X
from bad_calls.calls import all_calls
from bad_calls.data import weight_calls, x_calls, y_calls
from bad_calls.settings import settings_calls

import chainrule as cr

CALLS = x_calls() + y_calls() + weight_calls() + settings_calls() + all_calls()


def state_of(net: cr.NeuralNetwork) -> dict[str, Any]:
    """Everything that a call might change."""
    found: dict[str, Any] = {
        "repr": repr(net),
        "settings": (net.loss, net.optimizer, net.l1, net.l2, net.seed, net.dtype),
        "layers": [(layer, layer.settings(), layer.is_bound) for layer in net.layers],
    }
    if net.is_built:
        state = net.training_state
        vectors = {name: v.tobytes() for name, v in state.optimizer.vectors.items()}
        found |= {
            "parameters": net.parameters.tobytes(),
            "predictions": net.predict(X).tobytes(),
            "training": (state.epoch, state.step, dict(state.schedule)),
            "optimizer": (state.optimizer.step, vectors),
        }
    return found


@pytest.mark.parametrize("row", CALLS, ids=lambda row: row.name)
def test_it_is_refused_with_an_error_that_helps(row: BadCall) -> None:
    net = row.network(2 if row.built else None)
    before = state_of(net)
    with warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        with pytest.raises(cr.ChainruleError) as caught:
            row.call(net)
    message = str(caught.value)
    assert type(caught.value) is row.error, message
    for words in row.words:
        assert words in message
    assert 40 <= len(message) <= 600
    assert message.endswith(".")
    assert "\n" not in message
    assert not warned, [str(warning.message) for warning in warned]
    assert state_of(net) == before


def test_every_row_is_another_call() -> None:
    names = [row.name for row in CALLS]
    assert sorted(names) == sorted(set(names))
    assert len(names) > 80


def test_the_networks_take_what_is_right() -> None:
    """A table of errors proves nothing if the networks refuse everything."""
    from bad_calls import call, data

    for make, y in (
        (call.classifier, call.LABELS),
        (call.classifier, np.eye(3)[call.LABELS]),
        (call.regressor, call.NUMBERS),
        (data.two_numbers, call.X),
        (data.yes_or_no, call.LABELS % 2),
        (data.margin, 2 * (call.LABELS % 2) - 1),
        (data.counter, call.LABELS),
    ):
        for inputs in (2, None):
            weight = np.ones(call.ROWS)
            history = make(inputs).fit(X, y, epochs=1, sample_weight=weight, validation=(X, y))
            assert np.isfinite(history.losses).all()

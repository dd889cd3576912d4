"""The table of layers, shapes and numbers of parameters."""

from __future__ import annotations

import pytest

import chainrule as cr
from chainrule.summary import summary_text


def test_it_lists_layers_shapes_and_counts() -> None:
    net = cr.NeuralNetwork(
        cr.Dense(100, activation="relu"),
        cr.Dense(2, use_bias=False),
        loss="softmax_cross_entropy",
        inputs=30,
    )
    assert summary_text(net).splitlines() == [
        "   layer                          output shape  parameters",
        "----------------------------------------------------------",
        "   inputs                         (batch, 30)",
        "1  Dense(100, activation='relu')  (batch, 100)       3,100",
        "2  Dense(2, use_bias=False)       (batch, 2)           200",
        "----------------------------------------------------------",
        "parameters: 3,300   loss: SoftmaxCrossEntropy()   optimizer: Adam()",
    ]


def test_the_counts_add_up_to_the_vector_also_where_a_layer_is_shared() -> None:
    shared = cr.Dense(3, activation=cr.PReLU())
    net = cr.NeuralNetwork(shared, shared, cr.Dense(1), inputs=3)
    rows = [line.split() for line in summary_text(net).splitlines()]
    assert [int(row[-1]) for row in rows if row[0] in {"1", "2", "3"}] == [15, 0, 4]
    assert len(net.parameters) == 19
    assert rows[-1][:2] == ["parameters:", "19"]


def test_what_is_not_known_yet_is_a_question_mark(capsys: pytest.CaptureFixture[str]) -> None:
    net = cr.NeuralNetwork(cr.Dense(4), cr.Dense(1))
    assert net.summary() is None
    printed = capsys.readouterr().out
    assert printed == summary_text(net) + "\n"
    assert "?" in printed
    assert "unknown until the first data" in printed
    assert "inputs" not in printed
    net.build(2)
    assert "?" not in summary_text(net)

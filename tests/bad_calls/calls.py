"""Calls in the wrong order, on the wrong thing, or with arguments of the wrong kind."""

from __future__ import annotations

from typing import Any

import numpy as np

import chainrule as cr
from bad_calls.call import (
    LABELS,
    NUMBERS,
    BadCall,
    X,
    bad,
    classifier,
    one_layer,
    regressor,
    unbuilt,
)
from bad_calls.data import filled_trace

NOT_BUILT = [
    unbuilt(bad(name, call, cr.NotBuilt, "inputs=N", "net.build(N)"))
    for name, call in (
        ("predict", lambda net: net.predict(X)),
        ("predict_classes", lambda net: net.predict_classes(X)),
        ("evaluate", lambda net: net.evaluate(X, LABELS)),
        ("parameters", lambda net: net.parameters),
        ("parameter_vector", lambda net: net.parameter_vector),
        ("shapes", lambda net: net.shapes),
        ("output_shape", lambda net: net.output_shape),
        ("a layer's weights", lambda net: net.layers[0].weights),
        ("setting a layer's weights", lambda net: setattr(net.layers[0], "weights", X)),
    )
]


# --- fit ---------------------------------------------------------------------------------------


def fit(**arguments: Any) -> Any:
    return lambda net: net.fit(X, LABELS, **({"epochs": 1} | arguments))


FIT = [
    bad("epochs negative", fit(epochs=-1), cr.InvalidSetting, "epochs", "whole", "received -1"),
    bad("epochs fraction", fit(epochs=1.5), cr.InvalidSetting, "epochs", "received 1.5"),
    bad("epochs text", fit(epochs="10"), cr.InvalidSetting, "epochs", "received '10'"),
    bad("epochs None", fit(epochs=None), cr.InvalidSetting, "epochs", "received None"),
    bad("epochs True", fit(epochs=True), cr.InvalidSetting, "epochs", "received True"),
    bad("epochs data", fit(epochs=np.ones((50, 4))), cr.InvalidSetting, "epochs"),
    bad("batch_size 0", fit(batch_size=0), cr.InvalidSetting, "batch_size", "received 0"),
    bad("batch_size fraction", fit(batch_size=0.1), cr.InvalidSetting, "batch_size", "0.1"),
    bad("batch_size text", fit(batch_size="all"), cr.InvalidSetting, "batch_size", "'all'"),
    bad("shuffle 1", fit(shuffle=1), cr.InvalidSetting, "shuffle", "True or False", "received 1"),
    bad("shuffle None", fit(shuffle=None), cr.InvalidSetting, "shuffle", "received None"),
    bad("progress text", fit(progress="yes"), cr.InvalidSetting, "progress", "'auto'", "'yes'"),
    bad("progress None", fit(progress=None), cr.InvalidSetting, "progress", "received None"),
    bad("progress 0", fit(progress=0), cr.InvalidSetting, "progress", "received 0"),
    bad("validation 0", fit(validation=0), cr.InvalidSetting, "validation", "above 0"),
    bad("validation 1", fit(validation=1.0), cr.InvalidSetting, "validation", "below 1"),
    bad("validation True", fit(validation=True), cr.InvalidSetting, "validation", "True"),
    bad("validation text", fit(validation="20%"), cr.InvalidSetting, "validation", "'20%'"),
    bad("validation X alone", fit(validation=(X,)), cr.InvalidSetting, "validation", "(X, y)"),
    bad("validation array", fit(validation=np.ones((99, 2))), cr.InvalidSetting, "validation"),
    bad("validation of four", fit(validation=(X, LABELS, X, X)), cr.InvalidSetting, "4 things"),
    bad("validation empty", fit(validation=()), cr.InvalidSetting, "0 things", "(X, y)"),
    bad("validation tiny", fit(validation=0.01), cr.InvalidData, "one part empty", "12 samples"),
    bad(
        "validation other columns",
        fit(validation=(np.ones((4, 3)), LABELS[:4])),
        cr.InvalidShape,
        "(",
        "3",
        "expected",
    ),
    bad(
        "validation other classes",
        fit(validation=(X, LABELS + 1)),
        cr.InvalidData,
        "class label 3",
        "4 outputs",
    ),
    bad("callbacks None", fit(callbacks=None), cr.InvalidSetting, "callbacks", "None"),
    bad("callbacks number", fit(callbacks=[5]), cr.InvalidSetting, "callbacks holds 5", "OnEpoch("),
    bad("callbacks class", fit(callbacks=cr.EarlyStopping), cr.InvalidSetting, "EarlyStopping"),
    bad("callbacks classes", fit(callbacks=[cr.EarlyStopping]), cr.InvalidSetting, "EarlyStopping"),
    bad("callbacks function", fit(callbacks=print), cr.InvalidSetting, "print", "OnEpoch("),
    bad("callbacks functions", fit(callbacks=[print]), cr.InvalidSetting, "print", "OnEpoch("),
    bad("callbacks text", fit(callbacks="early_stopping"), cr.InvalidSetting, "callbacks"),
    bad("metrics misspelt", fit(metrics=["acuracy"]), cr.UnknownName, "mean 'accuracy'?"),
    bad("metrics None", fit(metrics=None), cr.InvalidSetting, "metrics", "None"),
    bad("metrics of numbers", fit(metrics="mae"), cr.InvalidSetting, "'mae'", "learns classes"),
    bad(
        "early stopping without validation",
        fit(callbacks=[cr.EarlyStopping()]),
        cr.InvalidSetting,
        "validation_loss",
        "records loss",
        "validation=0.2",
    ),
    bad(
        "early stopping on a metric that is not recorded",
        fit(callbacks=[cr.EarlyStopping("validation_accuracy")], validation=0.5),
        cr.InvalidSetting,
        "validation_accuracy",
        "metrics=[...]",
    ),
    bad(
        "early stopping on tables",
        fit(
            callbacks=[cr.EarlyStopping("training_confusion_matrix")], metrics=["confusion_matrix"]
        ),
        cr.InvalidSetting,
        "confusion_matrix",
    ),
]


def classes_of_numbers(net: cr.NeuralNetwork) -> object:
    return net.fit(X, NUMBERS, metrics=["accuracy"])


def ranks_of_several(net: cr.NeuralNetwork) -> object:
    return net.fit(X, np.eye(3)[LABELS], epochs=1, metrics=["top_k_accuracy"])


several = one_layer(3, "sigmoid_cross_entropy")
FIT += [
    bad(
        "accuracy of numbers",
        classes_of_numbers,
        cr.InvalidSetting,
        "'accuracy'",
        "learns numbers",
        "r2",
        network=regressor,
    ),
    bad(
        "ranks of several classes at once",
        ranks_of_several,
        cr.InvalidSetting,
        "'top_k_accuracy'",
        "softmax_cross_entropy",
        network=several,
    ),
]


# --- traces ------------------------------------------------------------------------------------


def filled_by(other: cr.NeuralNetwork) -> Any:
    """Return a trace that has gone forwards and back through another network."""
    trace = other.new_trace()
    other.feedforward(X, trace)
    y = LABELS if other.loss.targets == "classes" else NUMBERS
    other.backprop(y, trace)
    return trace


TRACES = [
    bad(
        "backprop before feedforward",
        lambda net: net.backprop(LABELS, net.new_trace()),
        cr.BackpropBeforeFeedforward,
        "'output'",
        "net.feedforward(x, trace)",
    ),
    bad(
        "measure before feedforward",
        lambda net: net.measure(LABELS, net.new_trace()),
        cr.BackpropBeforeFeedforward,
        "'output'",
        "net.feedforward(x, trace)",
    ),
    bad(
        "gradients before backprop",
        lambda net: filled_trace(net).gradients,
        cr.BackpropBeforeFeedforward,
        "'gradients'",
        "net.backprop(y, trace)",
    ),
    bad(
        "a layer's gradient before backprop",
        lambda net: filled_trace(net)[0].d_weights,
        cr.BackpropBeforeFeedforward,
        "'d_weights'",
        "it holds: x, z, a",
        "backprop",
    ),
    bad(
        "a layer's output before feedforward",
        lambda net: net.new_trace()[0].a,
        cr.BackpropBeforeFeedforward,
        "'a'",
        "nothing",
        "feedforward",
    ),
    bad(
        "feedforward with the trace of another network",
        lambda net: net.feedforward(X, filled_by(classifier())),
        cr.InvalidInput,
        "trace",
        "another network",
        "new_trace()",
    ),
    bad(
        "backprop with the trace of another network",
        lambda net: net.backprop(LABELS, filled_by(classifier())),
        cr.InvalidInput,
        "trace",
        "another network",
        "new_trace()",
    ),
    bad(
        "backprop with the trace of the network it was copied from",
        lambda net: net.copy().backprop(LABELS, filled_by(net)),
        cr.InvalidInput,
        "trace",
        "another network",
        "new_trace()",
    ),
    bad(
        "feedforward with a trace of another depth",
        lambda net: net.feedforward(X, several(2).new_trace()),
        cr.InvalidInput,
        "trace",
        "1 layer",
        "new_trace()",
    ),
    bad(
        "backprop of another batch",
        lambda net: net.backprop(LABELS[:5], filled_trace(net)),
        cr.InvalidShape,
        "12 samples",
        "y 5",
    ),
    bad(
        "measure of another batch",
        lambda net: net.measure(np.tile(LABELS, 2), filled_trace(net)),
        cr.InvalidShape,
        "12 samples",
        "y 24",
    ),
    bad(
        "feedforward with text as trace",
        lambda net: net.feedforward(X, "trace"),
        cr.InvalidInput,
        "'trace'",
        "new_trace()",
    ),
    bad(
        "backprop without a trace",
        lambda net: net.backprop(LABELS, None),
        cr.InvalidInput,
        "None",
        "new_trace()",
    ),
    bad(
        "backprop with both turned round",
        lambda net: net.backprop(filled_trace(net), LABELS),
        cr.InvalidInput,
        "trace",
        "new_trace()",
    ),
    bad(
        "measure with a layer's trace",
        lambda net: net.measure(LABELS, filled_trace(net)[0]),
        cr.InvalidInput,
        "trace",
        "new_trace()",
    ),
]


# --- the rest ----------------------------------------------------------------------------------


def assign(weights: Any) -> Any:
    return lambda net: setattr(net.layers[0], "weights", weights)


WEIGHTS = [
    bad("weights transposed", assign(np.ones((4, 2))), cr.InvalidShape, "(4, 2)", "(2, 4)"),
    bad("weights a number", assign(0.5), cr.InvalidShape, "weights", "()", "(2, 4)"),
    bad("weights NaN", assign(np.full((2, 4), np.nan)), cr.InvalidData, "weights", "NaN", "finite"),
    bad("weights too large", assign(np.full((2, 4), 1e39)), cr.InvalidData, "float32"),
    bad("weights text", assign([["a"] * 4] * 2), cr.InvalidData, "weights", "numbers"),
    bad(
        "weights text as objects",
        assign(np.array([["a"] * 4] * 2, dtype=object)),
        cr.InvalidData,
        "weights",
        "numbers",
    ),
    bad("weights complex", assign(np.ones((2, 4)) * 1j), cr.InvalidData, "weights", "complex"),
    bad("weights ragged", assign([[1], [2, 3]]), cr.InvalidShape, "weights", "(2, 4)"),
    bad("weights None", assign(None), cr.InvalidShape, "weights", "(2, 4)"),
]


def loud(inputs: int | None = 2) -> cr.NeuralNetwork:
    """Ten times the sum of its inputs."""
    net = one_layer(1, "mean_squared_error")(inputs)
    net.parameters[...] = 10
    return net


OTHERS = [
    bad(
        "outputs that overflow: predict",
        lambda net: net.predict([[3e38, 3e38]]),
        cr.InvalidData,
        "finite",
        "float64",
        network=loud,
    ),
    bad(
        "outputs that overflow: evaluate",
        lambda net: net.evaluate([[3e38, 3e38]], [0]),
        cr.InvalidData,
        "finite",
        "float64",
        network=loud,
    ),
    bad(
        "a loss that overflows: evaluate",
        lambda net: net.evaluate([[1.0, 1.0]], [1e30]),
        cr.InvalidData,
        "finite",
        "float64",
        network=regressor,
    ),
    bad("built for other inputs", lambda net: net.build(3), cr.InvalidShape, "(2,)", "(3,)"),
    bad("built for text", lambda net: net.build("2"), cr.InvalidSetting, "inputs", "'2'"),
    bad("copied as half", lambda net: net.copy("float16"), cr.InvalidSetting, "'float16'"),
    bad(
        "another optimizer misspelt",
        lambda net: setattr(net, "optimizer", "rms_prop"),
        cr.UnknownName,
        "'rms_prop'",
        "mean 'rmsprop'?",
    ),
    bad(
        "another optimizer, the class",
        lambda net: setattr(net, "optimizer", cr.Lion),
        cr.InvalidSetting,
        "class Lion",
        "Lion()",
    ),
    bad(
        "another loss misspelt",
        lambda net: setattr(net, "loss", "softmax_crossentropy"),
        cr.UnknownName,
        "mean 'softmax_cross_entropy'?",
    ),
    bad(
        "gradients checked at no place",
        lambda net: net.check_gradients(X, LABELS, at_most=0),
        cr.InvalidSetting,
        "at_most",
        "received 0",
    ),
    bad(
        "gradients checked at a fraction",
        lambda net: net.check_gradients(X, LABELS, at_most=0.5),
        cr.InvalidSetting,
        "at_most",
        "received 0.5",
    ),
    bad(
        "a position that is not in the trace",
        lambda net: net.new_trace()["layer 3"],
        cr.InvalidInput,
        "'layer 3'",
        "'layer 1', 'layer 2'",
    ),
    bad(
        "a position that is a fraction",
        lambda net: net.new_trace()[1.5],
        cr.InvalidInput,
        "1.5",
        "'layer 1', 'layer 2'",
    ),
    bad(
        "columns of the history as a list",
        lambda net: net.copy().fit(X, LABELS, epochs=1)[["loss"]],
        cr.InvalidInput,
        "no column ['loss']",
        "it has loss",
    ),
    bad(
        "training stopped for no reason",
        lambda net: cr.History(["loss"], {}).stop(""),
        cr.InvalidSetting,
        "stop",
        "''",
    ),
    bad(
        "a penalty changed to a reward",
        lambda net: setattr(net, "l1", -0.1),
        cr.InvalidSetting,
        "l1",
        "received -0.1",
    ),
    bad(
        "another seed, as text",
        lambda net: setattr(net, "seed", "lucky"),
        cr.InvalidSetting,
        "seed",
        "received 'lucky'",
    ),
    bad(
        "r2 of one sample",
        lambda net: net.evaluate(X[:1], NUMBERS[:1], metrics="r2"),
        cr.InvalidData,
        "r2",
        "two samples",
        network=regressor,
    ),
    bad(
        "a column that is not in the history",
        lambda net: net.copy().fit(X, LABELS, epochs=1)["accuracy"],
        cr.InvalidInput,
        "no column 'accuracy'",
        "metrics=[...]",
    ),
]


def all_calls() -> list[BadCall]:
    both = FIT + [row for row in OTHERS if row.name.startswith(("built for text", "gradients"))]
    return NOT_BUILT + FIT + TRACES + WEIGHTS + OTHERS + [unbuilt(row) for row in both]

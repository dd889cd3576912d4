"""Settings outside their range, of the wrong type, or at odds with each other."""

from __future__ import annotations

from typing import Any

import numpy as np

import chainrule as cr
from bad_calls.call import BadCall, X, bad, classifier
from chainrule.metrics import Accuracy, TopKAccuracy


class Nameless:
    """Neither a layer nor anything else that is known here."""

    def __repr__(self) -> str:
        return "Nameless()"


def network(*layers: Any, **settings: Any) -> Any:
    return lambda net: cr.NeuralNetwork(*(layers or (cr.Dense(1),)), **settings)


def dense(*arguments: Any, **settings: Any) -> Any:
    return lambda net: cr.Dense(*(arguments or (4,)), **settings)


def make(kind: Any, *arguments: Any, **settings: Any) -> Any:
    return lambda net: kind(*arguments, **settings)


def taken(net: cr.NeuralNetwork) -> object:
    return cr.NeuralNetwork(net.layers[0], inputs=2)


LAYERS = [
    bad("no layers", lambda net: cr.NeuralNetwork(), cr.InvalidSetting, "no layers", "Dense(1)"),
    bad("an empty list", network([]), cr.InvalidSetting, "no layers", "at least one"),
    bad("a number as layer", network(4), cr.InvalidSetting, "Layer 1 is 4", "Dense(4)"),
    bad("a name as layer", network(cr.Dense(1), "relu"), cr.InvalidSetting, "Layer 2 is 'relu'"),
    bad("an object as layer", network(Nameless()), cr.InvalidSetting, "Nameless()", "Dense(4)"),
    bad("a loss as layer", network(cr.Huber()), cr.InvalidSetting, "Layer 1 is Huber()"),
    bad("a class as layer", network(cr.Dense), cr.InvalidSetting, "the class Dense", "Dense(...)"),
    bad("lists in a list", network([cr.Dense(1)], cr.ReLU()), cr.InvalidSetting, "Layer 1 is ["),
    bad("a network as layer", network(classifier()), cr.InvalidSetting, "Layer 1 is", "Dense(4)"),
    bad("a taken layer", taken, cr.InvalidSetting, "another network", "copy.deepcopy"),
    bad(
        "a shared layer with other inputs",
        network(*[cr.Dense(4)] * 2, inputs=2),
        cr.InvalidShape,
        "layers 1 and 2",
        "(2, 4)",
        "(4, 4)",
    ),
]

NETWORK = [
    bad("dtype half", network(dtype="float16"), cr.InvalidSetting, "'float16'", "'float32'"),
    bad("dtype whole", network(dtype=int), cr.InvalidSetting, "'int64'", "'float64'"),
    bad("dtype unknown", network(dtype="double precision"), cr.InvalidSetting, "double precision"),
    bad("dtype number", network(dtype=32), cr.InvalidSetting, "received 32", "'float32'"),
    bad("dtype None", network(dtype=None), cr.InvalidSetting, "None", "'float32'"),
    bad("seed negative", network(seed=-1), cr.InvalidSetting, "seed", "whole", "received -1"),
    bad("seed fraction", network(seed=0.5), cr.InvalidSetting, "seed", "received 0.5"),
    bad("seed None", network(seed=None), cr.InvalidSetting, "seed", "received None"),
    bad("seed generator", network(seed=np.random.default_rng()), cr.InvalidSetting, "seed"),
    bad("l1 negative", network(l1=-0.1), cr.InvalidSetting, "l1", "at least 0", "-0.1"),
    bad("l2 infinite", network(l2=np.inf), cr.InvalidSetting, "l2", "finite", "inf"),
    bad("l2 text", network(l2="a little"), cr.InvalidSetting, "l2", "'a little'"),
    bad("inputs none at all", network(inputs=0), cr.InvalidSetting, "inputs", "received 0"),
    bad("inputs fraction", network(inputs=2.5), cr.InvalidSetting, "inputs", "received 2.5"),
    bad("inputs text", network(inputs="2"), cr.InvalidSetting, "inputs", "received '2'"),
    bad("inputs negative", network(inputs=(2, -1)), cr.InvalidSetting, "inputs", "received -1"),
    bad("inputs data", network(inputs=X), cr.InvalidSetting, "inputs", "whole number"),
    bad("inputs of images", network(inputs=(8, 8)), cr.InvalidShape, "(8, 8)", "Flatten"),
    bad("inputs of no axes", network(inputs=()), cr.InvalidShape, "()", "expected (inputs,)"),
]

NAMES = [
    bad("loss misspelt", network(loss="mean_square_error"), cr.UnknownName, "'mean_squared_error'"),
    bad("loss unknown", network(loss="zzz"), cr.UnknownName, "no loss called 'zzz'", "Known:"),
    bad("loss class", network(loss=cr.Huber), cr.InvalidSetting, "class Huber", "Huber()"),
    bad("loss None", network(loss=None), cr.InvalidSetting, "None as loss", "expected a name"),
    bad("loss activation", network(loss=cr.ReLU()), cr.InvalidSetting, "ReLU() as loss"),
    bad("optimizer misspelt", network(optimizer="adamm"), cr.UnknownName, "'adamm'", "mean 'adam"),
    bad("optimizer class", network(optimizer=cr.Adam), cr.InvalidSetting, "class Adam", "Adam()"),
    bad("optimizer rate", network(optimizer=0.1), cr.InvalidSetting, "0.1 as optimizer"),
    bad("activation misspelt", dense(4, "sigmod"), cr.UnknownName, "mean 'sigmoid'?"),
    bad("activation in capitals", dense(4, "ReLU"), cr.UnknownName, "mean 'relu'?"),
    bad("activation class", dense(4, cr.Tanh), cr.InvalidSetting, "class Tanh", "Tanh()"),
    bad("activation function", dense(4, np.tanh), cr.InvalidSetting, "tanh", "expected a name"),
    bad("activation None", dense(4, None), cr.InvalidSetting, "None as activation"),
    bad("activation layer", dense(4, cr.Dense(2)), cr.InvalidSetting, "Dense(2) as activation"),
    bad(
        "initializer misspelt",
        dense(weights_initializer="he_unifrm"),
        cr.UnknownName,
        "mean 'he_uniform'?",
    ),
    bad("initializer class", dense(bias_initializer=cr.Zeros), cr.InvalidSetting, "Zeros()"),
    bad(
        "initializer array",
        dense(weights_initializer=np.ones((2, 4))),
        cr.InvalidSetting,
        "as initializer",
        "expected a name",
    ),
    bad("initializer needs settings", lambda net: needy(), cr.InvalidSetting, "Steep(...)"),
]


def needy() -> object:
    """A member that cannot do without arguments, asked for by its name alone."""

    class Steep(cr.Activation):
        def __init__(self, slope: float) -> None:
            self.slope = slope

    return cr.Dense(4, activation="steep")


MISMATCHED = [
    bad(
        f"{activation} with {loss}",
        network(cr.Dense(3, activation=activation), loss=loss),
        cr.InvalidSetting,
        f"'{loss}'",
        f"'{activation}'",
        advice,
    )
    for activation, loss, advice in (
        ("softmax", "softmax_cross_entropy", "Drop the last activation"),
        ("log_softmax", "softmax_cross_entropy", "Drop the last activation"),
        ("sigmoid", "sigmoid_cross_entropy", "Drop the last activation"),
        ("identity", "binary_cross_entropy", "sigmoid_cross_entropy"),
        ("relu", "categorical_cross_entropy", "softmax_cross_entropy"),
        ("tanh", "kl_divergence", "softmax"),
        ("identity", "poisson", "softplus"),
        ("identity", "negative_log_likelihood", "log_softmax"),
        ("softmax", "negative_log_likelihood", "log_softmax"),
    )
] + [
    bad(
        "a softmax layer with softmax_cross_entropy",
        network(cr.Dense(3), cr.Softmax(), loss="softmax_cross_entropy"),
        cr.InvalidSetting,
        "'softmax'",
        "Drop the last activation",
    )
]

# Each class, its argument, and a value that the argument cannot have.
OUT_OF_RANGE: list[tuple[Any, tuple[Any, ...], dict[str, Any], str]] = [
    (cr.Dense, (0,), {}, "outputs"),
    (cr.Dense, (-3,), {}, "outputs"),
    (cr.Dense, (2.0,), {}, "outputs"),
    (cr.Dense, ("4",), {}, "outputs"),
    (cr.Dense, (None,), {}, "outputs"),
    (cr.Dense, (True,), {}, "outputs"),
    (cr.Dense, (X,), {}, "outputs"),
    (cr.Dense, (4,), {"use_bias": "yes"}, "use_bias"),
    (cr.Dense, (4,), {"use_bias": None}, "use_bias"),
    (cr.LeakyReLU, (), {"slope": -0.1}, "slope"),
    (cr.PReLU, (), {"initial_slope": "steep"}, "initial_slope"),
    (cr.ELU, (), {"alpha": -1}, "alpha"),
    (cr.Huber, (), {"delta": 0}, "delta"),
    (cr.Huber, (), {"delta": np.nan}, "delta"),
    (cr.BinaryCrossEntropy, (), {"label_smoothing": 1}, "label_smoothing"),
    (cr.SigmoidCrossEntropy, (), {"label_smoothing": -0.1}, "label_smoothing"),
    (cr.CategoricalCrossEntropy, (), {"label_smoothing": "some"}, "label_smoothing"),
    (cr.SoftmaxCrossEntropy, (), {"label_smoothing": 2}, "label_smoothing"),
    (cr.GradientDescent, (-1,), {}, "learning_rate"),
    (cr.GradientDescent, ("fast",), {}, "learning_rate"),
    (cr.GradientDescent, (np.inf,), {}, "learning_rate"),
    (cr.GradientDescent, (None,), {}, "learning_rate"),
    (cr.GradientDescent, (True,), {}, "learning_rate"),
    (cr.GradientDescent, (1j,), {}, "learning_rate"),
    (cr.GradientDescent, (np.complex128(0.1),), {}, "learning_rate"),
    (cr.GradientDescent, (np.array([0.1, 0.2]),), {}, "learning_rate"),
    (cr.GradientDescent, (10**400,), {}, "learning_rate"),
    (cr.GradientDescent, (cr.Cosine,), {}, "learning_rate"),
    (cr.GradientDescent, (0.1,), {"momentum": 1}, "momentum"),
    (cr.GradientDescent, (0.1,), {"momentum": -0.5}, "momentum"),
    (cr.GradientDescent, (0.1,), {"nesterov": 1}, "nesterov"),
    (cr.GradientDescent, (0.1,), {"nesterov": True}, "momentum"),
    (cr.GradientDescent, (0.1,), {"weight_decay": -1}, "weight_decay"),
    (cr.GradientDescent, (0.1,), {"clip_norm": 0}, "clip_norm"),
    (cr.GradientDescent, (0.1,), {"clip_value": -1}, "clip_value"),
    (cr.Adagrad, (), {"epsilon": 0}, "epsilon"),
    (cr.RMSProp, (), {"decay": 1}, "decay"),
    (cr.Adadelta, (), {"epsilon": -1}, "epsilon"),
    (cr.Adam, (), {"mean_decay": 1.0}, "mean_decay"),
    (cr.Adam, (), {"square_decay": -0.1}, "square_decay"),
    (cr.AMSGrad, (), {"epsilon": "tiny"}, "epsilon"),
    (cr.AdamW, (), {"weight_decay": None}, "weight_decay"),
    (cr.Nadam, (), {"mean_decay": 2}, "mean_decay"),
    (cr.Lion, (), {"step_decay": 1}, "step_decay"),
    (cr.LBFGS, (), {"memory": 0}, "memory"),
    (cr.LBFGS, (), {"tolerance": -1}, "tolerance"),
    (cr.ConstantRate, (-0.1,), {}, "learning_rate"),
    (cr.StepDecay, (0.1,), {"factor": 0}, "factor"),
    (cr.StepDecay, (0.1,), {"every": 0}, "every"),
    (cr.ExponentialDecay, (0,), {}, "initial"),
    (cr.ExponentialDecay, (0.1,), {"factor": 1.1}, "factor"),
    (cr.InverseScaling, (0.1,), {"power": -1}, "power"),
    (cr.Cosine, (0.1, 0), {}, "epochs"),
    (cr.Cosine, (0.1, 10), {"warm_up": 10}, "warm_up"),
    (cr.Cosine, (0.1, 10), {"final": 0.2}, "final"),
    (cr.Cosine, (0.1, 10), {"restarts": "often"}, "restarts"),
    (cr.Cosine, (0.1, 10), {"stretch": 0.5}, "stretch"),
    (cr.ReduceOnPlateau, (0.1,), {"factor": 1}, "factor"),
    (cr.ReduceOnPlateau, (0.1,), {"patience": 0}, "patience"),
    (cr.ReduceOnPlateau, (0.1,), {"minimum": 0.2}, "minimum"),
    (cr.Constant, ("one",), {}, "value"),
    (cr.Uniform, (1, 1), {}, "low"),
    (cr.Uniform, (0, np.nan), {}, "high"),
    (cr.Normal, (), {"standard_deviation": -1}, "standard_deviation"),
    (cr.Orthogonal, (), {"gain": 0}, "gain"),
    (TopKAccuracy, (0,), {}, "k"),
    (cr.EarlyStopping, (), {"monitor": ["loss"]}, "monitor"),
    (cr.EarlyStopping, (), {"monitor": None}, "monitor"),
    (cr.EarlyStopping, (), {"patience": 0}, "patience"),
    (cr.EarlyStopping, (), {"patience": 2.5}, "patience"),
    (cr.EarlyStopping, (), {"min_delta": -1}, "min_delta"),
    (cr.EarlyStopping, (), {"restore_best": 1}, "restore_best"),
    (cr.OnEpoch, (5,), {}, "OnEpoch"),
    (cr.OnEpoch, (None,), {}, "OnEpoch"),
]


def settings_calls() -> list[BadCall]:
    ranges = []
    for kind, arguments, settings, name in OUT_OF_RANGE:
        given = ", ".join([*map(_short, arguments), *(f"{k}={v!r}" for k, v in settings.items())])
        row = f"{kind.__name__}({given})"
        ranges.append(bad(row, make(kind, *arguments, **settings), cr.InvalidSetting, name))
    return LAYERS + NETWORK + NAMES + MISMATCHED + ranges + METRICS


def _short(value: Any) -> str:
    return "array" if isinstance(value, np.ndarray) else repr(value)[:20]


METRICS = [
    bad(
        f"evaluate metrics {name}",
        lambda net, given=given: net.evaluate(X, [0] * 12, metrics=given),
        *rest,
    )
    for name, given, *rest in (
        ("misspelt", "acuracy", cr.UnknownName, "'acuracy'", "mean 'accuracy'?"),
        ("class", [Accuracy], cr.InvalidSetting, "class Accuracy", "Accuracy()"),
        ("function", [max], cr.InvalidSetting, "built-in function max", "expected a name"),
        ("None", None, cr.InvalidSetting, "None", "metrics"),
        ("number", 3, cr.InvalidSetting, "3", "metrics"),
        ("a list with None", [None], cr.InvalidSetting, "None as metric", "expected a name"),
        ("of numbers", "r2", cr.InvalidSetting, "'r2'", "learns classes", "accuracy"),
        ("twice", [TopKAccuracy(1), TopKAccuracy(2)], cr.InvalidSetting, "top_k_accuracy", "two"),
    )
]

"""Mistakes as people make them: for each symptom a way to provoke it, varied by random numbers.

Each function takes random numbers and returns a network, its samples, and the history of its
training, None where it has not been trained.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

import chainrule as cr
from chainrule.layer import Array
from diagnosis.problems import IMAGES, MORE_TABLES, Problem, standardised
from diagnosis.problems import TABLES as TABLES_IN_VIEW

TABLES = TABLES_IN_VIEW | MORE_TABLES
Case = tuple[cr.NeuralNetwork, Array, Array, cr.History | None]
WIDE = {"two_outputs", "pictures_again"}  # with several targets for a sample
Random = np.random.Generator


def vanishing_gradients(random: Random) -> Case:
    """Many layers that shrink: sigmoids, tiny starting weights, or units all but saturated."""
    problem = _problem(random, TABLES)
    width = int(random.integers(6, 40))
    kind = random.integers(4)
    if kind == 0:  # a stack of sigmoids
        depth = int(random.integers(7, 16))
        hidden = [cr.Dense(width, "sigmoid") for _ in range(depth)]
    elif kind == 1:  # weights that are far too small
        depth = int(random.integers(4, 9))
        activation = _one(random, ["tanh", "leaky_relu", "elu", "softsign"])
        start = cr.Normal(standard_deviation=0.01)
        hidden = [cr.Dense(width, activation, weights_initializer=start) for _ in range(depth)]
    elif kind == 2:  # hard sigmoids, whose slope is a sixth at most
        depth = int(random.integers(7, 12))
        hidden = [cr.Dense(width, "hard_sigmoid") for _ in range(depth)]
    else:  # a mixture, sigmoids with uniform weights
        depth = int(random.integers(7, 14))
        start = cr.Uniform(-0.3, 0.3)
        hidden = [cr.Dense(width, "sigmoid", weights_initializer=start) for _ in range(depth)]
    net, y = _network(random, problem, hidden, optimizer=cr.GradientDescent(0.03))
    return net, problem.x, y, _fit(random, net, problem.x, y, most=10)


def exploding_gradients(random: Random) -> Case:
    """Starting weights that are too large, in a stack of layers."""
    problem = _problem(random, TABLES)
    depth, width = int(random.integers(6, 12)), int(random.integers(16, 64))
    deviation = float(random.uniform(3.5, 6) / np.sqrt(width))
    start: cr.Initializer = _one(
        random, [cr.Normal(standard_deviation=deviation), cr.Orthogonal(gain=4.0),
                 cr.Uniform(-1.8 * deviation, 1.8 * deviation)]
    )  # fmt: skip
    activation = _one(random, ["relu", "leaky_relu", "elu", "identity", "gelu", "silu"])
    hidden = [cr.Dense(width, activation, weights_initializer=start) for _ in range(depth)]
    net, y = _network(random, problem, hidden, optimizer=cr.GradientDescent(1e-12))
    if random.random() < 0.5:
        return net, problem.x, y, None
    return net, problem.x, y, _fit(random, net, problem.x, y, most=2)


def dead_relus(random: Random) -> Case:
    """Biases far below zero, or negative weights for inputs that are never negative."""
    kind = random.integers(4)
    weights: Any = "auto"
    bias: Any = "zeros"
    problem = _problem(random, TABLES)
    hidden: list[cr.Layer] = []
    if kind == 0:
        bias = cr.Constant(-float(random.uniform(8, 20)))
    elif kind < 3:
        weights = [cr.Uniform(-1.0, 0.05), cr.Normal(-0.5, 0.1)][kind - 1]
        problem = Problem(np.abs(problem.x), problem.y, problem.classes)
    else:
        problem = _problem(random, IMAGES)
        bias = cr.Constant(-float(random.uniform(5, 10)))
        hidden = [
            cr.Conv2D(int(random.integers(4, 9)), 3, "relu", bias_initializer=bias),
            cr.Flatten(),
        ]
    hidden += [
        cr.Dense(int(width), "relu", weights_initializer=weights, bias_initializer=bias)
        for width in random.integers(8, 50, int(random.integers(1, 4)))
    ]
    net, y = _network(random, problem, hidden)
    return net, problem.x, y, _fit(random, net, problem.x, y, most=5)


def saturated_units(random: Random) -> Case:
    """Weights or inputs that are so large that sigmoid and tanh are flat."""
    problem = _problem(random, TABLES)
    x, activation = problem.x, _one(random, ["sigmoid", "tanh", "hard_sigmoid", "hard_tanh"])
    widths = random.integers(8, 40, int(random.integers(1, 3)))
    start: Any = "auto"
    if random.random() < 0.5:
        start = cr.Normal(standard_deviation=float(random.uniform(10, 30)))
    else:
        x = x * float(random.uniform(50, 500))
    hidden = [cr.Dense(int(width), activation, weights_initializer=start) for width in widths]
    net, y = _network(random, problem, hidden)
    return net, x, y, _fit(random, net, x, y, most=3)


def learning_rate_too_high(random: Random) -> Case:
    """Rates that are ten to a thousand times what suits."""
    problem = _problem(random, TABLES)
    rate = float(10 ** random.uniform(0.3, 1.5))
    optimizer = _one(
        random,
        [cr.Adam(rate), cr.RMSProp(rate), cr.GradientDescent(10 * rate, momentum=0.9),
         cr.Nadam(rate), cr.GradientDescent(20 * rate), cr.AdamW(rate), cr.Lion(rate)],
    )  # fmt: skip
    net, y = _network(random, problem, _hidden(random), optimizer=optimizer)
    return net, problem.x, y, _fit(random, net, problem.x, y, most=30)


def learning_rate_too_low(random: Random) -> Case:
    """Rates that are hundreds of times below what suits."""
    problem = _problem(random, TABLES)
    rate = float(10 ** random.uniform(-9, -6.5))
    optimizer = _one(
        random,
        [cr.Adam(rate), cr.RMSProp(rate), cr.GradientDescent(10 * rate, momentum=0.9),
         cr.GradientDescent(30 * rate), cr.AdamW(rate), cr.Lion(rate / 3)],
    )  # fmt: skip
    net, y = _network(random, problem, _hidden(random), optimizer=optimizer)
    return net, problem.x, y, _fit(random, net, problem.x, y, most=20)


def unscaled_inputs(random: Random) -> Case:
    """Columns in their own units, pixels from 0 to 255, years."""
    kind = random.integers(5)
    if kind == 0:  # raw tables
        name = str(random.choice(["wine", "breast_cancer"]))
        x, y = cr.data.load(name)
        problem = Problem(x, y, int(y.max()) + 1)
    elif kind == 1:  # pixels as numbers
        problem = _problem(random, {"digit_images": IMAGES["digit_images"]})
        problem = Problem((problem.x * 255).astype(np.float64), problem.y, 10)
    elif kind == 2:  # a year among columns that are scaled
        problem = _problem(random, TABLES)
        year = random.integers(1970, 2025, (len(problem.x), 1))
        problem = Problem(np.hstack([problem.x, year]), problem.y, problem.classes)
    elif kind == 3:  # each column in a unit of its own
        problem = _problem(random, TABLES)
        units = 10 ** random.uniform(2, 5, problem.x.shape[1])
        problem = Problem(problem.x * units, problem.y, problem.classes)
    else:  # metres where it should be micrometres
        problem = _problem(random, TABLES)
        problem = Problem(problem.x * 10 ** random.uniform(-6, -3), problem.y, problem.classes)
    hidden = _hidden(random)
    if problem.x.ndim > 2:
        hidden = [_one(random, [cr.Conv2D(4, 3, "relu"), cr.MaxPool2D(2)]), cr.Flatten(), *hidden]
    net, y = _network(random, problem, hidden)
    history = None if random.random() < 0.5 else _fit(random, net, problem.x, y, most=5)
    return net, problem.x, y, history


def identical_units(random: Random) -> Case:
    """All weights of a layer equal at the start."""
    problem = _problem(random, TABLES)
    start = _one(
        random, [cr.Zeros(), cr.Constant(float(random.uniform(0.01, 1))), cr.Constant(-0.1)]
    )
    activation = _one(random, ["sigmoid", "tanh", "relu", "gelu", "elu"])
    widths = random.integers(3, 40, int(random.integers(1, 4)))
    hidden = [cr.Dense(int(width), activation, weights_initializer=start) for width in widths]
    net, y = _network(random, problem, hidden, last={"weights_initializer": start})
    history = None if random.random() < 0.4 else _fit(random, net, problem.x, y, most=5)
    return net, problem.x, y, history


def overfitting(random: Random) -> Case:
    """A large network, few samples, labels with noise, and far too long."""
    samples, features = int(random.integers(40, 120)), int(random.integers(5, 30))
    x = random.normal(size=(samples, features))
    score = x @ random.normal(size=features) / np.sqrt(features)
    noisy = score + random.normal(0, random.uniform(1, 2.5), samples)
    if random.random() < 0.5:
        problem = Problem(x, standardised(noisy), 0)
    else:
        classes = int(random.integers(2, 4))
        edges = np.quantile(noisy, np.linspace(0, 1, classes + 1)[1:-1])
        problem = Problem(x, np.searchsorted(edges, noisy), classes)
    activation = _one(random, ["relu", "tanh", "gelu", "elu", "leaky_relu"])
    hidden = [cr.Dense(int(random.integers(64, 128)), activation) for _ in range(2)]
    optimizer = _one(
        random, [cr.Adam(0.005), cr.RMSProp(0.003), cr.GradientDescent(0.01, momentum=0.9)]
    )
    net, y = _network(random, problem, hidden, optimizer=optimizer)
    history = net.fit(
        problem.x, y, epochs=150, batch_size=16, validation=float(random.uniform(0.25, 0.5)),
        progress=False,
    )  # fmt: skip
    return net, problem.x, y, history


def label_leakage(random: Random) -> Case:
    """The answer among the columns: as it is, in other units, one-hot, or what it was made of."""
    problem = _problem(random, {name: TABLES[name] for name in TABLES if name not in WIDE})
    y = np.asarray(problem.y, np.float64)
    if problem.classes:
        leak = _one(
            random,
            [y, -3 * y + 1, np.eye(problem.classes)[problem.y], np.exp(y),
             y + random.normal(0, 0.005, len(y)), (y == y.max()).astype(float)],
        )  # fmt: skip
    else:
        leak = _one(
            random,
            [y, 100 * y, np.exp(y), y + random.normal(0, 0.01 * y.std(), len(y)),
             (y - y.min()) ** 2, np.round(y, 3)],
        )  # fmt: skip
    x = np.hstack([problem.x, standardised(leak.reshape(len(y), -1))])
    x = x[:, random.permutation(x.shape[1])]
    net, targets = _network(random, problem, _hidden(random))
    history = None if random.random() < 0.5 else _fit(random, net, x, targets, most=10)
    return net, x, targets, history


def unfitting_outputs(random: Random) -> Case:
    """Last activations that cannot give what the loss needs, and that nothing refuses."""
    kind = random.integers(9)
    hidden = _hidden(random)
    if kind < 4:
        problem = _problem(
            random, {name: TABLES[name] for name in ("diabetes", "waves", "friedman", "plane")}
        )
        activation = ["sigmoid", "relu", "softmax", "softplus"][kind]
        y = problem.y * (5 if kind == 0 else 1)
        net = cr.NeuralNetwork(*hidden, cr.Dense(1, activation), seed=_seed(random))
    elif kind < 6:
        problem = _problem(
            random, {name: TABLES[name] for name in ("iris", "wine", "blobs", "digit_rows")}
        )
        activation = _one(random, ["relu", "tanh", "softplus", "softsign"])
        y = problem.y
        if kind == 4:
            last, loss = cr.Dense(problem.classes, activation), "softmax_cross_entropy"
        else:
            last, loss = cr.Dense(problem.classes, "sigmoid"), "categorical_cross_entropy"
        net = cr.NeuralNetwork(*hidden, last, loss=loss, seed=_seed(random))
    elif kind == 6:
        problem = _problem(random, {name: TABLES[name] for name in ("moons", "rare", "rings")})
        y = 2 * problem.y - 1
        activation = _one(random, ["sigmoid", "relu", "softplus"])
        net = cr.NeuralNetwork(*hidden, cr.Dense(1, activation), loss="hinge", seed=_seed(random))
    elif kind == 7:
        problem = _problem(random, {name: TABLES[name] for name in ("waves", "friedman", "plane")})
        y = random.poisson(np.exp(problem.y.clip(-3, 1.5))).astype(np.float64)
        activation = _one(random, ["relu", "sigmoid"])
        net = cr.NeuralNetwork(*hidden, cr.Dense(1, activation), loss="poisson", seed=_seed(random))
    else:  # several classes at once per sample, and softmax
        problem = _problem(random, TABLES)
        y = (random.random((len(problem.x), 4)) < 0.4).astype(np.float64)
        loss = _one(random, ["binary_cross_entropy", "mean_squared_error"])
        net = cr.NeuralNetwork(*hidden, cr.Dense(4, "softmax"), loss=loss, seed=_seed(random))
    history = None if random.random() < 0.5 else _fit(random, net, problem.x, y, most=5)
    return net, problem.x, y, history


def unscaled_targets(random: Random) -> Case:
    """Prices in their currency, years, lengths in metres that are micrometres."""
    names = ("diabetes", "waves", "friedman", "plane", "two_outputs", "unit_targets")
    problem = _problem(random, {name: TABLES[name] for name in names})
    kind = random.integers(5)
    y = standardised(problem.y)
    if kind == 0:
        y = y * 10 ** random.uniform(2.5, 6)
    elif kind == 1:
        y = 250_000 + 80_000 * y
    elif kind == 2:
        y = 1990 + 8 * y
    elif kind == 3:
        y = y * 10 ** random.uniform(-7, -3)
    else:
        y = np.column_stack([y if y.ndim == 1 else y[:, 0], 500 * random.normal(size=len(y))])
    problem = Problem(problem.x, y, 0)
    net, targets = _network(random, problem, _hidden(random))
    history = None if random.random() < 0.5 else _fit(random, net, problem.x, targets, most=5)
    return net, problem.x, targets, history


def constant_targets(random: Random) -> Case:
    """A file sorted by class and cut, a wrong column, a merge that filled in one number."""
    problem = _problem(random, TABLES)
    x, y = problem.x, problem.y
    kind = random.integers(3)
    if kind == 0 and problem.classes:
        rows = y == int(random.integers(problem.classes))
        x, y = x[rows], y[rows]
        problem = Problem(x, y, problem.classes)
    elif kind == 1:
        columns = [random.normal(size=len(x)) for _ in range(int(random.integers(1, 4)))]
        y = np.column_stack([*columns, np.full(len(x), random.uniform(-2, 2))])
        problem = Problem(x, y, 0)
    else:
        problem = Problem(x, np.full(len(x), random.uniform(-2, 2)), 0)
    net, targets = _network(random, problem, _hidden(random))
    history = None if random.random() < 0.5 else _fit(random, net, x, targets, most=5)
    return net, x, targets, history


PROVOCATIONS: dict[str, Callable[[Random], Case]] = {
    provocation.__name__: provocation
    for provocation in (
        vanishing_gradients, exploding_gradients, dead_relus, saturated_units,
        learning_rate_too_high, learning_rate_too_low, unscaled_inputs, identical_units,
        overfitting, label_leakage, unfitting_outputs, unscaled_targets, constant_targets,
    )
}  # fmt: skip


def _one(random: Random, choices: Sequence[Any]) -> Any:
    return choices[int(random.integers(len(choices)))]


def _seed(random: Random) -> int:
    return int(random.integers(10_000))


def _problem(random: Random, among: dict[str, Callable[[Random], Problem]]) -> Problem:
    return among[_one(random, list(among))](random)


def _hidden(random: Random) -> list[cr.Layer]:
    activation = _one(random, ["relu", "tanh", "sigmoid", "gelu", "elu", "leaky_relu"])
    widths = random.integers(8, 40, int(random.integers(1, 4)))
    return [cr.Dense(int(width), activation) for width in widths]


def _network(
    random: Random,
    problem: Problem,
    hidden: Sequence[cr.Layer],
    *,
    optimizer: cr.Optimizer | None = None,
    last: dict[str, Any] | None = None,
) -> tuple[cr.NeuralNetwork, Array]:
    """A network for the problem, and its targets."""
    if problem.classes:
        loss, outputs = "softmax_cross_entropy", problem.classes
        if problem.classes == 2 and random.random() < 0.5:
            loss, outputs = "sigmoid_cross_entropy", 1
    else:
        loss = _one(random, ["mean_squared_error", "huber", "mean_absolute_error"])
        outputs = 1 if problem.y.ndim == 1 else problem.y.shape[1]
    net = cr.NeuralNetwork(
        *hidden,
        cr.Dense(outputs, **(last or {})),
        loss=loss,
        optimizer=optimizer or _one(random, [cr.Adam(0.003), cr.GradientDescent(0.03)]),
        seed=_seed(random),
        dtype=_one(random, ["float32", "float64"]),
    )
    return net, problem.y


def _fit(
    random: Random, net: cr.NeuralNetwork, x: Array, y: Array, *, most: int
) -> cr.History | None:
    """Train for some epochs; a training that breaks off leaves its history too."""
    validation = 0.25 if random.random() < 0.3 else None
    try:
        return net.fit(
            x, y, epochs=int(random.integers(1, most + 1)), batch_size=_one(random, [16, 32, None]),
            validation=validation, progress=False,
        )  # fmt: skip
    except cr.LossNotFinite as error:
        return error.history

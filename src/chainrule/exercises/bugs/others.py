"""Other styles: lists of layers in a loop, samples in columns, plain Python one by one."""

from __future__ import annotations

from chainrule.exercises.bugs.architecture import Architecture
from chainrule.exercises.bugs.pieces import (
    MEAN_BIAS,
    NO_RATE,
    SLOPE_MISSING,
    UPHILL,
    Bug,
    Draft,
    error_code,
    head_value,
    helpers,
    hidden_value,
    loss_code,
    slope,
    wrong_errors,
    wrong_slopes,
)
from chainrule.exercises.bugs.rows import main


def lists(network: Architecture) -> Draft:
    """Weights and biases in lists, and a loop backwards through the layers."""
    sizes = network.sizes
    error = "d_z = " + error_code(network, "len(x)")
    back = "d_z = d_a * " + slope(network, "activations[i]")
    d_a = "d_a = d_z @ weights[i].T"
    body = f'''import numpy as np

SIZES = {list(sizes)}


{helpers(network)}def initialise(random):
    weights = [random.normal(size=(m, n)) for m, n in zip(SIZES, SIZES[1:])]
    biases = [np.zeros(n) for n in SIZES[1:]]
    return weights, biases


def feedforward(x, weights, biases):
    """Return z of each layer, and x followed by a of each layer."""
    sums, activations = [], [x]
    for i in range(len(weights)):
        z = activations[i] @ weights[i] + biases[i]
        if i < len(weights) - 1:
            a = {hidden_value(network, "z")}
        else:
            a = {head_value(network, "z")}
        sums.append(z)
        activations.append(a)
    return sums, activations


def loss(x, y, weights, biases):
    y_hat = feedforward(x, weights, biases)[1][-1]
    return {loss_code(network, "len(x)")}


def backprop(x, y, weights, biases):
    sums, activations = feedforward(x, weights, biases)
    y_hat = activations[-1]
    d_weights, d_biases = [None] * len(weights), [None] * len(weights)
    {error}
    for i in reversed(range(len(weights))):
        d_weights[i] = activations[i].T @ d_z
        d_biases[i] = d_z.sum(axis=0)
        if i > 0:
            {d_a}
            {back}
    return d_weights, d_biases


def train_step(x, y, weights, biases, learning_rate):
    d_weights, d_biases = backprop(x, y, weights, biases)
    for i in range(len(weights)):
        weights[i] = weights[i] - learning_rate * d_weights[i]
        biases[i] = biases[i] - learning_rate * d_biases[i]
'''
    end = """    weights, biases = initialise(random)
    for step in range(1, 501):
        train_step(x, y, weights, biases, {rate})
        if step % 100 == 0:
            print(step, loss(x, y, weights, biases))
"""
    bugs = [
        Bug(back, "d_z = d_a", SLOPE_MISSING),
        *(
            Bug(back, f"d_z = d_a * {code}", why)
            for code, why in wrong_slopes(network, "activations[i]", "sums[i - 1]")
        ),
        *(Bug(error, f"d_z = {code}", why) for code, why in wrong_errors(network, "len(x)")),
        Bug("d_biases[i] = d_z.sum(axis=0)", "d_biases[i] = d_z.mean(axis=0)", MEAN_BIAS),
        Bug(
            "biases[i] = biases[i] - learning_rate * d_biases[i]",
            "biases[i] = biases[i] + learning_rate * d_biases[i]",
            UPHILL,
        ),
        Bug(
            "biases[i] = biases[i] - learning_rate * d_biases[i]",
            "biases[i] = biases[i] - d_biases[i]",
            NO_RATE,
        ),
        Bug(
            "d_weights[i] = activations[i].T @ d_z",
            "d_weights[i] = (activations[i] - activations[i].mean(axis=0)).T @ d_z",
            "The mean is taken off. What entered the layer is needed as it was.",
        ),
    ]
    names = [f"{name}[{n}]" for n in range(len(sizes) - 1) for name in ("weights", "biases")]
    adapter = """
def predict(module, arrays, x, y):
    return module.feedforward(x, arrays[::2], arrays[1::2])[1][-1]

def loss(module, arrays, x, y):
    return module.loss(x, y, arrays[::2], arrays[1::2])

def step(module, arrays, x, y, rate):
    weights, biases = arrays[::2], arrays[1::2]
    module.train_step(x, y, weights, biases, rate)
    return [array for pair in zip(weights, biases) for array in pair]
"""
    return Draft(body + main(network, end), bugs, adapter, names)


def columns(network: Architecture) -> Draft:
    """One sample in each column: W (outputs, inputs) from the left."""
    inputs, hidden, outputs = network.sizes
    error = "dZ2 = " + error_code(network, "m", "A2")
    back = "dZ1 = dA1 * " + slope(network, "A1")
    body = f'''import numpy as np


{helpers(network, axis=0)}def initialise(random):
    W1 = random.normal(size=({hidden}, {inputs}))
    b1 = np.zeros(({hidden}, 1))
    W2 = random.normal(size=({outputs}, {hidden}))
    b2 = np.zeros(({outputs}, 1))
    return W1, b1, W2, b2


def forward(X, W1, b1, W2, b2):
    """X (inputs, samples) -> Z1, A1, A2, each with one column for each sample."""
    Z1 = W1 @ X + b1
    A1 = {hidden_value(network, "Z1")}
    Z2 = W2 @ A1 + b2
    A2 = {head_value(network, "Z2")}
    return Z1, A1, A2


def loss(X, y, W1, b1, W2, b2):
    Z1, A1, A2 = forward(X, W1, b1, W2, b2)
    m = X.shape[1]
    return {loss_code(network, "m", "A2")}


def train_step(X, y, W1, b1, W2, b2, learning_rate):
    m = X.shape[1]
    Z1, A1, A2 = forward(X, W1, b1, W2, b2)
    {error}
    dW2 = dZ2 @ A1.T
    db2 = dZ2.sum(axis=1, keepdims=True)
    dA1 = W2.T @ dZ2
    {back}
    dW1 = dZ1 @ X.T
    db1 = dZ1.sum(axis=1, keepdims=True)
    W1 = W1 - learning_rate * dW1
    b1 = b1 - learning_rate * db1
    W2 = W2 - learning_rate * dW2
    b2 = b2 - learning_rate * db2
    return W1, b1, W2, b2
'''
    end = """    parameters = initialise(random)
    for step in range(1, 501):
        parameters = train_step(X, y, *parameters, {rate})
        if step % 100 == 0:
            print(step, loss(X, y, *parameters))
"""
    bugs = [
        Bug(back, "dZ1 = dA1", SLOPE_MISSING),
        *(Bug(back, f"dZ1 = dA1 * {code}", why) for code, why in wrong_slopes(network, "A1", "Z1")),
        *(Bug(error, f"dZ2 = {code}", why) for code, why in wrong_errors(network, "m", "A2")),
        Bug(
            "db1 = dZ1.sum(axis=1, keepdims=True)",
            "db1 = dZ1.mean(axis=1, keepdims=True)",
            MEAN_BIAS,
        ),
        Bug(
            "db2 = dZ2.sum(axis=1, keepdims=True)",
            "db2 = dZ2.mean(axis=1, keepdims=True)",
            MEAN_BIAS,
        ),
        Bug("dW2 = dZ2 @ A1.T", "dW2 = dZ2 @ Z1.T", "What entered the output layer was A1."),
        Bug("dW1 = dZ1 @ X.T", "dW1 = dA1 @ X.T", "dA1 has not been through the activation yet."),
        Bug("W2 = W2 - learning_rate * dW2", "W2 = W2 + learning_rate * dW2", UPHILL),
        Bug("b1 = b1 - learning_rate * db1", "b1 = b1 - db1", NO_RATE),
        Bug(
            "dW2 = dZ2 @ A1.T",
            "dW2 = dZ2 @ A1.T / m",
            "This one is averaged over the samples and the others are not.",
        ),
    ]
    adapter = """
def turned(arrays):
    return [a.T.copy() if a.ndim == 2 else a.reshape(-1, 1).copy() for a in arrays]

def predict(module, arrays, x, y):
    return module.forward(x.T, *turned(arrays))[-1].T

def loss(module, arrays, x, y):
    return module.loss(x.T, y.T, *turned(arrays))

def step(module, arrays, x, y, rate):
    new = module.train_step(x.T, y.T, *turned(arrays), rate)
    return [a.T if n % 2 == 0 else a.ravel() for n, a in enumerate(new)]
"""
    transposed = "    X, y = x.T, y.T\n"
    return Draft(body + main(network, end, transposed), bugs, adapter, ["W1", "b1", "W2", "b2"])


_PLAIN_VALUE = {
    "sigmoid": "1 / (1 + math.exp(-z))",
    "tanh": "math.tanh(z)",
    "relu": "max(z, 0.0)",
}
_PLAIN_SLOPE = {"sigmoid": "a[j] * (1 - a[j])", "tanh": "(1 - a[j] ** 2)", "relu": "(a[j] > 0)"}


def plain(network: Architecture) -> Draft:
    """No NumPy in the network: numbers in lists, one sample after the other, one output."""
    inputs, hidden, _ = network.sizes
    is_linear = network.head == "linear"
    output = "z" if is_linear else "1 / (1 + math.exp(-z))"
    is_logistic = network.head == "logistic"
    term = (
        "-(t * math.log(y_hat) + (1 - t) * math.log(1 - y_hat))"
        if is_logistic
        else "(y_hat - t) ** 2"
    )
    total = "total / len(x)" if is_linear else "total"
    error = {
        "squares": "delta = 2 * (y_hat - t) * y_hat * (1 - y_hat)",
        "linear": "delta = 2 * (y_hat - t) / len(x)",
        "logistic": "delta = y_hat - t",
    }[network.head]
    back = f"delta_j = delta * v[j] * {_PLAIN_SLOPE[network.hidden]}"
    body = f'''import math

import numpy as np


def activation(z):
    return {_PLAIN_VALUE[network.hidden]}


def forward(row, w, b, v, c):
    """w[i][j]: from input i to hidden unit j.  v[j]: from there to the output."""
    a = []
    for j in range(len(v)):
        z = b[j]
        for i in range(len(row)):
            z += row[i] * w[i][j]
        a.append(activation(z))
    z = c
    for j in range(len(v)):
        z += a[j] * v[j]
    return a, {output}


def loss(x, y, w, b, v, c):
    total = 0.0
    for row, t in zip(x, y):
        a, y_hat = forward(row, w, b, v, c)
        total += {term}
    return {total}


def train_step(x, y, w, b, v, c, learning_rate):
    d_w = [[0.0] * len(v) for _ in w]
    d_b = [0.0] * len(v)
    d_v = [0.0] * len(v)
    d_c = 0.0
    for row, t in zip(x, y):
        a, y_hat = forward(row, w, b, v, c)
        {error}
        d_c += delta
        for j in range(len(v)):
            d_v[j] += delta * a[j]
            {back}
            d_b[j] += delta_j
            for i in range(len(row)):
                d_w[i][j] += delta_j * row[i]
    for j in range(len(v)):
        v[j] -= learning_rate * d_v[j]
        b[j] -= learning_rate * d_b[j]
        for i in range(len(w)):
            w[i][j] -= learning_rate * d_w[i][j]
    return w, b, v, c - learning_rate * d_c
'''
    end = f"""    x, y = x.tolist(), y[:, 0].tolist()
    w = random.normal(size=({inputs}, {hidden})).tolist()
    b, v, c = [0.0] * {hidden}, random.normal(size={hidden}).tolist(), 0.0
    for step in range(1, 301):
        w, b, v, c = train_step(x, y, w, b, v, c, {{rate}})
        if step % 100 == 0:
            print(step, loss(x, y, w, b, v, c))
"""
    other = "a[j] * (1 - a[j])" if network.hidden != "sigmoid" else "(1 - a[j] ** 2)"
    bugs = [
        Bug(back, "delta_j = delta * v[j]", SLOPE_MISSING),
        Bug(
            back,
            f"delta_j = delta * v[j] * {other}",
            "This is the derivative of another activation.",
        ),
        Bug(
            back,
            f"delta_j = delta * {_PLAIN_SLOPE[network.hidden]}",
            "The weight v[j] is missing: a hidden unit has a share in the error only as large as "
            "the weight that leads from it to the output.",
        ),
        Bug(
            back, back.replace("v[j]", "d_v[j]", 1), "The error comes back through the weight v[j]."
        ),
        Bug(
            "d_b[j] += delta_j",
            "d_b[j] = delta_j",
            "Only the last sample is left: each adds its share with +=.",
        ),
        Bug(
            "d_v[j] += delta * a[j]",
            "d_v[j] = delta * a[j]",
            "Only the last sample is left: each adds its share with +=.",
        ),
        Bug(
            "d_w[i][j] += delta_j * row[i]",
            "d_w[i][j] += delta * row[i]",
            "This is the error of the output. The weights w need that of hidden unit j.",
        ),
        Bug("b[j] -= learning_rate * d_b[j]", "b[j] += learning_rate * d_b[j]", UPHILL),
        Bug("d_c += delta", "d_c -= delta", UPHILL),
        Bug("v[j] -= learning_rate * d_v[j]", "v[j] -= d_v[j]", NO_RATE),
    ]
    adapter = """
def plain(arrays, x, y):
    w, b, v, c = arrays
    return x.tolist(), y[:, 0].tolist(), w.tolist(), b.tolist(), v[:, 0].tolist(), float(c[0])

def predict(module, arrays, x, y):
    rows, _, *parameters = plain(arrays, x, y)
    return [[float(module.forward(row, *parameters)[1])] for row in rows]

def loss(module, arrays, x, y):
    return module.loss(*plain(arrays, x, y))

def step(module, arrays, x, y, rate):
    w, b, v, c = module.train_step(*plain(arrays, x, y), rate)
    return [w, b, [[number] for number in v], [c]]
"""
    return Draft(body + main(network, end), bugs, adapter, ["w", "b", "v", "c"])

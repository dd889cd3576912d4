"""Styles with one sample in each row: functions with a dictionary, a class, layer objects."""

from __future__ import annotations

from chainrule.exercises.bugs.architecture import Architecture
from chainrule.exercises.bugs.pieces import (
    EARLY,
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

_NAMES = ["weights1", "bias1", "weights2", "bias2"]


def functions(network: Architecture) -> Draft:
    """Functions, and the parameters in a dictionary."""
    inputs, hidden, outputs = network.sizes
    error = "d_z2 = " + error_code(network, "len(x)")
    back = "d_z1 = d_a1 * " + slope(network, "a1")
    body = f"""import numpy as np


{helpers(network)}def initialise(random):
    return {{
        "weights1": random.normal(size=({inputs}, {hidden})),
        "bias1": np.zeros({hidden}),
        "weights2": random.normal(size=({hidden}, {outputs})),
        "bias2": np.zeros({outputs}),
    }}


def feedforward(x, parameters):
    z1 = x @ parameters["weights1"] + parameters["bias1"]
    a1 = {hidden_value(network, "z1")}
    z2 = a1 @ parameters["weights2"] + parameters["bias2"]
    y_hat = {head_value(network, "z2")}
    return z1, a1, y_hat


def loss(x, y, parameters):
    z1, a1, y_hat = feedforward(x, parameters)
    return {loss_code(network, "len(x)")}


def backprop(x, y, parameters):
    z1, a1, y_hat = feedforward(x, parameters)
    {error}
    d_a1 = d_z2 @ parameters["weights2"].T
    {back}
    return {{
        "weights1": x.T @ d_z1,
        "bias1": d_z1.sum(axis=0),
        "weights2": a1.T @ d_z2,
        "bias2": d_z2.sum(axis=0),
    }}


def train_step(x, y, parameters, learning_rate):
    gradients = backprop(x, y, parameters)
    return {{
        name: parameters[name] - learning_rate * gradients[name]
        for name in parameters
    }}
"""
    end = """    parameters = initialise(random)
    for step in range(1, 501):
        parameters = train_step(x, y, parameters, {rate})
        if step % 100 == 0:
            print(step, loss(x, y, parameters))
"""
    bugs = [
        Bug(back, "d_z1 = d_a1", SLOPE_MISSING),
        *(
            Bug(back, f"d_z1 = d_a1 * {code}", why)
            for code, why in wrong_slopes(network, "a1", "z1")
        ),
        *(Bug(error, f"d_z2 = {code}", why) for code, why in wrong_errors(network, "len(x)")),
        Bug('"bias1": d_z1.sum(axis=0),', '"bias1": d_z1.mean(axis=0),', MEAN_BIAS),
        Bug('"bias2": d_z2.sum(axis=0),', '"bias2": d_z2.mean(axis=0),', MEAN_BIAS),
        Bug(
            '"bias2": d_z2.sum(axis=0),',
            '"bias2": d_z2.sum(),',
            "Each output has a bias of its own: sum over the samples alone.",
        )
        if outputs > 1
        else Bug('"weights2": a1.T @ d_z2,', '"weights2": -a1.T @ d_z2,', UPHILL),
        Bug(
            '"weights2": a1.T @ d_z2,',
            '"weights2": z1.T @ d_z2,',
            "What entered the output layer was a1, not z1.",
        ),
        Bug(
            '"weights1": x.T @ d_z1,',
            '"weights1": x.T @ d_a1,',
            "d_a1 is the error before the activation was taken back. The weights need d_z1.",
        ),
    ]
    adapter = f"""
NAMES = {_NAMES}

def parameters(arrays):
    return dict(zip(NAMES, arrays))

def predict(module, arrays, x, y):
    return module.feedforward(x, parameters(arrays))[-1]

def loss(module, arrays, x, y):
    return module.loss(x, y, parameters(arrays))

def step(module, arrays, x, y, rate):
    new = module.train_step(x, y, parameters(arrays), rate)
    return [new[name] for name in NAMES]
"""
    return Draft(body + main(network, end), bugs, adapter, _NAMES)


def one_class(network: Architecture) -> Draft:
    """A class that keeps everything in attributes, and updates layer by layer."""
    inputs, hidden, outputs = network.sizes
    count = "len(y)"
    error = "self.d_z2 = " + error_code(network, count, "self.y_hat")
    back = "self.d_z1 = d_a1 * " + slope(network, "self.a1")
    d_a1 = "d_a1 = self.d_z2 @ self.weights2.T"
    body = f"""import numpy as np


{helpers(network)}class Network:
    def __init__(self, random):
        self.weights1 = random.normal(size=({inputs}, {hidden}))
        self.bias1 = np.zeros({hidden})
        self.weights2 = random.normal(size=({hidden}, {outputs}))
        self.bias2 = np.zeros({outputs})

    def feedforward(self, x):
        self.x = x
        self.z1 = x @ self.weights1 + self.bias1
        self.a1 = {hidden_value(network, "self.z1")}
        self.z2 = self.a1 @ self.weights2 + self.bias2
        self.y_hat = {head_value(network, "self.z2")}
        return self.y_hat

    def loss(self, x, y):
        y_hat = self.feedforward(x)
        return {loss_code(network, count)}

    def backprop(self, y):
        {error}
        self.d_weights2 = self.a1.T @ self.d_z2
        self.d_bias2 = np.sum(self.d_z2, axis=0)
        {d_a1}
        {back}
        self.d_weights1 = self.x.T @ self.d_z1
        self.d_bias1 = np.sum(self.d_z1, axis=0)

    def update(self, learning_rate):
        self.weights1 = self.weights1 - learning_rate * self.d_weights1
        self.bias1 = self.bias1 - learning_rate * self.d_bias1
        self.weights2 = self.weights2 - learning_rate * self.d_weights2
        self.bias2 = self.bias2 - learning_rate * self.d_bias2

    def train_step(self, x, y, learning_rate):
        self.feedforward(x)
        self.backprop(y)
        self.update(learning_rate)
"""
    end = """    network = Network(random)
    for step in range(1, 501):
        network.train_step(x, y, {rate})
        if step % 100 == 0:
            print(step, network.loss(x, y))
"""
    line = "self.{0} = self.{0} - learning_rate * self.d_{0}"
    bugs = [
        Bug(back, "self.d_z1 = d_a1", SLOPE_MISSING),
        *(
            Bug(back, f"self.d_z1 = d_a1 * {code}", why)
            for code, why in wrong_slopes(network, "self.a1", "self.z1")
        ),
        *(
            Bug(error, f"self.d_z2 = {code}", why)
            for code, why in wrong_errors(network, count, "self.y_hat")
        ),
        Bug(
            "self.d_bias1 = np.sum(self.d_z1, axis=0)",
            "self.d_bias1 = np.mean(self.d_z1, axis=0)",
            MEAN_BIAS,
        ),
        Bug(
            "self.d_bias2 = np.sum(self.d_z2, axis=0)",
            "self.d_bias2 = np.mean(self.d_z2, axis=0)",
            MEAN_BIAS,
        ),
        Bug(d_a1, "d_a1 = self.d_z2 @ (self.weights2 - self.d_weights2).T", EARLY),
        *(Bug(line.format(n), line.format(n).replace(" - ", " + "), UPHILL) for n in _NAMES[1:3]),
        Bug(line.format("bias1"), "self.bias1 = self.bias1 - self.d_bias1", NO_RATE),
        Bug(
            "self.d_weights2 = self.a1.T @ self.d_z2",
            "self.d_weights2 = self.z1.T @ self.d_z2",
            "What entered the output layer was a1, not z1.",
        ),
    ]
    adapter = f"""
NAMES = {_NAMES}

def network(module, arrays):
    made = module.Network(default_rng(0))
    for name, array in zip(NAMES, arrays):
        setattr(made, name, array)
    return made

def predict(module, arrays, x, y):
    return network(module, arrays).feedforward(x)

def loss(module, arrays, x, y):
    return network(module, arrays).loss(x, y)

def step(module, arrays, x, y, rate):
    made = network(module, arrays)
    made.train_step(x, y, rate)
    return [getattr(made, name) for name in NAMES]
"""
    return Draft(
        body + main(network, end), bugs, "from numpy.random import default_rng" + adapter, _NAMES
    )


def layer_objects(network: Architecture) -> Draft:
    """An object for each layer; the error is handed from one to the one before."""
    sizes = network.sizes
    back = "d_z = d_a * " + slope(network, "self.a")
    error = "d_z = " + error_code(network, "len(x)")
    body = f"""import numpy as np


{helpers(network)}class Layer:
    def __init__(self, inputs, outputs, random):
        self.weights = random.normal(size=(inputs, outputs))
        self.bias = np.zeros(outputs)

    def forward(self, x):
        self.x = x
        self.z = np.dot(x, self.weights) + self.bias
        return self.z

    def backward(self, d_z, learning_rate):
        d_x = np.dot(d_z, self.weights.T)
        self.weights -= learning_rate * np.dot(self.x.T, d_z)
        self.bias -= learning_rate * d_z.sum(axis=0)
        return d_x


class Hidden(Layer):
    def forward(self, x):
        self.a = {hidden_value(network, "super().forward(x)")}
        return self.a

    def backward(self, d_a, learning_rate):
        {back}
        return super().backward(d_z, learning_rate)


def make_network(random):
    sizes = {list(sizes)}
    network = [Hidden(m, n, random) for m, n in zip(sizes[:-2], sizes[1:-1])]
    return network + [Layer(sizes[-2], sizes[-1], random)]


def predict(network, x):
    for layer in network:
        x = layer.forward(x)
    return {head_value(network, "x")}


def loss(network, x, y):
    y_hat = predict(network, x)
    return {loss_code(network, "len(x)")}


def train_step(network, x, y, learning_rate):
    y_hat = predict(network, x)
    {error}
    for layer in reversed(network):
        d_z = layer.backward(d_z, learning_rate)
"""
    end = """    network = make_network(random)
    for step in range(1, 501):
        train_step(network, x, y, {rate})
        if step % 100 == 0:
            print(step, loss(network, x, y))
"""
    weights = "self.weights -= learning_rate * np.dot(self.x.T, d_z)"
    bias = "self.bias -= learning_rate * d_z.sum(axis=0)"
    bugs = [
        Bug(back, "d_z = d_a", SLOPE_MISSING),
        *(
            Bug(back, f"d_z = d_a * {code}", why)
            for code, why in wrong_slopes(network, "self.a", "self.z")
        ),
        *(Bug(error, f"d_z = {code}", why) for code, why in wrong_errors(network, "len(x)")),
        Bug(bias, bias.replace("sum", "mean"), MEAN_BIAS),
        Bug(bias, bias.replace("-=", "+="), UPHILL),
        Bug(bias, "self.bias -= d_z.sum(axis=0)", NO_RATE),
        Bug(
            weights,
            weights.replace("np.dot(self.x.T, d_z)", "np.dot(self.x.T, d_z) / len(d_z)"),
            "The gradient of the weights is averaged and that of the bias is not. The loss says "
            "already how the samples count.",
        ),
        Bug(
            "d_x = np.dot(d_z, self.weights.T)",
            "d_x = np.dot(d_z, np.abs(self.weights).T)",
            "A negative weight turns the sign of the error that comes back through it.",
        ),
    ]
    names = [f"{name} of layer {n}" for n in range(1, len(sizes)) for name in ("weights", "bias")]
    adapter = """
from numpy.random import default_rng

def network(module, arrays):
    made = module.make_network(default_rng(0))
    for n, layer in enumerate(made):
        layer.weights, layer.bias = arrays[2 * n].copy(), arrays[2 * n + 1].copy()
    return made

def predict(module, arrays, x, y):
    return module.predict(network(module, arrays), x)

def loss(module, arrays, x, y):
    return module.loss(network(module, arrays), x, y)

def step(module, arrays, x, y, rate):
    made = network(module, arrays)
    module.train_step(made, x, y, rate)
    return [array for layer in made for array in (layer.weights, layer.bias)]
"""
    return Draft(body + main(network, end), bugs, adapter, names)


def main(network: Architecture, end: str, transposed: str = "") -> str:
    """The end of a file: a few samples, and some training that prints the loss."""
    outputs = network.sizes[-1]
    targets = {
        "squares": f"(x[:, :{outputs}] > 0).astype(float)",
        "logistic": f"(x[:, :{outputs}] > 0).astype(float)",
        "linear": f"np.sin(x[:, :{outputs}])",
        "softmax": f"np.eye({outputs})[x[:, :{outputs}].argmax(axis=1)]",
    }[network.head]
    return f"""

if __name__ == "__main__":
    random = np.random.default_rng({network.seed})
    x = random.normal(size=(20, {network.sizes[0]}))
    y = {targets}
{transposed}{end.format(rate=network.learning_rate)}"""

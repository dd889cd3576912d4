"""Pieces of code that the styles of the bug hunts are put together from."""

from __future__ import annotations

from dataclasses import dataclass

from chainrule.exercises.bugs.architecture import Architecture

_SIGMOID = "def sigmoid(z):\n    return 1 / (1 + np.exp(-z))\n\n\n"
_RELU = "def relu(z):\n    return np.maximum(z, 0)\n\n\n"
_SOFTMAX = """def softmax(z):
    e = np.exp(z - z.max(axis={axis}, keepdims=True))
    return e / e.sum(axis={axis}, keepdims=True)


"""
_SLOPES = {"sigmoid": "{a} * (1 - {a})", "tanh": "(1 - {a}**2)", "relu": "({a} > 0)"}
_WRONG_SLOPES = {
    "sigmoid": [
        ("(1 - {a}**2)", "1 - a^2 is the derivative of tanh. The hidden layer has sigmoids."),
        ("{z} * (1 - {z})", "The derivative is a (1 - a), with what came out of the sigmoid."),
        (
            "sigmoid({a}) * (1 - sigmoid({a}))",
            "a has been through the sigmoid already, and here it goes through once more.",
        ),
        ("{a}", "Half of the derivative a (1 - a) is missing."),
    ],
    "tanh": [
        ("{a} * (1 - {a})", "a (1 - a) is the derivative of the sigmoid. Here is tanh."),
        ("(1 - {z}**2)", "The derivative is 1 - a^2, with what came out of tanh."),
        ("(1 - np.tanh({a})**2)", "a has been through tanh already; it needs no second one."),
        ("(1 - {a})", "The square is missing in 1 - a^2."),
    ],
    "relu": [
        ("({z} < 0)", "ReLU lets through what is positive, and so does its derivative."),
        ("{a}", "This is ReLU's value. Its derivative is 1 or 0."),
        ("({a} * (1 - {a}))", "a (1 - a) is the derivative of the sigmoid. Here is ReLU."),
    ],
}


@dataclass(frozen=True)
class Bug:
    """One line, as it should be and as it is."""

    right: str
    wrong: str
    why: str


@dataclass(frozen=True)
class Draft:
    """A right program, and the bugs that could be in it.

    Attributes
    ----------
    body : str
        The program, after the docstring.
    bugs : list of Bug
    adapter : str
        Python that calls the program: ``predict``, ``loss`` and ``step``, each with the module,
        the parameters (W, b of each layer), x and y first.
    names : list of str
        What the program calls the parameters.
    """

    body: str
    bugs: list[Bug]
    adapter: str
    names: list[str]


def helpers(architecture: Architecture, axis: int = 1) -> str:
    """Definitions of the activations that a program needs."""
    needed = ""
    if architecture.hidden == "sigmoid" or architecture.head in ("squares", "logistic"):
        needed += _SIGMOID
    if architecture.hidden == "relu":
        needed += _RELU
    if architecture.head == "softmax":
        needed += _SOFTMAX.format(axis=axis)
    return needed


def hidden_value(architecture: Architecture, z: str) -> str:
    """f(z) as code."""
    return f"{'np.tanh' if architecture.hidden == 'tanh' else architecture.hidden}({z})"


def head_value(architecture: Architecture, z: str) -> str:
    """ŷ as code."""
    if architecture.head == "linear":
        return z
    return f"{'softmax' if architecture.head == 'softmax' else 'sigmoid'}({z})"


def slope(architecture: Architecture, a: str) -> str:
    """f'(z) as code, in a."""
    return _SLOPES[architecture.hidden].format(a=a)


def wrong_slopes(architecture: Architecture, a: str, z: str) -> list[tuple[str, str]]:
    """Wrong derivatives of the hidden activation, and why each is wrong."""
    return [(code.format(a=a, z=z), why) for code, why in _WRONG_SLOPES[architecture.hidden]]


def loss_code(architecture: Architecture, count: str, y_hat: str = "y_hat") -> str:
    """The loss as code; ``count`` is the code for the number of samples."""
    return {
        "squares": f"np.sum(({y_hat} - y) ** 2)",
        "linear": f"np.sum(({y_hat} - y) ** 2) / {count}",
        "logistic": f"-np.sum(y * np.log({y_hat}) + (1 - y) * np.log(1 - {y_hat}))",
        "softmax": f"-np.sum(y * np.log({y_hat})) / {count}",
    }[architecture.head]


def error_code(architecture: Architecture, count: str, y_hat: str = "y_hat") -> str:
    """∂L/∂z of the last layer as code."""
    return {
        "squares": f"2 * ({y_hat} - y) * {y_hat} * (1 - {y_hat})",
        "linear": f"2 * ({y_hat} - y) / {count}",
        "logistic": f"{y_hat} - y",
        "softmax": f"({y_hat} - y) / {count}",
    }[architecture.head]


def wrong_errors(
    architecture: Architecture, count: str, y_hat: str = "y_hat"
) -> list[tuple[str, str]]:
    """Wrong derivatives at the output, and why each is wrong."""
    turned = "The sign is turned. The update subtracts the gradient, so it must be y_hat - y."
    extra = (
        "The derivative of the sigmoid is in it, but with this loss it cancels: what is left is "
        "y_hat - y."
    )
    squared = "The derivative of the square is twice the difference, not its square."
    return {
        "squares": [
            (f"2 * ({y_hat} - y)", "The derivative of the sigmoid at the output is missing."),
            (f"2 * (y - {y_hat}) * {y_hat} * (1 - {y_hat})", turned),
            (
                f"2 * ({y_hat} - y) * {y_hat}",
                "Half of the derivative y_hat (1 - y_hat) is missing.",
            ),
            (f"2 * ({y_hat} - y) * (1 - {y_hat}**2)", "This is the derivative of tanh."),
            (f"2 * ({y_hat} - y) ** 2 * {y_hat} * (1 - {y_hat})", squared),
        ],
        "linear": [
            (f"2 * ({y_hat} - y) * {y_hat} * (1 - {y_hat}) / {count}", "There is no sigmoid here."),
            (f"2 * (y - {y_hat}) / {count}", turned),
            (f"2 * ({y_hat} - y) ** 2 / {count}", squared),
        ],
        "logistic": [
            (f"({y_hat} - y) * {y_hat} * (1 - {y_hat})", extra),
            (f"y - {y_hat}", turned),
        ],
        "softmax": [
            (
                f"({y_hat} - y) * {y_hat} * (1 - {y_hat}) / {count}",
                extra.replace("sigmoid", "softmax"),
            ),
            (f"(y - {y_hat}) / {count}", turned),
            (f"(y * {y_hat} - y) / {count}", "The wrong classes get no error at all this way."),
        ],
    }[architecture.head]


MEAN_BIAS = "The gradient of a bias is the sum over the samples, not their mean."
SLOPE_MISSING = "The derivative of the hidden activation is missing."
UPHILL = "This goes uphill: the gradient is subtracted, not added."
NO_RATE = "The learning rate is missing here."
EARLY = (
    "These weights have been updated already. The error must come back through the weights that "
    "the forward pass used."
)

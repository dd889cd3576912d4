"""What people write into the gaps: right in several ways, and wrong in many."""

from __future__ import annotations

import textwrap
from pathlib import Path

from chainrule.exercises.definitions import EXERCISES

CONVOLUTION_LOOP = """
window = x[:, p : p + kernel_height, q : q + kernel_width]
z[:, p, q] = {}
"""
POOL_LOOP = """
rows, columns = slice(p * size, (p + 1) * size), slice(q * size, (q + 1) * size)
window = x[:, rows, columns]
d_x[:, rows, columns] = {}
"""
SQUARES = "loss = np.sum((y_hat - y) ** 2)\nd_y_hat = 2 * (y_hat - y)"
BACKPROP = """
d_z2 = {error} * {slope2}
d_weights2 = {to_hidden}.T @ d_z2
d_a1 = {back}
d_z1 = d_a1 * {slope1}
d_weights1 = {to_inputs}.T @ d_z1
"""
ADAM = """
mean = {mean}
mean_square = {square}
mean_hat = {mean_hat}
square_hat = {square_hat}
weights = weights - {step}
"""
KERNEL_LOOP = "d_weights[i, j] {} {}\nd_x[:, p + i, q + j] {} {}"
BATCHES = """
pairs = []
for start in {starts}:
    rows = order[start : {stop}]
    pairs.append((x[{x}], y[{y}]))
return pairs
"""
D_W = "x[:, p + i, q + j].T @ d_z[:, p, q]"
D_X = "d_z[:, p, q] @ weights[i, j].T"


def backprop(**changes: str) -> str:
    right = {
        "error": "2 * (y_hat - y)",
        "slope2": "y_hat * (1 - y_hat)",
        "to_hidden": "a1",
        "back": "d_z2 @ weights2.T",
        "slope1": "a1 * (1 - a1)",
        "to_inputs": "x",
    }
    return BACKPROP.format(**right | changes)


def adam(**changes: str) -> str:
    right = {
        "mean": "beta1 * mean + (1 - beta1) * d_weights",
        "square": "beta2 * mean_square + (1 - beta2) * d_weights**2",
        "mean_hat": "mean / (1 - beta1**step)",
        "square_hat": "mean_square / (1 - beta2**step)",
        "step": "learning_rate * mean_hat / (np.sqrt(square_hat) + epsilon)",
    }
    return ADAM.format(**right | changes)


def batches(**changes: str) -> str:
    right = {"starts": "range(0, len(x), batch_size)", "stop": "start + batch_size"}
    return BATCHES.format(**right | {"x": "rows", "y": "rows"} | changes)


def kernel(d_weights: str = D_W, d_x: str = D_X, add: str = "+=") -> str:
    return KERNEL_LOOP.format(add, d_weights, add, d_x)


RIGHT: dict[str, list[str | tuple[str, str]]] = {
    "feedforward": [
        "return sigmoid(x @ weights + bias)",
        "z = np.dot(x, weights)\nz += bias\nreturn 1.0 / (1.0 + np.exp(-z))",
        "return [[1 / (1 + np.exp(-sum(u * w for u, w in zip(row, weights[:, j])) - bias[j]))\n"
        "         for j in range(len(bias))] for row in x]",
        "a = np.empty((len(x), len(bias)), dtype=np.float32)\n"
        "for j in range(len(bias)):\n"
        "    a[:, j] = sigmoid((x * weights[:, j]).sum(axis=1) + bias[j])\n"
        "return a",
    ],
    "loss": [
        SQUARES,
        "difference = y_hat - y\nloss = float((difference * difference).sum())\n"
        "d_y_hat = 2 * difference",
        "loss, d_y_hat = ((y - y_hat) ** 2).sum(), -2 * (y - y_hat)",
    ],
    "backprop": [
        backprop(),
        "delta = 2 * (y_hat - y) * y_hat * (1 - y_hat)\n"
        "return np.dot(x.T, np.dot(delta, weights2.T) * a1 * (1 - a1)), np.dot(a1.T, delta)",
        "z1 = np.log(a1 / (1 - a1))\nd_z2 = -2 * (y - y_hat) * (y_hat - y_hat**2)\n"
        "d_weights2 = np.einsum('bh,bo->ho', a1, d_z2)\n"
        "slope = sigmoid(z1) * (1 - sigmoid(z1))\n"
        "d_weights1 = np.einsum('bi,bh->ih', x, (weights2 @ d_z2.T).T * slope)",
    ],
    "update": [
        "return weights - learning_rate * d_weights",
        "weights -= learning_rate * d_weights\nreturn weights",
        "return np.add(weights, -learning_rate * d_weights)",
    ],
    "bias": [
        "return d_z.sum(axis=0)",
        "return np.ones(len(d_z)) @ d_z",
        "total = 0\nfor row in d_z:\n    total = total + row\nreturn total",
    ],
    "activation": [
        "return 1 - a**2",
        "return (1 - a) * (1 + a)",
        "return 1 / np.cosh(z) ** 2",
    ],
    "learning-rate": [
        "return initial * factor ** (epoch // every)",
        "rate = initial\nfor e in range(1, epoch + 1):\n    if e % every == 0:\n"
        "        rate *= factor\nreturn rate",
        "import math\nreturn initial * math.pow(factor, math.floor(epoch / every))",
    ],
    "mini-batches": [
        batches(),
        "for start in range(0, len(x), batch_size):\n"
        "    rows = order[start : start + batch_size]\n    yield x[rows], y[rows]",
        "x, y = x[order], y[order]\nends = range(batch_size, len(x), batch_size)\n"
        "return list(zip(np.split(x, ends), np.split(y, ends)))",
    ],
    "softmax": [
        "e = np.exp(z - z.max(axis=1, keepdims=True))\nreturn e / e.sum(axis=1, keepdims=True)",
        "a = np.empty_like(z)\nfor i, row in enumerate(z):\n    e = np.exp(row - max(row))\n"
        "    a[i] = e / e.sum()\nreturn a",
        "m = z.max(axis=-1)[:, None]\n"
        "return np.exp(z - m - np.log(np.exp(z - m).sum(-1)[:, None]))",
    ],
    "convolution": [
        CONVOLUTION_LOOP.format("np.tensordot(window, weights, axes=3) + bias"),
        CONVOLUTION_LOOP.format("window.reshape(batch, -1) @ weights.reshape(-1, filters) + bias"),
        "for f in range(filters):\n    window = x[:, p:p + kernel_height, q:q + kernel_width, :]\n"
        "    z[:, p, q, f] = (window * weights[:, :, :, f]).sum(axis=(1, 2, 3)) + bias[f]",
    ],
    "convolution-backward": [
        (kernel(), "d_bias = d_z.sum(axis=(0, 1, 2))"),
        (
            "for b in range(batch):\n"
            "    d_weights[i, j] += np.outer(x[b, p + i, q + j], d_z[b, p, q])\n"
            "    d_x[b, p + i, q + j] += weights[i, j] @ d_z[b, p, q]",
            "d_bias = d_z.reshape(-1, filters).sum(axis=0)",
        ),
    ],
    "pooling": [
        POOL_LOOP.format(
            "(window == window.max(axis=(1, 2), keepdims=True)) * d_z[:, p : p + 1, q : q + 1]"
        ),
        "for b in range(batch):\n    for c in range(channels):\n"
        "        window = x[b, p * size:(p + 1) * size, q * size:(q + 1) * size, c]\n"
        "        i, j = divmod(window.argmax(), size)\n"
        "        d_x[b, p * size + i, q * size + j, c] = d_z[b, p, q, c]",
    ],
    "dropout": [
        "return (random.random(shape) >= rate) / (1 - rate)",
        "return (random.random(shape) < 1 - rate) * (1 / (1 - rate))",
        "return random.binomial(1, 1 - rate, size=shape) / (1 - rate)",
        "mask = np.ones(shape)\nmask[random.uniform(size=shape) < rate] = 0\n"
        "return mask / (1 - rate)",
    ],
    "adam": [
        adam(),
        "mean *= beta1\nmean += (1 - beta1) * d_weights\n"
        "mean_square += (1 - beta2) * (d_weights**2 - mean_square)\n"
        "rate = learning_rate * np.sqrt(1 - beta2**step) / (1 - beta1**step)\n"
        "weights -= rate * mean / (np.sqrt(mean_square) + epsilon * np.sqrt(1 - beta2**step))",
    ],
}

Wrong = tuple[str, str | tuple[str, str]]

WRONG: dict[str, list[Wrong]] = {
    "feedforward": [
        ("activation_forgotten", "return x @ weights + bias"),
        ("bias_forgotten", "return sigmoid(x @ weights)"),
        ("bias_after_activation", "return sigmoid(x @ weights) + bias"),
        ("weights_transposed", "return sigmoid(x @ weights.T + bias)"),
        ("elementwise_product", "return sigmoid(x * weights + bias)"),
        ("sign_in_sigmoid", "z = x @ weights + bias\nreturn 1 / (1 + np.exp(z))"),
        ("sigmoid_twice", "a = sigmoid(x @ weights + bias)\nreturn sigmoid(a)"),
        ("transposed", "return sigmoid(x @ weights + bias).T"),
        ("wrong_factor", "return 2 * sigmoid(x @ weights + bias)"),
        ("raises", "return sigmoid(weights @ x + bias_)"),
        ("nothing_returned", "a = sigmoid(x @ weights + bias)"),
    ],
    "loss": [
        ("mean_for_sum", "loss = np.mean((y_hat - y) ** 2)\nd_y_hat = 2 * (y_hat - y) / y.size"),
        ("mean_for_sum", "loss = np.mean((y_hat - y) ** 2)\nd_y_hat = 2 * (y_hat - y)"),
        ("half", "loss = np.sum((y_hat - y) ** 2)\nd_y_hat = y_hat - y"),
        ("sign", "loss = np.sum((y_hat - y) ** 2)\nd_y_hat = 2 * (y - y_hat)"),
        ("sign_and_factor", "loss = np.sum((y_hat - y) ** 2)\nd_y_hat = y - y_hat"),
        ("not_summed", "loss = (y_hat - y) ** 2\nd_y_hat = 2 * (y_hat - y)"),
        ("square_missing", "loss = np.sum(y_hat - y)\nd_y_hat = 2 * (y_hat - y)"),
        ("one_sum_for_all", SQUARES + "\nd_y_hat = d_y_hat.sum()"),
        ("wrong_number_of_results", SQUARES + "\nreturn loss"),
    ],
    "backprop": [
        ("output_slope_missing", backprop(slope2="1")),
        ("hidden_slope_missing", backprop(slope1="1")),
        ("slope_missing", backprop(slope1="1", slope2="1")),
        (
            "slope_of_activation",
            "def slope(z):\n    return sigmoid(z) * (1 - sigmoid(z))\n"
            + backprop(slope1="slope(a1)", slope2="slope(y_hat)"),
        ),
        ("sign", backprop(error="2 * (y - y_hat)")),
        ("factor_of_loss", backprop(error="(y_hat - y)")),
        ("sign_and_factor", backprop(error="(y - y_hat)")),
        ("mean_for_sum", backprop(error="2 / len(x) * (y_hat - y)")),
        ("weights_not_transposed", backprop(back="d_z2 @ weights2")),
        ("inputs_for_activations", backprop(to_hidden="x")),
        ("activations_for_inputs", backprop(to_inputs="a1")),
        ("hidden_slope_of_tanh", backprop(slope1="(1 - a1**2)")),
        ("transposed", backprop() + "\nreturn d_weights1.T, d_weights2.T"),
        ("sign_and_factor", backprop(error="(y - y_hat)", slope1="1")),  # two mistakes at once
    ],
    "update": [
        ("sign", "return weights + learning_rate * d_weights"),
        ("learning_rate_missing", "return weights - d_weights"),
        ("step_alone", "return learning_rate * d_weights"),
        ("not_updated", "weights - learning_rate * d_weights\nreturn weights"),
        ("divided_by_learning_rate", "return weights - d_weights / learning_rate"),
        ("rate_on_everything", "return learning_rate * (weights - d_weights)"),
        ("argument_returned", "return d_weights"),
    ],
    "bias": [
        ("mean_for_sum", "return d_z.mean(axis=0)"),
        ("wrong_axis", "return d_z.sum(axis=1)"),
        ("total_sum", "return np.sum(d_z)"),
        ("not_summed", "return d_z"),
        ("axis_kept", "return d_z.sum(axis=0, keepdims=True)"),
        ("sign", "return -d_z.sum(axis=0)"),
        ("one_sample", "for row in d_z:\n    d_bias = row\nreturn d_bias"),
    ],
    "activation": [
        ("derivative_of_sigmoid", "return a * (1 - a)"),
        ("z_for_a", "return 1 - z**2"),
        ("activation_twice", "return 1 - np.tanh(a) ** 2"),
        ("square_missing", "return 1 - a"),
        ("value_for_derivative", "return tanh(z)"),
        ("derivative_of_relu", "return z > 0"),
        ("sign", "return a**2 - 1"),
    ],
    "learning-rate": [
        ("no_steps", "return initial * factor ** (epoch / every)"),
        ("drops_every_epoch", "return initial * factor**epoch"),
        ("drops_once", "return initial if epoch < every else initial * factor"),
        ("one_epoch_early", "return initial * factor ** ((epoch + 1) // every)"),
        ("remainder_for_quotient", "return initial * factor ** (epoch % every)"),
        ("multiplied_for_power", "return initial * factor * (epoch // every)"),
        ("one_drop_too_many", "return initial * factor ** (epoch // every + 1)"),
    ],
    "mini-batches": [
        ("last_batch_missing", batches(starts="range(0, len(x) - batch_size + 1, batch_size)")),
        ("x_shuffled_without_y", batches(y="start : start + batch_size")),
        ("x_shuffled_without_y", batches(x="start : start + batch_size")),
        ("not_shuffled", batches(x="start : start + batch_size", y="start : start + batch_size")),
        ("rows_dropped", batches(stop="start + batch_size - 1")),
        ("rows_repeated", batches(stop="start + batch_size + 1")),
        ("rows_repeated", batches(starts="range(len(x))")),
        ("first_batch_only", batches().replace("return", "    return")),
        (
            "count_for_size",
            "return list(zip(np.array_split(x[order], batch_size), "
            "np.array_split(y[order], batch_size)))",
        ),
        ("x_alone", batches(x="rows").replace("(x[rows], y[rows])", "x[rows]")),
    ],
    "softmax": [
        ("exp_overflow", "e = np.exp(z)\nreturn e / e.sum(axis=1, keepdims=True)"),
        ("exp_overflow", "e = np.exp(z - z.max())\nreturn e / e.sum(axis=1, keepdims=True)"),
        ("wrong_axis", "e = np.exp(z - z.max(axis=0))\nreturn e / e.sum(axis=0)"),
        ("total_sum", "e = np.exp(z)\nreturn e / e.sum()"),
        ("axis_lost", "e = np.exp(z - z.max(axis=1, keepdims=True))\nreturn e / e.sum(axis=1)"),
        ("not_normalised", "return np.exp(z - z.max(axis=1, keepdims=True))"),
        ("sigmoid_for_softmax", "return 1 / (1 + np.exp(-z))"),
    ],
    "convolution": [
        ("bias_forgotten", CONVOLUTION_LOOP.format("np.tensordot(window, weights, axes=3)")),
        (
            "kernel_flipped",
            CONVOLUTION_LOOP.format("np.tensordot(window, weights[::-1, ::-1], axes=3) + bias"),
        ),
        (
            "kernel_transposed",
            CONVOLUTION_LOOP.format(
                "np.tensordot(window, weights.transpose(1, 0, 2, 3), axes=3) + bias"
            ),
        ),
        (
            "bias_repeated",
            "for f in range(filters):\n"
            "    window = x[:, p:p + kernel_height, q:q + kernel_width, :]\n"
            "    z[:, p, q, f] = (window * weights[:, :, :, f] + bias[f]).sum(axis=(1, 2, 3))",
        ),
        (
            "first_channel_only",
            "for f in range(filters):\n"
            "    window = x[:, p:p + kernel_height, q:q + kernel_width, 0]\n"
            "    z[:, p, q, f] = (window * weights[:, :, 0, f]).sum(axis=(1, 2)) + bias[f]",
        ),
        (
            "last_window_missing",
            "if p == out_height - 1 or q == out_width - 1:\n    continue\n"
            + CONVOLUTION_LOOP.format("np.tensordot(window, weights, axes=3) + bias").strip(),
        ),
        ("all_zero", "window = x[:, p:p + kernel_height, q:q + kernel_width]"),
    ],
    "convolution-backward": [
        ("overwritten", (kernel(add="="), "d_bias = d_z.sum(axis=(0, 1, 2))")),
        (
            "kernel_flipped",
            (
                kernel(d_x="d_z[:, p, q] @ weights[-1 - i, -1 - j].T"),
                "d_bias = d_z.sum(axis=(0, 1, 2))",
            ),
        ),
        ("not_summed_over_places", (kernel(), "d_bias = d_z.sum(axis=0)")),
        ("mean_for_sum", (kernel(), "d_bias = d_z.mean(axis=(0, 1, 2))")),
        ("total_sum", (kernel(), "d_bias = d_z.sum()")),
        ("never_filled", (kernel(), "")),
        ("sum_repeated", (kernel() + "\nd_bias += d_z[:, p, q].sum(axis=0)", "")),
        ("sign", (kernel(d_x=f"-({D_X})"), "d_bias = d_z.sum(axis=(0, 1, 2))")),
    ],
    "pooling": [
        ("to_all_equally", POOL_LOOP.format("d_z[:, p : p + 1, q : q + 1] / size**2")),
        ("to_all", POOL_LOOP.format("d_z[:, p : p + 1, q : q + 1]")),
        ("to_the_corner", "d_x[:, p * size, q * size] = d_z[:, p, q]"),
        (
            "to_the_smallest",
            POOL_LOOP.format(
                "(window == window.min(axis=(1, 2), keepdims=True)) * d_z[:, p : p+1, q : q+1]"
            ),
        ),
        (
            "channels_together",
            POOL_LOOP.format(
                "(window == window.max(axis=(1, 2, 3), keepdims=True)) * d_z[:, p : p+1, q : q+1]"
            ),
        ),
        (
            "gradient_missing",
            POOL_LOOP.format("window == window.max(axis=(1, 2), keepdims=True)"),
        ),
        (
            "windows_overlap",
            "window = x[:, p:p + size, q:q + size]\n"
            "chosen = window == window.max(axis=(1, 2), keepdims=True)\n"
            "d_x[:, p:p + size, q:q + size] += chosen * d_z[:, p : p + 1, q : q + 1]",
        ),
    ],
    "dropout": [
        ("not_scaled", "return random.random(shape) >= rate"),
        ("rate_turned_round", "return (random.random(shape) < rate) / (1 - rate)"),
        ("scaled_the_wrong_way", "return (random.random(shape) >= rate) * (1 - rate)"),
        ("scaled_by_rate", "return (random.random(shape) >= rate) / (rate or 1)"),
        (
            "drawn_together",
            "return np.ones(shape) * (random.random(shape[1]) >= rate) / (1 - rate)",
        ),
        (
            "same_mask",
            "random = np.random.default_rng(0)\nreturn (random.random(shape) >= rate) / (1 - rate)",
        ),
        ("no_zeros", "return random.random(shape)"),
        ("all_dropped", "return np.zeros(shape)"),
    ],
    "adam": [
        ("no_bias_correction", adam(mean_hat="mean", square_hat="mean_square")),
        ("no_bias_correction", adam(square_hat="mean_square")),
        ("correction_kept", adam() + "\nmean, mean_square = mean_hat, square_hat"),
        ("epsilon_in_root", adam(step="learning_rate * mean_hat / np.sqrt(square_hat + epsilon)")),
        ("root_missing", adam(step="learning_rate * mean_hat / (square_hat + epsilon)")),
        ("square_missing", adam(square="beta2 * mean_square + (1 - beta2) * d_weights")),
        (
            "step_from_zero",
            adam(
                mean_hat="mean / np.float64(1 - beta1**(step - 1))",
                square_hat="mean_square / np.float64(1 - beta2**(step - 1))",
            ),
        ),
        (
            "sign",
            adam(step="-learning_rate * mean_hat / (np.sqrt(square_hat) + epsilon)"),
        ),
        (
            "betas_swapped",
            adam(
                mean="beta2 * mean + (1 - beta2) * d_weights",
                square="beta1 * mean_square + (1 - beta1) * d_weights**2",
                mean_hat="mean / (1 - beta2**step)",
                square_hat="mean_square / (1 - beta1**step)",
            ),
        ),
        ("no_average", adam(mean="beta1 * mean + d_weights")),
    ],
}


def filled(name: str, answer: str | tuple[str, str]) -> str:
    """The exercise's file with the gap filled in; the second part stands at the comment."""
    first, second = (answer, "") if isinstance(answer, str) else answer
    lines = []
    for line in EXERCISES[name].text.splitlines():
        indent = " " * (len(line) - len(line.lstrip()))
        if "raise NotImplementedError" in line:
            lines += textwrap.indent(first.strip("\n"), indent).splitlines()
        elif line.strip().startswith("# and here"):
            lines += textwrap.indent(second, indent).splitlines()
        else:
            lines.append(line)
    return "\n".join(lines) + "\n"


def write(folder: Path, name: str, answer: str | tuple[str, str]) -> Path:
    """Write a filled file, as a learner would have it."""
    path = folder / EXERCISES[name].file_name
    path.write_text(filled(name, answer), encoding="utf-8")
    return path

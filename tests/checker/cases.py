# ruff: noqa: E501 - learners' lines are as long as they are
"""Development cases: hand-written networks, and the ways to break each of them by one edit."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

STYLES = Path(__file__).parent / "styles"


@dataclass(frozen=True)
class Broken:
    """One edit of a style.

    Attributes
    ----------
    style : str
        File in ``styles``, without its ending (they are not .py: nobody formats learners).
    cause : str
        What the checker should call it.
    old, new : str
        What is replaced, and by what.
    line : str
        Text of the line that should be named; empty: the first line of ``new``.
    """

    style: str
    cause: str
    old: str
    new: str
    line: str = ""

    @property
    def source(self) -> str:
        """The broken program."""
        text = (STYLES / f"{self.style}.txt").read_text(encoding="utf-8")
        assert text.count(self.old) == 1, (self.style, self.old, text.count(self.old))
        return text.replace(self.old, self.new)

    @property
    def line_number(self) -> int:
        """The line of the mistake, from 1."""
        text = self.source
        wanted = self.line or self.new.strip().splitlines()[0]
        assert text.count(wanted) >= 1, wanted
        return text[: text.index(wanted)].count("\n") + 1

    @property
    def name(self) -> str:
        """For test reports."""
        return f"{self.style}-{self.cause}-{self.line_number}"


_D2 = "        d_weights2 = np.dot(self.layer1.T, (2*(self.y - self.output) * sigmoid_derivative(self.output)))\n"
_D1 = "        d_weights1 = np.dot(self.input.T,  (np.dot(2*(self.y - self.output) * sigmoid_derivative(self.output), self.weights2.T) * sigmoid_derivative(self.layer1)))\n"

BROKEN = [
    Broken(
        "truth_table_class",
        "early_update",
        _D2 + _D1 + "        self.weights1 += d_weights1\n        self.weights2 += d_weights2\n",
        _D2
        + "        self.weights2 += d_weights2\n"
        + _D1
        + "        self.weights1 += d_weights1\n",
        "self.weights2 += d_weights2",
    ),
    Broken(
        "truth_table_class",
        "sigmoid_prime_on_activation_twice",
        "return x * (1.0 - x)",
        "return sigmoid(x) * (1.0 - sigmoid(x))",
    ),
    Broken(
        "truth_table_class",
        "output_derivative_missing",
        "(2*(self.y - self.output) * sigmoid_derivative(self.output)))",
        "(2*(self.y - self.output)))",
    ),
    Broken(
        "truth_table_class",
        "hidden_derivative_missing",
        ", self.weights2.T) * sigmoid_derivative(self.layer1)))",
        ", self.weights2.T)))",
    ),
    Broken(
        "truth_table_class",
        "sign_turned",
        "self.weights1 += d_weights1",
        "self.weights1 -= d_weights1",
    ),
    Broken(
        "truth_table_class",
        "forward_through_z",
        "self.output = sigmoid(np.dot(self.layer1, self.weights2))",
        "self.output = sigmoid(np.dot(np.dot(self.input, self.weights1), self.weights2))",
    ),
    Broken(
        "truth_table_class",
        "factor_mismatch",
        "np.dot(self.input.T,  (np.dot(2*(self.y",
        "np.dot(self.input.T,  (np.dot((self.y",
        "d_weights1 = np.dot",
    ),
    Broken(
        "truth_table_class",
        "zero_initialisation",
        "np.random.rand(self.input.shape[1],4)",
        "np.zeros((self.input.shape[1],4))",
        "self.weights1   = np.zeros",
    ),
    Broken(
        "truth_table_class",
        "constant_initialisation",
        "np.random.rand(self.input.shape[1],4)",
        "np.ones((self.input.shape[1],4)) * 0.5",
        "self.weights1   = np.ones",
    ),
    Broken(
        "script_two_layers",
        "sigmoid_prime_of_z_as_a",
        "l1_delta = l1_error * nonlin(l1, deriv=True)",
        "l1_delta = l1_error * nonlin(np.dot(l0, syn0), deriv=True)",
    ),
    Broken("script_two_layers", "sign_turned", "l2_error = y - l2\n", "l2_error = l2 - y\n"),
    Broken(
        "script_two_layers",
        "output_derivative_missing",
        """np.abs(l2_error))))
    l2_delta = l2_error * nonlin(l2, deriv=True)""",
        """l2_error ** 2)))
    l2_delta = l2_error""",
        "l2_delta = l2_error",
    ),
    Broken(
        "script_two_layers",
        "hidden_derivative_missing",
        "l1_delta = l1_error * nonlin(l1, deriv=True)",
        "l1_delta = l1_error",
    ),
    Broken(
        "script_two_layers",
        "wrong_layer_error",
        "l1_error = l2_delta.dot(syn1.T)",
        "l1_error = l2_error.dot(syn1.T)",
    ),
    Broken(
        "script_two_layers",
        "early_update",
        "    l1_error = l2_delta.dot(syn1.T)\n    l1_delta = l1_error * nonlin(l1, deriv=True)\n    syn1 += l1.T.dot(l2_delta)\n",
        "    syn1 += l1.T.dot(l2_delta)\n    l1_error = l2_delta.dot(syn1.T)\n    l1_delta = l1_error * nonlin(l1, deriv=True)\n",
    ),
    Broken(
        "script_two_layers",
        "summed_weights",
        "l1_error = l2_delta.dot(syn1.T)",
        "l1_error = l2_delta * syn1.sum() * np.ones((1, 4))",
    ),
    Broken(
        "script_two_layers",
        "saturating",
        "syn0 = 2 * np.random.random((3, 4)) - 1",
        "syn0 = 200 * np.random.random((3, 4)) - 100",
    ),
    Broken(
        "script_two_layers",
        "tiny_initialisation",
        "syn1 = 2 * np.random.random((4, 1)) - 1",
        "syn1 = 2e-9 * np.random.random((4, 1)) - 1e-9",
    ),
    Broken(
        "columns_dict",
        "bias_gradient_axis",
        "db1 = np.sum(dZ1, axis=1, keepdims=True) / m",
        "db1 = np.sum(dZ1) / m",
    ),
    Broken(
        "columns_dict",
        "bias_never_updated",
        'b1 = parameters["b1"] - learning_rate * grads["db1"]',
        'b1 = parameters["b1"]',
    ),
    Broken(
        "columns_dict",
        "other_activation_derivative",
        "dZ1 = np.dot(W2.T, dZ2) * (1 - np.power(A1, 2))",
        "dZ1 = np.dot(W2.T, dZ2) * A1 * (1 - A1)",
    ),
    Broken(
        "columns_dict", "factor_mismatch", "dW1 = np.dot(dZ1, X.T) / m", "dW1 = np.dot(dZ1, X.T)"
    ),
    Broken(
        "columns_dict",
        "sign_turned",
        'W2 = parameters["W2"] - learning_rate * grads["dW2"]',
        'W2 = parameters["W2"] + learning_rate * grads["dW2"]',
    ),
    Broken("columns_dict", "sign_turned", "dZ2 = A2 - Y", "dZ2 = Y - A2"),
    Broken(
        "columns_dict",
        "hidden_derivative_missing",
        "dZ1 = np.dot(W2.T, dZ2) * (1 - np.power(A1, 2))",
        "dZ1 = np.dot(W2.T, dZ2)",
    ),
    Broken(
        "columns_dict",
        "sigmoid_prime_of_z_as_a",
        "(1 - np.power(A1, 2))",
        '(1 - np.power(cache["Z1"], 2))',
        "dZ1 = np.dot(W2.T, dZ2)",
    ),
    Broken("columns_dict", "loss_mismatch", "dZ2 = A2 - Y", "dZ2 = (A2 - Y) * A2 * (1 - A2)"),
    Broken("columns_dict", "bias_missing", "Z1 = np.dot(W1, X) + b1", "Z1 = np.dot(W1, X)"),
    Broken(
        "columns_dict",
        "zero_initialisation",
        "W1 = np.random.randn(n_h, n_x) * 0.5",
        "W1 = np.zeros((n_h, n_x))",
    ),
    Broken(
        "columns_dict",
        "diverging",
        "learning_rate=1.2",
        "learning_rate=5000.0",
        "learning_rate=5000.0",
    ),
    Broken(
        "lists_of_layers",
        "sigmoid_prime_on_activation_twice",
        "z = zs[-l]",
        "z = activations[-l]",
        "sp = sigmoid_prime(z)",
    ),
    Broken(
        "lists_of_layers",
        "hidden_derivative_missing",
        "delta = np.dot(self.weights[-l + 1].transpose(), delta) * sp",
        "delta = np.dot(self.weights[-l + 1].transpose(), delta)",
    ),
    Broken(
        "lists_of_layers",
        "sign_turned",
        "return output_activations - y",
        "return y - output_activations",
    ),
    Broken(
        "lists_of_layers",
        "bias_never_updated",
        "        self.biases = [b - (eta / len(mini_batch)) * nb for b, nb in zip(self.biases, nabla_b)]\n",
        "",
        "self.biases = [",
    ),
    Broken(
        "lists_of_layers",
        "factor_mismatch",
        "self.biases = [b - (eta / len(mini_batch)) * nb",
        "self.biases = [b - eta * nb",
    ),
    Broken(
        "lists_of_layers",
        "wrong_input",
        "nabla_w[-l] = np.dot(delta, activations[-l - 1].transpose())",
        "nabla_w[-l] = np.dot(delta, zs[-l - 1].transpose() if l < self.num_layers - 1 else activations[-l - 1].transpose())",
    ),
    Broken(
        "plain_lists",
        "sign_turned",
        "errors.append(expected[j] - neuron['output'])",
        "errors.append(neuron['output'] - expected[j])",
    ),
    Broken(
        "plain_lists",
        "output_derivative_missing",
        "neuron['delta'] = errors[j] * transfer_derivative(neuron['output'])",
        "neuron['delta'] = errors[j] * (transfer_derivative(neuron['output']) if i != len(network) - 1 else 1)",
    ),
    Broken(
        "plain_lists",
        "hidden_derivative_missing",
        "neuron['delta'] = errors[j] * transfer_derivative(neuron['output'])",
        "neuron['delta'] = errors[j] * (transfer_derivative(neuron['output']) if i == len(network) - 1 else 1)",
    ),
    Broken(
        "plain_lists",
        "weight_for_input",
        "neuron['weights'][j] += l_rate * neuron['delta'] * inputs[j]",
        "neuron['weights'][j] += l_rate * neuron['delta'] * neuron['weights'][j]",
    ),
    Broken(
        "plain_lists",
        "bias_never_updated",
        "            neuron['weights'][-1] += l_rate * neuron['delta']\n",
        "",
        "for neuron in network[i]:",
    ),
    Broken(
        "plain_lists",
        "sigmoid_prime_on_activation_twice",
        "return output * (1.0 - output)",
        "return transfer(output) * (1.0 - transfer(output))",
    ),
    Broken(
        "layer_objects",
        "early_update",
        "        input_error = np.dot(output_error, self.weights.T)\n        weights_error = np.dot(self.input.T, output_error)\n        self.weights -= learning_rate * weights_error\n",
        "        weights_error = np.dot(self.input.T, output_error)\n        self.weights -= learning_rate * weights_error\n        input_error = np.dot(output_error, self.weights.T)\n",
        "self.weights -= learning_rate",
    ),
    Broken(
        "layer_objects",
        "hidden_derivative_missing",
        "return self.activation_prime(self.input) * output_error",
        "return output_error if output_error.shape[1] > 1 else self.activation_prime(self.input) * output_error",
    ),
    Broken(
        "layer_objects",
        "sigmoid_prime_on_activation_twice",
        "return self.activation_prime(self.input) * output_error",
        "return self.activation_prime(self.output) * output_error",
    ),
    Broken(
        "layer_objects",
        "sign_turned",
        "return 2 * (y_pred - y_true) / y_true.size",
        "return 2 * (y_true - y_pred) / y_true.size",
    ),
    Broken(
        "layer_objects",
        "bias_never_updated",
        "        self.bias -= learning_rate * output_error\n",
        "",
        "self.weights -= learning_rate",
    ),
    Broken(
        "layer_objects",
        "other_activation_derivative",
        "return 1 - np.tanh(x) ** 2",
        "return (x > 0).astype(float)",
    ),
    Broken(
        "softmax_classes",
        "momentum_sign",
        "self.vW1 = self.mu * self.vW1 - self.lr * dW1\n        self.vb1 = self.mu * self.vb1 - self.lr * db1\n        self.vW2 = self.mu * self.vW2 - self.lr * dW2\n        self.vb2 = self.mu * self.vb2 - self.lr * db2",
        "self.vW1 = -self.mu * self.vW1 - self.lr * dW1\n        self.vb1 = -self.mu * self.vb1 - self.lr * db1\n        self.vW2 = -self.mu * self.vW2 - self.lr * dW2\n        self.vb2 = -self.mu * self.vb2 - self.lr * db2",
    ),
    Broken(
        "softmax_classes",
        "regularisation_sign",
        "dW2 += self.reg * self.W2\n        dW1 += self.reg * self.W1",
        "dW2 -= self.reg * self.W2\n        dW1 -= self.reg * self.W1",
    ),
    Broken(
        "softmax_classes",
        "x_shuffled_without_y",
        "X_shuffled, y_shuffled = X[order], y[order]",
        "X_shuffled, y_shuffled = X[order], y",
    ),
    Broken(
        "softmax_classes",
        "batches_drop_rows",
        "for start in range(0, len(X), batch_size):",
        "for start in range(0, len(X) - batch_size, batch_size):",
    ),
    Broken(
        "softmax_classes",
        "batches_repeat_rows",
        "xb = X_shuffled[start:start + batch_size]\n                yb = y_shuffled[start:start + batch_size]",
        "xb = X_shuffled[start:start + batch_size + 3]\n                yb = y_shuffled[start:start + batch_size + 3]",
    ),
    Broken("softmax_classes", "hidden_derivative_missing", "dz1 = dh * (self.z1 > 0)", "dz1 = dh"),
    Broken(
        "softmax_classes",
        "other_activation_derivative",
        "dz1 = dh * (self.z1 > 0)",
        "dz1 = dh * self.h * (1 - self.h)",
    ),
    Broken(
        "softmax_classes",
        "softmax_elementwise",
        "dscores /= n\n",
        "dscores *= probs * (1 - probs) / n\n",
    ),
    Broken(
        "fit_predict",
        "hidden_derivative_missing",
        "            grad_hidden[z <= 0] = 0\n",
        "",
        "grad_hidden = grad_out.dot(self.W_out.T)",
    ),
    Broken("fit_predict", "sign_turned", "error = y_hat - y\n", "error = y - y_hat\n"),
    Broken(
        "fit_predict",
        "bias_gradient_axis",
        "grad_b_hidden = grad_hidden.sum(axis=0, keepdims=True)",
        "grad_b_hidden = grad_hidden.sum()",
    ),
    Broken(
        "fit_predict",
        "bias_gradient_not_summed",
        "grad_b_hidden = grad_hidden.sum(axis=0, keepdims=True)",
        "grad_b_hidden = grad_hidden[0:1]",
    ),
]
BROKEN += [
    Broken(
        "layer_objects",
        "output_derivative_missing",
        "net.add(Dense(3, 1))\nnet.add(ActivationLayer(tanh, tanh_prime))",
        "net.add(Dense(3, 1))\nnet.add(ActivationLayer(tanh, lambda x: 1))",
    ),
    Broken(
        "closures", "output_derivative_missing", "g = (y - target) * y * (1 - y)", "g = y - target"
    ),
    Broken(
        "neurons",
        "output_derivative_missing",
        "n.delta = (n.output - t) * n.output * (1 - n.output)",
        "n.delta = n.output - t",
    ),
    Broken(
        "forward_backward",
        "output_derivative_missing",
        "self.o_delta = self.o_erreur * self.sigmoidePrime(o)",
        "self.o_delta = self.o_erreur",
    ),
    Broken(
        "numbered_parameters",
        "hidden_derivative_missing",
        'dZ = dA * (caches[f"Z{l-1}"] > 0)',
        "dZ = dA",
    ),
    Broken(
        "parameter_tuples",
        "hidden_derivative_missing",
        "eh = (e @ v.T) * (1 - hidden ** 2)",
        "eh = e @ v.T",
    ),
    Broken(
        "own_matrices",
        "hidden_derivative_missing",
        "D1 = times(matmul(D2, transpose(W2)), apply(slope, H))",
        "D1 = matmul(D2, transpose(W2))",
    ),
    Broken(
        "einsum_batches",
        "sigmoid_prime_of_z_as_a",
        "* self.a1 * (1 - self.a1)",
        "* self.z1 * (1 - self.z1)",
        "d1 = np.einsum",
    ),
    Broken("adam_dict", "hidden_derivative_missing", "    dh[z1 <= 0] = 0\n", "", "dh = d.dot"),
    Broken(
        "lists_of_deltas",
        "sigmoid_prime_on_activation_twice",
        "act_d(zs[l])",
        "act_d(acts[l + 1])",
        "deltas[l] = (deltas",
    ),
    Broken("theta_with_ones", "sign_turned", "d3 = A2 - labels", "d3 = labels - A2"),
    Broken(
        "functions_main",
        "bias_gradient_axis",
        "dW2, db2 = a1.T @ d2, d2.sum(0, keepdims=True)",
        "dW2, db2 = a1.T @ d2, d2.sum(keepdims=True)",
    ),
]
BROKEN += [
    Broken(
        "lists_of_deltas",
        "aliased_weights",
        "self.Ws = [rng.normal(0, 1 / np.sqrt(a), size=(a, b)).astype(np.float32) for a, b in zip(dims, dims[1:])]",
        "self.Ws = [rng.normal(0, 1 / np.sqrt(a), size=(a, b)).astype(np.float32) for a, b in zip(dims, dims[1:])]\n        self.Ws[2] = self.Ws[1]",
        "self.Ws[2] = self.Ws[1]",
    ),
]

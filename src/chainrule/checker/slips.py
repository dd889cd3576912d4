"""The mistakes, each as the smallest change of the right step that makes it.

A step is built from a few quantities, from the last layer to the first::

    e = ŷ - y                    d = f'(z)
    δ = e * d                    the last layer's delta
    dW = hᵀ δ,  db = Σ δ         its gradients
    e = δ Wᵀ                     what the layer before is to blame for
    δ = e * f'(z) ...            and so on

A slip replaces one of them by what people write in its place. Each function below lists the right
quantity first and then the wrong ones, with the name of the mistake.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from chainrule.checker.forward import FoundLayer, Pass
from chainrule.checker.functions import KNOWN
from chainrule.layer import Array

_OUTPUTS = 10


@dataclass(frozen=True, eq=False)
class Slip:
    """One mistake at one place of the step.

    Attributes
    ----------
    cause : str
        Its name.
    layer : int
        From 0.
    wrong : ndarray or None
        What was computed.
    right : ndarray or None
        What it should have been.
    detail : str
        Which of several forms: the name of another activation, "weights" or "bias", ...
    follows : tuple of ndarray
        Quantities computed from ``wrong``, nearest first, for finding the line.
    """

    cause: str
    layer: int
    wrong: Array | None = None
    right: Array | None = None
    detail: str = ""
    follows: tuple[Array, ...] = ()


@dataclass(frozen=True, eq=False)
class Delta:
    """A candidate for δ of a layer.

    Attributes
    ----------
    error : ndarray (batch, outputs)
        e, before the derivative.
    delta : ndarray (batch, outputs)
        δ.
    slips : tuple of Slip
        What was changed to get it.
    loss : str
        "squared", "cross-entropy", ...: whose gradient it is, in the last layer.
    """

    error: Array
    delta: Array
    slips: tuple[Slip, ...]
    loss: str = ""


def slopes(layer: FoundLayer, number: int, done: Pass) -> Iterator[tuple[Array, str, str]]:
    """f'(z) of a layer, then what is written in its place: values, cause, detail."""
    z, a = done.z[number], done.a[number]
    known = KNOWN[layer.activation]
    right = known.slope(z)
    last = number == len(done.z) - 1
    missing = "output_derivative_missing" if last else "hidden_derivative_missing"
    yield right, "", ""
    if layer.activation != "identity":
        yield np.ones_like(z), missing, ""
    yield known.slope(a), "sigmoid_prime_on_activation_twice", ""
    if known.slope_by_output is not None:
        yield known.slope_by_output(z), "sigmoid_prime_of_z_as_a", ""
    for name in ("sigmoid", "tanh", "relu", "leaky_relu(0.01)", "identity"):
        other = KNOWN[name]
        if name == layer.activation or other.slope_by_output is None:
            continue
        if name == "identity":
            continue
        cause = "other_activation_derivative"
        yield other.slope_by_output(a), cause, f"{name} of a"
        yield other.slope(z), cause, f"{name} of z"
        yield other.slope_by_output(z), cause, f"{name} of z as a"
        yield other.slope(a), cause, f"{name} of a twice"
    yield right * right, "output_derivative_doubled" if last else "hidden_derivative_doubled", ""


def last_deltas(layer: FoundLayer, done: Pass, y: Array) -> Iterator[Delta]:
    """δ of the last layer: right ones for each loss, then wrong ones."""
    number = len(done.z) - 1
    a = done.a[number]
    e = a - y
    known = KNOWN[layer.activation]
    right = known.slope(done.z[number])
    if layer.activation == "softmax":
        yield Delta(e, e, (), "cross-entropy")
        exact = a * (e - (e * a).sum(axis=1, keepdims=True))
        yield Delta(e, exact, (), "squared")
        yield Delta(
            e, e * a * (1 - a), (Slip("softmax_elementwise", number, a * (1 - a), None),), "squared"
        )
        with np.errstate(all="ignore"):
            ratio = -y / a
        elementwise = Slip("softmax_elementwise", number, a * (1 - a), None)
        yield Delta(ratio, ratio * a * (1 - a), (elementwise,), "cross-entropy")
        yield Delta(ratio, ratio, (Slip("output_derivative_missing", number, ratio, e),))
    else:
        yield Delta(e, e * right, (), "squared")
        if layer.activation in ("sigmoid", "identity"):
            yield Delta(e, e, (), "cross-entropy" if layer.activation == "sigmoid" else "squared")
        if layer.activation == "tanh":
            yield Delta(e, e, (Slip("output_derivative_missing", number, e, e * right),))
    yield Delta(np.sign(e), np.sign(e) * right, (), "absolute")
    if layer.activation in ("sigmoid", "softmax"):
        with np.errstate(all="ignore"):
            ratio = -y / a + (1 - y) / (1 - a)
            turned = y / a + (1 - y) / (1 - a)
            half = -y / a
        if layer.activation == "sigmoid":
            yield Delta(ratio, ratio, (Slip("output_derivative_missing", number, ratio, e),))
            yield Delta(
                turned, turned * right, (Slip("loss_mismatch", number, turned, ratio),), "other"
            )
            yield Delta(half, half * right, (Slip("loss_mismatch", number, half, ratio),), "other")
    for wrong, cause, detail in slopes(layer, number, done):
        if cause:
            if layer.activation == "softmax" and cause == "other_activation_derivative":
                cause = "softmax_elementwise"  # no factor for each output alone can be right
            slip = Slip(cause, number, wrong, right, detail, (e * wrong,))
            yield Delta(e, e * wrong, (slip,))
            if layer.activation == "sigmoid" and not cause.endswith("missing"):
                slip = Slip(cause, number, wrong, right, detail, (ratio * wrong,))
                yield Delta(ratio, ratio * wrong, (slip,), "cross-entropy")
    for wrong, detail in ((a + y, "sum"), (e**2, "square"), (e * np.abs(e), "square"), (a, "a")):
        slip = Slip("loss_mismatch", number, wrong, e, detail, (wrong * right,))
        yield Delta(wrong, wrong * right, (slip,))
    yield Delta(e**3, e**3 * right, (), "quartic")


def weight_gradients(
    done: Pass, number: int, found: Delta, deltas: list[Delta]
) -> Iterator[tuple[Array, tuple[Slip, ...]]]:
    """DW of a layer: hᵀ δ, then what is written in its place."""
    h, delta = done.h[number], found.delta
    right = h.T @ delta
    yield right, ()
    last = number == len(done.z) - 1

    def slip(cause: str, wrong: Array, detail: str = "") -> tuple[Slip, ...]:
        return (Slip(cause, number, wrong, right, detail),)

    if not np.array_equal(found.error, delta):
        wrong = h.T @ found.error
        cause = "output_derivative_missing" if last else "hidden_derivative_missing"
        yield wrong, slip(cause, wrong, "weights only")
    others = [("z", done.z[number - 1])] if number else []
    others += [(f"h{i + 1}", other) for i, other in enumerate(done.h) if i != number]
    others += [(f"a{i + 1}", other) for i, other in enumerate(done.a)]
    for name, other in others:
        if other.shape == h.shape and not np.array_equal(other, h):
            wrong = other.T @ delta
            yield wrong, slip("forward_through_z" if name == "z" else "wrong_input", wrong, name)
    weights = done.weights[number]
    wrong = weights * delta.sum(axis=0)
    yield wrong, slip("weight_for_input", wrong)
    wrong = weights * delta.mean(axis=0)
    yield wrong, slip("weight_for_input", wrong)
    for other_weights in done.weights:
        for factor in (other_weights, other_weights.T):
            if factor.shape == h.T.shape:
                wrong = factor @ delta
                yield wrong, slip("weight_for_input", wrong)
    if right.shape[0] == right.shape[1]:
        yield right.T, slip("transposed", right.T)
    if delta.shape[0] == delta.shape[1]:
        wrong = h.T @ delta.T
        yield wrong, slip("transposed", wrong)
    if h.shape == (len(delta), len(delta)):
        wrong = h @ delta
        yield wrong, slip("transposed", wrong)
    for further in deltas:
        if further.delta.shape == delta.shape and further is not found:
            wrong = h.T @ further.delta
            yield wrong, slip("wrong_layer_error", wrong, "delta")
        elif further.delta.shape[1] == 1 and delta.shape[1] > 1 and further is not found:
            wrong = np.repeat(h.T @ further.delta, delta.shape[1], axis=1)
            yield wrong, slip("wrong_layer_error", wrong, "delta")
    summed = np.repeat((h * delta.sum(axis=1, keepdims=True)).sum(axis=0)[:, None], 1, axis=1)
    if delta.shape[1] > 1:
        wrong = np.repeat(summed, delta.shape[1], axis=1)
        yield wrong, slip("elementwise_for_matrix", wrong, "summed")
    if h.shape == delta.shape:
        product = (h * delta).sum(axis=0)
        for wrong in (
            np.repeat(product[None, :], right.shape[0], axis=0),
            np.repeat(product[:, None], right.shape[1], axis=1),
        ):
            yield wrong, slip("elementwise_for_matrix", wrong)


def bias_gradients(
    done: Pass, number: int, found: Delta, deltas: tuple[Delta, ...]
) -> Iterator[tuple[Array, tuple[Slip, ...]]]:
    """Db of a layer: δ summed over the batch, then what is written in its place."""
    delta = found.delta
    right = delta.sum(axis=0, keepdims=True)
    yield right, ()
    last = number == len(done.z) - 1

    def slip(cause: str, wrong: Array, detail: str = "bias") -> tuple[Slip, ...]:
        return (Slip(cause, number, wrong, right, detail),)

    error = found.error.sum(axis=0, keepdims=True)
    if not np.array_equal(error, right):
        missing = "output_derivative_missing" if last else "hidden_derivative_missing"
        yield error, slip(missing, error, "bias only")
    if delta.shape[1] > 1:
        total = np.full_like(right, delta.sum())
        yield total, slip("bias_gradient_axis", total)
    if len(delta) == delta.shape[1]:
        by_rows = delta.sum(axis=1)[None, :]
        yield by_rows, slip("bias_gradient_axis", by_rows)
    if len(delta) > 1:
        for row in (delta[:1], delta[-1:]):
            yield row, slip("bias_gradient_not_summed", row)
    for further in deltas:
        total = further.delta.sum(axis=0, keepdims=True)
        if total.shape != right.shape:
            total = np.full_like(right, further.delta.sum())
        yield total, slip("wrong_layer_error", total)
    absolute = np.abs(delta).sum(axis=0, keepdims=True)
    yield absolute, slip("sign_turned", absolute)


def deltas_before(
    layers: tuple[FoundLayer, ...],
    done: Pass,
    number: int,
    chain: tuple[Delta, ...],
    after: list[Array],
) -> Iterator[Delta]:
    """δ of layer ``number``, from the δ of the layers after it, the next one's first."""
    later = chain[0]
    following = number + 1
    outputs = done.z[number].shape[1]
    # Where the learner has put a column of ones beside the activations, it has no error.
    weights, updated = done.weights[following][:outputs], after[following][:outputs]
    right_error = later.delta @ weights.T
    right_slope = KNOWN[layers[number].activation].slope(done.z[number])
    if layers[number].activation == "softmax":
        a = done.a[number]
        exact = a * (right_error - (right_error * a).sum(axis=1, keepdims=True))
        yield Delta(right_error, exact, later.slips)
    if layers[following].reads == "z":
        yield Delta(right_error, right_error, later.slips)
    for error, error_slips in _errors(done, number, chain, weights, updated, right_error):
        for slope, cause, detail in slopes(layers[number], number, done):
            if cause and error_slips:
                continue
            if slope.shape != error.shape:
                continue
            delta = error * slope
            slips = error_slips
            if cause:
                slips = (Slip(cause, number, slope, right_slope, detail, (delta,)),)
            elif error_slips:
                first = error_slips[0]
                slips = (
                    Slip(
                        first.cause, first.layer, first.wrong, first.right, first.detail, (delta,)
                    ),
                )
            yield Delta(error, delta, later.slips + slips)


def _errors(
    done: Pass,
    number: int,
    chain: tuple[Delta, ...],
    weights: Array,
    updated: Array,
    right: Array,
) -> Iterator[tuple[Array, tuple[Slip, ...]]]:
    yield right, ()
    later = chain[0]

    def slip(cause: str, wrong: Array, detail: str = "") -> tuple[Slip, ...]:
        return (Slip(cause, number, wrong, right, detail),)

    if not np.array_equal(weights, updated):
        wrong = later.delta @ updated.T
        yield wrong, slip("early_update", wrong)
        if not np.array_equal(later.error, later.delta):
            wrong = later.error @ updated.T
            yield wrong, slip("early_update", wrong, "error")
    if not np.array_equal(later.error, later.delta):
        # The later delta is right for its own layer, and lacks a factor on its way down.
        last = number + 1 == len(done.z) - 1
        missing = "output_derivative_missing" if last else "hidden_derivative_missing"
        wrong = later.error @ weights.T
        yield wrong, (Slip(missing, number + 1, wrong, right, "further down"),)
    if weights.shape[0] == weights.shape[1]:
        wrong = later.delta @ weights
        yield wrong, slip("transposed", wrong)
    columns = weights.shape[0]
    summed = weights.sum(axis=1)
    if weights.shape[1] > 1:
        wrong = later.delta.sum(axis=1, keepdims=True) * summed
        yield wrong, slip("summed_weights", wrong)
        wrong = later.delta.mean(axis=1, keepdims=True) * summed
        yield wrong, slip("summed_weights", wrong)
    if len(later.delta) == 1 and 1 < weights.shape[1] <= _OUTPUTS:
        for wrong in later.delta.T * summed:
            yield wrong[None, :], slip("summed_weights", wrong[None, :])
    wrong = np.repeat(later.delta @ weights.sum(axis=0)[:, None], columns, axis=1)
    yield wrong, slip("summed_weights", wrong)
    wrong = np.repeat(later.delta.sum(axis=1, keepdims=True) * weights.sum(), columns, axis=1)
    yield wrong, slip("summed_weights", wrong)
    wrong = np.repeat(later.delta.sum(axis=1, keepdims=True), columns, axis=1)
    yield wrong, slip("wrong_layer_error", wrong, "no weights")
    if later.delta.shape == right.shape:
        yield later.delta, slip("wrong_layer_error", later.delta, "no weights")
    for position, other in enumerate(done.weights):
        for factor in (other, other.T):
            if factor.shape == weights.T.shape and not np.array_equal(factor, weights.T):
                wrong = later.delta @ factor
                yield wrong, slip("wrong_layer_error", wrong, f"weights {position + 1}")
    for further, skipped in enumerate(chain[1:], number + 2):
        for other in (done.weights[further], done.weights[number + 1]):
            if other.T.shape == (skipped.delta.shape[1], right.shape[1]):
                wrong = skipped.delta @ other.T
                yield wrong, slip("wrong_layer_error", wrong, f"delta {further + 1}")
    if later.delta.shape == weights.shape:
        wrong = later.delta * weights
        if wrong.shape == right.shape:
            yield wrong, slip("elementwise_for_matrix", wrong)
    if later.delta.shape == weights.T.shape:
        wrong = later.delta * weights.T
        if wrong.shape == right.shape:
            yield wrong, slip("elementwise_for_matrix", wrong)
    if len(later.delta) == 1 and weights.shape[0] == weights.shape[1]:
        wrong = (later.delta.T * weights).sum(axis=0, keepdims=True)
        if not np.array_equal(wrong, right):
            yield wrong, slip("transposed", wrong)

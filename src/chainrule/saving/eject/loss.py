"""The loss of an ejected module: its value, where backprop starts, and what y may be."""

from __future__ import annotations

from dataclasses import dataclass

from chainrule.errors import InvalidSetting
from chainrule.explain.expression import (
    Call,
    Expression,
    Name,
    Negative,
    Product,
    Quotient,
    names,
)
from chainrule.explain.reading import read_whole
from chainrule.layer import Shape
from chainrule.loss import Loss
from chainrule.losses import NegativeLogLikelihood, SmoothedLoss
from chainrule.saving.eject.activations import describe, function
from chainrule.saving.eject.code import docstring, indented, number
from chainrule.saving.eject.source import Source, Value
from chainrule.saving.eject.stable import stable


@dataclass(frozen=True)
class EjectedLoss:
    """Names of the functions that an ejected module measures with.

    Attributes
    ----------
    value, gradient, targets : str
    """

    value: str
    gradient: str
    targets: str


def eject_loss(source: Source, output: Value) -> EjectedLoss:
    """Define the functions of the network's loss.

    Raises
    ------
    InvalidSetting
        When the loss does not say what it does.
    """
    loss = source.network.loss
    kind = type(loss)
    own_ways = kind.seen not in (Loss.seen, SmoothedLoss.seen) or kind.value is not Loss.value
    if not (loss.formula and loss.gradient_formula) or own_ways:
        raise refuse_loss(loss)
    targets = source.define("targets", _targets(loss, output.shape))
    term = stable(read_whole(loss.formula, _name))
    value = _define(source, loss.name, _reduced(loss, term), describe(loss))
    gradient_of = stable(read_whole(loss.gradient_formula, _name))
    gradient = _define(
        source,
        f"{loss.name}_gradient",
        _divided(gradient_of, _GRADIENT_DIVISORS[loss.reduction]),
        "∂loss/∂output: where backprop starts.",
    )
    return EjectedLoss(value, gradient, targets)


def refuse_loss(loss: Loss) -> InvalidSetting:
    """Say that a loss cannot be written as Python."""
    return InvalidSetting(
        f"The loss {loss!r} cannot be ejected: it does not say in formulas what it does. Give its "
        "class formula and gradient_formula, or set net.loss to another one."
    )


def prediction(source: Source, output: Value) -> str:
    """Code of what ``predict`` makes of the outputs."""
    loss = source.network.loss
    if type(loss).prediction is NegativeLogLikelihood.prediction:
        return f"np.exp({output.code})"
    if type(loss).prediction is not Loss.prediction:
        raise InvalidSetting(
            f"The loss {loss!r} cannot be ejected: it makes predictions of the outputs in a way of "
            "its own. Set net.loss to another one."
        )
    if loss.last_activation is None:
        return output.code
    return f"{source.use(loss.last_activation.name)}({output.code})"


_GRADIENT_DIVISORS = {"sum": None, "mean": "y.size", "mean of samples": "len(y)"}


def _reduced(loss: Loss, term: Expression) -> Expression:
    """What the reduction makes of the terms: one number."""
    match term:
        case Call("total", (of,)):
            inner = of
        case Negative(Call("total", (of,))):
            inner = _negated(of)
        case _ if loss.reduction == "mean":
            return Call("np.mean", (term,))
        case _:
            inner = term
    return _divided(Call("np.sum", (inner,)), _GRADIENT_DIVISORS[loss.reduction])


def _negated(expression: Expression) -> Expression:
    match expression:
        case Product((first, *others)):
            return Product((Negative(first), *others))
    return Negative(expression)


def _divided(expression: Expression, divisor: str | None) -> Expression:
    return expression if divisor is None else Quotient(expression, Name((), divisor))


def _name(field: str) -> Expression:
    return Name((), field)


def _define(source: Source, name: str, expression: Expression, described: str) -> str:
    """Define a function of the outputs and y, and return its name."""
    loss = source.network.loss
    output = "z" if any(found.field == "z" for found in names(expression)) else "y_hat"
    before = []
    eps = "np.finfo(float).eps"
    if str(source.network.dtype) == "float32":
        eps = "np.finfo(np.float32).eps"
    used = {found.field for found in names(expression)}
    divides = "np.log(" in source.printer(lambda field: field).text(expression)
    if output in used and (divides or _divides_by(expression, output)):
        if loss.outputs == "probabilities":
            before = [
                f"step = {eps}",
                "y_hat = np.clip(y_hat, step, 1 - step)  # the logarithm of 0 is infinite",
            ]
        elif loss.outputs == "positive":
            before = [f"y_hat = np.maximum(y_hat, {eps})  # the logarithm of 0 is infinite"]

    def constant(field: str) -> str:
        if field in _GRADIENT_DIVISORS.values():
            return field
        value = getattr(loss, field, None)
        if not isinstance(value, int | float):
            raise refuse_loss(loss)
        return number(value)

    text = function(source, name, [output, "y"], expression, described, constant, before)
    return source.define(name, text)


def _divides_by(expression: Expression, output: str) -> bool:
    match expression:
        case Quotient(top, bottom):
            inside = output in {found.field for found in names(bottom)}
            return inside or _divides_by(top, output)
        case Negative(of):
            return _divides_by(of, output)
    return False


def _targets(loss: Loss, shape: Shape) -> str:
    """Text of the function that takes y as ``chainrule`` would."""
    classes = shape[-1] if shape else 1
    smoothing = getattr(loss, "label_smoothing", 0.0) if isinstance(loss, SmoothedLoss) else 0.0
    array = "np.asarray(y, dtype=float)"
    sizes = ", ".join(map(str, shape))
    body: list[str] = []
    if loss.targets == "classes" and classes > 1:
        described = (
            f"Turn class labels 0 ... {classes - 1} into rows with a 1 in the place of the class. "
            "Rows of probabilities pass."
        )
        body = [
            "y = np.asarray(y)",
            f"y = np.eye({classes})[y.astype(int)] if y.ndim == {len(shape)} else y",
        ]
        last = "y.astype(float)"
    else:
        described = f"Actual values as an array, one row for each sample: (batch, {sizes})."
        last = f"{array}.reshape(-1, {sizes})" if shape else array
    if smoothing:
        described += f" A part {number(smoothing)} of the certainty goes to all classes alike."
        seen = classes if loss.targets == "classes" else 2
        body.append(f"y = {last}")
        last = f"y * (1 - {number(smoothing)}) + {number(smoothing)} / {seen}"
    body.append(f"return {last}")
    return "\n".join(["def targets(y):", *indented([*docstring(described), *body])])

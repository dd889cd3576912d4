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
from chainrule.explain.stable import stable
from chainrule.layer import Shape
from chainrule.loss import Loss
from chainrule.losses import NegativeLogLikelihood, SmoothedLoss
from chainrule.saving.eject.activations import describe, function
from chainrule.saving.eject.code import number
from chainrule.saving.eject.layout import WIDTH, docstring, indented
from chainrule.saving.eject.repeats import all_parts, is_short
from chainrule.saving.eject.source import Source, Value


@dataclass(frozen=True)
class EjectedLoss:
    """Names of the functions that an ejected module measures with.

    Attributes
    ----------
    value, targets : str
    gradient : str
        Code of ∂loss/∂output, in ``y``.
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
    term = _read(loss, loss.formula)
    value = _define(source, loss.name, _reduced(loss, term), describe(loss))
    gradient_of = _read(loss, loss.gradient_formula)
    gradient = _gradient(source, _divided(gradient_of, _DIVISORS[loss.reduction]), output)
    return EjectedLoss(value, gradient, targets)


def _gradient(source: Source, expression: Expression, output: Value) -> str:
    """Code of ∂loss/∂output: written out where it is short, else a call of a function."""
    loss = source.network.loss
    if not _guard(loss, expression, str(source.network.dtype)) and is_short(expression):
        names_of = {"y_hat": output.code, "z": output.code}
        printer = source.printer(lambda name: names_of.get(name) or _constant(loss, name))
        text = printer.text(expression)
        if len(f"{output.gradient} = {text}") <= WIDTH - 8:
            return text
    described = "∂loss/∂output: where backprop starts."
    name = _define(source, f"{loss.name}_gradient", expression, described)
    return f"{name}({output.code}, y)"


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


_DIVISORS: dict[str, str | None] = {"sum": None, "mean": "y.size", "mean of samples": "len(y)"}


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
    return _divided(Call("np.sum", (inner,)), _DIVISORS[loss.reduction])


def _negated(expression: Expression) -> Expression:
    match expression:
        case Product((first, *others)):
            return Product((Negative(first), *others))
    return Negative(expression)


def _divided(expression: Expression, divisor: str | None) -> Expression:
    return expression if divisor is None else Quotient(expression, Name((), divisor))


def _read(loss: Loss, formula: str) -> Expression:
    try:
        return stable(read_whole(formula, lambda name: Name((), name)))
    except (ValueError, SyntaxError) as error:
        raise InvalidSetting(
            f"The loss {loss!r} cannot be ejected: {formula!r} cannot be read ({error})."
        ) from error


def _define(source: Source, name: str, expression: Expression, described: str) -> str:
    """Define a function of the outputs and y, and return its name."""
    loss = source.network.loss
    output = "z" if any(found.field == "z" for found in names(expression)) else "y_hat"
    before = _guard(loss, expression, str(source.network.dtype))

    def constant(name: str) -> str:
        return _constant(loss, name)

    text = function(source, name, [output, "y"], expression, described, constant, before)
    return source.define(name, text)


def _constant(loss: Loss, name: str) -> str:
    """Code of a name in a formula that is no argument."""
    if name == "y" or name in _DIVISORS.values():
        return name
    value = getattr(loss, name, None)
    if not isinstance(value, int | float):
        raise refuse_loss(loss)
    return number(value)


def _guard(loss: Loss, expression: Expression, dtype: str) -> list[str]:
    """Lines that keep probabilities off 0 and 1 by the dtype's smallest step, as the loss does."""
    infinite = any(_is_infinite_at_0(part) for part in all_parts(expression))
    if not infinite or loss.outputs not in ("probabilities", "positive"):
        return []
    kind = "float" if dtype == "float64" else "np.float32"
    comment = "  # the logarithm of 0 is infinite"
    if loss.outputs == "positive":
        return [f"y_hat = np.maximum(y_hat, np.finfo({kind}).eps){comment}"]
    return [f"step = np.finfo({kind}).eps", f"y_hat = np.clip(y_hat, step, 1 - step){comment}"]


def _is_infinite_at_0(expression: Expression) -> bool:
    """Whether an expression divides by the outputs, or takes their logarithm."""
    match expression:
        case Quotient(_, bottom) | Call("log", (bottom,)):
            return "y_hat" in {name.field for name in names(bottom)}
    return False


def _targets(loss: Loss, shape: Shape) -> str:
    """Text of the function that takes y as ``chainrule`` would."""
    classes = shape[-1] if shape else 1
    smoothing = getattr(loss, "label_smoothing", 0.0) if isinstance(loss, SmoothedLoss) else 0.0
    sizes = ", ".join(map(str, shape))
    if loss.targets == "classes" and classes > 1:
        described = (
            f"Class labels 0 ... {classes - 1} as rows with a 1 each; rows of probabilities pass."
        )
        body = [
            "y = np.asarray(y)",
            f"y = np.eye({classes})[y.astype(int)] if y.ndim == {len(shape)} else y.astype(float)",
        ]
    elif shape[-1:] == (1,):
        described = f"Actual values as (batch, {sizes}): beside them (batch,) would be a square."
        body = [f"y = np.asarray(y, dtype=float).reshape(-1, {sizes})"]
    else:
        described = f"Actual values (batch{f', {sizes}' * bool(shape)})."
        body = ["y = np.asarray(y, dtype=float)"]
        if shape:
            comma = "," * (len(shape) == 1)
            body += [
                f"if y.shape[1:] != ({sizes}{comma}):",
                f'    raise ValueError(f"y has shape {{y.shape}}; expected (batch, {sizes})")',
            ]
    if smoothing:
        described += f" A part {number(smoothing)} of the certainty goes to all classes alike."
        seen = classes if loss.targets == "classes" else 2
        body.append(f"y = y * (1 - {number(smoothing)}) + {number(smoothing)} / {seen}")
    body.append("return y")
    if body[-2].startswith("y = ") and len(body[-2]) < WIDTH:
        body[-2:] = ["return " + body[-2].removeprefix("y = ")]
    return "\n".join(["def targets(y):", *indented([*docstring(described), *body])])

"""The optimizer of an ejected module: its rule for one parameter, written out for all."""

from __future__ import annotations

from dataclasses import dataclass, field

from chainrule.errors import InvalidSetting
from chainrule.explain.expression import Expression, Name, Negative, add, names
from chainrule.explain.expression import Sum as SumOf
from chainrule.explain.reading import read
from chainrule.optimizer import Optimizer
from chainrule.optimizers import LBFGS, Adadelta, Adam, GradientDescent
from chainrule.saving.eject.activations import describe
from chainrule.saving.eject.code import Printer, number
from chainrule.saving.eject.layout import docstring, indented, statement
from chainrule.saving.eject.schedule import learning_rate
from chainrule.saving.eject.source import Source
from chainrule.schedules import ConstantRate

_FEW = 8  # parameters whose updates are written out one by one

_PLAIN = {"new_parameter": read("parameter - rate * gradient")}

_COMMENTS: dict[type[Optimizer], dict[str, str]] = {
    Adam: {
        "new_gradient_sum": "# Which way the gradients went lately, and how large they were",
        "mean_hat": "# Both as averages that do not suffer from their start at 0",
    },
    Adadelta: {"direction": "# As long as the latest steps, if the gradient is as the latest were"},
}


@dataclass
class EjectedOptimizer:
    """How an ejected module learns.

    Attributes
    ----------
    remembers : list of str
        What there is one array of for each parameter.
    start : list of str
        Lines of ``__init__``.
    methods : list of list of str
        ``update`` and what it calls, as lines.
    """

    remembers: list[str]
    start: list[str]
    methods: list[list[str]] = field(default_factory=list)


def eject_optimizer(source: Source) -> EjectedOptimizer:
    """Write the network's optimizer.

    Raises
    ------
    InvalidSetting
        When it does not say what it does, or learns at a rate that depends on more than time.
    """
    network = source.network
    optimizer, state = network.optimizer, network.training_state
    rule = _rule(optimizer)
    used = {name.field for expression in rule.values() for name in names(expression)}
    remembers = [name for name in state.optimizer.vectors if name in used]
    constant = isinstance(optimizer.schedule, ConstantRate)
    ejected = EjectedOptimizer(remembers, [])
    if constant:
        ejected.start.append(f"self.learning_rate = {optimizer.schedule.rate(0.0, {})!r}")
    else:
        ejected.start.append(f"self.epoch = {network.training_state.epoch}")
        ejected.methods.append(learning_rate(optimizer.schedule))
    rate_code = "self.learning_rate" if constant else "self.learning_rate()"
    if "step" in used:
        ejected.start.append(f"self.step = {state.optimizer.step}")
    body: list[str] = []
    if optimizer.clip_value is not None or optimizer.clip_norm is not None:
        body.append("self.clip()")
        ejected.methods.append(_clip(optimizer))
    plain = rule == _PLAIN and not optimizer.weight_decay and constant
    if plain and 0 < len(source.parameters) <= _FEW:
        body += [f"self.{name} -= {rate_code} * self.d_{name}" for name in source.parameters]
    else:
        body += _loop(source, optimizer, rule, used, remembers, rate_code)
    if not constant:
        body.append("self.epoch += 1  # an iteration over all samples")
    lines = [*docstring(_described(optimizer), 2), *body]
    ejected.methods.append(["def update(self):", *indented(lines)])
    return ejected


def _rule(optimizer: Optimizer) -> dict[str, Expression]:
    if isinstance(optimizer, LBFGS):
        raise InvalidSetting(
            f"The optimizer {optimizer!r} cannot be ejected: it is SciPy's. Set net.optimizer to "
            "another one, such as cr.Adam()."
        )
    equations = optimizer.equations()
    kinds = type(optimizer).__mro__
    changed = next(place for place, kind in enumerate(kinds) if "update" in vars(kind))
    told = any("equations" in vars(kind) for kind in kinds[: changed + 1])
    if "new_parameter" not in equations or not told:
        raise InvalidSetting(
            f"The optimizer {optimizer!r} cannot be ejected: it does not say in equations what it "
            "does. Set net.optimizer to another one, such as cr.Adam()."
        )
    try:
        return {name: read(text) for name, text in equations.items()}
    except (ValueError, SyntaxError) as error:
        raise InvalidSetting(
            f"The optimizer {optimizer!r} cannot be ejected: an equation cannot be read ({error})."
        ) from error


def _loop(
    source: Source,
    optimizer: Optimizer,
    rule: dict[str, Expression],
    used: set[str],
    remembers: list[str],
    rate: str,
) -> list[str]:
    """Lines that go through all parameters."""
    settings = [name for name in optimizer.settings() if name in used]
    lines = [f"rate = {rate}"]
    if settings:
        values = ", ".join(number(getattr(optimizer, name)) for name in settings)
        lines.append(f"{', '.join(settings)} = {values}")
    if "step" in used:
        lines += ["self.step += 1", "step = self.step"]
    lines += ["# -= and += change the arrays themselves", "for name in PARAMETERS:"]
    inner = ['parameter, gradient = getattr(self, name), getattr(self, f"d_{name}")']
    if optimizer.weight_decay:
        inner += [
            "if name in WEIGHTS:  # these also shrink a little in every step",
            f"    parameter -= rate * {number(optimizer.weight_decay)} * parameter",
        ]

    def name_of(name: str) -> str:
        if name in remembers:
            return f"self.{name}[name]"
        return name.removeprefix("new_")

    printer = source.printer(name_of)
    comments = {
        target: comment
        for kind, several in _COMMENTS.items()
        if isinstance(optimizer, kind)
        for target, comment in several.items()
    }
    for target, expression in rule.items():
        if target == "new_parameter":
            sign, change = _change(expression)
            inner += statement(f"parameter {sign} ", printer, change, 3)
        else:
            inner += [comments[target]] if target in comments else []
            inner += _in_steps(target.removeprefix("new_"), printer, expression)
    inner += [f"self.{name}[name] = {name}" for name in remembers]
    return [*lines, *indented(inner)]


def _in_steps(target: str, printer: Printer, expression: Expression) -> list[str]:
    """Give both terms of a sum that is too long for a line their own."""
    lines = statement(f"{target} = ", printer, expression, 3)
    match expression:
        case SumOf((first, second)) if len(lines) > 1:
            return [
                *statement("first = ", printer, first, 3),
                *statement("second = ", printer, second, 3),
                f"{target} = first + second",
            ]
    return lines


def _described(optimizer: Optimizer) -> str:
    match optimizer:
        case GradientDescent(nesterov=True):
            return "Momentum that looks ahead along the velocity (Sutskever et al., 2013)."
        case GradientDescent(momentum=momentum) if momentum:
            return "With momentum, steps in one direction gather speed (Polyak, 1964)."
    return describe(optimizer)


def _change(expression: Expression) -> tuple[str, Expression]:
    """How a parameter changes, as ``-=`` or ``+=`` and what."""
    match expression:
        case SumOf((Name(_, "parameter"), Negative(of))):
            return "-=", of
        case SumOf((Name(_, "parameter"), *others)):
            return "+=", add(others)
    return "+=", add((expression, Negative(Name((), "parameter"))))


def _clip(optimizer: Optimizer) -> list[str]:
    lines = [
        "def clip(self):",
        *indented(docstring("Keep a gradient that is too large from throwing the step far off.")),
        '    gradients = [getattr(self, f"d_{name}") for name in PARAMETERS]',
    ]
    if optimizer.clip_value is not None:
        limit = number(optimizer.clip_value)
        lines += [
            "    for gradient in gradients:",
            f"        np.clip(gradient, -{limit}, {limit}, out=gradient)",
        ]
    if optimizer.clip_norm is not None:
        longest = number(optimizer.clip_norm)
        lines += [
            "    length = np.sqrt(sum(np.sum(gradient**2) for gradient in gradients))",
            f"    if length > {longest}:",
            "        for gradient in gradients:",
            f"            gradient *= {longest} / length",
        ]
    return lines

"""The explanation as plain data: what the JSON form holds. docs/explanation.md describes it."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from chainrule.explain.abbreviation import with_rests_named
from chainrule.explain.expression import Expression, Name
from chainrule.explain.forms.latex import to_latex
from chainrule.explain.forms.sympy import to_sympy
from chainrule.explain.forms.text import to_text
from chainrule.explain.source import Source, source_of

if TYPE_CHECKING:
    from chainrule.explain.explanation import Explanation
    from chainrule.explain.quantity import Quantity

FORMAT, VERSION = "chainrule explanation", 1

_MOST_NUMBERS = 4_096  # in an array that is written down whole


def as_data(explanation: Explanation) -> dict[str, Any]:
    """Turn an explanation into dicts, lists, strings and finite numbers."""
    step = explanation.step
    return {
        "format": FORMAT,
        "version": VERSION,
        "loss": _number(explanation.loss.value),
        "loss_after_update": _number(explanation.loss_after_update),
        "samples": len(step.samples),
        "training": step.shared.training,
        "optimizer": repr(step.network.optimizer),
        "loss_function": repr(step.network.loss),
        "settings": {name: _number(value) for name, value in step.settings.items()},
        "layers": [
            {
                "path": list(path),
                "layer": repr(place.layer),
                "input": step.resolve(path, place.input).identifier,
                "output": step.resolve(path, place.output).identifier,
                "equations": [step.resolve(path, field).identifier for field in place.equations],
            }
            for path, place in step.places.items()
        ],
        "arrays": {
            Name(path, field).identifier: _array(explanation, Name(path, field), values)
            for (path, field), values in step.arrays.items()
        },
        "quantities": {
            quantity.symbol.identifier: as_quantity(quantity)
            for quantity in explanation.quantities()
        },
    }


def as_quantity(quantity: Quantity) -> dict[str, Any]:
    """Turn one number into plain data."""
    chain = quantity.chain
    return {
        "array": Name(quantity.symbol.path, quantity.symbol.field).identifier,
        "index": list(quantity.symbol.index or ()),
        "symbol": _forms(quantity.symbol),
        "formula": None if quantity.short_expression is None else _forms(quantity.short_expression),
        "substitution": quantity.substitution or None,
        "value": _number(quantity.value),
        "parts": {name: _number(value) for name, value in quantity.numbers.items()},
        "chain": None
        if chain is None
        else {
            "factors": [
                {"symbol": _forms(factor.symbol), "value": _number(factor.value)}
                for factor in chain.factors
            ],
            "product": _number(chain.product),
            "is_whole": chain.of_terms == 1,
        },
    }


def _array(explanation: Explanation, name: Name, values: np.ndarray[Any, Any]) -> dict[str, Any]:
    general = explanation.step.general(name)
    numbers = values.astype(np.float64)
    return {
        "layer": list(name.path),
        "field": name.field,
        "symbol": _forms(name),
        "meaning": explanation.telling.meaning(name),
        "shape": list(values.shape),
        "norm": _number(explanation.tensor(name).norm),
        "equation": None if general is None else _forms(general, sympy=False),
        "source": _source(source_of(explanation.step, name)),
        "values": _nested(numbers.tolist()) if values.size <= _MOST_NUMBERS else None,
    }


def _forms(expression: Expression, *, sympy: bool = True) -> dict[str, str]:
    """Write an expression in every notation; one between arrays has none in SymPy's."""
    found = {"text": to_text(expression), "latex": to_latex(expression)}
    return {**found, "sympy": to_sympy(with_rests_named(expression))} if sympy else found


def _source(source: Source | None) -> dict[str, Any] | None:
    if source is None:
        return None
    return {
        "file": source.place,
        "line": source.line,
        "function": source.function,
        "code": source.code,
    }


def _nested(values: Any) -> Any:
    return [_nested(value) for value in values] if isinstance(values, list) else _number(values)


def _number(value: float | None) -> float | None:
    """Finite numbers as they are; JSON has no others."""
    return value if value is not None and math.isfinite(value) else None

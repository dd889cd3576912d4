"""From the equation between arrays to the one of a single number.

``z = x @ weights + bias`` says of its number [0, 2] that it is ``x[0, 0] · W[0, 2] + x[0, 1] ·
W[1, 2] + ... + b[2]``. Where arrays of different shapes meet, indices follow NumPy's rules for
broadcasting.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from chainrule.explain.evaluation import FUNCTIONS
from chainrule.explain.expression import (
    Call,
    Expression,
    Index,
    MatrixProduct,
    Name,
    Transposed,
    add,
    multiply,
    parts,
    rebuilt,
)
from chainrule.explain.operations import OPERATIONS
from chainrule.layer import Shape

if TYPE_CHECKING:
    from chainrule.explain.place import Place


def element(expression: Expression, index: Index, place: Place) -> Expression:
    """Return the expression of one number of an array.

    Parameters
    ----------
    expression : Expression
        Between arrays: names have no index.
    index : tuple of int
        Of the number in the array that the expression gives.
    place : Place
        Where in the network; it knows the shapes of the arrays.

    Returns
    -------
    Expression
        Of single numbers, under the names that the whole network knows them by.
    """
    match expression:
        case Name(_, field):
            return place.element(field, index)
        case Transposed(of):
            return element(of, index[::-1], place)
        case MatrixProduct(left, right):
            return add(
                multiply(
                    element(left, (*index[:-1], k), place), element(right, (k, index[-1]), place)
                )
                for k in range(_inner_size(left, right, place))
            )
        case Call(function, arguments) if function not in FUNCTIONS:
            return OPERATIONS[function](place, partial(element, place=place), arguments, index)
    return rebuilt(expression, lambda part: element(part, index, place))


def shape(expression: Expression, place: Place) -> Shape:
    """Return the shape of what an expression between arrays gives; () for single numbers."""
    match expression:
        case Name(_, field):
            return place.shape(field)
        case Transposed(of):
            return shape(of, place)[::-1]
        case MatrixProduct(left, right):
            return (*shape(left, place)[:-1], shape(right, place)[-1])
        case Call("as_rows", (of,)):
            *leading, last = shape(of, place)
            return int(np.prod(leading)), last
        case Call("group" | "everywhere", _):
            return place.shape(place.input)
        case Call("total" | "group_mean" | "channel_average", (of,)):
            return (*shape(of, place)[:-1], 1)
    return np.broadcast_shapes(*(shape(part, place) for part in parts(expression)))


def _inner_size(left: Expression, right: Expression, place: Place) -> int:
    """Length of the axis that a matrix product sums over."""
    found = shape(left, place)
    return found[-1] if found else shape(right, place)[0]

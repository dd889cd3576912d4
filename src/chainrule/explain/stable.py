"""Formulas as a computer should work them out: the same numbers, but nothing overflows on the way.

A formula beside an activation or a loss is written for people. ``log(1 + exp(z))`` is infinite for
z = 1000 on a computer, where the right answer is 1000. What is known of such forms stands here.
"""

from __future__ import annotations

from chainrule.explain.expression import (
    Call,
    Cases,
    Comparison,
    Expression,
    Negative,
    Number,
    Product,
    Quotient,
    Sum,
    multiply,
    rebuilt,
)

_ONE, _ZERO = Number(1.0), Number(0.0)


def stable(expression: Expression) -> Expression:
    """Rewrite an expression from the inside out."""
    return _rewritten(rebuilt(expression, stable))


def _rewritten(expression: Expression) -> Expression:
    match expression:
        case Call("log", (Sum((Number(1.0), Call("exp", (u,)))),)):
            return Call("logaddexp", (_ZERO, u))
        case Call("log", (Call("cosh", (u,)),)):  # (e^u + e^-u) / 2
            both = Call("logaddexp", (u, Negative(u)))
            return Sum((both, Negative(Call("log", (Number(2.0),)))))
        case Quotient(Number(1.0), Sum((Number(1.0), Call("exp", (Negative(u),))))):
            return Call("sigmoid", (u,))
        case Sum((Call("exp", (u,)), Negative(Number(1.0)))):
            return Call("expm1", (u,))
        case Sum((Number(1.0), Call("erf", (u,)))):  # for u below 0 these two nearly cancel
            return Call("erfc", (negative(u),))
        case Quotient(Call("exp", (u,)), Call("total", (Call("exp", (v,)),))) if u == v:
            return Call("softmax", (u,))
        case Sum((u, Negative(Call("log", (Call("total", (Call("exp", (v,)),)),))))) if u == v:
            return Call("log_softmax", (u,))
        case Product((u, Call("log", (Quotient(v, w),)))) if u == v:  # 0 log 0 counts as 0
            ratio = Cases(((Quotient(v, w), Comparison(v, ">", _ZERO)), (_ONE, None)))
            return multiply(u, Call("log", (ratio,)))
        case Cases(((u, Comparison(v, ">", Number(0.0))), (Number(0.0), None))) if u == v:
            return Call("maximum", (u, _ZERO))
    return expression


def negative(expression: Expression) -> Expression:
    """Turn the sign, without writing two of them."""
    match expression:
        case Negative(of):
            return of
        case Quotient(top, bottom):
            return Quotient(negative(top), bottom)
    return Negative(expression)

"""The letters of mathematics for the names of the code: ``weights`` of the first layer is W₁.

A name keeps its full word in the code and has one letter in formulas. What has no letter is shown
as the word it is, so that a layer from outside the package needs none.
"""

from __future__ import annotations

from dataclasses import dataclass

from chainrule.explain.expression import Index, Name

_LETTERS = {
    "weights": "W",
    "bias": "b",
    "loss": "L",
    "mask": "m",
    "mean": "μ",
    "variance": "v",
    "mean_square": "q",
    "deviation": "σ",
    "scale": "γ",
    "shift": "β",
    "slope": "s",
    "projection_weights": "P",
    "rate": "p",
    "learning_rate": "η",
    "epsilon": "ε",
    "alpha": "α",
    "beta": "β",
    "delta": "δ",
    "pi": "π",
}

# What belongs to the whole network is the optimizer's: there some words mean something else.
_LETTERS_OF_THE_NETWORK = {
    **_LETTERS,
    "rate": "η",
    "momentum": "μ",
    "step": "t",
    "theta": "θ",
    "gradient": "g",
    "velocity": "v",
    "mean": "m",
    "gradient_sum": "m",
    "squares": "s",
    "sum_of_squares": "s",
    "largest_squares": "s",
    "step_squares": "d",
    "change": "Δ",
    "decay": "ρ",
    "mean_decay": "β₁",
    "square_decay": "β₂",
    "step_decay": "β₁",
    "weight_decay": "λ",
}

_CONSTANTS = {"pi"}  # the same in every layer
_SUBSCRIPTS = {"₁": "1", "₂": "2"}


@dataclass(frozen=True, slots=True)
class Symbol:
    """How a name is written, whatever it is written in.

    Attributes
    ----------
    letter : str
        One letter, or the words of a name that has none.
    hat, prime : bool
        Whether ^ stands over it (an estimate, or standardized), or ′ behind it (the new value).
    subscript : str
        The layer, from 1: ``"2"``, and ``"2.1"`` for the first layer inside the second.
    index : tuple of int or None
        Which number of the array, from 0 as in NumPy.
    is_derivative : bool
        Whether ∂L/∂ this is meant.
    """

    letter: str
    hat: bool = False
    prime: bool = False
    subscript: str = ""
    index: Index | None = None
    is_derivative: bool = False

    @property
    def is_word(self) -> bool:
        """Whether it stands upright, as words do."""
        return len(self.letter) > 1


LOSS = Symbol("L")


def symbol_of(name: Name) -> Symbol:
    """Find the symbol of a name.

    ``d_`` before a field is the loss's derivative with respect to it, ``new_`` its value after
    the update, and ``_hat`` behind it puts the hat on.
    """
    field = name.field.removeprefix("d_") or name.field
    old = field.removeprefix("new_") or field
    plain = old.removesuffix("_hat") or old
    letters = _LETTERS if name.path else _LETTERS_OF_THE_NETWORK
    letter = letters.get(plain, plain.replace("_", " ").strip() or old)
    own = _SUBSCRIPTS.get(letter[-1], "") if len(letter) == 2 else ""
    path = () if plain in _CONSTANTS else name.path
    place = ".".join(str(number + 1) for number in path)
    return Symbol(
        letter=letter[0] if own else letter,
        hat=plain != old,
        prime=old != field,
        subscript=",".join(filter(None, (own, place))),
        index=name.index or None,
        is_derivative=field != name.field,
    )

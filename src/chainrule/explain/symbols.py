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

# What belongs to the whole network is the loss's or the optimizer's: there some words mean
# something else. What comes after _ is a subscript.
_LETTERS_OF_THE_NETWORK = {
    **_LETTERS,
    "term": "ℓ",
    "l1": "λ_1",
    "l2": "λ_2",
    "rate": "η",
    "momentum": "μ",
    "step": "t",
    "parameter": "θ",
    "theta": "θ",
    "gradient": "g",
    "velocity": "v",
    "mean": "m",
    "gradient_sum": "G",
    "squares": "S",
    "largest_squares": "M",
    "sum_of_squares": "S",
    "mean_square": "s",
    "step_squares": "D",
    "mean_step_square": "d",
    "direction": "Δ",
    "turn": "u",
    "decay": "ρ",
    "mean_decay": "β_1",
    "square_decay": "β_2",
    "step_decay": "β_1",
    "weight_decay": "λ",
}
# Of m̂ and ŝ the hat stands on another letter than the sum they are made of has.
_LETTERS_WITH_HAT = {"squares": "s"}

_CONSTANTS = {"pi"}  # the same in every layer


@dataclass(frozen=True, slots=True)
class Symbol:
    """How a name is written, whatever it is written in.

    Attributes
    ----------
    letter : str
        One letter, or the words of a name that has none.
    accent : str
        What stands over it: "^" (an estimate, or standardized), "~" (after weight decay) or "".
    prime : bool
        Whether ′ stands behind it: the value after the update.
    about : str
        Letter or word that stands under it, before the layer: what an optimizer remembers of W is
        v with a W under it.
    subscript : str
        The layer, from 1: ``"2"``, and ``"2.1"`` for the first layer inside the second.
    index : tuple of int or None
        Which number of the array, from 0 as in NumPy.
    is_derivative : bool
        Whether ∂L/∂ this is meant.
    is_part : bool
        Whether it is the part of a derivative that comes by one place alone, and without penalty.
    is_clipped : bool
        Whether it has been clipped.
    """

    letter: str
    accent: str = ""
    prime: bool = False
    about: str = ""
    subscript: str = ""
    index: Index | None = None
    is_derivative: bool = False
    is_part: bool = False
    is_clipped: bool = False

    @property
    def loss(self) -> Symbol:
        """What a derivative is of: the loss L; for a part, D, what the data make of it."""
        return Symbol("D" if self.is_part else "L")


def symbol_of(name: Name) -> Symbol:
    """Find the symbol of a name.

    ``d_`` before a field is the loss's derivative with respect to it, ``clipped_d_`` that after
    clipping, ``new_`` the value after the update and ``decayed_`` that after weight decay. ``_hat``
    behind it puts the hat on, ``_here`` says that a layer in several places is meant in this one,
    and ``velocity_of_weights`` is what the optimizer remembers of the weights.
    """
    field, is_clipped = _without("clipped_", name.field)
    field, is_derivative = _without("d_", field)
    field, prime = _without("new_", field)
    field, is_decayed = _without("decayed_", field)
    is_part = field.endswith("_here")
    field = field.removesuffix("_here") or field
    letters = _LETTERS if name.path else _LETTERS_OF_THE_NETWORK
    about = ""
    if field not in letters and field not in _LETTERS_OF_THE_NETWORK:
        remembered, _, owner = field.rpartition("_of_")
        if remembered and owner:
            field, about, letters = remembered, _LETTERS.get(owner, owner), _LETTERS_OF_THE_NETWORK
    plain = field.removesuffix("_hat") or field
    has_hat = plain != field
    letter = (has_hat and _LETTERS_WITH_HAT.get(plain)) or letters.get(plain)
    letter, _, own = letter.partition("_") if letter else (_in_words(plain), "", "")
    place = ".".join(str(number + 1) for number in name.path)
    return Symbol(
        letter=letter,
        accent="^" if has_hat else "~" if is_decayed else "",
        prime=prime,
        about=_in_words(about or own),
        subscript="" if plain in _CONSTANTS else place,
        index=name.index or None,
        is_derivative=is_derivative,
        is_part=is_part,
        is_clipped=is_clipped,
    )


def _without(prefix: str, field: str) -> tuple[str, bool]:
    rest = field.removeprefix(prefix)
    return (rest, True) if rest and rest != field else (field, False)


def _in_words(field: str) -> str:
    return field.replace("_", " ").strip() or field

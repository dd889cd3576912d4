"""Plain words in LaTeX: what TeX would take for commands, and letters its fonts lack."""

from __future__ import annotations

GREEK = {
    "α": r"\alpha",
    "β": r"\beta",
    "γ": r"\gamma",
    "δ": r"\delta",
    "ε": r"\epsilon",
    "ζ": r"\zeta",
    "η": r"\eta",
    "θ": r"\theta",
    "κ": r"\kappa",
    "λ": r"\lambda",
    "μ": r"\mu",
    "π": r"\pi",
    "ρ": r"\rho",
    "σ": r"\sigma",
    "τ": r"\tau",
    "φ": r"\phi",
    "ω": r"\omega",
    "Δ": r"\Delta",
    "Σ": r"\Sigma",
    "ℓ": r"\ell",
}

_COMMANDS = {
    "\\": r"\textbackslash{}",
    "{": r"\{",
    "}": r"\}",
    "$": r"\$",
    "&": r"\&",
    "#": r"\#",
    "%": r"\%",
    "_": r"\_",
    "^": r"\textasciicircum{}",
    "~": r"\textasciitilde{}",
    "<": r"\ensuremath{<}",
    ">": r"\ensuremath{>}",
    "|": r"\textbar{}",
    '"': "''",
    "…": r"\dots{}",
}

_SIGNS = {
    "∂": r"\partial",
    "∇": r"\nabla",
    "√": r"\surd",
    "·": r"\cdot",
    "×": r"\times",
    "⋆": r"\star",
    "±": r"\pm",
    "−": "-",
    "≤": r"\le",
    "≥": r"\ge",
    "≠": r"\ne",
    "≈": r"\approx",
    "∞": r"\infty",
    "→": r"\rightarrow",
    "←": r"\leftarrow",
    "′": "'",
    "ᵀ": "^{T}",
    **{sign: f"^{{{digit}}}" for digit, sign in zip("0123456789-", "⁰¹²³⁴⁵⁶⁷⁸⁹⁻", strict=True)},
    **{sign: f"_{{{digit}}}" for digit, sign in enumerate("₀₁₂₃₄₅₆₇₈₉")},
}

_TABLE = str.maketrans(
    {
        **_COMMANDS,
        **{sign: rf"\ensuremath{{{command}}}" for sign, command in (GREEK | _SIGNS).items()},
        "\u0302": "",  # a hat over a letter that has none of its own in TeX's text fonts
    }
)


def in_latex(words: str) -> str:
    """Write words so that LaTeX prints them as they are.

    Letters of other scripts stay: a document with them needs lualatex or xelatex.
    """
    return words.translate(_TABLE)

"""Documents as HTML: one page that needs nothing else, or a part of a notebook.

Formulas are MathML and sections are ``details``, so that nothing has to be loaded or run. The page
says so itself: its content security policy forbids every reference to somewhere else.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Sequence
from html import escape

from chainrule.explain.document import (
    Block,
    Document,
    Equation,
    Picture,
    Section,
    Table,
    Text,
    Words,
)
from chainrule.explain.expression import Expression
from chainrule.explain.forms.mathml import MathmlPrinter, to_mathml
from chainrule.explain.forms.numbers import Digits
from chainrule.explain.forms.style import CLASS, PAGE_RULES, RULES, SCRIPT
from chainrule.explain.forms.words import (
    cell,
    is_value,
    number_columns,
    sentence,
    set_out,
    with_code,
)

_POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src 'unsafe-inline'"
_BEFORE_PUNCTUATION = re.compile(r"</math>(?=[.,;:!?)\]%’])")
_JOINED = "\u2060"
_DEEPEST_HEADING = 6


def to_html(document: Document) -> str:
    """Write a page: well-formed XML too, with its style and no reference to anything outside."""
    has_sections = any(isinstance(block, Section) for block in document.blocks)
    buttons = (
        '<nav hidden="hidden"><button type="button">Unfold all</button>'
        '<button type="button">Fold all</button></nav>\n'
    )
    return f"""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8"/>
<meta http-equiv="Content-Security-Policy" content="{_POLICY}"/>
<meta name="viewport" content="width=device-width, initial-scale=1"/>
<title>{escape(document.title)}</title>
<style>{RULES}{PAGE_RULES}</style>
</head>
<body>
<main class="{CLASS}">
<h1>{escape(document.title)}</h1>
{buttons if has_sections else ""}{_blocks(document.blocks, 0)}
</main>
{f"<script>{SCRIPT}</script>" if has_sections else ""}
</body>
</html>
"""


def to_fragment(document: Document | Block) -> str:
    """Write a part of a notebook: no script, and a style that touches nothing else."""
    if isinstance(document, Document):
        body = f"<h1>{escape(document.title)}</h1>\n{_blocks(document.blocks, 0)}"
    else:
        body = _block(document, 0)
    return f'<div class="{CLASS}">\n<style>{RULES}</style>\n{body}\n</div>\n'


def _blocks(blocks: Sequence[Block], depth: int) -> str:
    return "\n".join(_block(block, depth) for block in blocks)


def _block(block: Block, depth: int) -> str:
    match block:
        case Text(words) if set_out(words):
            return f"<pre>{escape(chr(10).join(set_out(words)))}</pre>"
        case Text(words, tone):
            kind = "" if tone == "normal" else f' class="{escape(tone)}"'
            return f"<p{kind}>{_sentence(words)}</p>"
        case Equation():
            return _equation(block)
        case Table():
            return _table(block)
        case Picture(svg, description):
            # An image cannot run scripts or load anything, whatever the drawing holds.
            data = base64.b64encode(svg.encode()).decode()
            source = f"data:image/svg+xml;base64,{data}"
            return f'<figure><img alt="{escape(description)}" src="{source}"/></figure>'
        case Section(title, blocks, is_open):
            heading = f"h{min(depth + 2, _DEEPEST_HEADING)}"
            opened = ' open="open"' if is_open else ""
            return (
                f"<details{opened}>"
                f"<summary><{heading}>{_sentence(title)}</{heading}></summary>\n"
                f'<div class="inside">\n{_blocks(blocks, depth + 1)}\n</div></details>'
            )


def _words(words: str) -> str:
    return with_code(words, escape, lambda code: f"<code>{escape(code)}</code>")


def _sentence(words: Sequence[Words]) -> str:
    # A line would otherwise end between a formula and the full stop behind it.
    return _BEFORE_PUNCTUATION.sub(rf"\g<0>{_JOINED}", sentence(words, _words, to_mathml))


def _equation(equation: Equation) -> str:
    note = f'<wbr/><span class="note">{escape(equation.note)}</span>' if equation.note else ""
    left = MathmlPrinter().pieces(equation.left)
    written = "<wbr/>".join(map(_display, _with_forms(left)))
    if not equation.steps:
        return f'<div class="equation long"><div class="left">{written}{note}</div></div>'
    kind = "equation" if len(left) == 1 else "equation long"
    parts = [f'<div class="{kind}"><div class="left">{written}</div>']
    for step in equation.steps:
        kind = "step value" if is_value(equation, step) else "step"
        parts.append(f'<div class="{kind}">{_step(step)}{note}</div>')
        note = ""
    return f"{''.join(parts)}</div>"


def _step(step: Expression) -> str:
    """Write what stands after an equals sign in pieces, between which the line may end."""
    first, *others = _with_forms(MathmlPrinter().pieces(step))
    return "<wbr/>".join(map(_display, [f"<mo>=</mo>{first}", *others]))


def _with_forms(pieces: list[str]) -> list[str]:
    """Say of each sign what it means, which its place in a row says no more."""
    first, *others = pieces
    if first.startswith("<mo>−"):
        first = first.replace("<mo>", '<mo form="prefix">', 1)
    return [first, *(piece.replace("<mo>", '<mo form="infix">', 1) for piece in others)]


def _display(written: str) -> str:
    return f'<math displaystyle="true">{written}</math>'


def _number(digits: Digits) -> str:
    """Write a number in a cell; most are plain text, of which a page may hold thousands."""
    if digits.exponent is None and not digits.special:
        return f"{'−' if digits.is_negative else ''}{digits.digits}"
    return f"<math>{MathmlPrinter().digits(digits)}</math>"


def _table(table: Table) -> str:
    kinds = [' class="number"' if right else "" for right in number_columns(table)]
    caption = f"<caption>{escape(table.caption)}</caption>" if table.caption else ""
    headings = "".join(
        f'<th scope="col"{kind}>{escape(heading)}</th>'
        for heading, kind in zip(table.headings, kinds, strict=True)
    )
    rows = "\n".join(
        "<tr>"
        + "".join(
            f"<td{kind}>{cell(content, escape, to_mathml, _number)}</td>"
            for content, kind in zip(row, kinds, strict=True)
        )
        + "</tr>"
        for row in table.rows
    )
    return (
        f'<div class="wide"><table>{caption}\n<thead><tr>{headings}</tr></thead>\n'
        f"<tbody>\n{rows}\n</tbody></table></div>"
    )

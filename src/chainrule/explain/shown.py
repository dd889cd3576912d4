"""What can be shown in every form: as text, in a notebook, as LaTeX, Markdown or a page."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from chainrule.files import check_writable, write_atomically

if TYPE_CHECKING:
    from chainrule.explain.document import Document


class Shown:
    """Base of what has a ``document()``."""

    def document(self) -> Document:
        """What there is to say, for any form."""
        raise NotImplementedError

    @cached_property
    def _told(self) -> Document:
        """The document; nothing that it is made of changes any more."""
        return self.document()

    def to_text(self, width: int = 80) -> str:
        """Plain text of that width."""
        return _form("terminal").to_text(self._told, width)

    def to_markdown(self) -> str:
        """Markdown with LaTeX formulas, as GitHub and Jupyter show them."""
        return _form("markdown").to_markdown(self._told)

    def to_latex(self, *, whole: bool = False) -> str:
        """LaTeX to be put into a document, or with ``whole`` a document of its own."""
        return _form("latex").to_latex(self._told, whole=whole)

    def to_html(self) -> str:
        """One page that needs nothing else: no network, no script, no fonts."""
        return _form("html").to_html(self._told)

    def save(self, path: str | Path) -> Path:
        """Write it to a file, in one go; the suffix decides the form.

        Parameters
        ----------
        path : str or path-like
            Ends in ``.html``, ``.md``, ``.tex`` or ``.txt``; ``.json`` for a whole explanation.

        Raises
        ------
        InvalidSetting
            For another suffix or a place that cannot be written to; nothing is written.
        """
        forms = self._forms()
        target = check_writable(Path(path), suffixes=tuple(forms))
        write_atomically(target, forms[target.suffix.lower()]().encode())
        return target

    def _forms(self) -> dict[str, Callable[[], str]]:
        return {
            ".html": self.to_html,
            ".md": self.to_markdown,
            ".tex": lambda: self.to_latex(whole=True),
            ".txt": self.to_text,
        }

    def _repr_html_(self) -> str:
        return _form("html").to_fragment(self._told)

    def __str__(self) -> str:
        return self.to_text()

    def __repr__(self) -> str:
        return self.to_text()


def _form(name: str) -> Any:
    """Load a form when it is first asked for: most explanations are only printed."""
    return importlib.import_module(f"chainrule.explain.forms.{name}")

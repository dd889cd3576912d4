"""The progress bar: there when a person watches, silent in scripts."""

from __future__ import annotations

import sys
import time
from typing import Any, Literal

from chainrule.errors import InvalidSetting, MissingPackage, optional_package

Progress = bool | Literal["auto"]

_SECONDS_BETWEEN_UPDATES = 0.1


class ProgressBar:
    """A bar over a known number of steps, by tqdm.

    Parameters
    ----------
    total : int
        Number of steps.
    show : bool or "auto"
        "auto" shows it where a person watches: in a terminal or a notebook.
    unit : str
        What one step is called.
    """

    def __init__(self, total: int, show: Progress, unit: str) -> None:
        self._bar: Any = None
        self._done = 0
        self._next = time.perf_counter() + _SECONDS_BETWEEN_UPDATES
        if show is False or sys.stderr is None or (show == "auto" and not _someone_watches()):
            return
        try:
            tqdm = optional_package("tqdm", "A progress bar")
        except MissingPackage:
            return  # nobody asked for it by name: check_progress would have told them
        self._bar = tqdm.tqdm(total=total, unit=f" {unit}", leave=True, mininterval=0)

    def step(self, loss: float, steps: int = 1) -> None:
        """Count steps; the bar itself is drawn ten times a second at most."""
        self._done += steps
        if self._bar is not None and time.perf_counter() >= self._next:
            self._draw(loss)

    def tell(self, what: str) -> None:
        """Say what goes on while there is no step to count."""
        if self._bar is not None:
            self._bar.set_postfix_str(what)

    def close(self, loss: float) -> None:
        """Draw the last state and leave it standing."""
        if self._bar is not None:
            self._draw(loss)
            self._bar.close()

    def _draw(self, loss: float) -> None:
        self._bar.set_postfix_str(f"loss {loss:.4g}", refresh=False)
        self._bar.n += self._done
        self._bar.refresh()
        self._done = 0
        self._next = time.perf_counter() + _SECONDS_BETWEEN_UPDATES


def check_progress(progress: Any) -> Progress:
    """Check True, False or "auto"; True needs tqdm."""
    if not isinstance(progress, bool | str) or progress not in (True, False, "auto"):
        raise InvalidSetting(f"progress must be True, False or 'auto'; received {progress!r}.")
    if progress is True:
        optional_package("tqdm", "A progress bar")
    return progress  # type: ignore[return-value]  # one of the three, as just checked


def _someone_watches() -> bool:
    in_notebook = "ipykernel" in sys.modules
    return in_notebook or sys.stderr.isatty()

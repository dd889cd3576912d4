"""Ctrl-C that waits for the end of the step, so that no update is left half done."""

from __future__ import annotations

import signal
import threading
from types import FrameType, TracebackType
from typing import Any

INTERRUPTED = "interrupted by Ctrl-C"  # why such a training stopped


class GracefulInterrupt:
    """While active, the first Ctrl-C only sets ``requested``; a second one interrupts at once.

    Works in the main thread, where Python delivers signals; elsewhere it does nothing.
    """

    def __init__(self) -> None:
        self.requested = False
        self._previous: Any = None

    def __enter__(self) -> GracefulInterrupt:
        if threading.current_thread() is threading.main_thread():
            self._previous = signal.getsignal(signal.SIGINT)
            # A program that has its own idea of Ctrl-C keeps it.
            if self._previous is signal.default_int_handler:
                signal.signal(signal.SIGINT, self._request)
            else:
                self._previous = None
        return self

    def _request(self, number: int, frame: FrameType | None) -> None:
        if self.requested:
            raise KeyboardInterrupt
        self.requested = True

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._previous is not None:
            signal.signal(signal.SIGINT, self._previous)

"""Threads that make the steps of one training together, and BLAS on one thread meanwhile.

The engine cuts the work itself, so BLAS must not cut it again: its threads and ours would wait for
each other. What the user had set comes back when the last training ends.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from types import TracebackType
from typing import Any

import threadpoolctl

_lock = threading.Lock()
_users = 0
_controller: Any = None  # finding the libraries takes a millisecond, so it is done once
_limits: Any = None


def available_threads() -> int:
    """Cores that this process may use, and no more than ``OMP_NUM_THREADS`` allows."""
    try:
        cores = len(os.sched_getaffinity(0))
    except AttributeError:  # pragma: no cover  # not on macOS and Windows
        cores = os.cpu_count() or 1
    allowed = os.environ.get("OMP_NUM_THREADS", "")
    return min(cores, int(allowed)) if allowed.isdigit() and int(allowed) else cores


class Workers:
    """A number of threads, of which the calling one is the first.

    They live as long as a training, not longer: a process that is forked afterwards has lost
    nothing.

    Parameters
    ----------
    threads : int
    use_blas : bool, default True
        Whether they call BLAS.
    """

    def __init__(self, threads: int, *, use_blas: bool = True) -> None:
        self.threads = threads
        self.use_blas = use_blas
        self._pool: ThreadPoolExecutor | None = None

    def __enter__(self) -> Workers:
        if self.use_blas:
            limit_blas()
        if self.threads > 1:  # its threads start when they are first needed
            self._pool = ThreadPoolExecutor(self.threads - 1, "chainrule")
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._pool is not None:
            self._pool.shutdown()
        if self.use_blas:
            restore_blas()

    def run(self, function: Callable[[int, int], Any], threads: int) -> Any:
        """Call ``function(thread, threads)`` for so many threads at once.

        Returns
        -------
        object
            What the calling thread's own call gave.
        """
        if threads == 1 or self._pool is None:
            return function(0, 1)
        others = [self._pool.submit(function, thread, threads) for thread in range(1, threads)]
        found = function(0, threads)
        for other in others:
            other.result()
        return found


def limit_blas() -> None:
    """Let BLAS use one thread from now on."""
    global _users, _controller, _limits
    with _lock:
        _users += 1
        if _users == 1:
            _controller = _controller or threadpoolctl.ThreadpoolController()
            _limits = _controller.limit(limits=1, user_api="blas")


def restore_blas() -> None:
    """Give BLAS its threads back, once nobody needs it to have one any more."""
    global _users, _limits
    with _lock:
        _users -= 1
        if _users == 0:
            _limits.restore_original_limits()
            _limits = None

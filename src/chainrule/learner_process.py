"""A process for a learner's program, apart from ours, that ends with everything it started.

It has a session of its own, so that one signal reaches all the processes of that session; an empty
folder to work in; one thread for products of matrices and a fixed seed for hashes, so that a run
can be repeated. What it may use of memory and processor time it limits itself, before any line of
the learner's; its time on the wall is limited by whoever reads its answer.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence

_SETTINGS = {
    "OPENBLAS_NUM_THREADS": "1",
    "OMP_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "PYTHONHASHSEED": "0",
}


@contextlib.contextmanager
def learner_process(
    arguments: Sequence[str], request: bytes, *, stdout: int, pass_fds: Sequence[int] = ()
) -> Iterator[subprocess.Popen[bytes]]:
    """Start Python and give it a request; on leaving, end it and everything that it started.

    Parameters
    ----------
    arguments : sequence of str
        For Python: a module or a file of ours, which reads standard input before it does anything.
    request : bytes
        What it reads there.
    stdout : int
        ``subprocess.PIPE`` or ``subprocess.DEVNULL``.
    pass_fds : sequence of int
        Descriptors that it inherits.

    Yields
    ------
    subprocess.Popen
        Its ``returncode`` is known after leaving.
    """
    with tempfile.TemporaryDirectory(prefix="chainrule-learner-") as folder:
        process = subprocess.Popen(  # noqa: S603 - our own module
            [sys.executable, *arguments],
            stdin=subprocess.PIPE,
            stdout=stdout,
            stderr=subprocess.DEVNULL,
            pass_fds=pass_fds,
            start_new_session=True,
            cwd=folder,
            env=os.environ | _SETTINGS,
        )
        try:
            assert process.stdin is not None  # noqa: S101 - asked for above
            # Where it is gone already writing fails, and so does closing, which still closes.
            with contextlib.suppress(OSError), process.stdin:
                process.stdin.write(request)
            yield process
        finally:
            _end(process)


def _end(process: subprocess.Popen[bytes]) -> None:
    with contextlib.suppress(OSError):
        if hasattr(os, "killpg"):
            os.killpg(process.pid, signal.SIGKILL)
        else:
            process.kill()
    process.wait()

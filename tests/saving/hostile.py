"""A process of its own that opens files made to do harm, and is watched while it does.

The operating system allows it twice the file's size and 50 MB of address space beyond what it had
before (RLIMIT_AS); asking for more ends in MemoryError, not in an error of chainrule. Time is that
of the processor, there and in processes that it starts: how long a busy computer takes says nothing
of a file.
"""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from pathlib import Path
from types import TracebackType
from typing import Self

# Opens one good file, so that all is loaded. Then reads lines "path", and answers each with
# seconds, and the error or "loaded".
_CHILD = """
import os, resource, sys, time
import chainrule as cr
cr.layers.load_all()

def seconds():
    found = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.process_time() + found.ru_utime + found.ru_stime

{opening}

opened(sys.argv[1])
for line in sys.stdin:
    path = line.strip()
    pages = int(open("/proc/self/statm").read().split()[0])
    most = pages * resource.getpagesize() + 2 * os.path.getsize(path) + 50 * 2**20
    resource.setrlimit(resource.RLIMIT_AS, (most, resource.RLIM_INFINITY))
    began = seconds()
    try:
        opened(path)
        told = "loaded"
    except BaseException as error:
        told = type(error).__name__ + ": " + str(error)
    took = seconds() - began
    resource.setrlimit(resource.RLIMIT_AS, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    print(took, ascii(told[:900]), flush=True)
"""


class Opener:
    """The process.

    Parameters
    ----------
    opening : str
        The code of ``opened(path)``; ``cr`` is there.
    good : Path
        A file that can be opened.
    """

    def __init__(self, opening: str, good: Path) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", _CHILD.replace("{opening}", opening), str(good)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=os.environ | {"OPENBLAS_NUM_THREADS": "1"},
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.process.__exit__(kind, error, traceback)

    def told(self, path: Path) -> tuple[str, float]:
        """Open a file: what came of it, as ``"UnreadableFile: ..."``, and the seconds it took."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(f"{path}\n")
        self.process.stdin.flush()
        seconds, told = self.process.stdout.readline().split(" ", 1)
        return ast.literal_eval(told), float(seconds)

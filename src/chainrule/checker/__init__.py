"""Finds the wrong factor in networks that people write themselves.

``chainrule.check("my_network.py")`` runs the file in a process of its own, watches every value it
computes, and says whether its training steps are right, and if not, what is wrong in which line.
Read ``checking.py`` first.
"""

from __future__ import annotations

import inspect
import textwrap
from pathlib import Path
from typing import Any

from chainrule.checker.checking import check_source
from chainrule.checker.source import Source, read
from chainrule.checker.verdict import Verdict
from chainrule.errors import InvalidInput

__all__ = ["Verdict", "check", "check_source"]


def check(network: str | Path | type | Any) -> Verdict:
    """Check a network that somebody wrote from scratch.

    Parameters
    ----------
    network : path, class or function
        A Python file or notebook; or a class or function, whose source is then checked (with its
        file around it, where there is one).

    Returns
    -------
    Verdict
        ``print`` it to read the answer.

    Raises
    ------
    UnreadableFile
        When the file is absent or not text.
    InvalidInput
        When the source of a class cannot be found.
    """
    if isinstance(network, str | Path):
        return check_source(read(Path(network)))
    try:
        file = inspect.getsourcefile(network)
        if file is not None and Path(file).is_file():
            return check_source(read(Path(file)))
        text = textwrap.dedent(inspect.getsource(network))
    except (TypeError, OSError) as error:
        raise InvalidInput(
            f"The source of {network!r} cannot be found ({error}). Expected the path of a file, or "
            "a class or function that was defined in one."
        ) from error
    return check_source(Source(Path("notebook.py"), "import numpy as np\n" + text))

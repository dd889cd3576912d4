"""Where the pictures of a command go."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from chainrule import plots
from chainrule.errors import InvalidSetting
from chainrule.files import check_writable


def save_picture(draw: Callable[[], Any], asked: Path | None, name: Path) -> Path:
    """Save a picture where asked, else under its name here, else in a new temporary folder."""
    if asked is None:
        try:
            asked = check_writable(name).resolve()
        except InvalidSetting:
            asked = Path(tempfile.mkdtemp(prefix="chainrule-")) / name
    return plots.save(draw(), asked)

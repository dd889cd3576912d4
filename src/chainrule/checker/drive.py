"""Calls a learner's network from outside, where the file itself trains nothing."""

from __future__ import annotations

import ast
from types import ModuleType
from typing import Any


def define(tree: ast.Module, filename: str, module: ModuleType) -> None:
    """Run the top of the file statement by statement; one that fails does not stop the others."""
    raise NotImplementedError


def drive(module: ModuleType, request: dict[str, Any], recorder: Any) -> None:
    """Try calling conventions."""
    raise NotImplementedError

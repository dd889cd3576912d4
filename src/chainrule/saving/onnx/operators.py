"""Which function reads which of ONNX's operators, and how these see images."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, TypeAlias

from chainrule.saving.onnx.chain import Value
from chainrule.saving.onnx.node import Node

if TYPE_CHECKING:
    from chainrule.saving.onnx.reader import Reader

Read: TypeAlias = "Callable[[Reader, Node], Value]"

READS: dict[str, Read] = {}
# Operators that take the second axis for the channels, and those that do not mind.
CHANNELS_FIRST: set[str] = set()
ANY_LAYOUT: set[str] = set()


def reads(
    *operators: str, channels_first: bool = False, any_layout: bool = False
) -> Callable[[Read], Read]:
    """Say of a function that it reads nodes of these operators.

    Parameters
    ----------
    *operators : str
    channels_first : bool, default False
        Whether they take the second axis for the channels.
    any_layout : bool, default False
        Whether they work on each number by itself, however images stand.
    """

    def register(function: Read) -> Read:
        READS.update(dict.fromkeys(operators, function))
        for group, member in ((CHANNELS_FIRST, channels_first), (ANY_LAYOUT, any_layout)):
            group.update(operators if member else ())
        return function

    return register

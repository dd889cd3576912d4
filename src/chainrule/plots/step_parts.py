"""What the picture of a step is made of: boxes, what flows between them, and ways around."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass
class Box:
    """The inputs, a layer, the beginning or end of a residual one, or the loss.

    Attributes
    ----------
    title : str
    text : str
        What it is, with its settings.
    rows : list of (str, str)
        What stands on the left and on the right of each further line: a parameter, the length of
        its gradient.
    depth : int
        How many residual layers it stands in.
    """

    title: str
    text: str
    rows: list[tuple[str, str]] = field(default_factory=list)
    depth: int = 0


@dataclass
class Flow:
    """What passes from one box to the next, and the gradient that comes back.

    Attributes
    ----------
    forward, back : float
        Length of what flows and of its gradient.
    shape : str
        Of the array, with its batch axis.
    forward_label, back_label : str
    """

    forward: float
    back: float
    shape: str
    forward_label: str
    back_label: str


@dataclass
class WayAround:
    """What passes beside the layers of a residual one.

    Attributes
    ----------
    first, last : int
        Numbers of the boxes where it leaves and returns.
    forward, back : float
        Length of what is added, and of the gradient that comes back this way.
    depth : int
        How many residual layers it stands in, with its own.
    """

    first: int
    last: int
    forward: float
    back: float
    depth: int


@dataclass
class StepFlow:
    """Everything that the picture shows.

    Attributes
    ----------
    loss : float
    boxes : list of Box
        From the inputs to the loss.
    flows : list of Flow
        ``flows[i]`` leads from ``boxes[i]`` to the next.
    ways : list of WayAround
    """

    loss: float
    boxes: list[Box] = field(default_factory=list)
    flows: list[Flow] = field(default_factory=list)
    ways: list[WayAround] = field(default_factory=list)

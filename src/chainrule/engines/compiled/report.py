"""What the compiled engine did: layer by layer, what ran on what and how long it took."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from chainrule.engines.compiled.kernel import OWNER, TICKS
from chainrule.engines.compiled.program import Program
from chainrule.layer import Layer


@dataclass(frozen=True)
class Report:
    """A table of the last step.

    Attributes
    ----------
    lines : list of (str, str, float)
        Name of a layer (or of what comes between and after), what it ran on, and its part of the
        step's time, from 0 to 1.
    threads : int
    buffer_bytes : int
        Memory for intermediate numbers and gradients.
    product_share : float
        Part of the time spent in kernels that multiply matrices.
    """

    lines: list[tuple[str, str, float]]
    threads: int
    buffer_bytes: int
    product_share: float

    def __str__(self) -> str:
        width = max(len(name) for name, _, _ in self.lines)
        rows = "\n".join(
            f"{name:<{width}}  {100 * share:5.1f} %  {engine}" for name, engine, share in self.lines
        )
        return (
            f"compiled engine, {self.threads} thread{'s' if self.threads > 1 else ''}, "
            f"{self.buffer_bytes / 1e6:.1f} MB of buffers, "
            f"{100 * self.product_share:.0f} % of the time in matrix products\n{rows}"
        )


def report_of(program: Program, layers: Sequence[Layer], python: set[int]) -> Report:
    """Read the report of a program from the ticks of its last step.

    Parameters
    ----------
    program : Program
    layers : sequence of Layer
    python : set of int
        Positions of the layers that ran by their reference code.
    """
    ticks = program.ops[:, TICKS].astype(float)
    total = max(float(ticks.sum()), 1.0)
    owners = program.ops[:, OWNER]
    lines = []
    for position, layer in enumerate(layers):
        engine = "reference (NumPy)" if position in python else "compiled"
        share = float(ticks[owners == position].sum()) / total
        lines.append((f"layer {position + 1}: {layer!r}", engine, share))
    rest = float(ticks[owners >= len(layers)].sum()) / total
    lines.append(("samples, loss and update", "compiled", rest))
    kernels = [op.kernel.function for phase in program.plan.phases for op in phase.ops]
    products = [_multiplies_matrices(function) for function in kernels]
    product_ticks = sum(
        float(t) for t, is_product in zip(ticks, products, strict=False) if is_product
    )
    return Report(lines, program.threads, program.bytes, product_ticks / total)


def _multiplies_matrices(function: Callable[..., Any], depth: int = 3) -> bool:
    """Whether a kernel, or a function that it calls, calls ``gemm``."""
    names = function.__code__.co_names
    if "gemm" in names:
        return True
    known: dict[str, Any] = function.__globals__
    called = [known[name] for name in names if hasattr(known.get(name), "__code__")]
    return depth > 0 and any(_multiplies_matrices(inner, depth - 1) for inner in called)

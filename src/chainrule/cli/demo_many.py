"""``chainrule demo --seeds N``: the truth table from many starts, and how many learn it."""

from __future__ import annotations

import functools
import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from chainrule.cli.pictures import save_picture
from chainrule.cli.terminal import console, loss_graph
from chainrule.data import reference_weights
from chainrule.layer import Array
from chainrule.many import train_many
from chainrule.many_trainings import ManyTrainings
from chainrule.network import NeuralNetwork

_PICTURE = Path("chainrule-demo-losses.png")
_WRONG_BY = 0.5
_MOST_NAMED = 20


def demo_many(
    network: NeuralNetwork,
    X: Array,
    y: Array,
    seeds: int,
    iterations: int,
    plot: Path | None,
    *,
    no_bias: bool,
    as_json: bool,
) -> None:
    """Train from the seeds 0 ... seeds - 1, and print which of them learned the table."""
    many = train_many(
        network,
        X,
        y,
        seeds=seeds,
        starts=_textbook_starts(seeds, network) if no_bias else None,
        epochs=iterations,
        batch_size=None,
        progress=False if as_json else "auto",
    )
    wrong_by = np.abs(many.predict(X)[:, :, 0] - y).max(axis=1)
    learned = wrong_by < _WRONG_BY
    failed = many.seeds[~learned].tolist()
    draw = functools.partial(many.plot, ~learned)
    if as_json:
        if plot is not None:
            save_picture(draw, plot, _PICTURE)
        print(_as_json(many, learned, failed))
        return
    out = console()
    out.print(loss_graph(np.median(many.losses, axis=0)))
    out.print(
        f"\n{int(learned.sum()):,} of {len(many):,} networks learned the table in {iterations:,} "
        f"iterations; together they took {many.seconds:.2g} seconds ({many.engine} engine).",
        soft_wrap=True,
    )
    if failed:
        out.print(f"Not from {_told(failed)}: there the way downhill is blocked.", soft_wrap=True)
        flags = " --no-bias" if no_bias else ""
        out.print(f"Watch one of them: chainrule demo{flags} --seed {failed[0]}", soft_wrap=True)
    out.print(f"All loss curves: {save_picture(draw, plot, _PICTURE)}", soft_wrap=True)


def _textbook_starts(seeds: int, network: NeuralNetwork) -> Array:
    hidden = network.shapes[1][0]
    return np.array(
        [
            np.concatenate([weights.ravel() for weights in reference_weights(seed, hidden)])
            for seed in range(seeds)
        ]
    )


def _told(seeds: Sequence[int]) -> str:
    """``seed 67``, ``seeds 3, 8 and 12``, or the first twenty of many."""
    if len(seeds) == 1:
        return f"seed {seeds[0]}"
    if len(seeds) > _MOST_NAMED:
        shown = ", ".join(map(str, seeds[:_MOST_NAMED]))
        return f"{len(seeds):,} seeds, {shown}, ..."
    return f"seeds {', '.join(map(str, seeds[:-1]))} and {seeds[-1]}"


def _as_json(many: ManyTrainings, learned: Array, failed: list[int]) -> str:
    return json.dumps(
        {
            "networks": len(many),
            "learned": int(learned.sum()),
            "failed_seeds": failed,
            "last_losses": many.losses[:, -1].tolist(),
            "engine": many.engine,
            "seconds": many.seconds,
        }
    )

"""Run in a new process: one step of a network by one engine; prints seconds and loss."""

from __future__ import annotations

import sys
import time

import numpy as np

from chainrule.models import MODELS

_IMAGES = 64


def main() -> None:
    """Make one step."""
    model, engine = sys.argv[1:]
    random = np.random.default_rng(0)
    x = random.random((_IMAGES, 28, 28, 1), dtype=np.float32)
    y = np.arange(_IMAGES) % 10
    settings = {"dropout": 0.0} if model == "small-cnn" else {}
    network = MODELS[model](**settings, inputs=x.shape[1:], engine=engine)
    began = time.perf_counter()
    history = network.fit(x, y, epochs=1, batch_size=_IMAGES, progress=False)
    print(time.perf_counter() - began, history.losses[0])


if __name__ == "__main__":
    main()

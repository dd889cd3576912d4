"""Peak memory of training on images that stay on disk."""

from __future__ import annotations

from benchmarks.targets import AtMostOver
from benchmarks.work import Work
from benchmarks.works.images.data import TRAINING_IMAGES
from benchmarks.works.memory.side import Interpreter, Training

WORK = Work(
    name="memory",
    title=f"peak memory of training small-cnn on {TRAINING_IMAGES:,} images on disk",
    setting="uint8 images as a memory-mapped array, an epoch in batches of 128; a new process",
    sides=(Training(), Interpreter()),
    unit="MB",
    targets=(AtMostOver(peer=Interpreter.name, enough=250e6, aim=100e6),),
    rounds=2,
)

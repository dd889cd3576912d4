"""Training the 784-128-10 network: ``side.py`` says what that is, the other files do it."""

from benchmarks.targets import Target
from benchmarks.work import Work
from benchmarks.works import mlp
from benchmarks.works.mlp_training.side import EPOCHS
from benchmarks.works.mlp_training.with_chainrule import Chainrule, ReferenceEngine
from benchmarks.works.mlp_training.with_jax import Jax
from benchmarks.works.mlp_training.with_numpy import PlainNumpy
from benchmarks.works.mlp_training.with_sklearn import ScikitLearn
from benchmarks.works.mlp_training.with_torch import Torch


def work(batch_size: int, *targets: Target) -> Work:
    """Return the training with batches of that size."""
    return Work(
        name=f"mlp-{batch_size}",
        title=f"training an MLP 784-128-10 in batches of {batch_size}",
        setting=(
            f"ReLU, softmax cross-entropy, Adam, float32; a run is {EPOCHS} epochs over "
            f"{mlp.TRAINING_ROWS:,} rows, newly shuffled"
        ),
        sides=(
            ReferenceEngine(batch_size),
            Chainrule(batch_size),
            PlainNumpy(batch_size),
            Torch(batch_size, "foreach"),
            Torch(batch_size, "fused"),
            ScikitLearn(batch_size),
            Jax(batch_size),
        ),
        tolerance=1e-4,
        score_tolerance=0.02,
        unit="samples/s",
        samples=EPOCHS * mlp.TRAINING_ROWS,
        targets=targets,
    )

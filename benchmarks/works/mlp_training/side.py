"""Training the 784-128-10 network: ReLU, softmax cross-entropy, Adam, shuffled batches, float32.

One run is three epochs over 12,800 rows, from the same starting weights each time. For the timing
every side shuffles in its own way. As evidence all train once on the batches that chainrule draws.
"""

from __future__ import annotations

from collections.abc import Iterator

from benchmarks.work import Evidence, Side
from benchmarks.works import mlp, orders

EPOCHS = 3
# Later, rounding puts some z on the other side of ReLU's corner in one library and not in another;
# then losses part by 1e-4 and more, though all learn the same.
STEPS_COMPARED = 50


class MLPTraining(Side):
    """A side that trains on given orders of the rows.

    Parameters
    ----------
    batch_size : int
    """

    def __init__(self, batch_size: int) -> None:
        self.batch_size = batch_size

    def evidence(self) -> Evidence:
        """Losses of the first steps on chainrule's batches, and the accuracy in the end."""
        self.reset()
        losses = self.train(orders.chainrules(mlp.TRAINING_ROWS, EPOCHS))
        compared = None if losses is None else losses[:STEPS_COMPARED]
        return Evidence(compared, mlp.test_accuracy(self.weights()))

    def run(self) -> None:
        """Train on orders of its own."""
        self.train(self.orders())

    def orders(self) -> Iterator[mlp.Array]:
        """A new order of the rows for each epoch, drawn as suits the library."""
        raise NotImplementedError(f"{type(self).__name__} defines no orders")

    def train(self, orders: Iterator[mlp.Array]) -> list[float] | None:
        """Train one epoch for each order. Returns the loss of every step where it is known."""
        raise NotImplementedError(f"{type(self).__name__} defines no train")

    def weights(self) -> mlp.Weights:
        """Return what training has made of the weights."""
        raise NotImplementedError(f"{type(self).__name__} defines no weights")

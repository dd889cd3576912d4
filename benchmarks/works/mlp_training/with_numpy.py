"""The 784-128-10 training written out in NumPy for this one network, as fast as that goes.

One flat vector of parameters and one of gradients, every array allocated ahead, every operation in
place. It is what a library built on NumPy can hope to reach.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from benchmarks.work import thread_counts
from benchmarks.works import mlp, orders
from benchmarks.works.mlp_training.side import EPOCHS, MLPTraining

RATE, MEAN_DECAY, SQUARE_DECAY, EPSILON = 0.001, 0.9, 0.999, 1e-8


class PlainNumpy(MLPTraining):
    """Forward, back and Adam, without a temporary array of any size."""

    name = "NumPy by hand"
    setting = "preallocated"
    threads = thread_counts()

    def prepare(self) -> None:
        batch, hidden, classes = self.batch_size, mlp.HIDDEN, mlp.CLASSES
        self.x = np.empty((batch, mlp.INPUTS), np.float32)
        self.y = np.empty(batch, np.int64)
        self.hidden, self.d_hidden = (np.empty((batch, hidden), np.float32) for _ in range(2))
        self.active = np.empty((batch, hidden), np.bool_)
        self.output = np.empty((batch, classes), np.float32)
        self.row_numbers = np.arange(batch)

    def reset(self) -> None:
        arrays = mlp.starting_weights()
        self.parameters = np.concatenate([array.ravel() for array in arrays])
        self.gradients, self.mean, self.mean_square, self.scratch = (
            np.zeros_like(self.parameters) for _ in range(4)
        )
        self.steps = 0

    def _views(self, vector: mlp.Array) -> mlp.Weights:
        shapes = [array.shape for array in mlp.starting_weights()]
        pieces = np.split(vector, np.cumsum([np.prod(shape) for shape in shapes])[:-1])
        first, second, third, fourth = (
            piece.reshape(shape) for piece, shape in zip(pieces, shapes, strict=True)
        )
        return first, second, third, fourth

    def orders(self) -> Iterator[mlp.Array]:
        return orders.numpys(mlp.TRAINING_ROWS, EPOCHS)

    def train(self, orders: Iterator[mlp.Array]) -> list[float]:
        weights, d_weights = self._views(self.parameters), self._views(self.gradients)
        losses = []
        for order in orders:
            for start in range(0, mlp.TRAINING_ROWS, self.batch_size):
                rows = order[start : start + self.batch_size]
                np.take(mlp.data().x, rows, axis=0, out=self.x, mode="clip")
                np.take(mlp.data().y, rows, out=self.y, mode="clip")
                losses.append(self._loss_and_gradients(weights, d_weights))
                self._adam()
        return losses

    def _loss_and_gradients(self, weights: mlp.Weights, d_weights: mlp.Weights) -> float:
        x, hidden, output, d_hidden = self.x, self.hidden, self.output, self.d_hidden
        weights1, bias1, weights2, bias2 = weights
        d_weights1, d_bias1, d_weights2, d_bias2 = d_weights

        np.matmul(x, weights1, out=hidden)
        hidden += bias1
        np.maximum(hidden, 0, out=hidden)
        np.matmul(hidden, weights2, out=output)
        output += bias2

        output -= output.max(axis=1, keepdims=True)
        np.exp(output, out=output)
        output /= output.sum(axis=1, keepdims=True)
        loss = -float(np.log(output[self.row_numbers, self.y]).mean())

        d_z2 = output
        d_z2[self.row_numbers, self.y] -= 1
        d_z2 /= self.batch_size
        np.matmul(hidden.T, d_z2, out=d_weights2)
        d_z2.sum(axis=0, out=d_bias2)
        np.matmul(d_z2, weights2.T, out=d_hidden)
        np.greater(hidden, 0, out=self.active)
        d_hidden *= self.active
        np.matmul(x.T, d_hidden, out=d_weights1)
        d_hidden.sum(axis=0, out=d_bias1)
        return loss

    def _adam(self) -> None:
        gradients, mean, square, scratch = (
            self.gradients,
            self.mean,
            self.mean_square,
            self.scratch,
        )
        self.steps += 1
        mean *= MEAN_DECAY
        np.multiply(gradients, 1 - MEAN_DECAY, out=scratch)
        mean += scratch
        square *= SQUARE_DECAY
        np.multiply(gradients, gradients, out=scratch)
        scratch *= 1 - SQUARE_DECAY
        square += scratch
        root_correction = (1 - SQUARE_DECAY**self.steps) ** 0.5
        np.sqrt(square, out=scratch)
        scratch += EPSILON * root_correction
        np.divide(mean, scratch, out=scratch)
        scratch *= RATE * root_correction / (1 - MEAN_DECAY**self.steps)
        self.parameters -= scratch

    def weights(self) -> mlp.Weights:
        return self._views(self.parameters)

"""The 784-128-10 training in scikit-learn."""

from __future__ import annotations

import warnings
from collections.abc import Iterator

from benchmarks.work import thread_counts
from benchmarks.works import mlp
from benchmarks.works.mlp_training.side import EPOCHS, MLPTraining


class ScikitLearn(MLPTraining):
    """MLPClassifier, which draws its own start and its own batches."""

    name = "scikit-learn"
    package = "sklearn"
    threads = thread_counts()
    differs = "starting weights and batches of its own, so only the accuracy is compared"

    def reset(self) -> None:
        from sklearn.neural_network import MLPClassifier

        self.network = MLPClassifier(
            hidden_layer_sizes=(mlp.HIDDEN,),
            batch_size=self.batch_size,
            max_iter=EPOCHS,
            alpha=0.0,
            random_state=0,
        )

    def orders(self) -> Iterator[mlp.Array]:
        return iter(())

    def train(self, orders: Iterator[mlp.Array]) -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # that three epochs are few is no news here
            self.network.fit(mlp.data().x, mlp.data().y)

    def weights(self) -> mlp.Weights:
        (weights1, weights2), (bias1, bias2) = self.network.coefs_, self.network.intercepts_
        return weights1, bias1, weights2, bias2

"""The truth table in scikit-learn."""

from __future__ import annotations

import warnings

from benchmarks.works.truth_table.side import ITERATIONS, Array, TruthTableSide, X, Y


class ScikitLearn(TruthTableSide):
    """MLPClassifier, which has no sum of squares."""

    name = "scikit-learn"
    package = "sklearn"
    differs = (
        "log-loss averaged over the four rows (so its learning rate is 4), biases, and starting "
        "weights of its own"
    )

    def reset(self) -> None:
        from sklearn.neural_network import MLPClassifier

        self.network = MLPClassifier(
            hidden_layer_sizes=(4,),
            activation="logistic",
            solver="sgd",
            learning_rate_init=4.0,
            momentum=0.0,
            alpha=0.0,
            batch_size=4,
            shuffle=False,
            max_iter=ITERATIONS,
            tol=0.0,
            n_iter_no_change=ITERATIONS + 1,
            random_state=0,
        )

    def run(self) -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # that it has not converged is no news here
            self.network.fit(X, Y.ravel())

    def predictions(self) -> Array:
        return self.network.predict_proba(X)[:, 1:]

"""What y means to a classifier: classes, their kind, and the way to the network and back."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from chainrule.errors import InvalidData, InvalidSetting
from chainrule.estimators import weights
from chainrule.estimators.base import NetworkEstimator
from chainrule.estimators.scikit_learn import (
    ClassifierMixin,
    LabelBinarizer,
    accuracy_score,
    available_if,
    check_first_classes,
    check_is_fitted,
    column_or_1d,
    compute_sample_weight,
    type_of_target,
    unique_labels,
    validate_data,
)
from chainrule.layer import Array
from chainrule.saving import onnx

_TO_PROBABILITIES = {"probabilities", "logits", "logarithms of probabilities"}


@dataclass
class Classes:
    """The classes that y named.

    Attributes
    ----------
    binarizer : LabelBinarizer
        Fitted: it knows what the classes are called.
    """

    binarizer: Any

    @property
    def names(self) -> Array:
        """Classes in order; of several labels their numbers."""
        return np.asarray(self.binarizer.classes_)

    @property
    def kind(self) -> str:
        """One of "binary", "multiclass" and, where a sample may have several, "multilabel"."""
        found = str(self.binarizer.y_type_)
        if found.startswith("multilabel"):
            return "multilabel"
        return found if found == "multiclass" else "binary"

    def outputs(self, targets: str) -> int:
        """Outputs of a network whose loss compares with such targets: one tells two classes apart,
        unless the loss chooses between classes.
        """
        count = len(self.names)
        if self.kind == "binary":
            return 2 if targets == "classes" else 1
        return count

    def numbers(self, y: Array) -> Array:
        """Which class each is, int64 (batch,)."""
        return np.searchsorted(self.names, y).astype(np.int64)

    def columns(self, y: Any, outputs: int) -> Array:
        """0 and 1 for each output, (batch, outputs)."""
        if self.kind == "multilabel" or outputs == 1:
            return np.asarray(self.binarizer.transform(y))
        return np.equal.outer(self.numbers(y), np.arange(outputs))

    def decoded(self, y: Array) -> Any:
        """Classes out of what ``_encode`` of the estimator made of them."""
        if y.dtype.kind == "i":
            return self.names[y]
        return self.named(y, 0.0 if (y < 0).any() else 0.5)

    def named(self, outputs: Array, boundary: float) -> Any:
        """Classes out of what the network gives, (batch,), or 0 and 1 (batch, labels).

        The latter are a sparse matrix where y was one.
        """
        if self.kind == "multilabel":
            return self.binarizer.inverse_transform(outputs, threshold=boundary)
        if len(self.names) == 1:
            return np.repeat(self.names, len(outputs))
        if outputs.shape[1] == 1:
            return self.names[(outputs[:, 0] > boundary).astype(np.int64)]
        return self.names[outputs.argmax(axis=1)]


def _knows_probabilities(estimator: Any) -> bool:
    network = getattr(estimator, "network_", None)
    if network is None or network.loss.outputs in _TO_PROBABILITIES:
        return True
    raise AttributeError(
        f"loss={network.loss.name!r} gives no probabilities; use predict, or another loss."
    )


class ClassifierBase(ClassifierMixin, NetworkEstimator):  # type: ignore[misc]  # no types there
    """Base of the classifiers."""

    _targets: Classes
    classes_: Array
    class_weight: Any = None

    def _check_xy(self, X: Any, y: Any, *, reset: bool) -> tuple[Any, Any]:
        many = self._takes_images() and np.ndim(X) > 2
        x, y = validate_data(
            self, X, y, accept_sparse=["csr", "csc"], multi_output=True,
            dtype=(np.float64, np.float32), reset=reset, ensure_2d=not many, allow_nd=many,
        )  # fmt: skip
        if y.ndim == 2 and y.shape[1] == 1:
            y = column_or_1d(y, warn=True)
        return x, y

    def _first_classes(self, y: Any, classes: Any) -> None:
        """Take note of all classes that ``partial_fit`` may meet; the first call names them."""
        if check_first_classes(self, classes):
            multilabel = type_of_target(y).startswith("multilabel")
            self._targets = Classes(LabelBinarizer().fit(y if multilabel else classes))

    def _read_targets(self, y: Any, *, fresh: bool, incremental: bool) -> None:
        if not hasattr(self, "classes_") or (fresh and not incremental):
            self._targets = Classes(LabelBinarizer().fit(y))
            self.classes_ = self._targets.names
            return
        found = unique_labels(y)
        if not incremental and set(found) != set(self.classes_):
            raise InvalidData(
                f"y has the classes {found} and the classes of the fit before were "
                f"{self.classes_}; with warm_start=True expected the same."
            )
        new = np.setdiff1d(found, self.classes_, assume_unique=True)
        if len(new):
            raise InvalidData(
                f"y has the classes {new}, which are not among classes_: {self.classes_}. Name "
                "all classes in the first call of partial_fit, or call fit."
            )

    def _encode(self, y: Any) -> Array:
        loss, outputs = self.network_.loss, self.network_.output_shape[-1]
        if loss.targets == "classes" and self._targets.kind != "multilabel":
            return self._targets.numbers(y)
        columns = self._targets.columns(y, outputs).astype(self.network_.dtype)
        return 2 * columns - 1 if loss.targets == "signs" else columns

    def _weigh(self, y: Any, weight: Array | None, *, incremental: bool) -> Array | None:
        chosen = self.class_weight
        if chosen is None:
            return weight
        if incremental and chosen == "balanced":
            raise InvalidSetting(
                'class_weight="balanced" counts the classes of all samples, and partial_fit sees '
                "a part of them. Give the weights as a dict, class by class."
            )
        by_class = np.asarray(compute_sample_weight(chosen, y), np.float64)
        if not (np.isfinite(by_class).all() and (by_class >= 0).all() and by_class.any()):
            raise InvalidData(
                f"class_weight gives {by_class.min():g} to {by_class.max():g} to the samples; "
                "expected finite weights of 0 or more, not all 0."
            )
        return by_class if weight is None else by_class * weight

    # --- using it -----------------------------------------------------------------------------

    def predict(self, X: Any) -> Any:
        """Predict the class of each sample.

        Parameters
        ----------
        X : array_like or sparse matrix (samples, inputs)

        Returns
        -------
        ndarray (samples,) or (samples, labels)
            Labels as a sparse matrix where y was one.
        """
        return self._classes_of(self._predictions(X))

    def _classes_of(self, predictions: Array) -> Any:
        return self._targets.named(predictions, self._boundary)

    @property
    def _boundary(self) -> float:
        return 0.0 if self.network_.loss.targets == "signs" else 0.5

    @available_if(_knows_probabilities)
    def predict_proba(self, X: Any) -> Array:
        """Estimate the probability of each class.

        Returns
        -------
        ndarray (samples, classes)
            In the order of ``classes_``. Of several labels each by itself.
        """
        found = self._predictions(X)
        if self._targets.kind == "multilabel":
            return found
        if found.shape[1] == 1:
            return np.hstack([1 - found, found])
        if self.network_.loss.targets != "classes":  # each class was judged by itself
            return found / found.sum(axis=1, keepdims=True)
        return found

    @available_if(_knows_probabilities)
    def predict_log_proba(self, X: Any) -> Array:
        """Logarithm of ``predict_proba``, (samples, classes)."""
        with np.errstate(divide="ignore"):  # log 0 is minus infinity, as it should be
            return np.log(self.predict_proba(X))

    def _score_of(self, x: Any, y: Any, weight: Array | None) -> float:
        """Accuracy on checked samples."""
        found = self._classes_of(self._predict_checked(x))
        return float(accuracy_score(y, found, sample_weight=weight))

    def to_onnx(self, path: str | Path, *, zipmap: bool = False) -> Path:
        """Write an ONNX file that gives labels and probabilities, as skl2onnx does.

        Parameters
        ----------
        path : str or Path
        zipmap : bool, default False
            Whether each sample's probabilities are a map from class to number.
        """
        check_is_fitted(self, "network_")
        weights.take(self)
        several = self._targets.kind == "multilabel"
        return onnx.export_classifier(
            self.network_, path, classes=self.classes_, multilabel=several, zipmap=zipmap
        )

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_label = True
        return tags

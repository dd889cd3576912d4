"""What y means to a regressor: numbers, one or several for each sample."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from chainrule.errors import InvalidData, InvalidSetting, InvalidShape
from chainrule.estimators import weights
from chainrule.estimators.base import NetworkEstimator
from chainrule.estimators.scikit_learn import (
    RegressorMixin,
    check_is_fitted,
    column_or_1d,
    r2_score,
    validate_data,
)
from chainrule.layer import Array
from chainrule.saving import onnx


class RegressorBase(RegressorMixin, NetworkEstimator):  # type: ignore[misc]  # no types there
    """Base of the regressors."""

    _targets: int  # outputs

    def _check_xy(self, X: Any, y: Any, *, reset: bool) -> tuple[Any, Any]:
        many = self._takes_images() and np.ndim(X) > 2
        x, y = validate_data(
            self, X, y, accept_sparse=["csr", "csc"], multi_output=True, y_numeric=True,
            dtype=(np.float64, np.float32), reset=reset, ensure_2d=not many, allow_nd=many,
        )  # fmt: skip
        if y.ndim == 2 and y.shape[1] == 1:
            y = column_or_1d(y, warn=True)
        if y.dtype.kind not in "biuf":
            raise InvalidData(f"y holds {y.dtype} values; expected numbers.")
        return x, y

    def _read_targets(self, y: Any, *, fresh: bool, incremental: bool) -> None:
        outputs = 1 if y.ndim == 1 else y.shape[1]
        if not fresh and outputs != self.network_.output_shape[-1]:
            raise InvalidShape(
                f"y has {outputs} numbers for each sample; expected "
                f"{self.network_.output_shape[-1]}, as in the fit before."
            )
        self._targets = outputs

    def _encode(self, y: Any) -> Array:
        loss, columns = self.network_.loss, y.reshape(len(y), -1)
        if loss.targets == "classes":
            raise InvalidSetting(
                f"loss={loss.name!r} compares classes with each other, and a regressor learns "
                "numbers. Use a classifier, or a loss for numbers."
            )
        if loss.targets == "counts" and (columns < 0).any():
            raise InvalidData(
                f"y holds {columns[columns < 0][0]:g}; loss='poisson' and its kin expect counts "
                "of 0 or more."
            )
        return loss.check_targets(columns, self.network_.output_shape, self.network_.dtype)

    # --- using it -----------------------------------------------------------------------------

    def predict(self, X: Any) -> Array:
        """Predict the number, or numbers, of each sample.

        Parameters
        ----------
        X : array_like or sparse matrix (samples, inputs)

        Returns
        -------
        ndarray (samples,) or (samples, outputs)
        """
        return self._numbers_of(self._predictions(X))

    def _numbers_of(self, predictions: Array) -> Array:
        return predictions[:, 0] if predictions.shape[1] == 1 else predictions

    def _score_of(self, x: Any, y: Any, weight: Array | None) -> float:
        """R² on checked samples."""
        found = self._numbers_of(self._predict_checked(x))
        return float(r2_score(y, found, sample_weight=weight))

    def to_onnx(self, path: str | Path) -> Path:
        """Write an ONNX file that gives ``variable``, as skl2onnx does."""
        check_is_fitted(self, "network_")
        weights.take(self)
        return onnx.export_regressor(self.network_, path)

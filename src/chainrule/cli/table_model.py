"""A network together with the preprocessing in front of it: what ``chainrule train`` makes."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self, cast

import numpy as np

from chainrule import saving
from chainrule.data.preprocessing import Preprocessing
from chainrule.data.target import ClassTarget, NumberTarget
from chainrule.errors import UnreadableFile
from chainrule.layer import Array
from chainrule.network import NeuralNetwork
from chainrule.saving import SavedModel

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class TableModel:
    """From the rows of a table to predictions in the target's own terms.

    Attributes
    ----------
    network : NeuralNetwork
    preprocessing : Preprocessing
    training : dict
        How it was trained: rows, epochs, scores, ...
    """

    network: NeuralNetwork
    preprocessing: Preprocessing
    training: dict[str, Any]

    def targets(self, table: pd.DataFrame) -> Array:
        """Actual values as the network's loss takes them (rows,)."""
        target = self.preprocessing.target
        values = target.encode(table[target.name])
        return 2 * values - 1 if self.network.loss.targets == "signs" else values

    def predict_numbers(self, features: Array) -> Array:
        """Predict numbers in the target's unit: (rows, features) -> float64 (rows,)."""
        target = cast("NumberTarget", self.preprocessing.target)
        return target.decode(self.network.predict(features)[:, 0])

    def probabilities(self, features: Array) -> Array | None:
        """Predict each class's probability: (rows, features) -> (rows, classes).

        None where the loss knows of none: hinge only says on which side a row lies.
        """
        if self.network.loss.targets == "signs":
            return None
        predicted = self.network.predict(features)
        if predicted.shape[1] == 1:
            return np.concatenate([1 - predicted, predicted], axis=1)
        return predicted

    def save(self, path: Path) -> Path:
        """Write the model file."""
        extra = {"table": self.preprocessing.to_dict(), "training": self.training}
        return saving.save(self.network, path, extra)

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read a model file.

        Raises
        ------
        UnreadableFile
            Also for a model without a table's preprocessing.
        """
        return cls.from_saved(saving.load(path), path)

    @classmethod
    def from_saved(cls, saved: SavedModel, path: Path) -> Self:
        """Take what a model file holds.

        Raises
        ------
        UnreadableFile
            When it was not made for a table, or does not fit together.
        """
        if "table" not in saved.extra:
            raise UnreadableFile(
                f"{path} holds a network, but not how to prepare a table for it; expected a model "
                "made by chainrule train. Use it in Python: chainrule.saving.load."
            )
        preprocessing = Preprocessing.from_dict(saved.extra["table"])
        network, target = saved.network, preprocessing.target
        two_classes = network.loss.targets in {"probabilities", "signs"}
        outputs = 1 if isinstance(target, NumberTarget) or two_classes else len(target.classes)
        learns_numbers = network.loss.targets in {"numbers", "counts"}
        if (
            network.input_shape != (len(preprocessing.feature_names),)
            or network.output_shape != (outputs,)
            or learns_numbers is isinstance(target, ClassTarget)
        ):
            raise UnreadableFile(f"{path} is damaged: its network does not fit its table.")
        return cls(network, preprocessing, saved.extra.get("training", {}))

"""Classifiers and regressors out as ONNX files, with the names that skl2onnx gives.

What runs files made from scikit-learn's estimators runs these in the same way: an input ``X``, and
``label`` and ``probabilities`` of a classifier, ``variable`` of a regressor.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from chainrule import checks
from chainrule.errors import InvalidSetting
from chainrule.layer import Array
from chainrule.saving.onnx.export import begin, finish, sizes, write_network
from chainrule.saving.onnx.write_classes import (
    OUTPUTS,
    check_classes,
    is_multilabel,
    write_classes,
)

if TYPE_CHECKING:
    from chainrule.network import NeuralNetwork


def export_classifier(
    network: NeuralNetwork,
    path: str | Path,
    *,
    classes: Sequence[Any] | Array | None = None,
    multilabel: bool | None = None,
    zipmap: bool = False,
) -> Path:
    """Write a network that tells classes apart as an ONNX file that gives labels.

    The input ``X`` is what ``predict`` takes, in the network's dtype. The outputs are

    ``label`` : (batch,), in the type of ``classes``
        The class of the largest output; where one output tells two apart, the second if it is
        above 1/2 (above 0 for losses on signs). Of several labels int64 (batch, outputs), 0 and 1.
    ``probabilities`` : (batch, classes)
        Of two classes both; of several labels that of each. Where each class was judged by
        itself, but a sample has one alone, they are divided by their sum. ``scores`` (batch,
        outputs) in their place, where the loss knows of no probabilities (hinge).

    Parameters
    ----------
    network : NeuralNetwork
        Built.
    path : str or Path
        Usually ending in ``.onnx``.
    classes : sequence, optional
        What class number 0, 1, ... is called: text, whole numbers, numbers or bools, as in an
        estimator's ``classes_``; 0, 1, ... without it. A loss for numbers needs them. Of several
        labels there must be as many as outputs, and the file does not hold them.
    multilabel : bool, optional
        Whether a sample may have several labels. Without it, it may where the network has several
        outputs and its loss judges each by itself.
    zipmap : bool, default False
        Whether each sample's probabilities are a map from classes to numbers, which is skl2onnx's
        default: then the outputs are ``output_label`` and ``output_probability``.

    Returns
    -------
    Path

    Raises
    ------
    NotBuilt, InvalidData, MissingPackage
        As ``to_onnx``.
    InvalidSetting
        As ``to_onnx``; when the loss is for numbers and no classes are given, and when those given
        do not fit.
    """
    checks.flag("zipmap", zipmap)
    graph = begin(network, ("X", *OUTPUTS))
    shapes, outputs, loss = network.shapes, _outputs(network), network.loss
    several = is_multilabel(loss, outputs, multilabel)
    names = check_classes(loss, outputs, classes, multilabel=several)
    prediction = write_network(network, graph, graph.input("X", shapes[0]))
    write_classes(graph, prediction, loss, names, multilabel=several, zipmap=zipmap)
    what = f"{outputs} labels" if several else f"{len(names)} classes"
    return finish(network, graph, path, f"X (batch, {sizes(shapes[0])}) -> {what}")


def export_regressor(network: NeuralNetwork, path: str | Path) -> Path:
    """Write a network that predicts numbers as an ONNX file, as skl2onnx writes regressors.

    The input ``X`` is what ``predict`` takes, in the network's dtype, and the output ``variable``
    (batch, outputs) what it gives.

    Parameters
    ----------
    network : NeuralNetwork
        Built.
    path : str or Path
        Usually ending in ``.onnx``.

    Raises
    ------
    NotBuilt, InvalidData, InvalidSetting, MissingPackage
        As ``to_onnx``.
    """
    graph = begin(network, ("X", "variable"))
    shapes = network.shapes
    prediction = write_network(network, graph, graph.input("X", shapes[0]))
    graph.output("variable", prediction.name, prediction.shape)
    described = f"X (batch, {sizes(shapes[0])}) -> variable (batch, {sizes(shapes[-1])})"
    return finish(network, graph, path, described)


def _outputs(network: NeuralNetwork) -> int:
    if len(network.output_shape) != 1:
        raise InvalidSetting(
            f"The network gives (batch, {sizes(network.output_shape)}); a classifier is expected "
            "to give (batch, outputs). Write it with to_onnx."
        )
    return network.output_shape[0]

"""Networks out as ONNX files together with what prepares their data: whole models.

A table's model has an input for each column; images come in as bytes.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from chainrule import checks
from chainrule.data.columns import NumberColumn, counted
from chainrule.data.preprocessing import Preprocessing
from chainrule.data.target import ClassTarget, NumberTarget
from chainrule.errors import InvalidSetting
from chainrule.layer import Array
from chainrule.saving.onnx.export import begin, finish, sizes, write_network
from chainrule.saving.onnx.graph import Graph, Tensor
from chainrule.saving.onnx.write_classes import OUTPUTS, check_classes, write_classes
from chainrule.saving.onnx.write_table import check_names, write_features

if TYPE_CHECKING:
    from chainrule.network import NeuralNetwork


def export_table(
    network: NeuralNetwork,
    preprocessing: Preprocessing,
    path: str | Path,
    *,
    double: bool = False,
    zipmap: bool = False,
) -> Path:
    """Write a network and the preprocessing of its table as one ONNX file.

    There is an input for each column, called after it. Numbers come as (batch, 1) in the network's
    dtype, NaN where one is missing; dates as days since 1970-01-01; categories as text (batch, 1),
    empty where one is missing. As in ``chainrule predict`` a category that was not there in
    training counts as none, and so do infinite numbers. Text is compared as it stands, so take
    away spaces around it.

    Classes come out as ``label`` (batch,) and ``probabilities`` (batch, classes); see
    ``export_classifier``. Labels are int64 where all classes are called by whole numbers, else
    text. Numbers come out as ``variable`` (batch, 1), in the target's unit. Where a column has such
    a name, the output gets ``predicted_`` before its own.

    Parameters
    ----------
    network : NeuralNetwork
    preprocessing : Preprocessing
    path : str or Path
        Usually ending in ``.onnx``.
    double : bool, default False
        Whether numbers come in, and ``variable`` out, as float64. ``imprecise_columns`` says which
        columns gain from it.
    zipmap : bool, default False
        Whether probabilities are maps; see ``export_classifier``.

    Returns
    -------
    Path

    Raises
    ------
    NotBuilt, InvalidData, InvalidSetting, MissingPackage
        As ``export_classifier``; also when the network does not take these features, or two columns
        have the same name.
    """
    checks.flag("zipmap", zipmap)
    outside = np.dtype(np.float64 if checks.flag("double", double) else network.dtype)
    names = check_names(preprocessing)
    graph = begin(network, (*names, *OUTPUTS, "variable"))
    features, target = len(preprocessing.feature_names), preprocessing.target
    if network.shapes[0] != (features,):
        raise InvalidSetting(
            f"The columns become {counted(features, 'feature')}, and the network takes "
            f"(batch, {sizes(network.shapes[0])}). Give the preprocessing that it was trained on."
        )
    prediction = write_network(network, graph, write_features(graph, preprocessing, outside))
    if isinstance(target, ClassTarget):
        classes = check_classes(
            network.loss, prediction.shape[0], _labels(target), multilabel=False
        )
        write_classes(graph, prediction, network.loss, classes, zipmap=zipmap)
    elif zipmap:
        raise InvalidSetting("zipmap is for classes, and this network predicts numbers.")
    else:
        _write_number(graph, prediction, target, outside)
    described = f"{counted(len(names), 'column')} -> {target.name}"
    return finish(network, graph, path, described)


def imprecise_columns(preprocessing: Preprocessing) -> list[str]:
    """Columns of numbers that float32 rounds by more than 1/10,000 of their standard deviation.

    Such are numbers that lie close together and far from zero. Whole numbers up to 2²⁴ are held
    exactly even then.
    """
    rounding = float(np.finfo(np.float32).eps) / 2
    return [
        column.name
        for column in preprocessing.columns
        if isinstance(column, NumberColumn)
        and rounding * abs(column.mean) > 1e-4 * column.standard_deviation
    ]


def export_images(
    network: NeuralNetwork, classes: Sequence[str], path: str | Path, *, zipmap: bool = False
) -> Path:
    """Write a network that tells what images show as an ONNX file that takes their bytes.

    The input ``images`` is uint8 (batch, height, width, channels), of the network's size; what is
    0 ... 255 there is divided by 255 in the file. The outputs are those of ``export_classifier``.

    Parameters
    ----------
    network : NeuralNetwork
    classes : sequence of str
        What each output stands for.
    path : str or Path
        Usually ending in ``.onnx``.
    zipmap : bool, default False
        Whether probabilities are maps; see ``export_classifier``.

    Returns
    -------
    Path

    Raises
    ------
    NotBuilt, InvalidData, InvalidSetting, MissingPackage
        As ``export_classifier``.
    """
    graph = begin(network, ("images", *OUTPUTS))
    shape = network.shapes[0]
    told = "Images whose numbers go from 0 to 255, channels last."
    images = graph.cast(graph.input("images", shape, np.uint8, told), graph.dtype)
    most = graph.number("largest_byte", 255.0)
    x = Tensor(graph.node("Div", [images.name, most], "x"), shape)
    prediction = write_network(network, graph, x)
    names = check_classes(network.loss, prediction.shape[0], classes, multilabel=False)
    write_classes(graph, prediction, network.loss, names, zipmap=checks.flag("zipmap", zipmap))
    described = f"images (batch, {sizes(shape)}) -> {len(names)} classes"
    return finish(network, graph, path, described)


def _labels(target: ClassTarget) -> list[str] | Array:
    """What classes are called; whole numbers as numbers."""
    if all(_is_whole(name) for name in target.classes):
        return np.array([int(name) for name in target.classes], dtype=np.int64)
    return list(target.classes)


def _is_whole(name: str) -> bool:
    digits = name.removeprefix("-")
    return digits.isascii() and digits.isdigit() and len(digits) < 19 and str(int(name)) == name


def _write_number(
    graph: Graph, prediction: Tensor, target: NumberTarget, outside: np.dtype[np.generic]
) -> None:
    """Append prediction · deviation + mean, in float64 as ``NumberTarget.decode``."""
    wide = np.dtype(np.float64)
    deviation = graph.constant("target_deviation", target.standard_deviation, wide)
    mean = graph.constant("target_mean", target.mean, wide)
    scaled = graph.node("Mul", [graph.cast(prediction, wide).name, deviation], "scaled_back")
    shifted = Tensor(graph.node("Add", [scaled, mean], "in_its_unit"), prediction.shape)
    graph.output("variable", graph.cast(shifted, outside).name, prediction.shape, outside)

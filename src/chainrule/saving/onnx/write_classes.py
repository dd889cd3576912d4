"""From the predictions of a classifier to what programs expect of one: labels and probabilities.

The names are those that skl2onnx gives them, so that what reads its files reads these: ``label``
and ``probabilities``, or ``scores`` where the loss knows of no probabilities; with a ZipMap
``output_label`` and ``output_probability``.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from chainrule import checks
from chainrule.checks import shown
from chainrule.errors import InvalidSetting
from chainrule.layer import Array
from chainrule.loss import Loss
from chainrule.saving.onnx.graph import TABLES, Graph, Tensor

OUTPUTS = ("label", "probabilities", "scores", "output_label", "output_probability")
_CLASSES = ("classes", "probabilities", "signs")  # targets of losses that tell classes apart


def is_multilabel(loss: Loss, outputs: int, multilabel: bool | None) -> bool:
    """Whether each output says yes or no by itself; where nobody says so, the loss decides."""
    if multilabel is not None:
        return checks.flag("multilabel", multilabel)
    return loss.targets != "classes" and outputs > 1


def check_classes(
    loss: Loss, outputs: int, classes: Sequence[Any] | Array | None, *, multilabel: bool
) -> Array:
    """Return what the classes are called: int64, float64 or bool, or text as objects.

    Raises
    ------
    InvalidSetting
        When there are more or fewer than the network tells apart, doubled ones, or some of a kind
        that ONNX does not know; when the network is no classifier.
    """
    if loss.targets not in _CLASSES and classes is None:
        raise InvalidSetting(
            f"A network with the loss {loss.name!r} predicts {loss.targets}, not classes. Write it "
            "with export_regressor or to_onnx, or say which classes the numbers stand for: "
            "classes=[...]."
        )
    count = 2 if outputs == 1 and loss.targets != "classes" and not multilabel else outputs
    if classes is None:
        return np.arange(count)
    listed = list(classes)
    if len(listed) != count:
        raise InvalidSetting(
            f"classes received {len(listed)} ({shown(listed)}); the network tells {count} apart."
        )
    if len(set(map(str, listed))) != count:
        raise InvalidSetting(f"classes received {shown(listed)}; expected each once.")
    if all(isinstance(label, str) for label in listed):
        return np.array(listed, dtype=object)
    found = np.array(listed)
    if found.dtype.kind not in "biuf" or found.ndim != 1:
        raise InvalidSetting(
            f"classes received {shown(listed)}; expected all of them as text, or all as numbers."
        )
    return found.astype({"b": np.bool_, "f": np.float64}.get(found.dtype.kind, np.int64))


def write_classes(
    graph: Graph,
    prediction: Tensor,
    loss: Loss,
    classes: Array,
    *,
    multilabel: bool = False,
    zipmap: bool = False,
) -> None:
    """Append what makes labels and probabilities of predictions, and give both out.

    Parameters
    ----------
    graph : Graph
    prediction : Tensor
        (batch, outputs), what ``predict`` gives.
    loss : Loss
    classes : ndarray (classes,)
        From ``check_classes``.
    multilabel : bool
        Whether each output says yes or no by itself.
    zipmap : bool
        Whether to give each sample's probabilities as a map from classes to numbers.

    Raises
    ------
    InvalidSetting
        When maps are asked for and there are none of these classes.
    """
    knows_probabilities = loss.targets in ("classes", "probabilities")
    if zipmap and (multilabel or not knows_probabilities or classes.dtype.kind not in "iO"):
        raise InvalidSetting(
            "zipmap is for one class of several, called by text or by whole numbers, with a loss "
            f"that gives probabilities; received {shown(classes.tolist())} and the loss "
            f"{loss.name!r}. Leave zipmap out."
        )
    if multilabel:
        found = _above(graph, prediction, loss)
        graph.output("label", found, prediction.shape, np.int64)
    else:
        found = _class_number(graph, prediction, loss)
        if classes.dtype != np.int64 or not np.array_equal(classes, np.arange(len(classes))):
            names = graph.constant("classes", classes, classes.dtype)
            found = graph.node("Gather", [names, found], "class_label", axis=0)
        dtype = str if classes.dtype.kind == "O" else classes.dtype
        graph.output("output_label" if zipmap else "label", found, (), dtype)
    if not knows_probabilities:
        graph.output("scores", prediction.name, prediction.shape)
        return
    each = prediction if multilabel else _of_each_class(graph, prediction, loss)
    if zipmap:
        _give_maps(graph, each, classes)
    else:
        graph.output("probabilities", each.name, each.shape)


def _class_number(graph: Graph, prediction: Tensor, loss: Loss) -> str:
    """Append the number of the class: the largest output's, or whether the only one is large."""
    if prediction.shape[0] > 1 or loss.targets == "classes":
        return graph.node("ArgMax", [prediction.name], "class_number", axis=1, keepdims=0)
    axis = graph.whole_numbers("last_axis", [1])
    return graph.node("Squeeze", [_above(graph, prediction, loss), axis], "class_number")


def _above(graph: Graph, prediction: Tensor, loss: Loss) -> str:
    """Append 1 where a prediction is above the boundary, else 0."""
    boundary = graph.number("boundary", 0.0 if loss.targets == "signs" else 0.5)
    above = graph.node("Greater", [prediction.name, boundary], "above_boundary")
    return graph.cast(Tensor(above, prediction.shape), np.int64).name


def _of_each_class(graph: Graph, prediction: Tensor, loss: Loss) -> Tensor:
    """Append 1 - p beside p, where one output tells two classes apart.

    Where several outputs were each trained to say yes or no, they are divided by their sum.
    """
    if loss.targets == "classes":
        return prediction
    if prediction.shape[0] > 1:
        axis = graph.whole_numbers("last_axis", [1])
        total = graph.node("ReduceSum", [prediction.name, axis], "total", keepdims=1)
        shares = graph.node("Div", [prediction.name, total], "of_each_class")
        return Tensor(shares, prediction.shape)
    other = graph.node("Sub", [graph.number("one", 1.0), prediction.name], "of_the_first_class")
    both = graph.node("Concat", [other, prediction.name], "of_each_class", axis=1)
    return Tensor(both, (2,))


def _give_maps(graph: Graph, probabilities: Tensor, classes: Array) -> None:
    """Append a ZipMap, which knows float32 alone."""
    if graph.dtype != np.float32:
        probabilities = graph.cast(probabilities, np.float32)
    is_text = classes.dtype.kind == "O"
    keys = {"classlabels_strings" if is_text else "classlabels_int64s": classes.tolist()}
    maps = graph.node("ZipMap", [probabilities.name], "maps", domain=TABLES, **keys)
    graph.output_maps("output_probability", maps, str if is_text else np.int64)

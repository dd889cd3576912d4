"""From the predictions of a classifier to what programs expect of one: labels and probabilities.

The names are those that skl2onnx gives them, so that what reads its files reads these: ``label``
and ``probabilities``, or ``scores`` where the loss knows of no probabilities; with a ZipMap
``output_label`` and ``output_probability``.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from chainrule.checks import shown
from chainrule.errors import InvalidSetting
from chainrule.layer import Array
from chainrule.loss import Loss
from chainrule.saving.onnx.graph import TABLES, Graph, Tensor

OUTPUTS = ("label", "probabilities", "scores", "output_label", "output_probability")
_TWO = ("probabilities", "signs")  # targets of losses that tell two classes apart by one output


def is_multilabel(loss: Loss, outputs: int) -> bool:
    """Whether each output says yes or no by itself."""
    return loss.targets in _TWO and outputs > 1


def check_classes(loss: Loss, outputs: int, classes: Sequence[Any] | Array | None) -> Array:
    """Return what the classes are called: int64, float64 or bool, or text as objects.

    Raises
    ------
    InvalidSetting
        When there are more or fewer than the network tells apart, doubled ones, or some of a kind
        that ONNX does not know; when the network is no classifier.
    """
    if loss.targets not in (*_TWO, "classes"):
        raise InvalidSetting(
            f"A network with the loss {loss.name!r} predicts {loss.targets}, not classes. Write it "
            "with export_regressor or to_onnx."
        )
    count = 2 if loss.targets in _TWO and outputs == 1 else outputs
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
    graph: Graph, prediction: Tensor, loss: Loss, classes: Array, *, zipmap: bool = False
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
    zipmap : bool
        Whether to give each sample's probabilities as a map from classes to numbers.

    Raises
    ------
    InvalidSetting
        When maps are asked for and there are none of these classes.
    """
    several = is_multilabel(loss, prediction.shape[0])
    if zipmap and (several or loss.targets == "signs" or classes.dtype.kind not in "iO"):
        raise InvalidSetting(
            "zipmap is for one class of several, called by text or by whole numbers, with a loss "
            f"that gives probabilities; received {shown(classes.tolist())} and the loss "
            f"{loss.name!r}. Leave zipmap out."
        )
    boundary = 0.0 if loss.targets == "signs" else 0.5
    if several:
        found = _above(graph, prediction, boundary)
        graph.output("label", found, prediction.shape, np.int64)
    else:
        if loss.targets == "classes":
            found = graph.node("ArgMax", [prediction.name], "class_number", axis=1, keepdims=0)
        else:
            axis = graph.whole_numbers("last_axis", [1])
            decided = _above(graph, prediction, boundary)
            found = graph.node("Squeeze", [decided, axis], "class_number")
        if classes.dtype != np.int64 or not np.array_equal(classes, np.arange(len(classes))):
            names = graph.constant("classes", classes, classes.dtype)
            found = graph.node("Gather", [names, found], "class_label", axis=0)
        dtype = str if classes.dtype.kind == "O" else classes.dtype
        graph.output("output_label" if zipmap else "label", found, (), dtype)
    if loss.targets == "signs":
        graph.output("scores", prediction.name, prediction.shape)
    elif zipmap:
        _give_maps(graph, _of_each_class(graph, prediction, loss), classes)
    else:
        probabilities = prediction if several else _of_each_class(graph, prediction, loss)
        graph.output("probabilities", probabilities.name, probabilities.shape)


def _above(graph: Graph, prediction: Tensor, boundary: float) -> str:
    """Append 1 where a prediction is above the boundary, else 0."""
    limit = graph.number("boundary", boundary)
    above = graph.node("Greater", [prediction.name, limit], "above_boundary")
    return graph.cast(Tensor(above, prediction.shape), np.int64).name


def _of_each_class(graph: Graph, prediction: Tensor, loss: Loss) -> Tensor:
    """Append 1 - p beside p, where one output tells two classes apart."""
    if loss.targets == "classes":
        return prediction
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

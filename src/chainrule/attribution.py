"""Which parts of an image a network's answer hangs on, as plain numbers.

Two ways to ask. ``input_gradient`` takes the derivative of the answer with respect to every pixel:
one pass of backprop tells how the answer would react to tiny changes. ``occlusion_falls`` covers
one place after the other and looks how far the answer falls: slower, but about changes that can be
seen.

``plots.saliency`` and ``plots.occlusion`` draw them. They stand here because the numbers need no
matplotlib, and are of use without a picture.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from chainrule import checks
from chainrule.errors import InvalidSetting, InvalidShape, NotBuilt
from chainrule.layer import Array, Shape
from chainrule.stored import StoredInputs
from chainrule.targets import numeric_array

_IMAGES_AT_ONCE = 256  # covered copies of the image in memory


def input_gradient(network: Any, image: Any, target: int | None = None) -> Array:
    """∂output/∂image: how the output of one class answers to each number of the image.

    Parameters
    ----------
    network : NeuralNetwork
        Built, for images (height, width, channels), with a loss for classes.
    image : array_like (height, width, channels)
        uint8 images are divided by 255, as everywhere; the gradient is then with respect to the
        numbers 0 ... 1.
    target : int, optional
        The class, from 0; the predicted one without it.

    Returns
    -------
    ndarray (height, width, channels)
        In the network's dtype. Where the loss works on logits the output is the logit of the
        class. A single output z speaks for two classes: class 1 has z, class 0 has -z.

    Raises
    ------
    NotBuilt, InvalidShape, InvalidData, InvalidSetting
        When the network has no weights or tells no classes, the image does not fit it or holds
        something else than numbers, or there is no such class.

    Notes
    -----
    Backprop starts from ∂output/∂output = 1 at the class and 0 at the others, where training
    starts from ∂loss/∂output, and goes on past the first layer to the image (Simonyan, Vedaldi
    and Zisserman, 2013).
    """
    x = check_image(network, image)
    target = choose_class(class_probabilities(network, x)[0], target)
    trace = network.new_trace()
    d = np.zeros_like(network.feedforward(x, trace))
    if d.shape[1] == 1:
        d[0, 0] = 1 if target else -1
    else:
        d[0, target] = 1
    for layer, layer_trace in zip(reversed(network.layers), reversed(trace.layers), strict=True):
        d = layer.backprop(d, layer_trace)
    return d[0]


def occlusion_falls(
    network: Any,
    image: Any,
    target: int | None = None,
    *,
    patch: int | None = None,
    stride: int | None = None,
    grey: float = 0.5,
) -> Array:
    """How far the probability of a class falls when a grey patch covers each place of the image.

    The image is divided into cells of ``stride`` x ``stride`` pixels. For each of them the patch
    lies with its middle on the cell's; what hangs over the edge of the image is cut off.

    Parameters
    ----------
    network, image, target
        As for ``input_gradient``.
    patch : int, optional
        Pixels along each side of the patch; a quarter of the image's shorter side without it.
    stride : int, optional
        Pixels from one place to the next; half the patch without it.
    grey : float, default 0.5
        What the patch holds, in every channel, in the numbers that the network sees: uint8
        images are 0 ... 1 there.

    Returns
    -------
    ndarray (ceil(height / stride), ceil(width / stride))
        Probability of the whole image less that of the covered one, from -1 to 1: negative where
        the class becomes more probable.

    Raises
    ------
    NotBuilt, InvalidShape, InvalidData, InvalidSetting
        As ``input_gradient``; also when the patch is larger than the image.

    Notes
    -----
    After Zeiler and Fergus (2014).
    """
    x = check_image(network, image)
    height, width, _ = x.shape[1:]
    patch, stride = patch_and_stride((height, width), patch, stride)
    grey = checks.number("grey", grey)
    whole = class_probabilities(network, x)[0]
    target = choose_class(whole, target)
    cells = -(-height // stride), -(-width // stride)
    covered_probabilities = np.empty(cells[0] * cells[1])
    for start in range(0, len(covered_probabilities), _IMAGES_AT_ONCE):
        cell_numbers = range(start, min(start + _IMAGES_AT_ONCE, len(covered_probabilities)))
        covered = np.repeat(x, len(cell_numbers), axis=0)
        for copy, number in zip(covered, cell_numbers, strict=True):
            copy[patch_at(divmod(number, cells[1]), patch, stride)] = grey
        found = class_probabilities(network, covered)[:, target]
        covered_probabilities[start : start + len(covered)] = found
    return whole[target] - covered_probabilities.reshape(cells)


def patch_and_stride(size: Shape, patch: int | None, stride: int | None) -> tuple[int, int]:
    """Check both for images of that height and width, and choose those that were left out.

    Raises
    ------
    InvalidSetting
        When one is no whole number of at least 1, or larger than the shorter side of the image.
    """
    shorter = min(size)
    patch = checks.whole_number("patch", max(1, shorter // 4) if patch is None else patch)
    stride = checks.whole_number("stride", max(1, patch // 2) if stride is None else stride)
    for name, value in (("patch", patch), ("stride", stride)):
        if value > shorter:
            raise InvalidSetting(
                f"{name} received {value} pixels for an image of {size[0]} x {size[1]}; expected "
                f"at most {shorter}."
            )
    return patch, stride


def patch_at(cell: tuple[int, int], patch: int, stride: int) -> tuple[slice, slice]:
    """Rows and columns of the image under the patch that belongs to a cell (row, column)."""
    first = (number * stride + (stride - patch) // 2 for number in cell)
    rows, columns = (slice(max(start, 0), start + patch) for start in first)
    return rows, columns


def check_image(network: Any, image: Any) -> Array:
    """Turn one image into a batch of one, in the numbers that the network sees.

    Returns
    -------
    ndarray (1, height, width, channels)

    Raises
    ------
    NotBuilt, InvalidShape, InvalidData
        Saying what was received and what was expected.
    """
    need_image_network(network)
    is_bytes = isinstance(image, np.ndarray) and image.dtype == np.uint8
    numbers = image if is_bytes else numeric_array("image", image, network.dtype)
    if numbers.shape != network.input_shape:
        raise InvalidShape(
            f"image has shape {numbers.shape}; expected {network.input_shape}, one image as the "
            f"network takes them.{_how_to_reshape(numbers.shape, network.input_shape)}"
        )
    batch = numbers[np.newaxis]
    return StoredInputs(batch, network.dtype)[:] if is_bytes else batch


def need_image_network(network: Any) -> None:
    """Refuse a network without weights, or for other samples than images.

    Raises
    ------
    NotBuilt, InvalidShape
    """
    if not network.is_built:
        raise NotBuilt(
            "This network has no weights yet, so it sees nothing in an image. Train it first: "
            "net.fit(images, labels)."
        )
    if len(network.input_shape) != 3:
        raise InvalidShape(
            f"This network takes samples of shape {network.input_shape}; expected one for images "
            "(height, width, channels). A network of dense layers takes them too, after Flatten()."
        )


def class_probabilities(network: Any, images: Any) -> Array:
    """Predict the probability of each class: (batch, classes), also of two from one output.

    Raises
    ------
    InvalidSetting
        When the loss is not about the probabilities of classes.
    InvalidShape
        When a sample has more than one row of outputs.
    """
    if network.loss.targets not in {"classes", "probabilities"}:
        raise InvalidSetting(
            f"This network has loss={network.loss.name!r}, which knows no probabilities of "
            "classes. Use one trained with loss='softmax_cross_entropy' (one output for each "
            "class) or 'sigmoid_cross_entropy' (one output for two classes)."
        )
    if len(network.output_shape) != 1:
        raise InvalidShape(
            f"This network has outputs of shape {network.output_shape}; expected one for each "
            "class: (classes,)."
        )
    predicted = network.predict(images)
    return np.hstack([1 - predicted, predicted]) if predicted.shape[1] == 1 else predicted


def choose_class(probabilities: Array, target: Any) -> int:
    """Check the number of a class, or take the most probable one.

    Parameters
    ----------
    probabilities : ndarray (classes,)
    target : int or None

    Raises
    ------
    InvalidSetting
        When there is no such class.
    """
    if target is None:
        return int(probabilities.argmax())
    number = checks.whole_number("target", target, at_least=0)
    if number >= len(probabilities):
        raise InvalidSetting(
            f"target received {number}; expected a class of this network: 0 to "
            f"{len(probabilities) - 1}."
        )
    return number


def _how_to_reshape(received: Shape, expected: Shape) -> str:
    if received == expected[:2] and expected[2] == 1:
        return " Pass image[..., np.newaxis]."
    if received[1:] == expected:
        return " Pass one of them: images[0]."
    return ""

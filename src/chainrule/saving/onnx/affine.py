"""Scaling and shifting the channels that a layer gives, by its own weights."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from chainrule.layer import Array
from chainrule.layers import (
    BatchNorm,
    Conv1D,
    Conv2D,
    ConvTranspose2D,
    Dense,
    GroupNorm,
    LayerNorm,
    RMSNorm,
)
from chainrule.saving.onnx.chain import Step

WEIGHTED = (Dense, Conv1D, Conv2D, ConvTranspose2D)
NORMALIZING = (BatchNorm, GroupNorm, LayerNorm, RMSNorm)


def affine_step(
    step: Step, channels: int, scale: Array | float, shift: Array | None = None
) -> Step:
    """Return the same layer with each channel of its output scaled and shifted.

    Parameters
    ----------
    step : Step
        A layer without activation that has weights, or a normalization.
    channels : int
    scale : ndarray (channels,) or float
    shift : ndarray (channels,), optional
        A layer without bias gets one with it.
    """
    arrays = dict(step.arrays)
    if step.kind in NORMALIZING:
        arrays["scale"] = arrays["scale"] * scale
        if "shift" in arrays:
            arrays["shift"] = _moved(arrays["shift"], scale, shift)
        return replace(step, arrays=arrays)
    weights = arrays["weights"]
    scales = np.broadcast_to(np.asarray(scale, weights.dtype), (channels,))
    if step.kind is ConvTranspose2D:  # whose filters stand in groups, before the channels
        groups = step.settings.get("groups", 1)
        whole = weights.reshape(*weights.shape[:-1], groups, -1)
        weights = (whole * scales.reshape(groups, -1).T[:, :, np.newaxis]).reshape(weights.shape)
    else:
        weights = weights * scales
    settings = {name: value for name, value in step.settings.items() if name != "use_bias"}
    if "bias" in arrays:
        arrays["bias"] = _moved(arrays["bias"], scale, shift)
    elif shift is not None:
        arrays["bias"] = shift
    else:
        settings["use_bias"] = False
    return replace(step, settings=settings, arrays={**arrays, "weights": weights})


def _moved(values: Array, scale: Array | float, shift: Array | None) -> Array:
    """Values times a scale, plus a shift where there is one."""
    return values * scale if shift is None else values * scale + shift


def normalized_step(step: Step, normalization: Step) -> Step:
    """Return a layer with weights that does what a batch normalization after it does as well.

    γ (z - μ) / √(v + ε) + β is a scale and a shift of each channel, as long as μ and v are the
    running statistics.
    """
    arrays = normalization.arrays
    epsilon = normalization.settings["epsilon"]
    scale = arrays["scale"] / np.sqrt(arrays["running_variance"] + epsilon)
    shift = arrays["shift"] - scale * arrays["running_mean"]
    return affine_step(step, len(scale), scale, shift)

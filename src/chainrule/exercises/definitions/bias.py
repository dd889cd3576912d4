"""The exercise bias."""

from __future__ import annotations

import numpy as np

from chainrule.exercises.exercise import Case, Exercise, Mistake, backward
from chainrule.layer import Array
from chainrule.layers.dense import Dense


def _bias_cases(random: np.random.Generator) -> list[Case]:
    return [(random.normal(size=shape),) for shape in [(5, 3), (2, 4), (3, 3), (6, 1)]]


def _bias_truth(d_z: Array) -> Array:
    x, weights = np.ones((len(d_z), 1)), np.ones((1, d_z.shape[1]))
    bias = np.zeros(d_z.shape[1])
    _, trace = backward(Dense(d_z.shape[1]), x, d_z, weights=weights, bias=bias)
    return trace.d_bias


BIAS = Exercise(
    name="bias",
    title="the gradient of a number that every sample shares",
    function="bias_gradient",
    arguments=("d_z",),
    outputs=("d_bias",),
    cases=_bias_cases,
    truth=_bias_truth,
    source="the layer Dense",
    mistakes=[
        Mistake(
            "mean_for_sum",
            lambda d: d.mean(axis=0),
            "This is the mean over the samples. The gradient is their sum: each sample adds its "
            "own share to the loss.",
        ),
        Mistake(
            "wrong_axis",
            lambda d: d.sum(axis=1),
            "This sums along the units, one number for each sample. It should sum along the "
            "samples, one number for each unit.",
        ),
        Mistake(
            "total_sum",
            lambda d: d.sum(),
            "This is the sum of everything. Each unit has a bias of its own, so d_bias has one "
            "number for each of them.",
        ),
        Mistake(
            "not_summed",
            lambda d: d,
            "This is d_z itself, with a row for each sample. The rows must be put together: the "
            "bias is the same number in all of them.",
        ),
        Mistake(
            "axis_kept",
            lambda d: d.sum(axis=0, keepdims=True),
            "The numbers are right, but there is one axis too many: d_bias has the shape of the "
            "bias, (outputs,).",
        ),
        Mistake("one_sample", lambda d: d[0], "This is the first sample alone. All have a say."),
        Mistake("one_sample", lambda d: d[-1], "This is the last sample alone. All have a say."),
        Mistake(
            "no_dependence",
            lambda d: np.full(d.shape[1], float(len(d))),
            "This counts the samples. What each sample says stands in d_z.",
        ),
    ],
    hints=[
        "d_bias has the shape of the bias: one number for each unit. d_z has a row for each "
        "sample. So the rows have to become one.",
        "If b grows by a little, z grows by the same in every sample. The loss changes by what "
        "d_z says in all of them together.",
        "Together means: add them. NumPy's sum takes axis=... : the axis that disappears. Which "
        "axis of (batch, outputs) is that?",
    ],
)

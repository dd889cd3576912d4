"""chainrule: a neural network from scratch that you can see all the way through.

Start with ``NeuralNetwork`` and ``Dense``; to read the mathematics, with ``chainrule.layer``.
"""

import importlib
from typing import TYPE_CHECKING, Any

from chainrule import data, layers, plots
from chainrule.activation import Activation
from chainrule.activations import (
    ELU,
    GELU,
    SELU,
    GELUTanh,
    HardSigmoid,
    HardTanh,
    Identity,
    LeakyReLU,
    LogSoftmax,
    Mish,
    PReLU,
    ReLU,
    Sigmoid,
    SiLU,
    Softmax,
    Softplus,
    Softsign,
    Tanh,
)
from chainrule.engines.choice import Auto, Compiled, Engine, Reference
from chainrule.errors import (
    BackpropBeforeFeedforward,
    ChainruleError,
    InvalidData,
    InvalidInput,
    InvalidSetting,
    InvalidShape,
    LossNotFinite,
    MissingPackage,
    NotBuilt,
    UnknownName,
    UnreadableFile,
)
from chainrule.gradient_check import GradientCheck
from chainrule.initializers import (
    Constant,
    GlorotNormal,
    GlorotUniform,
    HeAverage,
    HeNormal,
    HeUniform,
    Initializer,
    LeCunNormal,
    LeCunUniform,
    Normal,
    Orthogonal,
    Uniform,
    Zeros,
)
from chainrule.layer import Layer, Parameter, Trace
from chainrule.layers.dense import Dense
from chainrule.loss import Loss
from chainrule.losses import (
    BinaryCrossEntropy,
    CategoricalCrossEntropy,
    HalfSquaredError,
    Hinge,
    Huber,
    KLDivergence,
    LogCosh,
    MeanAbsoluteError,
    MeanSquaredError,
    MultilabelCrossEntropy,
    NegativeLogLikelihood,
    Poisson,
    PoissonDeviance,
    SigmoidCrossEntropy,
    SoftmaxCrossEntropy,
    SumOfSquares,
)
from chainrule.many import train_many
from chainrule.many_trainings import ManyTrainings
from chainrule.metrics import Metric, TopKAccuracy
from chainrule.network import NeuralNetwork
from chainrule.optimizer import Optimizer
from chainrule.optimizers import (
    LBFGS,
    Adadelta,
    Adagrad,
    Adam,
    AdamW,
    AMSGrad,
    GradientDescent,
    Lion,
    Nadam,
    RMSProp,
)
from chainrule.schedules import (
    ConstantRate,
    Cosine,
    ExponentialDecay,
    InverseScaling,
    ReduceOnPlateau,
    Schedule,
    StepDecay,
)
from chainrule.training.callbacks import Callback, EarlyStopping, OnEpoch
from chainrule.training.history import History

if TYPE_CHECKING:
    from chainrule import attribution, diagnosis, estimators, landscape, models, saving
    from chainrule.checker import check
    from chainrule.diagnosis import Diagnose
    from chainrule.estimators import (
        MLPClassifier,
        MLPRegressor,
        NetworkClassifier,
        NetworkRegressor,
    )
    from chainrule.layers import (
        AveragePool1D,
        AveragePool2D,
        BatchNorm,
        Conv1D,
        Conv2D,
        ConvTranspose2D,
        Dropout,
        Flatten,
        GlobalAveragePool,
        GlobalMaxPool,
        GroupNorm,
        LayerNorm,
        MaxPool1D,
        MaxPool2D,
        Reshape,
        Residual,
        RMSNorm,
        SpatialDropout,
        UpSample,
        ZeroPad,
    )
    from chainrule.saving import (
        Checkpoint,
        from_keras,
        from_onnx,
        from_sklearn,
        load_weights,
        resume,
    )
    from chainrule.saving import load_network as load

__version__ = "0.1.0"

__all__ = [
    "ELU",
    "GELU",
    "LBFGS",
    "SELU",
    "AMSGrad",
    "Activation",
    "Adadelta",
    "Adagrad",
    "Adam",
    "AdamW",
    "Auto",
    "AveragePool1D",
    "AveragePool2D",
    "BackpropBeforeFeedforward",
    "BatchNorm",
    "BinaryCrossEntropy",
    "Callback",
    "CategoricalCrossEntropy",
    "ChainruleError",
    "Checkpoint",
    "Compiled",
    "Constant",
    "ConstantRate",
    "Conv1D",
    "Conv2D",
    "ConvTranspose2D",
    "Cosine",
    "Dense",
    "Diagnose",
    "Dropout",
    "EarlyStopping",
    "Engine",
    "ExponentialDecay",
    "Flatten",
    "GELUTanh",
    "GlobalAveragePool",
    "GlobalMaxPool",
    "GlorotNormal",
    "GlorotUniform",
    "GradientCheck",
    "GradientDescent",
    "GroupNorm",
    "HalfSquaredError",
    "HardSigmoid",
    "HardTanh",
    "HeAverage",
    "HeNormal",
    "HeUniform",
    "Hinge",
    "History",
    "Huber",
    "Identity",
    "Initializer",
    "InvalidData",
    "InvalidInput",
    "InvalidSetting",
    "InvalidShape",
    "InverseScaling",
    "KLDivergence",
    "Layer",
    "LayerNorm",
    "LeCunNormal",
    "LeCunUniform",
    "LeakyReLU",
    "Lion",
    "LogCosh",
    "LogSoftmax",
    "Loss",
    "LossNotFinite",
    "MLPClassifier",
    "MLPRegressor",
    "ManyTrainings",
    "MaxPool1D",
    "MaxPool2D",
    "MeanAbsoluteError",
    "MeanSquaredError",
    "Metric",
    "Mish",
    "MissingPackage",
    "MultilabelCrossEntropy",
    "Nadam",
    "NegativeLogLikelihood",
    "NetworkClassifier",
    "NetworkRegressor",
    "NeuralNetwork",
    "Normal",
    "NotBuilt",
    "OnEpoch",
    "Optimizer",
    "Orthogonal",
    "PReLU",
    "Parameter",
    "Poisson",
    "PoissonDeviance",
    "RMSNorm",
    "RMSProp",
    "ReLU",
    "ReduceOnPlateau",
    "Reference",
    "Reshape",
    "Residual",
    "Schedule",
    "SiLU",
    "Sigmoid",
    "SigmoidCrossEntropy",
    "Softmax",
    "SoftmaxCrossEntropy",
    "Softplus",
    "Softsign",
    "SpatialDropout",
    "StepDecay",
    "SumOfSquares",
    "Tanh",
    "TopKAccuracy",
    "Trace",
    "Uniform",
    "UnknownName",
    "UnreadableFile",
    "UpSample",
    "ZeroPad",
    "Zeros",
    "attribution",
    "check",
    "data",
    "diagnosis",
    "estimators",
    "from_keras",
    "from_onnx",
    "from_sklearn",
    "landscape",
    "load",
    "load_weights",
    "models",
    "plots",
    "resume",
    "saving",
    "train_many",
]

_MODULES_ON_USE = ("attribution", "diagnosis", "estimators", "landscape", "models", "saving")
_ON_USE = {
    "Checkpoint": ("saving", "Checkpoint"),
    "Diagnose": ("diagnosis", "Diagnose"),
    "MLPClassifier": ("estimators", "MLPClassifier"),
    "MLPRegressor": ("estimators", "MLPRegressor"),
    "NetworkClassifier": ("estimators", "NetworkClassifier"),
    "NetworkRegressor": ("estimators", "NetworkRegressor"),
    "check": ("checker", "check"),
    "from_keras": ("saving", "from_keras"),
    "from_onnx": ("saving", "from_onnx"),
    "from_sklearn": ("saving", "from_sklearn"),
    "load": ("saving", "load_network"),
    "load_weights": ("saving", "load_weights"),
    "resume": ("saving", "resume"),
}


def __getattr__(name: str) -> Any:
    if name in _MODULES_ON_USE:
        return importlib.import_module(f"chainrule.{name}")
    if name in _ON_USE:
        module, of = _ON_USE[name]
        return getattr(importlib.import_module(f"chainrule.{module}"), of)
    if name in layers.__all__:
        globals()[name] = getattr(layers, name)
        return globals()[name]
    raise AttributeError(f"chainrule has no {name!r}.")

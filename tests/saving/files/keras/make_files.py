"""How the files beside this were made, with what the models predict; Keras 3.15 on JAX 0.10.

No test runs this. ``KERAS_BACKEND=jax JAX_ENABLE_X64=1 python make_files.py`` makes them again.
"""

from __future__ import annotations

from pathlib import Path

import keras
import numpy as np
from keras import layers

FOLDER = Path(__file__).parent
random = np.random.default_rng(0)


def keep(name: str, model: keras.Model, shape: tuple[int, ...], *, weights: bool = False) -> None:
    """Give every array random numbers, as training would, and write model and predictions."""
    for variable in model.weights:
        if variable.dtype != "uint32":  # the state of a random generator
            low = 0.5 if "variance" in variable.path or "gamma" in variable.path else -0.7
            variable.assign(random.uniform(low, 0.8, variable.shape))
    x = random.normal(size=(4, *shape)).astype(np.float32)
    np.savez(FOLDER / f"{name}.npz", x=x, y=np.asarray(model(x, training=False), np.float64))
    if weights:
        model.save_weights(FOLDER / f"{name}.weights.h5")
    else:
        model.save(FOLDER / f"{name}.keras")


trained = keras.Sequential(
    [
        layers.Input((3,)),
        layers.Dense(5, activation="relu"),
        layers.Dropout(0.3),
        layers.Dense(2, activation="softmax"),
    ]
)
trained.compile("adam", "sparse_categorical_crossentropy")
trained.fit(np.ones((4, 3)), np.array([0, 1, 0, 1]), verbose=0)
keep("perceptron", trained, (3,))

keep(
    "images",
    keras.Sequential(
        [
            layers.Input((8, 7, 2)),
            layers.Conv2D(4, 3, strides=2, padding="same", activation="relu"),
            layers.BatchNormalization(),
            layers.MaxPooling2D(2, strides=1),
            layers.Conv2D(6, (2, 3), groups=2, use_bias=False),
            layers.ReLU(negative_slope=0.1),
            layers.AveragePooling2D(2, padding="same"),
            keras.Sequential([layers.Flatten(), layers.Dense(5), layers.LayerNormalization()]),
            layers.Activation("gelu"),
            layers.Dense(1, activation="sigmoid"),
        ]
    ),
    (8, 7, 2),
)
keep(
    "sequences",
    keras.Sequential(
        [
            layers.Input((9, 2)),
            layers.Conv1D(4, 3, padding="causal", dilation_rate=2),
            layers.PReLU(shared_axes=[1]),
            layers.BatchNormalization(center=False, axis=2),
            layers.MaxPooling1D(2),
            layers.GlobalAveragePooling1D(),
            layers.Dense(3, activation="leaky_relu"),
        ]
    ),
    (9, 2),
)
keep(
    "halves",
    keras.Sequential(
        [
            layers.Input((3,)),
            layers.Dense(3, dtype="bfloat16", activation="tanh"),
            layers.Dense(2, dtype="float16"),
        ]
    ),
    (3,),
)
keep("double", keras.Sequential([layers.Input((3,)), layers.Dense(2, dtype="float64")]), (3,))
same_sizes = [layers.Input((3,)), *(layers.Dense(3, activation="tanh") for _ in range(12))]
keep("deep", keras.Sequential(same_sizes), (3,), weights=True)

start = layers.Input((6, 6, 1))
image = layers.Conv2D(3, 3, name="eyes")(start)
image = layers.BatchNormalization(epsilon=1e-4)(image)
end = layers.Dense(2, name="head")(layers.Flatten()(image))
keep("functional", keras.Model(start, end), (6, 6, 1))

"""How to train on images, where the person did not say."""

from __future__ import annotations

from dataclasses import dataclass

from chainrule import arguments, models
from chainrule.cli.choices import scheduled_optimizer
from chainrule.data.augmentation import Augmentation
from chainrule.errors import InvalidSetting, InvalidShape
from chainrule.layer import Shape
from chainrule.network import NeuralNetwork

DEFAULT_MODEL = "small-cnn"
_MANY_IMAGES = 10_000
_SHORT_NAMES = {"mix": "mix_up", "mixup": "mix_up"}


@dataclass(frozen=True)
class ImageWishes:
    """What the person asked for; None leaves the choice to this module.

    Attributes
    ----------
    model : str
        Name of a network.
    augment : tuple of str
        Names of random changes to the images in training.
    epochs, batch_size : int, optional
    learning_rate : float, optional
    validation : float, optional
        Part of the images to measure on.
    optimizer : str
    seed : int
    """

    model: str = DEFAULT_MODEL
    augment: tuple[str, ...] = ()
    epochs: int | None = None
    batch_size: int | None = None
    learning_rate: float | None = None
    validation: float | None = None
    optimizer: str = "adam"
    seed: int = 0


def choose_image_epochs(wishes: ImageWishes, images: int) -> int:
    """Return how often to go through the images at most."""
    return wishes.epochs or (30 if images < _MANY_IMAGES else 10)


def choose_image_batch_size(wishes: ImageWishes, images: int) -> int:
    """Return how many images to take for one step."""
    return wishes.batch_size or (64 if images < _MANY_IMAGES else 128)


def choose_validation(wishes: ImageWishes, *, has_test: bool) -> float:
    """Return which part to set aside: less where there are images to test on besides."""
    return wishes.validation or (0.1 if has_test else 0.2)


def check_names(wishes: ImageWishes) -> None:
    """Refuse what has no meaning before images are read, which may take long.

    Raises
    ------
    UnknownName, InvalidSetting
    """
    models.named(wishes.model, classes=2)
    optimizer = scheduled_optimizer(wishes.optimizer, wishes.learning_rate, epochs=1)
    arguments.check_augment(choose_augmentations(wishes), optimizer)


def choose_augmentations(wishes: ImageWishes) -> list[Augmentation]:
    """Turn names into augmentations with their default settings.

    Raises
    ------
    UnknownName
    """
    names = [name.strip().lower().replace("-", "_") for name in wishes.augment]
    return [Augmentation.get(_SHORT_NAMES.get(name, name)) for name in names]


def choose_image_network(
    wishes: ImageWishes, classes: int, shape: Shape, images: int
) -> NeuralNetwork:
    """Build the network for images of that shape (height, width, channels).

    Raises
    ------
    InvalidSetting
        When the images are too small for the network, or settings do not fit each other.
    """
    rate = wishes.learning_rate
    if rate is None and wishes.optimizer == "adam":
        rate = 0.002 if images < _MANY_IMAGES else 0.001
    optimizer = scheduled_optimizer(wishes.optimizer, rate, choose_image_epochs(wishes, images))
    network = models.named(wishes.model, classes, optimizer=optimizer, seed=wishes.seed)
    try:
        return network.build(shape)
    except InvalidShape as error:
        raise InvalidSetting(
            f"--model {wishes.model} cannot take images of {shape[0]} x {shape[1]}: {error}"
        ) from error

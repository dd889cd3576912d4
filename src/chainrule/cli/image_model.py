"""A network together with how to read an image for it: what ``chainrule train`` makes of images."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from chainrule import saving
from chainrule.data import read_image
from chainrule.errors import UnreadableFile
from chainrule.layer import Array
from chainrule.network import NeuralNetwork
from chainrule.saving import SavedModel

SCALING = "0 ... 1"  # the only one there is: bytes are divided by 255


@dataclass(frozen=True)
class ImageModel:
    """From image files to classes.

    Attributes
    ----------
    network : NeuralNetwork
        Takes (batch, height, width, channels), with numbers from 0 to 1 or bytes.
    classes : tuple of str
        Name of each output.
    training : dict
        How it was trained: images, epochs, scores, ...
    """

    network: NeuralNetwork
    classes: tuple[str, ...]
    training: dict[str, Any]

    def read(self, path: Path) -> Array:
        """Read an image as those trained on: uint8 (height, width, channels).

        Raises
        ------
        UnreadableFile
        """
        height, width, channels = self.network.shapes[0]
        return read_image(path, size=(height, width), channels=channels)

    def save(self, path: Path) -> Path:
        """Write the model file."""
        height, width, channels = self.network.shapes[0]
        images = {
            "classes": list(self.classes),
            "size": [height, width],
            "channels": channels,
            "scaling": SCALING,
        }
        return saving.save(self.network, path, {"images": images, "training": self.training})

    @classmethod
    def from_saved(cls, saved: SavedModel, path: Path) -> Self:
        """Take what a model file holds.

        Raises
        ------
        UnreadableFile
            When it was not made for images, or does not fit together.
        """
        network = saved.network
        try:
            images = saved.extra["images"]
            classes = tuple(images["classes"])
            shape = (*images["size"], images["channels"])
            fits = (
                network.input_shape == shape
                and len(shape) == 3
                and shape[2] in (1, 3)
                and network.output_shape == (len(classes),)
                and images["scaling"] == SCALING
                and all(isinstance(name, str) for name in classes)
            )
        except (KeyError, TypeError) as error:
            raise UnreadableFile(
                f"{path} does not say completely how to prepare images for its network "
                f"({error!r}); expected a model made by chainrule train."
            ) from error
        if not fits:
            raise UnreadableFile(f"{path} is damaged: its network does not fit its images.")
        return cls(network, classes, saved.extra.get("training", {}))

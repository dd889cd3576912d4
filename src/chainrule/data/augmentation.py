"""Augmentation: every epoch sees the images a little otherwise, and none of them can be memorised.

Each class changes a batch of images in one way that keeps what they show. In training,
``fit(..., augment=[Shift(2), Flip()])`` applies them one after another to every batch; validation
and prediction never see them. The random numbers are keyed by the network's seed, the epoch, the
batch's number in it and the place in the list, so any step can be replayed.

Images are floating-point, channels-last: (batch, height, width, channels).
"""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from chainrule import checks
from chainrule.errors import InvalidSetting, InvalidShape
from chainrule.layer import Array, Shape
from chainrule.registry import Registered


class Augmentation(Registered, family="augmentation"):
    """Changes a batch at random; a class of your own defines ``images``.

    Attributes
    ----------
    needs_images : bool
        Whether samples must be (height, width, channels).
    mixes : bool
        Whether it makes one sample of several, and so needs the actual values in a form that can
        be mixed: class labels then come to it as one-hot rows.
    """

    needs_images: ClassVar[bool] = True
    mixes: ClassVar[bool] = False

    def images(self, x: Array, random: np.random.Generator) -> Array:
        """X (batch, height, width, channels) -> changed images of the same shape and dtype."""
        raise NotImplementedError(f"{type(self).__name__} defines no images")

    def apply(self, x: Array, y: Array, random: np.random.Generator) -> tuple[Array, Array]:
        """Change inputs and, where it must be, the actual values (batch, ...)."""
        return self.images(x, random), y

    def check(self, shape: Shape, *, weighted: bool) -> None:
        """Refuse samples that it cannot change.

        Parameters
        ----------
        shape : tuple of int
            Of one sample.
        weighted : bool
            Whether the samples have weights.

        Raises
        ------
        InvalidShape, InvalidSetting
        """
        if self.needs_images and len(shape) != 3:
            raise InvalidShape(
                f"{self!r} received samples of shape {shape}; expected images (height, width, "
                "channels). Give x their shape, and begin the network with Flatten() if its first "
                "layer is dense."
            )
        if self.mixes and weighted:
            raise InvalidSetting(
                f"{self!r} received samples with weights; expected none: a mixture of two has no "
                "weight of its own. Leave out sample_weight or the mixing."
            )


class Shift(Augmentation):
    """Move each image by some pixels up or down and left or right; what is uncovered is 0.

    Parameters
    ----------
    pixels : int, default 2
        At most so many, in each of the two directions.
    """

    def __init__(self, pixels: int = 2) -> None:
        self.pixels = checks.whole_number("pixels", pixels, at_least=0)

    def images(self, x: Array, random: np.random.Generator) -> Array:
        batch, height, width, _ = x.shape
        most = self.pixels
        down, right = random.integers(-most, most, size=(2, batch, 1), endpoint=True)
        padded = np.pad(x, ((0, 0), (most, most), (most, most), (0, 0)))
        rows = np.arange(height) + most - down
        columns = np.arange(width) + most - right
        return padded[np.arange(batch)[:, None, None], rows[:, :, None], columns[:, None, :]]


class Flip(Augmentation):
    """Mirror half of the images.

    Parameters
    ----------
    direction : str, default "horizontal"
        "horizontal" changes left and right, "vertical" top and bottom.
    """

    def __init__(self, direction: str = "horizontal") -> None:
        self.direction = checks.one_of("direction", direction, ("horizontal", "vertical"))

    def images(self, x: Array, random: np.random.Generator) -> Array:
        mirrored = x[:, :, ::-1] if self.direction == "horizontal" else x[:, ::-1]
        chosen = random.random(len(x)) < 0.5
        return np.where(chosen[:, None, None, None], mirrored, x)


class Rotate(Augmentation):
    """Turn each image about its centre; what is uncovered is 0.

    Parameters
    ----------
    degrees : float, default 10
        At most so far, in either sense.
    """

    def __init__(self, degrees: float = 10.0) -> None:
        self.degrees = checks.number("degrees", degrees, at_least=0, at_most=180)

    def images(self, x: Array, random: np.random.Generator) -> Array:
        angles = np.radians(random.uniform(-self.degrees, self.degrees, size=(len(x), 1, 1)))
        rows, columns = _from_centre(x.shape)
        return _sampled(
            x,
            np.cos(angles) * rows + np.sin(angles) * columns,
            np.cos(angles) * columns - np.sin(angles) * rows,
        )


class Crop(Augmentation):
    """Cut a part out of each image and enlarge it to the full size.

    Parameters
    ----------
    smallest : float, default 0.8
        Height and width of the smallest part, as a fraction of the image's, up to 1.
    """

    def __init__(self, smallest: float = 0.8) -> None:
        self.smallest = checks.number("smallest", smallest, above=0, at_most=1)

    def images(self, x: Array, random: np.random.Generator) -> Array:
        size = random.uniform(self.smallest, 1, size=(len(x), 1, 1))
        # How far the part's centre may lie from the image's without leaving the image.
        down, right = random.uniform(-1, 1, size=(2, len(x), 1, 1)) * (1 - size) / 2
        rows, columns = _from_centre(x.shape)
        _, height, width, _ = x.shape
        return _sampled(x, size * rows + down * (height - 1), size * columns + right * (width - 1))


class Noise(Augmentation):
    """Add normal noise to every number.

    Parameters
    ----------
    standard_deviation : float, default 0.05
        In units of x: images that were bytes run from 0 to 1.
    """

    needs_images = False

    def __init__(self, standard_deviation: float = 0.05) -> None:
        self.standard_deviation = checks.number(
            "standard_deviation", standard_deviation, at_least=0
        )

    def images(self, x: Array, random: np.random.Generator) -> Array:
        noise = random.standard_normal(x.shape, dtype=np.float32)
        return x + noise * x.dtype.type(self.standard_deviation)


class MixUp(Augmentation):
    """Mix each sample with another one of the batch, and their actual values alike.

    With λ between 0 and 1 for each sample ::

        x' = λ x_i + (1 - λ) x_j
        y' = λ y_i + (1 - λ) y_j

    Parameters
    ----------
    alpha : float, default 0.2
        λ follows the distribution Beta(α, α): for a small α most samples stay nearly as they are,
        for 1 every mixture is as likely (Zhang et al., 2018).
    """

    needs_images = False
    mixes = True

    def __init__(self, alpha: float = 0.2) -> None:
        self.alpha = checks.number("alpha", alpha, above=0)

    def apply(self, x: Array, y: Array, random: np.random.Generator) -> tuple[Array, Array]:
        share = random.beta(self.alpha, self.alpha, size=len(x))
        partner = random.permutation(len(x))
        return _mixed(x, share, partner), _mixed(y, share, partner)


def _mixed(values: Array, share: Array, partner: Array) -> Array:
    share = share.astype(values.dtype).reshape(-1, *(1 for _ in values.shape[1:]))
    return share * values + (1 - share) * values[partner]


def _from_centre(shape: Shape) -> tuple[Array, Array]:
    """Rows (height, 1) and columns (1, width) of the pixels, counted from the image's centre."""
    _, height, width, _ = shape
    rows = np.arange(height)[:, None] - (height - 1) / 2
    columns = np.arange(width)[None, :] - (width - 1) / 2
    return rows, columns


def _sampled(x: Array, rows: Array, columns: Array) -> Array:
    """Read images between their pixels; outside of them everything is 0.

    Parameters
    ----------
    x : ndarray (batch, height, width, channels)
    rows, columns : ndarray (batch, height, width), or what broadcasts to it
        Where each new pixel is read, counted from the image's centre. Its value is the mean of
        the four pixels around that place, the nearer the heavier (bilinear interpolation).
    """
    batch, height, width, channels = x.shape
    rows, columns = np.broadcast_arrays(rows + (height - 1) / 2, columns + (width - 1) / 2)
    padded = np.pad(x, ((0, 0), (1, 1), (1, 1), (0, 0))).reshape(-1, channels)
    # Places further out than the border of zeros read from the border.
    rows, columns = np.clip(rows, -1, height) + 1, np.clip(columns, -1, width) + 1
    top = np.minimum(rows.astype(np.intp), height)
    left = np.minimum(columns.astype(np.intp), width)
    first = (np.arange(batch)[:, None, None] * (height + 2) + top) * (width + 2) + left
    down = (rows - top).astype(x.dtype)[..., None]
    right = (columns - left).astype(x.dtype)[..., None]
    above = padded[first] * (1 - right) + padded[first + 1] * right
    below = padded[first + width + 2] * (1 - right) + padded[first + width + 3] * right
    return above * (1 - down) + below * down

"""``chainrule train``: from a table or from images to a trained network in a file."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import typer

from chainrule import checks
from chainrule.cli.choices import Wishes
from chainrule.cli.image_choices import DEFAULT_MODEL, ImageWishes
from chainrule.cli.sources import IMAGES, TABLES, kind_of, set_name
from chainrule.cli.train_images import train_images
from chainrule.cli.train_table import train_table
from chainrule.errors import InvalidSetting
from chainrule.models import MODELS

_SIZE = re.compile(r"(\d+)(?:[x×](\d+))?", re.IGNORECASE)


def _above_zero(value: float | None) -> float | None:
    if value is not None and not 0 < value < float("inf"):
        raise typer.BadParameter(f"expected a number above 0; received {value:g}.")
    return value


def _below_one(value: float | None) -> float | None:
    if value is not None and not 0 < value < 1:
        raise typer.BadParameter(f"expected a part between 0 and 1; received {value:g}.")
    return value


def _from_zero(value: float) -> float:
    if not 0 <= value < 1:
        raise typer.BadParameter(f"expected a part from 0 to below 1; received {value:g}.")
    return value


def train(
    source: Annotated[
        str,
        typer.Argument(
            metavar="FILE",
            help="A CSV file, a folder with one sub-folder of images for each class, or one of: "
            f"{', '.join(sorted({*TABLES, *IMAGES}))}.",
        ),
    ],
    target: Annotated[
        str | None, typer.Option(metavar="COLUMN", help="Tables: the column to predict.")
    ] = None,
    model: Annotated[
        str | None,
        typer.Option(
            metavar="NAME", help=f"Images: {', '.join(MODELS)}; {DEFAULT_MODEL} without it."
        ),
    ] = None,
    hidden: Annotated[
        str | None,
        typer.Option(metavar="SIZES", help="Tables: units in each hidden layer, as 32,16."),
    ] = None,
    activation: Annotated[
        str | None,
        typer.Option(metavar="NAMES", help="Tables: of the hidden layers, one or one for each."),
    ] = None,
    epochs: Annotated[
        int | None, typer.Option(min=1, help="How often to go through the data at most.")
    ] = None,
    learning_rate: Annotated[
        float | None, typer.Option(help="The first size of a step.", callback=_above_zero)
    ] = None,
    batch_size: Annotated[
        int | None, typer.Option(min=1, help="Rows or images for one step.")
    ] = None,
    optimizer: Annotated[str, typer.Option(metavar="NAME", help="Such as adam or lbfgs.")] = "adam",
    dropout: Annotated[
        float,
        typer.Option(
            help="Tables: part of the hidden units that a step leaves out.", callback=_from_zero
        ),
    ] = 0.0,
    l2: Annotated[
        float | None,
        typer.Option(
            "--l2", min=0, help="Tables: penalty on the weights, in place of Adam's weight decay."
        ),
    ] = None,
    loss: Annotated[
        str | None, typer.Option(metavar="NAME", help="Tables: also decides, classes or numbers.")
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="Decides everything random.")] = 0,
    validation: Annotated[
        float | None,
        typer.Option(
            help="Part of the data to measure on; 0.2 without it, 0.1 of fashion-mnist.",
            callback=_below_one,
        ),
    ] = None,
    ignore: Annotated[
        list[str] | None, typer.Option(metavar="COLUMN", help="Tables: leave it out; repeatable.")
    ] = None,
    category: Annotated[
        list[str] | None,
        typer.Option(metavar="COLUMN", help="Tables: its numbers are categories; repeatable."),
    ] = None,
    image_size: Annotated[
        str | None,
        typer.Option(
            metavar="SIZE", help="Images of a folder: resize them, as 28 or 28x32 (28 high)."
        ),
    ] = None,
    augment: Annotated[
        str | None,
        typer.Option(metavar="NAMES", help="Images: flip,shift,rotate,crop,noise,mix at random."),
    ] = None,
    limit: Annotated[
        int | None, typer.Option(min=1, help="Images: take only so many, for a quick look.")
    ] = None,
    strict: Annotated[
        bool, typer.Option("--strict", help="Images of a folder: stop at one that is unreadable.")
    ] = False,
    resume: Annotated[
        Path | None,
        typer.Option(
            metavar="FOLDER",
            help="Keep the training there every ten seconds; the same command goes on from it.",
        ),
    ] = None,
    output: Annotated[Path | None, typer.Option(help="Where the model goes.")] = None,
    plot: Annotated[Path | None, typer.Option(help="Where the loss graph goes.")] = None,
    quiet: Annotated[bool, typer.Option("--quiet", help="Print scores and files only.")] = False,
) -> None:
    """Train a network on a table or on images and keep it in a file."""
    for_tables = {
        "--target": target,
        "--hidden": hidden,
        "--activation": activation,
        "--dropout": dropout,
        "--l2": l2,
        "--loss": loss,
        "--ignore": ignore,
        "--category": category,
    }
    for_images = {
        "--model": model,
        "--image-size": image_size,
        "--augment": augment,
        "--limit": limit,
        "--strict": strict,
    }
    size = _size(image_size)
    if kind_of(source, model) == "images":
        _refuse(for_tables, source, "tables", "images")
        image_wishes = ImageWishes(
            model=DEFAULT_MODEL if model is None else model.replace("_", "-").lower(),
            augment=_names(augment) or (),
            epochs=epochs,
            batch_size=batch_size,
            learning_rate=learning_rate,
            validation=validation,
            optimizer=optimizer,
            seed=seed,
        )
        train_images(
            source,
            image_wishes,
            size=size,
            strict=strict,
            limit=limit,
            resume=resume,
            output=output,
            plot=plot,
            quiet=quiet,
        )
        return
    _refuse(for_images, source, "images", "a table")
    wishes = Wishes(
        hidden=_sizes(hidden),
        activation=_names(activation),
        epochs=epochs,
        batch_size=batch_size,
        learning_rate=learning_rate,
        validation=0.2 if validation is None else validation,
        optimizer=optimizer,
        dropout=dropout,
        l2=l2,
        loss=loss,
        ignore=tuple(ignore or ()),
        categories=tuple(category or ()),
        seed=seed,
    )
    train_table(source, target, wishes, resume=resume, output=output, plot=plot, quiet=quiet)


def _refuse(options: Mapping[str, object], source: str, suited: str, received: str) -> None:
    """Refuse options of the other kind of data."""
    for option, value in options.items():
        if value:
            hint = ""
            if received == "a table" and set_name(source) in IMAGES:
                hint = f" For the images of {source} name a network, as --model {DEFAULT_MODEL}."
            elif option == "--model":
                hint = " What its network looks like say --hidden and --activation."
            elif option in ("--hidden", "--activation"):
                hint = f" Networks for images have a name: --model {DEFAULT_MODEL}."
            raise InvalidSetting(
                f"{option} is for {suited}, and {source} is taken as {received}; leave it out."
                f"{hint}"
            )


def _sizes(hidden: str | None) -> tuple[int, ...] | None:
    if hidden is None:
        return None
    try:
        return tuple(checks.whole_number("size", int(size)) for size in hidden.split(","))
    except ValueError as error:
        raise typer.BadParameter(
            f"expected the number of units in each hidden layer, as 32,16; received {hidden!r}.",
            param_hint="--hidden",
        ) from error


def _size(image_size: str | None) -> tuple[int, int] | None:
    """Read 28 as 28 x 28, and 28x32 as a height of 28 and a width of 32."""
    if image_size is None:
        return None
    found = _SIZE.fullmatch(image_size.strip())
    height, width = (int(found[1]), int(found[2] or found[1])) if found else (0, 0)
    if not height or not width:
        raise typer.BadParameter(
            f"expected a size in pixels, as 28, or height x width, as 28x32; received "
            f"{image_size!r}.",
            param_hint="--image-size",
        )
    return height, width


def _names(names: str | None) -> tuple[str, ...] | None:
    return None if names is None else tuple(map(str.strip, names.split(",")))

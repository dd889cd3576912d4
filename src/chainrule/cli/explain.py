"""``chainrule explain``: every number of the step that some rows would make."""

from __future__ import annotations

import math
import shlex
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer

from chainrule import plots, saving
from chainrule.cli.documents import print_document
from chainrule.cli.explain_images import image_rows
from chainrule.cli.explain_number import Wanted, about_wanted, parse_wanted
from chainrule.cli.explain_numbers import number_rows
from chainrule.cli.explain_output import check_files, refuse_overwriting, write_files
from chainrule.cli.explain_overview import is_large, overview, strongest_weight
from chainrule.cli.explain_rows import Rows, parse_rows, remembered_source
from chainrule.cli.explain_table import table_rows
from chainrule.cli.image_model import ImageModel
from chainrule.cli.table_model import TableModel
from chainrule.cli.terminal import PICTURES, console
from chainrule.errors import InvalidSetting
from chainrule.explain.document import Block, Document, Section, Text
from chainrule.explain.explanation import Explanation
from chainrule.explain.layout import Layout
from chainrule.explain.shown import Shown
from chainrule.files import check_writable
from chainrule.layer import Pass
from chainrule.layers import BatchNorm
from chainrule.network import NeuralNetwork
from chainrule.saving import SavedModel
from chainrule.schedules import ConstantRate


def explain(
    model: Annotated[
        Path, typer.Argument(metavar="MODEL", help="Made by chainrule train or saving.save.")
    ],
    data: Annotated[
        str | None,
        typer.Option(
            metavar="FILE",
            help="A CSV file, an image, a folder of images by class, or a set with a name; "
            "without it the data that the model was trained on.",
        ),
    ] = None,
    row: Annotated[
        str | None,
        typer.Option(
            metavar="N",
            help="Which rows or images, counted from 1 as chainrule predict prints them: 3, or "
            "several in one step: 1,2,5 or 1-4. The first without it.",
        ),
    ] = None,
    actual: Annotated[
        str | None,
        typer.Option(
            metavar="VALUE", help="What is right, where the data do not say it: class or number."
        ),
    ] = None,
    weight: Annotated[
        str | None,
        typer.Option(
            metavar="WEIGHT",
            help='One number: "layer 1, 0, 2" is weights[0, 2] of layer 1. Layers count from 1, '
            'indices from 0. Also "layer 1 bias, 2", "layer 2.1 z, 0, 3", "loss".',
        ),
    ] = None,
    general: Annotated[
        bool, typer.Option("--general", help="The equations of the network, without any data.")
    ] = False,
    html: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write a page to open in a browser.")
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Write a file: .html, .md, .tex, .txt or .json."),
    ] = None,
    plot: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Draw the step: .png or .svg.")
    ] = None,
) -> None:
    """Explain the training step that a row would make, number by number.

    Feedforward, loss, backprop and update: each number with its formula, the formula with the
    numbers put in, and its value.
    """
    numbers = parse_rows("1" if row is None else row)
    wanted = None if weight is None else parse_wanted(weight)
    files = check_files(html, output, json=wanted is None and not general)
    if plot is not None:
        check_writable(plot, suffixes=PICTURES)
    of_a_step = {"--data": data, "--row": row, "--actual": actual}
    if general:
        _refuse_with_general({**of_a_step, "--weight": weight, "--plot": plot})
    saved = saving.load(model)
    for file in files if plot is None else [*files, plot]:
        refuse_overwriting(file, [model, data or remembered_source(saved.extra)])
    out = console()
    if general:
        derivation = saved.network.derivation()
        write_files(out, derivation, files)
        if not files:
            print_document(out, derivation.document())
        return
    rows = _rows(saved, model, data, numbers, actual)
    explanation, notes = _explain(saved.network, rows)
    step = OfRows(rows, notes, explanation, wanted)
    write_files(out, step, files)
    if not files:
        print_document(out, step.in_a_terminal() if out.is_terminal else step.document())
    if plot is not None:
        plots.save(explanation.plot(), plot)
        out.print(f"Picture of the step: {plot}", soft_wrap=True)
    if wanted is None and not files:
        out.print(f"\n{_what_next(explanation, model, of_a_step)}", soft_wrap=True)


class OfRows(Shown):
    """What is told of a step on some rows: first these, as the person knows them.

    Parameters
    ----------
    rows : Rows
    notes : list of str
    explanation : Explanation
    wanted : Wanted, optional
        One number; the whole step without it.
    """

    def __init__(
        self, rows: Rows, notes: list[str], explanation: Explanation, wanted: Wanted | None
    ) -> None:
        self.rows = rows
        self.notes = notes
        self.explanation = explanation
        self.wanted = wanted

    def document(self) -> Document:
        """The rows, and every number of their step; or one number."""
        if self.wanted is not None:
            return self._with_rows(about_wanted(self.explanation, self.wanted, self.rows.inputs))
        return self._with_rows(self.explanation.document())

    def in_a_terminal(self) -> Document:
        """The same; of the step of a large network an overview."""
        if self.wanted is not None or not is_large(self.explanation):
            return self.document()
        return self._with_rows(overview(self.explanation))

    def _with_rows(self, document: Document) -> Document:
        notes: list[Block] = [Text([f"Note: {note}"], tone="quiet") for note in self.notes]
        told = Section([self.rows.title], [*self.rows.told, *notes])
        return Document(document.title, [told, *document.blocks])

    def _forms(self) -> dict[str, Callable[[], str]]:
        forms = super()._forms()
        return forms if self.wanted is not None else {**forms, ".json": self.explanation.to_json}


def _refuse_with_general(options: dict[str, Any]) -> None:
    for option, value in options.items():
        if value is not None:
            raise InvalidSetting(
                f"--general shows the network's equations, without any numbers; leave out {option}."
            )


def _rows(
    saved: SavedModel, path: Path, data: str | None, numbers: tuple[int, ...], actual: str | None
) -> Rows:
    if "images" in saved.extra:
        return image_rows(ImageModel.from_saved(saved, path), path, data, numbers, actual)
    if "table" in saved.extra:
        return table_rows(TableModel.from_saved(saved, path), path, data, numbers, actual)
    return number_rows(saved.network, path, data, numbers, actual)


def _explain(network: NeuralNetwork, rows: Rows) -> tuple[Explanation, list[str]]:
    """Explain a step of training, or of prediction where one row is too few to train on."""
    notes = []
    training = not _needs_more_rows(network, len(rows.x))
    if not training:
        notes.append(
            "In training, batch normalization takes mean and variance from the rows of the step, "
            "which needs at least two, as --row 1-4. With one row it takes the averages that it "
            "kept, as in prediction."
        )
    optimizer = network.optimizer
    if optimizer.remembers or not isinstance(optimizer.schedule, ConstantRate):
        notes.append(
            "A model file keeps the weights, not what the optimizer remembered: the update is the "
            "first that it would make from here."
        )
    explanation = network.explain(rows.x, rows.y, training=training)
    if not np.allclose(explanation.output.values, network.feedforward(rows.x), atol=1e-4):
        notes.append(
            "Some layers do otherwise in training than in prediction (dropout, batch "
            "normalization), so ŷ of this step is not that of the prediction above."
        )
    return explanation, notes


def _needs_more_rows(network: NeuralNetwork, rows: int) -> bool:
    """Whether a layer has to see more than these rows to know a variance."""
    return any(
        isinstance(place.layer, BatchNorm) and rows * math.prod(place.input_shape[:-1]) < 2
        for place in Layout(network, Pass(training=True)).places.values()
    )


def _what_next(explanation: Explanation, model: Path, options: dict[str, str | None]) -> str:
    """How to ask for more of the same step."""
    given = [word for name, value in options.items() if value is not None for word in (name, value)]
    command = shlex.join(["chainrule", "explain", str(model), *given])
    number = strongest_weight(explanation)
    example = "layer 1"
    if number is not None:
        place = ".".join(str(place + 1) for place in number.symbol.path)
        example = f"layer {place}, {', '.join(map(str, number.symbol.index or ()))}"
    return (
        f'One weight: {command} --weight "{example}"\n'
        f"Every number on a page: {command} --html step.html\n"
        f"A picture: {command} --plot step.png"
    )

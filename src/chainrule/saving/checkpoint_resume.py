"""Going on from a checkpoint, to the same bits as if nothing had ended the training."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from chainrule import arguments, checks
from chainrule.engines.choice import Compiled, Engine, Reference
from chainrule.errors import InvalidData, InvalidSetting, UnreadableFile
from chainrule.network import NeuralNetwork
from chainrule.samples import Samples, check_inputs, check_samples
from chainrule.saving.checkpoint import Checkpoint, checkpoints
from chainrule.saving.checkpoint_content import read_plan, rebuilt
from chainrule.saving.checkpoint_data import fingerprint
from chainrule.saving.model_file import Content, naming, network_of, open_model
from chainrule.training.callbacks import Callback
from chainrule.training.history import History
from chainrule.training.loop import TrainingLoop
from chainrule.training.plan import Plan, columns
from chainrule.training.progress import Progress, check_progress


def resume(
    path: str | Path,
    x: Any,
    y: Any,
    *,
    validation: float | tuple[Any, ...] | None = None,
    sample_weight: Any = None,
    callbacks: Sequence[Callback] | None = None,
    progress: Progress = "auto",
) -> History:
    """Go on with a training that ``Checkpoint`` kept, to its planned end.

    The network ends with the same bits as if the training had never been interrupted: parameters,
    statistics and what the optimizer remembers, on either engine. Checkpoints go on in the same
    folder.

    Parameters
    ----------
    path : str or Path
        The folder, for its latest checkpoint, or one checkpoint.
    x, y, validation, sample_weight
        The same as ``fit`` was given. A fingerprint is compared; the data stand in no checkpoint.
    callbacks : sequence of Callback, optional
        As ``fit`` was given, in the same order, without the Checkpoint. ``EarlyStopping``, and
        ``Diagnose`` that prints, come back by themselves; they are needed where there are others.
    progress : bool or "auto", default "auto"

    Returns
    -------
    History
        Of the whole training, with what was before; ``history.network`` is the network. A training
        that had ended is not gone on with: then this is what it came to.

    Raises
    ------
    UnreadableFile
        When there is no checkpoint, or a damaged one.
    InvalidData
        When the data are others.
    InvalidSetting
        When callbacks are missing, or the engine that it ran on.

    Examples
    --------
    >>> import tempfile
    >>> import chainrule as cr
    >>> from chainrule import saving
    >>> X, y = cr.data.truth_table()
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     keeper = saving.Checkpoint(folder, steps=20)
    ...     net = cr.NeuralNetwork(cr.Dense(4, "sigmoid"), cr.Dense(1, "sigmoid"))
    ...     history = net.fit(X, y, epochs=50, callbacks=[keeper])
    ...     again = saving.resume(f"{folder}/step-00000020.safetensors", X, y)
    >>> bool((again.network.parameters == net.parameters).all())
    True
    """
    path = Path(path)
    file = _file(path)
    progress = check_progress(progress)
    content = _open(file, told_folder=path.is_dir())
    with naming(file):
        if "checkpoint" not in content.described:
            raise UnreadableFile(
                "it is a model, not a checkpoint; there is no training to go on with. Use load."
            )
        checkpoint = content.described["checkpoint"]
        network = network_of(content)
        keeper = Checkpoint.going_on(file.parent, checkpoint["keeper"], content.described["extra"])
        described = list(checkpoint["callbacks"])
        found = [rebuilt(one) for one in described]
        network.engine = _engine(keeper.engine, checkpoint["settings"]["engine"])
    chosen = _callbacks(callbacks, found, [str(one["class"]) for one in described])
    samples, held_out = _samples(network, x, y, validation, sample_weight)
    with naming(file):
        plan = read_plan(content, chosen, progress)
        data = str(checkpoint["data"])
    _check_data(data, samples, held_out)
    return _go_on(file, network, samples, held_out, plan, keeper)


def _go_on(
    file: Path,
    network: NeuralNetwork,
    samples: Samples,
    held_out: Samples | None,
    plan: Plan,
    keeper: Checkpoint,
) -> History:
    plan.callbacks.append(keeper)
    plan.kept = [*plan.kept, {}]
    recorded = columns(plan, held_out is not None)
    with naming(file):
        if plan.past is None or list(plan.past.epochs) != recorded:
            raise UnreadableFile("its history is not that of such a training.")
    for callback in plan.callbacks:
        callback.check(recorded)
    loop = TrainingLoop(network, samples, held_out, plan)
    if plan.begun.batches >= loop.batches.per_epoch:
        raise UnreadableFile(f"{file} cannot be loaded: it stands after the end of an epoch.")
    try:
        return loop.run()
    finally:
        network.engine = keeper.engine
        network.last_history = copy.copy(loop.history)  # as after fit


def _file(path: Path) -> Path:
    if not path.is_dir():
        return path
    found = checkpoints(path)
    if not found:
        raise UnreadableFile(
            f"The folder {path} holds no checkpoint (step-....safetensors). Train with "
            f"callbacks=[Checkpoint({str(path)!r})] to have some."
        )
    return found[-1]


def _open(file: Path, *, told_folder: bool) -> Content:
    """Read the checkpoint; where it is damaged, say which one stands before it."""
    try:
        return open_model(file)
    except UnreadableFile as error:
        found = checkpoints(file.parent)
        earlier = found[: found.index(file)] if told_folder else []
        if not earlier:
            raise
        raise UnreadableFile(
            f"{error} The one before it is {earlier[-1]}; give resume that one to go on from there."
        ) from error


def _engine(chosen: Any, ran_on: Any) -> Engine:
    """Return the engine that training ran on, whatever "auto" would choose here."""
    if not isinstance(chosen, Engine) or ran_on not in ("compiled", "reference"):
        raise UnreadableFile("it does not name its engine.")
    return (Compiled if ran_on == "compiled" else Reference)(chosen.threads)


def _callbacks(
    given: Sequence[Callback] | None, found: list[Callback | None], names: list[str]
) -> list[Callback]:
    """Return the callbacks to go on with: those given, where they are as many of the same kinds."""
    if given is None:
        if None not in found:
            return [callback for callback in found if callback is not None]
        raise InvalidSetting(
            f"This training had callbacks that resume cannot make by itself; pass callbacks=[...] "
            f"with what fit was given, without the Checkpoint: {', '.join(names)}."
        )
    checked = arguments.check_callbacks(given)
    received = [type(callback).__name__ for callback in checked]
    if received != names:
        raise InvalidSetting(
            f"callbacks received {', '.join(received) or 'none'}; expected what fit was given, "
            f"without the Checkpoint: {', '.join(names) or 'none'}."
        )
    return checked


def _samples(
    network: NeuralNetwork, x: Any, y: Any, validation: Any, sample_weight: Any
) -> tuple[Samples, Samples | None]:
    """Check the data as ``fit`` does."""

    def check(x: Any, y: Any, weight: Any) -> Samples:
        first = type(network.layers[0]).__name__
        inputs = check_inputs(x, network.input_shape, network.dtype, first)
        return check_samples(inputs, y, weight, network.loss, network.output_shape)

    samples = check(x, y, sample_weight)
    if validation is None:
        return samples, None
    if isinstance(validation, tuple | list):
        return samples, check(*arguments.unpack_validation(validation))
    fraction = checks.number("validation", validation, above=0, below=1)
    return samples.split(fraction, network.seed)


def _check_data(expected: str, samples: Samples, held_out: Samples | None) -> None:
    if fingerprint(samples, held_out) != expected:
        raise InvalidData(
            f"These are not the data that the training began with: received {len(samples)} samples "
            f"and {0 if held_out is None else len(held_out)} for validation, with another "
            "fingerprint. Pass the same x, y, validation and sample_weight as to fit."
        )

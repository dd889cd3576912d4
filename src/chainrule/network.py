"""NeuralNetwork: a function from inputs x to outputs ŷ, and the training of it."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from chainrule import arguments, checks, diagnosis, explain, saving
from chainrule.engines.choice import Engine
from chainrule.engines.programs import Programs, last_activation
from chainrule.engines.reference import NetworkTrace
from chainrule.errors import InvalidData, InvalidInput, InvalidShape
from chainrule.gradient_check import GradientCheck, check_gradients
from chainrule.layer import Array, Layer, Shape
from chainrule.loss import Loss
from chainrule.metrics import Metric, class_labels
from chainrule.optimizer import Optimizer
from chainrule.parameters import ParameterVector
from chainrule.samples import Samples, check_inputs, check_samples
from chainrule.stack import LayerStack
from chainrule.stored import Inputs
from chainrule.summary import summary_text
from chainrule.training.callbacks import Callback
from chainrule.training.history import History
from chainrule.training.loop import TrainingLoop
from chainrule.training.plan import Plan, columns
from chainrule.training.progress import Progress, check_progress
from chainrule.training.state import TrainingState

if TYPE_CHECKING:
    from chainrule.data.augmentation import Augmentation
    from chainrule.diagnosis import Diagnosis
    from chainrule.engines.compiled.training import CompiledTraining
    from chainrule.explain import Derivation, Explanation
    from chainrule.training.batches import Batches

_NUMBERS_AT_ONCE = 1 << 18  # prediction goes in pieces of about so many inputs: bounded memory

# What overflows is looked for in the result and told there, instead of by a warning on the way.
_told_by_the_result = np.errstate(over="ignore", invalid="ignore", divide="ignore")


class NeuralNetwork:
    """Layers one after another, a loss to measure them by, an optimizer to improve them.

    Parameters
    ----------
    *layers : Layer
        In the order the data pass through. The same layer at two places shares its weights.
    loss : str or Loss, default "mean_squared_error"
    optimizer : str or Optimizer, default "adam"
    l1, l2 : float, default 0
        Penalties: l1 · Σ |w| + l2 · Σ w² over all weights (not biases) joins the loss.
    seed : int, default 0
        Decides everything random: starting weights, shuffles, validation split.
    dtype : str, default "float32"
        "float32" or "float64". Data are converted to it once, where they enter; uint8 images and
        arrays mapped from files batch by batch.
    inputs : int or tuple of int, optional
        Shape of one sample. Without it the first data seen decide.
    engine : str or Engine, default "auto"
        What ``fit`` and ``predict`` run on. "reference" explains, "compiled" is fast and computes
        the same; "auto" takes the compiled one for long jobs, where ``chainrule[fast]`` is
        installed.

    Attributes
    ----------
    layers : tuple of Layer
    parameters : ndarray (count,)
        All weights and biases in one vector; each layer's arrays are views into it.
    last_history : History or None
        Record of the latest ``fit``, without what travels in time; also of one that failed.

    Examples
    --------
    >>> import chainrule as cr
    >>> X, y = [[0, 0, 1], [0, 1, 1], [1, 0, 1], [1, 1, 1]], [0, 1, 1, 0]
    >>> net = cr.NeuralNetwork(
    ...     cr.Dense(4, activation="sigmoid"),
    ...     cr.Dense(1, activation="sigmoid"),
    ...     loss="sum_of_squares",
    ...     optimizer=cr.GradientDescent(learning_rate=1.0),
    ... )
    >>> history = net.fit(X, y, epochs=1500)
    >>> net.predict(X).round().ravel().tolist()
    [0.0, 1.0, 1.0, 0.0]
    """

    def __init__(
        self,
        *layers: Layer,
        loss: str | Loss = "mean_squared_error",
        optimizer: str | Optimizer = "adam",
        l1: float = 0.0,
        l2: float = 0.0,
        seed: int = 0,
        dtype: str = "float32",
        inputs: int | Shape | None = None,
        engine: str | Engine = "auto",
    ) -> None:
        self.dtype = arguments.check_dtype(dtype)
        self.engine = engine
        self._stack = LayerStack(*layers, dtype=self.dtype)
        self.loss = loss
        self._optimizer = Optimizer.get(optimizer)
        self.l1, self.l2 = l1, l2
        self.seed = seed
        self.last_history: History | None = None
        if inputs is not None:
            self.build(inputs)

    # --- building ---------------------------------------------------------------------------

    @property
    def layers(self) -> tuple[Layer, ...]:
        """The layers, in the order the data pass through."""
        return self._stack.layers

    @property
    def input_shape(self) -> Shape | None:
        """Shape of one sample; None until it is known."""
        return self._stack.input_shape

    @property
    def is_built(self) -> bool:
        """Whether the shape of the inputs is known and there are weights."""
        return self._stack.input_shape is not None

    def build(self, inputs: int | Shape) -> Self:
        """Settle all shapes and draw the starting weights; done by ``fit`` if not before.

        Parameters
        ----------
        inputs : int or tuple of int
            Shape of one sample: ``3`` for rows of three numbers.

        Raises
        ------
        InvalidShape
            When a layer cannot take what the one before gives; the network stays as it was.
        """
        shape = arguments.check_input_shape(inputs)
        if shape != self.input_shape:
            self._stack.build(shape, self.seed)
            self.training_state = TrainingState(self._optimizer.start(self.parameters))
        return self

    def restart(self, seed: int | None = None) -> Self:
        """Begin anew: draw new starting weights and forget all training.

        Parameters
        ----------
        seed : int, optional
            The network's new seed; without it the weights are those that it began with before.
        """
        self._stack.need_built()
        if seed is not None:
            self.seed = seed
        self.parameter_vector.initialize(self.seed)
        self.training_state.begin_again()
        return self

    @property
    def parameters(self) -> Array:
        """All weights and biases in one vector (count,); change it in place."""
        return self.parameter_vector.values

    @property
    def parameter_vector(self) -> ParameterVector:
        """The same vector with the list of what stands where in it."""
        self._stack.need_built()
        return self._stack.parameters

    @property
    def shapes(self) -> list[Shape]:
        """Shape of one sample before the first layer and after each."""
        self._stack.need_built()
        return list(self._stack.shapes)

    @property
    def output_shape(self) -> Shape:
        """Shape of one output."""
        return self.shapes[-1]

    @property
    def l1(self) -> float:
        """Penalty on Σ |w|."""
        return self._l1

    @l1.setter
    def l1(self, l1: float) -> None:
        self._l1 = checks.number("l1", l1, at_least=0)

    @property
    def l2(self) -> float:
        """Penalty on Σ w²."""
        return self._l2

    @l2.setter
    def l2(self, l2: float) -> None:
        self._l2 = checks.number("l2", l2, at_least=0)

    @property
    def seed(self) -> int:
        """What decides everything random."""
        return self._seed

    @seed.setter
    def seed(self, seed: int) -> None:
        self._seed = checks.whole_number("seed", seed, at_least=0)

    @property
    def engine(self) -> Engine:
        """What ``fit`` and ``predict`` run on; ``net.engine.report()`` tells what they did."""
        return self._engine

    @engine.setter
    def engine(self, engine: str | Engine) -> None:
        chosen = copy.copy(Engine.get(engine))  # each network's own, for its report
        chosen.check_installed()
        self._engine = chosen
        self._programs = Programs(chosen)

    @property
    def loss(self) -> Loss:
        """How far predictions are from actual values."""
        return self._loss

    @loss.setter
    def loss(self, loss: str | Loss) -> None:
        chosen = Loss.get(loss)
        chosen.check_activation(self._stack.last_activation)
        self._loss = chosen

    @property
    def optimizer(self) -> Optimizer:
        """How the parameters are updated. Setting it starts the new one from scratch."""
        return self._optimizer

    @optimizer.setter
    def optimizer(self, optimizer: str | Optimizer) -> None:
        self._optimizer = Optimizer.get(optimizer)
        if self.is_built:
            self.training_state.optimizer = self._optimizer.start(self.parameters)
            self.training_state.schedule = {}

    # --- one pass, every number of it -------------------------------------------------------

    def new_trace(self, *, training: bool = False) -> NetworkTrace:
        """Return an empty trace for one pass of this network.

        Parameters
        ----------
        training : bool, default False
            Whether the pass is one of training, in which dropout drops and batch normalization
            uses the batch's own mean; else it is one of prediction.
        """
        trace = NetworkTrace(len(self.layers), self.seed, self._stack)
        trace.shared.training = checks.flag("training", training)
        return trace

    def feedforward(self, x: Any, trace: NetworkTrace | None = None) -> Array:
        """Compute ŷ = f(x).

        Parameters
        ----------
        x : array_like (batch, *input shape)
        trace : NetworkTrace, optional
            Takes every intermediate value; see ``new_trace``.

        Returns
        -------
        ndarray (batch, *output shape)
            What the last layer gives. Where the loss works on logits these are logits;
            ``predict`` turns them into probabilities.
        """
        x = self._check_inputs(x)[:]
        trace = self.new_trace() if trace is None else self._check_trace(trace)
        self.build(x.shape[1:])
        return self._stack.engine.feedforward(x, trace)

    def measure(self, y: Any, trace: NetworkTrace, sample_weight: Any = None) -> float:
        """Compute the loss: how far ŷ, as ``feedforward`` left it in the trace, is from y."""
        output = self._check_trace(trace).output
        samples = check_samples(output, y, sample_weight, self.loss, self.output_shape)
        y = self.loss.encode(samples.y, self.output_shape[-1], self.dtype)
        penalty = self._penalty() if self.l1 or self.l2 else 0.0
        return self.loss.value(output, y, samples.weight) + penalty

    def backprop(self, y: Any, trace: NetworkTrace, sample_weight: Any = None) -> Array:
        """Take the derivative of the loss with respect to every parameter.

        Parameters
        ----------
        y : array_like
            Actual values of the samples that ``feedforward`` saw with the same trace.
        trace : NetworkTrace
            Filled by ``feedforward``; takes the loss and each ``d_...`` of the way back.
        sample_weight : array_like (batch,), optional

        Returns
        -------
        ndarray (count,)
            ``trace.gradients``: all gradients in one vector, in the order of ``parameters``.
        """
        output = self._check_trace(trace).output
        samples = check_samples(output, y, sample_weight, self.loss, self.output_shape)
        trace.loss = sum(self._loss_and_gradients(output, samples.y, samples.weight, trace))
        return trace.gradients

    def update_statistics(self, trace: NetworkTrace) -> None:
        """Let layers that keep running statistics count the pass in the trace, once per step."""
        self._stack.engine.update_statistics(trace)

    def loss_and_gradients(
        self, batch: Samples, trace: NetworkTrace, penalty_scale: float = 1.0
    ) -> tuple[float, float]:
        """Forward and back over checked samples: the loss of the data, and the penalty's part."""
        output = self._stack.engine.feedforward(batch.x[:], trace)
        return self._loss_and_gradients(output, batch.y, batch.weight, trace, penalty_scale)

    def _loss_and_gradients(
        self,
        output: Array,
        y: Array,
        weight: Array | None,
        trace: NetworkTrace,
        penalty_scale: float = 1.0,
    ) -> tuple[float, float]:
        loss = self._loss
        y = loss.encode(y, output.shape[-1], self.dtype)
        self._stack.engine.backprop(loss.gradient(output, y, weight), trace)
        penalized = self._l1 or self._l2
        penalty = self._penalty(trace.gradients, penalty_scale) if penalized else 0.0
        return loss.value(output, y, weight), penalty

    def _penalty(self, gradients: Array | None = None, scale: float = 1.0) -> float:
        """l1 · Σ |w| + l2 · Σ w², adding its gradient, l1 · sign(w) + 2 · l2 · w."""
        l1, l2 = scale * self._l1, scale * self._l2
        weights = self.parameters * self.parameter_vector.penalized
        if gradients is not None:
            if l1:
                gradients += l1 * np.sign(weights)
            gradients += (2 * l2) * weights
        absolute = l1 * np.abs(weights).sum() if l1 else 0.0
        return float(absolute + l2 * np.vdot(weights, weights))

    # --- training ---------------------------------------------------------------------------

    def fit(
        self,
        x: Any,
        y: Any,
        *,
        epochs: int = 100,
        batch_size: int | None = 32,
        validation: float | tuple[Any, ...] | None = None,
        sample_weight: Any = None,
        shuffle: bool = True,
        augment: str | Augmentation | Sequence[str | Augmentation] = (),
        metrics: Sequence[str | Metric] = (),
        callbacks: Sequence[Callback] = (),
        progress: Progress = "auto",
    ) -> History:
        """Train, going on from where the network stands.

        Parameters
        ----------
        x : array_like (samples, *input shape)
            uint8 images, of shape (samples, height, width, ...), are divided by 255 wherever the
            network meets them, here and in ``predict``. They and arrays mapped from a file, as by
            ``np.load(path, mmap_mode="r")``, are read batch by batch.
        y : array_like
            Actual values, as the loss needs them: (samples, *output shape), (samples,) where
            there is one output, or class labels 0 ... K-1.
        epochs : int, default 100
            How often to go through all samples.
        batch_size : int or None, default 32
            Samples per iteration; None takes all of them each time.
        validation : float or (x, y) or (x, y, sample_weight), optional
            Samples to measure on but not to train on: your own, or a fraction to set aside.
        sample_weight : array_like (samples,), optional
        shuffle : bool, default True
            Whether each epoch takes the samples in a new order.
        augment : str, Augmentation or sequence of these, optional
            Random changes to each batch, as ``[Shift(2), Flip()]``; never when measuring.
        metrics : sequence of str or Metric, optional
            Scores to record for each epoch, on the validation samples where there are any.
        callbacks : sequence of Callback, optional
            ``EarlyStopping(...)`` and the like.
        progress : bool or "auto", default "auto"
            A progress bar; "auto" shows it in terminals and notebooks only.

        Returns
        -------
        History
            Also after Ctrl-C, which ends training after the present step. One can go back into it
            (``history.at``, ``branch``, ``why``); for that it keeps the network and the data,
            until ``history.forget()``.

        Raises
        ------
        InvalidInput
            Before anything has changed.
        LossNotFinite
            When the loss or its gradient stops being finite; the last finite parameters are back.
        """
        plan = Plan(
            epochs=checks.whole_number("epochs", epochs, at_least=0),
            batch_size=arguments.check_batch_size(batch_size),
            shuffle=checks.flag("shuffle", shuffle),
            augment=arguments.check_augment(augment, self._optimizer),
            metrics=arguments.check_metrics(metrics, self.loss),
            callbacks=arguments.check_callbacks(callbacks),
            progress=check_progress(progress),
        )
        samples = self._check_samples(x, y, sample_weight)
        for augmentation in plan.augment:
            augmentation.check(samples.x.shape[1:], weighted=samples.weight is not None)
        held_out: Samples | None = None
        if isinstance(validation, tuple | list):
            held_out = self._check_validation(validation, samples)
        elif validation is not None:
            fraction = checks.number("validation", validation, above=0, below=1)
            samples, held_out = samples.split(fraction, self.seed)
        for callback in plan.callbacks:
            callback.check(columns(plan, held_out is not None))
        self.build(samples.x.shape[1:])
        loop = TrainingLoop(self, samples, held_out, plan)
        try:
            return loop.run()
        finally:
            self.last_history = copy.copy(loop.history)  # which leaves the data behind

    def compiled_training(
        self, batches: Batches, epochs: int, tell: Callable[[], None] = lambda: None
    ) -> CompiledTraining | None:
        """Make what trains this network in machine code; None where the reference engine does.

        ``tell`` is called before what may take seconds.
        """
        return self._programs.training(self, batches, epochs, tell)

    # --- using it ---------------------------------------------------------------------------

    def predict(self, x: Any) -> Array:
        """Predict for each sample what ``fit`` was given as y.

        Returns
        -------
        ndarray (batch, *output shape)
            Numbers; for losses on logits probabilities, one per class.
        """
        found = self._programs.predict_quickly(self, x)
        return self._predict(x) if found is None else found

    @_told_by_the_result
    def _predict(self, x: Any) -> Array:
        self._stack.need_built()
        return self._check_finite(self._outputs(self._check_inputs(x), as_prediction=True))

    def predict_classes(self, x: Any) -> Array:
        """Predict the most probable class of each sample.

        Returns
        -------
        ndarray of int
            (batch,) class numbers; (batch, outputs) of 0 and 1 where each output stands for
            itself (several outputs of a binary loss).
        """
        return class_labels(self.predict(x), self.loss)

    def evaluate(
        self,
        x: Any,
        y: Any,
        *,
        metrics: Sequence[str | Metric] = (),
        sample_weight: Any = None,
    ) -> dict[str, Any]:
        """Return the loss, and each metric, over the given samples by name."""
        self._stack.need_built()
        checked = arguments.check_metrics(metrics, self.loss)
        scores = self.scores(self._check_samples(x, y, sample_weight), checked)
        self._check_finite(np.array(scores["loss"]))
        return scores

    @_told_by_the_result
    def scores(self, samples: Samples, metrics: Sequence[Metric]) -> dict[str, Any]:
        """Compute loss and metrics of checked samples."""
        output = self._outputs(samples.x)
        y = self.loss.encode(samples.y, self.output_shape[-1], self.dtype)
        penalty = self._penalty() if self.l1 or self.l2 else 0.0
        found: dict[str, Any] = {"loss": self.loss.value(output, y, samples.weight) + penalty}
        prediction = self.loss.prediction(output)
        for metric in metrics:  # which has no meaning where the loss is not a number any more
            found[metric.name] = (
                metric.value(samples.y, prediction, self.loss, samples.weight)
                if math.isfinite(found["loss"])
                else math.nan
            )
        return found

    def _check_finite(self, found: Array) -> Array:
        if np.isfinite(found).all():
            return found
        raise InvalidData(
            f"What the network computes from this x is too large for {self.dtype}: the outputs or "
            "their loss are not finite. Scale x as it was scaled for training, or use a network "
            "with dtype='float64'."
        )

    def _outputs(self, x: Inputs, *, as_prediction: bool = False) -> Array:
        """ŷ of many samples, piece by piece; as what ``predict`` gives, where asked."""
        compiled = self._programs.prediction(self, len(x), as_prediction=as_prediction)
        run: Callable[[Array], Array]
        if compiled is not None:
            run, numbers, most = compiled.outputs, 16 * _NUMBERS_AT_ONCE, len(x)
        else:
            run, numbers, most = self._reference_outputs, _NUMBERS_AT_ONCE, 1024
        rows = min(most, max(1, numbers // math.prod(x.shape[1:])))
        pieces = [run(x[start : start + rows]) for start in range(0, len(x), rows)]
        found = pieces[0] if len(pieces) == 1 else np.concatenate(pieces)
        done = compiled is not None and last_activation(self._loss) is not None
        return self._loss.prediction(found) if as_prediction and not done else found

    def _reference_outputs(self, x: Array) -> Array:
        return self._stack.engine.feedforward(x, self.new_trace())

    # --- seeing what it does ----------------------------------------------------------------

    def explain(
        self, x: Any, y: Any, *, sample_weight: Any = None, training: bool = True
    ) -> Explanation:
        """Explain the training step that these samples would make, number by number.

        ``print(net.explain(x, y))`` tells the whole step. Every number can be asked for:
        ``e["layer 1"].weights[0, 2].gradient`` shows its formula, the formula with the numbers put
        in, the chain of factors from the loss, the finite difference, and the line of code.

        Parameters
        ----------
        x, y, sample_weight
            Samples as for ``fit``; a few, or one.
        training : bool, default True
            Whether dropout drops and batch normalization uses the batch's own mean, as in
            training.

        Returns
        -------
        Explanation
            Of a copy: the network stays as it is.
        """
        samples = self._check_samples(x, y, sample_weight)
        training = checks.flag("training", training)
        self.build(samples.x.shape[1:])
        return explain.Explanation(self, samples, training=training)

    def derivation(self) -> Derivation:
        """Write down every equation of the network, from the data to the loss and back."""
        self._stack.need_built()
        return explain.Derivation(self)

    def diagnose(
        self, x: Any, y: Any, *, sample_weight: Any = None, columns: Sequence[str] = ()
    ) -> Diagnosis:
        """Look for what keeps the network from learning; says nothing when all is well.

        Parameters
        ----------
        x, y, sample_weight
            Samples as for ``fit``, best those it was trained on.
        columns : sequence of str, optional
            What the numbers of a sample are called, to name them.

        Returns
        -------
        Diagnosis
            Findings, each with its evidence in numbers and one suggestion. What the latest ``fit``
            recorded counts too.
        """
        return diagnosis.diagnose(
            self,
            x,
            y,
            history=self.last_history,
            sample_weight=sample_weight,
            columns=columns,
        )

    def check_gradients(
        self, x: Any, y: Any, *, sample_weight: Any = None, at_most: int | None = None
    ) -> GradientCheck:
        """Compare backprop with finite differences, for every parameter and the inputs.

        The comparison runs on a float64 copy; this network stays as it is.

        Parameters
        ----------
        x, y, sample_weight
            A few samples, as for ``fit``.
        at_most : int, optional
            Numbers to try of each array, for large networks; all without it.
        """
        if at_most is not None:
            at_most = checks.whole_number("at_most", at_most)
        self.build(self._check_samples(x, y, sample_weight).x.shape[1:])
        twin = self.copy(dtype="float64")
        return check_gradients(twin, twin._check_inputs(x)[:], y, sample_weight, at_most)

    # --- keeping it ---------------------------------------------------------------------------

    def save(self, path: str | Path, *, training: bool = False) -> Path:
        """Write a model file, in one go; ``chainrule.load(path)`` reads it.

        Parameters
        ----------
        path : str or path-like
        training : bool, default False
            Whether to keep what the optimizer remembers too, so that training can go on.

        Raises
        ------
        InvalidSetting
            When the network cannot be written down, or not there; what was there is as it was.
        """
        return saving.save(self, path, training=training)

    def to_onnx(self, path: str | Path) -> Path:
        """Write an ONNX file that gives what ``predict`` gives: ``chainrule.saving.to_onnx``."""
        return saving.to_onnx(self, path)

    def to_python(self, path: str | Path) -> Path:
        """Write a readable Python module of this network that needs NumPy alone."""
        return saving.to_python(self, path)

    def copy(self, dtype: str | None = None) -> NeuralNetwork:
        """Return an independent network with the same settings and parameters.

        Its training starts anew (optimizer, epochs). ``copy.deepcopy`` keeps those too.
        """
        twin = NeuralNetwork(
            *copy.deepcopy(self.layers),
            loss=copy.deepcopy(self.loss),
            optimizer=copy.deepcopy(self._optimizer),
            l1=self.l1,
            l2=self.l2,
            seed=self.seed,
            dtype=str(self.dtype) if dtype is None else dtype,
            inputs=self.input_shape,
            engine=self._engine,
        )
        if self.is_built:
            twin.parameter_vector.storage[...] = self.parameter_vector.storage
        return twin

    def _check_inputs(self, x: Any) -> Inputs:
        first = type(self.layers[0]).__name__
        if self.is_built and len(self.input_shape or ()) == 1:
            first = f"{first}(inputs={self.shapes[0][0]})"
        return check_inputs(x, self.input_shape, self.dtype, first)

    def _check_trace(self, trace: Any) -> NetworkTrace:
        if isinstance(trace, NetworkTrace) and trace.belongs_to is self._stack:
            return trace
        what = checks.shown(trace)
        if isinstance(trace, NetworkTrace):
            layers = f"{len(trace)} layer{'s' if len(trace) > 1 else ''}"
            what = f"one of another network, of {layers}"
        raise InvalidInput(
            f"trace received {what}; expected a trace of this network. Make one with "
            "trace = net.new_trace() and give it to feedforward first."
        )

    def _check_samples(self, x: Any, y: Any, sample_weight: Any) -> Samples:
        """Check what a person passes, before anything is changed, also before ``build``."""
        inputs = self._check_inputs(x)
        shapes = self._stack.shapes_for(inputs.shape[1:])
        return check_samples(inputs, y, sample_weight, self.loss, shapes[-1])

    def _check_validation(self, validation: Sequence[Any], training: Samples) -> Samples:
        x, y, weight = arguments.unpack_validation(validation)
        held_out = self._check_samples(x, y, weight)
        if held_out.x.shape[1:] != training.x.shape[1:]:
            raise InvalidShape(
                f"The validation samples have shape {held_out.x.shape[1:]} and the training "
                f"samples {training.x.shape[1:]}; expected the same."
            )
        return held_out

    def summary(self) -> None:
        """Print layers, shapes and number of parameters as a table."""
        print(summary_text(self))

    def __repr__(self) -> str:
        inner = "".join(f"    {layer!r},\n" for layer in self.layers)
        penalties = "".join(
            f"{name}={value}, " for name, value in (("l1", self.l1), ("l2", self.l2)) if value
        )
        state = f"inputs={self.input_shape}" if self.is_built else "not built yet"
        return (
            f"NeuralNetwork(\n{inner}    loss={self.loss!r}, optimizer={self._optimizer!r}, "
            f"{penalties}seed={self.seed}, dtype={str(self.dtype)!r},\n)  # {state}"
        )

"""The compiled programs of one network: made when first needed, kept while its settings stay."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from chainrule.engines.choice import Engine, reference_seconds
from chainrule.layer import Array
from chainrule.loss import Loss
from chainrule.optimizers import LBFGS
from chainrule.registry import Registered

if TYPE_CHECKING:
    from chainrule.engines.compiled.prediction import CompiledPrediction
    from chainrule.engines.compiled.training import CompiledTraining
    from chainrule.training.batches import Batches

_PREDICTION = "prediction"  # what the program is kept under that ``predict`` runs


class Programs:
    """What the compiled engine runs for one network.

    A program is made from settings; it is the right one as long as ``Registered.changes`` and the
    objects it was made with are the same.

    Parameters
    ----------
    engine : Engine
        Which decides whether a job is for the compiled engine at all.
    """

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self._made: dict[str, tuple[Any, Any]] = {}

    def __getstate__(self) -> dict[str, Any]:
        """Copy and pickle everything but the programs, which are made anew."""
        return {"engine": self.engine, "_made": {}}

    def training(
        self, network: Any, batches: Batches, epochs: int, tell: Callable[[], None]
    ) -> CompiledTraining | None:
        """Make what trains the network; None where the reference engine does.

        Parameters
        ----------
        network : NeuralNetwork
        batches : Batches
        epochs : int
        tell : callable
            Called before what may take seconds.
        """
        counts = bool(network.parameter_vector.statistics)
        if isinstance(network.optimizer, LBFGS) and counts:
            return None  # what it counts, it counts from the reference engine's trace
        samples, steps = batches.count * epochs, batches.per_epoch * epochs
        if not self._is_compiled(network, samples, steps):
            return None
        state = network.training_state.optimizer
        penalties = (network.l1, network.l2, batches.penalties_for)
        key = (state, network.loss, *penalties, batches.batch_size)

        def make(module: Any) -> Any:
            tell()
            return module.CompiledTraining(
                network.layers,
                network.shapes,
                network.parameter_vector,
                network.loss,
                network.optimizer,
                state,
                l1=network.l1,
                l2=network.l2,
                seed=network.seed,
                penalties_for=batches.penalties_for,
                batch=batches.batch_size,
                threads=self.engine.threads or module.available_threads(),
            )

        program: CompiledTraining = self._program("training", "training", key, make)
        program.seed = network.seed
        return program

    def prediction(
        self, network: Any, rows: int, *, as_prediction: bool
    ) -> CompiledPrediction | None:
        """Make what computes the outputs of so many rows; None where the reference engine does.

        With ``as_prediction`` it applies the loss's last activation too.
        """
        if not self._is_compiled(network, rows, 1 + rows // 1024):
            return None

        def make(module: Any) -> Any:
            return module.CompiledPrediction(
                network.layers,
                network.shapes,
                network.parameter_vector,
                self.engine.threads or module.available_threads(),
                last_activation(network.loss) if as_prediction else None,
            )

        # What a loss turns into predictions in a way of its own is not ready to be handed out.
        whole = as_prediction and not _has_own_way(network.loss)
        name = _PREDICTION if whole else "outputs"
        program: CompiledPrediction = self._program(name, "prediction", (network.loss,), make)
        return program

    def predict_quickly(self, network: Any, x: Any) -> Array | None:
        """Predict with a program that is there already, where x needs no further checks."""
        made = self._made.get(_PREDICTION)
        if made is None or self.engine.name != "compiled":
            return None
        if made[0] != (Registered.changes, network.loss):
            return None
        found: Array | None = made[1].predict_quickly(x)
        return found

    def _is_compiled(self, network: Any, samples: int, steps: int) -> bool:
        slots = network.parameter_vector.slots
        return self.engine.is_compiled(reference_seconds(network.shapes, slots, samples, steps))

    def _program(self, name: str, module: str, key: Any, make: Callable[[Any], Any]) -> Any:
        """Return the program of that name, made anew where what it was made from has changed."""
        key = (Registered.changes, *key)
        made = self._made.get(name)
        if made is None or made[0] != key:
            made = self._made[name] = (key, make(self.engine.compiled(module)))
        self.engine.note(latest=made[1])
        return made[1]


def last_activation(loss: Loss) -> Any:
    """Return what makes predictions of outputs, unless the loss has a way of its own."""
    return None if _has_own_way(loss) else loss.last_activation


def _has_own_way(loss: Loss) -> bool:
    return type(loss).prediction is not Loss.prediction

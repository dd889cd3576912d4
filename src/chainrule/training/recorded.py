"""Going back into a training: what a history can do as long as it has the recording."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

from chainrule.errors import InvalidInput

if TYPE_CHECKING:
    from chainrule.network import NeuralNetwork
    from chainrule.training.history import History
    from chainrule.training.recording import Recording
    from chainrule.training.snapshots import Snapshots
    from chainrule.training.why import Why


class Recorded:
    """The part of a history that goes back; see ``History``."""

    _recording: Recording | None = None
    _why_not = "this history was made by hand, not by a training"

    @property
    def network(self) -> NeuralNetwork:
        """The network that was trained."""
        return self._recorded("network").network

    @property
    def snapshots(self) -> Snapshots:
        """What ``at`` starts from: how many snapshots there are, at which steps, and their size."""
        return self._recorded("snapshots").snapshots

    def at(self, step: int) -> NeuralNetwork:
        """Return the network as it was at an iteration of this training.

        The steps from the nearest snapshot on are made again: the same bits in parameters,
        statistics, optimizer and counters, on the same engine.

        Parameters
        ----------
        step : int
            Updates made before: 0 is the start, ``iterations`` the end. What callbacks did right
            after that update counts; what they did ``after_training`` does not, as putting the
            best weights back (``EarlyStopping``).

        Returns
        -------
        NeuralNetwork
            An independent one. ``fit`` trains on from there; within an epoch, with the next one.

        Raises
        ------
        InvalidSetting
            When there is no such step, or it cannot be made again: a callback changed the network
            more often than there are snapshots.
        InvalidInput
            When there is no recording, as in a copy of a history.
        InvalidData
            When the data were changed since, which shows in the losses.
        """
        return self._recorded("at(step)").at(self, step)

    def branch(self, step: int, *, epochs: int | None = None, **changes: Any) -> History:
        """Go back to an iteration and train on from there with other settings.

        The network of this history stays as it is. The same epochs, batches and dropout masks
        follow, so without any change the same bits come out. The callbacks are left out.

        Parameters
        ----------
        step : int
            As for ``at``.
        epochs : int, optional
            How many, counting the one that is under way. Without it as many as lead to the end of
            this training.
        **changes
            ``learning_rate`` (a number or a Schedule), ``optimizer``, ``batch_size``, ``l1``,
            ``l2``. Batches of another size begin with the epoch under way.

        Returns
        -------
        History
            Of the new training; its ``network`` is the one that was trained.

        Raises
        ------
        InvalidSetting, InvalidInput, InvalidData
            As for ``at``, or for a setting that cannot be; before anything is trained.

        Examples
        --------
        ``history.branch(700, learning_rate=0.1).network.predict(X)``
        """
        return self._recorded("branch(step)").branch(self, step, epochs, changes)

    def why(self, step: int) -> Why:
        """Tell in words and numbers what one update did: ``print(history.why(700))``.

        Parameters
        ----------
        step : int
            Number of the update, from 0; ``losses[step]`` is the loss before it. What callbacks
            did right after it counts as part of it.

        Returns
        -------
        Why
            The loss on the same batch before and after, the weights that moved most, the gradient
            and the size of the update in each layer, units that are dead or saturated.

        Raises
        ------
        InvalidSetting, InvalidInput, InvalidData
            As for ``at``.
        """
        return self._recorded("why(step)").why(self, step)

    def keep(self, recording: Recording) -> None:
        """Take what going back needs; the training loop gives it."""
        self._recording = recording

    def forget(self) -> None:
        """Let go of the network, the training data and the snapshots; the numbers stay."""
        self._recording, self._why_not = None, "forget() has let go of it"

    def _recorded(self, what: str) -> Recording:
        if self._recording is None:
            raise InvalidInput(
                f"history.{what} needs the recording of the training (network, data, snapshots), "
                f"and {self._why_not}. Ask the history that fit returned."
            )
        return self._recording

    def __copy__(self) -> Self:
        """As ``copy.copy`` would by itself, in a tenth of the time: every ``fit`` makes one."""
        twin = object.__new__(type(self))
        twin.__dict__.update(self.__getstate__())
        return twin

    def __getstate__(self) -> dict[str, Any]:
        """Copy and pickle the numbers; the recording stays with the history that fit returned."""
        why_not = self._why_not if self._recording is None else "this history is a copy without it"
        return {**self.__dict__, "_recording": None, "_why_not": why_not}

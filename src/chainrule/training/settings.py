"""What a network was set to, kept so that a copy of it can be set to the same again."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from functools import cached_property
from typing import Any
from weakref import WeakKeyDictionary

from chainrule.layer import Layer
from chainrule.registry import Registered


class Settings:
    """The settings of a network and of all it is made of, at one moment.

    They are kept beside the objects that they belong to, not as copies of these: a training may
    take half a millisecond in all, and copying layers as long again. For the same reason a network
    that is trained again and again has one of this.

    Parameters
    ----------
    network : NeuralNetwork
    augment : sequence of Augmentation
        What changes the batches in its training.
    """

    @classmethod
    def of(cls, network: Any, augment: Sequence[Registered]) -> Settings:
        """Return those of the present moment: those of the last one where nothing has changed."""
        latest = _latest.get(network)
        if latest is None or latest.augment != augment or latest.may_have_changed(network):
            latest = _latest[network] = cls(network, augment)
        return latest

    def __init__(self, network: Any, augment: Sequence[Registered]) -> None:
        self.augment = augment
        self.changes = Registered.changes
        self.loss, self.optimizer = network.loss, network.optimizer
        self.l1, self.l2, self.seed = network.l1, network.l2, network.seed
        self._own = _own_of(network)
        self._values: dict[int, tuple[Registered, dict[str, Any]]] = {}
        for thing in (*network.layers, self.loss, self.optimizer, *augment):
            _gather(thing, self._values)

    @cached_property
    def texts(self) -> dict[str, str]:
        """Loss and optimizer as a history shows them."""
        return {"loss": repr(self.loss), "optimizer": repr(self.optimizer)}

    def may_have_changed(self, network: Any) -> bool:
        """Whether a setting of anything was changed since, the network's or another's."""
        return self.changes != Registered.changes or self._own != _own_of(network)

    def are_those_of(self, other: Settings) -> bool:
        """Whether the other moment had the very same settings."""
        if self._own != other._own or self._values.keys() != other._values.keys():
            return False
        return all(
            values.keys() == other._values[key][1].keys()
            and all(value is other._values[key][1][name] for name, value in values.items())
            for key, (_, values) in self._values.items()
        )

    def put_on(self, network: Any, memo: dict[int, Any]) -> None:
        """Set a copy of the network to them; its optimizer begins anew.

        Parameters
        ----------
        network : NeuralNetwork
            Made by ``copy.deepcopy(original, memo)``.
        memo : dict
            Which object of the original became which of the copy.
        """
        for thing, values in self._values.values():
            vars(copy.deepcopy(thing, memo)).update(copy.deepcopy(values, memo))
        network.l1, network.l2, network.seed = self.l1, self.l2, self.seed
        network.loss = copy.deepcopy(self.loss, memo)
        network.optimizer = copy.deepcopy(self.optimizer, memo)


_latest: WeakKeyDictionary[Any, Settings] = WeakKeyDictionary()


def _own_of(network: Any) -> tuple[Any, ...]:
    return network.l1, network.l2, network.seed, id(network.loss), id(network.optimizer)


def _gather(thing: Registered, into: dict[int, tuple[Registered, dict[str, Any]]]) -> None:
    """Note the settings of a thing and of whatever it is made of: activations, inner layers."""
    if id(thing) in into:
        return
    values = thing.__getstate__() if isinstance(thing, Layer) else dict(vars(thing))
    into[id(thing)] = thing, values
    for value in values.values():
        for part in value if isinstance(value, tuple | list) else (value,):
            if isinstance(part, Registered):
                _gather(part, into)

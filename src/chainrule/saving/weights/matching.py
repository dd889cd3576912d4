"""Which layer of a file belongs to which layer of a network.

The order of the layers in a file is known only in parts: ``fc1`` comes before ``fc2``, but whether
``bn1`` stands before or after ``fc1`` the names do not say. So all orders are tried that keep to
what is known, and in which every shape fits; where there is more than one, the caller must choose.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from chainrule.checks import did_you_mean, shown
from chainrule.errors import InvalidSetting, InvalidShape
from chainrule.saving.weights.groups import Framework, Group
from chainrule.saving.weights.places import Place

_MOST_STATES = 5_000
_MOST_TOLD = 6

Pairs = list[tuple[Place, Group]]


def match(framework: Framework, places: Sequence[Place], groups: Sequence[Group]) -> Pairs:
    """Find the one order of the groups in which each fits its place.

    Raises
    ------
    InvalidShape
        When there is none.
    InvalidSetting
        When there are several.
    """
    for place in places:
        framework.recipe(place)  # so that what can never be taken is told first
    if len(places) != len(groups):
        raise InvalidShape(
            f"The network has {_counted(len(places))} with parameters ({_listed(places)}), and the "
            f"file {len(groups)} ({_listed(groups)}); expected as many. {_USE_NAMES}"
        )
    chains = _chains(groups)
    # What has been taken of each chain so far: in how many ways, and by which last step.
    states: dict[tuple[int, ...], tuple[int, Any]] = {(0,) * len(chains): (1, None)}
    seen = 0
    for place in places:
        states, before = _after(framework, place, chains, states), states
        seen += len(states)
        if not states:
            raise InvalidShape(_misfit(framework, place, chains, list(before)))
        if seen > _MOST_STATES:
            raise InvalidSetting(
                f"The names in the file do not say in which order its layers stand "
                f"({_listed(groups)}). {_USE_NAMES}"
            )
    ((ways, last),) = states.values()
    if ways > 1:
        raise InvalidSetting(
            f"The layers of the file fit the network in more than one order, and their names do "
            f"not say in which: {_listed(groups)}. {_USE_NAMES}"
        )
    found: Pairs = []
    for place in reversed(places):
        group, last = last
        found.append((place, group))
    return found[::-1]


def match_by_names(
    framework: Framework, places: Sequence[Place], groups: Sequence[Group], names: Any
) -> Pairs:
    """Take the groups that the caller names, one for each place; None leaves a place as it is.

    Raises
    ------
    InvalidSetting
        For names that are not in the file, stand twice, or are not as many as the places.
    InvalidShape
        When a group does not fit.
    """
    known = {group.name: group for group in groups}
    if not isinstance(names, list | tuple) or len(names) != len(places):
        raise InvalidSetting(
            f"names must be a list with one name for each of {_counted(len(places))} with "
            f"parameters ({_listed(places)}), or None for one that stays as it is; received "
            f"{shown(names)}."
        )
    found: Pairs = []
    for place, name in zip(places, names, strict=True):
        if name is None:
            continue
        if not isinstance(name, str) or name not in known:
            raise InvalidSetting(
                f"names holds {shown(name)}, and the file has no such layer. "
                f"{did_you_mean(str(name), known)}It has: {_listed(groups)}."
            )
        if names.count(name) > 1:
            raise InvalidSetting(f"names holds {name!r} twice; expected each layer once.")
        if not framework.fits(place, known[name]):
            raise InvalidShape(
                f"{place.at_the_start} needs {framework.expected(place)}; the file has "
                f"{known[name]}."
            )
        found.append((place, known[name]))
    return found


_USE_NAMES = (
    "Say which belong together by names=[...], with the name of the layer in the file for each "
    "layer here that has parameters."
)


def _chains(groups: Sequence[Group]) -> list[list[Group]]:
    found: dict[tuple[str, ...], list[Group]] = {}
    for group in groups:
        found.setdefault(group.chain, []).append(group)
    return list(found.values())


def _after(
    framework: Framework,
    place: Place,
    chains: list[list[Group]],
    states: dict[tuple[int, ...], tuple[int, Any]],
) -> dict[tuple[int, ...], tuple[int, Any]]:
    """Take one more group for a place, from whichever chain has one that fits."""
    found: dict[tuple[int, ...], tuple[int, Any]] = {}
    for taken, (ways, last) in states.items():
        for number, chain in enumerate(chains):
            if taken[number] == len(chain) or not framework.fits(place, chain[taken[number]]):
                continue
            state = (*taken[:number], taken[number] + 1, *taken[number + 1 :])
            earlier = found[state][0] if state in found else 0
            found[state] = (earlier + ways, (chain[taken[number]], last))
    return found


def _misfit(
    framework: Framework,
    place: Place,
    chains: list[list[Group]],
    states: list[tuple[int, ...]],
) -> str:
    """Say what comes next in the file where it does not fit."""
    following = {
        chain[taken[number]].name: chain[taken[number]]
        for taken in states
        for number, chain in enumerate(chains)
        if taken[number] < len(chain)
    }
    told = ", or ".join(map(str, list(following.values())[:3]))
    return (
        f"{place.at_the_start} needs {framework.expected(place)}; what comes next in the file is "
        f"{told}. Build the network with the same shapes, or, if the order is another: {_USE_NAMES}"
    )


def _counted(count: int) -> str:
    return f"{count} layer{'' if count == 1 else 's'}"


def _listed(items: Sequence[Place] | Sequence[Group]) -> str:
    told = [str(item).rstrip(",") for item in items[:_MOST_TOLD]]
    if len(items) > _MOST_TOLD:
        told.append(f"... and {len(items) - _MOST_TOLD} more")
    return "; ".join(told) or "none"

"""Defining is registering: a subclass of a family is known by its name from then on.

``class Sigmoid(Activation)`` is all it takes for ``activation="sigmoid"`` to work, for the contract
tests to test it, for the documentation to list it and for the model file to store it.
"""

from __future__ import annotations

import functools
import importlib
import inspect
import re
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, ClassVar, Self

from chainrule.checks import did_you_mean, shown
from chainrule.errors import InvalidSetting, UnknownName

_SEVERAL = inspect.Parameter.VAR_POSITIONAL  # stands for the default of an argument like *layers


class Registered:
    """Base of everything that has a name and hyperparameters.

    A *family* (``Activation``, ``Loss``, ...) is declared with ``family="activation"``; each
    further subclass is a member, called by its ``name``: the class's name in snake_case unless
    the class says otherwise. ``register=False`` is for classes that only serve as a base. ``home``
    names a package whose ``load_all()`` defines members that are imported on use.

    A member's hyperparameters are the arguments of its ``__init__``, each kept in an attribute of
    the same name. From them come ``settings()``, ``repr`` and equality of settings. An ``__init__``
    may begin with any number of things, as ``*layers``: that is one setting, a tuple.

    ``Registered.changes`` counts how often a setting of any member was changed. What was worked
    out from settings (a compiled plan) is still right as long as that number is the same.
    """

    name: ClassVar[str]
    changes: ClassVar[int] = 0
    _members: ClassVar[dict[str, type[Any]]]
    _family: ClassVar[str]
    _home: ClassVar[str]

    if not TYPE_CHECKING:  # for type checkers it would mean that any attribute may be set

        def __setattr__(self, name: str, value: Any) -> None:
            if name in self.__dict__:  # not by __init__
                Registered.changes += 1
            object.__setattr__(self, name, value)

    def __init_subclass__(
        cls,
        *,
        family: str | None = None,
        home: str = "",
        register: bool = True,
        **keywords: Any,
    ) -> None:
        super().__init_subclass__(**keywords)
        if family is not None:
            cls._family = family
            cls._members = {}
            cls._home = home
            return
        if not register:
            return
        if "name" not in cls.__dict__:
            cls.name = snake_case(cls.__name__)
        families = [base for base in cls.__mro__ if "_members" in base.__dict__]
        for base in families:  # all are asked before the first one takes it in
            _refuse_taken_name(base.__dict__["_members"], base.__dict__["_family"], cls)
        for base in families:
            base.__dict__["_members"][cls.name] = cls

    @classmethod
    def names(cls) -> list[str]:
        """Names of this family's members, in order of definition."""
        cls._load_members()
        return list(cls._members)

    @classmethod
    def _load_members(cls) -> None:
        if cls._home:
            importlib.import_module(cls._home).load_all()

    @classmethod
    def member(cls, name: str) -> type[Self]:
        """Class called ``name`` in this family.

        Raises
        ------
        UnknownName
            Listing the nearest known name and all the others.
        """
        if name not in cls._members:
            cls._load_members()
        if name in cls._members:
            return cls._members[name]
        raise UnknownName(
            f"There is no {cls._family} called {name!r}. {did_you_mean(name, cls._members)}"
            f"Known: {', '.join(sorted(cls._members))}. "
            f"A class of your own that derives from {cls.__name__} is known by its name."
        )

    @classmethod
    def get(cls, choice: str | Self) -> Self:
        """Turn a name into a member with its default settings; let a member pass.

        Raises
        ------
        UnknownName
            When no member has that name.
        InvalidSetting
            When ``choice`` is neither a name nor a member, or the member cannot do without
            arguments.
        """
        if isinstance(choice, cls):
            return choice
        if isinstance(choice, str):
            member = cls.member(choice)
            try:
                return member()
            except TypeError as error:
                raise InvalidSetting(
                    f"{cls._family} {choice!r} needs settings of its own ({error}); "
                    f"pass an object instead of the name: {member.__name__}(...)."
                ) from error
        if isinstance(choice, type) and issubclass(choice, cls):
            raise InvalidSetting(
                f"Received the class {choice.__name__} as {cls._family}; expected an object of "
                f"it. Write {choice.__name__}() with parentheses."
            )
        raise InvalidSetting(
            f"Received {shown(choice)} as {cls._family}; expected a name such as "
            f"{next(iter(cls._members), '...')!r} or a {cls.__name__} object."
        )

    @classmethod
    def setting_names(cls) -> list[str]:
        """Names of the hyperparameters: the arguments of ``__init__``, inherited ones last."""
        return list(_setting_defaults(cls))

    def settings(self) -> dict[str, Any]:
        """Return the hyperparameters by name, as they are now."""
        return {name: getattr(self, name) for name in self.setting_names()}

    @classmethod
    def from_settings(cls, settings: Mapping[str, Any]) -> Self:
        """Make a member with what ``settings()`` gave."""
        defaults = _setting_defaults(cls)
        several = [name for name in settings if defaults.get(name) is _SEVERAL]
        named = {name: value for name, value in settings.items() if name not in several}
        return cls(*(item for name in several for item in settings[name]), **named)

    def __repr__(self) -> str:
        defaults = _setting_defaults(type(self))
        shown = []
        for name, value in self.settings().items():
            default = defaults[name]
            if default is _SEVERAL:
                shown += [repr(item) for item in value]
            elif default is inspect.Parameter.empty:
                shown.append(_short(value))
            elif _short(value) != _short(default):
                shown.append(f"{name}={_short(value)}")
        return f"{type(self).__name__}({', '.join(shown)})"


def snake_case(name: str) -> str:
    """``MeanSquaredError`` -> ``mean_squared_error``."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()


def _refuse_taken_name(members: dict[str, type], family: str, member: type[Registered]) -> None:
    """Names are unique, but a cell run again in a notebook may replace its earlier self."""
    present = members.get(member.name)
    same_place = present is not None and (present.__module__, present.__qualname__) == (
        member.__module__,
        member.__qualname__,
    )
    if present is not None and not same_place:
        raise InvalidSetting(
            f"The name {member.name!r} already belongs to the {family} {present.__qualname__} "
            f"of {present.__module__}. Give {member.__qualname__} another one: "
            f'name = "my_{member.name}" in the class.'
        )


def _read_defaults(cls: type) -> dict[str, Any]:
    """Arguments of ``__init__`` with their defaults, following ``**keywords`` to the base class."""
    defaults: dict[str, Any] = {}
    for base in cls.__mro__:
        if base is object or "__init__" not in base.__dict__:
            continue
        passes_on = False
        for parameter in list(inspect.signature(base.__dict__["__init__"]).parameters.values())[1:]:
            if parameter.kind is inspect.Parameter.VAR_KEYWORD:
                passes_on = True
            else:
                several = parameter.kind is inspect.Parameter.VAR_POSITIONAL
                defaults.setdefault(parameter.name, _SEVERAL if several else parameter.default)
        if not passes_on:
            break
    return defaults


_setting_defaults: Callable[[type], dict[str, Any]] = functools.cache(_read_defaults)


def _short(value: object) -> str:
    """Print a member with only default settings as its name, and the rest as Python does."""
    if isinstance(value, Registered) and repr(value) == f"{type(value).__name__}()":
        return repr(value.name)
    return repr(value)

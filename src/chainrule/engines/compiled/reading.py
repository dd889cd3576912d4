"""Turns a method that was written for arrays of any kind into one that numba compiles for a number.

What the method refers to (settings of its object, other methods, functions and numbers of its
module) is put in the place of the names, as it is at this moment: numbers as constants in the
network's dtype, functions converted in the same way.
"""

from __future__ import annotations

import dis
import types
from collections.abc import Iterator
from typing import Any

import numpy as np
from numba import njit
from numba.core.dispatcher import Dispatcher

from chainrule.engines.compiled.exponential import PART_OF_LOOP
from chainrule.engines.compiled.plan import NoTwin
from chainrule.engines.compiled.scalar_forms import ATTRIBUTE, FUNCTIONS, RENAMED, UFUNCS

_OPTIONS = {"error_model": "numpy", **PART_OF_LOOP}
_IN_ERRSTATE = np.errstate()(lambda: None).__code__  # of every function that np.errstate decorates
_MISSING = object()


class Reading:
    """Reads methods of one object for one dtype, and remembers what it has read.

    Parameters
    ----------
    owner : object
    dtype : numpy dtype

    Attributes
    ----------
    refused : str
        What could not be converted, where there was something.
    """

    def __init__(self, owner: Any, dtype: np.dtype[Any]) -> None:
        self.owner = owner
        self.dtype = dtype
        self.refused = ""
        self._read: list[tuple[Any, str, Any]] = []
        self._functions: dict[Any, Any] = {}
        self._views: dict[int, _View] = {}

    def method(self, name: str) -> Any:
        """Compile the owner's method of that name, for single numbers."""
        return self.look_up(self.owner, name)

    def holds_for(self, owner: Any) -> bool:
        """Whether the same reading of another object would find the same things."""
        return all(
            self._same(value, _value_of(owner if place is self.owner else place, name), owner)
            for place, name, value in self._read
        )

    def _same(self, value: Any, now: Any, owner: Any) -> bool:
        if isinstance(value, types.MethodType) and isinstance(now, types.MethodType):
            mine = value.__self__ is self.owner and now.__self__ is owner
            return value.__func__ is now.__func__ and (mine or value.__self__ is now.__self__)
        if isinstance(value, int | float | complex | str | tuple | np.generic):
            return type(value) is type(now) and bool(value == now)
        return value is now

    def look_up(self, place: Any, name: str) -> Any:
        """Read a global, a closed-over variable or an attribute, and convert it."""
        value = _value_of(place, name)
        if value is _MISSING:
            raise AttributeError(name)
        self._read.append((place, name, value))
        return self.convert(value, name)

    def convert(self, value: Any, name: str) -> Any:
        """Turn a value into what numba can compile.

        Raises
        ------
        NoTwin
            When it is of a kind that means something else for single numbers.
        """
        if value is None or isinstance(value, bool | str | np.generic):
            return value
        if isinstance(value, int | float):
            return self._number(value)
        if isinstance(value, tuple):
            return tuple(self.convert(item, name) for item in value)
        if isinstance(value, np.ufunc):
            return UFUNCS.get(value.__name__, value)
        if isinstance(value, np.vectorize):
            return self.convert(value.pyfunc, name)
        if isinstance(value, types.MethodType):
            return self._bound(value)
        if isinstance(value, types.FunctionType) and value not in FUNCTIONS:
            return self._function(value)
        if callable(value) and not isinstance(value, type | Dispatcher):
            return self._other_callable(value, name)
        if isinstance(value, type | Dispatcher):
            return value
        if isinstance(value, np.ndarray | list | dict | set):
            raise self._refusal(f"it uses {name}, which is no single number")
        return self._view(value)

    def _number(self, value: float) -> Any:
        """A number that does not turn a float32 into a float64, as none of Python's does."""
        if isinstance(value, int) and abs(value) < 128:
            return np.int8(value)
        with np.errstate(over="ignore"):
            return self.dtype.type(value)

    def _other_callable(self, value: Any, name: str) -> Any:
        if isinstance(value, types.BuiltinFunctionType | types.FunctionType) or value in FUNCTIONS:
            return FUNCTIONS.get(value, value)
        raise self._refusal(f"it uses {name}, which looks at more than one number")

    def _bound(self, method: types.MethodType) -> Any:
        function, owner = self._function(method.__func__), self._view(method.__self__)

        @njit(**_OPTIONS)
        def bound(*arguments):
            return function(owner, *arguments)

        return bound

    def _function(self, function: Any) -> Any:
        while function.__code__ is _IN_ERRSTATE:  # it only silences warnings
            function = function.__wrapped__
        if function in FUNCTIONS:
            return FUNCTIONS[function]
        if function in self._functions:
            return self._functions[function]
        code = self._code(function.__code__)
        names: dict[str, Any] = {}
        cells = tuple(types.CellType() for _ in function.__closure__ or ())
        defaults = tuple(self.convert(item, "a default") for item in function.__defaults__ or ())
        again = types.FunctionType(code, names, function.__name__, defaults, cells)
        self._functions[function] = found = njit(**_OPTIONS)(again)
        for cell, original in zip(cells, function.__closure__ or (), strict=True):
            cell.cell_contents = self.look_up(original, "cell_contents")
        for name in _globals_of(function.__code__):
            if name in function.__globals__:
                names[_renamed(name)] = self.look_up(function.__globals__, name)
        return found

    def _code(self, code: types.CodeType) -> types.CodeType:
        """The same code with its numbers in the network's dtype."""
        return code.replace(
            co_consts=tuple(self._constant(value) for value in code.co_consts),
            co_names=tuple(_renamed(name) for name in code.co_names),
        )

    def _constant(self, value: Any) -> Any:
        if isinstance(value, types.CodeType):
            return self._code(value)
        if isinstance(value, int | float) and not isinstance(value, bool):
            return self._number(value)
        return value

    def _view(self, thing: Any) -> _View:
        if id(thing) not in self._views:
            self._views[id(thing)] = _View(self, thing)
        return self._views[id(thing)]

    def _refusal(self, reason: str) -> NoTwin:
        self.refused = self.refused or reason
        return NoTwin(reason)


class _View(types.ModuleType):
    """An object (or a module) as numba sees it: attributes of a module are constants to it."""

    def __init__(self, reading: Reading, thing: Any) -> None:
        super().__init__(type(thing).__name__)
        self.__dict__[f"{ATTRIBUTE}source"] = reading, thing

    def __getattr__(self, name: str) -> Any:
        if name.startswith(("__", "_numba")):
            raise AttributeError(name)
        reading, thing = self.__dict__[f"{ATTRIBUTE}source"]
        found = reading.look_up(thing, name.removeprefix(ATTRIBUTE))
        self.__dict__[name] = found
        return found


def _value_of(place: Any, name: str) -> Any:
    if isinstance(place, dict):
        return place.get(name, _MISSING)
    return getattr(place, name, _MISSING)


def _renamed(name: str) -> str:
    return f"{ATTRIBUTE}{name}" if name in RENAMED else name


def _globals_of(code: types.CodeType) -> Iterator[str]:
    for instruction in dis.get_instructions(code):
        if instruction.opname == "LOAD_GLOBAL":
            yield instruction.argval
    for value in code.co_consts:
        if isinstance(value, types.CodeType):
            yield from _globals_of(value)

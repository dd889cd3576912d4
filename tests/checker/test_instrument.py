"""The rewritten program computes what the original does, and tells every value with its line."""

from __future__ import annotations

import ast
from typing import Any

import pytest

from chainrule.checker.instrument import ASSIGNED, REPEATED, SEEN, instrument

PROGRAM = '''
"""A docstring stays one."""
from math import sqrt
größe = 3
class Base:
    def start(self): return 1
class A(Base):
    """Docs."""
    x: int = 2
    def start(self):
        """Docs."""
        return super().start() + self.x
def count():
    n = 0
    def up(by=größe):
        """Docs."""
        nonlocal n
        n += by
        return n
    return up
up = count()
squares = [i * i for i in range(4) if i % 2]
total = sum(x for x in squares)
try:
    [][1]
except IndexError as error:
    caught = str(error)
finally:
    done = True
match squares:
    case [1, *rest]:
        matched = rest
with open('/dev/null') as stream:
    empty = stream.read()
if (walrus := up()) > 2:
    up()
text = f"{sqrt(größe):.2f} {A().start()}"
a, (b, *c) = 1, (2, 3, 4)
while a < 3: a += 1
'''


def results(program: str) -> dict[str, Any]:
    names: dict[str, Any] = {}
    exec(compile(program, "p", "exec"), names)  # noqa: S102 - the program above
    return {
        name: value
        for name, value in names.items()
        if isinstance(value, int | str | list | bool) and not name.startswith("__")
    }


def instrumented(program: str) -> tuple[dict[str, Any], list[tuple[int, str, Any]]]:
    tree = ast.parse(program)
    places = instrument(program, tree)
    told: list[tuple[int, str, Any]] = []

    def seen(number: int, value: Any) -> Any:
        told.append((places[number].line, places[number].text, value))
        return value

    names: dict[str, Any] = {SEEN: seen, ASSIGNED: lambda _: None, REPEATED: lambda _: None}
    exec(compile(tree, "p", "exec"), names)  # noqa: S102 - the program above
    return names, told


def test_the_program_computes_the_same() -> None:
    names, _ = instrumented(PROGRAM)
    plain = results(PROGRAM)
    assert len(plain) >= 10
    assert {name: names[name] for name in plain} == plain


def test_every_expression_tells_its_value() -> None:
    _, told = instrumented("x = 3\ny = -x * (x + 1)\n")
    assert told == [
        (2, "x", 3),
        (2, "-x", -3),
        (2, "x", 3),
        (2, "x + 1", 4),
        (2, "-x * (x + 1)", -12),
    ]


@pytest.mark.parametrize("name", ["gewicht_größe", "вес", "権重"])
def test_names_in_any_language(name: str) -> None:
    _, told = instrumented(f"{name} = 2\ny = {name} * 3\n")
    assert told[-1] == (2, f"{name} * 3", 6)

"""The exceptions: their tree, what they can also be caught as, and packages that are absent."""

from __future__ import annotations

import inspect
import re

import pytest

import chainrule as cr
from chainrule import errors
from chainrule.errors import optional_package

EXCEPTIONS = [
    value
    for value in vars(errors).values()
    if inspect.isclass(value) and issubclass(value, Exception)
]


def test_the_tree_at_the_top_of_the_file_is_the_tree() -> None:
    """A line's indentation says the parent, and "also" the built-in it can be caught as."""
    assert errors.__doc__ is not None
    drawn: dict[str, list[str]] = {}
    parents = ["Exception"]
    for line in errors.__doc__.partition("::\n")[2].splitlines():
        if named := re.match(r"    ([│├└─ ]*)(\w+)", line):
            depth, name = len(named[1]) // 4 + 1, named[2]
            parents[depth:] = [name]
            drawn[name] = [parents[depth - 1]]
        if also := re.search(r"\(also an? (\w+)\)", line):
            drawn[parents[-1]].append(also[1])
    assert drawn == {error.__name__: [b.__name__ for b in error.__bases__] for error in EXCEPTIONS}


@pytest.mark.parametrize("error", EXCEPTIONS, ids=lambda error: error.__name__)
def test_every_exception_is_public_and_one_of_ours(error: type[Exception]) -> None:
    assert getattr(cr, error.__name__) is error
    assert error.__name__ in cr.__all__
    assert issubclass(error, cr.ChainruleError)
    assert inspect.getdoc(error)


def test_a_loss_that_is_not_finite_says_where() -> None:
    history = cr.History(["loss"], {})
    error = cr.LossNotFinite("too fast", step=4, layer="layer 2", tensor="z", history=history)
    assert str(error) == "too fast"
    assert (error.step, error.layer, error.tensor, error.history) == (4, "layer 2", "z", history)


def test_a_package_that_is_there_is_imported() -> None:
    import math

    assert optional_package("math", "Counting") is math
    assert optional_package("os.path", "Finding files").__name__ in {"posixpath", "ntpath"}


def test_a_package_that_is_absent_is_told_with_the_way_to_get_it() -> None:
    with pytest.raises(cr.MissingPackage) as caught:
        optional_package("no_such_package.part", "Drawing a picture")
    message = str(caught.value)
    assert message.startswith("Drawing a picture needs the package 'no_such_package'")
    assert 'pip install "chainrule[standard]"' in message
    assert isinstance(caught.value.__cause__, ImportError)

"""Which numbers of a program are reported, and which of those are called a loss."""

from __future__ import annotations

import ast

import pytest

from chainrule.checker.instrument import instrument
from chainrule.checker.reports import Report, report_of


def reported(text: str, expression: str) -> Report | None:
    """The report of an expression in a program."""
    places = instrument(text, ast.parse(text))
    (number,) = [place.number for place in places if place.text == expression]
    return report_of(places, number)


@pytest.mark.parametrize(
    "line",
    [
        "loss = f(x)",
        "self.cost = f(x)",
        "verlust = f(x)",
        "误差 = f(x)",
        "J: float = f(x)",
        "total = f(x)",
        "print(f(x))",
        "print('epoch', 3, f(x))",
        "history.append(f(x))",
        "print(f'{f(x):.3f}')",
        "def cost(x):\n    a = f(x)",
        "print('%3d %.4f' % (3, f(x)))",
        "print('epoch %d loss %.4f accuracy %.2f' % (3, f(x), g(x)))",
        "print('epoch {} loss {:.4f} accuracy {}'.format(3, f(x), g(x)))",
        "print('loss %.4f' % f(x))",
        "print('loss', round(f(x), 4))",
    ],
)
def test_a_loss(line: str) -> None:
    report = reported(line, "f(x)")
    assert report is not None
    assert report.is_loss
    assert not report.adds_up


@pytest.mark.parametrize(
    "line",
    [
        "accuracy = f(x)",
        "print('accuracy', f(x))",
        "mae = f(x)",
        "print('log likelihood:', f(x))",
        "gradients.append(f(x))",
        "hidden = f(x)",
        "loss_score = f(x)",
        "print('loss %.4f accuracy %.2f' % (g(x), f(x)))",
        "print('loss {:.4f} accuracy {}'.format(g(x), f(x)))",
        "print(f'loss {g(x)} accuracy {f(x)}')",
    ],
)
def test_reported_but_no_loss(line: str) -> None:
    report = reported(line, "f(x)")
    assert report is not None
    assert not report.is_loss


@pytest.mark.parametrize(
    "line", ["y = f(x) + 1", "g(f(x))", "loss = -f(x)", "f(x) < 1", "7 % f(x)"]
)
def test_not_reported(line: str) -> None:
    assert reported(line, "f(x)") is None


def test_what_is_added_up_and_what_is_taken_away() -> None:
    assert reported("loss += f(x)", "f(x)") == Report(1, is_loss=True, adds_up=True)
    assert reported("loss -= f(x)", "f(x)") == Report(1, is_loss=True, adds_up=True, sign=-1.0)


@pytest.mark.parametrize(
    ("told", "is_loss"),
    [
        ("print(summed)", True),
        ("print('%.3f' % (summed / 4))", True),
        ("print('accuracy', summed)", False),
        ("other = summed", False),
    ],
)
def test_a_total_is_what_it_is_printed_as(told: str, is_loss: bool) -> None:
    report = reported(f"summed += f(x)\n{told}", "f(x)")
    assert report is not None
    assert (report.is_loss, report.adds_up) == (is_loss, True)


def test_a_name_that_is_printed_says_what_it_is() -> None:
    told = "accuracy = 1\nprint(accuracy)"
    places = instrument(told, ast.parse(told))
    (number,) = [place.number for place in places if place.text == "accuracy"]
    report = report_of(places, number)
    assert report is not None
    assert (report.line, report.is_loss) == (2, False)

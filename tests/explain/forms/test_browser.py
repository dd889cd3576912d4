"""What a browser makes of the pages: a telephone and a desktop, light and dark, and a notebook."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import chainrule as cr
from chainrule.explain.document import Document
from chainrule.explain.forms.html import to_fragment, to_html
from explain.forms import made_up
from explain.forms.browser import measured


@pytest.fixture(scope="module", params=[360, 1280])
def page(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Return what the made-up explanation measures on a telephone and on a desktop."""
    found = measured(to_html(made_up.document()), tmp_path_factory.mktemp("page"), request.param)
    assert found["width"] == request.param, "the frame is not as wide as it should be"
    return found


def test_the_console_has_nothing_to_say(page: Any) -> None:
    assert page["console"] == []
    assert page["complaints"] == []


def test_the_page_never_scrolls_sideways(page: Any) -> None:
    assert page["scroll_width"] <= page["width"]


def test_formulas_are_laid_out(page: Any) -> None:
    assert len(page["math"]) > 150
    assert all(width > 0 and height > 0 for width, height, _ in page["math"])


def test_fractions_stand_above_and_below_a_line(page: Any) -> None:
    assert len(page["fractions"]) > 20
    assert all(height > 1.4 * size for _, height, size in page["fractions"])
    assert all(height > 1.6 * size for _, height, size in page["tables"])


def test_sections_fold_and_unfold(page: Any) -> None:
    assert page["before"] == [True, True, True, False, True, True, False]
    assert page["has_buttons"]
    assert page["folded"]
    assert page["opened"]
    assert page["shown"]
    assert page["unfolded"]


def test_pictures_fit(page: Any) -> None:
    [(natural, shown)] = page["images"]
    assert natural == 640
    assert 0 < shown <= page["width"]


def test_what_is_too_wide_for_a_telephone_scrolls_in_its_own_box(page: Any) -> None:
    """One table and one fraction, above ten terms; sums wrap."""
    if page["width"] == 360:
        assert 1 <= page["scrolling_boxes"] <= 4
    else:
        assert page["scrolling_boxes"] == 0


@pytest.mark.parametrize("width", [360, 1280])
def test_real_explanations(width: int, tmp_path: Path) -> None:
    """Windows, maxima, normalization, a way around, dropout, softmax and Adam, all unfolded."""
    random = np.random.default_rng(0)
    net = cr.NeuralNetwork(
        cr.Conv2D(3, 3, activation="relu"),
        cr.MaxPool2D(2),
        cr.BatchNorm(),
        cr.Residual(cr.Conv2D(3, 3, padding="same"), activation="leaky_relu"),
        cr.Flatten(),
        cr.Dropout(0.2),
        cr.Dense(10),
        loss="softmax_cross_entropy",
        optimizer=cr.Adam(0.01, weight_decay=0.1, clip_norm=0.1),
        inputs=(6, 6, 1),
        seed=0,
    )
    page = net.explain(random.random((4, 6, 6, 1)), random.integers(0, 10, 4)).to_html()
    found = measured(page, tmp_path, width)
    assert found["width"] == width
    assert found["scroll_width"] <= width
    assert found["console"] == []
    assert found["complaints"] == []
    assert found["unfolded"]
    assert len(found["math"]) > 500
    assert all(breadth > 0 and height > 0 for breadth, height, _ in found["math"])
    assert all(height > 1.4 * size for _, height, size in found["fractions"])


def test_colours_follow_the_readers_preference(tmp_path: Path) -> None:
    empty = to_html(Document("Nothing", []))
    light, dark = (
        measured(empty, tmp_path, 400, dark=is_dark)["colours"] for is_dark in (False, True)
    )
    assert _brightness(light[0]) < 0.3 < 0.9 < _brightness(light[1])
    assert _brightness(dark[0]) > 0.7 > 0.2 > _brightness(dark[1])


def test_a_fragment_touches_nothing_around_it(tmp_path: Path) -> None:
    fragment = to_fragment(made_up.document())
    shell = (
        "<!DOCTYPE html><html><head><title>notebook</title></head>"
        '<body style="color: rgb(1, 2, 3); background: rgb(250, 251, 252)">'
        "<h2>before</h2><table><tr><td>1</td></tr></table>{}</body></html>"
    )
    found = measured(shell.format(fragment), tmp_path, 700)
    assert found["console"] == []
    assert found["complaints"] == []
    assert found["scroll_width"] <= found["width"]
    assert found["colours"] == ["rgb(1, 2, 3)", "rgb(250, 251, 252)"]
    assert all(width > 0 and height > 0 for width, height, _ in found["math"])


def _brightness(colour: str) -> float:
    """``"rgb(255, 255, 255)"`` -> 1."""
    return sum(map(int, colour.removeprefix("rgb(").removesuffix(")").split(","))) / (3 * 255)

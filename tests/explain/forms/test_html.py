"""Pages and fragments as markup: well-formed, escaped, and complete in themselves."""

from __future__ import annotations

import re
from xml.etree import ElementTree as ET

import pytest

from chainrule.explain.document import Block, Document, Equation, Picture, Section, Table, Text
from chainrule.explain.expression import Call, Name, Number, Product, Sum
from chainrule.explain.forms.html import to_fragment, to_html
from explain.forms import made_up

NASTY = "<b>&\"'</script><img src=x onerror=alert(1)>"
X, Y, Z = Name((), "x"), Name((), "y"), Name((0,), "z")


def parsed(page: str) -> ET.Element:
    """Read a page, or a part of one, as XML."""
    return ET.fromstring(page.removeprefix("<!DOCTYPE html>"))  # noqa: S314  # nobody else wrote it


def test_a_page_is_well_formed_and_complete() -> None:
    page = to_html(made_up.document())
    assert page.startswith('<!DOCTYPE html>\n<html lang="en">')
    root = parsed(page)
    assert root.findtext("head/title") == "One step of a 3-4-1 network"
    viewport = root.find("head/meta[@name='viewport']")
    assert viewport is not None
    assert viewport.get("content") == "width=device-width, initial-scale=1"
    assert [heading.text for heading in root.iter("h1")] == ["One step of a 3-4-1 network"]
    assert len(list(root.iter("details"))) == 7
    assert len(list(root.iter("summary"))) == 7


def test_nothing_on_a_page_refers_to_anything_outside() -> None:
    page = to_html(made_up.document())
    assert "default-src 'none'" in page
    assert not re.search(r"https?:|url\(|@import|<link|\bsrc=\"(?!data:)", page)


def test_a_picture_is_an_image_that_cannot_run_or_load_anything() -> None:
    picture = Picture('<svg xmlns="http://www.w3.org/2000/svg"><script>x()</script></svg>', NASTY)
    root = parsed(to_html(Document("", [picture])))
    [image] = root.iter("img")
    assert image.get("alt") == NASTY
    assert str(image.get("src")).startswith("data:image/svg+xml;base64,")
    assert not list(root.iter("svg"))


@pytest.mark.parametrize(
    "block",
    [
        Text([NASTY]),
        Text([NASTY], "quiet"),
        Text([f"``{NASTY}``"]),
        Text([f"    {NASTY}"]),
        Equation(Name((), NASTY), [Call(NASTY, (Name((0,), NASTY, (1,)),))], NASTY),
        Table([NASTY], [[NASTY], [Name((), NASTY)]], NASTY),
        Section([NASTY, Name((), NASTY)], [Text([NASTY])]),
    ],
)
def test_words_of_the_user_stay_words(block: Block) -> None:
    """A class may be called anything; each of its letters arrives, and none of them as markup."""
    plain = parsed(to_html(Document("", [block])))
    assert not [*plain.iter("b"), *plain.iter("img")]
    assert NASTY.replace(" ", "") in re.sub(r"\s", "", "".join(plain.itertext()))
    fragment = parsed(to_fragment(block))
    assert not [*fragment.iter("b"), *fragment.iter("img"), *fragment.iter("script")]


def test_a_title_is_escaped() -> None:
    root = parsed(to_html(Document(NASTY, [])))
    assert root.findtext("head/title") == NASTY
    assert root.findtext("body/main/h1") == NASTY


def test_sections_are_details_with_headings_by_depth() -> None:
    inner: Block = Text(["deep"])
    for _ in range(7):
        inner = Section(["In"], [inner], is_open=False)
    root = parsed(to_html(Document("", [Section(["Out"], [inner])])))
    parts = list(root.iter("details"))
    assert [part.get("open") for part in parts] == ["open", *[None] * 7]
    assert [part[0][0].tag for part in parts] == ["h2", "h3", "h4", "h5", "h6", "h6", "h6", "h6"]


def test_an_equation_is_written_in_pieces_so_that_lines_may_end() -> None:
    root = parsed(to_html(Document("", [Equation(Z, [Sum((X, Product((Y, Z)), Number(2)))])])))
    [step] = [part for part in root.iter("div") if part.get("class") == "step"]
    assert ["".join(math.itertext()) for math in step.iter("math")] == ["=x", "+y·z1", "+2"]
    assert [sign.get("form") for sign in step.iter("mo")] == [None, "infix", None, "infix"]


def test_an_equation_may_have_a_left_side_alone() -> None:
    root = parsed(to_html(Document("", [Equation(Z, [], "given")])))
    [left] = [part for part in root.iter("div") if part.get("class") == "left"]
    assert "".join(left.itertext()) == "z1given"


def test_the_value_that_an_equation_ends_in_stands_out() -> None:
    half = Number(0.5, is_given=True)
    root = parsed(to_html(Document("", [Equation(Z, [X, half]), Equation(Z, [half])])))
    kinds = [part.get("class") for part in root.iter("div") if "step" in (part.get("class") or "")]
    assert kinds == ["step", "step value", "step"]


def test_a_number_in_a_table_has_four_digits() -> None:
    table = Table(["n"], [[0.123456], [-1.23456e-9], [3]])
    root = parsed(to_html(Document("", [table])))
    assert ["".join(cell.itertext()) for cell in root.iter("td")] == ["0.1235", "−1.235·10−9", "3"]
    assert {cell.get("class") for cell in root.iter("td")} == {"number"}


def test_a_formula_and_the_full_stop_behind_it_stay_together() -> None:
    page = to_html(Document("", [Text(["the gradient ", Name((0,), "d_z"), ", of ", Z, "."])]))
    assert page.count("</math>\u2060,") == 1
    assert page.count("</math>\u2060.") == 1


def test_a_fragment_has_no_script_and_styles_only_itself() -> None:
    fragment = to_fragment(made_up.document())
    root = parsed(fragment)
    assert root.get("class") == "chainrule"
    assert not list(root.iter("script"))
    style = re.sub(r"@media[^{]*{", "", root.findtext("style") or "")
    selectors = re.findall(r"([^{}]+){[^{}]*}", style)
    assert len(selectors) > 20
    for one in ",".join(selectors).split(","):
        assert one.strip().startswith(".chainrule"), one


def test_a_fragment_may_be_one_block() -> None:
    root = parsed(to_fragment(Text(["a ", X], "good")))
    paragraph = root.find("p")
    assert paragraph is not None
    assert paragraph.get("class") == "good"
    assert "".join(paragraph.itertext()) == "a x"


def test_a_page_of_many_formulas_stays_small() -> None:
    """About forty equations; 2 MB is the limit for a whole explanation."""
    assert len(to_html(made_up.document()).encode()) < 60_000

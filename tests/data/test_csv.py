from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from chainrule.data.csv import read_csv
from chainrule.errors import ChainruleError, InvalidData, UnreadableFile

Write = Callable[..., Path]


def test_every_cell_stays_the_text_it_is(csv: Write) -> None:
    table = read_csv(csv('name, size,note\n"a, b",007,NA\nc,1.50, x \n'))
    assert list(table.columns) == ["name", "size", "note"]
    assert table.to_numpy().tolist() == [["a, b", "007", "NA"], ["c", "1.50", "x"]]
    assert table.index.tolist() == [0, 1]


@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
def test_separators(csv: Write, separator: str) -> None:
    text = "a,b,c\n1,2,3\n".replace(",", separator)
    assert read_csv(csv(text)).to_numpy().tolist() == [["1", "2", "3"]]


def test_decimal_commas_in_files_with_semicolons(csv: Write) -> None:
    table = read_csv(csv("a;b;c\n3,14;-0,5e3;x,y\n"))
    assert table.to_numpy().tolist() == [["3.14", "-0.5e3", "x,y"]]


def test_a_separator_inside_quotes_does_not_count(csv: Write) -> None:
    assert list(read_csv(csv('"a;b;c",d\n1,2\n')).columns) == ["a;b;c", "d"]


@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
def test_byte_order_mark_line_ends_and_blank_lines(csv: Write, newline: str) -> None:
    text = newline.join(["\ufeffä,b", "", "1,2", "", "3,4", ""])
    table = read_csv(csv(text))
    assert list(table.columns) == ["ä", "b"]
    assert table["ä"].tolist() == ["1", "3"]


def test_short_lines_lack_their_last_cells(csv: Write) -> None:
    assert read_csv(csv("a,b\n1\n3,4\n")).to_numpy().tolist() == [["1", ""], ["3", "4"]]


def test_a_column_without_a_name_gets_its_number(csv: Write) -> None:
    """R and pandas write the row names so."""
    assert list(read_csv(csv(",a\n1,2\n")).columns) == ["column 1", "a"]


@pytest.mark.parametrize(
    ("content", "kind", "message"),
    [
        (b"", UnreadableFile, "is empty"),
        (b" \n\n \n", UnreadableFile, "is empty"),
        (b'""\n', InvalidData, "holds one line, which names the columns"),
        (b"a,b\n", InvalidData, r"names the columns \(a, b\), and no rows"),
        (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", UnreadableFile, "is not a text file"),
        (b"PK\x03\x04\x14\0\x06\0", UnreadableFile, "not a text file.*From a spreadsheet"),
        ("a,b\n1,é\n".encode("latin-1"), UnreadableFile, r"not text in UTF-8 \(byte 0xe9"),
        ("a,b\n1,2\n".encode("utf-16"), UnreadableFile, "UTF-16; expected UTF-8"),
        (b"a,b\n1,2\n3,4,5\n", UnreadableFile, "Expected 2 fields in line 3, saw 3"),
        (b'a,b\n"1,2\n3,4\n', UnreadableFile, "not a regular table: EOF inside string"),
        (b"a,b, a\n1,2,3\n", InvalidData, r"2 columns called 'a' \(columns 1, 3\)"),
    ],
)
def test_files_that_are_no_table(
    csv: Write, content: bytes, kind: type[ChainruleError], message: str
) -> None:
    path = csv(content)
    with pytest.raises(kind, match=message) as caught:
        read_csv(path)
    assert str(path) in str(caught.value)


def test_nothing_but_quotes_and_blank_lines(csv: Write) -> None:
    with pytest.raises(UnreadableFile, match="nothing but empty lines"):
        read_csv(csv("\ufeff\n\n"))


def test_paths_that_are_no_file(tmp_path: Path) -> None:
    with pytest.raises(UnreadableFile, match="There is no file"):
        read_csv(tmp_path / "nope.csv")
    with pytest.raises(UnreadableFile, match="is a folder; expected a CSV file"):
        read_csv(tmp_path)


def test_a_file_that_cannot_be_opened(csv: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    path = csv("a\n1\n")
    monkeypatch.setattr(Path, "open", refuse)
    with pytest.raises(UnreadableFile, match="cannot be read: Permission denied"):
        read_csv(path)

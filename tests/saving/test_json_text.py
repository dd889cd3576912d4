"""JSON that comes from elsewhere."""

from __future__ import annotations

import pytest

from chainrule.errors import UnreadableFile
from chainrule.saving.json_text import MOST_PARTS, count_parts, read_json, read_object


def test_parts_are_counted_before_anything_is_read() -> None:
    assert count_parts(b"3") == 0
    assert count_parts(b'{"a":1,"b":[2,3]}') == 6  # a brace, two keys, a bracket, two commas
    assert count_parts(b'{"text":"{\\"a\\":[1,2]}"}') == 6  # as many as the text in it may become
    at_most = b"[" + b"0," * (MOST_PARTS - 1) + b"0]"
    assert len(read_json(at_most)) == MOST_PARTS
    with pytest.raises(UnreadableFile, match="its header is no JSON object"):
        read_object(at_most, "its header")
    with pytest.raises(UnreadableFile, match="its header has more than 200,000 parts"):
        read_object(b"[" + at_most + b"]", "its header")


def test_objects() -> None:
    assert read_object(b'{"a": [1, 2.5, null]}', "its header") == {"a": [1, 2.5, None]}


@pytest.mark.parametrize(
    ("encoded", "message"),
    [
        (b"{", "its header is damaged"),
        (b"\xff{}", "its header is damaged"),
        (b'{"a": 1, "a": 2}', "the key 'a' stands twice"),
        (b'{"a": NaN}', "it holds NaN"),
        (b'{"a": -Infinity}', "it holds -Infinity"),
        (b'{"a": 1e999}', "it holds 1e999"),
        (b"[1]", "its header is no JSON object"),
    ],
)
def test_what_is_refused(encoded: bytes, message: str) -> None:
    with pytest.raises(UnreadableFile, match=message):
        read_object(encoded, "its header")

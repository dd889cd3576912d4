"""What a protocol buffer would take in memory, found out before it is read.

A message of two bytes becomes an object of a hundred, so a small file could fill the memory while
it is parsed. This walks over the bytes once, without making anything of them.
The encoding: https://protobuf.dev/programming-guides/encoding/
"""

from __future__ import annotations

from typing import Any

from chainrule.errors import UnreadableFile

_VARINT, _EIGHT_BYTES, _LENGTH, _FOUR_BYTES = 0, 1, 2, 5
_OBJECT, _NUMBER = 200, 8  # bytes that a message or text, and a number, take in memory at most
_DEEPEST = 64
_ALLOWED = 32_000_000


def check_memory(content: bytes, descriptor: Any) -> None:
    """Refuse bytes that would take far more memory than they are long.

    Parameters
    ----------
    content : bytes
    descriptor : protobuf message descriptor
        Of the message that they should be.

    Raises
    ------
    UnreadableFile
        Also when the bytes are no protocol buffer at all, when names in it are no text, or
        messages go deeper than in any model.
    """
    needed = 0
    messages = [(0, len(content), descriptor, 0)]
    while messages:
        position, end, message, depth = messages.pop()
        if depth > _DEEPEST:
            raise UnreadableFile(f"its parts lie inside one another more than {_DEEPEST} deep.")
        while position < end:
            tag, position = _varint(content, position, end)
            field = message.fields_by_number.get(tag >> 3)
            kind = tag & 7
            start = position
            if kind == _VARINT:
                _, position = _varint(content, position, end)
                needed += _NUMBER
            elif kind in (_EIGHT_BYTES, _FOUR_BYTES):
                position += 8 if kind == _EIGHT_BYTES else 4
                needed += _NUMBER
            elif kind == _LENGTH:
                length, start = _varint(content, position, end)
                position = start + length
                needed += _inside(field, length)
            else:
                raise UnreadableFile("it is not an ONNX file, or a damaged one.")
            if position > end:
                raise UnreadableFile("it ends in the middle of something: it is cut off.")
            if needed > _ALLOWED:
                raise UnreadableFile(
                    "it holds far more small parts than any network: reading them would take "
                    "much more memory than the file is long."
                )
            if kind != _LENGTH or field is None:
                continue
            if field.message_type is not None:
                messages.append((start, position, field.message_type, depth + 1))
            elif field.type == field.TYPE_STRING:
                _check_text(content[start:position])


def _inside(field: Any, length: int) -> int:
    """Memory that a field of so many bytes takes, beyond a copy of the bytes."""
    if field is None or field.cpp_type == field.CPPTYPE_STRING:
        return _OBJECT
    if field.message_type is not None:
        return _OBJECT
    if field.cpp_type in (field.CPPTYPE_FLOAT, field.CPPTYPE_DOUBLE):
        return 0
    return _NUMBER * length  # whole numbers, which may take one byte each


def _check_text(text: bytes) -> None:
    try:
        text.decode()
    except UnicodeDecodeError as error:
        raise UnreadableFile("a name in it is no text: the file is damaged.") from error


def _varint(content: bytes, position: int, end: int) -> tuple[int, int]:
    """Read a number, seven bits to a byte, and return where it ends."""
    value = 0
    for shift in range(0, 70, 7):
        if position >= end:
            break
        byte = content[position]
        position += 1
        value |= (byte & 127) << shift
        if byte < 128:
            return value, position
    raise UnreadableFile("it is not an ONNX file, or a damaged one.")

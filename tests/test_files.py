from __future__ import annotations

import os
from pathlib import Path

import pytest

from chainrule.errors import InvalidSetting
from chainrule.files import check_writable, write_atomically


def test_writes_and_replaces(tmp_path: Path) -> None:
    path = tmp_path / "file"
    assert write_atomically(path, b"first") == path
    write_atomically(str(path), b"second")
    assert path.read_bytes() == b"second"
    assert list(tmp_path.iterdir()) == [path]


def test_a_failure_leaves_the_old_file_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"old")

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(InvalidSetting, match="cannot be written: No space left on device"):
        write_atomically(path, b"new")
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_other_people_may_read_the_file_as_any_other(tmp_path: Path) -> None:
    (tmp_path / "plain").write_bytes(b"")
    written = write_atomically(tmp_path / "file", b"")
    assert written.stat().st_mode == (tmp_path / "plain").stat().st_mode


def test_places_where_nothing_can_be_written(tmp_path: Path) -> None:
    with pytest.raises(InvalidSetting, match="there is no folder"):
        write_atomically(tmp_path / "nope" / "file", b"")
    with pytest.raises(InvalidSetting, match="cannot be written: Is a directory"):
        write_atomically(tmp_path, b"")
    with pytest.raises(InvalidSetting, match="there is no folder"):
        check_writable(tmp_path / "nope" / "file")
    with pytest.raises(InvalidSetting, match="is a folder; expected the name of a file"):
        check_writable(tmp_path)


def test_checking_leaves_no_trace(tmp_path: Path) -> None:
    assert check_writable(tmp_path / "file") == tmp_path / "file"
    assert not list(tmp_path.iterdir())


def test_endings(tmp_path: Path) -> None:
    assert check_writable(tmp_path / "a.PNG", suffixes=(".png", ".svg"))
    with pytest.raises(InvalidSetting, match=r"expected a name that ends in \.png or \.svg"):
        check_writable(tmp_path / "a.txt", suffixes=(".png", ".svg"))

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from chainrule import files
from chainrule.errors import InvalidSetting
from chainrule.files import _open_beside, check_writable, write_atomically


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


def test_pieces_are_written_one_after_another(tmp_path: Path) -> None:
    path = write_atomically(tmp_path / "file", [b"ab", memoryview(b"cd"), b""])
    assert path.read_bytes() == b"abcd"


def test_what_a_killed_process_left_is_removed(tmp_path: Path) -> None:
    left = tmp_path / ".0123456789abcdef.chainrule-unfinished"
    left.write_bytes(b"half")
    (tmp_path / ".hidden").write_bytes(b"of someone else")
    write_atomically(tmp_path / "file", b"new")
    assert sorted(path.name for path in tmp_path.iterdir()) == [".hidden", "file"]


def test_what_is_being_written_stays(tmp_path: Path) -> None:
    beside, file = _open_beside(tmp_path / "other")
    with file:
        write_atomically(tmp_path / "file", b"new")
        assert beside.exists()
    write_atomically(tmp_path / "file", b"new")
    assert not beside.exists()


def test_many_threads_write_one_file(tmp_path: Path) -> None:
    """None takes what another is writing for litter."""
    path = tmp_path / "file"
    with ThreadPoolExecutor(8) as threads:
        list(threads.map(lambda n: write_atomically(path, bytes([n]) * 1000), range(200)))
    content = path.read_bytes()
    assert content == content[:1] * 1000
    assert list(tmp_path.iterdir()) == [path]


def test_ctrl_c_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(_: int) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "fsync", interrupt)
    with pytest.raises(KeyboardInterrupt):
        write_atomically(tmp_path / "file", b"new")
    assert not list(tmp_path.iterdir())


def test_a_long_name(tmp_path: Path) -> None:
    """The name beside it is not made from it, and so never too long."""
    path = tmp_path / ("ü" * 120)
    assert write_atomically(path, b"new").read_bytes() == b"new"


def test_file_systems_without_locks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise OSError(95, "Operation not supported")

    monkeypatch.setattr(files.fcntl, "flock", refuse)
    assert write_atomically(tmp_path / "file", b"new").read_bytes() == b"new"
    monkeypatch.setattr(files, "fcntl", None)
    assert write_atomically(tmp_path / "file", b"newer").read_bytes() == b"newer"
    (tmp_path / ".0123456789abcdef.chainrule-unfinished").touch()
    check_writable(tmp_path / "file")
    write_atomically(tmp_path / "file", b"newest")
    assert list(tmp_path.iterdir()) == [tmp_path / "file"]


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

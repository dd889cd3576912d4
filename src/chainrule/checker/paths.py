"""Paths, by which a learner's program reaches its variables: ("train()", "self", ".weights")."""

from __future__ import annotations

from chainrule.checker.process import Record

Path = tuple[str | int, ...]


def aliased_paths(record: Record) -> set[Path]:
    """Variables that stand twice in one object, list or function, themselves or around them."""
    paths = record.paths
    twins = {paths[one] for one, other in record.shared if _are_siblings(paths[one], paths[other])}
    twins |= {paths[number] for number in record.aliases}
    return twins | {path for path in paths if any(path[: len(twin)] == twin for twin in twins)}


def _are_siblings(one: Path, other: Path) -> bool:
    return len(one) == len(other) and sum(a != b for a, b in zip(one, other, strict=True)) == 1


def with_starred(paths: set[Path]) -> set[Path]:
    """Add the paths that stand for each of these in a list, or in a list of lists."""
    once = {starred(path) for path in paths}
    return paths | once | {starred(path) for path in once}


def starred(path: Path) -> Path:
    """A path with its last list index as "*"; the path itself where it has none."""
    if path.count("*") > 1:
        return path
    for at in range(len(path) - 1, -1, -1):
        if isinstance(path[at], int):
            return (*path[:at], "*", *path[at + 1 :])
    return path


def starred_everywhere(path: Path) -> Path:
    """A path with all its list indices as "*"."""
    return tuple("*" if isinstance(part, int) else part for part in path)

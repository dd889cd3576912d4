"""What all tests share: how long sweeps are sampled, and registries that stay as they were.

A test over a long list of cases is marked ``@pytest.mark.sweep(sample=40)``. The quick run keeps
forty of its cases, always the same ones; with CHAINRULE_SWEEP=full (``make test-all``) all run.
"""

from __future__ import annotations

import os
import signal
import zlib
from collections import defaultdict
from collections.abc import Iterator

import hypothesis
import pytest

from chainrule.registry import Registered

# Programs for those who have Keras, PyTorch or atheris; no tests.
collect_ignore_glob = ["saving/files/*/make_files.py", "saving/fuzz_files.py"]

FULL_SWEEP = os.environ.get("CHAINRULE_SWEEP") == "full"

hypothesis.settings.register_profile(
    "chainrule",
    derandomize=True,  # the same examples in every run: no test passes or fails by luck
    deadline=None,
    max_examples=1000 if FULL_SWEEP else 50,
)
hypothesis.settings.load_profile("chainrule")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out most cases of the sweeps in a quick run."""
    if FULL_SWEEP:
        return
    sweeps: dict[str, list[pytest.Item]] = defaultdict(list)
    for item in items:
        if item.get_closest_marker("sweep"):
            sweeps[item.nodeid.partition("[")[0]].append(item)
    left_out = {item for cases in sweeps.values() for item in _left_out(cases)}
    if left_out:
        config.hook.pytest_deselected(items=list(left_out))
        items[:] = [item for item in items if item not in left_out]


def _left_out(cases: list[pytest.Item]) -> list[pytest.Item]:
    """Choose by a hash of each case's own name, so that a new case does not move the others."""
    marker = cases[0].get_closest_marker("sweep")
    assert marker is not None
    by_hash = sorted(cases, key=lambda case: zlib.crc32(case.nodeid.encode()))
    return by_hash[marker.kwargs["sample"] :]


@pytest.fixture(autouse=True, scope="session")
def _ctrl_c_works() -> Iterator[None]:
    """What runs in the background may have been started with the signal ignored."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.fixture(autouse=True)
def _registries_stay_as_they_were() -> Iterator[None]:
    """Forget the classes that a test defines, so that the next one does not meet them."""
    for family in _families(Registered):
        family._load_members()  # what loads on use is nothing that a test defines
    before = {family: dict(family._members) for family in _families(Registered)}
    yield
    for family, members in before.items():
        family._members.clear()
        family._members.update(members)


def _families(base: type[Registered]) -> Iterator[type[Registered]]:
    for cls in base.__subclasses__():
        if "_members" in vars(cls):
            yield cls
        yield from _families(cls)

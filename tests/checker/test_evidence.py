"""What a run has left behind can be found again, in any layout."""

from __future__ import annotations

import numpy as np
import pytest
from checker.small import BATCH, THREE_LAYERS, Edit, checked, edited, evidence_of

SHORT = """
import numpy as np
X = np.array([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]])
w = np.array([0.5, -1.0, 2.0])
for i in range(4):
    z = X @ w
    w = w - 0.1 * X.T @ z
done = -2 * z
"""


def test_a_value_is_found_where_it_was_seen() -> None:
    evidence = evidence_of(SHORT)
    z = np.array([4.5, 9.0])  # 0.5 - 2 + 6 and 2 - 5 + 12
    seen = evidence.find(z)
    assert [sighting.place.text for sighting in seen] == ["X @ w", "z"]
    assert all(sighting.factor == 1 for sighting in seen)
    assert evidence.find(z, begin=seen[-1].event + 1) == []
    transposed = evidence.find(np.array([[1.0, 4.0], [2.0, 5.0], [3.0, 6.0]]))
    assert "X" in [sighting.place.text for sighting in transposed]


def test_a_multiple_is_found_with_its_factor() -> None:
    evidence = evidence_of(SHORT)
    last = evidence.value(evidence.find(evidence.arrays(10**6)[("z",)])[-1].event)
    found = evidence.find(last, scaled=True)
    assert ("-2 * z", -2.0) in [(s.place.text, pytest.approx(s.factor)) for s in found]
    assert evidence.find(np.zeros(2), scaled=True) == []


def test_operands_of_an_operation() -> None:
    evidence = evidence_of(SHORT)
    product = evidence.find(np.array([4.5, 9.0]))[0]
    operands = evidence.operands(product)
    assert [value.shape for _, value in operands] == [(2, 3), (3,)]
    name = next(s for s in evidence.find(np.array([4.5, 9.0])) if s.place.kind == "Name")
    assert evidence.operands(name) == []


def test_what_is_updated_and_what_stays() -> None:
    evidence = evidence_of(SHORT)
    assert ("w",) in evidence.updated()
    assert ("z",) not in evidence.updated()  # computed afresh each time
    assert {("w",), ("z",)} <= evidence.changing()
    assert ("X",) in evidence.constant()
    assert evidence.is_data(np.array([[1.0, 2.0, 3.0]]))
    assert evidence.is_data(np.array([1.0, 4.0]))  # a column
    assert not evidence.is_data(np.array([1.0, 5.0]))


def test_variables_at_a_time() -> None:
    evidence = evidence_of(SHORT)
    first = evidence.find(np.array([4.5, 9.0]))[0].event
    assert evidence.arrays(first)[("w",)] == pytest.approx([0.5, -1.0, 2.0])
    assert ("done",) not in evidence.arrays(first)
    assert ("done",) in evidence.arrays(len(evidence.events))


def test_what_is_asked_for_twice_is_computed_once() -> None:
    evidence = evidence_of(SHORT)
    asked: list[int] = []

    def compute() -> int:
        asked.append(1)
        return 7

    assert [evidence.once("key", compute), evidence.once("key", compute)] == [7, 7]
    assert len(asked) == 1


def test_rows_in_lists_become_one_array() -> None:
    evidence = evidence_of(
        "neurons = [{'w': [1.0, 2.0]}, {'w': [3.0, 4.0]}]\n"
        "for i in range(3):\n"
        "    for neuron in neurons:\n"
        "        neuron['w'] = [w + 1 for w in neuron['w']]\n"
    )
    arrays = evidence.arrays(len(evidence.events))
    assert arrays[("neurons", "*", "w")] == pytest.approx(np.array([[4.0, 5.0], [6.0, 7.0]]))
    assert ("neurons", "*", "w") in evidence.changing()


def test_numbers_that_are_not_finite_are_nowhere() -> None:
    evidence = evidence_of(SHORT)
    assert evidence.find(np.array([np.nan, 1.0])) == []
    assert not evidence.has(np.array([[np.inf, 1.0]]), 0, 10**6)


def test_one_array_under_two_names() -> None:
    twins = "import numpy as np\nw1 = np.ones((2, 2))\nw2 = w1\nfor i in range(4):\n    w1 -= 0.1\n"
    assert ("w1",) in evidence_of(twins).aliased
    assert not evidence_of(edited(twins, ("w2 = w1\n", "w2 = w1.copy()\n"))).aliased


FLAT: Edit = (
    "W1, b1 = rng.normal(size=(3, 4)), np.zeros((1, 4))\n"
    "W2, b2 = rng.normal(size=(4, 1)), np.zeros((1, 1))\n",
    "theta = rng.normal(size=16)\n"
    "W1, W2 = theta[:12].reshape(3, 4), theta[12:].reshape(4, 1)\n"
    "b1, b2 = np.zeros((1, 4)), np.zeros((1, 1))\n",
)
ALIAS: Edit = ("W2 = W1.copy()", "W2 = W1")


@pytest.mark.parametrize(
    ("program", "edits"),
    [
        (BATCH, (FLAT,)),
        (THREE_LAYERS, ()),
        (
            THREE_LAYERS,
            (
                ALIAS,
                ("W2 -= 0.3 * a1.T @ d2", "W2 = W2 - 0.3 * a1.T @ d2"),
                ("W1 -= 0.3 * X.T @ d1", "W1 = W1 - 0.3 * X.T @ d1"),
            ),
        ),
        (BATCH, (("import numpy as np\n", "import numpy as np\nfrom numpy import *\n"),)),
    ],
    ids=["views of one vector", "a copy", "new arrays each time", "all names of NumPy"],
)
def test_arrays_that_share_nothing(program: str, edits: tuple[Edit, ...]) -> None:
    verdict = checked(program, *edits)
    assert verdict.verdict == "correct", verdict.message


def test_weights_that_are_one_array() -> None:
    verdict = checked(THREE_LAYERS, ALIAS)
    assert (verdict.cause, verdict.layer, verdict.line) == ("aliased_weights", 2, 7)


def test_a_mistake_among_all_names_of_numpy() -> None:
    star = ("import numpy as np\n", "import numpy as np\nfrom numpy import *\n")
    verdict = checked(BATCH, star, ("error = a2 - y", "error = y - a2"))
    assert (verdict.cause, verdict.right_line) == ("sign_turned", "error = a2 - y")

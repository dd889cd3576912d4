"""What is true of every symptom: found through the registry, so that a new one is tested too."""

from __future__ import annotations

import json

import numpy as np
import pytest
from contracts.examples import members

import chainrule as cr
from chainrule.diagnosis import Diagnosis, Evidence, Finding, Symptom, diagnose
from chainrule.registry import Registered
from diagnosis.provocations import PROVOCATIONS

SYMPTOMS = [member.name for member in members(Symptom)]


def provoked(name: str) -> tuple[cr.NeuralNetwork, Diagnosis]:
    for number in range(20):
        network, x, y, history = PROVOCATIONS[name](np.random.default_rng(number))
        found = diagnose(network, x, y, history=history)
        if name in found.names:
            return network, found
    raise AssertionError(f"{name} was not found in twenty provocations")


@pytest.mark.parametrize("name", SYMPTOMS)
def test_what_it_finds_is_complete(name: str) -> None:
    _, diagnosis = provoked(name)
    found = next(finding for finding in diagnosis if finding.name == name)
    assert found.where
    assert all(isinstance(place, str) and place for place in found.where)
    assert any(character.isdigit() for character in found.evidence)
    for sentence in (found.evidence, found.why, found.suggestion):
        assert sentence[-1] in ".)"
        assert "nan" not in sentence.split()
    assert len(str(found).splitlines()) <= 15
    assert all(len(line) <= 79 for line in str(found).splitlines())
    text = json.dumps(diagnosis.to_dict(), allow_nan=False)
    assert json.loads(text)["looked_for"] == len(Symptom.names())


@pytest.mark.parametrize("name", SYMPTOMS)
def test_it_is_told_in_sentences(name: str) -> None:
    member = Symptom.member(name)
    assert member.__doc__
    assert member.why.endswith((".", ")"))
    assert not member.setting_names()


@pytest.mark.parametrize("name", SYMPTOMS)
def test_looking_twice_finds_the_same_and_changes_nothing(name: str) -> None:
    network, x, y, history = PROVOCATIONS[name](np.random.default_rng(3))
    before = network.parameter_vector.storage.tobytes() if network.is_built else b""
    changes = Registered.changes
    first = diagnose(network, x, y, history=history)
    assert diagnose(network, x, y, history=history).to_dict() == first.to_dict()
    assert Registered.changes == changes
    after = network.parameter_vector.storage.tobytes() if network.is_built else b""
    assert after == before


def test_one_of_your_own_is_looked_for_from_its_definition_on() -> None:
    class ManyParameters(Symptom):
        why = "They take memory."

        def look(self, evidence: Evidence) -> Finding | None:
            count = len(evidence.twin.parameters)
            if count < 100:
                return None
            return self.finding(["network"], f"There are {count}.", "Use fewer.", count=count)

    x, y = np.random.default_rng(0).normal(size=(40, 8)), np.tile([0.0, 1.0], 20)
    assert diagnose(cr.NeuralNetwork(cr.Dense(1)), x, y).names == []
    large = diagnose(cr.NeuralNetwork(cr.Dense(20, "tanh"), cr.Dense(1)), x, y)
    assert large.names == ["many_parameters"]
    assert large[0].title == "Many parameters"
    assert large[0].numbers == {"count": 201.0}

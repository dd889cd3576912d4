"""Without scikit-learn there is one sentence; with it, nothing is loaded before it is used."""

from __future__ import annotations

import subprocess
import sys

PROGRAM = """
import sys
import chainrule
assert "sklearn" not in sys.modules
sys.modules["sklearn"] = None  # as if it were not installed
try:
    chainrule.MLPClassifier
except chainrule.MissingPackage as error:
    print(error)
"""


def test_without_scikit_learn() -> None:
    found = subprocess.run(
        [sys.executable, "-c", PROGRAM], check=True, capture_output=True, text=True
    ).stdout
    assert found.startswith("The estimators need the package 'scikit-learn'")
    assert 'pip install "chainrule[standard]"' in found

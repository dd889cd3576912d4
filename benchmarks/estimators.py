"""The command: ``python -m benchmarks.estimators``, ``fit`` beside scikit-learn's."""

from __future__ import annotations

import sys

from benchmarks.__main__ import main
from benchmarks.works.estimators import WORKS

COMMAND = "python -m benchmarks.estimators"

if __name__ == "__main__":
    sys.exit(main(works=WORKS, command=COMMAND))

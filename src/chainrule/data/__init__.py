"""Data to learn from.

``truth_table`` needs NumPy alone; ``load`` takes scikit-learn's bundled sets. CSV files are read by
``chainrule.data.csv`` and turned into numbers by ``chainrule.data.preprocessing``.
"""

from chainrule.data.bundled import load
from chainrule.data.truth_table import reference_weights, truth_table

__all__ = ["load", "reference_weights", "truth_table"]

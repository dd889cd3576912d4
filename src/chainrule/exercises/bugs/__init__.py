"""Networks with one wrong line, in several styles of code, and what checks the repaired ones."""

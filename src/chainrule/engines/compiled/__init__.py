"""The compiled engine: the same network and the same numbers, in machine code (numba)."""

"""How a stack of layers is run. The reference engine walks them with NumPy, as a textbook would."""

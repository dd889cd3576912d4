"""Networks out as Python source that needs NumPy alone: ``to_python``."""

from chainrule.saving.eject.export import to_python

__all__ = ["to_python"]

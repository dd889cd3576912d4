"""Finds the wrong factor in networks that people write themselves."""

from chainrule.checker.check import check_source
from chainrule.checker.verdict import Verdict

__all__ = ["Verdict", "check_source"]

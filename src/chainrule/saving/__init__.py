"""Keeping a network: one file with its layers, settings and numbers, and nothing executable."""

from chainrule.saving.model_file import SavedModel, load, save

__all__ = ["SavedModel", "load", "save"]

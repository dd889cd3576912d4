"""Explanations: every number equals what the network computed, and what its formula gives."""

"""chainrule beside its peers: speed by ``python -m benchmarks``, scores by ``benchmarks.accuracy``.

Read ``work.py`` first; ``works/`` holds what is measured, docs/benchmarks.md says how to run it.
"""

"""What the figures were measured on."""

from __future__ import annotations

import importlib.metadata
import os
import platform
from pathlib import Path

import numpy as np

import chainrule
from benchmarks.works.images.data import source

_PEERS = ("numba", "scipy", "scikit-learn", "torch", "jax", "onnxruntime")
_THREAD_VARIABLES = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


def describe() -> dict[str, str]:
    """Return processor, systems and versions, ready to be printed."""
    facts = {
        "processor": f"{_processor()}, {os.cpu_count()} cores",
        "system": f"{platform.system()} {platform.machine()}, Python {platform.python_version()}",
        "chainrule": chainrule.__version__,
        "NumPy": f"{np.__version__} with {_blas()}",
    }
    for package in _PEERS:
        try:
            facts[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            facts[package] = "not installed"
    facts["images"] = source()
    limits = [f"{name}={os.environ[name]}" for name in _THREAD_VARIABLES if name in os.environ]
    if limits:
        facts["thread limits"] = ", ".join(limits)
    return facts


def load() -> str:
    """How busy the machine is: processes waiting to run, mean of the last minute."""
    if not hasattr(os, "getloadavg"):
        return "unknown"
    return f"{os.getloadavg()[0]:.2f}"


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        lines = []
    fields = dict(line.replace("\t", "").split(":", 1) for line in lines if ":" in line)
    if "model name" not in fields:
        return platform.processor() or platform.machine()
    family, model = fields.get("cpu family", "?").strip(), fields.get("model", "?").strip()
    return f"{fields['model name'].strip()} (family {family}, model {model})"


def _blas() -> str:
    try:
        import threadpoolctl
    except ImportError:
        build = np.show_config(mode="dicts")
        blas = build["Build Dependencies"]["blas"] if isinstance(build, dict) else {}
        return f"{blas.get('name', 'an unknown BLAS')} {blas.get('version', '')}".strip()
    pools = [pool for pool in threadpoolctl.threadpool_info() if pool["user_api"] == "blas"]
    return ", ".join(
        sorted(
            f"{pool['internal_api']} {pool['version']} ({pool.get('architecture', 'unknown')} "
            f"kernels, threads: {pool['num_threads']})"
            for pool in pools
        )
    )

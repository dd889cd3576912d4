"""What the machine can do at most: a large matrix product, which is BLAS's best case."""

from __future__ import annotations

import numpy as np

from benchmarks.work import Side, thread_counts

_SIZE = 2048


class LargeProduct(Side):
    """A 2048 x 2048 float32 matrix times another, through NumPy."""

    name = "the machine's GEMM peak"
    threads = thread_counts()
    flops = 2.0 * _SIZE**3

    def prepare(self) -> None:
        random = np.random.default_rng(0)
        self.a, self.b = random.standard_normal((2, _SIZE, _SIZE), dtype=np.float32)
        self.c = np.empty_like(self.a)

    def run(self) -> None:
        np.matmul(self.a, self.b, out=self.c)

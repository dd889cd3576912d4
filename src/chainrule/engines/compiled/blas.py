"""Matrix products by BLAS, from compiled code: SciPy's, whatever NumPy was built with.

BLAS stores matrices column by column. A row-major matrix read that way is its own transpose, and
(A B)ᵀ = Bᵀ Aᵀ: so the row-major product of A and B is BLAS's product of B and A.
"""

from __future__ import annotations

from typing import Any

import llvmlite.binding
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import get_cython_function_address, intrinsic

_NAMES = {types.float32: "sgemm", types.float64: "dgemm"}


def make_known() -> None:
    """Tell the linker where BLAS is; compiled code from the disk cache looks it up by name."""
    for name in _NAMES.values():
        address = get_cython_function_address("scipy.linalg.cython_blas", name)
        llvmlite.binding.add_symbol(_symbol(name), address)


def _symbol(name: str) -> str:
    return f"chainrule_{name}"


@intrinsic
def gemm(
    typing: Any,
    a_turned: Any,
    b_turned: Any,
    rows: Any,
    columns: Any,
    depth: Any,
    a: Any,
    a_stride: Any,
    b: Any,
    b_stride: Any,
    beta: Any,
    c: Any,
    c_stride: Any,
) -> Any:
    """C <- A B + beta · C, for row-major matrices given by pointers.

    Parameters
    ----------
    a_turned, b_turned : int
        1 where the matrix is stored transposed: A as (depth, rows), B as (columns, depth).
    rows, columns, depth : int
        C is (rows, columns), A is (rows, depth), B is (depth, columns).
    a, b, c : pointer
        All to float32 or all to float64.
    a_stride, b_stride, c_stride : int
        Numbers from one stored row to the next.
    beta : float
        0 to write, 1 to add.
    """
    number = a.dtype

    def build(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        kind = context.get_value_type(number)
        a_turned, b_turned, rows, columns, depth, a, a_stride, b, b_stride, beta, c, c_stride = (
            arguments
        )
        byte, integer = ir.IntType(8), ir.IntType(32)

        def place(value: Any) -> Any:
            return cgutils.alloca_once_value(builder, value)

        def letter(turned: Any) -> Any:
            is_turned = builder.icmp_signed("!=", turned, ir.Constant(turned.type, 0))
            return place(builder.select(is_turned, byte(ord("T")), byte(ord("N"))))

        def whole(value: Any) -> Any:
            return place(builder.trunc(value, integer))

        one = place(ir.Constant(kind, 1.0))
        takes = [
            letter(b_turned),
            letter(a_turned),
            whole(columns),
            whole(rows),
            whole(depth),
            one,
            b,
            whole(b_stride),
            a,
            whole(a_stride),
            place(beta),
            c,
            whole(c_stride),
        ]
        function = cgutils.get_or_insert_function(
            builder.module,
            ir.FunctionType(ir.VoidType(), [value.type for value in takes]),
            _symbol(_NAMES[number]),
        )
        builder.call(function, takes)
        return context.get_dummy_value()

    i = types.int64
    takes = (i, i, i, i, i, a, i, b, i, number, c, i)
    return types.void(*takes), build

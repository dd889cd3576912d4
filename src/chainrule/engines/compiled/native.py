"""What numba does not offer by itself: pointers, calls by address, bits, and atomic counters.

Each function here becomes a few machine instructions at the place where compiled code calls it.
Addresses and pointers are not checked by anybody: only the engine's own kernels use them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from llvmlite import ir
from numba import types
from numba.extending import intrinsic


@intrinsic
def pointer_to(typing: Any, array: Any) -> Any:
    """Pointer to the first number of an array."""

    def build(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return context.make_array(signature.args[0])(context, builder, arguments[0]).data

    return types.CPointer(array.dtype)(array), build


@intrinsic
def shift(typing: Any, pointer: Any, count: Any) -> Any:
    """Pointer to the number that stands ``count`` places after this one."""

    def build(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.gep(arguments[0], [arguments[1]])

    return pointer(pointer, types.int64), build


@intrinsic
def pointer_like(typing: Any, address: Any, pointer: Any) -> Any:
    """Take an integer for the address of numbers such as ``pointer`` points to."""

    def build(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.inttoptr(arguments[0], context.get_value_type(signature.return_type))

    return pointer(types.int64, pointer), build


def _pointer_from_address(number: Any) -> Callable[..., Any]:
    @intrinsic
    def from_address(typing: Any, address: Any) -> Any:
        def build(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            return builder.inttoptr(arguments[0], context.get_value_type(signature.return_type))

        return types.CPointer(number)(types.int64), build

    return from_address


int64_at = _pointer_from_address(types.int64)
float64_at = _pointer_from_address(types.float64)


def _reinterpret(number: Any, kind: Any) -> Callable[..., Any]:
    @intrinsic
    def reinterpret(typing: Any, value: Any) -> Any:
        def build(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            return builder.bitcast(arguments[0], kind)

        return number(value), build

    return reinterpret


# The same bits, read as another kind of number.
bits_of_float64 = _reinterpret(types.int64, ir.IntType(64))
float64_of_bits = _reinterpret(types.float64, ir.DoubleType())
bits_of_float32 = _reinterpret(types.int32, ir.IntType(32))
float32_of_bits = _reinterpret(types.float32, ir.FloatType())


@intrinsic
def call_kernel(
    typing: Any,
    address: Any,
    op: Any,
    context_: Any,
    arena: Any,
    parameters: Any,
    gradients: Any,
    first: Any,
    rows: Any,
) -> Any:
    """Call the kernel that stands at an address; see ``kernel.py`` for what it takes."""

    def build(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        kind = ir.FunctionType(ir.VoidType(), [argument.type for argument in arguments[1:]])
        builder.call(builder.inttoptr(arguments[0], kind.as_pointer()), arguments[1:])
        return context.get_dummy_value()

    takes = (address, op, context_, arena, parameters, gradients, first, rows)
    return types.void(*takes), build


@intrinsic
def copy_numbers(typing: Any, source: Any, target: Any, count: Any) -> Any:
    """Copy ``count`` numbers from one pointer to another; they must not overlap."""

    def build(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        size = context.get_abi_sizeof(context.get_value_type(signature.args[0].dtype))
        kind = ir.IntType(8).as_pointer()
        copy = builder.module.declare_intrinsic("llvm.memcpy", [kind, kind, ir.IntType(64)])
        source, target = (builder.bitcast(argument, kind) for argument in arguments[:2])
        length = builder.mul(arguments[2], ir.Constant(ir.IntType(64), size))
        builder.call(copy, [target, source, length, ir.Constant(ir.IntType(1), 0)])
        return context.get_dummy_value()

    return types.void(source, target, types.int64), build


@intrinsic
def atomic_add(typing: Any, counter: Any, amount: Any) -> Any:
    """Add to a counter that several threads use; return what it was before."""

    def build(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.atomic_rmw("add", arguments[0], arguments[1], "seq_cst")

    return types.int64(types.CPointer(types.int64), types.int64), build


@intrinsic
def atomic_read(typing: Any, counter: Any) -> Any:
    """Read a counter that another thread may be changing."""

    def build(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.load_atomic(arguments[0], "seq_cst", 8)

    return types.int64(types.CPointer(types.int64)), build


@intrinsic
def ticks(typing: Any) -> Any:
    """Time as the processor counts it; only the ratio of two such times means something."""

    def build(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.call(
            builder.module.declare_intrinsic(
                "llvm.readcyclecounter", fnty=ir.FunctionType(ir.IntType(64), [])
            ),
            [],
        )

    return types.int64(), build


@intrinsic
def in_wide_vectors(typing: Any) -> Any:
    """Let this function use the widest vectors that the processor has.

    For processors with AVX-512, LLVM keeps to half of their width, which was better for the first
    of them. Exponentials gain a quarter to a third by the whole width.
    """

    def build(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        # llvmlite knows no such attribute, and passes on what stands in the set.
        set.add(builder.function.attributes, '"prefer-vector-width"="512"')
        return context.get_dummy_value()

    return types.void(), build


@intrinsic
def quotient(typing: Any, a: Any, b: Any) -> Any:
    """A / b to within two units of the last digit, for finite numbers and b above the subnormals.

    Where a processor estimates 1 / b, one step of Newton's method from there is faster than a
    division.
    """

    def build(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.fdiv(*arguments, flags=("arcp", "ninf"))

    return a(a, a), build

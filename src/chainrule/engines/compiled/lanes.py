"""Several neighbouring numbers at once, as the processor's vector instructions take them.

Compilers find such instructions by themselves in loops that run along one array. Where a loop
reads and writes at many places at once they give up: they cannot know that these do not overlap.
There compiled code says what it means with the functions here. ``Lanes`` are as many numbers as
stand in 64 bytes: 16 float32 or 8 float64.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic, models, register_model

BYTES = 64
_FLAGS = ("reassoc", "nsz", "contract")


class Lanes(types.Type):  # type: ignore[misc]  # numba comes without types
    """Type of 64 bytes of numbers in a vector register.

    Parameters
    ----------
    number : numba type
        float32 or float64.
    """

    def __init__(self, number: Any) -> None:
        self.number = number
        self.count = BYTES * 8 // number.bitwidth
        super().__init__(name=f"Lanes({number})")


@register_model(Lanes)
class _LanesModel(models.PrimitiveModel):  # type: ignore[misc]
    def __init__(self, manager: Any, kind: Any) -> None:
        number = manager.lookup(kind.number).get_value_type()
        super().__init__(manager, kind, ir.VectorType(number, kind.count))


@intrinsic
def lanes_at(typing: Any, pointer: Any) -> Any:
    """How many of the numbers that a pointer points to make up one ``Lanes``."""
    count = Lanes(pointer.dtype).count

    def build(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return context.get_constant(types.int64, count)

    return types.int64(pointer), build


def _vector_pointer(context: Any, builder: Any, pointer: Any, lanes: Lanes) -> Any:
    return builder.bitcast(pointer, context.get_value_type(lanes).as_pointer())


@intrinsic
def load(typing: Any, pointer: Any) -> Any:
    """Numbers from the pointer on."""
    lanes = Lanes(pointer.dtype)

    def build(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        found = builder.load(_vector_pointer(context, builder, arguments[0], lanes))
        found.align = lanes.number.bitwidth // 8
        return found

    return lanes(pointer), build


@intrinsic
def store(typing: Any, pointer: Any, lanes: Any) -> Any:
    """Write the numbers from the pointer on."""

    def build(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        target = _vector_pointer(context, builder, arguments[0], lanes)
        builder.store(arguments[1], target).align = lanes.number.bitwidth // 8
        return context.get_dummy_value()

    return types.void(pointer, lanes), build


def _masked(context: Any, builder: Any, lanes: Lanes, count: Any, name: str) -> Any:
    """The instruction that reads or writes some lanes only, and the mask of the first ``count``."""
    vector, whole = context.get_value_type(lanes), ir.IntType(32)
    numbers = ir.VectorType(whole, lanes.count)
    first = builder.insert_element(
        ir.Constant(numbers, ir.Undefined), builder.trunc(count, whole), ir.Constant(whole, 0)
    )
    limit = builder.shuffle_vector(
        first, ir.Constant(numbers, ir.Undefined), ir.Constant(numbers, [0] * lanes.count)
    )
    mask = builder.icmp_signed("<", ir.Constant(numbers, list(range(lanes.count))), limit)
    takes = [vector.as_pointer(), whole, mask.type]
    if name == "load":
        kind = ir.FunctionType(vector, [*takes, vector])
    else:
        kind = ir.FunctionType(ir.VoidType(), [vector, *takes])
    letter = "f" + str(lanes.number.bitwidth)
    function = cgutils.get_or_insert_function(
        builder.module, kind, f"llvm.masked.{name}.v{lanes.count}{letter}.p0"
    )
    return function, mask, ir.Constant(whole, lanes.number.bitwidth // 8)


@intrinsic
def load_first(typing: Any, pointer: Any, count: Any) -> Any:
    """The first ``count`` numbers from the pointer on, and 0 in the lanes after them."""
    lanes = Lanes(pointer.dtype)

    def build(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        source = _vector_pointer(context, builder, arguments[0], lanes)
        function, mask, align = _masked(context, builder, lanes, arguments[1], "load")
        nothing = ir.Constant(context.get_value_type(lanes), [0.0] * lanes.count)
        return builder.call(function, [source, align, mask, nothing])

    return lanes(pointer, types.int64), build


@intrinsic
def store_first(typing: Any, pointer: Any, lanes: Any, count: Any) -> Any:
    """Write the first ``count`` numbers from the pointer on."""

    def build(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        target = _vector_pointer(context, builder, arguments[0], lanes)
        function, mask, align = _masked(context, builder, lanes, arguments[2], "store")
        builder.call(function, [arguments[1], target, align, mask])
        return context.get_dummy_value()

    return types.void(pointer, lanes, types.int64), build


@intrinsic
def spread(typing: Any, pointer: Any, value: Any) -> Any:
    """The same number in every lane; it must be of the kind that the pointer points to."""
    lanes = Lanes(pointer.dtype)

    def build(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        kind = context.get_value_type(lanes)
        number = context.cast(builder, arguments[1], signature.args[1], lanes.number)
        first = builder.insert_element(
            ir.Constant(kind, ir.Undefined), number, ir.Constant(ir.IntType(32), 0)
        )
        everywhere = ir.Constant(ir.VectorType(ir.IntType(32), lanes.count), [0] * lanes.count)
        return builder.shuffle_vector(first, ir.Constant(kind, ir.Undefined), everywhere)

    return lanes(pointer, value), build


def _arithmetic(name: str, told: str) -> Callable[..., Any]:
    @intrinsic
    def operation(typing: Any, left: Any, right: Any) -> Any:
        def build(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            return getattr(builder, name)(*arguments, flags=_FLAGS)

        return left(left, right), build

    operation.__doc__ = told
    return operation


plus = _arithmetic("fadd", "Sum, lane by lane.")
minus = _arithmetic("fsub", "Difference, lane by lane.")
times = _arithmetic("fmul", "Product, lane by lane.")


@intrinsic
def larger(typing: Any, left: Any, right: Any) -> Any:
    """The larger of the two, lane by lane; NaN where either is."""

    def build(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        first, second = arguments
        takes_first = builder.or_(
            builder.fcmp_unordered("uno", first, first), builder.fcmp_ordered(">", first, second)
        )
        return builder.select(takes_first, first, second)

    return left(left, right), build


@intrinsic
def where_equal(typing: Any, left: Any, right: Any, then: Any, otherwise: Any) -> Any:
    """``then`` in the lanes where left and right are equal, ``otherwise`` in the others."""

    def build(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        equal = builder.fcmp_ordered("==", arguments[0], arguments[1])
        return builder.select(equal, arguments[2], arguments[3])

    return then(left, right, then, otherwise), build

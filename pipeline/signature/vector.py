# ruff: noqa: ARG001 - numba calls an intrinsic with the types of its arguments, used or not
"""Machine words and 64-byte vectors for the text kernel.

Holds: numba intrinsics in generic LLVM vector types, which LLVM lowers to AVX-512, AVX2, SSE or
NEON with the same result bits. Reads and writes only the arrays it is given, unchecked: callers
keep 64 bytes of slack behind every place they touch.
Not here: what the bytes mean (`kernel.py`).

numba's on-disk cache does not see changes in this file: delete it (`NUMBA_CACHE_DIR`, or the
`__pycache__` folder beside this file) after editing.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from llvmlite import ir
from numba.core import types

from pipeline.signature.compiled import intrinsic

TypePair = tuple[Any, Callable[..., Any]]

_I32, _I64 = ir.IntType(32), ir.IntType(64)
_BYTES = ir.VectorType(ir.IntType(8), 64)
_SHORTS = ir.VectorType(ir.IntType(16), 32)
_INTS = ir.VectorType(_I32, 16)
_LONGS = ir.VectorType(_I64, 8)


def _every(value: int) -> ir.Constant:
    return ir.Constant(_BYTES, [value] * 64)


def _spread(builder: Any, value: Any, kind: Any) -> Any:
    """Return a vector with the same value in all places."""
    one = builder.insert_element(ir.Constant(kind, ir.Undefined), value, _I32(0))
    lanes = ir.Constant(ir.VectorType(_I32, kind.count), [0] * kind.count)
    return builder.shuffle_vector(one, ir.Constant(kind, ir.Undefined), lanes)


def _at(context: Any, builder: Any, *, array: Any, place: Any, as_type: Any) -> Any:
    """Return a pointer of `as_type` to element `place` of a byte array."""
    kind, value = array
    data = context.make_array(kind)(context, builder, value).data
    return builder.bitcast(builder.gep(data, [place]), as_type.as_pointer())


@intrinsic
def fold64(_: Any, source: Any, at: Any, target: Any, to: Any) -> TypePair:
    """Fold 64 bytes of ASCII: letters to lower case, digits and `_` as they are, others zero.

    Returns the bit mask of the bytes that are not ASCII; what is written there means nothing.
    """

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        kinds = signature.args
        read = _at(context, builder, array=(kinds[0], args[0]), place=args[1], as_type=_BYTES)
        write = _at(context, builder, array=(kinds[2], args[2]), place=args[3], as_type=_BYTES)
        raw = builder.load(read, align=1)
        upper = builder.icmp_unsigned("<", builder.sub(raw, _every(ord("A"))), _every(26))
        lower = builder.select(upper, builder.add(raw, _every(32)), raw)
        letter = builder.icmp_unsigned("<", builder.sub(lower, _every(ord("a"))), _every(26))
        digit = builder.icmp_unsigned("<", builder.sub(raw, _every(ord("0"))), _every(10))
        underscore = builder.icmp_unsigned("==", raw, _every(ord("_")))
        word = builder.or_(builder.or_(letter, digit), underscore)
        builder.store(builder.select(word, lower, _every(0)), write, align=1)
        return builder.bitcast(builder.icmp_signed("<", raw, _every(0)), _I64)

    return types.uint64(source, types.int64, target, types.int64), generate


def _mask64(source: Any, at: Any, test: Callable[[Any, Any], Any]) -> TypePair:
    """Return the bit mask of the bytes among 64 that pass a test."""

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        array = (signature.args[0], args[0])
        read = _at(context, builder, array=array, place=args[1], as_type=_BYTES)
        return builder.bitcast(test(builder, builder.load(read, align=1)), _I64)

    return types.uint64(source, types.int64), generate


@intrinsic
def nonzero64(_: Any, source: Any, at: Any) -> TypePair:
    """Return the bit mask of the bytes among 64 that are not zero."""
    return _mask64(source, at, lambda make, raw: make.icmp_unsigned("!=", raw, _every(0)))


@intrinsic
def ends64(_: Any, source: Any, at: Any) -> TypePair:
    """Return the bit mask of the bytes among 64 that are line feeds."""
    return _mask64(source, at, lambda make, raw: make.icmp_unsigned("==", raw, _every(ord("\n"))))


@intrinsic
def heads64(_: Any, source: Any, at: Any) -> TypePair:
    """Return the bit mask of the bytes among 64 that begin a character of UTF-8."""

    def begins(make: Any, raw: Any) -> Any:
        return make.icmp_unsigned("!=", make.and_(raw, _every(0xC0)), _every(0x80))

    return _mask64(source, at, begins)


@intrinsic
def controls64(_: Any, source: Any, at: Any) -> TypePair:
    """Return the bit mask of the bytes among 64 that are ASCII controls, TAB and LF left out."""

    def is_control(make: Any, raw: Any) -> Any:
        kept = [make.icmp_unsigned("!=", raw, _every(ord(sign))) for sign in "\t\n"]
        low = make.icmp_unsigned("<", raw, _every(0x20))
        delete = make.icmp_unsigned("==", raw, _every(0x7F))
        return make.or_(make.and_(low, make.and_(*kept)), delete)

    return _mask64(source, at, is_control)


@intrinsic
def latin64(_: Any, source: Any, at: Any) -> TypePair:
    """Return the bit mask of the bytes among 64 that begin a character of U+0080 to U+00BF."""
    return _mask64(source, at, lambda make, raw: make.icmp_unsigned("==", raw, _every(0xC2)))


@intrinsic
def equal32(_: Any, source: Any, at: Any, value: Any) -> TypePair:
    """Return the bit mask of those among 32 shorts that are `value`."""

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        array = (signature.args[0], args[0])
        read = _at(context, builder, array=array, place=args[1], as_type=_SHORTS)
        short = builder.trunc(args[2], ir.IntType(16))
        every = _spread(builder, short, _SHORTS)
        same = builder.icmp_unsigned("==", builder.load(read, align=2), every)
        return builder.bitcast(same, _I32)

    return types.uint32(source, types.int64, types.uint64), generate


@intrinsic
def marked32(_: Any, source: Any, at: Any) -> TypePair:
    """Return the bit mask of those among 32 shorts whose upper bit is set."""

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        array = (signature.args[0], args[0])
        read = _at(context, builder, array=array, place=args[1], as_type=_SHORTS)
        shorts = builder.load(read, align=2)
        set_ = builder.icmp_signed("<", shorts, ir.Constant(_SHORTS, [0] * 32))
        return builder.bitcast(set_, _I32)

    return types.uint32(source, types.int64), generate


@intrinsic
def least16(_: Any, values: Any, lanes: Any, place: Any, stride: Any) -> TypePair:
    """Lower 16 minima to the least `factor * value + term` of some values.

    All are 32-bit integers. Factors begin at `lanes[place]`, terms one `stride` behind them, minima
    another one. The values are a tuple, as many as a power of two.
    """

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        array = (signature.args[1], args[1])

        def where(times: int) -> Any:
            place = builder.add(args[2], builder.mul(args[3], _I64(times)))
            return _at(context, builder, array=array, place=place, as_type=_INTS)

        factor, term = builder.load(where(0), align=4), builder.load(where(1), align=4)
        found = [
            builder.add(
                builder.mul(factor, _spread(builder, builder.extract_value(args[0], at), _INTS)),
                term,
            )
            for at in range(signature.args[0].count)
        ]

        def lower(one: Any, other: Any) -> Any:
            return builder.select(builder.icmp_unsigned("<", one, other), one, other)

        while len(found) > 1:  # a tree, for in a row each would wait for the one before
            found = [lower(*found[at : at + 2]) for at in range(0, len(found), 2)]
        builder.store(lower(found[0], builder.load(where(2), align=4)), where(2), align=4)
        return context.get_dummy_value()

    return types.void(values, lanes, types.int64, types.int64), generate


@intrinsic
def weigh8(_: Any, source: Any, at: Any, target: Any, to: Any, weights: Any) -> TypePair:
    """Weigh and add up each of 8 integers and those after it, mix the sums, keep the upper halves.

    Reads as many more integers of 64 bits as there are weights. The last weight mixes.
    """

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        array = (signature.args[0], args[0])
        *factors, mixer = (
            _spread(builder, builder.extract_value(args[4], number), _LONGS)
            for number in range(signature.args[4].count)
        )
        total = ir.Constant(_LONGS, [0] * 8)
        for ahead, factor in enumerate(factors):
            place = builder.add(args[1], _I64(ahead))
            where = _at(context, builder, array=array, place=place, as_type=_LONGS)
            total = builder.add(total, builder.mul(builder.load(where, align=8), factor))
        mixed = builder.xor(total, builder.lshr(total, ir.Constant(_LONGS, [29] * 8)))
        upper = builder.lshr(builder.mul(mixed, mixer), ir.Constant(_LONGS, [32] * 8))
        kind = ir.VectorType(_I32, 8)
        array = (signature.args[2], args[2])
        where = _at(context, builder, array=array, place=args[3], as_type=kind)
        builder.store(builder.trunc(upper, kind), where, align=4)
        return context.get_dummy_value()

    return types.void(source, types.int64, target, types.int64, weights), generate


@intrinsic
def clear64(_: Any, target: Any, to: Any) -> TypePair:
    """Write 64 zero bytes."""

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        array = (signature.args[0], args[0])
        write = _at(context, builder, array=array, place=args[1], as_type=_BYTES)
        builder.store(_every(0), write, align=1)
        return context.get_dummy_value()

    return types.void(target, types.int64), generate


@intrinsic
def load8(_: Any, source: Any, at: Any) -> TypePair:
    """Read 8 bytes as one little-endian integer."""

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        array = (signature.args[0], args[0])
        read = _at(context, builder, array=array, place=args[1], as_type=_I64)
        return builder.load(read, align=1)

    return types.uint64(source, types.int64), generate


@intrinsic
def store8(_: Any, target: Any, to: Any, value: Any) -> TypePair:
    """Write one integer as 8 little-endian bytes."""

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        array = (signature.args[0], args[0])
        write = _at(context, builder, array=array, place=args[1], as_type=_I64)
        builder.store(args[2], write, align=1)
        return context.get_dummy_value()

    return types.void(target, types.int64, types.uint64), generate


@intrinsic
def trailing_zeros(_: Any, value: Any) -> TypePair:
    """Return the place of the lowest set bit; 64 when none is set."""

    def generate(_: Any, builder: Any, __: Any, args: Any) -> Any:
        return builder.cttz(args[0], ir.Constant(ir.IntType(1), 0))

    return types.int64(types.uint64), generate


@intrinsic
def set_bits(_: Any, value: Any) -> TypePair:
    """Return the number of set bits."""

    def generate(_: Any, builder: Any, __: Any, args: Any) -> Any:
        return builder.ctpop(args[0])

    return types.int64(types.uint64), generate


@intrinsic
def multiply_fold(_: Any, left: Any, right: Any) -> TypePair:
    """Multiply 64 by 64 bits and return the upper half XOR the lower half of the product."""

    def generate(_: Any, builder: Any, __: Any, args: Any) -> Any:
        wide = ir.IntType(128)
        product = builder.mul(builder.zext(args[0], wide), builder.zext(args[1], wide))
        upper = builder.trunc(builder.lshr(product, ir.Constant(wide, 64)), _I64)
        return builder.xor(upper, builder.trunc(product, _I64))

    return types.uint64(types.uint64, types.uint64), generate

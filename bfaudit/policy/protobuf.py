"""Reads the names that a checked CEL expression refers to: its own record of them, in `google.api.expr.v1alpha1.CheckedExpr`.

Any         { string type_url = 1; bytes value = 2; }
CheckedExpr { map<int64, Reference> reference_map = 2; ... }
Reference   { string name = 1; repeated string overload_id = 3; ... }
"""

from collections.abc import Iterator

_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5


def references(serialized: bytes) -> frozenset[str]:
    """The names of the variables that a serialized expression refers to; a function's reference has overloads."""
    names: set[str] = set()
    for checked in _fields(serialized, 2):
        for entry in _fields(checked, 2):
            for reference in _fields(entry, 2):
                if not list(_fields(reference, 3)):
                    names.update(name.decode() for name in _fields(reference, 1))
    return frozenset(names)


def _fields(message: bytes, wanted: int) -> Iterator[bytes]:
    """The values of one length-delimited field of a message."""
    at = 0
    while at < len(message):
        tag, at = _varint(message, at)
        number, wire = tag >> 3, tag & 7
        if wire == _VARINT:
            _, at = _varint(message, at)
        elif wire == _BYTES:
            size, at = _varint(message, at)
            if number == wanted:
                yield message[at : at + size]
            at += size
        elif wire in (_FIXED64, _FIXED32):
            at += 8 if wire == _FIXED64 else 4
        else:
            raise ValueError(f"wire type {wire} is not of protobuf 3")


def _varint(message: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = message[at]
        value |= (byte & 127) << shift
        at, shift = at + 1, shift + 7
        if byte < 128:
            return value, at

"""Bytes in one piece between Python and wasmtime, whose package converts a list element by element.

A `list<u8>` is an array of values in C, each of which has a tag and the byte. Here the array is filled, and the bytes
are taken from it, by slices. What a list is and what is refused stays the same.
"""

from __future__ import annotations

import ctypes
from typing import Any

from wasmtime import _ffi as ffi
from wasmtime.component import _types

_VALUE_BYTES = ctypes.sizeof(ffi.wasmtime_component_val_t)
_BYTE_AT = ffi.wasmtime_component_val_t.of.offset
_KIND_U8 = bytes([ffi.WASMTIME_COMPONENT_U8.value])

_to_c = _types.ListType.convert_to_c
_from_c = _types.ListType.convert_from_c


def _is_bytes(kind: Any) -> bool:
    known = kind.__dict__.get("is_bytes")
    if known is None:
        known = kind.__dict__["is_bytes"] = isinstance(kind.element, _types.U8)
    return bool(known)


def _convert_to_c(self: Any, store: Any, value: Any, pointer: Any) -> None:
    if not (isinstance(value, bytes) and _is_bytes(self)):
        _to_c(self, store, value, pointer)
        return
    raw = ffi.wasmtime_component_vallist_t()
    ffi.wasmtime_component_vallist_new_uninit(raw, len(value))
    values = bytearray(_VALUE_BYTES * len(value))
    values[0::_VALUE_BYTES] = _KIND_U8 * len(value)
    values[_BYTE_AT::_VALUE_BYTES] = value
    if value:
        ctypes.memmove(raw.data, (ctypes.c_char * len(values)).from_buffer(values), len(values))
    pointer.contents.kind = ffi.WASMTIME_COMPONENT_LIST
    pointer.contents.of.list = raw


def _convert_from_c(self: Any, value: Any) -> Any:
    if not _is_bytes(self):
        return _from_c(self, value)
    length = value.of.list.size
    result = ctypes.string_at(value.of.list.data, _VALUE_BYTES * length)[_BYTE_AT::_VALUE_BYTES] if length else b""
    ffi.wasmtime_component_val_delete(ctypes.byref(value))
    return result


_types.ListType.convert_to_c = _convert_to_c  # type: ignore[method-assign, assignment]
_types.ListType.convert_from_c = _convert_from_c  # type: ignore[method-assign, assignment]


class _FunctionType:
    """The type of a function, taken apart once."""

    def __init__(self, kind: Any) -> None:
        self.params, self.result = kind.params, kind.result


def remember_types(function: Any, store: Any) -> None:
    """Keeps the type of a function, which wasmtime's package makes anew for each call."""
    kind = _FunctionType(function.type(store))
    function.type = lambda _: kind

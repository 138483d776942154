"""Integers between Python and wasmtime, whose package lets ctypes truncate those that do not fit their type."""

from __future__ import annotations

from typing import Any

from wasmtime import Store
from wasmtime.component import _types


class CheckedStore(Store):
    """A store whose calls refuse integers that do not fit. The calls of other packages stay as they are."""


def _check(kind: Any) -> None:
    to_c = kind.convert_to_c

    def convert_to_c(self: Any, store: Any, value: Any, pointer: Any) -> None:
        to_c(self, store, value, pointer)
        if isinstance(store, CheckedStore) and self.convert_from_c(pointer.contents) != value:
            raise OverflowError(f"{value} does not fit in the contract's {kind.__name__.lower()}")

    kind.convert_to_c = convert_to_c


for _kind in (_types.S32, _types.S64, _types.U32, _types.U64):
    _check(_kind)

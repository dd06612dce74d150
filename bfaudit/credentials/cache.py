"""What a scan reads once for the references that share it: a secrets file, a path of a vault."""

from collections import OrderedDict
from collections.abc import Callable, Hashable
from threading import Lock
from typing import Any, TypeVar

from bfaudit.errors import CredentialError

T = TypeVar("T")

MOST = 64
"""How many things are kept; the one that was used longest ago goes first."""


class _Slot:
    __slots__ = ("failure", "lock", "made", "value")

    def __init__(self) -> None:
        self.lock = Lock()
        self.made = False
        self.value: Any = None
        self.failure: tuple[str, str | None] | None = None
        """What the error said. The error itself would keep alive what its frames held."""


class Cache:
    """The `Once` of one scan: bounded, for many threads, and empty once the scan has ended."""

    def __init__(self, most: int = MOST) -> None:
        self._most = most
        self._slots: OrderedDict[Hashable, _Slot] = OrderedDict()
        self._lock = Lock()

    def __call__(self, key: Hashable, make: Callable[[], T]) -> T:
        """What `make` made for this key, or the CredentialError that it raised."""
        with self._lock:
            slot = self._slots.get(key)
            if slot is None:
                slot = self._slots[key] = _Slot()
                if len(self._slots) > self._most:
                    self._slots.popitem(last=False)
            else:
                self._slots.move_to_end(key)
        with slot.lock:
            if not slot.made:
                try:
                    slot.value = make()
                except CredentialError as error:
                    slot.failure = (error.message, error.hint)
                slot.made = True
        if slot.failure:
            message, hint = slot.failure
            raise CredentialError(message, hint=hint)
        value: T = slot.value
        return value

    def clear(self) -> None:
        """Forget everything."""
        with self._lock:
            self._slots.clear()

    def __len__(self) -> int:
        return len(self._slots)

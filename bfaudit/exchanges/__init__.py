"""One file per exchange, each with one constant `ADAPTER`; the folder is the list of what is supported."""

from collections.abc import Iterator, Mapping
from functools import cache
from importlib import import_module
from pkgutil import iter_modules
from typing import TYPE_CHECKING

from bfaudit.exchanges.unsupported import UNSUPPORTED

if TYPE_CHECKING:
    from bfaudit.exchanges.base import Adapter

_NOT_ADAPTERS = frozenset({"base", "generic", "listing", "rehearsal", "unsupported"})


class _Adapters(Mapping[str, "Adapter"]):
    """Each is loaded when it is asked for: a fleet needs one or two of them."""

    def __init__(self) -> None:
        self._files = {module.name for module in iter_modules(__path__)} - _NOT_ADAPTERS

    def __getitem__(self, exchange: str) -> "Adapter":
        return _adapter(exchange) if exchange in self._files else discovered()[exchange]

    def __contains__(self, exchange: object) -> bool:
        return exchange in self._files or exchange in discovered()

    def __iter__(self) -> Iterator[str]:
        return iter(discovered())

    def __len__(self) -> int:
        return len(discovered())


class _Roles(Mapping[str, tuple[str, ...]]):
    """What a key consists of, as each adapter says."""

    def __getitem__(self, exchange: str) -> tuple[str, ...]:
        return known()[exchange].credentials

    def __contains__(self, exchange: object) -> bool:
        return exchange in known()

    def __iter__(self) -> Iterator[str]:
        return iter(known())

    def __len__(self) -> int:
        return len(known())


@cache
def known() -> Mapping[str, "Adapter"]:
    """Every adapter of this folder by its ccxt id, then the generic ones."""
    return _Adapters()


@cache
def discovered() -> Mapping[str, "Adapter"]:
    """All of them, loaded. Two files with one id are a bug."""
    from bfaudit.exchanges import generic  # noqa: PLC0415

    found: dict[str, Adapter] = {}
    for module in sorted(iter_modules(__path__), key=lambda entry: entry.name):
        if module.name in _NOT_ADAPTERS:
            continue
        adapter = _adapter(module.name)
        for exchange in (adapter.id, *adapter.realms):
            if exchange in found:
                raise AssertionError(f"two adapters for {exchange}")
            found[exchange] = adapter
    for adapter in generic.adapters():
        found.setdefault(adapter.id, adapter)
    return found


def _adapter(file: str) -> "Adapter":
    adapter: Adapter = import_module(f"{__name__}.{file}").ADAPTER
    return adapter


def unsupported() -> Mapping[str, str]:
    """Why exchanges that ccxt knows are not supported, for those that have been looked at."""
    return UNSUPPORTED


def credentials_of() -> Mapping[str, tuple[str, ...]]:
    """The credential roles that each exchange needs, by its id."""
    return _Roles()

"""One file per exchange, each with one constant `ADAPTER`; the folder is the list of what is supported."""

from collections.abc import Callable, Iterator, Mapping
from functools import cache
from importlib import import_module
from pkgutil import iter_modules
from typing import TYPE_CHECKING, TypeVar

from bfaudit.exchanges.unsupported import UNSUPPORTED

if TYPE_CHECKING:
    from bfaudit.exchanges.base import Adapter

T = TypeVar("T")

_NOT_ADAPTERS = frozenset(
    {"base", "generic", "judging", "listing", "rehearsal", "unsupported", "values"}
)


class _OfEach(Mapping[str, T]):
    """One thing of each adapter, which is loaded when it is asked for: a fleet needs one or two of them."""

    def __init__(self, taken: "Callable[[Adapter], T]") -> None:
        self._taken = taken

    def __getitem__(self, exchange: str) -> T:
        adapter = _adapter(exchange) if exchange in _files() else discovered()[exchange]
        return self._taken(adapter)

    def __contains__(self, exchange: object) -> bool:
        return exchange in _files() or exchange in discovered()

    def __iter__(self) -> Iterator[str]:
        return iter(discovered())

    def __len__(self) -> int:
        return len(discovered())


@cache
def known() -> Mapping[str, "Adapter"]:
    """Every adapter of this folder by its ccxt id, then the generic ones."""
    return _OfEach(lambda adapter: adapter)


@cache
def discovered() -> Mapping[str, "Adapter"]:
    """All of them, loaded. Two files with one id are a bug."""
    from bfaudit.exchanges import generic  # noqa: PLC0415

    found: dict[str, Adapter] = {}
    for file in sorted(_files()):
        adapter = _adapter(file)
        for exchange in (adapter.id, *adapter.realms):
            if exchange in found:
                raise AssertionError(f"two adapters for {exchange}")
            found[exchange] = adapter
    for adapter in generic.adapters():
        found.setdefault(adapter.id, adapter)
    return found


@cache
def _files() -> frozenset[str]:
    return frozenset(module.name for module in iter_modules(__path__)) - _NOT_ADAPTERS


def _adapter(file: str) -> "Adapter":
    adapter: Adapter = import_module(f"{__name__}.{file}").ADAPTER
    return adapter


def unsupported() -> Mapping[str, str]:
    """Why exchanges that ccxt knows are not supported, for those that have been looked at."""
    return UNSUPPORTED


def credentials_of() -> Mapping[str, tuple[str, ...]]:
    """The credential roles that each exchange needs, by its id."""
    return _OfEach(lambda adapter: adapter.credentials)

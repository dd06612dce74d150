"""One file per exchange, each with one constant `ADAPTER`; the folder is the list of what is supported."""

from collections.abc import Mapping
from functools import cache
from importlib import import_module
from pkgutil import iter_modules

from bfaudit.exchanges import generic
from bfaudit.exchanges.base import Adapter

_NOT_ADAPTERS = frozenset({"base", "generic", "listing", "rehearsal"})


@cache
def known() -> Mapping[str, Adapter]:
    """Every adapter of this folder by its ccxt id, then the generic ones. Two files with one id are a bug."""
    found: dict[str, Adapter] = {}
    for module in sorted(iter_modules(__path__), key=lambda entry: entry.name):
        if module.name in _NOT_ADAPTERS:
            continue
        adapter: Adapter = import_module(f"{__name__}.{module.name}").ADAPTER
        for exchange in (adapter.id, *adapter.realms):
            if exchange in found:
                raise AssertionError(f"two adapters for {exchange}")
            found[exchange] = adapter
    for adapter in generic.adapters():
        found.setdefault(adapter.id, adapter)
    return found


def unsupported() -> Mapping[str, str]:
    """Why exchanges that ccxt knows are not supported, for those that have been looked at."""
    return {name: why for name, why in generic.UNSUPPORTED.items() if name not in known()}


def credentials_of() -> Mapping[str, tuple[str, ...]]:
    """The credential roles that each exchange needs, by its id."""
    return {exchange: adapter.credentials for exchange, adapter in known().items()}

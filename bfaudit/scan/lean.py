"""ccxt without its hundred exchanges, and without what its asynchronous clients do not use.

`import ccxt.async_support` runs the modules of all exchanges, twice: 0.5 s and 60 MB, for one or ten of them. Here its
two packages are put in place without running them. That rests on ccxt's layout, so it is for our own process only
(the command line), and whatever goes wrong leaves the ordinary import. The version of ccxt is pinned, and a test holds
that every exchange is the same class with the same attributes either way.

Nor is what ccxt sends with: `requests` (60 ms) and `aiohttp` (100 ms). It signs here, and libcurl sends.
"""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from importlib import import_module
from importlib.machinery import ModuleSpec
from importlib.util import find_spec
from pathlib import Path
from runpy import run_path
from types import ModuleType
from typing import Any

PACKAGES = ("ccxt", "ccxt.async_support")
SENDING = (
    "requests",
    "requests.utils",
    "requests.exceptions",
    "aiohttp",
    "aiohttp_fast_zlib",
    "yarl",
)
"""What ccxt's base modules import of what they send with."""


def install() -> bool:
    """Put them in place; False, and nothing done, where ccxt is loaded already or is not laid out as expected."""
    if "ccxt" in sys.modules:
        return False
    try:
        for name in PACKAGES:
            spec = find_spec(name)
            if spec is None or spec.submodule_search_locations is None:
                raise ImportError(name)  # noqa: TRY301 - undone below
            sys.modules[name] = _Package(spec)
        with _no_sending():
            import_module("ccxt.async_support.base.exchange")
    except Exception:  # noqa: BLE001 - whatever a later ccxt does here, it can still be imported as usual
        for name in [name for name in sys.modules if name.partition(".")[0] == "ccxt"]:
            del sys.modules[name]
        return False
    return True


@contextmanager
def _no_sending() -> Iterator[None]:
    """What sends is a name only, as long as this lasts; afterwards it can be imported as usual."""
    unused = {name: _Unused(name) for name in SENDING if name.partition(".")[0] not in sys.modules}
    sys.modules.update(unused)
    try:
        yield
    finally:
        for name in unused:
            del sys.modules[name]


class _Unused(ModuleType):
    """A module for who only imports names from it."""

    def __getattr__(self, name: str) -> Any:
        """An exception that nobody raises; a session of it cannot send."""
        if name.startswith("__"):
            raise AttributeError(name)
        return _user_agent if name == "default_user_agent" else type(name, (Exception,), {})


@cache
def _user_agent() -> str:
    """As `requests` names itself: ccxt gives it to every client."""
    package = find_spec("requests")
    if package is None or package.origin is None:
        raise ImportError("requests")
    # What is installed would be a slow question, and the package itself a slower one.
    version = run_path(str(Path(package.origin).with_name("__version__.py")))["__version__"]
    return f"python-requests/{version}"


class _Package(ModuleType):
    """A package whose file is not run."""

    def __init__(self, spec: ModuleSpec) -> None:
        super().__init__(spec.name)
        self.__spec__, self.__loader__, self.__file__ = spec, spec.loader, spec.origin
        self.__package__, self.__path__ = spec.name, list(spec.submodule_search_locations or ())

    def __setattr__(self, name: str, value: Any) -> None:
        # An import puts the module of an exchange here; the file would have put its class in that place.
        super().__setattr__(name, getattr(value, name, value) if _is_module(value) else value)

    def __getattr__(self, name: str) -> Any:
        """What the package's own file would have imported under this name."""
        if name.startswith("__"):
            raise AttributeError(name)
        if name == "Exchange":
            return import_module(f"{self.__name__}.base.exchange").Exchange
        errors = import_module("ccxt.base.errors")
        if hasattr(errors, name):
            return getattr(errors, name)
        try:
            return getattr(import_module(f"{self.__name__}.{name}"), name)
        except ModuleNotFoundError as error:
            raise AttributeError(f"{self.__name__} has no {name}") from error


def _is_module(value: object) -> bool:
    return isinstance(value, ModuleType) and not isinstance(value, _Package)

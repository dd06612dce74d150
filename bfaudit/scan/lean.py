"""ccxt without its hundred exchanges, and without what its asynchronous clients do not use.

`import ccxt.async_support` runs the modules of all exchanges, twice: 0.5 s and 60 MB, for one or ten of them. Here its
two packages are put in place without running them. That rests on ccxt's layout, so it is for our own process only
(the command line), and whatever goes wrong leaves the ordinary import. The version of ccxt is pinned, and a test holds
that every exchange is the same class with the same attributes either way.

Nor are `requests`, with which only ccxt's synchronous clients send, and the system's certificate authorities, which
aiohttp reads when it is imported, twice: 60 ms each. A scan makes its own context of the authorities that it trusts.
"""

import os
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
REQUESTS = ("requests", "requests.utils", "requests.exceptions")
"""What ccxt's base module imports of it."""
AUTHORITIES = "SSL_CERT_FILE"
"""OpenSSL's variable: https://docs.openssl.org/3.0/man7/openssl-env/."""


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
        with _no_requests(), _no_authorities():
            import_module("ccxt.async_support.base.exchange")
    except Exception:  # noqa: BLE001 - whatever a later ccxt does here, it can still be imported as usual
        for name in [name for name in sys.modules if name.partition(".")[0] == "ccxt"]:
            del sys.modules[name]
        return False
    return True


@contextmanager
def _no_requests() -> Iterator[None]:
    """`requests` is a name only, as long as this lasts; afterwards it can be imported as usual."""
    if "requests" in sys.modules:
        yield
        return
    sys.modules.update({name: _Unused(name) for name in REQUESTS})
    try:
        yield
    finally:
        for name in REQUESTS:
            del sys.modules[name]


@contextmanager
def _no_authorities() -> Iterator[None]:
    """A TLS context that is made while this lasts does not read the file of the system's authorities."""
    before = os.environ.get(AUTHORITIES)
    os.environ[AUTHORITIES] = os.devnull
    try:
        yield
    finally:
        del os.environ[AUTHORITIES]
        if before is not None:
            os.environ[AUTHORITIES] = before


class _Unused(ModuleType):
    """A module of `requests` for who only imports names from it."""

    def __getattr__(self, name: str) -> Any:
        """An exception that nobody raises; a `Session` of it cannot send."""
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

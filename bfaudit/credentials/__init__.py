"""Credential references -> `Secret`. One file per scheme; the folder is the list of what is built in."""

import re
from collections.abc import Iterator, Mapping
from functools import lru_cache
from importlib import import_module
from pkgutil import iter_modules

from bfaudit import redact, roots
from bfaudit.credentials.base import ResolveContext, Scheme
from bfaudit.credentials.plugins import Schemes
from bfaudit.credentials.secret import Secret
from bfaudit.errors import CredentialError

__all__ = ["SCHEMES", "ResolveContext", "Scheme", "Secret", "fetched", "parse", "resolve", "split"]

_NOT_SCHEMES = frozenset({"base", "cache", "plugins", "resolving", "secret"})

_CONFINED = frozenset({"env", "file"})
"""The schemes that ask nobody and run nothing: all that `--untrusted` leaves."""


class _BuiltIn(Mapping[str, Scheme]):
    """The schemes of this folder; a file has the name of its scheme."""

    def __init__(self) -> None:
        self._names = sorted({each.name for each in iter_modules(__path__)} - _NOT_SCHEMES)

    def __getitem__(self, name: str) -> Scheme:
        if name not in self._names:
            raise KeyError(name)
        scheme: Scheme = import_module(f"{__name__}.{name}").SCHEME
        return scheme

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)


SCHEMES: Mapping[str, Scheme] = Schemes(_BuiltIn())
"""Every scheme by its name: the built-in ones, and those of other packages, each loaded when it is asked for."""


def split(reference: str) -> tuple[str, str]:
    """The name of a reference's scheme, and the rest; raises `CredentialError` where it is not one."""
    scheme, rest = parse(reference)
    return scheme.name, rest


_form = lru_cache(re.compile)


def parse(reference: str) -> tuple[Scheme, str]:
    """The scheme of a reference, and the rest; raises `CredentialError` where it is not one."""
    name, colon, rest = reference.partition(":")
    scheme = SCHEMES.get(name) if colon else None
    if scheme is None:
        raise CredentialError(
            "this is not a credential reference",
            hint=f"write one of: {', '.join(scheme.syntax for scheme in SCHEMES.values())}",
        )
    if not _form(scheme.form).fullmatch(rest):
        raise CredentialError(
            f"this is not a complete `{name}:` reference", hint=f"write {scheme.syntax}"
        )
    return scheme, rest


def resolve(reference: str, context: ResolveContext) -> Secret:
    """The secret that a reference refers to, now; raises `CredentialError` where it cannot be had."""
    scheme, rest = parse(reference)
    secret = fetched(scheme, rest, context)
    redact.known().note("secret", secret.reveal())
    return secret


def fetched(scheme: Scheme, rest: str, context: ResolveContext) -> Secret:
    """What a scheme gives for the rest of a reference; every failure of its own is a `CredentialError`."""
    if roots.terms().strict and scheme.name not in _CONFINED:
        raise CredentialError(
            f"`{scheme.name}:` is not asked: the run is --untrusted", hint="use `env:` or `file:`"
        )
    try:
        secret = scheme.resolve(rest, context)
    except CredentialError:
        raise
    except Exception as error:  # noqa: BLE001 - the code may be another's, and its message may hold anything
        raise CredentialError(f"`{scheme.name}:` failed with {type(error).__name__}") from None
    if not isinstance(secret, Secret):
        raise CredentialError(f"`{scheme.name}:` gave no secret")
    return secret

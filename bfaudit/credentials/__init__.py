"""Credential references -> `Secret`. One file per scheme; the folder is the list of what is supported."""

import re
from collections.abc import Mapping
from importlib import import_module
from pkgutil import iter_modules

from bfaudit.credentials.base import ResolveContext, Scheme
from bfaudit.credentials.secret import Secret
from bfaudit.errors import CredentialError

__all__ = ["SCHEMES", "ResolveContext", "Scheme", "Secret", "resolve", "split"]

_NOT_SCHEMES = frozenset({"base", "secret"})


def _discover() -> Mapping[str, Scheme]:
    found: dict[str, Scheme] = {}
    for module in sorted(iter_modules(__path__), key=lambda entry: entry.name):
        if module.name not in _NOT_SCHEMES:
            scheme: Scheme = import_module(f"{__name__}.{module.name}").SCHEME
            if scheme.name in found:
                raise AssertionError(f"two schemes are called {scheme.name}")
            found[scheme.name] = scheme
    return found


SCHEMES: Mapping[str, Scheme] = _discover()
"""Every scheme by its name."""


def split(reference: str) -> tuple[str, str]:
    """The scheme of a reference and the rest of it; raises `CredentialError` where it is not one."""
    name, colon, rest = reference.partition(":")
    if not colon or name not in SCHEMES:
        raise CredentialError(
            "this is not a credential reference",
            hint=f"write one of: {', '.join(scheme.syntax for scheme in SCHEMES.values())}",
        )
    if not re.fullmatch(SCHEMES[name].form, rest):
        raise CredentialError(
            f"this is not a complete `{name}:` reference", hint=f"write {SCHEMES[name].syntax}"
        )
    return name, rest


def resolve(reference: str, context: ResolveContext) -> Secret:
    """The secret that a reference refers to; raises `CredentialError` where it cannot be had."""
    name, rest = split(reference)
    return SCHEMES[name].resolve(rest, context)

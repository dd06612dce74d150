"""Schemes of other packages: entry points of the group `bfaudit.credentials`, each loaded when it is asked for."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, ValuesView
from functools import cached_property
from typing import TYPE_CHECKING, NoReturn

from bfaudit.credentials.base import ResolveContext, Scheme
from bfaudit.errors import CredentialError

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

GROUP = "bfaudit.credentials"
_NAME = re.compile(r"[a-z][a-z0-9+.-]*")


def _installed() -> Iterable["EntryPoint"]:
    from importlib.metadata import entry_points  # noqa: PLC0415 - brings the email package

    return entry_points(group=GROUP)


class Schemes(Mapping[str, Scheme]):
    """Schemes by name. The built-in ones come first: no package can take their place.

    Listing them loads nothing: a scheme that is not built in is listed by its name alone.
    """

    def __init__(
        self,
        built_in: Mapping[str, Scheme],
        installed: Callable[[], Iterable["EntryPoint"]] = _installed,
    ) -> None:
        self._built_in = built_in
        self._installed = installed
        self._loaded: dict[str, Scheme] = {}

    @cached_property
    def _entries(self) -> Mapping[str, list["EntryPoint"]]:
        """What is installed, by name; looked up for the first name that is not built in."""
        found: dict[str, list[EntryPoint]] = {}
        for entry in self._installed():
            if entry.name not in self._built_in and _NAME.fullmatch(entry.name):
                same = found.setdefault(entry.name, [])
                if entry not in same:
                    same.append(entry)
        return found

    def __getitem__(self, name: str) -> Scheme:
        found = self._loaded.get(name)
        if found is None:
            built_in = name in self._built_in
            found = self._built_in[name] if built_in else _load(name, self._entries[name])
            self._loaded[name] = found
        return found

    def __iter__(self) -> Iterator[str]:
        yield from self._built_in
        yield from sorted(self._entries)

    def __len__(self) -> int:
        return len(self._built_in) + len(self._entries)

    def values(self) -> ValuesView[Scheme]:
        """Every scheme, for messages: those of other packages as they are known without loading them."""
        others = {name: self._loaded.get(name) or _unloaded(name) for name in sorted(self._entries)}
        return {**self._built_in, **others}.values()


def _unloaded(name: str) -> Scheme:
    return _broken(name, "is not loaded")


def _load(name: str, entries: list["EntryPoint"]) -> Scheme:
    """The scheme of a package. A broken one becomes a scheme that says so whenever it is used."""
    packages = " and ".join(sorted({entry.dist.name if entry.dist else "?" for entry in entries}))
    if len(entries) > 1:
        return _broken(name, f"is given by several packages ({packages}): remove all but one")
    try:
        scheme = entries[0].load()
    except Exception as error:  # noqa: BLE001 - another's code
        return _broken(name, f"of the package {packages} cannot be loaded ({type(error).__name__})")
    if not isinstance(scheme, Scheme):
        return _broken(name, f"of the package {packages} is no `bfaudit.credentials.Scheme`")
    if scheme.name != name:
        return _broken(name, f"of the package {packages} calls itself by another name")
    try:
        re.compile(scheme.form)
    except re.error:
        return _broken(
            name, f"of the package {packages} has a `form` that is no regular expression"
        )
    return scheme


def _broken(name: str, why: str) -> Scheme:
    def fail(_rest: str, _context: ResolveContext) -> NoReturn:
        raise CredentialError(f"the credential scheme `{name}:` {why}")

    return Scheme(name=name, syntax=f"{name}:...", resolve=fail)

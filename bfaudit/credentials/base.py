"""What a credential scheme is: one constant `SCHEME` in one small file of this folder."""

from collections.abc import Callable, Hashable, Mapping
from pathlib import Path
from typing import Protocol, TypeVar

from msgspec import Struct

from bfaudit.credentials.secret import Secret

T = TypeVar("T")


class Once(Protocol):
    """Makes what several references are read from; at most once per scan where the scan keeps it."""

    def __call__(self, key: Hashable, make: Callable[[], T], /) -> T: ...


def every_time(_key: Hashable, make: Callable[[], T], /) -> T:
    """The `Once` of who resolves a single reference: nothing is kept."""
    return make()


class ResolveContext(Struct, frozen=True):
    """What a reference is resolved against."""

    environ: Mapping[str, str]
    manifest: str = "-"
    """The file that the reference stands in: relative paths start at its folder."""
    allow_exec: bool = False
    """Whether `exec:` may run programs. Never the manifest's to say."""
    once: Once = every_time

    @property
    def folder(self) -> Path:
        """The manifest's folder; the current one where the manifest was piped in."""
        return Path(self.manifest).parent


class Scheme(Struct, frozen=True, kw_only=True):
    """One way to say where a secret lives: `<name>:<rest>`."""

    name: str
    syntax: str
    """How it is written, for messages."""
    form: str = r".+"
    """A regular expression that the whole rest must match."""
    resolve: Callable[[str, ResolveContext], Secret]
    """Fetches the secret that the rest refers to; raises `CredentialError`, whose message never holds a secret.

    What is read for several references at once, such as a file, goes through `context.once(key, make)`.
    """
    blocking: bool = False
    """Whether it waits for others (a network, a program, a person): a scan then calls it in a thread."""

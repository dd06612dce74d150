"""What a credential scheme is: one constant `SCHEME` in one small file of this folder."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from bfaudit.credentials.secret import Secret


@dataclass(frozen=True, slots=True)
class ResolveContext:
    """What a reference is resolved against."""

    environ: Mapping[str, str]
    manifest: str = "-"
    """The file that the reference stands in: relative paths start at its folder."""

    @property
    def folder(self) -> Path:
        """The manifest's folder; the current one where the manifest was piped in."""
        return Path(self.manifest).parent


@dataclass(frozen=True, slots=True, kw_only=True)
class Scheme:
    """One way to say where a secret lives: `<name>:<rest>`."""

    name: str
    syntax: str
    """How it is written, for messages."""
    form: str = r".+"
    """A regular expression that the whole rest must match."""
    resolve: Callable[[str, ResolveContext], Secret]
    """Fetches the secret that the rest refers to; raises `CredentialError`, whose message never holds a secret."""

"""What an output format is: one constant of type `Format` in one small file of this folder."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from bfaudit.model import Audit, Snapshot
from bfaudit.sealed import digest_in
from bfaudit.snapshot import encode


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What a format may know beside the audit."""

    sources: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    """The text of manifests, by the file name of their places; empty where they are not at hand."""
    width: int = 100
    """Columns of the terminal."""
    color: bool = False
    exit_code: int | None = None
    """What the command will end with, where it is known."""
    snapshot_digest: str | None = None
    """The digest of the snapshot's file; None to derive it from the snapshot."""

    def digest_of(self, snapshot: Snapshot) -> str:
        """The digest that ties a report to its snapshot."""
        return self.snapshot_digest or digest_in(encode(snapshot))


@dataclass(frozen=True, slots=True, kw_only=True)
class Format:
    """One way to write an audit down."""

    id: str
    """The word of `--format`."""
    suffix: str
    """How its files end, without the dot."""
    title: str
    render: Callable[[Audit, Options], str | bytes]
    """The whole report; text is written as UTF-8."""

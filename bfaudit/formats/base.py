"""What an output format is: one constant of type `Format` in one small file of this folder."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from bfaudit.lang import ENGLISH, Language
from bfaudit.model import Audit, Snapshot
from bfaudit.pieces import Piece
from bfaudit.snapshot import digest


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What a format may know beside the audit."""

    sources: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    """The text of manifests, by the file name of their places; empty where they are not at hand."""
    language: Language = ENGLISH
    """The language of what people read; machine formats do not look at it."""
    width: int = 100
    """Columns of the terminal."""
    color: bool = False
    exit_code: int | None = None
    """What the command will end with, where it is known."""
    snapshot_digest: str | None = None
    """The digest of the snapshot's file; None to derive it from the snapshot."""
    templates: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    """The user's own templates, by the name of the one that each replaces."""
    root: str = ""
    """The folder that machine formats name files from, absolute; empty to name them as they were given."""
    folder: str = ""
    """Where relative names of files start, below `root`; empty where that is `root` itself."""
    sarif_category: str = "bfaudit"
    """What tells one upload from another of the same tool."""
    sarif_include_suppressed: bool = False
    """Whether SARIF holds findings under an exception too; GitHub would show them as open."""
    junit_file: bool = False
    """Whether JUnit names the manifest in an attribute that no XSD knows, for GitLab."""

    def digest_of(self, snapshot: Snapshot) -> str:
        """The digest that ties a report to its snapshot."""
        return self.snapshot_digest or digest(snapshot)


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
    written: Callable[[Audit, Options], Iterable[Piece]] | None = None
    """The same report in pieces; None where it is never too long to be held whole."""
    printed: bool = False
    """Whether `render` gives a page that a browser has yet to print: the core starts no process."""

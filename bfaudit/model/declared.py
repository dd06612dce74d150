"""What people declare: connections, and exceptions from rules."""

from collections.abc import Mapping
from datetime import date

from msgspec import Struct, field


class Place(Struct, frozen=True, order=True):
    """A place in a file that a user wrote; line and column count from 1."""

    file: str
    line: int
    column: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}"


class Attestation(Struct, frozen=True, omit_defaults=True):
    """What a person vouches for, because no API shows it. Dates are UTC days, `expires` included."""

    by: str
    on: date
    expires: date | None = None
    note: str | None = None


class Connection(Struct, frozen=True, omit_defaults=True, kw_only=True):
    """One declared use of one API key, as its manifest says."""

    name: str
    exchange: str
    account: str | None = None
    strategy: str | None = None
    requires: tuple[str, ...] = ("read",)
    servers: tuple[str, ...] = ()
    """IPs and CIDRs the key must be bound to, with server names already replaced by their addresses."""
    credentials: Mapping[str, str] = field(default_factory=dict)
    """Credential references by role (`key`, `secret`, `passphrase`); never secrets. Not written to snapshots."""
    lifecycle: str = "active"
    environment: str | None = None
    owner: str | None = None
    purpose: str | None = None
    vendor: str | None = None
    symbols: tuple[str, ...] | None = None
    created: date | None = None
    label: str | None = None
    uid: str | None = None
    parent: str | None = None
    tags: tuple[str, ...] = ()
    expires: date | None = None
    balance_cap: str | None = None
    notes: str | None = None
    inventory: bool = False
    """Whether the key is to list the keys of its account and sub-accounts."""
    attestations: Mapping[str, Attestation] = field(default_factory=dict)
    place: Place
    """Where the connection is declared."""
    places: Mapping[str, Place] = field(default_factory=dict)
    """Where each of its own fields is declared, by field name (`requires`, `credentials.key`, ...)."""


class Rejected(Struct, frozen=True):
    """A connection that its manifest error kept out of the audit (`--keep-going`)."""

    name: str
    place: Place
    error: str


class ApprovedException(Struct, frozen=True, kw_only=True):
    """A dated permission to fail some rules for some connections, as its file says; what it lacks is empty."""

    id: str
    rules: tuple[str, ...]
    select: Mapping[str, tuple[str, ...]]
    """Texts by field of the connection: exact, `glob:` or `re:`; of several any, of all fields each."""
    type: str = ""
    reason: str = ""
    ticket: str = ""
    requested_by: str = ""
    approved_by: tuple[str, ...] = ()
    created: date | None = None
    expires: date | None = None
    """The last UTC day on which it holds."""
    place: Place

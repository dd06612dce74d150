"""What a scan saw: the facts of a key with their evidence, how the connection test ended, the snapshot of a fleet."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from msgspec import Struct, field

from bfaudit.model.declared import Connection, Rejected
from bfaudit.model.words import Grant, Reason, Source, Status

_GRANTS = {grant.value: grant for grant in Grant}


class Fact(Struct, frozen=True, omit_defaults=True, gc=False, cache_hash=True):
    """One known fact of a key and the evidence for it. A value of `None` means that there is none, or never."""

    value: Any
    source: Source = Source.INTROSPECTION
    request: str | None = None
    """The request it came from, such as `GET /api/v3/apiKeyInfo`; never with its query."""
    limitation: str | None = None
    """What this evidence does not prove."""
    via: str | None = None
    """How a conclusion follows, with its documented source; None for what the exchange itself says."""


class Facts(Struct, frozen=True):
    """All that one scan learned of one key, by path of `bfaudit.facts.FACTS`."""

    known: Mapping[str, Fact] = field(default_factory=dict)
    unknown: Mapping[str, str] = field(default_factory=dict)
    """Why a fact is not known, by its path."""

    def get(self, path: str) -> Fact | None:
        """The fact at `path`, or None where it is unknown."""
        return self.known.get(path)

    def grant(self, permission: str) -> Grant:
        """What is known of a permission: `unknown` unless there is evidence for one of the others."""
        fact = self.known.get(f"permissions.{permission}")
        return _GRANTS[fact.value] if fact else Grant.UNKNOWN


class ListedKey(Struct, frozen=True, omit_defaults=True, kw_only=True):
    """One key as a master account's listing shows it."""

    owner: str
    """The account or sub-account that holds it, by the exchange's name or uid for it."""
    fingerprint: str | None = None
    """Keyed hash of the key; None where the listing masks it."""
    shown: str = ""
    """The last four characters at most, to find it on the exchange's web page."""
    label: str | None = None
    uid: str | None = None
    request: str = ""
    facts: Facts = field(default_factory=Facts)
    """What the listing tells of it."""


class Inventory(Struct, frozen=True, omit_defaults=True, kw_only=True):
    """What a key that may list keys saw of its account."""

    keys: tuple[ListedKey, ...] = ()
    covers: str = ""
    """Which keys such a listing can show, such as `the keys of sub-accounts`."""
    incomplete: str | None = None
    """Why the listing is not whole; None where it is."""


class RequestMade(Struct, frozen=True, omit_defaults=True, gc=False):
    """One request that a scan sent for a connection, and how it ended."""

    request: str
    at: datetime
    milliseconds: int
    http: int | None = None
    outcome: str = "ok"
    """`ok`, or the reason it was refused or failed."""
    attempts: int = 1


class History(Struct, frozen=True, omit_defaults=True, kw_only=True):
    """What earlier snapshots tell of a connection's key."""

    first_seen: datetime
    """When a scan first saw this key in this connection."""
    last_changed: datetime | None = None
    """When a scan first saw the last change of what the key may do; None where none was seen."""
    compared: bool = True
    """Whether an earlier snapshot holds the connection."""
    widened: tuple[str, ...] = ()
    """What the key may do more than before."""
    unsure: tuple[str, ...] = ()
    """What it may do more, for all that is known."""
    lived: bool = False
    """Whether a scan was once answered by this key, where the last scan asked."""
    last_use_seen: datetime | None = None
    """The latest use that any scan was told; None where none was."""


class Scanned(Struct, frozen=True, omit_defaults=True, kw_only=True):
    """What a scan recorded of one connection; free of secrets."""

    connection: Connection
    status: Status
    reason: Reason | None = None
    detail: str = ""
    """One sentence: the exchange's own code and what it means."""
    advice: str = ""
    """What to do about it; empty when Online."""
    scanned_at: datetime
    fingerprint: str | None = None
    """Keyed hash of the API key; None where the credential could not be resolved."""
    fingerprint_key: str | None = None
    """What tells the key of that hash from another (`BFAUDIT_FINGERPRINT_KEY`); None where it was not recorded."""
    schemes: Mapping[str, str] = field(default_factory=dict)
    """The scheme of each credential reference, by role."""
    facts: Facts = field(default_factory=Facts)
    requests: tuple[RequestMade, ...] = ()
    inventory: Inventory | None = None
    """What it listed; None where it was not asked to, or the exchange has no listing."""
    history: History | None = None
    """What earlier snapshots tell; None where none was given."""


class Unselected(Struct, frozen=True, omit_defaults=True, kw_only=True):
    """A declared connection that a selection left out of the scan: what the others must still be compared with."""

    connection: Connection
    fingerprint: str | None = None
    """Keyed hash of the API key, which was read but not used; None where it is not known."""
    fingerprint_key: str | None = None

    @property
    def facts(self) -> Facts:
        """Nothing: the exchange was not asked."""
        return _NO_FACTS


_NO_FACTS = Facts()


class ExchangeScanned(Struct, frozen=True, omit_defaults=True, kw_only=True):
    """What a scan did with one exchange as a whole."""

    id: str
    url: str
    redirected: bool = False
    clock_offset_ms: int | None = None
    """Local clock minus the exchange's clock; None where the exchange did not tell its time."""
    requests: int = 0
    refused_hosts: tuple[str, ...] = ()
    """Hosts that are not the exchange's, to which the client wanted to send requests; nothing was sent there."""


class ClientUsed(Struct, frozen=True, omit_defaults=True, kw_only=True):
    """The software that signed the requests of a scan, and what is installed beside it."""

    name: str
    """Name and version as installed; of several hosts, each once."""
    differs: tuple[str, ...] = ()
    """How it differs from the one that this release is made for: its version, or its files; at most 20."""
    unknown: str | None = None
    """Why it could not be compared; None where it could."""
    known_bad: tuple[str, ...] = ()
    """Installed packages that are known to be malicious, with their versions."""


class Snapshot(Struct, frozen=True, kw_only=True):
    """The secret-free record of one scan."""

    generated_at: datetime
    connections: tuple[Scanned, ...]
    exchanges: tuple[ExchangeScanned, ...] = ()
    rejected: tuple[Rejected, ...] = ()
    interrupted: bool = False
    """True where the scan was stopped before every connection was looked at."""
    unselected: int = 0
    """How many declared connections a selection left out of the scan."""
    rest: tuple[Unselected, ...] = ()
    """Those of them that are known by their declaration: all, unless the selection was made afterwards."""
    version: str = ""
    """The version of bfaudit that made it."""
    client: ClientUsed | None = None
    """What signed the requests; None where the scan recorded nothing of it."""

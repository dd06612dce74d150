"""The vocabulary of bfaudit as frozen types: what is declared, what was seen, how it was judged."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from enum import IntEnum, StrEnum
from functools import lru_cache
from typing import Any

from msgspec import Struct, field

Json = Any
"""Any decoded JSON value, from a party that is not trusted."""


class Word(StrEnum):
    """A word of the vocabulary: equal to its text, and hashed like it (an enum's own hash is slow, and Python)."""

    __hash__ = str.__hash__


class Grant(Word):
    """Whether a key has a permission. `UNKNOWN` is never read as either of the others."""

    GRANTED = "granted"
    DENIED = "denied"
    UNKNOWN = "unknown"


_GRANTS = {grant.value: grant for grant in Grant}

PERMISSIONS = (
    "read",
    "trade",
    "margin",
    "futures",
    "options",
    "transfer",
    "withdraw",
    "manage_keys",
)
"""The permission words. What an exchange grants beyond them is `other:<its own name>`."""


class Status(Word):
    """The answer of the connection test."""

    ONLINE = "Online"
    INVALID_KEY = "Invalid key"
    NO_TRADING_PERMISSION = "No trading permission"
    IP_NOT_ALLOWED = "IP not allowed"
    EXCHANGE_UNAVAILABLE = "Exchange unavailable"


class Reason(Word):
    """What refines a status. Each reason belongs to exactly one status."""

    PERMISSIONS_UNKNOWN = "permissions-unknown"
    UNKNOWN_KEY = "unknown-key"
    WRONG_SECRET = "wrong-secret"
    WRONG_PASSPHRASE = "wrong-passphrase"
    MALFORMED_SECRET = "malformed-secret"
    EXPIRED = "expired"
    DISABLED = "disabled"
    WRONG_SITE = "wrong-site"
    UNRESOLVED_CREDENTIAL = "unresolved-credential"
    AMBIGUOUS = "ambiguous"
    MISSING_PERMISSION = "missing-permission"
    ACCOUNT_RESTRICTED = "account-restricted"
    IP_NOT_ALLOWED = "ip-not-allowed"
    UNREACHABLE = "unreachable"
    TIMEOUT = "timeout"
    RATE_LIMITED = "rate-limited"
    BANNED = "banned"
    MAINTENANCE = "maintenance"
    SERVER_ERROR = "server-error"
    BLOCKED = "blocked"
    REGION_BLOCKED = "region-blocked"
    CLOCK_SKEW = "clock-skew"
    UNEXPECTED_ANSWER = "unexpected-answer"

    @property
    def status(self) -> Status:
        """The status that this reason refines."""
        return _STATUS_OF[self]


_STATUS_OF: Mapping[Reason, Status] = {
    Reason.PERMISSIONS_UNKNOWN: Status.ONLINE,
    Reason.UNKNOWN_KEY: Status.INVALID_KEY,
    Reason.WRONG_SECRET: Status.INVALID_KEY,
    Reason.WRONG_PASSPHRASE: Status.INVALID_KEY,
    Reason.MALFORMED_SECRET: Status.INVALID_KEY,
    Reason.EXPIRED: Status.INVALID_KEY,
    Reason.DISABLED: Status.INVALID_KEY,
    Reason.WRONG_SITE: Status.INVALID_KEY,
    Reason.UNRESOLVED_CREDENTIAL: Status.INVALID_KEY,
    Reason.AMBIGUOUS: Status.INVALID_KEY,
    Reason.MISSING_PERMISSION: Status.NO_TRADING_PERMISSION,
    Reason.ACCOUNT_RESTRICTED: Status.NO_TRADING_PERMISSION,
    Reason.IP_NOT_ALLOWED: Status.IP_NOT_ALLOWED,
    Reason.UNREACHABLE: Status.EXCHANGE_UNAVAILABLE,
    Reason.TIMEOUT: Status.EXCHANGE_UNAVAILABLE,
    Reason.RATE_LIMITED: Status.EXCHANGE_UNAVAILABLE,
    Reason.BANNED: Status.EXCHANGE_UNAVAILABLE,
    Reason.MAINTENANCE: Status.EXCHANGE_UNAVAILABLE,
    Reason.SERVER_ERROR: Status.EXCHANGE_UNAVAILABLE,
    Reason.BLOCKED: Status.EXCHANGE_UNAVAILABLE,
    Reason.REGION_BLOCKED: Status.EXCHANGE_UNAVAILABLE,
    Reason.CLOCK_SKEW: Status.EXCHANGE_UNAVAILABLE,
    Reason.UNEXPECTED_ANSWER: Status.EXCHANGE_UNAVAILABLE,
}


class Severity(IntEnum):
    """How bad a failed rule is; ordered, so that thresholds compare."""

    INFO = 0
    LOW = 1
    MEDIUM = 2
    HIGH = 3
    CRITICAL = 4

    @property
    def word(self) -> str:
        """The severity as written in YAML and reports."""
        return self.name.lower()

    @classmethod
    def of(cls, word: str) -> "Severity":
        """The severity that a word of YAML or the command line names; `KeyError` for any other."""
        return cls[word.upper()]


class Outcome(Word):
    """What became of one rule on one connection."""

    PASS = "pass"
    FAIL = "fail"
    UNKNOWN = "unknown"
    NOT_APPLICABLE = "not-applicable"
    ERROR = "error"


class Source(Word):
    """Where a fact comes from."""

    INTROSPECTION = "introspection"
    PROBE = "probe"
    INVENTORY = "inventory"
    MANIFEST = "manifest"
    ATTESTATION = "attestation"
    HISTORY = "history"


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


class Rejected(Struct, frozen=True):
    """A connection that its manifest error kept out of the audit (`--keep-going`)."""

    name: str
    place: Place
    error: str


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


class Rule(Struct, frozen=True, kw_only=True):
    """One rule of a policy, as loaded; its expressions are compiled by `bfaudit.policy`."""

    id: str
    policy: str
    title: str
    """The violation, as a sentence."""
    severity: Severity
    applies: str = "true"
    require: str
    message: str
    params: Mapping[str, Any] = field(default_factory=dict)
    """The values of its parameters, defaults replaced by overrides."""
    rationale: str = ""
    remediation: Mapping[str, str] = field(default_factory=dict)
    """What to do: `text` for all, and by exchange id where it differs."""
    references: tuple[str, ...] = ()
    controls: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    on_unknown: Outcome = Outcome.UNKNOWN
    overridden: Mapping[str, str] = field(default_factory=dict)
    """What an override changed, by field or `params.<name>`: the value before, which policy changed it, and why."""
    place: Place


class Observation(Struct, frozen=True, omit_defaults=True, gc=False):
    """One field that a rule read of a connection."""

    field: str
    value: Any = None
    """The value as shown to people and machines; None with `unknown` set means that it is not known."""
    unknown: str | None = None
    """Why it is not known; None where it is."""
    source: str | None = None
    request: str | None = None
    limitation: str | None = None


class Judgement(Struct, frozen=True, gc=False):
    """How a rule judges one distinct input; shared by every connection with that input."""

    outcome: Outcome
    message: str
    expected: str
    observations: tuple[Observation, ...] = ()


class Result(Struct, frozen=True, gc=False):
    """One rule on one connection."""

    rule: Rule
    connection: str
    judgement: Judgement
    place: Place
    """The manifest line that promised otherwise: of the field that the rule reads, else of the connection."""
    exception: str | None = None
    """The id of the exception that a finding is under."""
    identity: str | None = None
    """A fingerprint of its own, where rule and connection do not tell it apart."""

    @property
    def fingerprint(self) -> str:
        """Stable identity of the finding: rule and connection, not file or line."""
        return self.identity or fingerprint(self.rule.id, self.connection)

    @property
    def outcome(self) -> Outcome:
        """The outcome of the judgement."""
        return self.judgement.outcome


def fingerprint(rule: str, on: str) -> str:
    """The stable identity of a finding: 32 hexadecimal digits."""
    return half(rule) + half(on)


@lru_cache(1 << 16)
def half(identity: str) -> str:
    """What a rule, or a connection, has in common in all fingerprints: 16 digits."""
    from hashlib import sha256  # noqa: PLC0415 - brings OpenSSL

    # Surrogates, which a name may hold, are kept apart.
    return sha256(identity.encode("utf-8", "surrogatepass")).hexdigest()[:16]


class Direction(StrEnum):
    """Which way a change goes: whether the key may do more than before."""

    WIDENED = "widened"
    NARROWED = "narrowed"
    OTHER = "other"
    UNKNOWN = "unknown"
    """It may be wider, for all that is known."""


class Change(Struct, frozen=True, omit_defaults=True, kw_only=True):
    """One thing that is not as it was in an earlier snapshot."""

    kind: str
    """What kind of change, such as `permission-widened`."""
    connection: str
    severity: Severity
    direction: Direction
    text: str
    """The change as a sentence."""
    path: str | None = None
    """The fact that changed; None where it is no single one."""
    before: Any = None
    after: Any = None

    @property
    def tone(self) -> str:
        """How a report shows it: `worse`, `better` or `other`."""
        tones = {Direction.WIDENED: "worse", Direction.NARROWED: "better"}
        return tones.get(self.direction, "other")


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


class Audit(Struct, frozen=True, kw_only=True):
    """A judged snapshot: everything that a report shows."""

    snapshot: Snapshot
    generated_at: datetime
    results: Sequence[Result]
    """`bfaudit.results.Results`, or any other sequence, in a total order: severity descending, rule, connection."""
    rules: tuple[Rule, ...]
    policies: tuple[str, ...]
    left_out: tuple[Rule, ...] = ()
    """The rules that an override switched off; `overridden["enabled"]` says why."""
    baselined: frozenset[str] = frozenset()
    """The fingerprints of known findings: shown as known, and no reason to end with 1."""
    changes: tuple[Change, ...] = ()
    """What changed since an earlier snapshot, worst first; empty where none was given."""
    exceptions: tuple[ApprovedException, ...] = ()
    """The exceptions in force; those that are not are findings of their own."""

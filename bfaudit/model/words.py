"""The words of bfaudit: what may stand in a manifest, a policy, a snapshot or a report in place of a number or a name."""

from collections.abc import Mapping
from enum import IntEnum, StrEnum
from typing import Any

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
    UNKNOWN_HERE = "unknown-here"
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
    Reason.UNKNOWN_HERE: Status.INVALID_KEY,
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


class Direction(StrEnum):
    """Which way a change goes: whether the key may do more than before."""

    WIDENED = "widened"
    NARROWED = "narrowed"
    OTHER = "other"
    UNKNOWN = "unknown"
    """It may be wider, for all that is known."""

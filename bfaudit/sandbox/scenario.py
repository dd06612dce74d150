"""What the sandbox pretends: accounts, their keys, faults. Written as YAML or built in Python."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Literal, get_args

from msgspec import Meta, Struct, field

State = Literal["active", "expired", "frozen", "deleted"]
KeyType = Literal["hmac", "ed25519", "rsa", "ecdsa"]
FaultKind = Literal[
    "rate-limit",
    "ban",
    "maintenance",
    "html-403",
    "html-200",
    "region-451",
    "slow",
    "reset",
    "truncated",
    "empty",
    "wrong-type",
    "server-error",
    "null-fields",
    "huge",
    "hostile-label",
]
FAULT_KINDS: tuple[str, ...] = get_args(FaultKind)

_PATTERN = r"^[A-Z][A-Z0-9_]*$"
Prefix = Annotated[str, Meta(pattern=_PATTERN)]


def _says(description: str) -> Meta:
    return Meta(description=description)


class Key(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """One API key. Its text, secret and passphrase are derived from the exchange and `name`."""

    name: Annotated[str, _says("Stable id; unique per exchange.")]
    label: Annotated[str, _says("The name the key has at the exchange.")] = ""
    permissions: Annotated[tuple[str, ...], _says("The exchange's own permission tokens.")] = ()
    ips: Annotated[tuple[str, ...], _says("Addresses and CIDRs it works from; none: all.")] = ()
    created: Annotated[datetime | None, _says("When it was created; wins over age_days.")] = None
    age_days: Annotated[float, _says("Days since it was created.")] = 30
    expires_in_days: Annotated[float | None, _says("Days until it expires; null: never.")] = None
    state: Annotated[State, _says("What the exchange thinks of it.")] = "active"
    type: Annotated[KeyType, _says("How it signs.")] = "hmac"
    env: Annotated[Prefix | tuple[Prefix, ...], _says("Prefixes of its environment names.")] = ()
    wrong_key: Annotated[bool, _says("Its environment has a key no exchange knows.")] = False
    wrong_secret: Annotated[bool, _says("Its environment has another secret.")] = False
    wrong_passphrase: Annotated[bool, _says("Its environment has another passphrase.")] = False
    modes: Annotated[tuple[str, ...], _says("Payload variants, for this key only.")] = ()
    extra: Annotated[
        Mapping[str, Any], _says("Fields that replace those of the key's introspection payload.")
    ] = field(default_factory=dict)

    @property
    def prefixes(self) -> tuple[str, ...]:
        """The prefixes of its environment names, as a tuple."""
        return (self.env,) if isinstance(self.env, str) else self.env


class Account(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """One account or sub-account of an exchange."""

    exchange: str
    name: Annotated[str, _says("Unique per exchange; a sub-account's login name.")] = "main"
    uid: Annotated[str | int | None, _says("Derived from the name where it is left out.")] = None
    parent: Annotated[str | None, _says("Name of its master account; null: a master.")] = None
    frozen: Annotated[bool, _says("The exchange has suspended it.")] = False
    flags: Annotated[
        Mapping[str, Any],
        _says("Account-level fields, such as canWithdraw: no proof of what a key may do."),
    ] = field(default_factory=dict)
    balances: Annotated[Mapping[str, str], _says("Free amounts by asset.")] = field(
        default_factory=lambda: {"USDT": "1250.50"}
    )
    keys: tuple[Key, ...] = ()


class Fault(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """Something that goes wrong for the requests it matches; the first that matches applies."""

    kind: FaultKind
    exchange: Annotated[str | None, _says("Exchange id; null: any.")] = None
    path: Annotated[str, _says("Shell pattern of the path, without query.")] = "*"
    key: Annotated[str | None, _says("Name of the key that asks; null: any.")] = None
    times: Annotated[int | None, _says("Only the first so many matches; null: always.")] = None
    seconds: Annotated[float, _says("How long `slow` waits; what Retry-After tells.")] = 1.0
    bytes: Annotated[int, _says("How much `huge` adds.")] = 8_000_000
    body: Annotated[Any, _says("What `wrong-type` answers instead of its own.")] = None


class Limits(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Whether documented rate limits are enforced, as exact sliding windows."""

    enforce: bool = False


class Planted(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A mistake that an audit of the accompanying manifest must find."""

    connection: str
    rule: str
    outcome: Literal["pass", "fail", "unknown", "not-applicable"] = "fail"
    says: Annotated[str, _says("What is wrong, for people.")] = ""


class Scenario(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """Everything one sandbox pretends."""

    api_version: Literal["bfaudit/v1"] = field(default="bfaudit/v1", name="apiVersion")
    kind: Literal["Scenario"] = "Scenario"
    title: str = ""
    now: Annotated[
        datetime | None,
        _says("The moment ages and expiries count from; null: the real one. Clocks stay real."),
    ] = None
    seen_as: Annotated[
        str, _says("The address every caller seems to have; X-Sandbox-From overrides it.")
    ] = "203.0.113.10"
    clock_offset_ms: Annotated[
        Mapping[str, int], _says("How far an exchange's clock is ahead of the real one.")
    ] = field(default_factory=dict)
    modes: Annotated[Mapping[str, tuple[str, ...]], _says("Payload variants by exchange.")] = field(
        default_factory=dict
    )
    limits: Limits = Limits()
    accounts: tuple[Account, ...] = ()
    faults: tuple[Fault, ...] = ()
    planted: tuple[Planted, ...] = ()

    def moment(self) -> datetime:
        """The moment that ages and expiries count from, in UTC."""
        return _utc(self.now) if self.now else datetime.now(UTC)


def created_at(key: Key, now: datetime) -> datetime:
    """When a key was created, in UTC."""
    return _utc(key.created) if key.created else now - timedelta(days=key.age_days)


def expires_at(key: Key, now: datetime) -> datetime | None:
    """When a key expires, in UTC; None for never. A key in the state `expired` did a day ago."""
    if key.expires_in_days is not None:
        return now + timedelta(days=key.expires_in_days)
    return now - timedelta(days=1) if key.state == "expired" else None


def _utc(moment: datetime) -> datetime:
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)

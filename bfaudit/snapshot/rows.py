"""What a snapshot's document holds, as types. Its schema for others is `schemas/snapshot.schema.json`."""

from collections.abc import Mapping
from datetime import date
from typing import Annotated, Literal, TypeVar

import msgspec
from msgspec import Meta, Struct

from bfaudit.model import Connection, Json, Reason, Status
from bfaudit.nested import Evidence
from bfaudit.sealed import Location, Moment, Tool

SCHEMA = "bfaudit-snapshot/1"

OF_FINGERPRINT = ("fingerprint", "fingerprint_key")
"""What a connection that was left out has beside what it declares."""

_Kind = TypeVar("_Kind", bound=Struct)

Count = Annotated[int, Meta(ge=0)]
Lifecycle = Literal["active", "retired"]
"""Most rules ask for one of the two, so that a third word would be judged by none."""


class Identity(Struct, frozen=True, kw_only=True):
    """What snapshot and report say first of a connection. The groups of facts follow it."""

    name: str
    exchange: str
    account: str | None
    strategy: str | None
    status: Status
    reason: Reason | None
    detail: str
    advice: str
    scanned_at: Moment


class Attested(Struct, frozen=True):
    """What a person vouches for."""

    by: str
    on: date
    expires: date | None = None
    note: str | None = None


class Declared(Struct, frozen=True, kw_only=True):
    """What the manifest declares beside name, exchange, account and strategy: all that rules may ask for offline."""

    requires: tuple[str, ...]
    servers: tuple[str, ...]
    credentials: Mapping[str, str]
    """The scheme of each reference, by role; never more of the reference."""
    lifecycle: Lifecycle
    environment: str | None
    owner: str | None
    purpose: str | None
    vendor: str | None
    symbols: tuple[str, ...] | None
    created: date | None
    label: str | None
    uid: str | None
    parent: str | None
    tags: tuple[str, ...]
    expires: date | None
    balance_cap: str | None
    notes: str | None
    inventory: bool = False
    attestations: Mapping[str, Attested]
    locations: Mapping[str, Location]
    """Where each field is declared, by its name."""


COPIED = tuple(
    name
    for name in Declared.__struct_fields__
    if name in Connection.__struct_fields__ and name not in {"credentials", "attestations"}
)
"""The fields of a connection that are declared as they are."""


class Request(Struct, frozen=True, kw_only=True):
    """One request that the scan sent, and how it ended."""

    request: str
    at: Moment
    milliseconds: int
    http: int | None
    outcome: str
    attempts: int


class ListedRow(Struct, frozen=True, kw_only=True):
    """One key that a master key listed; its facts by path, all from the listing."""

    owner: str
    fingerprint: str | None
    shown: str
    label: str | None
    uid: str | None
    request: str
    facts: Mapping[str, Json]


class InventoryRow(Struct, frozen=True, kw_only=True):
    """What a key that may list keys saw."""

    covers: str
    incomplete: str | None
    keys: tuple[ListedRow, ...]


class HistoryRow(Struct, frozen=True, kw_only=True):
    """What earlier snapshots tell of a connection's key."""

    first_seen: Moment
    last_changed: Moment | None
    compared: bool
    widened: tuple[str, ...]
    unsure: tuple[str, ...]
    last_use_seen: Moment | None
    lived: bool = False


class Row(Identity, frozen=True, kw_only=True):
    """One connection of a snapshot; the groups of facts stand beside these fields."""

    unknown: Mapping[str, str]
    evidence: Mapping[str, Evidence]
    requests: tuple[Request, ...]
    declared: Declared
    location: Location
    inventory: InventoryRow | None = None
    history: HistoryRow | None = None
    fingerprint_key: str | None = None


class ExchangeRow(Struct, frozen=True, omit_defaults=True, kw_only=True):
    """One exchange as a whole."""

    id: str
    url: str
    redirected: bool
    clock_offset_ms: int | None
    requests: Count
    refused_hosts: tuple[str, ...] = ()


class ClientRow(Struct, frozen=True, kw_only=True):
    """The software that signed the requests, compared with the pinned one."""

    name: str
    differs: tuple[str, ...] = ()
    unknown: str | None = None
    known_bad: tuple[str, ...] = ()


class RejectedRow(Struct, frozen=True, kw_only=True):
    """A connection that its manifest error kept out of the audit."""

    name: str
    error: str
    location: Location


class UnselectedRow(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A connection that a selection left out: what others of the fleet are compared with."""

    name: str
    exchange: str
    account: str | None = None
    strategy: str | None = None
    requires: tuple[str, ...] = ()
    lifecycle: Lifecycle = "active"
    environment: str | None = None
    owner: str | None = None
    purpose: str | None = None
    vendor: str | None = None
    created: date | None = None
    label: str | None = None
    uid: str | None = None
    parent: str | None = None
    tags: tuple[str, ...] = ()
    fingerprint: str | None = None
    fingerprint_key: str | None = None


class Document(Struct, frozen=True, kw_only=True):
    """A snapshot; its schema and digest are the seal's."""

    tool: Tool
    generated_at: Moment
    interrupted: bool
    unselected: Count = 0
    rest: tuple[UnselectedRow, ...] = ()
    client: ClientRow | None = None
    exchanges: tuple[ExchangeRow, ...] = ()
    rejected: tuple[RejectedRow, ...] = ()
    connections: tuple[Row, ...] = ()


def same(value: Struct, kind: type[_Kind]) -> _Kind:
    """The same fields as another struct: the document's for the model's, or back."""
    return msgspec.convert(value, kind, from_attributes=True)

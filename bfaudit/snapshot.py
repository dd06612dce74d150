"""Snapshots: the secret-free record of a scan as a versioned JSON file, and back. Its schema is `schemas/snapshot.schema.json`."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import date
from typing import Annotated, TypeVar

import msgspec
from msgspec import Meta, Struct
from msgspec.structs import replace

from bfaudit.model import (
    Attestation,
    ClientUsed,
    Connection,
    ExchangeScanned,
    History,
    Inventory,
    Json,
    ListedKey,
    Place,
    Reason,
    Rejected,
    RequestMade,
    Scanned,
    Snapshot,
    Source,
    Status,
    Unselected,
)
from bfaudit.nested import Evidence, Nested, flatten, nest, told
from bfaudit.pieces import Piece, whole
from bfaudit.sealed import (
    NEXT,
    Listed,
    Location,
    Moment,
    Tool,
    body_of,
    digest_of,
    encoded,
    invalid,
    plain,
    sealing,
    unseal,
    utc,
)

SCHEMA = "bfaudit-snapshot/1"

_Kind = TypeVar("_Kind", bound=Struct)

Count = Annotated[int, Meta(ge=0)]


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
    lifecycle: str
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


_COPIED = frozenset(Connection.__struct_fields__) & frozenset(Declared.__struct_fields__) - {
    "credentials",
    "attestations",
}


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
    lifecycle: str = "active"
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


_AT_ONCE = 128
_OF_FINGERPRINT = ("fingerprint", "fingerprint_key")
_NOWHERE = Place("", 1, 1)


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


def encode(snapshot: Snapshot) -> bytes:
    """The snapshot as a JSON document; the same bytes for the same snapshot."""
    rows = Listed(
        lambda: map(_indented, map(encoded, map(recorded, snapshot.connections))),
        lambda: listed(snapshot, ordered=True),
    )
    return whole(sealing(SCHEMA, _head(snapshot), {"connections": rows}))


def written(snapshot: Snapshot, rows: Callable[[], Iterable[bytes]]) -> Iterator[Piece]:
    """The document in pieces: a snapshot's head, and the rows of its connections as `recorded` makes them, as JSON."""
    return sealing(SCHEMA, _head(snapshot), {"connections": Listed(
        lambda: map(_indented, rows()),
        lambda: (b"," + encoded(msgspec.json.decode(row), ordered=True) for row in rows()),
    )})  # fmt: skip


def digest(snapshot: Snapshot) -> str:
    """The digest of the document, which is not made for it."""
    rows = Listed(tuple, lambda: listed(snapshot, ordered=True))
    return digest_of(body_of(SCHEMA, _head(snapshot)), {"connections": rows})


def listed(snapshot: Snapshot, *, ordered: bool) -> Iterator[bytes]:
    """The rows of all connections, as JSON, a comma before each; some at a time, which are looked through together."""
    begins = b"," if ordered else b"," + NEXT
    for start in range(0, len(snapshot.connections), _AT_ONCE):
        some = snapshot.connections[start : start + _AT_ONCE]
        yield b"".join([begins + encoded(recorded(each), ordered=ordered) for each in some])


def _indented(row: bytes) -> bytes:
    return b"," + NEXT + msgspec.json.format(row, indent=2).replace(b"\n", NEXT)


def _head(snapshot: Snapshot) -> dict[str, Json]:
    return {
        "tool": {"name": "bfaudit", "version": snapshot.version},
        "generated_at": utc(snapshot.generated_at),
        "interrupted": snapshot.interrupted,
        **({"unselected": snapshot.unselected} if snapshot.unselected else {}),
        **({"rest": [_unselected(one) for one in snapshot.rest]} if snapshot.rest else {}),
        **({"client": client_row(snapshot.client)} if snapshot.client else {}),
        "exchanges": list(map(exchange_row, snapshot.exchanges)),
        "rejected": list(map(rejected_row, snapshot.rejected)),
    }


def decode(data: bytes, file: str) -> Snapshot:
    """The snapshot that a document holds; `file` names it in errors.

    An altered one raises `IntegrityError`, anything else that is not a snapshot `InvalidInput`.
    """
    content = unseal(SCHEMA, data, file)
    try:
        return restored(content)
    except (msgspec.ValidationError, RecursionError, OverflowError) as error:
        raise invalid(file, f"not a valid snapshot: {error}") from error


def restored(content: Mapping[str, Json]) -> Snapshot:
    """The snapshot that the content of a document holds; `ValidationError` where it holds none."""
    document = msgspec.convert(content, Document)
    connections = tuple(map(_scanned, document.connections, content.get("connections", ())))
    names = [scanned.connection.name for scanned in connections]
    if len(names) != len(set(names)):
        raise msgspec.ValidationError("two connections have one name")
    return Snapshot(
        generated_at=utc(document.generated_at),
        connections=connections,
        exchanges=tuple(_same(row, ExchangeScanned) for row in document.exchanges),
        rejected=tuple(
            Rejected(row.name, row.location.place(), row.error) for row in document.rejected
        ),
        interrupted=document.interrupted,
        unselected=document.unselected,
        rest=tuple(map(_left_out, document.rest)),
        version=document.tool.version,
        client=None if document.client is None else _same(document.client, ClientUsed),
    )


def describe(scanned: Scanned) -> tuple[dict[str, Json], Nested]:
    """The fields that snapshot and report share of a connection, in their order, and its facts."""
    connection = scanned.connection
    nested = nest(scanned.facts, scanned.fingerprint)
    identity = Identity(
        name=connection.name,
        exchange=connection.exchange,
        account=connection.account,
        strategy=connection.strategy,
        status=scanned.status,
        reason=scanned.reason,
        detail=scanned.detail,
        advice=scanned.advice,
        scanned_at=utc(scanned.scanned_at),
    )
    shared = {**msgspec.to_builtins(identity), **nested.groups, "unknown": nested.unknown}
    return shared, nested


def _unselected(one: Unselected) -> Json:
    told = {
        name: getattr(one if name in _OF_FINGERPRINT else one.connection, name)
        for name in UnselectedRow.__struct_fields__
    }
    return msgspec.to_builtins(UnselectedRow(**told))


def _left_out(row: UnselectedRow) -> Unselected:
    told = {name: getattr(row, name) for name in UnselectedRow.__struct_fields__}
    of_key = {name: told.pop(name) for name in _OF_FINGERPRINT}
    return Unselected(connection=Connection(place=_NOWHERE, **told), **of_key)


def exchange_row(exchange: ExchangeScanned) -> ExchangeRow:
    """The row of an exchange, in snapshot and report."""
    return _same(exchange, ExchangeRow)


def client_row(client: ClientUsed) -> Json:
    """The row of the client that signed, in snapshot and report."""
    return msgspec.to_builtins(_same(client, ClientRow))


def rejected_row(rejected: Rejected) -> RejectedRow:
    """The row of a connection that was not audited, in snapshot and report."""
    return RejectedRow(
        name=rejected.name, error=rejected.error, location=Location.of(rejected.place)
    )


def recorded(scanned: Scanned) -> dict[str, Json]:
    """The row of a connection, in snapshot and report, as `encoded` takes it."""
    shared, nested = describe(scanned)
    return {
        **shared,
        "evidence": nested.evidence,
        "requests": [_same(replace(made, at=utc(made.at)), Request) for made in scanned.requests],
        "declared": _declared(scanned),
        "location": Location.of(scanned.connection.place),
        "inventory": _listing(scanned.inventory),
        **({"history": _history(scanned.history)} if scanned.history else {}),
        **({"fingerprint_key": scanned.fingerprint_key} if scanned.fingerprint_key else {}),
    }


def rescanned(raw: Mapping[str, Json]) -> Scanned:
    """The record that `recorded` made a row of; raises `msgspec.ValidationError` where it is none."""
    return _scanned(msgspec.convert(raw, Row), raw)


def _listing(inventory: Inventory | None) -> Json:
    if inventory is None:
        return None
    keys = tuple(
        ListedRow(
            owner=key.owner,
            fingerprint=key.fingerprint,
            shown=key.shown,
            label=key.label,
            uid=key.uid,
            request=key.request,
            facts={path: plain(fact.value) for path, fact in sorted(key.facts.known.items())},
        )
        for key in inventory.keys
    )
    return msgspec.to_builtins(
        InventoryRow(covers=inventory.covers, incomplete=inventory.incomplete, keys=keys)
    )


def _history(history: History) -> Json:
    times = {
        name: utc(moment)
        for name in ("first_seen", "last_changed", "last_use_seen")
        if (moment := getattr(history, name)) is not None
    }
    return msgspec.to_builtins(_same(replace(history, **times), HistoryRow))


def _remembered(row: HistoryRow | None) -> History | None:
    return None if row is None else _same(row, History)


def _inventory(row: InventoryRow | None) -> Inventory | None:
    if row is None:
        return None
    keys = tuple(
        ListedKey(
            owner=key.owner,
            fingerprint=key.fingerprint,
            shown=key.shown,
            label=key.label,
            uid=key.uid,
            request=key.request,
            facts=told(key.facts, Source.INVENTORY, key.request),
        )
        for key in row.keys
    )
    return Inventory(keys=keys, covers=row.covers, incomplete=row.incomplete)


def _declared(scanned: Scanned) -> Declared:
    connection = scanned.connection
    return Declared(
        credentials=scanned.schemes,
        attestations={
            name: _same(given, Attested) for name, given in connection.attestations.items()
        },
        locations={name: Location.of(place) for name, place in connection.places.items()},
        **{name: getattr(connection, name) for name in _COPIED},
    )


def _scanned(row: Row, raw: Mapping[str, Json]) -> Scanned:
    if row.reason is not None and row.reason.status is not row.status:
        raise msgspec.ValidationError(f"`{row.reason}` is no reason for `{row.status}`")
    declared = row.declared
    connection = Connection(
        name=row.name,
        exchange=row.exchange,
        account=row.account,
        strategy=row.strategy,
        attestations={
            name: _same(given, Attestation) for name, given in declared.attestations.items()
        },
        place=row.location.place(),
        places={name: location.place() for name, location in declared.locations.items()},
        **{name: getattr(declared, name) for name in _COPIED},
    )
    key = raw.get("key")
    fingerprint = key.get("fingerprint") if isinstance(key, dict) else None
    groups = {name: value for name, value in raw.items() if isinstance(value, dict)}
    return Scanned(
        connection=connection,
        status=row.status,
        reason=row.reason,
        detail=row.detail,
        advice=row.advice,
        scanned_at=utc(row.scanned_at),
        fingerprint=msgspec.convert(fingerprint, str | None),
        schemes=declared.credentials,
        facts=flatten(Nested(groups, dict(row.unknown), dict(row.evidence))),
        requests=tuple(_same(replace(made, at=utc(made.at)), RequestMade) for made in row.requests),
        inventory=_inventory(row.inventory),
        history=_remembered(row.history),
        fingerprint_key=row.fingerprint_key,
    )


def _same(value: Struct, kind: type[_Kind]) -> _Kind:
    """The same fields as another struct: the document's for the model's, or back."""
    return msgspec.convert(value, kind, from_attributes=True)

"""`Snapshot` -> its document: the same bytes for the same snapshot, whole or in pieces."""

from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache
from operator import attrgetter

import msgspec
from msgspec.structs import asdict, replace

from bfaudit.model import (
    ClientUsed,
    ExchangeScanned,
    History,
    Inventory,
    Json,
    Rejected,
    RequestMade,
    Scanned,
    Snapshot,
    Unselected,
)
from bfaudit.nested import Grounds, grounds, nest, spelt
from bfaudit.pieces import Block, Piece, whole
from bfaudit.sealed import (
    NEXT,
    Listed,
    Location,
    body_of,
    digest_of,
    encoded,
    plain,
    sealing,
    utc,
)
from bfaudit.snapshot.rows import (
    COPIED,
    OF_FINGERPRINT,
    SCHEMA,
    Attested,
    ClientRow,
    Declared,
    ExchangeRow,
    HistoryRow,
    Identity,
    InventoryRow,
    ListedRow,
    RejectedRow,
    Request,
    UnselectedRow,
    same,
)

_AT_ONCE = 128


def encode(snapshot: Snapshot) -> bytes:
    """The snapshot as a JSON document; the same bytes for the same snapshot."""
    rows = Listed(
        lambda: map(_indented, map(encoded, map(recorded, snapshot.connections))),
        lambda: ordered(snapshot),
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
    rows = Listed(tuple, lambda: ordered(snapshot))
    return digest_of(body_of(SCHEMA, _head(snapshot)), {"connections": rows})


def listed(snapshot: Snapshot) -> Iterator[Block]:
    """The rows of all connections, as JSON, each on its line with a comma before it; some at a time."""
    for start in range(0, len(snapshot.connections), _AT_ONCE):
        some = snapshot.connections[start : start + _AT_ONCE]
        yield Block(tuple(zip(*map(_parted, some), strict=True)))


def ordered(snapshot: Snapshot) -> Iterator[bytes]:
    """The same rows for a digest."""
    return (b"," + encoded(recorded(each), ordered=True) for each in snapshot.connections)


def _parted(scanned: Scanned) -> tuple[bytes, bytes, bytes]:
    """A row, with what most rows have in common for itself."""
    row = b"," + NEXT + encoded(recorded(scanned))
    head, common, tail = row.partition(_common(grounds(scanned.facts, scanned.fingerprint)))
    return head, common, tail


@lru_cache(256)
def _common(said: Grounds) -> bytes:
    unknown, evidence = spelt(said)
    return encoded({"unknown": unknown, "evidence": evidence})[1:-1]


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


def _unselected(one: Unselected) -> Json:
    told = {
        name: getattr(one if name in OF_FINGERPRINT else one.connection, name)
        for name in UnselectedRow.__struct_fields__
    }
    return msgspec.to_builtins(UnselectedRow(**told))


def exchange_row(exchange: ExchangeScanned) -> ExchangeRow:
    """The row of an exchange, in snapshot and report."""
    return same(exchange, ExchangeRow)


def client_row(client: ClientUsed) -> Json:
    """The row of the client that signed, in snapshot and report."""
    return msgspec.to_builtins(same(client, ClientRow))


def rejected_row(rejected: Rejected) -> RejectedRow:
    """The row of a connection that was not audited, in snapshot and report."""
    return RejectedRow(
        name=rejected.name, error=rejected.error, location=Location.of(rejected.place)
    )


def recorded(scanned: Scanned) -> dict[str, Json]:
    """The row of a connection, in snapshot and report, as `encoded` takes it."""
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
    return {
        **asdict(identity),
        **nested.groups,
        "unknown": nested.unknown,
        "evidence": nested.evidence,
        "requests": list(map(_request, scanned.requests)),
        "declared": _declared(scanned),
        "location": Location.of(connection.place),
        "inventory": _listing(scanned.inventory),
        **({"history": _history(scanned.history)} if scanned.history else {}),
        **({"fingerprint_key": scanned.fingerprint_key} if scanned.fingerprint_key else {}),
    }


def _request(made: RequestMade) -> Request:
    return Request(
        request=made.request,
        at=utc(made.at),
        milliseconds=made.milliseconds,
        http=made.http,
        outcome=made.outcome,
        attempts=made.attempts,
    )


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
    return msgspec.to_builtins(same(replace(history, **times), HistoryRow))


def _declared(scanned: Scanned) -> Declared:
    connection = scanned.connection
    return Declared(
        credentials=scanned.schemes,
        attestations={
            name: same(given, Attested) for name, given in connection.attestations.items()
        },
        locations={
            name: Location(place.file, place.line, place.column)
            for name, place in connection.places.items()
        },
        **dict(zip(COPIED, _copied(connection), strict=True)),
    )


_copied = attrgetter(*COPIED)

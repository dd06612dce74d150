"""A snapshot's document -> `Snapshot`."""

from collections.abc import Mapping

import msgspec
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
    Rejected,
    RequestMade,
    Scanned,
    Snapshot,
    Source,
    Unselected,
)
from bfaudit.nested import Nested, flatten, told
from bfaudit.sealed import invalid, unseal, utc
from bfaudit.snapshot.rows import (
    COPIED,
    OF_FINGERPRINT,
    SCHEMA,
    Document,
    HistoryRow,
    InventoryRow,
    Row,
    UnselectedRow,
    same,
)

_NOWHERE = Place("", 1, 1)


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
        exchanges=tuple(same(row, ExchangeScanned) for row in document.exchanges),
        rejected=tuple(
            Rejected(row.name, row.location.place(), row.error) for row in document.rejected
        ),
        interrupted=document.interrupted,
        unselected=document.unselected,
        rest=tuple(map(_left_out, document.rest)),
        version=document.tool.version,
        client=None if document.client is None else same(document.client, ClientUsed),
    )


def rescanned(raw: Mapping[str, Json]) -> Scanned:
    """The record that `recorded` made a row of; raises `msgspec.ValidationError` where it is none."""
    return _scanned(msgspec.convert(raw, Row), raw)


def _left_out(row: UnselectedRow) -> Unselected:
    told = {name: getattr(row, name) for name in UnselectedRow.__struct_fields__}
    of_key = {name: told.pop(name) for name in OF_FINGERPRINT}
    return Unselected(connection=Connection(place=_NOWHERE, **told), **of_key)


def _remembered(row: HistoryRow | None) -> History | None:
    return None if row is None else same(row, History)


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
            name: same(given, Attestation) for name, given in declared.attestations.items()
        },
        place=row.location.place(),
        places={name: location.place() for name, location in declared.locations.items()},
        **{name: getattr(declared, name) for name in COPIED},
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
        requests=tuple(same(replace(made, at=utc(made.at)), RequestMade) for made in row.requests),
        inventory=_inventory(row.inventory),
        history=_remembered(row.history),
        fingerprint_key=row.fingerprint_key,
    )

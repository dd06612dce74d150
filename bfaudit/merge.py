"""Joins the snapshots of several hosts into one: one entry per connection, the newest wins. Pure."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from msgspec.structs import replace

from bfaudit.model import ExchangeScanned, Reason, Rejected, Scanned, Snapshot
from bfaudit.sealed import utc


class Named(NamedTuple):
    """A snapshot and the file it is from."""

    file: str
    snapshot: Snapshot


class Merged(NamedTuple):
    """One snapshot of several, and where they contradict each other."""

    snapshot: Snapshot
    conflicts: tuple[str, ...]
    """One sentence per connection that is not the same in all of them."""


class _Entry(NamedTuple):
    file: str
    scanned: Scanned


def merge(parts: Sequence[Named]) -> Merged:
    """One snapshot of several; conflicts are named, and the newest wins all the same."""
    entries: dict[str, list[_Entry]] = {}
    for part in parts:
        for scanned in part.snapshot.connections:
            entries.setdefault(scanned.connection.name, []).append(_Entry(part.file, scanned))
    snapshots = [part.snapshot for part in parts]
    newest = max(snapshots, key=lambda one: utc(one.generated_at))
    known = max(len(one.connections) + one.unselected for one in snapshots)
    merged = Snapshot(
        generated_at=newest.generated_at,
        connections=tuple(max(found, key=_weight).scanned for found in entries.values()),
        exchanges=_exchanges(snapshots),
        rejected=_rejected(snapshots, entries),
        interrupted=any(one.interrupted for one in snapshots),
        unselected=max(0, known - len(entries)),
        version=newest.version,
    )
    conflicts = (_conflict(name, found) for name, found in entries.items())
    return Merged(merged, tuple(filter(None, conflicts)))


def _weight(entry: _Entry) -> tuple[bool, float, str]:
    # A host without the secret has looked at nothing, however late.
    scanned = entry.scanned
    looked = scanned.reason is not Reason.UNRESOLVED_CREDENTIAL
    return looked, utc(scanned.scanned_at).timestamp(), entry.file


def _conflict(name: str, entries: Sequence[_Entry]) -> str | None:
    exchanges: dict[str, str] = {}
    keys: dict[str, str] = {}
    for file, scanned in entries:
        exchanges.setdefault(scanned.connection.exchange, file)
        if scanned.fingerprint is not None:
            keys.setdefault(scanned.fingerprint, file)
    if len(exchanges) > 1:
        return f"{name}: {_told('exchange', exchanges)}"
    if len(keys) > 1:
        return f"{name}: {_told('key', keys)}"
    return None


def _told(what: str, by_value: dict[str, str]) -> str:
    return f"another {what} in each: " + ", ".join(
        f"{value} in {file}" for value, file in by_value.items()
    )


def _exchanges(snapshots: Iterable[Snapshot]) -> tuple[ExchangeScanned, ...]:
    """Every exchange once per address it was asked at: requests added up, the greatest clock offset kept."""
    found: dict[tuple[str, str, bool], ExchangeScanned] = {}
    for snapshot in snapshots:
        for one in snapshot.exchanges:
            key = (one.id, one.url, one.redirected)
            other = found.get(key)
            if other is None:
                found[key] = one
                continue
            offsets = [
                each.clock_offset_ms for each in (one, other) if each.clock_offset_ms is not None
            ]
            found[key] = replace(
                other,
                requests=one.requests + other.requests,
                clock_offset_ms=max(offsets, key=abs, default=None),
            )
    return tuple(found[key] for key in sorted(found))


def _rejected(snapshots: Iterable[Snapshot], seen: Iterable[str]) -> tuple[Rejected, ...]:
    names = set(seen)
    found = {
        (one.name, one.place): one
        for snapshot in snapshots
        for one in snapshot.rejected
        if one.name not in names
    }
    return tuple(found[key] for key in sorted(found))

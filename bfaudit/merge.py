"""Joins the snapshots of several hosts into one: one entry per connection, the newest wins. Pure."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from msgspec.structs import replace

from bfaudit.model import (
    ClientUsed,
    ExchangeScanned,
    Reason,
    Rejected,
    Scanned,
    Snapshot,
    Unselected,
)
from bfaudit.sealed import utc


class Named(NamedTuple):
    """A snapshot and the file it is from."""

    file: str
    snapshot: Snapshot


class Merged(NamedTuple):
    """One snapshot of several, and where they contradict each other."""

    snapshot: Snapshot
    conflicts: tuple[str, ...]
    """One sentence per connection that is not the same in all of them, and one where their fingerprints differ in kind."""


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
    rest = _rest(snapshots, entries)
    merged = Snapshot(
        generated_at=newest.generated_at,
        connections=tuple(max(found, key=_weight).scanned for found in entries.values()),
        exchanges=exchanges(each for one in snapshots for each in one.exchanges),
        rejected=_rejected(snapshots, entries),
        interrupted=any(one.interrupted for one in snapshots),
        unselected=_unselected(snapshots, len(entries), len(rest)),
        rest=rest,
        version=newest.version,
        client=_client([one.client for one in snapshots]),
    )
    conflicts = [_marks(parts), *(_conflict(name, found) for name, found in entries.items())]
    return Merged(merged, tuple(filter(None, conflicts)))


def _weight(entry: _Entry) -> tuple[bool, float, str]:
    # A host without the secret has looked at nothing, however late.
    scanned = entry.scanned
    looked = scanned.reason is not Reason.UNRESOLVED_CREDENTIAL
    return looked, utc(scanned.scanned_at).timestamp(), entry.file


def _conflict(name: str, entries: Sequence[_Entry]) -> str | None:
    exchanges: dict[str, str] = {}
    keys: dict[str | None, dict[str, str]] = {}
    for file, scanned in entries:
        exchanges.setdefault(scanned.connection.exchange, file)
        if scanned.fingerprint is not None:
            alike = keys.setdefault(scanned.fingerprint_key, {})
            alike.setdefault(scanned.fingerprint, file)
    if len(exchanges) > 1:
        return f"{name}: {_told('exchange', exchanges)}"
    for alike in keys.values():
        if len(alike) > 1:
            return f"{name}: {_told('key', alike)}"
    return None


def _marks(parts: Sequence[Named]) -> str | None:
    """Whether the fingerprints of all snapshots were made with one key; others cannot be compared."""
    files: dict[str | None, str] = {}
    for part in parts:
        found: tuple[Scanned | Unselected, ...] = (*part.snapshot.connections, *part.snapshot.rest)
        files |= {one.fingerprint_key: part.file for one in found if one.fingerprint}
    if len(files) < 2:
        return None
    named = ", ".join(sorted(set(files.values())))
    return (
        f"{named}: fingerprints made with different values of BFAUDIT_FINGERPRINT_KEY are incomparable: "
        "whether one key serves two connections cannot be told"
    )


def _rest(snapshots: Iterable[Snapshot], seen: Iterable[str]) -> tuple[Unselected, ...]:
    """What every selection left out, once; one whose key was read tells more."""
    scanned = set(seen)
    found: dict[str, Unselected] = {}
    for one in (each for snapshot in snapshots for each in snapshot.rest):
        name = one.connection.name
        if name not in scanned and (name not in found or one.fingerprint):
            found[name] = one
    return tuple(found.values())


def _unselected(snapshots: Iterable[Snapshot], seen: int, rest: int) -> int:
    """How many connections no host has scanned: exact where every snapshot names those that it left out."""
    if all(one.unselected == len(one.rest) for one in snapshots):
        return rest
    known = max(len(one.connections) + one.unselected for one in snapshots)
    return max(rest, known - seen)


def _told(what: str, by_value: dict[str, str]) -> str:
    return f"another {what} in each: " + ", ".join(
        f"{value} in {file}" for value, file in by_value.items()
    )


def exchanges(several: Iterable[ExchangeScanned]) -> tuple[ExchangeScanned, ...]:
    """Every exchange once per address it was asked at: requests added up, the greatest clock offset kept."""
    found: dict[tuple[str, str, bool], ExchangeScanned] = {}
    for one in several:
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
            refused_hosts=_each_once(other.refused_hosts, one.refused_hosts),
        )
    return tuple(found[key] for key in sorted(found))


def _client(clients: Sequence[ClientUsed | None]) -> ClientUsed | None:
    """Every host's client in one: what is wrong on any host is wrong, and what any host does not tell is unknown."""
    told = [one for one in clients if one is not None]
    if not told:
        return None
    unknown = [one.unknown for one in told if one.unknown]
    if len(told) < len(clients):
        unknown.append("one of the joined snapshots does not tell which client signed its requests")
    return ClientUsed(
        name=", ".join(dict.fromkeys(one.name for one in told)),
        differs=_each_once(*(one.differs for one in told)),
        unknown="; ".join(dict.fromkeys(unknown)) or None,
        known_bad=_each_once(*(one.known_bad for one in told)),
    )


def _each_once(*several: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted({text for texts in several for text in texts}))


def _rejected(snapshots: Iterable[Snapshot], seen: Iterable[str]) -> tuple[Rejected, ...]:
    names = set(seen)
    found = {
        (one.name, one.place): one
        for snapshot in snapshots
        for one in snapshot.rejected
        if one.name not in names
    }
    return tuple(found[key] for key in sorted(found))

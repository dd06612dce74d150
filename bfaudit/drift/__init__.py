"""What changed between two snapshots, by what it means: who may do more than before, who less, and what cannot be told. Pure."""

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from bfaudit.drift.facts import UNTOLD, Told, fact_changes, unseen, withheld
from bfaudit.model import (
    Change,
    Connection,
    Direction,
    Reason,
    Scanned,
    Severity,
    Snapshot,
    Status,
)

_DEAD = frozenset({Reason.UNKNOWN_KEY, Reason.UNKNOWN_HERE, Reason.EXPIRED, Reason.DISABLED})
"""Of one site: what it does not know, it does not serve."""
ACCEPTED = frozenset({Status.ONLINE, Status.NO_TRADING_PERMISSION})
"""The statuses of keys that are answered."""


Asked = Mapping[str, frozenset[bool]]
"""By exchange, whether it was asked elsewhere than at its own address."""
_AT_HOME = frozenset({False})
NOT_WHOLE = "the earlier snapshot does not hold it, and is not of the whole fleet"


class Pair(NamedTuple):
    """One connection in both snapshots."""

    old: Scanned
    new: Scanned


class Paired(NamedTuple):
    """The connections of two snapshots, put side by side."""

    both: tuple[Pair, ...]
    added: tuple[Scanned, ...]
    removed: tuple[Scanned, ...]


def compare(old: Snapshot, new: Snapshot) -> tuple[Change, ...]:
    """Every change from one snapshot to a later one: worst first, then by connection."""
    return tuple(sorted(_changes(old, new), key=_order))


def _changes(old: Snapshot, new: Snapshot) -> Iterator[Change]:
    sides = paired(old, new)
    asked = redirected(old), redirected(new)
    for pair in sides.both:
        yield from _compared(pair, *asked)
    for scanned in sides.added:
        yield from _added(scanned, old)
    for scanned in sides.removed:
        yield from _removed(scanned, new)


def paired(old: Snapshot, new: Snapshot) -> Paired:
    """The connections of both, by their name; one that was renamed by its key, where only one of each side has it."""
    before = {scanned.connection.name: scanned for scanned in old.connections}
    after = {scanned.connection.name: scanned for scanned in new.connections}
    lost = _by_key(one for name, one in before.items() if name not in after)
    found = _by_key(one for name, one in after.items() if name not in before)
    matched = {name: before[name] for name in after if name in before}
    matched |= {
        one.connection.name: was
        for key, one in found.items()
        if one is not None and (was := lost.get(key)) is not None
    }
    taken = {one.connection.name for one in matched.values()}
    return Paired(
        tuple(Pair(matched[name], one) for name, one in after.items() if name in matched),
        tuple(one for name, one in after.items() if name not in matched),
        tuple(one for name, one in before.items() if name not in taken),
    )


def _by_key(scans: Iterator[Scanned]) -> dict[tuple[str, str], Scanned | None]:
    """Connections by exchange and key; None for a key of several."""
    found: dict[tuple[str, str], Scanned | None] = {}
    for one in scans:
        if one.fingerprint is not None:
            key = one.connection.exchange, one.fingerprint
            found[key] = None if key in found else one
    return found


def key_replaced(old: Scanned, new: Scanned) -> bool | None:
    """Whether another key serves the connection; None where the fingerprints of its keys cannot be compared."""
    if old.fingerprint is None or new.fingerprint is None:
        return False
    if old.fingerprint_key != new.fingerprint_key:
        return None
    return old.fingerprint != new.fingerprint


def changes_of(pair: Pair, asked_old: Asked, asked_new: Asked) -> tuple[Change, ...]:
    """What changed of one connection that is in both, by where either scan asked each exchange."""
    return tuple(sorted(_compared(pair, asked_old, asked_new), key=_order))


def _compared(pair: Pair, asked_old: Asked, asked_new: Asked) -> Iterator[Change]:
    old, new = pair
    tell = Told(new.connection.name)
    yield from _declared(old.connection, new.connection, tell)
    exchange = new.connection.exchange
    if old.connection.exchange != exchange:
        was = f"declared for {old.connection.exchange} before, for {exchange} now"
        yield _incomparable(tell, was)
        return
    if len(asked_old.get(exchange, _AT_HOME) | asked_new.get(exchange, _AT_HOME)) > 1:
        where = "asked at its own address in one scan, redirected in the other"
        yield _incomparable(tell, f"{exchange} was {where}")
        return
    replaced = key_replaced(old, new)
    if replaced is None:
        why = "its fingerprints were made with different values of BFAUDIT_FINGERPRINT_KEY, so the key may be another"
        yield _incomparable(tell, why)
    elif replaced:
        yield tell(
            "key-replaced", Severity.MEDIUM, Direction.OTHER, "another key",
            path="key.fingerprint", before=old.fingerprint, after=new.fingerprint,
        )  # fmt: skip
    yield from _status(old, new, tell)
    if _dead(new):
        return
    if _dead(old):
        if new.status not in ACCEPTED:
            yield _incomparable(tell, f"its key was dead, and may be alive: {_status_text(new)}")
        return
    blind = [
        f"{when}: {_status_text(one)}"
        for when, one in (("before", old), ("now", new))
        if unseen(one)
    ]
    if blind:
        yield _incomparable(tell, f"nothing is known of its key {', '.join(blind)}")
        return
    yield from fact_changes(old.facts, new.facts, tell)
    if silent := withheld(exchange, old.facts, new.facts):
        reasons = dict.fromkeys(new.facts.unknown.get(path, UNTOLD) for path in silent)
        paths, why = ", ".join(silent), "; ".join(reasons)
        yield _incomparable(tell, f"neither scan was told {paths}: {why}")


def _status(old: Scanned, new: Scanned, tell: Told) -> Iterator[Change]:
    if (old.status, old.reason) == (new.status, new.reason):
        return
    if _dead(old) and new.status in ACCEPTED:
        severity, direction = Severity.CRITICAL, Direction.WIDENED
    elif _dead(new):
        severity, direction = Severity.LOW, Direction.NARROWED
    elif old.status in ACCEPTED and new.status not in ACCEPTED:
        severity, direction = Severity.MEDIUM, Direction.OTHER
    else:
        severity, direction = Severity.INFO, Direction.OTHER
    before, after = _status_text(old), _status_text(new)
    text = f"status {before}, now {after}"
    yield tell(
        "status-changed", severity, direction, text, path="status", before=before, after=after
    )


def _declared(old: Connection, new: Connection, tell: Told) -> Iterator[Change]:
    for kind, path, severity in (
        ("renamed", "name", Severity.INFO),
        ("lifecycle-changed", "lifecycle", Severity.LOW),
        ("owner-changed", "owner", Severity.INFO),
    ):
        before, after = getattr(old, path), getattr(new, path)
        if before != after:
            text = f"declared {path} {before or 'none'}, now {after or 'none'}"
            yield tell(
                kind,
                severity,
                Direction.OTHER,
                text,
                path=f"connection.{path}",
                before=before,
                after=after,
            )


def _added(scanned: Scanned, old: Snapshot) -> Iterator[Change]:
    tell = Told(scanned.connection.name)
    if may_have_held(old, scanned):
        yield _incomparable(tell, NOT_WHOLE)
    else:
        yield tell(
            "connection-added",
            Severity.INFO,
            Direction.OTHER,
            "a connection that was not there before",
        )


def may_have_held(old: Snapshot, scanned: Scanned) -> bool:
    """Whether a connection that an earlier snapshot does not hold may have been there all the same."""
    return bool(old.interrupted or old.unselected or _rejected(old, scanned))


def _removed(scanned: Scanned, new: Snapshot) -> Iterator[Change]:
    tell = Told(scanned.connection.name)
    if new.interrupted or _rejected(new, scanned):
        why = "was interrupted" if new.interrupted else "could not read its declaration"
        yield _incomparable(tell, f"the later scan {why}")
    elif not new.unselected:
        text = "no longer declared; unless its key is deleted nobody watches it: declare it `retired` until it is dead"
        yield tell("connection-removed", Severity.MEDIUM, Direction.OTHER, text)


def _rejected(snapshot: Snapshot, scanned: Scanned) -> bool:
    return scanned.connection.name in {one.name for one in snapshot.rejected}


def _incomparable(tell: Told, why: str) -> Change:
    return tell("incomparable", Severity.MEDIUM, Direction.UNKNOWN, f"cannot be compared: {why}")


def _dead(scanned: Scanned) -> bool:
    return scanned.reason in _DEAD


def _status_text(scanned: Scanned) -> str:
    return f"{scanned.status} ({scanned.reason})" if scanned.reason else str(scanned.status)


def redirected(snapshot: Snapshot) -> Asked:
    """Whether each exchange was redirected; both where scans are joined of which one was."""
    found: dict[str, frozenset[bool]] = {}
    for one in snapshot.exchanges:
        found[one.id] = found.get(one.id, frozenset()) | {one.redirected}
    return found


def _order(change: Change) -> tuple[int, str, str, str]:
    return -change.severity, change.connection, change.kind, change.path or ""

"""What an earlier snapshot tells of the keys of a later one, so that rules may ask for it. Pure."""

from datetime import datetime

from msgspec.structs import replace

from bfaudit.drift import (
    ACCEPTED,
    NOT_WHOLE,
    Asked,
    Pair,
    changes_of,
    key_replaced,
    may_have_held,
    paired,
    redirected,
)
from bfaudit.model import Direction, Fact, History, Scanned, Snapshot
from bfaudit.sealed import utc


def remembered(snapshot: Snapshot, previous: Snapshot) -> Snapshot:
    """The snapshot with the history of every connection, as far as the earlier one and its own history tell."""
    earlier = {pair.new.connection.name: pair.old for pair in paired(previous, snapshot).both}
    asked = redirected(previous), redirected(snapshot)
    sites = _sites(previous), _sites(snapshot)

    def history(one: Scanned) -> History:
        old = earlier.get(one.connection.name)
        if old is None:
            return _new(one, previous)
        told = _history(Pair(old, one), *asked)
        return replace(told, lived=True) if _lived(Pair(old, one), *sites) else told

    return replace(
        snapshot,
        connections=tuple(replace(one, history=history(one)) for one in snapshot.connections),
    )


def _sites(snapshot: Snapshot) -> dict[str, set[str]]:
    """Where each exchange was asked."""
    found: dict[str, set[str]] = {}
    for one in snapshot.exchanges:
        found.setdefault(one.id, set()).add(one.url)
    return found


def _lived(pair: Pair, sites_old: dict[str, set[str]], sites_new: dict[str, set[str]]) -> bool:
    """Whether the same key was answered before, where it is asked now."""
    old, new = pair
    exchange = new.connection.exchange
    same_key = old.fingerprint is not None and (old.fingerprint, old.fingerprint_key) == (new.fingerprint, new.fingerprint_key)  # fmt: skip
    same_site = old.connection.exchange == exchange and sites_old.get(exchange) == sites_new.get(exchange)  # fmt: skip
    before = old.status in ACCEPTED or (old.history is not None and old.history.lived)
    return same_key and same_site and len(sites_new.get(exchange, ())) == 1 and before


def _new(new: Scanned, previous: Snapshot) -> History:
    """The history of a connection that the earlier snapshot does not hold."""
    return History(
        first_seen=utc(new.scanned_at),
        compared=False,
        unsure=(NOT_WHOLE,) if may_have_held(previous, new) else (),
        last_use_seen=_used(new),
    )


def _history(pair: Pair, asked_old: Asked, asked_new: Asked) -> History:
    old, new = pair
    seen, used = utc(new.scanned_at), _used(new)
    changes = changes_of(pair, asked_old, asked_new)
    widened = tuple(one.text for one in changes if one.direction is Direction.WIDENED)
    unsure = tuple(one.text for one in changes if one.direction is Direction.UNKNOWN)
    if key_replaced(old, new) is not False:
        return History(first_seen=seen, widened=widened, unsure=unsure, last_use_seen=used)
    before = old.history or History(first_seen=utc(old.scanned_at))
    changed = any(one.direction in (Direction.WIDENED, Direction.NARROWED) for one in changes)
    uses = [each for each in (used, _used(old), before.last_use_seen) if each is not None]
    return History(
        first_seen=before.first_seen,
        last_changed=seen if changed else before.last_changed,
        widened=widened,
        unsure=unsure,
        last_use_seen=max(uses, default=None),
    )


def _used(scanned: Scanned) -> datetime | None:
    fact: Fact | None = scanned.facts.get("key.last_used_at")
    return utc(fact.value) if fact is not None and fact.value is not None else None

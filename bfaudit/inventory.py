"""What a master key's listing means for a fleet: keys that no manifest declares, and evidence for those it does. Pure."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta

from msgspec.structs import replace

from bfaudit.model import Fact, Facts, ListedKey, Scanned, Source

AT_MOST = 20
"""How many undeclared keys a rule names; the rest is counted."""


def named(key: ListedKey) -> str:
    """A listed key in words: owner, label and last characters."""
    label = f" {key.label!r}" if key.label else ""
    shown = f" (…{key.shown})" if key.shown else ""
    return f"{key.owner}{label}{shown}"


def undeclared(scanned: Scanned, fingerprints: frozenset[str]) -> tuple[str, ...] | None:
    """The listed keys that are no connection's; None where that cannot be told."""
    listing = scanned.inventory
    if listing is None or listing.incomplete or any(not key.fingerprint for key in listing.keys):
        known = [] if listing is None else listing.keys
        sure = [key for key in known if key.fingerprint and key.fingerprint not in fingerprints]
        return _some(sure) if sure else None
    return _some([key for key in listing.keys if key.fingerprint not in fingerprints])


def why_unknown(scanned: Scanned) -> str:
    """Why `undeclared` cannot be told."""
    listing = scanned.inventory
    if listing is None and scanned.connection.inventory:
        return "no listing was made: the key did not work, or its exchange has no listing"
    if listing is None:
        return "no listing was made: declare `inventory: true` on a key that may list keys"
    return listing.incomplete or "the exchange masks the keys that it lists"


def drift(scanned: Scanned, listed: Mapping[str, ListedKey]) -> tuple[str, ...] | None:
    """In what a key's own answer and the master's listing of it differ; None where it is not listed."""
    key = listed.get(scanned.fingerprint or "")
    if key is None:
        return None
    return tuple(
        f"{path}: the key says {_shown(own.value)}, the listing says {_shown(fact.value)}"
        for path, own, fact in _side_by_side(scanned, key)
        if own is not None and not _agree(own, fact)
    )


def listed_only(scanned: Scanned, listed: Mapping[str, ListedKey]) -> tuple[str, ...]:
    """What the master's listing tells of a key, and the key's own answer does not."""
    key = listed.get(scanned.fingerprint or "")
    return tuple(path for path, own, _ in _side_by_side(scanned, key) if own is None) if key else ()


def _side_by_side(scanned: Scanned, key: ListedKey) -> Iterator[tuple[str, Fact | None, Fact]]:
    """What a listing tells of a key, by path: what the key says itself, and the listing. Use goes on between the two."""
    for path, fact in sorted(key.facts.known.items()):
        own = scanned.facts.get(path)
        if path != "key.last_used_at":
            yield path, own if own and own.source is not Source.INVENTORY else None, fact


def enrich(scans: Sequence[Scanned]) -> tuple[Scanned, ...]:
    """The scans, with what listings tell of declared keys where the keys themselves do not tell it."""
    listed = by_fingerprint(scans)
    return tuple(enriched(one, listed) for one in scans) if listed else tuple(scans)


def by_fingerprint(scans: Iterable[Scanned]) -> dict[str, ListedKey]:
    """Every listed key by its fingerprint."""
    return {
        key.fingerprint: key
        for one in scans
        if one.inventory
        for key in one.inventory.keys
        if key.fingerprint
    }


def enriched(scanned: Scanned, listed: Mapping[str, ListedKey]) -> Scanned:
    """A scan with what a listing tells of its key, where the key itself does not tell it."""
    key = listed.get(scanned.fingerprint or "")
    if key is None:
        return scanned
    new: dict[str, Fact] = {
        path: fact for path, fact in key.facts.known.items() if path not in scanned.facts.known
    }
    if not new:
        return scanned
    unknown = {path: why for path, why in scanned.facts.unknown.items() if path not in new}
    return replace(scanned, facts=Facts({**scanned.facts.known, **new}, unknown))


def _some(keys: Sequence[ListedKey]) -> tuple[str, ...]:
    names = [named(key) for key in keys[:AT_MOST]]
    more = len(keys) - AT_MOST
    return (*names, f"and {more} more") if more > 0 else tuple(names)


def _agree(own: Fact, listed: Fact) -> bool:
    """Days that are told, or worked out, apart from each other agree to a day."""
    if isinstance(own.value, datetime) and isinstance(listed.value, datetime):
        return abs(own.value - listed.value) <= timedelta(days=1)
    return _same(own.value) == _same(listed.value)


def _same(value: object) -> object:
    return frozenset(value) if isinstance(value, tuple | list) else value


def _shown(value: object) -> str:
    return ", ".join(map(str, value)) or "none" if isinstance(value, tuple | list) else str(value)

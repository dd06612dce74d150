"""Evidence for one field of one connection, and the connection as the fields see it."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, time
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple

from msgspec import Struct

from bfaudit.exchanges import known
from bfaudit.model import PERMISSIONS, Fact, Grant, Observation, Scanned, Status, Unselected
from bfaudit.reach import AHEAD

if TYPE_CHECKING:
    from bfaudit.exchanges.base import Adapter
    from bfaudit.policy.fleet import Fleet


class Evidence(Struct, frozen=True, gc=False):
    """What is known of a field, and how. Hashable, so that equal evidence is judged once."""

    value: Any = None
    """None where the field has no value; with `unknown` set, what is certain of a list that is not known in full."""
    unknown: str | None = None
    """Why it is not known; None where it is."""
    source: str | None = None
    request: str | None = None
    limitation: str | None = None

    @property
    def judged(self) -> bool:
        """Whether a rule can read the value."""
        return self.unknown is None and self.value is not None

    def observed(self, field: str) -> Observation:
        """The evidence as results show it."""
        return Observation(
            field, self.value, self.unknown, self.source, self.request, self.limitation
        )


class Held(NamedTuple):
    """Permission words for which something certainly holds, those for which it may, and the facts that decided."""

    certain: tuple[str, ...]
    possible: tuple[str, ...]
    facts: tuple[Fact, ...]


@lru_cache(256)
def _adapter(exchange: str) -> "Adapter | None":
    """The adapter of an exchange, without looking for its module again for every connection."""
    return known().get(exchange)


def tells(exchange: str, path: str) -> bool:
    """Whether an exchange tells a fact of its keys."""
    adapter = _adapter(exchange)
    return adapter is not None and path not in adapter.untold


def withheld(scanned: Scanned | Unselected, path: str) -> bool:
    """Whether an exchange tells a fact of other keys, and not of this one: then nothing else may stand for it."""
    reason = scanned.facts.unknown.get(path)
    return bool(reason) and tells(scanned.connection.exchange, path)


def born_of(scanned: Scanned | Unselected) -> datetime | None:
    """When a key was created: as the exchange says; where it says so of no key, as the manifest does."""
    live = scanned.facts.get("key.created_at")
    if live is not None and isinstance(live.value, datetime):
        return utc(live.value)
    day = scanned.connection.created
    return midnight(day) if day and not withheld(scanned, "key.created_at") else None


class Subject:
    """One connection under audit: what was declared, what was seen, its place in the fleet, and the time."""

    def __init__(self, scanned: Scanned, position: int, fleet: "Fleet", now: datetime) -> None:
        self.scanned = scanned
        self.connection = scanned.connection
        self.known = scanned.facts.known
        self.unknown = scanned.facts.unknown
        self.position = position
        self.fleet = fleet
        self.now = now

    def why(self, path: str) -> str:
        """Why a fact is not known."""
        reason = self.unknown.get(path)
        if reason:
            return reason
        if self.scanned.status is not Status.ONLINE:
            return f"not Online: {self.scanned.status}"
        return "the scan did not record it"

    @property
    def life_unsaid(self) -> str | None:
        """Why it is not known whether a key that answers still lives, where its exchange answers dead ones too."""
        adapter = _adapter(self.connection.exchange)
        for path in adapter.tells_life if adapter else ():
            if path in self.unknown:
                return self.unknown[path]
        return None

    def withheld(self, path: str) -> bool:
        """Whether this exchange tells a fact of others, and not of this key."""
        return withheld(self.scanned, path)

    def why_words(self, words: tuple[str, ...]) -> str:
        """Why permissions are not known, equal reasons told once."""
        reasons: dict[str, list[str]] = {}
        for word in words:
            reasons.setdefault(self.why(f"permissions.{word}"), []).append(word)
        return "; ".join(f"{', '.join(some)}: {reason}" for reason, some in reasons.items())

    @cached_property
    def excess(self) -> Held:
        """Permissions beyond what the manifest requires; `read` is never too much."""
        required = {"read", *self.connection.requires}
        paths = {*self.known, *self.unknown}
        others = sorted(
            path.removeprefix("permissions.")
            for path in paths
            if path.startswith("permissions.other:")
        )
        words = (word for word in (*PERMISSIONS, *others) if word not in required)
        return self._held(words, Grant.GRANTED)

    @cached_property
    def lack(self) -> Held:
        """Permissions that the manifest requires and the key has not."""
        return self._held(iter(self.connection.requires), Grant.DENIED)

    def _held(self, words: Iterator[str], wanted: Grant) -> Held:
        certain, possible, deciding, other = [], [], [], []
        for word in words:
            fact = self.known.get(f"permissions.{word}")
            if fact is None or fact.value not in (Grant.GRANTED, Grant.DENIED):
                possible.append(word)
            elif fact.value == wanted:
                certain.append(word)
                deciding.append(fact)
            else:
                other.append(fact)
        return Held(tuple(certain), tuple(possible), tuple(deciding or other))


_PARTING = str.maketrans({".": None, "-": " ", "_": " ", "/": " "})


def known_by(facts: tuple[Fact, ...], value: Any, unknown: str | None = None) -> Evidence:
    """Evidence that rests on facts: the first names source and request, all add their limitations."""
    if not facts:
        return Evidence(value, unknown)
    limits = dict.fromkeys(fact.limitation for fact in facts if fact.limitation)
    first = facts[0]
    return Evidence(value, unknown, str(first.source), first.request, "; ".join(limits) or None)


@lru_cache(1 << 14)
def name_words(name: str) -> tuple[str, ...]:
    """The words of a name in lower case, parted by spaces, `-`, `_` and `/`; dots are left out."""
    return tuple(name.lower().translate(_PARTING).split())


def midnight(day: date) -> datetime:
    """The moment a UTC day begins."""
    return datetime.combine(day, time(), UTC)


def to_come(moment: datetime, now: datetime) -> str | None:
    """Why nothing can have happened at a time; None where it is past, or ahead by what days and clocks differ."""
    return f"{moment:%Y-%m-%d} is still to come" if moment - now > AHEAD else None


def utc(moment: datetime) -> datetime:
    """The same moment in UTC; a time without a zone is taken as UTC."""
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)

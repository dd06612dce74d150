"""Evidence for one field of one connection, and the connection as the fields see it."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, time
from functools import cached_property
from itertools import islice
from typing import Any, NamedTuple

from bfaudit.inventory import by_fingerprint
from bfaudit.model import PERMISSIONS, Connection, Fact, Grant, ListedKey, Scanned, Source, Status
from bfaudit.policy.groups import Groups, Parts, group

LISTED = 20
"""How many other connections a field names; the rest is a number, so that one key in a whole fleet stays linear."""


class Evidence(NamedTuple):
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


class Held(NamedTuple):
    """Permission words for which something certainly holds, those for which it may, and the facts that decided."""

    certain: tuple[str, ...]
    possible: tuple[str, ...]
    facts: tuple[Fact, ...]


class Fleet:
    """What the connections of a fleet have in common; each grouping is made once, and only if a rule asks."""

    def __init__(self, connections: Sequence[Scanned], unselected: int = 0) -> None:
        self._connections = connections
        self.unselected = unselected
        """How many connections more the fleet has: a selection left them out of the scan."""

    def peers(self, groups: Groups, position: int) -> tuple[str, ...]:
        """The names of the other connections in the group of one."""
        members = groups.members[groups.keys[position]]
        others = [
            self._connections[i].connection.name
            for i in islice(members, LISTED + 1)
            if i != position
        ][:LISTED]
        more = len(members) - 1 - len(others)
        return (*others, f"and {more} more") if more else tuple(others)

    @cached_property
    def by_key(self) -> Groups:
        """Connections by the fingerprint of their key."""
        return group([scanned.fingerprint for scanned in self._connections])

    @cached_property
    def by_account(self) -> Groups:
        """Connections by exchange and declared account."""
        return group(
            [
                (s.connection.exchange, s.connection.account) if s.connection.account else None
                for s in self._connections
            ]
        )

    @cached_property
    def by_uid(self) -> Groups:
        """Connections by exchange and the account that the exchange reports."""
        uids = [scanned.facts.get("account_facts.uid") for scanned in self._connections]
        return group(
            [
                (scanned.connection.exchange, uid.value) if uid else None
                for scanned, uid in zip(self._connections, uids, strict=True)
            ]
        )

    @cached_property
    def by_strategy(self) -> Groups:
        """Active connections by exchange, account, strategy and required permissions, all declared."""
        return group([_strategy_key(scanned.connection) for scanned in self._connections])

    @cached_property
    def born(self) -> list[datetime | None]:
        """When each key was created, as far as that is known."""
        return [born_of(scanned) for scanned in self._connections]

    @cached_property
    def newest_of_strategy(self) -> Mapping[Any, tuple[datetime | None, bool]]:
        """For each group of `by_strategy` its newest key, and whether some of its keys have no date."""
        found: dict[Any, tuple[datetime | None, bool]] = {}
        for key, members in self.by_strategy.members.items():
            dates = [self.born[i] for i in members]
            known = [moment for moment in dates if moment is not None]
            found[key] = (max(known, default=None), len(known) < len(dates))
        return found

    @cached_property
    def strategies_by_uid(self) -> Parts:
        """The accounts that the exchange reports, by strategy."""
        return self._parts(self.by_uid, "strategy")

    @cached_property
    def strategies_by_account(self) -> Parts:
        """The accounts that are declared, by strategy."""
        return self._parts(self.by_account, "strategy")

    @cached_property
    def environments_by_key(self) -> Parts:
        """The keys, by environment."""
        return self._parts(self.by_key, "environment")

    @cached_property
    def environments_by_uid(self) -> Parts:
        """The accounts that the exchange reports, by environment."""
        return self._parts(self.by_uid, "environment")

    @cached_property
    def environments_by_account(self) -> Parts:
        """The accounts that are declared, by environment."""
        return self._parts(self.by_account, "environment")

    def _parts(self, groups: Groups, attribute: str) -> Parts:
        members: dict[Any, dict[str | None, list[int]]] = {}
        for key, positions in groups.members.items():
            parts = members[key] = {}
            for i in positions:
                one = self._connections[i].connection
                if one.lifecycle == "active":
                    parts.setdefault(getattr(one, attribute), []).append(i)
        return Parts(groups.keys, members)

    def apart(self, position: int, several: Sequence[Parts], attribute: str) -> Evidence:
        """The active connections that share a group with one, yet differ from it in an attribute."""
        own = getattr(self._connections[position].connection, attribute)
        if own is None:
            return Evidence(unknown=f"the manifest declares no `{attribute}`")
        keyed = [(parts, key) for parts in several if (key := parts.keys[position]) is not None]
        if not keyed:
            return Evidence(unknown="neither the account nor the key can be compared")
        found: dict[str, None] = {}
        undeclared: dict[str, None] = {}
        for parts, key in keyed:
            groups = parts.members[key]
            others = (i for value, some in groups.items() if value not in (own, None) for i in some)
            found.update((self._connections[i].connection.name, None) for i in islice(others, LISTED + 1))  # fmt: skip
            silent = (i for i in groups.get(None, ()) if i != position)
            undeclared.update((self._connections[i].connection.name, None) for i in islice(silent, LISTED))  # fmt: skip
        names = tuple(found)
        if not names and undeclared:
            return Evidence(unknown=f"no `{attribute}` is declared by {', '.join(undeclared)}")
        shown = names if len(names) <= LISTED else (*names[:LISTED], "and more")
        return Evidence(shown, None, Source.INVENTORY)

    @cached_property
    def fingerprints(self) -> frozenset[str]:
        """The keys that manifests declare."""
        return frozenset(one.fingerprint for one in self._connections if one.fingerprint)

    @cached_property
    def without_fingerprint(self) -> Counter[str]:
        """How many connections of each exchange have a key that is not known here."""
        return Counter(s.connection.exchange for s in self._connections if not s.fingerprint)

    @cached_property
    def listed(self) -> Mapping[str, ListedKey]:
        """The keys that listings show, by fingerprint."""
        return by_fingerprint(self._connections)

    @cached_property
    def by_words(self) -> Groups:
        """Connections by the words of their name, in any order and case."""
        return group([tuple(sorted(name_words(s.connection.name))) for s in self._connections])


def _strategy_key(one: Connection) -> Any:
    if one.lifecycle != "active" or one.account is None or one.strategy is None:
        return None
    return one.exchange, one.account, one.strategy, frozenset(one.requires)


def born_of(scanned: Scanned) -> datetime | None:
    """When a key was created: as the exchange says, else as its manifest says."""
    live = scanned.facts.get("key.created_at")
    if live is not None and isinstance(live.value, datetime):
        return utc(live.value)
    day = scanned.connection.created
    return None if day is None else midnight(day)


class Subject:
    """One connection under audit: what was declared, what was seen, its place in the fleet, and the time."""

    def __init__(self, scanned: Scanned, position: int, fleet: Fleet, now: datetime) -> None:
        self.scanned = scanned
        self.connection = scanned.connection
        self.known = scanned.facts.known
        self.position = position
        self.fleet = fleet
        self.now = now

    def why(self, path: str) -> str:
        """Why a fact is not known."""
        reason = self.scanned.facts.unknown.get(path)
        if reason:
            return reason
        if self.scanned.status is not Status.ONLINE:
            return f"not Online: {self.scanned.status}"
        return "the scan did not record it"

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
        paths = {*self.known, *self.scanned.facts.unknown}
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


def name_words(name: str) -> tuple[str, ...]:
    """The words of a name in lower case, parted by spaces, `-`, `_` and `/`; dots are left out."""
    return tuple(name.lower().translate(_PARTING).split())


def midnight(day: date) -> datetime:
    """The moment a UTC day begins."""
    return datetime.combine(day, time(), UTC)


def utc(moment: datetime) -> datetime:
    """The same moment in UTC; a time without a zone is taken as UTC."""
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)

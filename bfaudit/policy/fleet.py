"""A fleet as its fields see it: what connections have in common, those that a selection left out among them."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from functools import cached_property
from itertools import chain, islice
from typing import Any

from bfaudit.inventory import by_fingerprint
from bfaudit.model import Connection, ListedKey, Scanned, Source, Unselected
from bfaudit.policy.evidence import Evidence, born_of, name_words, withheld
from bfaudit.policy.groups import Groups, Parts, group
from bfaudit.policy.ran import NOT_TOLD, ScanRun

UID = "account_facts.uid"
NO_KEY = "this connection has no fingerprint of its key"
LISTED = 20
"""How many other connections a field names; the rest is a number, so that one key in a whole fleet stays linear."""


class Fleet:
    """What the connections of a fleet have in common; each grouping is made once, and only if a rule asks."""

    def __init__(
        self,
        connections: Sequence[Scanned],
        rest: Sequence[Unselected] = (),
        untold: int = 0,
        ran: ScanRun = NOT_TOLD,
    ) -> None:
        self._connections: Sequence[Scanned | Unselected] = (*connections, *rest)
        self._rest = range(len(connections), len(connections) + len(rest))
        """The positions of those that a selection left out: others are compared with them, and they are not judged."""
        self.untold = untold
        """How many connections more the fleet has, at least, of which nothing is known."""
        self.ran = ran

    def uncompared(self, position: int, groups: Groups) -> str | None:
        """Why the group of a connection may have members that are not seen; None where it cannot."""
        unasked = groups.unasked.get(self._connections[position].connection.exchange, ())
        count = self.untold + len(unasked)
        if count:
            return _uncompared(count)
        return self.unlike(position) if groups is self.by_key else None

    def unlike(self, position: int) -> str | None:
        """Why the key of a connection cannot be compared with those of others; None where it can."""
        one = self._connections[position]
        marks = self._marks[one.connection.exchange]
        if len(marks) < 2:
            return None
        count = marks.total() - marks[one.fingerprint_key] if one.fingerprint else 0
        if not count:
            return None
        return f"{count} of the fingerprints were made with another BFAUDIT_FINGERPRINT_KEY"

    @cached_property
    def _marks(self) -> Mapping[str, Counter[str | None]]:
        """What the fingerprints of each exchange were made with."""
        found: defaultdict[str, Counter[str | None]] = defaultdict(Counter)
        for one in self._connections:
            if one.fingerprint:
                found[one.connection.exchange][one.fingerprint_key] += 1
        return found

    def _grouped(self, keys: list[Any], positions: Iterable[int]) -> Groups:
        """Groups by what only a scan, or a key, can tell: of which these positions may lack it."""
        unasked: defaultdict[str, list[int]] = defaultdict(list)
        for i in positions:
            if keys[i] is None:
                unasked[self._connections[i].connection.exchange].append(i)
        return group(keys)._replace(unasked=unasked)

    def peers(self, groups: Groups, position: int) -> tuple[str, ...]:
        """The names of the other connections in the group of one."""
        members = groups.members[groups.keys[position]]
        if len(members) == 1:
            return ()
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
        keys = [scanned.fingerprint for scanned in self._connections]
        return self._grouped(keys, range(len(keys)))

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
        uids = [scanned.facts.get(UID) for scanned in self._connections]
        keys = [
            (scanned.connection.exchange, uid.value) if uid else None
            for scanned, uid in zip(self._connections, uids, strict=True)
        ]
        for i in self._rest:
            declared = self._connections[i].connection
            keys[i] = (declared.exchange, declared.uid) if declared.uid else None
        return self._grouped(keys, self._rest)

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
        unasked: defaultdict[str, Counter[str | None]] = defaultdict(Counter)
        for i in chain.from_iterable(groups.unasked.values()):
            one = self._connections[i].connection
            if one.lifecycle == "active":
                unasked[one.exchange][getattr(one, attribute)] += 1
        return Parts(groups.keys, members, unasked)

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
        unseen = None
        if not names:
            unseen = self._apart_unseen(position, [parts for parts, _ in keyed], own)
            unseen = unseen or self._accounts_untold(position, attribute, own)
            unseen = unseen or self._key_untold(position, several, own)
        if unseen:
            return Evidence(unknown=unseen)
        shown = names if len(names) <= LISTED else (*names[:LISTED], "and more")
        return Evidence(shown, None, Source.INVENTORY)

    def _apart_unseen(self, position: int, several: Sequence[Parts], own: str) -> str | None:
        """Why others may differ and share a group all the same; None where they cannot."""
        exchange = self._connections[position].connection.exchange
        others = (parts.unasked.get(exchange, {}) for parts in several)
        counts = [sum(each.values()) - each.get(own, 0) for each in others]
        count = self.untold + max(counts, default=0)
        if count:
            return _uncompared(count)
        if any(parts is self.environments_by_key for parts in several):
            return self.unlike(position)
        return None

    def _key_untold(self, position: int, several: Sequence[Parts], own: str) -> str | None:
        """Why others that differ may have the same key; None where its key is known, or no matter."""
        parts = self.environments_by_key
        if parts.keys[position] is not None or all(each is not parts for each in several):
            return None
        exchange = self._connections[position].connection.exchange
        return NO_KEY if any(self._differing(exchange, "environment", own)) else None

    def _accounts_untold(self, position: int, attribute: str, own: str) -> str | None:
        """Why a declared account does not stand for the real one; None where it does, or nobody can tell better.

        An exchange that tells the accounts of other keys may show, once it tells this one too, that they are the same.
        """
        one = self._connections[position]
        told, untold = self._differing(one.connection.exchange, attribute, own)
        if withheld(one, UID) and told + untold:
            return "the exchange did not tell the account of this key"
        if untold:
            return f"the exchange did not tell the account of others ({untold})"
        return self._accounts_undeclared(position, attribute, own)

    def _accounts_undeclared(self, position: int, attribute: str, own: str) -> str | None:
        """Why others may have the account of one of which the exchange does not tell it; None where they cannot."""
        if self.by_uid.keys[position] is not None:
            return None
        one = self._connections[position].connection
        if one.account is None:
            differs = any(self._differing(one.exchange, attribute, own))
            return "the manifest declares no `account`" if differs else None
        silent = self._accountless[attribute].get(one.exchange, Counter())
        count = silent.total() - silent[own]
        return f"others ({count}) declare no `account`" if count else None

    @cached_property
    def _accountless(self) -> Mapping[str, Mapping[str, Counter[str | None]]]:
        """By attribute and exchange, how many active connections of each value have no account, told or declared."""
        found: dict[str, defaultdict[str, Counter[str | None]]] = {}
        for attribute in ("strategy", "environment"):
            exchanges = found[attribute] = defaultdict(Counter)
            for one, uid in zip(self._connections, self.by_uid.keys, strict=True):
                declared = one.connection
                if declared.lifecycle == "active" and declared.account is None and uid is None:
                    exchanges[declared.exchange][getattr(declared, attribute)] += 1
        return found

    def _differing(self, exchange: str, attribute: str, own: str) -> tuple[int, int]:
        """How many active connections of an exchange differ in an attribute: with their account told, and withheld."""
        counts = self._told_accounts[attribute].get(exchange, {})
        differing = [pair for value, pair in counts.items() if value != own]
        return sum(told for told, _ in differing), sum(untold for _, untold in differing)

    @cached_property
    def _told_accounts(self) -> Mapping[str, Mapping[str, dict[str | None, tuple[int, int]]]]:
        """By attribute, exchange and value: the active connections whose account is told, and is withheld."""
        found: dict[str, dict[str, dict[str | None, tuple[int, int]]]] = {}
        for attribute in ("strategy", "environment"):
            exchanges = found[attribute] = {}
            for one in self._connections:
                declared = one.connection
                if declared.lifecycle == "active":
                    values = exchanges.setdefault(declared.exchange, {})
                    told, untold = values.get(getattr(declared, attribute), (0, 0))
                    gone = withheld(one, UID)
                    values[getattr(declared, attribute)] = (told + (not gone), untold + gone)
        return found

    @cached_property
    def fingerprints(self) -> frozenset[str]:
        """The keys that manifests declare."""
        return frozenset(one.fingerprint for one in self._connections if one.fingerprint)

    @cached_property
    def without_fingerprint(self) -> Counter[str]:
        """How many connections of each exchange have a key that is not known here."""
        return Counter(s.connection.exchange for s in self._connections if not s.fingerprint)

    def unnamed(self, position: int) -> int:
        """How many keys of the exchange of a connection cannot be told from those that it lists."""
        one = self._connections[position]
        marks = self._marks[one.connection.exchange]
        unlike = marks.total() - marks[one.fingerprint_key]
        return self.without_fingerprint[one.connection.exchange] + self.untold + unlike

    @cached_property
    def listed(self) -> Mapping[str, ListedKey]:
        """The keys that listings show, by fingerprint."""
        return by_fingerprint(one for one in self._connections if isinstance(one, Scanned))

    @cached_property
    def by_words(self) -> Groups:
        """Connections by the words of their name, in any order and case."""
        return group([tuple(sorted(name_words(s.connection.name))) for s in self._connections])


def _uncompared(count: int) -> str:
    return (
        f"at least {count} of the connections were not scanned, or their key is not known, "
        "and could not be compared"
    )


def _strategy_key(one: Connection) -> Any:
    if one.lifecycle != "active" or one.account is None or one.strategy is None:
        return None
    return one.exchange, one.account, one.strategy, frozenset(one.requires)

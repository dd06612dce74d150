"""Which connections share a key or an account: what one leak, or one frozen account, takes with it."""

from collections.abc import Sequence
from typing import NamedTuple

from bfaudit.report.connections import ConnectionView

GROUPS = 50
"""How many groups a report shows."""

NAMES = 20
"""How many connections of one key, and keys of one account, it names."""


class SharedKey(NamedTuple):
    """One key, and the connections that use it."""

    fingerprint: str
    names: tuple[str, ...]
    more: int
    """How many it does not name."""

    @property
    def number(self) -> int:
        """How many connections use it."""
        return len(self.names) + self.more


class SharedAccount(NamedTuple):
    """One account of an exchange with several connections; by its keys."""

    exchange: str
    uid: str | None
    """None where the exchange does not tell whose the key is."""
    keys: tuple[SharedKey, ...]
    """Those that serve the most connections first."""
    more: int
    """How many keys it does not name."""
    connections: int

    @property
    def shares_key(self) -> bool:
        """Whether one of its keys serves more than one connection."""
        return any(key.number > 1 for key in self.keys)


class Shared(NamedTuple):
    """The groups of a fleet."""

    accounts: tuple[SharedAccount, ...]
    """Those with a shared key first, then by size."""
    more: int
    """How many it does not show."""


def shared(connections: Sequence[ConnectionView]) -> Shared:
    """The groups of connections that share a key or an account, by fingerprint and uid."""
    owners = {each.fingerprint: each.uid for each in connections if each.fingerprint and each.uid}
    members: dict[tuple[str, str | None, str | None], dict[str, list[str]]] = {}
    for each in connections:
        if key := each.fingerprint:
            uid = each.uid or owners.get(key)
            group = (each.exchange, uid, None if uid else key)
            members.setdefault(group, {}).setdefault(key, []).append(each.name)
    found = sorted(
        (_account(exchange, uid, keys) for (exchange, uid, _), keys in members.items()),
        key=lambda group: (
            not group.shares_key,
            -group.connections,
            group.exchange,
            group.uid or "",
        ),
    )
    groups = [group for group in found if group.connections > 1]
    return Shared(tuple(groups[:GROUPS]), max(0, len(groups) - GROUPS))


def _account(exchange: str, uid: str | None, keys: dict[str, list[str]]) -> SharedAccount:
    every = sorted(keys.items(), key=lambda key: (-len(key[1]), key[0]))
    return SharedAccount(
        exchange=exchange,
        uid=uid,
        keys=tuple(
            SharedKey(fingerprint, tuple(names[:NAMES]), max(0, len(names) - NAMES))
            for fingerprint, names in every[:NAMES]
        ),
        more=max(0, len(every) - NAMES),
        connections=sum(map(len, keys.values())),
    )

"""What fields rest on. Connections with the same basis have the same evidence for every field that rests on it.

So the evidence of a field is worked out once per distinct basis, and the fields of a rule rarely rest on more than three.
A basis holds everything that its fields read, the sources and requests of facts and the reasons for silence included.
"""

from collections.abc import Callable, Hashable
from functools import cache
from operator import attrgetter

from bfaudit.facts import FACTS
from bfaudit.model import PERMISSIONS, Fact
from bfaudit.policy.evidence import Subject

Basis = Callable[[Subject], Hashable]

_PERMISSIONS = tuple(f"permissions.{word}" for word in PERMISSIONS)
_NETWORK = ("network.ip_restricted", "network.ip_allowlist")
_CATALOGUE = FACTS.keys()


@cache
def declared(*attributes: str) -> Basis:
    """What the manifest says in some attributes."""
    return attrgetter(*(f"connection.{name}" for name in attributes))


ROLE = ("exchange", "lifecycle", "environment", "purpose", "vendor", "requires", "tags")
"""What many connections of a fleet have in common."""


def status(subject: Subject) -> Hashable:
    """The answer of the connection test, and whether the key was ever answered there."""
    history = subject.scanned.history
    lived = history is not None and history.lived
    return subject.scanned.status, subject.scanned.reason, subject.life_unsaid, lived


def credentials(subject: Subject) -> Hashable:
    """How the credentials are referred to."""
    return tuple(subject.scanned.schemes.values())


def attestations(subject: Subject) -> Hashable:
    """What is vouched for."""
    return tuple(subject.connection.attestations.items())


def last_use(subject: Subject) -> Hashable:
    """When the key was last used, and what its age rests on where it never was."""
    used, unknown = subject.known.get("key.last_used_at"), subject.unknown
    since: Hashable = None
    if used is not None and used.value is None:
        born = "key.created_at"
        since = subject.known.get(born), unknown.get(born), subject.connection.created
    return (
        subject.connection.exchange,
        subject.scanned.status,
        used,
        unknown.get("key.last_used_at"),
        since,
    )


def permissions(subject: Subject) -> Hashable:
    """What is required and what is granted, the exchange's own words included."""
    known, unknown = subject.known, subject.unknown
    others: tuple[Hashable, ...] = ()
    if not (known.keys() <= _CATALOGUE and unknown.keys() <= _CATALOGUE):
        extra = sorted((known.keys() | unknown.keys()) - _CATALOGUE)
        others = tuple((path, known.get(path), unknown.get(path)) for path in extra)
    return (
        subject.scanned.status,
        subject.connection.requires,
        tuple(map(known.get, _PERMISSIONS)),
        tuple(map(unknown.get, _PERMISSIONS)),
        others,
    )


def network(subject: Subject) -> Hashable:
    """The declared servers and the allowlist."""
    known, unknown = subject.known, subject.unknown
    listed = known.get("network.ip_allowlist")
    return (
        subject.scanned.status,
        subject.connection.servers,
        known.get("network.ip_restricted"),
        _hashable(listed) if listed else None,
        tuple(map(unknown.get, _NETWORK)),
    )


def _hashable(fact: Fact) -> Hashable:
    value = fact.value if fact.value is None else tuple(fact.value)
    return value, fact.source, fact.request, fact.limitation

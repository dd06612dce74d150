"""Fields that are worked out from several facts or declarations: days, bindings, attestations, refusals."""

from collections.abc import Callable
from datetime import datetime

from msgspec.structs import replace

from bfaudit.model import PERMISSIONS, Grant, Reason, Source, Status
from bfaudit.policy.evidence import Evidence, Subject, known_by, name_words, to_come, utc
from bfaudit.policy.getters import Getter, attested, fact, tested

_NO_SIGHT = frozenset({Reason.UNRESOLVED_CREDENTIAL, Reason.AMBIGUOUS, Reason.MALFORMED_SECRET})
"""Refusals after which nothing else is known of how the exchange would have answered."""


def refused_for(*reasons: Reason) -> Getter:
    """Whether the exchange refused for one of these reasons; unknown where it did not get so far."""

    def get(subject: Subject) -> Evidence:
        scanned = subject.scanned
        if scanned.reason in reasons:
            return tested(True)
        if scanned.status is Status.EXCHANGE_UNAVAILABLE or scanned.reason in _NO_SIGHT:
            text = f"{scanned.status} ({scanned.reason})" if scanned.reason else str(scanned.status)
            return Evidence(unknown=text, source=Source.PROBE)
        return tested(False)

    return get


def ended(subject: Subject) -> Evidence:
    day = subject.connection.expires
    return Evidence(day is not None and subject.now.date() > day, None, Source.MANIFEST)


def ties(subject: Subject) -> Evidence:
    one = subject.connection
    pairs = (
        ("exchange", one.exchange), ("account", one.account), ("owner", one.owner), ("vendor", one.vendor),
        *(("server", server) for server in one.servers), *(("tag", tag) for tag in one.tags),
    )  # fmt: skip
    found = dict.fromkeys(f"{kind}:{name.lower()}" for kind, name in pairs if name)
    return Evidence(tuple(found), None, Source.MANIFEST)


def days_until(path: str) -> Getter:
    """Full days until a fact's time, negative once it is past; no value where the fact says never."""
    moment_of = fact(path, utc)

    def get(subject: Subject) -> Evidence:
        found = moment_of(subject)
        moment: datetime | None = found.value if found.judged else None
        return found if moment is None else replace(found, value=(moment - subject.now).days)

    return get


def unobserved(subject: Subject) -> Evidence:
    """The permission words of which no evidence says anything."""
    words = tuple(
        word
        for word in PERMISSIONS
        if (found := subject.known.get(f"permissions.{word}")) is None
        or found.value not in (Grant.GRANTED, Grant.DENIED)
    )
    return Evidence(words, None, Source.INTROSPECTION)


_TESTS = {"test.balance": "the balance read", "test.orders": "the order read"}
_MISSING = Reason.MISSING_PERMISSION.value


def contradictions(subject: Subject) -> Evidence:
    """How the connection test contradicts what the exchange says of the permission to read."""
    read = subject.known.get("permissions.read")
    made = {path: found for path in _TESTS if (found := subject.known.get(path)) is not None}
    if not made:
        return Evidence(unknown="no connection test was made (`--connection-test`)")
    if read is None or read.value not in (Grant.GRANTED, Grant.DENIED):
        return Evidence(unknown=subject.why("permissions.read"))
    wrong = _MISSING if read.value == Grant.GRANTED else "ok"
    ended = {"ok": "worked", _MISSING: "was refused for a missing permission"}[wrong]
    texts = (f"read is {read.value}, yet {_TESTS[path]} {ended}" for path, found in made.items() if found.value == wrong)  # fmt: skip
    return known_by((*made.values(), read), tuple(texts))


def label_matches(subject: Subject) -> Evidence:
    """Whether the key's label has the words of the declared one, or of the name where none is declared."""
    wanted = subject.connection.label or subject.connection.name
    live = fact("key.label", str, "")(subject)
    return (
        replace(live, value=name_words(live.value) == name_words(wanted)) if live.judged else live
    )


def bound_to_vendor(subject: Subject) -> Evidence:
    live = fact("key.third_party", str, "")(subject)
    if not live.judged:
        return live
    vendor = "".join(name_words(subject.connection.vendor or ""))
    return replace(live, value=bool(vendor) and vendor in "".join(name_words(live.value)))


def parent_matches(subject: Subject) -> Evidence:
    if subject.connection.parent is None:
        return Evidence(unknown="the manifest declares no `parent`")
    live = fact("account_facts.parent_uid", str, "")(subject)
    return replace(live, value=live.value == subject.connection.parent) if live.judged else live


def attested_days(name: str) -> Getter:
    """Full days since something was last attested, as far as it still counts."""

    def get(subject: Subject) -> Evidence:
        if name not in attested(subject):
            return Evidence(unknown=f"no valid attestation `{name}`")
        on = subject.connection.attestations[name].on
        return Evidence((subject.now.date() - on).days, None, Source.ATTESTATION)

    return get


def attestations(chosen: Callable[[Subject, str], bool]) -> Getter:
    """The names of the attestations that something holds of."""

    def get(subject: Subject) -> Evidence:
        names = (name for name in sorted(subject.connection.attestations) if chosen(subject, name))
        return Evidence(tuple(names), None, Source.ATTESTATION)

    return get


def lapsed(subject: Subject, name: str) -> bool:
    return name not in attested(subject)


def endless(subject: Subject, name: str) -> bool:
    return subject.connection.attestations[name].expires is None


def scan_age_days(subject: Subject) -> Evidence:
    age = (subject.now - utc(subject.scanned.scanned_at)).days
    return Evidence(max(0, age), None, "the snapshot")


def same_strategy(subject: Subject) -> Evidence:
    if subject.fleet.by_strategy.keys[subject.position] is None:
        return Evidence(unknown=_NOT_COMPARED)
    others = subject.fleet.peers(subject.fleet.by_strategy, subject.position)
    uncompared = subject.fleet.uncompared(subject.position, subject.fleet.by_strategy)
    if not others and uncompared:
        return Evidence(unknown=uncompared)
    return Evidence(others, None, Source.INVENTORY)


_NOT_COMPARED = "the manifest declares no `account` and `strategy`, or the connection is retired"


def replaced_days(subject: Subject) -> Evidence:
    """Full days since the newest key of the same strategy was created; 0 where it is this one."""
    fleet, at = subject.fleet, subject.position
    if fleet.by_strategy.keys[at] is None:
        return Evidence(unknown=_NOT_COMPARED)
    if uncompared := fleet.uncompared(at, fleet.by_strategy):
        return Evidence(unknown=uncompared)
    own, (newest, undated) = fleet.born[at], fleet.newest_of_strategy[fleet.by_strategy.keys[at]]
    if own is None or (newest == own and undated):
        return Evidence(unknown="it is not known when each of the strategy's keys was created")
    assert newest is not None  # noqa: S101 - own is one of them
    if why := to_come(newest, subject.now):
        return Evidence(unknown=why)
    days = max(0, (subject.now - newest).days) if newest > own else 0
    return Evidence(days, None, Source.INVENTORY)


def other_strategies(subject: Subject) -> Evidence:
    fleet = subject.fleet
    return fleet.apart(subject.position, (fleet.strategies_by_uid, fleet.strategies_by_account), "strategy")  # fmt: skip


def other_environments(subject: Subject) -> Evidence:
    fleet = subject.fleet
    return fleet.apart(
        subject.position,
        (fleet.environments_by_key, fleet.environments_by_uid, fleet.environments_by_account),
        "environment",
    )

"""How each field gets its value and its evidence from one connection."""

from collections.abc import Callable
from datetime import date, datetime
from typing import Any

from msgspec.structs import replace

from bfaudit.model import Attestation, Grant, Reason, Source, Status
from bfaudit.policy import addresses
from bfaudit.policy.addresses import Coverage, Split
from bfaudit.policy.evidence import (
    Evidence,
    Held,
    Subject,
    born_of,
    known_by,
    midnight,
    name_words,
    to_come,
    utc,
)
from bfaudit.policy.groups import Groups

Getter = Callable[[Subject], Evidence]

_MANIFEST = Source.MANIFEST  # in Python 3.11, a member of an enum is slow to look up


def declared(attribute: str) -> Getter:
    def get(subject: Subject) -> Evidence:
        value = getattr(subject.connection, attribute)
        return Evidence("" if value is None else value.strip(), None, _MANIFEST)

    return get


def declared_list(attribute: str) -> Getter:
    def get(subject: Subject) -> Evidence:
        return Evidence(tuple(getattr(subject.connection, attribute) or ()), None, Source.MANIFEST)

    return get


def declared_day(attribute: str) -> Getter:
    def get(subject: Subject) -> Evidence:
        day: date | None = getattr(subject.connection, attribute)
        if day is None:
            return Evidence(unknown=f"the manifest declares no `{attribute}`")
        return Evidence(midnight(day), None, Source.MANIFEST)

    return get


def fact(path: str, shape: Callable[[Any], Any], none: Any = None) -> Getter:
    """A fact as it is; `none` stands for a fact that says there is none."""

    def get(subject: Subject) -> Evidence:
        fact = subject.known.get(path)
        if fact is None:
            return Evidence(unknown=subject.why(path))
        value = none if fact.value is None else shape(fact.value)
        return Evidence(value, None, fact.source, fact.request, fact.limitation)

    return get


def fact_exists(path: str) -> Getter:
    def get(subject: Subject) -> Evidence:
        fact = subject.known.get(path)
        if fact is None:
            return Evidence(unknown=subject.why(path))
        return Evidence(fact.value is not None, None, fact.source, fact.request, fact.limitation)

    return get


def grant(path: str) -> Getter:
    def get(subject: Subject) -> Evidence:
        fact = subject.known.get(path)
        if fact is None or fact.value not in (Grant.GRANTED, Grant.DENIED):
            return Evidence(unknown=subject.why(path))
        granted = fact.value == Grant.GRANTED
        return Evidence(granted, None, fact.source, fact.request, fact.limitation)

    return get


def held(of: Callable[[Subject], Held]) -> Getter:
    """Whether the list of permissions has any member; true as soon as one is certain."""

    def get(subject: Subject) -> Evidence:
        held = of(subject)
        if held.possible and not held.certain:
            return Evidence(unknown=subject.why_words(held.possible))
        return known_by(held.facts, bool(held.certain))

    return get


def held_list(of: Callable[[Subject], Held]) -> Getter:
    def get(subject: Subject) -> Evidence:
        held = of(subject)
        why = subject.why_words(held.possible) if held.possible else None
        return known_by(held.facts, held.certain, why)

    return get


def held_possible(of: Callable[[Subject], Held]) -> Getter:
    return lambda subject: Evidence(of(subject).possible, None, Source.INTROSPECTION)


_RESTRICTED, _ALLOWLIST = "network.ip_restricted", "network.ip_allowlist"
_EVERYWHERE = Coverage(Split((), ()), Split((), ()), Split((), ()))


def covered(
    part: Callable[[Coverage], Split], shape: Callable[[Split], Any], needs: str = ""
) -> Getter:
    """What comparing the allowlist with the declared servers says; a key that is not restricted has no entries."""

    def get(subject: Subject) -> Evidence:
        restricted, listed = subject.known.get(_RESTRICTED), subject.known.get(_ALLOWLIST)
        servers = tuple(subject.connection.servers)
        if needs and not servers:
            return Evidence(unknown=needs)
        if restricted is not None and restricted.value is False and not (listed and listed.value):
            return known_by((restricted,), shape(part(_EVERYWHERE)))
        if listed is None or listed.value is None:
            return Evidence(unknown=subject.why(_ALLOWLIST))
        split = part(addresses.compare(tuple(listed.value), servers))
        value = shape(split)
        open_items = split.possible if isinstance(value, tuple) or not split.certain else ()
        why = f"masked or unreadable entries leave open: {', '.join(open_items)}"
        shown = value if isinstance(value, tuple) else None if open_items else value
        return known_by((listed,), shown, why if open_items else None)

    return get


def some(split: Split) -> bool:
    return bool(split.certain)


def none(split: Split) -> bool:
    return not split.certain


def certain(split: Split) -> tuple[str, ...]:
    return split.certain


def online(subject: Subject) -> Evidence:
    scanned = subject.scanned
    if scanned.status is Status.ONLINE and subject.life_unsaid:
        return Evidence(unknown=subject.life_unsaid, source=Source.PROBE)
    unsure = scanned.reason is Reason.PERMISSIONS_UNKNOWN
    if unsure or scanned.status is Status.EXCHANGE_UNAVAILABLE:
        return Evidence(unknown=_status_text(subject), source=Source.PROBE)
    return tested(scanned.status is Status.ONLINE)


_REFUSED = frozenset({
    Reason.UNKNOWN_KEY, Reason.WRONG_SECRET, Reason.WRONG_PASSPHRASE, Reason.MALFORMED_SECRET, Reason.EXPIRED,
    Reason.DISABLED, Reason.WRONG_SITE, Reason.UNKNOWN_HERE,
})  # fmt: skip
_DEAD = frozenset({Reason.UNKNOWN_KEY, Reason.EXPIRED, Reason.DISABLED})
_ELSEWHERE = "it may live at another site of the exchange; an earlier snapshot in which it lived at this one would tell"
_ACCEPTED = frozenset({Status.ONLINE, Status.NO_TRADING_PERMISSION})


def authenticates(subject: Subject) -> Evidence:
    if subject.scanned.status in _ACCEPTED:
        return tested(True)
    if subject.scanned.reason in _REFUSED:
        return tested(False)
    return Evidence(unknown=_status_text(subject), source=Source.PROBE)


def dead(subject: Subject) -> Evidence:
    if subject.scanned.status in _ACCEPTED:
        if subject.life_unsaid:
            return Evidence(unknown=subject.life_unsaid, source=Source.PROBE)
        return tested(False)
    if subject.scanned.reason in _DEAD:
        return tested(True)
    if subject.scanned.reason is Reason.UNKNOWN_HERE:
        history = subject.scanned.history
        if history is not None and history.lived:
            return tested(True)
        return Evidence(unknown=f"{_status_text(subject)}: {_ELSEWHERE}", source=Source.PROBE)
    return Evidence(unknown=_status_text(subject), source=Source.PROBE)


def tested(value: Any) -> Evidence:
    """Evidence of the connection test."""
    return Evidence(value, None, Source.PROBE)


def _status_text(subject: Subject) -> str:
    reason = subject.scanned.reason
    return f"{subject.scanned.status} ({reason})" if reason else str(subject.scanned.status)


NO_DECLARED_DATE = (
    "the manifest declares no `created`, which would count where an exchange never tells it"
)


_created = fact("key.created_at", utc)
_last_used = fact("key.last_used_at", utc)


def born(subject: Subject) -> Evidence:
    """When the key was created, as the exchange says, else as the manifest says."""
    live = _created(subject)
    if live.judged:
        return _past(live, subject)
    moment = born_of(subject.scanned)
    if moment is None:
        return Evidence(unknown=f"{live.unknown or 'no date'}; {NO_DECLARED_DATE}")
    limitation = "declared in the manifest; the exchange does not confirm it"
    return _past(Evidence(moment, None, _MANIFEST, None, limitation), subject)


def age_days(subject: Subject) -> Evidence:
    found = born(subject)
    return replace(found, value=_days(found.value, subject.now)) if found.judged else found


def idle_days(subject: Subject) -> Evidence:
    used = _last_used(subject)
    if used.unknown is not None:
        return used
    if used.value is None:  # never used: idle since its creation
        return age_days(subject)
    used = _past(used, subject)
    return replace(used, value=_days(used.value, subject.now)) if used.judged else used


def last_use_known(subject: Subject) -> Evidence:
    used = _last_used(subject)
    known = used.unknown is None
    if subject.withheld("key.last_used_at"):
        return used
    return replace(used, value=known, unknown=None, source=used.source or Source.INTROSPECTION)


def _past(found: Evidence, subject: Subject) -> Evidence:
    """The evidence of a time, which a time that is still to come is not."""
    why = to_come(found.value, subject.now)
    return replace(found, value=None, unknown=why) if why else found


def _days(since: datetime, now: datetime) -> int:
    return max(0, (now - since).days)


def uid_matches(subject: Subject) -> Evidence:
    live = fact("account_facts.uid", str, "")(subject)
    if subject.connection.uid is None:
        return Evidence(unknown="the manifest declares no `uid`")
    return replace(live, value=live.value == subject.connection.uid) if live.judged else live


def counts_on(said: Attestation, day: date) -> bool:
    """Whether an attestation counts on a day: dated, not in the future, not expired."""
    return said.on <= day and (said.expires is None or day <= said.expires)


def attested(subject: Subject) -> tuple[str, ...]:
    today = subject.now.date()
    return tuple(
        sorted(
            name for name, said in subject.connection.attestations.items() if counts_on(said, today)
        )
    )


def words(subject: Subject) -> Evidence:
    """The words of the name."""
    return Evidence(name_words(subject.connection.name), None, _MANIFEST)


def context_words(subject: Subject) -> Evidence:
    """The words that tell what a connection is for."""
    one = subject.connection
    texts = [one.account, one.strategy, one.purpose, one.vendor, *(one.symbols or ())]
    found = dict.fromkeys(word for text in texts if text for word in name_words(text))
    return Evidence(tuple(found), None, _MANIFEST)


def schemes(subject: Subject) -> Evidence:
    schemes = tuple(sorted({*subject.scanned.schemes.values()}))
    return Evidence(schemes, None, Source.MANIFEST)


def references_only(subject: Subject) -> Evidence:
    schemes = subject.scanned.schemes.values()
    if not schemes:
        return Evidence(unknown="the scan recorded no credential reference")
    return Evidence("literal" not in schemes and "" not in schemes, None, Source.MANIFEST)


def peers(groups: Callable[[Subject], Groups], missing: str) -> Getter:
    def get(subject: Subject) -> Evidence:
        found = groups(subject)
        if found.keys[subject.position] is None:
            return Evidence(unknown=missing)
        others = subject.fleet.peers(found, subject.position)
        uncompared = subject.fleet.uncompared(subject.position, found)
        if not others and uncompared:
            return Evidence(unknown=uncompared)
        left_out = found.left_out + subject.fleet.untold
        limit = f"{left_out} of the connections could not be compared" if left_out else None
        return Evidence(others, None, Source.INVENTORY, None, limit)

    return get

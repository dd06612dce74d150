"""One row per connection: how its test ended, what its key may do, how old it is, what is worst about it."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from typing import NamedTuple

from msgspec import Struct

from bfaudit.lang import ENGLISH, Language
from bfaudit.model import (
    PERMISSIONS,
    Audit,
    Fact,
    Facts,
    Grant,
    Outcome,
    Place,
    Reason,
    RequestMade,
    Result,
    Scanned,
    Severity,
    Status,
)
from bfaudit.report.findings import RuleView
from bfaudit.report.thief import Thief, Thieves
from bfaudit.report.wording import moment, show
from bfaudit.sealed import utc

MARKS: Mapping[Status, str] = {
    Status.ONLINE: "✓",
    Status.INVALID_KEY: "✕",
    Status.NO_TRADING_PERMISSION: "⊘",
    Status.IP_NOT_ALLOWED: "⊘",
    Status.EXCHANGE_UNAVAILABLE: "?",
}
"""A sign per status, always beside its words."""

ENDS = ("key.expires_at", "key.lapses_at")
"""The facts that end a key."""

WORDS = {severity: severity.word for severity in Severity}

OTHER = "permissions.other:"

GRANT_MARKS: Mapping[Grant, str] = {Grant.GRANTED: "●", Grant.DENIED: "–", Grant.UNKNOWN: "?"}


class Permission(NamedTuple):
    """One permission of a key, and whether the manifest asks for it."""

    word: str
    grant: str
    mark: str
    required: bool
    label: str
    """What a screen reader says: `withdraw: granted, not required`."""

    @property
    def tone(self) -> str:
        """`excess` for what is granted and not required, `missing` for the reverse, else the grant."""
        if self.grant == Grant.GRANTED and not self.required:
            return "excess"
        return "missing" if self.grant == Grant.DENIED and self.required else self.grant


class ConnectionView(Struct, frozen=True, kw_only=True):
    """One connection, as a report shows it."""

    name: str
    exchange: str
    account: str | None
    strategy: str | None
    owner: str | None
    purpose: str | None
    status: str
    mark: str
    tone: str
    """`good`, `bad`, or `unsure` where the test could not tell."""
    reason: str | None
    detail: str
    advice: str
    permissions: tuple[Permission, ...]
    """The words of every key, in their order."""
    others: tuple[Permission, ...]
    """What the exchange grants beyond them, by its own names."""
    addresses: str
    unrestricted: bool
    age: str
    age_days: int | None
    created: str
    used: str
    """When the key was last used."""
    ends: str
    """When the key expires or lapses, whichever is first; `never`, or `unknown`."""
    ends_at: datetime | None
    ends_why: str
    """The rule by which it ends, or why nobody knows."""
    thief: Thief
    uid: str | None
    label: str | None
    fingerprint: str | None
    worst: str | None
    """The worst severity of its findings."""
    findings: Mapping[str, int]
    """Its findings by severity, worst first, without those under an exception; only what there is."""
    excepted: int
    unanswered: int
    passed: int
    requests: tuple[RequestMade, ...]
    unknown: Mapping[str, str]
    place: Place
    scanned: str

    @property
    def unseen(self) -> bool:
        """Whether its key could not be looked at."""
        return self.status == Status.EXCHANGE_UNAVAILABLE or (
            self.reason == Reason.UNRESOLVED_CREDENTIAL
        )

    @property
    def granted(self) -> tuple[str, ...]:
        """The permissions that the key is known to have."""
        every = (*self.permissions, *self.others)
        return tuple(each.word for each in every if each.grant == Grant.GRANTED)


def connection_views(
    audit: Audit, asking: Iterable[Result], rules: Iterable[RuleView], lang: Language = ENGLISH
) -> tuple[ConnectionView, ...]:
    """The connections of an audit, in the order of its snapshot; `asking` are the results without a pass."""
    found: defaultdict[str, list[Result]] = defaultdict(list)
    for result in asking:
        found[result.connection].append(result)
    passed = Counter(name for rule in rules for name in rule.passed)
    thieves = Thieves(lang)
    return tuple(
        _view(scanned, audit.generated_at, found[name], passed[name], thieves, lang)
        for scanned in audit.snapshot.connections
        for name in (scanned.connection.name,)
    )


def _view(
    scanned: Scanned,
    now: datetime,
    asking: Sequence[Result],
    passed: int,
    thieves: Thieves,
    lang: Language,
) -> ConnectionView:
    connection, facts = scanned.connection, scanned.facts
    created = facts.get("key.created_at")
    label, uid = facts.get("key.label"), facts.get("account_facts.uid")
    restricted = facts.get("network.ip_restricted")
    failed = [each for each in asking if each.judgement.outcome is Outcome.FAIL]
    counted = Counter(each.rule.severity for each in failed if each.exception is None)
    findings = {WORDS[severity]: counted[severity] for severity in sorted(counted, reverse=True)}
    ends_at, ends, ends_why = _end(facts, lang)
    age_days = _age_days(created, now)
    unknown = lang.say("unknown")
    return ConnectionView(
        name=connection.name,
        exchange=connection.exchange,
        account=connection.account,
        strategy=connection.strategy,
        owner=connection.owner,
        purpose=connection.purpose,
        status=scanned.status.value,
        mark=MARKS[scanned.status],
        tone=_tone(scanned),
        reason=scanned.reason and scanned.reason.value,
        detail=lang.sentence(scanned.detail),
        advice=lang.sentence(scanned.advice),
        permissions=tuple(_permission(scanned, word, lang) for word in PERMISSIONS),
        others=tuple(
            _permission(scanned, path.removeprefix("permissions."), lang)
            for path in sorted(
                path for path in (*facts.known, *facts.unknown) if path.startswith(OTHER)
            )
        ),
        addresses=_addresses(restricted, facts.get("network.ip_allowlist"), lang),
        unrestricted=restricted is not None and restricted.value is False,
        age=unknown if age_days is None else lang.plural("{n} day", "{n} days", age_days),
        age_days=age_days,
        created=show(created.value) if created else unknown,
        used=_used(facts.get("key.last_used_at"), lang),
        ends=ends,
        ends_at=ends_at,
        ends_why=ends_why,
        thief=thieves.of(facts),
        uid=show(uid.value) if uid and uid.value is not None else None,
        label=show(label.value) if label and label.value is not None else None,
        fingerprint=scanned.fingerprint,
        worst=next(iter(findings), None),
        findings=findings,
        excepted=len(failed) - counted.total(),
        unanswered=len(asking) - len(failed),
        passed=passed,
        requests=scanned.requests,
        unknown=facts.unknown,
        place=connection.place,
        scanned=moment(scanned.scanned_at),
    )


def _end(facts: Facts, lang: Language) -> tuple[datetime | None, str, str]:
    """When a key ends: the time, in words, and why or why not."""
    known = [(path, fact) for path in ENDS if (fact := facts.get(path))]
    dated = [
        (utc(fact.value), path, fact) for path, fact in known if isinstance(fact.value, datetime)
    ]
    if dated:
        at, path, fact = min(dated, key=lambda end: end[0])
        why = "; ".join(map(lang.sentence, filter(None, (fact.via, fact.limitation))))
        day = f"{at:%Y-%m-%d}"
        expires = path == "key.expires_at"
        told = lang.say("expires {day}", day=day) if expires else lang.say("lapses {day}", day=day)
        return at, told, why
    if len(known) == len(ENDS):
        return None, lang.say("never"), ""
    found = dict.fromkeys(filter(None, map(facts.unknown.get, ENDS)))
    why = "; ".join(map(lang.sentence, found or ("the scan did not record it",)))
    return None, lang.say("unknown"), why


def _used(used: Fact | None, lang: Language) -> str:
    if used is None:
        return lang.say("unknown")
    return lang.say("never") if used.value is None else show(used.value)


def _tone(scanned: Scanned) -> str:
    if scanned.status is Status.ONLINE:
        return "unsure" if scanned.reason is Reason.PERMISSIONS_UNKNOWN else "good"
    return "unsure" if scanned.status is Status.EXCHANGE_UNAVAILABLE else "bad"


def _permission(scanned: Scanned, word: str, lang: Language) -> Permission:
    fact = scanned.facts.known.get(f"permissions.{word}")
    grant = fact.value if fact else Grant.UNKNOWN
    return _shown(word, grant, word in scanned.connection.requires, lang)


@lru_cache(4096)
def _shown(word: str, value: str, required: bool, lang: Language) -> Permission:
    grant = Grant(value)
    wish = lang.say("required") if required else lang.say("not required")
    label = f"{word}: {lang.say(grant.value)}, {wish}"
    return Permission(word, grant.value, GRANT_MARKS[grant], required, label)


def _addresses(restricted: Fact | None, allowlist: Fact | None, lang: Language) -> str:
    if restricted is not None and restricted.value is False:
        return lang.say("any address")
    if allowlist is not None and allowlist.value:
        return show(allowlist.value)
    if restricted is not None and restricted.value is True:
        return lang.say("restricted, list unknown")
    return lang.say("unknown")


def _age_days(created: Fact | None, now: datetime) -> int | None:
    if created is None or not isinstance(created.value, datetime):
        return None
    return (now - utc(created.value)).days

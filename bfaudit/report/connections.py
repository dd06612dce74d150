"""One row per connection: how its test ended, what its key may do, how old it is, what is worst about it."""

from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from bfaudit.model import (
    PERMISSIONS,
    Audit,
    Fact,
    Grant,
    Outcome,
    Place,
    Reason,
    RequestMade,
    Scanned,
    Severity,
    Status,
)
from bfaudit.report.wording import count, moment, show

MARKS: Mapping[Status, str] = {
    Status.ONLINE: "✓",
    Status.INVALID_KEY: "✕",
    Status.NO_TRADING_PERMISSION: "⊘",
    Status.IP_NOT_ALLOWED: "⊘",
    Status.EXCHANGE_UNAVAILABLE: "?",
}
"""A sign per status, always beside its words."""

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


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectionView:
    """One connection, as a report shows it."""

    name: str
    exchange: str
    account: str | None
    strategy: str | None
    owner: str | None
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
    created: str
    label: str | None
    fingerprint: str | None
    worst: str | None
    """The worst severity of its findings."""
    findings: Mapping[str, int]
    """Its findings by severity, worst first, without those under an exception; only what there is."""
    unanswered: int
    passed: int
    requests: tuple[RequestMade, ...]
    unknown: Mapping[str, str]
    place: Place
    scanned: str

    @property
    def granted(self) -> tuple[str, ...]:
        """The permissions that the key is known to have."""
        every = (*self.permissions, *self.others)
        return tuple(each.word for each in every if each.grant == Grant.GRANTED)


def connection_views(audit: Audit) -> tuple[ConnectionView, ...]:
    """The connections of an audit, in the order of its snapshot."""
    failed: defaultdict[str, Counter[Severity]] = defaultdict(Counter)
    outcomes: defaultdict[str, Counter[Outcome]] = defaultdict(Counter)
    for result in audit.results:
        outcomes[result.connection][result.outcome] += 1
        if result.outcome is Outcome.FAIL and result.exception is None:
            failed[result.connection][result.rule.severity] += 1
    return tuple(
        _view(scanned, audit.generated_at, failed[name], outcomes[name])
        for scanned in audit.snapshot.connections
        for name in (scanned.connection.name,)
    )


def _view(
    scanned: Scanned, now: datetime, failed: Counter[Severity], outcomes: Counter[Outcome]
) -> ConnectionView:
    connection, facts = scanned.connection, scanned.facts
    created = facts.get("key.created_at")
    label = facts.get("key.label")
    restricted = facts.get("network.ip_restricted")
    findings = {severity.word: failed[severity] for severity in sorted(failed, reverse=True)}
    return ConnectionView(
        name=connection.name,
        exchange=connection.exchange,
        account=connection.account,
        strategy=connection.strategy,
        owner=connection.owner,
        status=scanned.status.value,
        mark=MARKS[scanned.status],
        tone=_tone(scanned),
        reason=scanned.reason and scanned.reason.value,
        detail=scanned.detail,
        advice=scanned.advice,
        permissions=tuple(_permission(scanned, word) for word in PERMISSIONS),
        others=tuple(
            _permission(scanned, path.removeprefix("permissions."))
            for path in sorted({*facts.known, *facts.unknown})
            if path.startswith("permissions.other:")
        ),
        addresses=_addresses(restricted, facts.get("network.ip_allowlist")),
        unrestricted=restricted is not None and restricted.value is False,
        age=_age(created, now),
        created=show(created.value) if created else "unknown",
        label=show(label.value) if label and label.value is not None else None,
        fingerprint=scanned.fingerprint,
        worst=next(iter(findings), None),
        findings=findings,
        unanswered=outcomes[Outcome.UNKNOWN] + outcomes[Outcome.ERROR],
        passed=outcomes[Outcome.PASS],
        requests=scanned.requests,
        unknown=facts.unknown,
        place=connection.place,
        scanned=moment(scanned.scanned_at),
    )


def _tone(scanned: Scanned) -> str:
    if scanned.status is Status.ONLINE:
        return "unsure" if scanned.reason is Reason.PERMISSIONS_UNKNOWN else "good"
    return "unsure" if scanned.status is Status.EXCHANGE_UNAVAILABLE else "bad"


def _permission(scanned: Scanned, word: str) -> Permission:
    grant = scanned.facts.grant(word)
    required = word in scanned.connection.requires
    wish = "required" if required else "not required"
    return Permission(
        word, grant.value, GRANT_MARKS[grant], required, f"{word}: {grant.value}, {wish}"
    )


def _addresses(restricted: Fact | None, allowlist: Fact | None) -> str:
    if restricted is not None and restricted.value is False:
        return "any address"
    if allowlist is not None and allowlist.value:
        return show(allowlist.value)
    if restricted is not None and restricted.value is True:
        return "restricted, list unknown"
    return "unknown"


def _age(created: Fact | None, now: datetime) -> str:
    if created is None or not isinstance(created.value, datetime):
        return "unknown"
    return count((now - created.value).days, "day")

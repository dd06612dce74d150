"""An audit seen by the controls of a framework: what gives evidence for each, how it came out, what is not covered.

Nothing here says that anybody complies: it says what was looked at, and what came of it.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import NamedTuple

import bfaudit
from bfaudit.model import Attestation, Audit, Outcome, Rejected, Result, Rule
from bfaudit.policy.frameworks import Control, Framework
from bfaudit.policy.getters import counts_on

STATES: Mapping[str, str] = {
    "failed": "a rule fails on a connection, without an exception",
    "incomplete": "a rule has no answer on a connection",
    "excepted": "rules fail under approved exceptions only",
    "passed": "every rule passes on every connection that it applies to",
    "attested": "no rule judges it; people vouch for it on every active connection",
    "not judged": "no rule of this audit applied, and not every connection is vouched for",
}
"""What a control can come to, worst first."""

SIGN_OFF = ("Prepared by", "Reviewed by", "Approved by")


class Reference(NamedTuple):
    """One result that asks for a reader."""

    connection: str
    outcome: str
    message: str
    fingerprint: str
    exception: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleLine:
    """A rule that gives evidence for a control."""

    id: str
    policy: str
    title: str
    severity: str
    outcomes: Mapping[str, int]
    """By outcome, all five; excepted failures count as `fail`."""
    excepted: int
    evidence: tuple[str, ...]
    """Where its evidence is from: source and request, each once."""
    open: tuple[Reference, ...]
    """What failed or has no answer."""
    overridden: tuple[tuple[str, str], ...]
    """What a policy changed of the rule, and why."""


class AttestationLine(NamedTuple):
    """What people vouch for, over the active connections; of `vendor_...`, over those that a vendor uses."""

    name: str
    vouched: int
    total: int
    by: tuple[str, ...]
    oldest: date | None
    """The day of the oldest that counts."""
    ends: date | None
    """The last day on which all of them count, as far as they have an end."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ControlView:
    """One control, and what the audit has to say of it."""

    id: str
    title: str
    state: str
    rules: tuple[RuleLine, ...]
    attestations: tuple[AttestationLine, ...]
    uncovered: tuple[str, ...]
    """What no rule of this audit judges, and why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Compliance:
    """An audit by the controls of one framework."""

    framework: Framework
    controls: tuple[ControlView, ...]
    states: Mapping[str, int]
    """How many controls came to what, worst first, all six."""
    connections: int
    interrupted: bool
    """Whether the scan was stopped early, so that connections are missing."""
    unselected: int
    """How many connections of the fleet a selection left out."""
    rejected: tuple[Rejected, ...]
    policies: tuple[str, ...]
    generated: datetime
    scanned: datetime
    redirected: tuple[str, ...]
    """Exchanges that were asked elsewhere than at their own address: what they said is no evidence."""
    version: str
    sign_off: tuple[str, ...] = SIGN_OFF


def compliance(audit: Audit, framework: Framework) -> Compliance:
    """What an audit says of each control of a framework, in the framework's order."""
    serving: dict[str, list[Rule]] = {}
    for rule in audit.rules:
        for control in rule.controls.get(framework.id, ()):
            serving.setdefault(control, []).append(rule)
    left_out: dict[str, list[Rule]] = {}
    for rule in audit.left_out:
        for control in rule.controls.get(framework.id, ()):
            left_out.setdefault(control, []).append(rule)
    results: dict[str, list[Result]] = {rule.id: [] for rule in audit.rules}
    for result in audit.results:
        results.setdefault(result.rule.id, []).append(result)
    lines = {
        rule.id: _line(rule, results[rule.id])
        for rule in {one.id: one for some in serving.values() for one in some}.values()
    }
    views = tuple(
        _control(
            control,
            [lines[rule.id] for rule in serving.get(control.id, ())],
            left_out.get(control.id, ()),
            audit,
        )
        for control in framework.controls
    )
    counted = Counter(view.state for view in views)
    return Compliance(
        framework=framework,
        controls=views,
        states={state: counted[state] for state in STATES},
        connections=len(audit.snapshot.connections),
        interrupted=audit.snapshot.interrupted,
        unselected=audit.snapshot.unselected,
        rejected=audit.snapshot.rejected,
        policies=audit.policies,
        generated=audit.generated_at,
        scanned=audit.snapshot.generated_at,
        redirected=tuple(one.id for one in audit.snapshot.exchanges if one.redirected),
        version=bfaudit.__version__,
    )


def _control(
    control: Control, rules: Sequence[RuleLine], left_out: Iterable[Rule], audit: Audit
) -> ControlView:
    attestations = tuple(_attested(name, audit) for name in control.attestations)
    uncovered = [control.uncovered] if control.uncovered else []
    uncovered += [
        f"The rule {rule.id} was switched off: {rule.overridden.get('enabled', 'no reason given')}."
        for rule in left_out
    ]
    if not rules:
        uncovered.append("No rule of the audited policies serves this control.")
    elif not any(_judged(rule) for rule in rules):
        uncovered.append("Its rules applied to no connection.")
    return ControlView(
        id=control.id,
        title=control.title,
        state=_state(rules, attestations),
        rules=tuple(rules),
        attestations=attestations,
        uncovered=tuple(uncovered),
    )


def _state(rules: Sequence[RuleLine], attestations: Sequence[AttestationLine]) -> str:
    total: Counter[str] = Counter()
    excepted = 0
    for rule in rules:
        total.update(rule.outcomes)
        excepted += rule.excepted
    if total[Outcome.FAIL] > excepted:
        return "failed"
    if total[Outcome.UNKNOWN] + total[Outcome.ERROR]:
        return "incomplete"
    if excepted:
        return "excepted"
    if total[Outcome.PASS]:
        return "passed"
    vouched = bool(attestations) and all(0 < one.total == one.vouched for one in attestations)
    return "attested" if vouched else "not judged"


def _judged(rule: RuleLine) -> int:
    return sum(number for name, number in rule.outcomes.items() if name != Outcome.NOT_APPLICABLE)


def _line(rule: Rule, results: Sequence[Result]) -> RuleLine:
    counted = Counter(result.outcome for result in results)
    sources = dict.fromkeys(
        ", ".join(filter(None, (seen.source, seen.request)))
        for judgement in {id(result.judgement): result.judgement for result in results}.values()
        for seen in judgement.observations
        if seen.unknown is None and seen.source
    )
    return RuleLine(
        id=rule.id,
        policy=rule.policy,
        title=rule.title,
        severity=rule.severity.word,
        outcomes={outcome.value: counted[outcome] for outcome in Outcome},
        excepted=sum(one.outcome is Outcome.FAIL and one.exception is not None for one in results),
        evidence=tuple(sorted(sources)),
        open=tuple(
            Reference(
                one.connection,
                one.outcome.value,
                one.judgement.message,
                one.fingerprint,
                one.exception,
            )
            for one in results
            if one.outcome in (Outcome.FAIL, Outcome.UNKNOWN, Outcome.ERROR)
        ),
        overridden=tuple(rule.overridden.items()),
    )


def _attested(name: str, audit: Audit) -> AttestationLine:
    today = audit.generated_at.date()
    active = [
        one.connection
        for one in audit.snapshot.connections
        if one.connection.lifecycle == "active"
        and (one.connection.vendor or not name.startswith("vendor_"))
    ]
    said: list[Attestation] = [
        found
        for one in active
        if (found := one.attestations.get(name)) is not None and counts_on(found, today)
    ]
    return AttestationLine(
        name=name,
        vouched=len(said),
        total=len(active),
        by=tuple(sorted({one.by for one in said})),
        oldest=min((one.on for one in said), default=None),
        ends=min((one.expires for one in said if one.expires), default=None),
    )

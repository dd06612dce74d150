"""The results that ask for a reader, with everything a format shows of them."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import NamedTuple

from bfaudit.model import Audit, Json, Observation, Outcome, Place, Result, Rule, Scanned
from bfaudit.report.counts import SEVERITIES
from bfaudit.report.wording import moment, paragraph, show
from bfaudit.sealed import plain

FIRST = 5
"""How many things to do first a report names."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleView:
    """One rule, and what became of it over all connections."""

    id: str
    policy: str
    title: str
    severity: str
    rationale: str
    references: tuple[str, ...]
    controls: tuple[tuple[str, str], ...]
    """Framework, and its controls in one text."""
    outcomes: Mapping[str, int]
    passed: tuple[str, ...]
    """The connections that passed."""


class Observed(NamedTuple):
    """A field that a rule read, as text."""

    field: str
    value: str
    """`unknown` where `unknown` says why; of a list not known in full, what is certain."""
    unknown: str | None
    source: str
    """Source and request, such as `introspection, GET /api/v3/account`; empty where neither is known."""
    limitation: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One result that asks for a reader: failed, unknown, or an error."""

    rule: RuleView
    outcome: str
    connection: str
    exchange: str
    message: str
    expected: str
    observed: tuple[Observed, ...]
    fix: str
    """What to do about it on this exchange; empty where the rule does not say."""
    place: Place
    fingerprint: str
    exception: str | None
    scanned: str
    """When the evidence was gathered."""

    @property
    def remark(self) -> str:
        """What the message says beyond the rule's title; empty where it says the same."""
        return "" if self.message.rstrip(".") == self.rule.title.rstrip(".") else self.message

    @property
    def missing(self) -> tuple[Observed, ...]:
        """The evidence that is not known."""
        return tuple(seen for seen in self.observed if seen.unknown is not None)


class Group(NamedTuple):
    """The findings of one rule."""

    rule: RuleView
    findings: tuple[Finding, ...]


class Gap(NamedTuple):
    """Rules without an answer on the same connections, for the same reasons."""

    outcome: str
    rules: tuple[RuleView, ...]
    reasons: tuple[tuple[str, tuple[str, ...]], ...]
    """Why, and the fields that it hides."""
    findings: tuple[Finding, ...]
    """One per connection."""


def actual(observations: Iterable[Observation]) -> dict[str, Json]:
    """What a rule saw, by field; null where there is none, or where `unknown` says why it is not known."""
    return {seen.field: None if seen.unknown else plain(seen.value) for seen in observations}


def unknown(observations: Iterable[Observation]) -> dict[str, str]:
    """Why a field that a rule reads is not known, by field."""
    return {seen.field: seen.unknown for seen in observations if seen.unknown is not None}


def fix(rule: Rule, exchange: str) -> str:
    """What a rule says to do on an exchange."""
    return paragraph(rule.remediation.get(exchange) or rule.remediation.get("text", ""))


def alike(findings: Sequence[Finding]) -> Iterator[tuple[Finding, ...]]:
    """The findings that differ by connection only, together; in the order of their first."""
    together: dict[object, list[Finding]] = {}
    for each in findings:
        look = (each.rule.id, each.outcome, each.message, each.expected, each.fix, each.exception)
        together.setdefault((*look, each.observed), []).append(each)
    return map(tuple, together.values())


def gaps(findings: Iterable[Finding]) -> tuple[Gap, ...]:
    """What has no answer, joined by reason: one key that does not work hides many rules in the same way."""
    by_reason: dict[tuple[str, str, tuple[str, ...]], list[Finding]] = {}
    for each in findings:
        reasons = tuple(dict.fromkeys(why for _, _, why, _, _ in each.missing if why))
        if each.outcome == Outcome.ERROR:
            reasons = (each.message,)
        by_reason.setdefault((each.connection, each.outcome, reasons), []).append(each)
    together: dict[object, list[list[Finding]]] = {}
    for (_, outcome, reasons), run in by_reason.items():
        look = tuple((each.rule.id, each.missing) for each in run)
        together.setdefault((outcome, reasons, look), []).append(run)
    return tuple(_gap(runs) for runs in together.values())


def rule_views(audit: Audit) -> tuple[RuleView, ...]:
    """The rules of an audit, worst first, with what became of each."""
    outcomes: dict[str, Counter[str]] = {rule.id: Counter() for rule in audit.rules}
    passed: dict[str, list[str]] = {rule.id: [] for rule in audit.rules}
    for result in audit.results:
        outcomes[result.rule.id][result.outcome] += 1
        if result.outcome is Outcome.PASS:
            passed[result.rule.id].append(result.connection)
    return tuple(
        RuleView(
            id=rule.id,
            policy=rule.policy,
            title=paragraph(rule.title),
            severity=rule.severity.word,
            rationale=paragraph(rule.rationale),
            references=rule.references,
            controls=tuple((name, ", ".join(ids)) for name, ids in rule.controls.items()),
            outcomes={outcome.value: outcomes[rule.id][outcome] for outcome in Outcome},
            passed=tuple(passed[rule.id]),
        )
        for rule in sorted(audit.rules, key=lambda rule: (-rule.severity, rule.id))
    )


def finding_of(result: Result, rule: RuleView, scanned: Scanned) -> Finding:
    """A result with everything that a format shows of it."""
    exchange = scanned.connection.exchange
    return Finding(
        rule=rule,
        outcome=result.outcome.value,
        connection=result.connection,
        exchange=exchange,
        message=paragraph(result.judgement.message),
        expected=paragraph(result.judgement.expected),
        observed=tuple(map(_observed, result.judgement.observations)),
        fix=fix(result.rule, exchange),
        place=result.place,
        fingerprint=result.fingerprint,
        exception=result.exception,
        scanned=moment(scanned.scanned_at),
    )


def _gap(runs: list[list[Finding]]) -> Gap:
    alike_rules = runs[0]
    fields: dict[str, list[str]] = {}
    for each in alike_rules:
        if each.outcome == Outcome.ERROR:
            fields.setdefault(each.message, [])
            continue
        for seen in each.missing:
            fields.setdefault(seen.unknown or "", []).append(seen.field)
    return Gap(
        outcome=alike_rules[0].outcome,
        rules=tuple(each.rule for each in alike_rules),
        reasons=tuple((why, tuple(dict.fromkeys(names))) for why, names in fields.items()),
        findings=tuple(run[0] for run in runs),
    )


def _observed(seen: Observation) -> Observed:
    return Observed(
        field=seen.field,
        value="unknown" if seen.unknown is not None and not seen.value else show(seen.value),
        unknown=seen.unknown,
        source=", ".join(filter(None, (seen.source, seen.request))),
        limitation=seen.limitation,
    )


def grouped(findings: Iterable[Finding]) -> tuple[Group, ...]:
    """The findings by rule, in their order."""
    return tuple(
        Group(run[0].rule, run)
        for _, same_rule in groupby(findings, key=lambda finding: finding.rule.id)
        if (run := tuple(same_rule))
    )


def first_things(findings: Sequence[Finding]) -> tuple[tuple[Finding, ...], ...]:
    """What to do first: alike findings, the worst and then the most frequent first."""

    def rank(run: tuple[Finding, ...]) -> tuple[int, int]:
        return (SEVERITIES.index(run[0].rule.severity), -len(run))

    return tuple(sorted(alike(findings), key=rank)[:FIRST])

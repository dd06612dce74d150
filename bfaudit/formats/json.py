"""The JSON report, `bfaudit-report/1`: everything that was judged, for machines. Its schema is `schemas/report.schema.json`."""

from collections.abc import Mapping
from typing import Any

import msgspec
from msgspec import Struct

import bfaudit
from bfaudit.formats.base import Format, Options
from bfaudit.model import Audit, Json, Outcome, Result, Rule, Scanned
from bfaudit.report.counts import tally
from bfaudit.report.findings import actual, fix, unknown
from bfaudit.sealed import Location, plain, seal
from bfaudit.snapshot import describe, exchange_row, rejected_row

SCHEMA = "bfaudit-report/1"


class RuleRow(Struct, frozen=True, kw_only=True):
    """One rule that judged; its results stand in `results`."""

    id: str
    policy: str
    title: str
    severity: str
    applies: str
    require: str
    params: Mapping[str, Any]
    on_unknown: Outcome
    rationale: str
    remediation: Mapping[str, str]
    references: tuple[str, ...]
    controls: Mapping[str, tuple[str, ...]]
    location: Location


class EvidenceRow(Struct, frozen=True, kw_only=True):
    """Where the value of a field comes from, and what that does not prove."""

    source: str | None
    request: str | None
    limitation: str | None


class ResultRow(Struct, frozen=True, kw_only=True):
    """One rule on one connection."""

    rule: str
    severity: str
    title: str
    connection: str
    outcome: Outcome
    message: str
    expected: str
    actual: Mapping[str, Json]
    """By field; null where there is none, or where `unknown` lists the field."""
    unknown: Mapping[str, str]
    evidence: Mapping[str, EvidenceRow]
    remediation: str | None
    """What to do on this exchange; null where nothing is to be done."""
    controls: Mapping[str, tuple[str, ...]]
    location: Location
    fingerprint: str
    exception: str | None


def render(audit: Audit, options: Options) -> bytes:
    """The report as a sealed JSON document; the same bytes for the same audit."""
    counts = tally(audit)
    snapshot = audit.snapshot
    scans = {scanned.connection.name: scanned for scanned in snapshot.connections}
    content = {
        "tool": {"name": "bfaudit", "version": bfaudit.__version__},
        "generated_at": plain(audit.generated_at),
        "interrupted": snapshot.interrupted,
        "snapshot": {
            "generated_at": plain(snapshot.generated_at),
            "version": snapshot.version,
            "digest": options.digest_of(snapshot),
        },
        "summary": {
            "connections": counts.connections,
            "outcomes": counts.outcomes,
            "failed_by_severity": counts.failed_by_severity,
            "excepted": counts.excepted,
            "coverage": counts.coverage,
            "statuses": counts.statuses,
        },
        "policies": audit.policies,
        "rules": [_rule(rule) for rule in audit.rules],
        "exchanges": [exchange_row(exchange) for exchange in snapshot.exchanges],
        "rejected": [rejected_row(rejected) for rejected in snapshot.rejected],
        "connections": [_connection(scanned) for scanned in snapshot.connections],
        "results": [_result(result, scans[result.connection]) for result in audit.results],
    }
    return seal(SCHEMA, msgspec.to_builtins(content))


def _rule(rule: Rule) -> RuleRow:
    return RuleRow(
        id=rule.id,
        policy=rule.policy,
        title=rule.title,
        severity=rule.severity.word,
        applies=rule.applies,
        require=rule.require,
        params={name: plain(value) for name, value in rule.params.items()},
        on_unknown=rule.on_unknown,
        rationale=rule.rationale,
        remediation=rule.remediation,
        references=rule.references,
        controls=rule.controls,
        location=Location.of(rule.place),
    )


def _connection(scanned: Scanned) -> dict[str, Json]:
    shared, _ = describe(scanned)
    return {**shared, "location": Location.of(scanned.connection.place)}


def _result(result: Result, scanned: Scanned) -> ResultRow:
    judged = result.judgement
    settled = result.outcome in (Outcome.PASS, Outcome.NOT_APPLICABLE)
    return ResultRow(
        rule=result.rule.id,
        severity=result.rule.severity.word,
        title=result.rule.title,
        connection=result.connection,
        outcome=result.outcome,
        message=judged.message,
        expected=judged.expected,
        actual=actual(judged.observations),
        unknown=unknown(judged.observations),
        evidence={
            seen.field: EvidenceRow(
                source=seen.source, request=seen.request, limitation=seen.limitation
            )
            for seen in judged.observations
            if seen.unknown is None
        },
        remediation=None if settled else fix(result.rule, scanned.connection.exchange) or None,
        controls=result.rule.controls,
        location=Location.of(result.place),
        fingerprint=result.fingerprint,
        exception=result.exception,
    )


FORMAT = Format(id="json", suffix="json", title="JSON for machines", render=render)

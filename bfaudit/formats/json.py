"""The JSON report, `bfaudit-report/1`: everything that was judged, for machines, and back. Its schema is `schemas/report.schema.json`.

A connection stands in it as in the snapshot. What is the same for every result of a rule stands with the rule.
"""

from collections.abc import Iterator, Mapping
from datetime import datetime
from functools import partial
from typing import Any, NamedTuple

import msgspec
from msgspec import Struct

import bfaudit
from bfaudit.exceptions import RULES as ON_EXCEPTIONS
from bfaudit.formats.base import Format, Options
from bfaudit.formats.json_rows import EvidenceRow, rows
from bfaudit.model import (
    Audit,
    Json,
    Judgement,
    Observation,
    Outcome,
    Result,
    Rule,
    Severity,
    fingerprint,
)
from bfaudit.pieces import Piece, whole
from bfaudit.report.changed import ChangeRow, change_of, change_row
from bfaudit.report.counts import tally
from bfaudit.report.excepted import ExceptionRow, exception_of, exception_row
from bfaudit.results import Results
from bfaudit.sealed import Listed, Location, Moment, invalid, plain, sealing, unseal, utc
from bfaudit.snapshot import client_row, exchange_row, listed, ordered, rejected_row, restored

SCHEMA = "bfaudit-report/1"


class RuleRow(Struct, frozen=True, kw_only=True):
    """One rule that judged; its results stand in `results`."""

    id: str
    policy: str
    title: str
    severity: str
    applies: str
    require: str
    message: str
    params: Mapping[str, Any]
    on_unknown: Outcome
    overridden: Mapping[str, str]
    rationale: str
    remediation: Mapping[str, str]
    references: tuple[str, ...]
    controls: Mapping[str, tuple[str, ...]]
    location: Location


class ResultRow(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One rule on one connection."""

    rule: str
    severity: str
    connection: str
    outcome: Outcome
    message: str
    expected: str
    actual: Mapping[str, Json]
    """By field; null where there is none, or where `unknown` lists the field."""
    unknown: Mapping[str, str] = {}
    evidence: Mapping[str, EvidenceRow] = {}
    """By field; only where the outcome asks for a reader."""
    location: Location
    fingerprint: str
    exception: str | None
    known: bool = False
    """Whether the baseline holds the finding."""


class Judged(Struct, frozen=True, kw_only=True):
    """What a report holds beside the snapshot."""

    generated_at: Moment
    policies: tuple[str, ...]
    rules: tuple[RuleRow, ...]
    left_out: tuple[RuleRow, ...]
    results: tuple[ResultRow, ...]
    exceptions: tuple[ExceptionRow, ...] = ()
    changes: tuple[ChangeRow, ...] = ()


class Reread(NamedTuple):
    """An audit as its report has kept it."""

    audit: Audit
    snapshot_digest: str


def render(audit: Audit, options: Options) -> bytes:
    """The report as a sealed JSON document; the same bytes for the same audit."""
    return whole(written(audit, options))


def written(audit: Audit, options: Options) -> Iterator[Piece]:
    """The same in pieces."""
    counts = tally(audit)
    snapshot = audit.snapshot
    content = {
        "tool": {"name": "bfaudit", "version": bfaudit.__version__},
        "generated_at": plain(audit.generated_at),
        "interrupted": snapshot.interrupted,
        **({"unselected": snapshot.unselected} if snapshot.unselected else {}),
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
        "left_out": [_rule(rule) for rule in audit.left_out],
        "exceptions": [exception_row(each) for each in audit.exceptions],
        "changes": [change_row(each) for each in audit.changes],
        **({"client": client_row(snapshot.client)} if snapshot.client else {}),
        "exchanges": [exchange_row(exchange) for exchange in snapshot.exchanges],
        "rejected": [rejected_row(rejected) for rejected in snapshot.rejected],
    }
    return sealing(SCHEMA, content, {
        "connections": Listed(partial(listed, snapshot), partial(ordered, snapshot)),
        "results": Listed(partial(rows, audit, ordered=False), partial(rows, audit, ordered=True)),
    })  # fmt: skip


def read(data: bytes, file: str) -> Reread:
    """The audit that a report holds; `file` names it in errors.

    An altered one raises `IntegrityError`, anything else that is not a report `InvalidInput`.
    """
    content = unseal(SCHEMA, data, file)
    try:
        judged = msgspec.convert(content, Judged)
        scan = {
            **content["snapshot"],
            "tool": {"name": "", "version": content["snapshot"]["version"]},
        }
        snapshot = restored({**content, **scan})
        rules = {row.id: _rule_of(row) for row in judged.rules}
        restore = _Restorer(rules, {one.connection.name for one in snapshot.connections})
        audit = Audit(
            snapshot=snapshot,
            generated_at=utc(judged.generated_at),
            results=Results.of(map(restore, judged.results)),
            rules=tuple(rules.values()),
            policies=judged.policies,
            left_out=tuple(map(_rule_of, judged.left_out)),
            baselined=frozenset(row.fingerprint for row in judged.results if row.known),
            exceptions=tuple(map(exception_of, judged.exceptions)),
            changes=tuple(map(change_of, judged.changes)),
        )
        digest = msgspec.convert(content["snapshot"]["digest"], str)
    except (msgspec.ValidationError, KeyError, TypeError, RecursionError, OverflowError) as error:
        raise invalid(file, f"not a valid report: {error}") from error
    return Reread(audit, digest)


def _rule(rule: Rule) -> RuleRow:
    return RuleRow(
        id=rule.id,
        policy=rule.policy,
        title=rule.title,
        severity=rule.severity.word,
        applies=rule.applies,
        require=rule.require,
        message=rule.message,
        params={name: plain(value) for name, value in rule.params.items()},
        on_unknown=rule.on_unknown,
        overridden=rule.overridden,
        rationale=rule.rationale,
        remediation=rule.remediation,
        references=rule.references,
        controls=rule.controls,
        location=Location.of(rule.place),
    )


def _rule_of(row: RuleRow) -> Rule:
    told = {
        name: getattr(row, name)
        for name in RuleRow.__struct_fields__
        if name not in {"severity", "location"}
    }
    return Rule(severity=Severity.of(row.severity), place=row.location.place(), **told)


class _Restorer:
    """Makes results of rows; equal judgements become one again."""

    def __init__(self, rules: Mapping[str, Rule], names: set[str]) -> None:
        from bfaudit.policy.fields import FIELDS, TIME  # noqa: PLC0415 - the writer does not need it

        self._rules = rules
        self._names = names
        self._times = {name for name, field in FIELDS.items() if field.type == TIME}
        self._judgements: dict[bytes, Judgement] = {}

    def __call__(self, row: ResultRow) -> Result:
        if row.connection not in self._names and row.rule not in ON_EXCEPTIONS:
            raise msgspec.ValidationError(f"a result names no connection: {row.connection!r}")
        said = (row.outcome, row.message, row.expected, row.actual, row.unknown, row.evidence)
        key = msgspec.json.encode(said)
        judgement = self._judgements.get(key)
        if judgement is None:
            seen = tuple(self._observation(field, row) for field in row.actual)
            judgement = Judgement(row.outcome, row.message, row.expected, seen)
            self._judgements[key] = judgement
        usual = fingerprint(row.rule, row.connection)
        return Result(
            rule=self._rules[row.rule],
            connection=row.connection,
            judgement=judgement,
            place=row.location.place(),
            exception=row.exception,
            identity=None if row.fingerprint == usual else row.fingerprint,
        )

    def _observation(self, field: str, row: ResultRow) -> Observation:
        why, known = row.unknown.get(field), row.evidence.get(field, EvidenceRow())
        value = row.actual[field] if why is None else known.certain
        if field in self._times and isinstance(value, str):
            value = msgspec.convert(value, datetime)
        return Observation(field, value, why, known.source, known.request, known.limitation)


FORMAT = Format(id="json", suffix="json", title="JSON for machines", render=render, written=written)

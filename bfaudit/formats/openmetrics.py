"""OpenMetrics text for Prometheus; the names and labels are a contract. https://prometheus.io/docs/specs/om/open_metrics_spec/."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import NamedTuple

import bfaudit
from bfaudit.formats.base import Format, Options
from bfaudit.model import Audit, Outcome, Result, Severity, Status
from bfaudit.report.counts import Counts, tally
from bfaudit.report.wording import visible
from bfaudit.sealed import utc

Sample = tuple[Mapping[str, str], float]

_ESCAPES = str.maketrans({"\\": "\\\\", '"': '\\"', "\n": "\\n"})

TIMES = {
    "created": "key.created_at",
    "expires": "key.expires_at",
    "lapses": "key.lapses_at",
    "last_used": "key.last_used_at",
}


class Family(NamedTuple):
    """One metric with all its samples."""

    name: str
    help: str
    samples: Iterable[Sample]
    type: str = "gauge"
    unit: str = ""


def render(audit: Audit, options: Options) -> str:
    """The exposition, ended as it has to be."""
    lines: list[str] = []
    for family in (*_audit(audit), *_rules(audit), *_connections(audit), *_exchanges(audit)):
        suffix = "_info" if family.type == "info" else ""
        lines.append(f"# TYPE {family.name} {family.type}")
        if family.unit:
            lines.append(f"# UNIT {family.name} {family.unit}")
        lines.append(f"# HELP {family.name} {family.help}")
        for labels, value in family.samples:
            lines.append(f"{family.name}{suffix}{_labels(labels)} {_number(value)}")
    return "\n".join([*lines, "# EOF", ""])


def _audit(audit: Audit) -> Iterator[Family]:
    counts, snapshot = tally(audit), audit.snapshot
    yield Family("bfaudit", "What wrote this.", [({"version": bfaudit.__version__}, 1)], "info")
    for name, when, moment in (
        ("scan", "the keys were scanned", snapshot.generated_at),
        ("audit", "the scan was judged", audit.generated_at),
    ):
        yield _seconds(f"bfaudit_{name}_timestamp_seconds", f"When {when}.", [({}, _epoch(moment))])
    yield Family(
        "bfaudit_scan_interrupted",
        "1 where the scan was stopped early.",
        [({}, snapshot.interrupted)],
    )
    yield from _counts(counts)
    left_out: list[Sample] = [({}, len(snapshot.rejected))]
    yield Family("bfaudit_rejected_connections", "Connections left out of the audit.", left_out)
    yield Family(
        "bfaudit_unselected_connections",
        "Connections of the fleet that a selection left out; nothing here is about them.",
        [({}, counts.unselected)],
    )


def _counts(counts: Counts) -> Iterator[Family]:
    statuses = _by("status", counts.statuses)
    yield Family("bfaudit_connections", "Connections by status of the connection test.", statuses)
    outcomes = _by("outcome", counts.outcomes)
    yield Family(
        "bfaudit_results", "Results by outcome; a finding under an exception is a fail.", outcomes
    )
    failed = _by("severity", counts.failed_by_severity)
    yield Family("bfaudit_findings", "Findings without an exception, by severity.", failed)
    yield Family(
        "bfaudit_excepted_findings", "Findings under an exception.", [({}, counts.excepted)]
    )
    coverage: list[Sample] = [({}, counts.coverage)]
    yield Family(
        "bfaudit_coverage_ratio",
        "Share of applicable checks with an answer.",
        coverage,
        unit="ratio",
    )


def _rules(audit: Audit) -> Iterator[Family]:
    outcomes = Counter((result.rule.id, result.outcome) for result in audit.results)
    samples = [
        (
            {
                "rule": rule.id,
                "policy": rule.policy,
                "severity": rule.severity.word,
                "outcome": each,
            },
            outcomes[rule.id, each],
        )
        for rule in audit.rules
        for each in Outcome
    ]
    yield Family("bfaudit_rule_results", "Results of each rule, by outcome.", samples)


def _connections(audit: Audit) -> Iterator[Family]:
    scans = audit.snapshot.connections
    names = [
        {"connection": one.connection.name, "exchange": one.connection.exchange} for one in scans
    ]
    yield Family(
        "bfaudit_connection_online",
        "1 where the key works as the manifest requires.",
        [(labels, one.status is Status.ONLINE) for labels, one in zip(names, scans, strict=True)],
    )
    found = Counter(_counted(audit.results))
    yield Family(
        "bfaudit_connection_findings",
        "Findings without an exception of each connection, by severity; only those there are.",
        [
            ({**labels, "severity": severity.word}, number)
            for labels in names
            for severity in sorted(Severity, reverse=True)
            if (number := found[labels["connection"], severity])
        ],
    )
    yield Family(
        "bfaudit_connection_unanswered",
        "Checks of each connection that ended without an answer.",
        [(labels, found[labels["connection"], None]) for labels in names],
    )
    for word, path in TIMES.items():
        known = [
            (labels, _epoch(fact.value))
            for labels, one in zip(names, scans, strict=True)
            if (fact := one.facts.get(path)) and isinstance(fact.value, datetime)
        ]
        yield _seconds(
            f"bfaudit_key_{word}_timestamp_seconds",
            f"The key's `{path}`, where it is known.",
            known,
        )


def _counted(results: Iterable[Result]) -> Iterator[tuple[str, Severity | None]]:
    """Connection and severity of each finding; None for what has no answer."""
    for result in results:
        if result.outcome in (Outcome.UNKNOWN, Outcome.ERROR):
            yield result.connection, None
        elif result.outcome is Outcome.FAIL and result.exception is None:
            yield result.connection, result.rule.severity


def _exchanges(audit: Audit) -> Iterator[Family]:
    exchanges = audit.snapshot.exchanges
    yield Family(
        "bfaudit_exchange",
        "Where each exchange was asked; redirected means not at its own address.",
        [
            ({"exchange": one.id, "url": one.url, "redirected": str(one.redirected).lower()}, 1)
            for one in exchanges
        ],
        "info",
    )
    asked = [({"exchange": one.id}, one.requests) for one in exchanges]
    yield Family("bfaudit_exchange_requests", "Requests of the last scan.", asked)
    offsets = [
        ({"exchange": one.id}, one.clock_offset_ms / 1000)
        for one in exchanges
        if one.clock_offset_ms is not None
    ]
    yield _seconds(
        "bfaudit_exchange_clock_offset_seconds", "Local clock minus the exchange's.", offsets
    )


def _seconds(name: str, says: str, samples: Iterable[Sample]) -> Family:
    return Family(name, says, samples, unit="seconds")


def _by(label: str, counts: Mapping[str, int]) -> list[Sample]:
    return [({label: word}, number) for word, number in counts.items()]


def _epoch(moment: datetime) -> float:
    return utc(moment).timestamp()


def _labels(labels: Mapping[str, str]) -> str:
    if not labels:
        return ""
    said = (f'{name}="{visible(value).translate(_ESCAPES)}"' for name, value in labels.items())
    return f"{{{','.join(said)}}}"


def _number(value: float) -> str:
    return str(int(value)) if value == int(value) else repr(value)


FORMAT = Format(id="openmetrics", suffix="prom", title="OpenMetrics for Prometheus", render=render)

"""An audit as finished values: every count, order and sentence that the formats show, derived once."""

from dataclasses import dataclass
from datetime import datetime

import bfaudit
from bfaudit.model import Audit, ExchangeScanned, Outcome, Rejected
from bfaudit.report.connections import ConnectionView, connection_views
from bfaudit.report.counts import Counts, Verdict, tally, verdict
from bfaudit.report.findings import (
    Finding,
    Gap,
    Group,
    RuleView,
    finding_of,
    first_things,
    gaps,
    grouped,
    rule_views,
)
from bfaudit.report.wording import percent

__all__ = [
    "ConnectionView",
    "Counts",
    "Finding",
    "Gap",
    "Group",
    "ReportView",
    "RuleView",
    "Verdict",
    "build",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportView:
    """Everything that a report shows, as finished values."""

    verdict: Verdict
    counts: Counts
    coverage: str
    version: str
    generated: datetime
    scanned: datetime
    interrupted: bool
    policies: tuple[str, ...]
    findings: tuple[Group, ...]
    """Failed rules, worst first; without those under an exception."""
    gaps: tuple[Gap, ...]
    """What has no answer: unknown or an error."""
    excepted: tuple[Group, ...]
    first: tuple[tuple[Finding, ...], ...]
    """What to do first: alike findings, worst and most frequent first."""
    rules: tuple[RuleView, ...]
    connections: tuple[ConnectionView, ...]
    exchanges: tuple[ExchangeScanned, ...]
    rejected: tuple[Rejected, ...]

    @property
    def redirected(self) -> tuple[ExchangeScanned, ...]:
        """The exchanges that were asked at another address than their own."""
        return tuple(exchange for exchange in self.exchanges if exchange.redirected)


def build(audit: Audit) -> ReportView:
    """The finished values of an audit."""
    counts = tally(audit)
    rules = rule_views(audit)
    scans = {scanned.connection.name: scanned for scanned in audit.snapshot.connections}
    views = {rule.id: rule for rule in rules}
    asking = [
        finding_of(result, views[result.rule.id], scans[result.connection])
        for result in audit.results
        if result.outcome in (Outcome.FAIL, Outcome.UNKNOWN, Outcome.ERROR)
    ]
    failed = [finding for finding in asking if finding.outcome == Outcome.FAIL]
    unwaived = [finding for finding in failed if finding.exception is None]
    return ReportView(
        verdict=verdict(audit, counts),
        counts=counts,
        coverage=percent(counts.coverage),
        version=bfaudit.__version__,
        generated=audit.generated_at,
        scanned=audit.snapshot.generated_at,
        interrupted=audit.snapshot.interrupted,
        policies=audit.policies,
        findings=grouped(unwaived),
        gaps=gaps(finding for finding in asking if finding.outcome != Outcome.FAIL),
        excepted=grouped(finding for finding in failed if finding.exception is not None),
        first=first_things(unwaived),
        rules=rules,
        connections=connection_views(audit),
        exchanges=audit.snapshot.exchanges,
        rejected=audit.snapshot.rejected,
    )

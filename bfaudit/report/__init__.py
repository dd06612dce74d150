"""An audit as finished values: every count, order and sentence that the formats show, derived once."""

from dataclasses import dataclass
from datetime import datetime

from msgspec.structs import replace

import bfaudit
from bfaudit.lang import ENGLISH, Language
from bfaudit.model import Audit, Change, ExchangeScanned, Outcome, Rejected
from bfaudit.report.charts import Chart, charts
from bfaudit.report.connections import ConnectionView, connection_views
from bfaudit.report.counts import Counts, Verdict, tally, verdict
from bfaudit.report.exceptions import ExceptionView, exception_views
from bfaudit.report.findings import Finding, Group, Reader, RuleView, first_things, grouped
from bfaudit.report.gaps import Gap, gaps
from bfaudit.report.rules import left_out, rule_views
from bfaudit.report.shared import Shared, shared
from bfaudit.report.wording import percent

__all__ = [
    "Change",
    "Chart",
    "ConnectionView",
    "Counts",
    "ExceptionView",
    "Finding",
    "Gap",
    "Group",
    "ReportView",
    "RuleView",
    "Shared",
    "Verdict",
    "build",
]


SILENT = (Outcome.PASS, Outcome.NOT_APPLICABLE)
"""The outcomes that ask for no reader."""


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
    exceptions: tuple[ExceptionView, ...]
    """Exceptions in force, the most used first."""
    first: tuple[tuple[Finding, ...], ...]
    """What to do first: alike findings, worst and most frequent first."""
    rules: tuple[RuleView, ...]
    left_out: tuple[RuleView, ...] = ()
    """The rules that a policy switched off; `overridden` says why."""
    connections: tuple[ConnectionView, ...]
    unseen: tuple[ConnectionView, ...]
    """Those whose key could not be looked at."""
    charts: tuple[Chart, ...]
    shared: Shared
    """Which connections share a key or an account."""
    changes: tuple[Change, ...] = ()
    """What changed since a previous snapshot; empty where none was given."""
    exchanges: tuple[ExchangeScanned, ...]
    rejected: tuple[Rejected, ...]

    @property
    def redirected(self) -> tuple[ExchangeScanned, ...]:
        """The exchanges that were asked at another address than their own."""
        return tuple(exchange for exchange in self.exchanges if exchange.redirected)

    @property
    def overridden(self) -> tuple[RuleView, ...]:
        """The rules that policies changed, those that they switched off first."""
        return (*self.left_out, *(rule for rule in self.rules if rule.overridden))


def build(audit: Audit, lang: Language = ENGLISH) -> ReportView:
    """The finished values of an audit, in a language. Ids, statuses, severities and outcomes stay the words of JSON."""
    counts = tally(audit)
    rules = rule_views(audit, lang)
    asked = [each for each in audit.results if each.judgement.outcome not in SILENT]
    connections = connection_views(audit, asked, rules, lang)
    asking = list(map(Reader(audit, rules, lang).finding, asked))
    failed = [each for each in asking if each.outcome == Outcome.FAIL]
    unwaived = [each for each in failed if each.exception is None]
    return ReportView(
        verdict=verdict(audit, counts, lang),
        counts=counts,
        coverage=percent(counts.coverage),
        version=bfaudit.__version__,
        generated=audit.generated_at,
        scanned=audit.snapshot.generated_at,
        interrupted=audit.snapshot.interrupted,
        policies=audit.policies,
        findings=grouped(unwaived),
        gaps=gaps((each for each in asking if each.outcome != Outcome.FAIL), lang),
        excepted=grouped(each for each in failed if each.exception is not None),
        exceptions=exception_views(audit, (each.exception for each in failed), lang),
        first=first_things(unwaived),
        rules=rules,
        left_out=left_out(audit, lang),
        connections=connections,
        unseen=tuple(each for each in connections if each.unseen),
        charts=charts(connections, audit.generated_at, lang),
        shared=shared(connections),
        changes=tuple(replace(each, text=lang.sentence(each.text)) for each in audit.changes),
        exchanges=audit.snapshot.exchanges,
        rejected=audit.snapshot.rejected,
    )
